"""Figures of planes of two moments: Figs. 4 to 8, and those of combinations and of other fluxes."""

from itertools import cycle
from pathlib import Path

from cevns_tmm import plotting
from cevns_tmm.statistics import percent
from pipeline.job import run

FREE = "dashed: third moment and all phases free (not of those with bins or solar neutrinos)"
WHERE = {"reactor": "reactors", "combined": "combined", "full": "other fluxes"}
PHASE = {"12": 3, "13": 2, "23": 1}  # index of the xi that the plane's pair has


def regions(params, path):
    """Figs. 4, 5 and 6, and those of combinations and other fluxes: allowed regions, a row for each setup and beam."""
    experiments, rows = params["experiments"], params["rows"]
    if not rows:
        return f"{params['title']}: this study has no such experiment."
    styles, columns = plotting.lines(experiments), ("experiment", "setup", "beam")
    found, free = plotting.read_contours(path, params["figure"], *columns), {}
    if params["figure"] == "combined":
        styles = {name: style | {"linestyle": "-"} for name, style in styles.items()}
        free = plotting.read_contours(path, "profiled", *columns)
        free = {key: planes for key, planes in free.items() if key in found}
    lines = [*found.values(), *free.values()]
    fig, grid = plotting.planes([plotting.widened(params["range_muB"], lines)] * len(rows))
    for axes, (setup, beam) in zip(grid, rows, strict=True):
        shown = [(found.get((name, setup, beam), {}), styles[name], True) for name in experiments]
        for name in experiments:
            shown.append((free.get((name, setup, beam), {}), styles[name] | {"linestyle": "--"}, False))
        plotting.contours(axes, shown)
        where = WHERE.get(beam, f"SNS, {beam}")
        axes[1].set_title(f"{where}, {setup} setup, {percent(params['confidence_level'])}")
    entries = []
    for name, block in experiments.items():
        if any(setup in block["setups"] for setup, _ in rows):
            lacks = "" if any((name, *row) in found for row in rows) else ": no limit"
            entries.append((plotting.handle(styles[name]), block["label"] + lacks))
    plotting.legend(fig, entries, "\n".join(filter(None, [FREE * bool(free), params["note"]])))
    return fig


def of_pi(value):
    """A phase in units of pi as text."""
    return {0: "0", 1: r"\pi", -1: r"-\pi"}.get(value, rf"{value:g}\pi")


def phases(params, path):
    """Fig. 7: allowed regions for different phases, a row for each experiment."""
    experiments = params["experiments"]
    if not experiments:
        return "This study varies no phases."
    found = plotting.read_contours(path, 7, "experiment", "xi_over_pi", "delta_CP_over_pi")
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
    return fig


def solar(params, path):
    """Fig. 8: the limits of solar neutrinos."""
    blocks = params["solar"]
    if not blocks:
        return "This study has no solar limit."
    styles, found = plotting.lines(blocks), plotting.read_contours(path, 8, "experiment")
    fig, grid = plotting.planes([plotting.widened(params["range_muB"], found.values())])
    plotting.contours(grid[0], [(found[name,], style, True) for name, style in styles.items()])
    entries = [
        (plotting.handle(styles[name]), f"{name}, {percent(block['confidence_level'])}")
        for name, block in blocks.items()
    ]
    plotting.legend(fig, entries, params["note"])
    return fig


def main(job):
    plotting.use_style(job.parameters["style"])
    files = {Path(path).name: path for path in job.output}
    for name, params in job.parameters["figures"].items():
        draw = {7: phases, 8: solar}.get(params["figure"], regions)
        fig = draw(params, job.input.contours)
        save = plotting.empty_page if isinstance(fig, str) else plotting.save
        save(fig, params["title"], files[f"{name}.pdf"], files[f"{name}.png"])


run(snakemake, main)
