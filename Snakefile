# Regenerates arXiv:1905.03750: `snakemake --cores 8` makes every figure, Table II and the tables of limits and counts.


include: "workflow/rules/config.smk"


configfile: "config/config.yaml"
configfile: "config/experiments.yaml"
configfile: "config/readings.yaml"
configfile: "config/audit.yaml"
configfile: "config/claims.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/fluxes.smk"
include: "workflow/rules/rates.smk"
include: "workflow/rules/chi2.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/audit.smk"


# Intermediate files too, so that one that is missing is made again though nothing needs it.
rule all:
    input:
        expand(
            "results/fluxes/{source}.h5",
            source=sorted(set(map(STUDY.source_of, STUDY.experiments))),
        ),
        expand(
            "results/{stage}/{experiment}.h5",
            stage=["rates", "counts", "profiles", "planes", "luminosity"],
            experiment=STUDY.experiments,
        ),
        expand("results/phases/{experiment}.h5", experiment=STUDY.config["phases"]),
        expand("results/solar/{name}.h5", name=STUDY.solar),
        "results/quenching.h5",
        expand("figures/fig{number}.{kind}", number=range(1, 9), kind=["pdf", "png"]),
        expand("results/table2.{kind}", kind=["csv", "md", "tex"]),
        "results/limits.csv",
        "results/counts.csv",


# What `make check` and `make report` make beside it.
rule audited:
    input:
        rules.all.input,
        "figures/ablation.png",
        "figures/budget.png",
        expand("results/report/{table}.html", table=REPORTED),
        "results/check.md",
