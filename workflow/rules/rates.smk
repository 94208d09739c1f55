rule flux_table:
    """Moments of the spectra of one source, by reading."""
    input:
        plan=plan("{audit}fluxes/{source}"),
    output:
        "results/{audit}fluxes/{source}.h5",
    log:
        "logs/{audit}fluxes/{source}.log",
    priority: 1
    group:
        "sources"
    script:
        "../../scripts/tabulate_flux.py"


rule rates:
    """Recoil spectra and events of one experiment, by setup and reading."""
    input:
        plan=plan("rates/{experiment}"),
        flux=flux,
    output:
        rates="results/rates/{experiment}.h5",
        counts="results/counts/{experiment}.h5",
    log:
        "logs/rates/{experiment}.log",
    priority: 1
    group:
        "experiment"
    script:
        "../../scripts/compute_rates.py"


rule quenching:
    """Quenching factor against recoil energy, for Fig. 1."""
    input:
        plan=plan("quenching"),
    output:
        "results/quenching.h5",
    log:
        "logs/quenching.log",
    group:
        "sources"
    script:
        "../../scripts/compute_quenching.py"
