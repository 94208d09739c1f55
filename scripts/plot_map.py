"""Expected limit on an effective moment against threshold and exposure."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import LogNorm
from matplotlib.ticker import LogFormatterSciNotation, LogLocator

from cevns_tmm import plotting
from cevns_tmm.statistics import percent
from cevns_tmm.storage import read_map
from pipeline.job import run

POWERS = LogFormatterSciNotation(minor_thresholds=(np.inf, np.inf))


def side(value, ends, sides):
    """The side of a point at which its label has more room, on a logarithmic axis."""
    return sides[int(value**2 > ends[0] * ends[-1])]


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    thresholds, exposures, found = read_map(job.input.map)
    flavour = "e" if "mu_nu_e" in found else "mu"
    limits = np.ma.masked_invalid(found[f"mu_nu_{flavour}"].T)
    if not limits.count():
        return plotting.empty_page(f"{params['title']}: no limit is finite.", params["title"], *job.output)
    fig, ax = plt.subplots(figsize=(0.62 * plotting.WIDTH, plotting.WIDTH / 2))
    decades = np.log10(limits.max() / limits.min())
    subs = (1, 2, 3, 5, 7) if decades < 1.5 else (1, 2, 5) if decades < 3 else (1,)
    ticks = LogLocator(subs=subs, numticks=99).tick_values(limits.min(), limits.max())
    first, last = np.searchsorted(ticks, [limits.min(), limits.max()], "right")
    look = {"levels": ticks[first - 1 : last + 1], "norm": LogNorm()}
    shades = ax.contourf(thresholds, exposures, limits, cmap="Blues_r", **look)
    ax.contour(thresholds, exposures, limits, colors="0.3", linewidths=0.5, **look)
    symbol = {"e": "e", "mu": r"\mu"}[flavour]
    label = rf"limit on $\mu_{{\nu_{symbol}}}$ at {percent(params['confidence_level'])} [$\mu_B$]"
    fig.colorbar(shades, ax=ax, ticks=look["levels"], format=POWERS, label=label).ax.minorticks_off()
    points = {}
    for name, *point in params["marked"]:
        points.setdefault(tuple(point), []).append(name)
    for (x, y), names in points.items():
        if thresholds[0] <= x <= thresholds[-1] and exposures[0] <= y <= exposures[-1]:
            ax.plot(x, y, "o", color="C3", clip_on=False)
            place = side(x, thresholds, ("left", "right")), side(y, exposures, ("bottom", "top"))
            shift = {"left": 4, "right": -4, "bottom": 3, "top": -3}
            offset = {"xytext": [shift[where] for where in place], "textcoords": "offset points"}
            box = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7}
            ax.annotate("\n".join(names), (x, y), ha=place[0], va=place[1], bbox=box, **offset)
    ax.set(xscale="log", yscale="log", ylabel="exposure [kg d]")
    ax.set_title(params["heading"], size="small")
    ax.set(xlabel=f"threshold [keV of {params['scale']}]")
    for axis, ends in ((ax.xaxis, thresholds), (ax.yaxis, exposures)):
        is_short = ends[-1] < 100 * ends[0]
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if is_short else (1,)))
        axis.set_major_formatter("{x:g}" if is_short else POWERS)
        axis.set_minor_formatter("")
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
