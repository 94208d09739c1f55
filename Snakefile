# Regenerates arXiv:1905.03750: `snakemake --cores 8` makes every figure, Table II and the tables of limits and counts.
#
# The configuration, resolved into the study, gives each job its plan (workflow/rules/common.smk); then follow spectra and
# rates, chi-squared, tables and figures, and what `make check` and `make report` make beside them.


include: "workflow/rules/common.smk"


# Intermediate files too, so that one that is missing is made again though nothing needs it.
rule all:
    """Every figure and table of the paper, and all intermediate files."""
    input:
        expand(
            "results/fluxes/{source}.h5",
            source=sorted(set(map(STUDY.source_of, STUDY.experiments))),
        ),
        expand(
            "results/{stage}/{experiment}.h5",
            stage=["rates", "counts"],
            experiment=STUDY.experiments,
        ),
        each("results/profiles/{experiment}.h5", ALL),
        each("results/planes/{experiment}.h5", DRAWN),
        each("results/luminosity/{experiment}.h5", DRAWN),
        expand("results/phases/{experiment}.h5", experiment=STUDY.config["phases"]),
        expand("results/solar/{name}.h5", name=STUDY.solar),
        "results/quenching.h5",
        expand("figures/fig{number}.{kind}", number=range(1, 9), kind=["pdf", "png"]),
        more_figures(STUDY.drawn),
        expand("figures/map-{map}.{kind}", map=STUDY.maps, kind=["pdf", "png"]),
        ["results/maps.csv"] * bool(STUDY.maps),
        expand("results/table2.{kind}", kind=["csv", "md", "tex"]),
        "results/comparison.md",
        "results/limits.csv",
        "results/counts.csv",
        "results/contours.csv",


include: "workflow/rules/rates.smk"
include: "workflow/rules/chi2.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/maps.smk"
include: "workflow/rules/audit.smk"


settle_plans(prefix=rules.counts.output[0].removesuffix("results/counts.csv"))
