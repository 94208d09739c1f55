"""The lines that Figs. 4 to 8 and that of combinations draw, and profiled planes -> results/contours.csv."""

import math

from cevns_tmm.magnetic_moment import PLANES
from cevns_tmm.storage import write_csv
from pipeline.analyses import analysis, events
from pipeline.job import run

COLUMNS = [
    *("figure", "reading", "experiment", "setup", "beam", "plane", "xi_over_pi", "delta_CP_over_pi"),
    *("curve", "x_muB", "y_muB"),
]


def rows(key, curves):
    """Rows of the contours of one plane; ``key`` has the values of the first columns."""
    for n, curve in enumerate(curves, 1):
        for x, y in zip(*curve, strict=True):
            yield [*key, n, f"{x:.10e}", f"{y:.10e}"]


def lines(job):
    """Rows of all contours, one plane after the other."""
    parameters = job.parameters
    reading, files = parameters["reading"], job.by_name("counts")
    for figure, name, setup, beam, components, xi, delta in parameters["lines"]:
        group = f"{setup}/{reading}"
        of = analysis(parameters["analyses"][name][group])
        sensitivity = of.sensitivity(events(files, group, of, name), components, delta)
        for plane in PLANES:
            how = {"xi": math.pi * xi} if figure != "profiled" else {"profiled": True}
            curves = sensitivity.contour(plane, of.level(2), **how)
            yield from rows([figure, reading, name, setup, beam, plane, xi, delta], curves)
    for name, block in parameters["solar"].items():
        for plane in PLANES:
            key = [8, reading, name, "current", "solar", plane, "", ""]  # incoherent: no phases
            yield from rows(key, analysis(block).contour(plane))


def main(job):
    write_csv(job.output[0], COLUMNS, lines(job))


run(snakemake, main)
