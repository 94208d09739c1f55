rule rates:
    input:
        flux=lambda wc: f"results/fluxes/{STUDY.source_of(wc.experiment)}.h5",
        code=code("compute_rates"),
    output:
        "results/rates/{experiment}.h5",
    log:
        "logs/rates/{experiment}.log",
    threads: 1
    params:
        setups=lambda wc: STUDY.rate_blocks(wc.experiment),
        nodes=STUDY.config["grids"]["recoil_nodes"],
    script:
        "../../scripts/compute_rates.py"


rule counts:
    input:
        rates="results/rates/{experiment}.h5",
        code=code("compute_counts"),
    output:
        "results/counts/{experiment}.h5",
    log:
        "logs/counts/{experiment}.log",
    threads: 1
    params:
        setups=lambda wc: STUDY.rate_blocks(wc.experiment),
    script:
        "../../scripts/compute_counts.py"
