"""Fig. 2: one-dimensional profiles, current setup."""

import matplotlib.pyplot as plt

from cevns_tmm import io, plotting
from scripts.job import run
from scripts.text import percent

UNITS = {"Lambda": "mu_B", "delta_chi2": "1", "level": "1"}


def profile_axes(ax, level, text, limits):
    """Axes of a profile, with the line of the limit."""
    ax.set(xscale="log", xlim=limits, ylim=(0, 10))
    ax.axhline(level, color="0.5", linewidth=0.7, zorder=0)
    at = {"xycoords": ("axes fraction", "data"), "va": "bottom", "ha": "right"}
    ax.annotate(text, (0.98, level), size=7, **at)


def main(snakemake):
    plt.style.use(snakemake.input.style)
    params = snakemake.params
    text = percent(params.confidence_level)
    paths = dict(zip(params.experiments, snakemake.input.profiles, strict=True))

    def profiles(kind, beam):
        for name, block in params.experiments.items():
            if block["kind"] == kind:
                yield block, io.read(paths[name], f"current/{params.reading}/{beam}", UNITS)

    fig = plt.figure(figsize=(plotting.WIDTH, 5.0))
    upper, lower = fig.subfigures(2, 1)
    axes = upper.subplots(1, 2, sharey=True)
    entries = {}
    for ax, beam in zip(axes, ("prompt", "delayed"), strict=True):
        for block, data in profiles("pion-decay-at-rest", beam):
            x, y, colour = data["Lambda"], data["delta_chi2"], block["colour"]
            ax.fill_between(x, y.min(axis=0), y.max(axis=0), color=colour, alpha=0.2, linewidth=0)
            for curve, style in zip(y, plotting.LINE_STYLES, strict=True):
                ax.plot(x, curve, style, color=colour)
            entries[block["label"]] = colour
        profile_axes(ax, data["level"], text, (5e-10, 3e-8))
        ax.set(title=beam, xlabel=r"$|\Lambda_i|$ [$\mu_B$]")
    axes[0].set(ylabel=r"$\Delta\chi^2$")
    plotting.legend(upper, entries.items(), [plotting.modulus(i) for i in plotting.PARAMETERS])

    axes = lower.subplots(1, 3, sharey=True)
    entries = {}
    for n, (ax, i) in enumerate(zip(axes, plotting.PARAMETERS, strict=True)):
        for block, data in profiles("reactor", "reactor"):
            ax.plot(data["Lambda"], data["delta_chi2"][n], color=block["colour"])
            entries[block["label"]] = block["colour"]
        profile_axes(ax, data["level"], text, (1e-11, 1e-9))
        ax.set(xlabel=plotting.modulus_axis(i))
    axes[0].set(ylabel=r"$\Delta\chi^2$")
    plotting.legend(lower, entries.items())
    plotting.save(fig, *snakemake.output)


if __name__ == "__main__":
    run(snakemake, main)
