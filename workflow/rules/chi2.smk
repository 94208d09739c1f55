rule profiles:
    input:
        counts="results/counts/{experiment}.h5",
        code=code("compute_profiles"),
    output:
        "results/profiles/{experiment}.h5",
    log:
        "logs/profiles/{experiment}.log",
    threads: 1
    params:
        statistics=lambda wc: STUDY.statistics_blocks(wc.experiment),
        beams=lambda wc: STUDY.beams(wc.experiment),
        range_muB=lambda wc: STUDY.ranges(wc.experiment)["profile"],
        points=STUDY.config["grids"]["profile_points"],
    script:
        "../../scripts/compute_profiles.py"


rule planes:
    input:
        counts="results/counts/{experiment}.h5",
        code=code("compute_planes"),
    output:
        "results/planes/{experiment}.h5",
    log:
        "logs/planes/{experiment}.log",
    threads: 1
    resources:
        mem_mb=grid_memory,
    params:
        statistics=lambda wc: STUDY.statistics_blocks(wc.experiment),
        contours=lambda wc: STUDY.plane_contours(wc.experiment),
        range_muB=lambda wc: STUDY.ranges(wc.experiment)["plane"],
        points=STUDY.config["grids"]["plane_points"],
    script:
        "../../scripts/compute_planes.py"


use rule planes as phases with:
    output:
        "results/phases/{experiment}.h5",
    log:
        "logs/phases/{experiment}.log",
    params:
        statistics=lambda wc: STUDY.statistics_blocks(wc.experiment),
        contours=lambda wc: STUDY.phase_contours(wc.experiment),
        range_muB=lambda wc: STUDY.ranges(wc.experiment)["plane"],
        points=STUDY.config["grids"]["plane_points"],


rule luminosity:
    input:
        counts="results/counts/{experiment}.h5",
        code=code("compute_luminosity"),
    output:
        "results/luminosity/{experiment}.h5",
    log:
        "logs/luminosity/{experiment}.log",
    threads: 1
    params:
        statistics=lambda wc: {
            group: block
            for group, block in STUDY.statistics_blocks(wc.experiment).items()
            if group.startswith("current/")
        },
        beams=lambda wc: STUDY.beams(wc.experiment),
        range=STUDY.config["luminosity"]["range"],
        points=STUDY.config["grids"]["luminosity_points"],
    script:
        "../../scripts/compute_luminosity.py"


rule solar:
    input:
        code=code("compute_solar"),
    output:
        "results/solar/{name}.h5",
    log:
        "logs/solar/{name}.log",
    threads: 1
    resources:
        mem_mb=grid_memory,
    params:
        solar=lambda wc: STUDY.solar_blocks(wc.name),
        points=STUDY.config["grids"]["plane_points"],
    script:
        "../../scripts/compute_solar.py"
