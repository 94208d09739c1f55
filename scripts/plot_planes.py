"""Figs. 4, 5 and 6, and that of combinations: allowed regions in the planes of two moments."""

from cevns_tmm import plotting
from cevns_tmm.statistics import percent
from pipeline.job import run

FREE = "dashed, if no member has bins or is solar: third moment and all phases free"
WHERE = {"reactor": "reactors", "combined": "combined", "full": "other fluxes"}


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    experiments, rows = params["experiments"], params["rows"]
    if not rows:
        reason = f"{params['title']}: this study has no such experiment."
        return plotting.empty_page(reason, params["title"], *job.output)
    styles, columns = plotting.lines(experiments), ("experiment", "setup", "beam")
    found, free = plotting.read_contours(job.input.contours, params["figure"], *columns), {}
    if params["figure"] == "combined":
        styles = {name: style | {"linestyle": "-"} for name, style in styles.items()}
        free = plotting.read_contours(job.input.contours, "profiled", *columns)
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
    note = "\n".join(filter(None, [FREE * bool(free), params["note"]]))
    plotting.legend(fig, entries, note)
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
