# Script and results of each figure; its parameters are in pipeline/jobs.py.
FIGURES = {
    1: ("plot_fig1", ["results/quenching.h5"]),
    2: ("plot_fig2", each("results/profiles/{experiment}.h5")),
    3: ("plot_fig3", each("results/luminosity/{experiment}.h5")),
    4: ("plot_planes", each("results/planes/{experiment}.h5", SNS)),
    5: ("plot_planes", each("results/planes/{experiment}.h5", SNS)),
    6: ("plot_planes", each("results/planes/{experiment}.h5", REACTOR)),
    7: ("plot_fig7", expand("results/phases/{experiment}.h5", experiment=STUDY.config["phases"])),
    8: ("plot_fig8", expand("results/solar/{name}.h5", name=STUDY.solar)),
}

for number, (plot, results) in FIGURES.items():

    rule:
        """A figure of the paper, or a page that says why it is empty."""
        name:
            f"fig{number}"
        input:
            plan=plan(f"figures/fig{number}"),
            results=results,
        output:
            **drawn(f"fig{number}", "Figures of the paper", figure=f"Fig. {number}"),
        log:
            f"logs/fig{number}.log",
        group:
            "paper"
        script:
            f"../../scripts/{plot}.py"
