rule flux_table:
    input:
        unpack(spectra_files),
        code=code("tabulate_flux"),
    output:
        "results/fluxes/{source}.h5",
    log:
        "logs/fluxes/{source}.log",
    threads: 1
    params:
        spectra=lambda wc: STUDY.flux_blocks(wc.source),
        cells=STUDY.config["grids"]["flux_cells"],
    script:
        "../../scripts/tabulate_flux.py"


rule quenching:
    input:
        code=code("compute_quenching"),
    output:
        "results/quenching.h5",
    log:
        "logs/quenching.log",
    threads: 1
    params:
        nuclides=STUDY.config["quenching"]["nuclides"],
        kappa_scale=STUDY.config["quenching"]["kappa_scale"],
        T_max_keV=STUDY.config["quenching"]["T_max_keV"],
        points=STUDY.config["grids"]["quenching_points"],
    script:
        "../../scripts/compute_quenching.py"
