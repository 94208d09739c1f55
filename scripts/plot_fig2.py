"""Fig. 2: one-dimensional profiles, current setup."""

import numpy as np

from cevns_tmm import plotting, storage
from cevns_tmm.statistics import percent
from pipeline.job import run

UNITS = {"Lambda": "mu_B", "delta_chi2": "1", "level": "1", "limit": "mu_B"}
AROUND = 5  # the axes end this factor beyond the limits


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    paths = job.by_name("profiles")
    if not any(kind in plotting.ROWS for block in params["experiments"].values() for kind in block["kinds"]):
        reason = "This study has no experiment with neutrinos like those of the SNS or a reactor."
        return plotting.empty_page(reason, params["title"], *job.output)
    fig, rows = plotting.frame(params["experiments"], params["note"])
    for row in rows:
        limits, ends = [], []
        for ax, beam, curves in row:
            for name, i, style in curves:
                data = storage.read(paths[name], f"current/{params['reading']}/{beam}", UNITS)
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
        first.annotate(percent(params["confidence_level"]), (0.02, data["level"]), **place)
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
