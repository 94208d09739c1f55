# The same stages as the paper's, once for all variants of config/audit.yaml together: a job computes
# each distinct flux table and rate once.


use rule flux_table as audit_flux with:
    output:
        "results/audit/fluxes/{source}.h5",
    log:
        "logs/audit/fluxes/{source}.log",
    params:
        spectra=lambda wc: AUDIT.flux_blocks(wc.source),
        cells=AUDIT.config["grids"]["flux_cells"],


use rule rates as audit_rates with:
    input:
        flux=lambda wc: f"results/audit/fluxes/{AUDIT.source_of(wc.experiment)}.h5",
        code=code("compute_rates"),
    output:
        temp("results/audit/rates/{experiment}.h5"),
    log:
        "logs/audit/rates/{experiment}.log",
    params:
        setups=lambda wc: AUDIT.rate_blocks(wc.experiment),
        nodes=AUDIT.config["grids"]["recoil_nodes"],


use rule counts as audit_counts with:
    input:
        rates="results/audit/rates/{experiment}.h5",
        code=code("compute_counts"),
    output:
        "results/audit/counts/{experiment}.h5",
    log:
        "logs/audit/counts/{experiment}.log",
    params:
        groups=lambda wc: list(AUDIT.rate_blocks(wc.experiment)),


use rule profiles as audit_profiles with:
    input:
        counts="results/audit/counts/{experiment}.h5",
        code=code("compute_profiles"),
    output:
        "results/audit/profiles/{experiment}.h5",
    log:
        "logs/audit/profiles/{experiment}.log",
    params:
        statistics=lambda wc: AUDIT.statistics_blocks(wc.experiment),
        beams=lambda wc: AUDIT.beams(wc.experiment),
        range_muB=lambda wc: AUDIT.ranges(wc.experiment)["profile"],
        points=2,


use rule solar as audit_solar with:
    output:
        "results/audit/solar/{name}.h5",
    log:
        "logs/audit/solar/{name}.log",
    params:
        solar=lambda wc: AUDIT.solar_blocks(wc.name),
        points=2,


use rule limits_table as audit_limits with:
    input:
        profiles=expand("results/audit/profiles/{experiment}.h5", experiment=AUDIT.experiments),
        solar=expand("results/audit/solar/{name}.h5", name=AUDIT.solar),
        code=code("write_limits"),
    output:
        "results/audit/limits.csv",
    log:
        "logs/audit/limits.log",
    params:
        experiments={e: [AUDIT.setups(e), list(AUDIT.beams(e))] for e in AUDIT.experiments},
        solar=AUDIT.solar,
        readings=AUDIT.readings,
