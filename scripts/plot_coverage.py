"""Coverage of intervals and upper limits against the true events, current setups."""

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from cevns_tmm import plotting
from cevns_tmm.statistics import percent
from cevns_tmm.storage import read_csv
from pipeline.job import run

COLOURS = "#332288", "#88CCEE", "#DDAA33", "#CC3311"
"""Colours of the truths, in the order of ``toys.truths``."""

KINDS = {"interval": "-", "upper": "--"}
FORMS = {"data": "data", "excess": r"$\chi^2$: excess ± $\sigma$", "total": r"$\chi^2$: rate ± $\sigma$"}
COLUMNS = 3
SCALE = 0.05
"""Share of toys outside below which the scale of the coverage is linear; above it is logarithmic."""


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    level, found = params["confidence_level"], {}
    for row in read_csv(job.input.coverage):
        if (row["reading"], row["setup"]) == (params["reading"], "current"):
            key = row["experiment"], row["nuisance_on"], row["truth"]
            points = [float(row[name]) for name in ("n_em", *(f"coverage_{kind}" for kind in KINDS))]
            found.setdefault(key, []).append(points)

    panels = [(block, form) for form in FORMS for block in params["shown"] if form in block["forms"]]
    if not panels:
        reason = "No experiment of this study is of one number of events, of which toys are."
        return plotting.empty_page(reason, params["title"], *job.output)
    rows = math.ceil((len(panels) + 1) / COLUMNS)
    fig, axes = plt.subplots(rows, COLUMNS, figsize=(plotting.WIDTH, 2 * rows), sharey=True, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax, (block, form) in zip(axes.flat, panels, strict=False):
        for truth, colour in zip(block["truths"], COLOURS, strict=False):
            n_em, *shares = np.transpose(found[block["experiment"], form, truth])
            for share, dashes in zip(shares, KINDS.values(), strict=True):
                ax.plot(n_em, share, color=colour, linestyle=dashes)
        ax.axhline(level, color="0.5", linewidth=0.7, zorder=0)
        ax.set(title=f"{block['label']}, {FORMS[form]}", xlim=(0, max(n_em[-1], 1)))
        ax.set_yscale(
            "function", functions=(lambda y: -np.arcsinh((1 - y) / SCALE), lambda v: 1 + SCALE * np.sinh(v))
        )
        ax.set_yticks([0.2, 0.5, 0.8, 0.9, 0.95, 1])
        ax.yaxis.minorticks_off()
    low = min(np.min(line.get_ydata()) for ax in axes.flat for line in ax.lines)
    axes[0, 0].set_ylim(min(low, 0.8) - 0.05, 1.002)
    fig.supxlabel("true magnetic-moment events, current setups", size="medium")
    fig.supylabel("coverage", size="medium")

    truths = [
        "truth: exact",
        r"truth: excess ± $\sigma$",
        f"truth: rate ± {100 * params['error_on_total']:g} %",
    ]
    truths += [r"truth: rate ± $\sigma$"]
    styles = [dict(color=colour) for colour in COLOURS]
    styles += [dict(color="0.3", linestyle=dashes) for dashes in KINDS.values()]
    names = [*truths, f"interval, {percent(level)}", "its upper limit"]
    place = dict(loc="center", borderaxespad=0, title=params["note"])
    axes.flat[-1].legend([Line2D([], [], **style) for style in styles], names, **place)
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
