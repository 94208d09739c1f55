"""Fig. 3: limits against luminosity."""

import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator, NullFormatter

from cevns_tmm import plotting, storage
from cevns_tmm.statistics import percent
from pipeline.job import run

UNITS = {"luminosity": "1", "limit": "mu_B"}
SHOWN = 1e-10  # unit of the axis in mu_B


def axes_of_scan(ax, luminosity):
    """Axes of a scan."""
    ax.set(yscale="log", xlim=(luminosity[0], luminosity[-1]), xlabel="$F$′/$F$")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())


def main(job):
    plotting.use_style(job.parameters["style"])
    params = job.parameters
    label = rf"$|\Lambda_i|$ at {percent(params['confidence_level'])} [$10^{{-10}}\,\mu_B$]"
    paths = job.by_name("luminosity")

    def scans(kind, beam):
        for name, block in params["experiments"].items():
            if block["kind"] == kind:
                yield block, storage.read(paths[name], f"current/{params['reading']}/{beam}", UNITS)

    fig = plt.figure(figsize=(plotting.WIDTH, 5.2))
    upper, lower = fig.subfigures(2, 1)
    axes = upper.subplots(1, 2, sharey=True)
    entries = {}
    for ax, beam in zip(axes, ("prompt", "delayed"), strict=True):
        for block, data in scans("pion-decay-at-rest", beam):
            for curve, style in zip(data["limit"], plotting.LINE_STYLES, strict=False):
                ax.plot(data["luminosity"], curve / SHOWN, style, color=block["colour"])
            entries[block["label"]] = block["colour"]
            axes_of_scan(ax, data["luminosity"])
        ax.set(title=beam)
        if not ax.lines:
            plotting.empty(ax, "no such experiment in this study")
    axes[0].set(ylabel=label)
    plotting.legend(upper, entries.items(), [plotting.modulus(i) for i in plotting.PARAMETERS])

    axes = lower.subplots(1, 3, sharey=True)
    entries = {}
    for n, (ax, i) in enumerate(zip(axes, plotting.PARAMETERS, strict=True)):
        for block, data in scans("reactor", "reactor"):
            ax.plot(data["luminosity"], data["limit"][n] / SHOWN, color=block["colour"])
            entries[block["label"]] = block["colour"]
            axes_of_scan(ax, data["luminosity"])
        ax.set(title=plotting.modulus(i))
        if not ax.lines:
            plotting.empty(ax, "no such experiment in this study")
    axes[0].set(ylabel=label)
    plotting.legend(lower, entries.items())
    plotting.save(fig, *job.output)


run(snakemake, main)
