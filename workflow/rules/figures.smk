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


rule curve_figures:
    """Curves of the current setups: profiles (Fig. 2) and limits against luminosity (Fig. 3)."""
    input:
        plan=plan("figures/curves"),
        profiles=each("results/profiles/{experiment}.h5", DRAWN),
        luminosity=each("results/luminosity/{experiment}.h5", DRAWN),
    output:
        expand("figures/fig{number}.{kind}", number=[2, 3], kind=["pdf", "png"]),
    log:
        "logs/curves.log",
    group:
        "paper"
    script:
        "../../scripts/plot_curves.py"


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
