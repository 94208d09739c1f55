"""Fig. 8: solar limit in the planes of two moments."""

import matplotlib.pyplot as plt

from cevns_tmm import io, plotting
from scripts.job import run
from scripts.text import percent

UNITS = {"Lambda": "mu_B", "mu_nu_limit": "mu_B"} | {
    f"mu_nu_{plane}": "mu_B" for plane in plotting.PLANES
}
COLOURS = ("#1a1a1a", "#CC6677", "#44AA99")


def main(snakemake):
    plotting.use_style(snakemake.input.style)
    names = snakemake.params.names
    fig, axes = plt.subplots(1, 3, figsize=(plotting.WIDTH, 2.3))
    for _name, colour, path in zip(
        names, COLOURS * len(names), snakemake.input.solar, strict=False
    ):
        data = io.read(path, f"current/{snakemake.params.reading}/solar", UNITS)
        for ax, plane in zip(axes, plotting.PLANES, strict=True):
            values = data[f"mu_nu_{plane}"]
            plotting.contour(ax, data["Lambda"], values, data["mu_nu_limit"], colour)
        plotting.row_of_planes(axes, (data["Lambda"][0], data["Lambda"][-1]))
    level = percent(snakemake.params.confidence_level)
    entries = list(zip((f"{name}, {level}" for name in names), COLOURS * len(names), strict=False))
    plotting.legend(fig, entries)
    plotting.save(fig, *snakemake.output)


if __name__ == "__main__":
    run(snakemake, main)
