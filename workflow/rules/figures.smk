rule fig1:
    """Quenching factors."""
    input:
        plan=plan("figures/fig1"),
        quenching="results/quenching.h5",
    output:
        **drawn("fig1"),
    log:
        "logs/fig1.log",
    group:
        "paper"
    script:
        "../../scripts/plot_fig1.py"


rule fig2:
    """Profiles of the current setups."""
    input:
        plan=plan("figures/fig2"),
        profiles=each("results/profiles/{experiment}.h5", DRAWN),
    output:
        **drawn("fig2"),
    log:
        "logs/fig2.log",
    group:
        "paper"
    script:
        "../../scripts/plot_fig2.py"


rule fig3:
    """Limits against luminosity."""
    input:
        plan=plan("figures/fig3"),
        luminosity=each("results/luminosity/{experiment}.h5", DRAWN),
    output:
        **drawn("fig3"),
    log:
        "logs/fig3.log",
    group:
        "paper"
    script:
        "../../scripts/plot_fig3.py"


rule plane_figure:
    """Planes of two moments: SNS, current (Fig. 4) and future (Fig. 5); reactors (Fig. 6); combinations, other fluxes."""
    input:
        plan=plan("figures/{figure}"),
        contours="results/contours.csv",
    output:
        **drawn("{figure}"),
    log:
        "logs/{figure}.log",
    wildcard_constraints:
        figure="fig[456]|combinations|other-fluxes",
    group:
        "paper"
    script:
        "../../scripts/plot_planes.py"


rule fig7:
    """Planes with other phases."""
    input:
        plan=plan("figures/fig7"),
        contours="results/contours.csv",
    output:
        **drawn("fig7"),
    log:
        "logs/fig7.log",
    group:
        "paper"
    script:
        "../../scripts/plot_fig7.py"


rule fig8:
    """Planes of the solar limits."""
    input:
        plan=plan("figures/fig8"),
        contours="results/contours.csv",
    output:
        **drawn("fig8"),
    log:
        "logs/fig8.log",
    group:
        "paper"
    script:
        "../../scripts/plot_fig8.py"
