rule limits:
    """All limits as one table."""
    input:
        plan=plan("{audit}limits"),
        profiles=lambda wildcards: each(
            "results/{{audit}}profiles/{experiment}.h5", DRAWN if wildcards.audit else ALL
        ),
        solar=expand("results/{{audit}}solar/{name}.h5", name=STUDY.solar),
    output:
        "results/{audit}limits.csv",
    log:
        "logs/{audit}limits.log",
    group:
        "paper"
    script:
        "../../scripts/write_limits.py"


rule counts:
    """All events as one table."""
    input:
        plan=plan("counts"),
        counts=each("results/counts/{experiment}.h5"),
    output:
        "results/counts.csv",
    log:
        "logs/counts.log",
    group:
        "paper"
    script:
        "../../scripts/write_counts.py"


rule table2:
    """Table II, and every reading beside the published limits."""
    input:
        plan=plan("table2"),
        limits="results/limits.csv",
    output:
        csv="results/table2.csv",
        md="results/table2.md",
        tex="results/table2.tex",
        comparison="results/comparison.csv",
        verdict="results/comparison.md",
    log:
        "logs/table2.log",
    group:
        "paper"
    script:
        "../../scripts/write_table2.py"


rule hepdata:
    """Limits, profiles, contours and coverage as a submission to HEPData."""
    input:
        plan=plan("hepdata"),
        limits="results/limits.csv",
        profiles=each("results/profiles/{experiment}.h5", ALL),
        contours="results/contours.csv",
        coverage="results/coverage.csv",
    output:
        expand("results/hepdata/{table}.yaml", table=["submission", *hepdata_tables(STUDY)]),
    log:
        "logs/hepdata.log",
    group:
        "paper"
    script:
        "../../scripts/write_hepdata.py"
