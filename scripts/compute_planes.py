"""Two-dimensional chi-squared grids of one experiment or combination -> results/planes or results/phases/{experiment}.h5."""

import math

import numpy as np

from cevns_tmm.magnetic_moment import PLANES, strips
from cevns_tmm.storage import Data, Link
from pipeline.analyses import analysis, events
from pipeline.job import run, unique


def planes(sensitivity, xi, level, Lambda):
    """The three planes of one beam, as HDF5 datasets."""
    datasets = {
        "Lambda": Data(Lambda, "mu_B", "moduli of the two displayed moments"),
        "level": Data(level, "1", "Delta chi-squared of the contour, two parameters"),
    }
    for plane in PLANES:
        rows = [sensitivity.delta_chi2_plane(plane, Lambda, y, xi).astype(np.float32) for y in strips(Lambda)]
        words = f"chi-squared above its minimum; rows |Lambda_{plane[1]}|, columns |Lambda_{plane[0]}|"
        datasets[f"delta_chi2_{plane}"] = Data(np.concatenate(rows), "1", words, ("Lambda", "Lambda"))
    return datasets


def main(job):
    parameters, files = job.parameters, job.by_name("counts")
    name, Lambda = parameters["experiment"], np.geomspace(*parameters["range_muB"], parameters["points"])
    (first, same), groups = unique(parameters["contours"]), {}
    for group, contour in first.items():
        of = analysis(parameters["analyses"][contour["counts"]])
        counts = events(files, contour["counts"], of, name)
        sensitivity = of.sensitivity(counts, contour["beam"], contour["delta_CP_over_pi"])
        groups[group] = planes(sensitivity, math.pi * contour["xi_over_pi"], of.level(2), Lambda)
    links = {group: Link(other) for group, other in same.items()}
    words = "in the planes of two moments, by setup, reading, beam and phases"
    job.write(job.output[0], groups | links, f"Delta chi-squared of {name} {words}")


run(snakemake, main)
