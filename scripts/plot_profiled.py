"""Planes of Figs. 4 and 6 with the third moment and all phases free, beside the paper's."""

import math

from matplotlib.lines import Line2D

from cevns_tmm import plotting
from cevns_tmm.statistics import percent
from pipeline.job import run

WORDS = "lines: third moment and all phases free; shaded: third moment and phases 0"
COLUMNS = "experiment", "setup", "beam"


def main(job):
    params, path = job.parameters, job.input.contours
    plotting.use_style(params["style"])
    drawn = []
    for row in params["rows"]:
        keys = {name: (name, "current", row["beam"]) for name in row["experiments"]}
        paper, profiled = (
            {name: found[key] for name, key in keys.items() if key in found}
            for found in (plotting.read_contours(path, n, *COLUMNS) for n in (row["figure"], "profiled"))
        )
        if paper:
            low, high = plotting.widened((math.inf, 0), [*paper.values(), *profiled.values()])
            drawn.append((row, paper, profiled, (low / 2, high)))
    if not drawn:
        return plotting.empty_page("This study has no such planes.", params["title"], *job.output)
    words = "\n".join(filter(None, [WORDS, params["note"]]))
    fig, grid = plotting.planes([ends for *_, ends in drawn])
    fig.set_figheight(fig.get_figheight() + 0.4)  # the second row has a title below the labels of the first
    fig.get_layout_engine().set(h_pad=0.1)
    for axes, (row, paper, profiled, _), place in zip(grid, drawn, ("upper", "lower"), strict=False):
        styles = plotting.lines(row["experiments"])
        shown = [(paper[name], styles[name] | {"linestyle": "none"}, True) for name in paper]
        plotting.contours(axes, shown + [(profiled[name], styles[name], False) for name in profiled])
        where = "reactors" if row["beam"] == "reactor" else f"SNS, {row['beam']} beam"
        axes[1].set_title(f"{where}, current setups, {percent(params['confidence_level'])}")
        entries = [
            (Line2D([], [], **styles[name]), block["label"]) for name, block in row["experiments"].items()
        ]
        plotting.legend(fig, entries, words if place == "upper" else None, f"outside {place} center")
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
