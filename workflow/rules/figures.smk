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


rule plane_figures:
    """Planes of two moments: SNS, current (Fig. 4) and future (Fig. 5); reactors (6); other phases (7); solar (8)."""
    input:
        plan=plan("figures/planes"),
        contours="results/contours.csv",
    output:
        expand("figures/fig{number}.{kind}", number=range(4, 9), kind=["pdf", "png"]),
    log:
        "logs/planes.log",
    priority: 1
    group:
        "paper"
    script:
        "../../scripts/plot_contours.py"


use rule plane_figures as more_plane_figures with:
    input:
        plan=plan("figures/{figure}"),
        contours="results/contours.csv",
    output:
        **drawn("{figure}"),
    log:
        "logs/{figure}.log",
    wildcard_constraints:
        figure="combinations|other-fluxes",
