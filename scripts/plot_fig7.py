"""Fig. 7: allowed regions for different phases."""

from itertools import cycle

from cevns_tmm import plotting
from cevns_tmm.statistics import percent
from pipeline.job import run

PHASE = {"12": 3, "13": 2, "23": 1}  # index of the xi that the plane's pair has


def of_pi(value):
    """A phase in units of pi as text."""
    return {0: "0", 1: r"\pi", -1: r"-\pi"}.get(value, rf"{value:g}\pi")


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    experiments = params["experiments"]
    if not experiments:
        return plotting.empty_page("This study varies no phases.", params["title"], *job.output)
    columns = "experiment", "xi_over_pi", "delta_CP_over_pi"
    found = plotting.read_contours(job.input.contours, 7, *columns)
    of = {name: [planes for (e, *_), planes in found.items() if e == name] for name in experiments}
    ranges = [plotting.widened(block["axes_muB"], of[name]) for name, block in experiments.items()]
    fig, grid = plotting.planes(ranges)
    for axes, (name, block) in zip(grid, experiments.items(), strict=True):
        styles = ({"color": block["colour"], "linestyle": dashes} for dashes in cycle(plotting.LINE_STYLES))
        shown = [
            (found.get((name, str(xi), str(delta)), {}), style, n == 0)
            for n, ((xi, delta), style) in enumerate(zip(block["cases"], styles, strict=False))
        ]
        plotting.contours(axes, shown)
        handles = [plotting.handle(style, fill) for _, style, fill in shown]
        for ax, plane in zip(axes, plotting.PLANES, strict=True):
            labels = [
                rf"$\xi_{PHASE[plane]}={of_pi(xi)},\ \delta_\mathrm{{CP}}={of_pi(delta)}$"
                for xi, delta in block["cases"]
            ]
            place = {"loc": "upper left", "borderaxespad": 0.1, "labelspacing": 0.2, "fontsize": "small"}
            ax.legend(handles, labels, **place)
        words = [block["label"], *([block["beam"]] if block["beam"] != "reactor" else [])]
        words += [percent(params["confidence_level"]), *([] if any(c for c, *_ in shown) else ["no limit"])]
        axes[1].set_title(", ".join(words))
    fig.suptitle(params["note"], size="medium")
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
