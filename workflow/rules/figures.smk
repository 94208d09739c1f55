rule fig1:
    """Quenching factors."""
    input:
        plan=plan("figures/fig1"),
        quenching="results/quenching.h5",
    output:
        **figure(1),
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
        **figure(2),
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
        **figure(3),
    log:
        "logs/fig3.log",
    group:
        "paper"
    script:
        "../../scripts/plot_fig3.py"


rule fig4:
    """Planes of two moments: SNS, current; Fig. 5 has the future setups, Fig. 6 the reactors."""
    input:
        plan=plan("figures/fig4"),
        contours="results/contours.csv",
    output:
        **figure(4),
    log:
        "logs/fig4.log",
    group:
        "paper"
    script:
        "../../scripts/plot_planes.py"


use rule fig4 as fig5 with:
    input:
        plan=plan("figures/fig5"),
        contours="results/contours.csv",
    output:
        **figure(5),
    log:
        "logs/fig5.log",


use rule fig4 as fig6 with:
    input:
        plan=plan("figures/fig6"),
        contours="results/contours.csv",
    output:
        **figure(6),
    log:
        "logs/fig6.log",


rule fig7:
    """Planes with other phases."""
    input:
        plan=plan("figures/fig7"),
        contours="results/contours.csv",
    output:
        **figure(7),
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
        **figure(8),
    log:
        "logs/fig8.log",
    group:
        "paper"
    script:
        "../../scripts/plot_fig8.py"


use rule fig4 as combinations_figure with:
    input:
        plan=plan("figures/combinations"),
        contours="results/contours.csv",
    output:
        **drawn("combinations"),
    log:
        "logs/combinations_figure.log",


use rule fig4 as other_fluxes_figure with:
    input:
        plan=plan("figures/other-fluxes"),
        contours="results/contours.csv",
    output:
        **drawn("other-fluxes"),
    log:
        "logs/other_fluxes_figure.log",
