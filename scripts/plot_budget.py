"""Sensitivity of the limits to the inputs: a tornado per experiment."""

import math
import re

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Patch

from cevns_tmm import plotting
from cevns_tmm.storage import read_csv
from pipeline.job import run

WAYS = "down", "up"


def typeset(title):
    """A title with its Greek symbols, and their indices, set as such."""
    title = re.sub(r"([α-ω])_?(\d+|[a-z]+)", r"$\1_{\\mathrm{\2}}$", title)
    return re.sub(r"(?<!\$)([α-ω])", r"$\1$", title)


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    titles, experiments = params["budget"], params["experiments"]
    bars = {
        (row["experiment"], row["beam"], row["input"]): [float(row[f"{to} [%]"] or "nan") for to in WAYS]
        for row in read_csv(job.input.budget)
        if (row["setup"], row["parameter"]) == ("current", "Lambda1")
    }
    columns = min(3, len(experiments))
    lines = math.ceil(len(experiments) / columns)
    size = plotting.WIDTH, (0.17 * len(titles) + 0.35) * lines + 0.3
    fig, axes = plt.subplots(lines, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat[len(experiments) :]:
        ax.set_visible(False)
    for ax, (name, block) in zip(axes.flat, experiments.items(), strict=False):
        down, up = zip(*(bars[name, block["beam"], key] for key in titles), strict=True)
        y = np.arange(len(titles))
        ax.barh(y - 0.2, up, 0.36, color=block["colour"])
        ax.barh(y + 0.2, down, 0.36, fill=False, edgecolor=block["colour"])
        ax.axvline(0, color="0.3", linewidth=0.7)
        ax.set(title=f"{block['label']}, {block['beam']}")
        ax.set_yticks(y, map(typeset, titles.values()))
        ax.yaxis.minorticks_off()
    axes[0, 0].invert_yaxis()
    for ax in axes.flat[max(0, len(experiments) - columns) : len(experiments)]:  # the lowest of each column
        ax.set(xlabel=r"change of $|\Lambda_1|$ [%]")
        ax.tick_params(labelbottom=True)
    entries = [(Patch(color="0.5"), "up"), (Patch(fill=False, edgecolor="0.5"), "down")]
    plotting.legend(fig, entries)
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
