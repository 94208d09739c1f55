"""Fig. 2: one-dimensional profiles, current setup."""

import matplotlib.pyplot as plt
import numpy as np

from cevns_tmm import plotting, storage
from cevns_tmm.statistics import percent
from pipeline.job import run

UNITS = {"Lambda": "mu_B", "delta_chi2": "1", "level": "1", "limit": "mu_B"}


def profile_axes(ax, data, limits, text, side):
    """Axes of a profile, with the line of the limit; wide enough to show every crossing."""
    crossings = np.concatenate([d["limit"] for _, d in data] or [[]])
    crossings = crossings[np.isfinite(crossings)]
    low = min([limits[0], *(0.7 * crossings)])
    ax.set(xscale="log", xlim=(low, max([limits[1], *(1.5 * crossings)])), ylim=(0, 10))
    if not data:
        plotting.empty(ax, "no such experiment in this study")
    else:
        level = data[0][1]["level"]
        ax.axhline(level, color="0.5", linewidth=0.7, zorder=0)
        at = {"xycoords": ("axes fraction", "data"), "va": "bottom", "ha": side}
        ax.annotate(text, ({"left": 0.02, "right": 0.98}[side], level), size=7, **at)


def main(job):
    plotting.use_style(job.parameters["style"])
    params = job.parameters
    text = percent(params["confidence_level"])
    paths = job.by_name("profiles")

    def profiles(kind, beam):
        return [
            (block, storage.read(paths[name], f"current/{params['reading']}/{beam}", UNITS))
            for name, block in params["experiments"].items()
            if block["kind"] == kind
        ]

    def labels(kind):
        blocks = [block for block in params["experiments"].values() if block["kind"] == kind]
        return [(block["label"], block["colour"]) for block in blocks]

    fig = plt.figure(figsize=(plotting.WIDTH, 5.0))
    upper, lower = fig.subfigures(2, 1)
    axes = upper.subplots(1, 2, sharey=True)
    for ax, beam in zip(axes, ("prompt", "delayed"), strict=True):
        found = profiles("pion-decay-at-rest", beam)
        for block, data in found:
            x, y, colour = data["Lambda"], data["delta_chi2"], block["colour"]
            ax.fill_between(x, y.min(axis=0), y.max(axis=0), color=colour, alpha=0.2, linewidth=0)
            for curve, style in zip(y, plotting.LINE_STYLES, strict=False):
                ax.plot(x, curve, style, color=colour)
        profile_axes(ax, found, (5e-10, 3e-8), text, "right")
        ax.set(title=beam, xlabel=r"$|\Lambda_i|$ [$\mu_B$]")
    axes[0].set(ylabel=r"$\Delta\chi^2$")
    moduli = [plotting.modulus(i) for i in plotting.PARAMETERS]
    plotting.legend(upper, labels("pion-decay-at-rest"), moduli)

    axes = lower.subplots(1, 3, sharey=True)
    for n, (ax, i) in enumerate(zip(axes, plotting.PARAMETERS, strict=True)):
        found = profiles("reactor", "reactor")
        for block, data in found:
            ax.plot(data["Lambda"], data["delta_chi2"][n], color=block["colour"])
        profile_axes(ax, found, (1e-11, 1e-9), text, "left")
        ax.set(xlabel=plotting.modulus_axis(i))
    axes[0].set(ylabel=r"$\Delta\chi^2$")
    plotting.legend(lower, labels("reactor"))
    plotting.save(fig, *job.output)


run(snakemake, main)
