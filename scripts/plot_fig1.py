"""Fig. 1: quenching factors."""

import matplotlib.pyplot as plt

from cevns_tmm import io, plotting
from cevns_tmm.nuclei import isotope
from scripts.job import run


def main(snakemake):
    plotting.use_style(snakemake.input.style)
    data = io.read(snakemake.input.quenching, "quenching", {"isotope": "1", "T": "keV", "Q": "1"})
    fig, ax = plt.subplots(figsize=(0.62 * plotting.WIDTH, 2.9))
    colours = plt.colormaps["viridis"]
    for n, (name, Q) in enumerate(zip(data["isotope"], data["Q"], strict=True)):
        nuclide = isotope(name)
        label = rf"$^{{{nuclide.A}}}${nuclide.symbol}"
        style = plotting.LINE_STYLES[n % 3]
        colour = colours(0.9 * n / max(len(data["isotope"]) - 1, 1))
        ax.plot(data["T"], Q, style, color=colour, label=label)
    ax.set(xlim=(0, data["T"][-1]), ylim=(0, 0.7), xlabel=r"$T_A$ [keV]", ylabel=r"$Q(T_A)$")
    ax.legend(ncols=2, loc="lower right")
    plotting.save(fig, *snakemake.output)


if __name__ == "__main__":
    run(snakemake, main)
