"""Fig. 8: solar limit in the planes of two moments."""

import matplotlib.pyplot as plt

from cevns_tmm import plotting, storage
from cevns_tmm.statistics import percent
from pipeline.job import run

UNITS = {"Lambda": "mu_B", "mu_nu_limit": "mu_B"} | {f"mu_nu_{plane}": "mu_B" for plane in plotting.PLANES}
COLOURS = ("#1a1a1a", "#CC6677", "#44AA99")


def main(job):
    plotting.use_style(job.parameters["style"])
    levels, paths = job.parameters["levels"], job.by_name("solar")
    names = list(levels)
    if not names:
        return plotting.empty_page("This study has no solar limit.", *job.output)
    fig, axes = plt.subplots(1, 3, figsize=(plotting.WIDTH, 2.3))
    for name, colour in zip(names, COLOURS * len(names), strict=False):
        data = storage.read(paths[name], f"current/{job.parameters['reading']}/solar", UNITS)
        for ax, plane in zip(axes, plotting.PLANES, strict=True):
            values = data[f"mu_nu_{plane}"]
            plotting.contour(ax, data["Lambda"], values, data["mu_nu_limit"], colour)
        plotting.row_of_planes(axes, (data["Lambda"][0], data["Lambda"][-1]))
    labels = (f"{name}, {percent(level)}" for name, level in levels.items())
    entries = list(zip(labels, COLOURS * len(names), strict=False))
    plotting.legend(fig, entries)
    plotting.save(fig, *job.output)


run(snakemake, main)
