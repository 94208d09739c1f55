"""Figs. 4, 5 and 6: allowed regions in the planes of two moments."""

import itertools

import matplotlib.pyplot as plt

from cevns_tmm import plotting, storage
from cevns_tmm.statistics import percent
from pipeline.job import run

UNITS = {"Lambda": "mu_B", "level": "1"} | {f"delta_chi2_{p}": "1" for p in plotting.PLANES}


def main(job):
    plotting.use_style(job.parameters["style"])
    params = job.parameters
    experiments, rows, paths = params["experiments"], params["rows"], job.by_name("planes")
    present = {setup for block in experiments.values() for setup in block["setups"]}
    if not present & {setup for _, setup, _ in rows}:
        reason = "This study has no such experiment, or not in this setup."
        return plotting.empty_page(reason, *job.output)
    # contours that nearly coincide stay visible by their line styles
    styles = dict(zip(experiments, itertools.cycle(plotting.LINE_STYLES), strict=False))
    level = percent(params["confidence_level"])
    fig, grid = plt.subplots(len(rows), 3, figsize=(plotting.WIDTH, 2.05 * len(rows) + 0.3))
    for axes, (group, setup, beam) in zip(grid, rows, strict=True):
        if setup not in present:
            for ax in axes:
                plotting.empty(ax, f"no {setup} setup")
            continue
        plotting.row_of_planes(axes, params["range_muB"])
        axes[1].set_title(f"{'reactors' if beam == 'reactor' else beam}, {setup} setup, {level}")
        for name, block in experiments.items():
            if setup not in block["setups"]:
                continue
            data = storage.read(paths[name], group, UNITS)
            for ax, plane in zip(axes, plotting.PLANES, strict=True):
                values = data[f"delta_chi2_{plane}"]
                options = block["colour"], styles[name]
                plotting.contour(ax, data["Lambda"], values, data["level"], *options)
    entries = [(block["label"], block["colour"], styles[e]) for e, block in experiments.items()]
    plotting.legend(fig, entries)
    plotting.save(fig, *job.output)


run(snakemake, main)
