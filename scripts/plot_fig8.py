"""Fig. 8: solar limit in the planes of two moments."""

from cevns_tmm import plotting
from cevns_tmm.statistics import percent
from pipeline.job import run


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    solar = params["solar"]
    if not solar:
        return plotting.empty_page("This study has no solar limit.", params["title"], *job.output)
    styles = plotting.lines(solar)
    found = plotting.read_contours(job.input.contours, 8, "experiment")
    fig, grid = plotting.planes([plotting.widened(params["range_muB"], found.values())])
    plotting.contours(grid[0], [(found[name,], style, True) for name, style in styles.items()])
    entries = [
        (plotting.handle(styles[name]), f"{name}, {percent(block['confidence_level'])}")
        for name, block in solar.items()
    ]
    plotting.legend(fig, entries, params["note"])
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
