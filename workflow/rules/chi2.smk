rule profiles:
    """Delta chi-squared against each moment, and limits, of one experiment or combination."""
    input:
        plan=plan("{audit}profiles/{experiment}"),
        counts=members,
    output:
        "results/{audit}profiles/{experiment}.h5",
    log:
        "logs/{audit}profiles/{experiment}.log",
    group:
        "experiment"
    script:
        "../../scripts/compute_profiles.py"


rule planes:
    """Delta chi-squared in the planes of two moments of one experiment."""
    input:
        plan=plan("planes/{experiment}"),
        counts=members,
    output:
        "results/planes/{experiment}.h5",
    log:
        "logs/planes/{experiment}.log",
    group:
        "experiment"
    resources:
        mem_mb=grid_memory,
    script:
        "../../scripts/compute_planes.py"


use rule planes as phases with:
    input:
        plan=plan("phases/{experiment}"),
        counts=members,
    output:
        "results/phases/{experiment}.h5",
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
    group:
        "paper"
    script:
        "../../scripts/write_contours.py"


rule luminosity:
    """Limits against luminosity of one experiment."""
    input:
        plan=plan("luminosity/{experiment}"),
        counts=members,
    output:
        "results/luminosity/{experiment}.h5",
    log:
        "logs/luminosity/{experiment}.log",
    group:
        "experiment"
    script:
        "../../scripts/compute_luminosity.py"


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
