"""One-dimensional profiles and limits of one experiment -> results/profiles/{experiment}.h5."""

import numpy as np

from cevns_tmm.analysis import Analysis
from cevns_tmm.magnetic_moment import FLAVOUR_PARAMETERS, PARAMETERS
from cevns_tmm.storage import Data, Link, free_limits, read_events
from pipeline.job import run, unique


def check_shape(delta_chi2, name):
    """ValueError if a profile, shape (parameter, Lambda), falls again above its minimum."""
    for parameter, curve in zip(PARAMETERS, delta_chi2, strict=True):
        rising = np.diff(curve[np.argmin(curve) :])
        if np.any(rising < -1e-9 * np.max(np.abs(curve))):
            raise ValueError(f"{name}: delta_chi2 of {parameter} falls again above its minimum")


def profile(analysis, sensitivity, Lambda):
    """Profiles and limits of one beam, as HDF5 datasets."""
    level = analysis.level(1)
    return {
        "parameter": Data(PARAMETERS, "1", "the one moment that is not zero"),
        "Lambda": Data(Lambda, "mu_B", "modulus of the one moment that is not zero"),
        "delta_chi2": Data(
            sensitivity.profile(Lambda),
            "1",
            "chi-squared above its minimum",
            ("parameter", "Lambda"),
        ),
        "confidence_level": Data(analysis.confidence_level, "1", "confidence level of the limit"),
        "level": Data(level, "1", "Delta chi-squared of the limit"),
        "limit": Data(sensitivity.limits(level), "mu_B", "upper limit", ("parameter",)),
        "has_limit": Data(int(sensitivity.has_limit(level)), "1", "1 if any direction has a finite limit"),
    }


def free_moments(analysis, counts, components):
    """Rows of limits with the other moments free and in the flavour basis."""
    rows = [
        (method, parameter, limit)
        for method in analysis.methods[1:]
        for parameter, limit in zip(PARAMETERS, analysis.limits(counts, components, method), strict=True)
    ]
    limits = analysis.sensitivity(counts, components).flavour_limits(analysis.level(1))
    return rows + [("one-at-a-time", *row) for row in zip(FLAVOUR_PARAMETERS, limits, strict=True)]


def main(job):
    parameters = job.parameters
    Lambda = np.geomspace(*parameters["range_muB"], parameters["points"])
    blocks = {
        group: [block, read_events(job.input.counts, group, block.get("binned"))]
        for group, block in parameters["analyses"].items()
    }
    (first, same), groups = unique(blocks), {}
    for group, (block, counts) in first.items():
        analysis = Analysis(**block)
        for beam, components in parameters["beams"].items():
            found = profile(analysis, analysis.sensitivity(counts, components), Lambda)
            check_shape(found["delta_chi2"].values, f"{group}/{beam}")
            if parameters["free"]:  # the audit keeps only the limits of Table II
                found |= free_limits(free_moments(analysis, counts, components))
            groups[f"{group}/{beam}"] = found
    for group, other in same.items():
        groups |= {f"{group}/{beam}": Link(f"{other}/{beam}") for beam in parameters["beams"]}
    name = parameters["experiment"]
    description = f"Delta chi-squared profiles and limits of {name}, by setup, reading and beam"
    job.write(job.output[0], groups, description)


run(snakemake, main)
