"""Figs. 4, 5 and 6: allowed regions in the planes of two moments."""

import matplotlib.pyplot as plt

from cevns_tmm import io, plotting
from scripts.job import run

UNITS = {"Lambda": "mu_B", "level": "1"} | {f"delta_chi2_{p}": "1" for p in plotting.PLANES}


def main(snakemake):
    plt.style.use(snakemake.input.style)
    experiments, rows = snakemake.params.experiments, snakemake.params.rows
    fig, grid = plt.subplots(len(rows), 3, figsize=(plotting.WIDTH, 2.05 * len(rows) + 0.3))
    for axes, (group, setup, beam) in zip(grid, rows, strict=True):
        for (_, block), path in zip(experiments.items(), snakemake.input.planes, strict=True):
            if setup not in block["setups"]:
                continue
            data = io.read(path, group, UNITS)
            for ax, plane in zip(axes, plotting.PLANES, strict=True):
                values = data[f"delta_chi2_{plane}"]
                plotting.contour(ax, data["Lambda"], values, data["level"], block["colour"])
            plotting.row_of_planes(axes, (data["Lambda"][0], data["Lambda"][-1]))
        title = f"{setup} setup" if beam == "reactor" else f"{beam}, {setup} setup"
        axes[1].set_title(title)
    entries = [(block["label"], block["colour"]) for block in experiments.values()]
    plotting.legend(fig, entries)
    plotting.save(fig, *snakemake.output)


if __name__ == "__main__":
    run(snakemake, main)
