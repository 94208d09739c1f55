rule limits_table:
    input:
        profiles=expand("results/profiles/{experiment}.h5", experiment=STUDY.experiments),
        solar=expand("results/solar/{name}.h5", name=STUDY.solar),
        code=code("write_limits"),
    output:
        "results/limits.csv",
    log:
        "logs/limits.log",
    threads: 1
    params:
        experiments={e: [STUDY.setups(e), list(STUDY.beams(e))] for e in STUDY.experiments},
        solar=STUDY.solar,
        readings=STUDY.readings,
    script:
        "../../scripts/write_limits.py"


rule counts_table:
    input:
        counts=expand("results/counts/{experiment}.h5", experiment=STUDY.experiments),
        code=code("write_counts"),
    output:
        "results/counts.csv",
    log:
        "logs/counts.log",
    threads: 1
    params:
        setups={e: STUDY.setups(e) for e in STUDY.experiments},
        readings=STUDY.readings,
    script:
        "../../scripts/write_counts.py"


rule table2:
    input:
        limits="results/limits.csv",
        published="resources/published_table2.csv",
        code=code("write_table2"),
    output:
        csv="results/table2.csv",
        md="results/table2.md",
        tex="results/table2.tex",
    log:
        "logs/table2.log",
    threads: 1
    params:
        labels={e: style["label"] for e, style in STUDY.style().items()},
        reading=STUDY.config["figures_reading"],
        confidence_level=STUDY.config["confidence_level"],
    script:
        "../../scripts/write_table2.py"
