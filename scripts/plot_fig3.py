"""Fig. 3: limits against luminosity."""

from matplotlib.ticker import LogLocator

from cevns_tmm import plotting, storage
from cevns_tmm.statistics import percent
from pipeline.job import run

UNITS = {"luminosity": "1", "limit": "mu_B"}
SHOWN = 1e-10  # unit of the axis in mu_B


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    paths = job.by_name("luminosity")
    if not any(kind in plotting.ROWS for block in params["experiments"].values() for kind in block["kinds"]):
        reason = "This study has no experiment with neutrinos like those of the SNS or a reactor."
        return plotting.empty_page(reason, params["title"], *job.output)
    fig, rows = plotting.frame(params["experiments"], params["note"])
    for row in rows:
        for ax, beam, curves in row:
            for name, i, style in curves:
                data = storage.read(paths[name], f"current/{params['reading']}/{beam}", UNITS)
                ax.plot(data["luminosity"], data["limit"][i] / SHOWN, **style)
            ax.set(yscale="log", xlim=data["luminosity"][[0, -1]], xlabel="$F$′/$F$")
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.yaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_minor_formatter("")
        level = percent(params["confidence_level"])
        row[0][0].set(ylabel=rf"$|\Lambda_i|$ at {level} [$10^{{-10}}\,\mu_B$]")
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
