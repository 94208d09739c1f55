"""Fig. 1: quenching factors."""

import matplotlib.pyplot as plt

from cevns_tmm import plotting, storage
from cevns_tmm.nuclei import isotope
from pipeline.job import run


def main(job):
    plotting.use_style(job.parameters["style"])
    data = storage.read(job.input.quenching, "quenching", {"isotope": "1", "T": "keV", "Q": "1"})
    fig, ax = plt.subplots(figsize=(0.62 * plotting.WIDTH, 2.9))
    for n, (name, Q) in enumerate(zip(data["isotope"], data["Q"], strict=True)):
        nuclide = isotope(name)
        label = rf"$^{{{nuclide.A}}}${nuclide.symbol}"
        style = plotting.LINE_STYLES[n % len(plotting.LINE_STYLES)]
        ax.plot(data["T"], Q, linestyle=style, label=label)
    ax.set(xlim=(0, data["T"][-1]), ylim=(0, None), xlabel=r"$T_A$ [keV]", ylabel=r"$Q(T_A)$")
    ax.legend(ncols=2, loc="lower right")
    plotting.save(fig, job.parameters["title"], *job.output)


run(snakemake, main)
