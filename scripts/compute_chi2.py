"""Delta chi-squared of one experiment or combination: profiles, planes and limits against luminosity -> results/.

A job makes those of the three that its rule names: results/profiles, results/planes or results/phases, results/luminosity.
"""

import math

import numpy as np

from cevns_tmm.magnetic_moment import FLAVOUR_PARAMETERS, PARAMETERS, PLANES, strips
from cevns_tmm.storage import Data, Link, free_limits
from pipeline.analyses import analysis, events
from pipeline.job import run, unique


def check_shape(delta_chi2, most, name):
    """ValueError if a profile, shape (parameter, Lambda), falls again above its minimum, where below ``most``, or below it.

    Far above the level of the limit it may fall: a pull that takes events away costs less there than they do.
    """
    for parameter, curve in zip(PARAMETERS, delta_chi2, strict=True):
        rising = np.diff(np.minimum(curve, most)[np.argmin(curve) :])
        if np.any(rising < -1e-9 * np.max(np.abs(curve))):
            raise ValueError(f"{name}: delta_chi2 of {parameter} falls again above its minimum")
        if np.min(curve) < -1e-6 * np.max(np.abs(curve)):
            raise ValueError(
                f"{name}: delta_chi2 of {parameter} is {np.min(curve):.3g} somewhere, below its minimum"
            )


def profile(of, sensitivity, Lambda):
    """Profiles and limits of one beam, as HDF5 datasets."""
    level, delta_chi2 = of.level(1), sensitivity.profile(Lambda)
    return {
        "parameter": Data(PARAMETERS, "1", "the one moment that is not zero"),
        "Lambda": Data(Lambda, "mu_B", "modulus of the one moment that is not zero"),
        "delta_chi2": Data(delta_chi2, "1", "chi-squared above its minimum", ("parameter", "Lambda")),
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


def profiles(found, beams, range_muB, points, free):
    """Profiles and limits by setup, reading and beam; in the beams ``free`` also with the other moments free."""
    blocks = {
        f"{group}/{beam}": (block, counts, components, beam in free)
        for group, (block, counts) in found.items()
        for beam, components in beams.items()
    }
    (first, same), Lambda, groups = unique(blocks), np.geomspace(*range_muB, points), {}
    for group, (block, counts, components, is_free) in first.items():
        of = analysis(block)
        sensitivity = of.sensitivity(counts, components)
        groups[group] = profile(of, sensitivity, Lambda)
        # a sum of one that levels off and one that fluctuates may fall anywhere above the level of its limit
        most = of.level(1) * (1 if sensitivity.U is None else 10)
        check_shape(groups[group]["delta_chi2"].values, most, group)
        if is_free:
            groups[group] |= free_limits(free_moments(of, sensitivity, counts, components))
    return groups | {group: Link(other) for group, other in same.items()}


def plane(sensitivity, xi, level, Lambda):
    """The three planes of one beam, as HDF5 datasets."""
    datasets = {
        "Lambda": Data(Lambda, "mu_B", "moduli of the two displayed moments"),
        "level": Data(level, "1", "Delta chi-squared of the contour, two parameters"),
    }
    for name in PLANES:
        rows = [sensitivity.delta_chi2_plane(name, Lambda, y, xi).astype(np.float32) for y in strips(Lambda)]
        words = f"chi-squared above its minimum; rows |Lambda_{name[1]}|, columns |Lambda_{name[0]}|"
        datasets[f"delta_chi2_{name}"] = Data(np.concatenate(rows), "1", words, ("Lambda", "Lambda"))
    return datasets


def planes(found, contours, range_muB, points):
    """Planes by setup, reading, beam and phases: ``contours`` says which counts, components and phases each has."""
    (first, same), Lambda, groups = unique(contours), np.geomspace(*range_muB, points), {}
    for group, contour in first.items():
        block, counts = found[contour["counts"]]
        of = analysis(block)
        sensitivity = of.sensitivity(counts, contour["beam"], contour["delta_CP_over_pi"])
        groups[group] = plane(sensitivity, math.pi * contour["xi_over_pi"], of.level(2), Lambda)
    return groups | {group: Link(other) for group, other in same.items()}


def times(factor, counts):
    """Events at ``factor`` times the luminosity."""
    return {
        name: times(factor, n) if isinstance(n, dict) else tuple(factor * each for each in n)
        for name, n in counts.items()
    }


def scan(of, counts, components, luminosity):
    """Limits of one beam against luminosity, as HDF5 datasets."""
    level = of.level(1)
    limits = [of.scaled(f).sensitivity(times(f, counts), components).limits(level) for f in luminosity]
    return {
        "parameter": Data(PARAMETERS, "1", "the one moment that is not zero"),
        "luminosity": Data(luminosity, "1", "F'/F, luminosity relative to the current setup"),
        "limit": Data(np.transpose(limits), "mu_B", "upper limit", ("parameter", "luminosity")),
    }


def luminosity(found, beams, range, points):
    """Limits of the current setup against luminosity, by reading and beam."""
    (first, same), groups = unique(beams), {}
    for group, (block, counts) in found.items():
        if group.startswith("current/"):
            where = np.geomspace(*range, points)
            groups |= {f"{group}/{beam}": scan(analysis(block), counts, first[beam], where) for beam in first}
            groups |= {f"{group}/{beam}": Link(f"{group}/{other}") for beam, other in same.items()}
    return groups


KINDS = {
    "profiles": (profiles, "Delta chi-squared profiles and limits of {}, by setup, reading and beam"),
    "planes": (
        planes,
        "Delta chi-squared of {} in the planes of two moments, by setup, reading, beam and phases",
    ),
    "luminosity": (luminosity, "Limits of {} against luminosity, by setup, reading and beam"),
}
"""What a job may make: a function and what it gives."""


def main(job):
    parameters, files = job.parameters, job.by_name("counts")
    name, found = parameters["experiment"], {}
    for group, block in parameters["analyses"].items():
        found[group] = block, events(files, group, analysis(block), name)
    for kind, path in job.output.items():
        make, words = KINDS[kind]
        job.write(path, make(found, **parameters[kind]), words.format(name))


run(snakemake, main)
