"""Sensitivity of the limits to the inputs: a tornado per experiment."""

import math

import matplotlib.pyplot as plt
from matplotlib.patches import Patch

from cevns_tmm import plotting
from cevns_tmm.storage import read_csv
from pipeline.job import run

SHOWN = {"pion-decay-at-rest": "full", "reactor": "reactor", "table": "full"}


def main(job):
    plotting.use_style(job.parameters["style"])
    titles, experiments = job.parameters["budget"], job.parameters["experiments"]
    rows = read_csv(job.input.budget)
    columns = 3
    lines = math.ceil(len(experiments) / columns)
    fig, axes = plt.subplots(
        lines, columns, figsize=(1.25 * plotting.WIDTH, 2.1 * lines + 0.4), sharey=True, squeeze=False
    )
    for ax in axes.flat[len(experiments) :]:
        ax.set_visible(False)
    for ax, (name, block) in zip(axes.flat, experiments.items(), strict=False):
        beam = SHOWN[block["kind"]]
        bars = {
            row["input"]: (float(row["down [%]"] or "nan"), float(row["up [%]"] or "nan"))
            for row in rows
            if (row["experiment"], row["setup"]) == (name, "current")
            and (row["beam"], row["parameter"]) == (beam, "Lambda1")
        }
        for y, key in enumerate(titles):
            down, up = bars[key]
            ax.barh(y, up, 0.38, color=block["colour"])
            ax.barh(y, down, 0.38, fill=False, edgecolor=block["colour"])
        ax.axvline(0, color="0.3", linewidth=0.7)
        ax.set(title=f"{block['label']}, {beam}")
        ax.set_yticks(range(len(titles)), titles.values())
        ax.minorticks_off()
        ax.margins(x=0.1)
    axes[0, 0].invert_yaxis()
    for ax in axes[-1]:
        ax.set_xlabel(r"change of $|\Lambda_1|$ [%]")
    handles = [Patch(color="0.5", label="up"), Patch(fill=False, edgecolor="0.5", label="down")]
    fig.legend(handles=handles, loc="outside upper center", ncols=2)
    plotting.save(fig, *job.output)


run(snakemake, main)
