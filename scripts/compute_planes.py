"""Two-dimensional chi-squared grids of one experiment -> results/planes or results/phases/{experiment}.h5."""

import math

import numpy as np

from cevns_tmm.analysis import Analysis
from cevns_tmm.magnetic_moment import PLANES, strips
from cevns_tmm.storage import Data, read_events
from pipeline.job import run


def planes(sensitivity, xi, level, Lambda):
    """The three planes of one beam, as HDF5 datasets."""
    datasets = {
        "Lambda": Data(Lambda, "mu_B", "moduli of the two displayed moments"),
        "level": Data(level, "1", "Delta chi-squared of the contour, two parameters"),
    }
    for plane in PLANES:
        rows = [sensitivity.delta_chi2_plane(plane, Lambda, y, xi).astype(np.float32) for y in strips(Lambda)]
        datasets[f"delta_chi2_{plane}"] = Data(
            np.concatenate(rows),
            "1",
            f"chi-squared above its minimum; rows |Lambda_{plane[1]}|, columns |Lambda_{plane[0]}|",
            ("Lambda", "Lambda"),
        )
    return datasets


def main(job):
    parameters = job.parameters
    Lambda = np.geomspace(*parameters["range_muB"], parameters["points"])
    groups = {}
    for name, contour in parameters["contours"].items():
        analysis = Analysis(**parameters["analyses"][contour["counts"]])
        counts = read_events(job.input.counts, contour["counts"], analysis.binned)
        sensitivity = analysis.sensitivity(counts, contour["beam"], contour["delta_CP_over_pi"])
        groups[name] = planes(sensitivity, math.pi * contour["xi_over_pi"], analysis.level(2), Lambda)
    description = (
        f"Delta chi-squared of {parameters['experiment']} in the planes of two moments, "
        "by setup, reading, beam and phases"
    )
    job.write(job.output[0], groups, description)


run(snakemake, main)
