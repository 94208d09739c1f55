MPLSTYLE = "config/paper.mplstyle"


rule fig1:
    input:
        quenching="results/quenching.h5",
        style=MPLSTYLE,
        code=code("plot_fig1"),
    output:
        **figure(1),
    log:
        "logs/fig1.log",
    threads: 1
    script:
        "../../scripts/plot_fig1.py"


rule fig2:
    input:
        profiles=expand("results/profiles/{experiment}.h5", experiment=STUDY.experiments),
        style=MPLSTYLE,
        code=code("plot_fig2"),
    output:
        **figure(2),
    log:
        "logs/fig2.log",
    threads: 1
    params:
        experiments=STUDY.style(),
        reading=STUDY.config["figures_reading"],
        confidence_level=STUDY.config["confidence_level"],
    script:
        "../../scripts/plot_fig2.py"


rule fig3:
    input:
        luminosity=expand("results/luminosity/{experiment}.h5", experiment=STUDY.experiments),
        style=MPLSTYLE,
        code=code("plot_fig3"),
    output:
        **figure(3),
    log:
        "logs/fig3.log",
    threads: 1
    params:
        experiments=STUDY.style(),
        reading=STUDY.config["figures_reading"],
        confidence_level=STUDY.config["confidence_level"],
    script:
        "../../scripts/plot_fig3.py"


rule fig4:
    input:
        planes=of_kind("results/planes/{experiment}.h5", "pion-decay-at-rest"),
        style=MPLSTYLE,
        code=code("plot_planes"),
    output:
        **figure(4),
    log:
        "logs/fig4.log",
    threads: 1
    params:
        experiments=STUDY.style_of("pion-decay-at-rest"),
        range_muB=STUDY.plane_range("pion-decay-at-rest"),
        confidence_level=STUDY.config["confidence_level"],
        rows=STUDY.plane_rows([("current", "delayed"), ("current", "prompt")]),
    script:
        "../../scripts/plot_planes.py"


use rule fig4 as fig5 with:
    output:
        **figure(5),
    log:
        "logs/fig5.log",
    params:
        experiments=STUDY.style_of("pion-decay-at-rest"),
        range_muB=STUDY.plane_range("pion-decay-at-rest"),
        confidence_level=STUDY.config["confidence_level"],
        rows=STUDY.plane_rows([("future", "delayed"), ("future", "prompt")]),


use rule fig4 as fig6 with:
    input:
        planes=of_kind("results/planes/{experiment}.h5", "reactor"),
        style=MPLSTYLE,
        code=code("plot_planes"),
    output:
        **figure(6),
    log:
        "logs/fig6.log",
    params:
        experiments=STUDY.style_of("reactor"),
        range_muB=STUDY.plane_range("reactor"),
        confidence_level=STUDY.config["confidence_level"],
        rows=STUDY.plane_rows([("current", "reactor"), ("future", "reactor")]),


rule fig7:
    input:
        phases=expand("results/phases/{experiment}.h5", experiment=STUDY.config["phases"]),
        style=MPLSTYLE,
        code=code("plot_fig7"),
    output:
        **figure(7),
    log:
        "logs/fig7.log",
    threads: 1
    params:
        experiments={e: STUDY.style()[e] for e in STUDY.config["phases"]},
        contours={e: STUDY.phase_contours(e) for e in STUDY.config["phases"]},
        confidence_level=STUDY.config["confidence_level"],
    script:
        "../../scripts/plot_fig7.py"


rule fig8:
    input:
        solar=expand("results/solar/{name}.h5", name=STUDY.solar),
        style=MPLSTYLE,
        code=code("plot_fig8"),
    output:
        **figure(8),
    log:
        "logs/fig8.log",
    threads: 1
    params:
        names=STUDY.solar,
        confidence_level=STUDY.config["confidence_level"],
        reading=STUDY.config["figures_reading"],
    script:
        "../../scripts/plot_fig8.py"
