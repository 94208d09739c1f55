"""Fig. 7: allowed regions for different phases."""

import itertools

import matplotlib.pyplot as plt

from cevns_tmm import plotting, storage
from cevns_tmm.statistics import percent
from pipeline.job import run

UNITS = {"Lambda": "mu_B", "level": "1"} | {f"delta_chi2_{p}": "1" for p in plotting.PLANES}
RANGES = {"pion-decay-at-rest": (1e-9, 1e-7), "reactor": (1e-11, 1e-9)}
PHASE = {"12": 3, "13": 2, "23": 1}  # index of the xi that the plane's pair has


def of_pi(value):
    """A phase in units of pi as text."""
    if value in (0, 1):
        return "0" if value == 0 else r"\pi"
    return rf"{value:g}\pi"


def main(job):
    plotting.use_style(job.parameters["style"])
    experiments, contours = job.parameters["experiments"], job.parameters["contours"]
    text = percent(job.parameters["confidence_level"])
    if not experiments:
        return plotting.empty_page("This study varies no phases.", *job.output)
    fig = plt.figure(figsize=(plotting.WIDTH, 2.4 * len(experiments)))
    subfigures = fig.subfigures(len(experiments), 1, squeeze=False)[:, 0]
    paths = job.by_name("phases")
    for subfigure, (name, block) in zip(subfigures, experiments.items(), strict=True):
        axes = subfigure.subplots(1, 3)
        labels = []
        for (group, case), style in zip(
            contours[name].items(), itertools.cycle(plotting.LINE_STYLES), strict=False
        ):
            data = storage.read(paths[name], group, UNITS)
            for ax, plane in zip(axes, plotting.PLANES, strict=True):
                values, level = data[f"delta_chi2_{plane}"], data["level"]
                plotting.contour(ax, data["Lambda"], values, level, block["colour"], style, fill=not labels)
            phases = of_pi(case["xi_over_pi"]), of_pi(case["delta_CP_over_pi"])
            labels.append(rf"$\xi_k={phases[0]},\ \delta_{{CP}}={phases[1]}$")
        plotting.row_of_planes(axes, RANGES[block["kind"]])
        beam = group.split("/")[2]
        title = block["label"] if beam == "reactor" else f"{block['label']}, {beam}"
        for ax, plane in zip(axes, plotting.PLANES, strict=True):
            ax.set_title(rf"{title}, $\xi_k=\xi_{PHASE[plane]}$")
        plotting.legend(subfigure, styles=[*labels])
        axes[0].text(0.05, 0.9, text, transform=axes[0].transAxes, size=7)
    plotting.save(fig, *job.output)


run(snakemake, main)
