"""The lines that Figs. 4 to 8 draw, the profiled planes and combinations -> results/contours.csv."""

import math

from cevns_tmm.analysis import Analysis
from cevns_tmm.magnetic_moment import PLANES
from cevns_tmm.solar import SolarExperiment
from cevns_tmm.storage import read_curves, read_events, write_csv
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


def main(job):
    parameters, found = job.parameters, []
    reading, counts = parameters["reading"], job.by_name("counts")
    for figure, name, setup, beam, components, xi, delta in parameters["lines"]:
        group = f"{setup}/{reading}"
        analysis = Analysis(**parameters["analyses"][name][group])
        events = read_events(counts[name], group, analysis.binned)
        sensitivity = analysis.sensitivity(events, components, delta)
        for plane in PLANES:
            how = {"profiled": True} if figure == "profiled" else {"xi": math.pi * xi}
            curves = sensitivity.contour(plane, analysis.level(2), **how)
            found += rows([figure, reading, name, setup, beam, plane, xi, delta], curves)
    for name, block in parameters["solar"].items():
        experiment = SolarExperiment(**block)
        for plane in PLANES:
            key = [8, reading, name, "current", "solar", plane, "", ""]  # incoherent: no phases
            found += rows(key, experiment.contour(plane))
    files = job.by_name("combinations")
    for name, setup in parameters["combinations"].items():
        for plane, n, x, y in read_curves(files[name], f"{setup}/{reading}/combined"):
            key = ["combined", reading, name, setup, "combined", plane, 0.0, ""]
            found.append([*key, n, f"{x:.10e}", f"{y:.10e}"])
    write_csv(job.output[0], COLUMNS, found)


run(snakemake, main)
