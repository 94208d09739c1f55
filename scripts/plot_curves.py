"""Curves of one moment, SNS above and reactors below: profiles (Fig. 2) and limits against luminosity (Fig. 3)."""

from pathlib import Path

import numpy as np
from matplotlib.ticker import LogLocator

from cevns_tmm import plotting, storage
from cevns_tmm.statistics import percent
from pipeline.job import run

NONE = "This study has no experiment with neutrinos like those of the SNS or a reactor."
PROFILES = {"Lambda": "mu_B", "delta_chi2": "1", "level": "1", "limit": "mu_B"}
LIMITS = {"luminosity": "1", "limit": "mu_B"}
AROUND = 5  # the axes of Fig. 2 end this factor beyond the limits
SHOWN = 1e-10  # unit of the axis of Fig. 3 in mu_B


def profiles(row, level, read):
    """A row of panels of Fig. 2."""
    limits, ends = [], []
    for ax, beam, curves in row:
        for name, i, style in curves:
            data = read(name, beam, PROFILES)
            ax.plot(data["Lambda"], data["delta_chi2"][i], **style)
            limits.append(data["limit"][i])
            ends += [data["Lambda"][0], data["Lambda"][-1]]
        ax.axhline(data["level"], color="0.5", linewidth=0.7, zorder=0)
        ax.set(xscale="log", xlabel=r"$|\Lambda_i|$ [$\mu_B$]", ylim=(0, max(10, 1.25 * data["level"])))
    within = [limit for limit in limits if min(ends) < limit < max(ends)] or ends
    low, high = np.clip([min(within) / AROUND, max(within) * AROUND], min(ends), max(ends))
    ax.set_xlim(low, high)  # the row shares it, and what it labels
    ax.xaxis.set_minor_formatter("")
    first, *_ = row[0]
    first.set(ylabel=r"$\Delta\chi^2$")
    place = {"xycoords": ("axes fraction", "data"), "va": "bottom", "size": "small"}
    first.annotate(level, (0.02, data["level"]), **place)


def luminosity(row, level, read):
    """A row of panels of Fig. 3."""
    for ax, beam, curves in row:
        for name, i, style in curves:
            data = read(name, beam, LIMITS)
            ax.plot(data["luminosity"], data["limit"][i] / SHOWN, **style)
        ax.set(yscale="log", xlim=data["luminosity"][[0, -1]], xlabel="$F$′/$F$")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter("")
    row[0][0].set(ylabel=rf"$|\Lambda_i|$ at {level} [$10^{{-10}}\,\mu_B$]")


DRAW = {"profiles": profiles, "luminosity": luminosity}


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    files = {Path(path).name: path for path in job.output}
    experiments, level = params["experiments"], percent(params["confidence_level"])
    empty = not any(kind in plotting.ROWS for block in experiments.values() for kind in block["kinds"])
    for name, (shown, title) in params["figures"].items():
        pages = files[f"{name}.pdf"], files[f"{name}.png"]
        if empty:
            plotting.empty_page(NONE, title, *pages)
            continue
        paths = job.by_name(shown)

        def read(name, beam, units, paths=paths):
            return storage.read(paths[name], f"current/{params['reading']}/{beam}", units)

        fig, rows = plotting.frame(experiments, params["note"])
        for row in rows:
            DRAW[shown](row, level, read)
        plotting.save(fig, title, *pages)


run(snakemake, main)
