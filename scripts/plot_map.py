"""Expected limit on an effective moment against threshold and exposure."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator

from cevns_tmm import plotting
from cevns_tmm.statistics import percent
from cevns_tmm.storage import read_map
from pipeline.job import run


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    thresholds, exposures, found = read_map(job.input.map)
    flavour = "e" if "mu_nu_e" in found else "mu"
    limits = np.ma.masked_invalid(found[f"mu_nu_{flavour}"].T)
    if not limits.count():
        return plotting.empty_page(f"{params['title']}: no limit is finite.", params["title"], *job.output)
    fig, ax = plt.subplots(figsize=(plotting.WIDTH / 2, plotting.WIDTH / 2))
    levels = LogLocator(subs=(1, 2, 5)).tick_values(limits.min(), limits.max())
    ax.clabel(ax.contour(thresholds, exposures, limits, levels, colors="C0"), fmt="{:.0e}".format)
    for label, x, y in params["marked"]:
        if thresholds[0] <= x <= thresholds[-1] and exposures[0] <= y <= exposures[-1]:
            ax.plot(x, y, "o", color="C3", clip_on=False)
            ax.annotate(label, (x, y), xytext=(3, 3), textcoords="offset points")
    ax.set(
        xscale="log", yscale="log", xlabel=f"threshold [keV of {params['scale']}]", ylabel="exposure [kg d]"
    )
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("")
    symbol = {"e": "e", "mu": r"\mu"}[flavour]
    ax.set_title(rf"limit on $\mu_{{\nu_{symbol}}}$ [$\mu_B$], {percent(params['confidence_level'])}")
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
