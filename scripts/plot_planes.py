"""Figs. 4, 5 and 6, and that of combinations: allowed regions in the planes of two moments."""

from cevns_tmm import plotting
from cevns_tmm.statistics import percent
from pipeline.job import run

WHERE = {"reactor": "reactors", "combined": "combined", "full": "other fluxes"}


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    experiments, rows = params["experiments"], params["rows"]
    if not rows:
        reason = f"{params['title']}: this study has no such experiment."
        return plotting.empty_page(reason, params["title"], *job.output)
    styles = plotting.lines(experiments)
    found = plotting.read_contours(job.input.contours, params["figure"], "experiment", "setup", "beam")
    fig, grid = plotting.planes([plotting.widened(params["range_muB"], found.values())] * len(rows))
    for axes, (setup, beam) in zip(grid, rows, strict=True):
        shown = [(found.get((name, setup, beam), {}), styles[name], True) for name in experiments]
        plotting.contours(axes, shown)
        where = WHERE.get(beam, f"SNS, {beam}")
        axes[1].set_title(f"{where}, {setup} setup, {percent(params['confidence_level'])}")
    entries = []
    for name, block in experiments.items():
        if any(setup in block["setups"] for setup, _ in rows):
            lacks = "" if any((name, *row) in found for row in rows) else ": no limit"
            entries.append((plotting.handle(styles[name]), block["label"] + lacks))
    plotting.legend(fig, entries, params["note"])
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
