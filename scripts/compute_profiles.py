"""One-dimensional profiles and limits of one experiment or combination -> results/profiles/{experiment}.h5."""

import numpy as np

from cevns_tmm.magnetic_moment import FLAVOUR_PARAMETERS, PARAMETERS
from cevns_tmm.storage import Data, Link, free_limits
from pipeline.analyses import analysis, events
from pipeline.job import run, unique


def check_shape(delta_chi2, level, name):
    """ValueError if a profile, shape (parameter, Lambda), falls again above its minimum, or below it.

    Far above the level of the limit it may fall: a pull that takes events away costs less there than they do.
    """
    for parameter, curve in zip(PARAMETERS, delta_chi2, strict=True):
        rising = np.diff(np.minimum(curve, 10 * level)[np.argmin(curve) :])
        if np.any(rising < -1e-9 * np.max(np.abs(curve))):
            raise ValueError(f"{name}: delta_chi2 of {parameter} falls again above its minimum")
        if np.min(curve) < -1e-6 * np.max(np.abs(curve)):
            raise ValueError(
                f"{name}: delta_chi2 of {parameter} is {np.min(curve):.3g} somewhere, below its minimum"
            )


def profiles(of, sensitivity, Lambda):
    """Profiles and limits of one beam, as HDF5 datasets."""
    level, profile = of.level(1), sensitivity.profile(Lambda)
    return {
        "parameter": Data(PARAMETERS, "1", "the one moment that is not zero"),
        "Lambda": Data(Lambda, "mu_B", "modulus of the one moment that is not zero"),
        "delta_chi2": Data(profile, "1", "chi-squared above its minimum", ("parameter", "Lambda")),
        "confidence_level": Data(of.confidence_level, "1", "confidence level of the limit"),
        "level": Data(level, "1", "Delta chi-squared of the limit"),
        "limit": Data(sensitivity.limits(level), "mu_B", "upper limit", ("parameter",)),
        "has_limit": Data(int(sensitivity.has_limit(level)), "1", "1 if any direction has a finite limit"),
    }


def free_moments(of, sensitivity, counts, components):
    """Rows of limits with the other moments free and, but for combinations, in the flavour basis."""
    rows = [
        (method, parameter, limit)
        for method in of.methods[1:]
        for parameter, limit in zip(PARAMETERS, of.limits(counts, components, method), strict=True)
    ]
    if sensitivity.U is None:
        return rows
    limits = sensitivity.flavour_limits(of.level(1))
    return rows + [("one-at-a-time", *row) for row in zip(FLAVOUR_PARAMETERS, limits, strict=True)]


def main(job):
    parameters, files, blocks = job.parameters, job.by_name("counts"), {}
    name, Lambda = parameters["experiment"], np.geomspace(*parameters["range_muB"], parameters["points"])
    for group, block in parameters["analyses"].items():
        counts = events(files, group, analysis(block), name)
        for beam, components in parameters["beams"].items():
            blocks[f"{group}/{beam}"] = block, counts, components, beam in parameters["free"]
    (first, same), groups = unique(blocks), {}
    for group, (block, counts, components, is_free) in first.items():
        of = analysis(block)
        sensitivity = of.sensitivity(counts, components)
        groups[group] = profiles(of, sensitivity, Lambda)
        check_shape(groups[group]["delta_chi2"].values, of.level(1), group)
        if is_free:
            groups[group] |= free_limits(free_moments(of, sensitivity, counts, components))
    links = {group: Link(other) for group, other in same.items()}
    description = f"Delta chi-squared profiles and limits of {name}, by setup, reading and beam"
    job.write(job.output[0], groups | links, description)


run(snakemake, main)
