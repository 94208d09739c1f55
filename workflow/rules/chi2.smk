rule chi2:
    """Delta chi-squared against each moment and in planes of two, and limits against luminosity, of one experiment."""
    input:
        plan=plan("chi2/{experiment}"),
        counts=members,
    output:
        profiles="results/profiles/{experiment}.h5",
        planes="results/planes/{experiment}.h5",
        luminosity="results/luminosity/{experiment}.h5",
    log:
        "logs/chi2/{experiment}.log",
    wildcard_constraints:
        experiment=either(DRAWN),
    group:
        "experiment"
    resources:
        mem_mb=grid_memory,
    script:
        "../../scripts/compute_chi2.py"


# Of combinations that no figure shows, and in the audit, only the limits are wanted.
use rule chi2 as profiles with:
    input:
        plan=plan("{audit}profiles/{experiment}"),
        counts=members,
    output:
        profiles="results/{audit}profiles/{experiment}.h5",
    log:
        "logs/{audit}profiles/{experiment}.log",
    wildcard_constraints:
        experiment=either(ALL),


ruleorder: chi2 > profiles


use rule chi2 as phases with:
    input:
        plan=plan("phases/{experiment}"),
        counts=members,
    output:
        planes="results/phases/{experiment}.h5",
    log:
        "logs/phases/{experiment}.log",


rule contours:
    """The lines of Figs. 4 to 8, and of combinations, as one table."""
    input:
        plan=plan("contours"),
        counts=each("results/counts/{experiment}.h5"),
    output:
        "results/contours.csv",
    log:
        "logs/contours.log",
    priority: 1
    group:
        "paper"
    script:
        "../../scripts/write_contours.py"


rule solar:
    """A solar limit translated to each moment, and to the planes of two."""
    input:
        plan=plan("{audit}solar/{name}"),
    output:
        "results/{audit}solar/{name}.h5",
    log:
        "logs/{audit}solar/{name}.log",
    group:
        "sources"
    resources:
        mem_mb=grid_memory,
    script:
        "../../scripts/compute_solar.py"
