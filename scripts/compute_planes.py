"""Two-dimensional chi-squared grids of one experiment -> results/planes or results/phases/{experiment}.h5."""

import math

import numpy as np

from cevns_tmm import io
from cevns_tmm.limits import excess
from cevns_tmm.magnetic_moment import PLANES, pair_moments
from cevns_tmm.statistics import delta_chi2_quantile
from scripts.counted import mixing, read_chi2
from scripts.job import provenance, run


def planes(chi2, n_em, beam, U, xi, level, Lambda):
    """The three planes of one beam, as they stand in the file."""
    x, y = Lambda[np.newaxis, :], Lambda[:, np.newaxis]
    datasets = {
        "Lambda": io.Data(Lambda, "mu_B", "moduli of the two displayed moments"),
        "level": io.Data(level, "1", "Delta chi-squared of the contour, two parameters"),
    }
    for plane in PLANES:
        events = excess(pair_moments(plane, x, y, xi), n_em, beam, U)
        datasets[f"delta_chi2_{plane}"] = io.Data(
            chi2.delta_chi2(events).astype(np.float32),
            "1",
            f"chi-squared above its minimum; rows |Lambda_{plane[1]}|, columns |Lambda_{plane[0]}|",
            ("Lambda", "Lambda"),
        )
    return datasets


def main(snakemake):
    Lambda = np.geomspace(*snakemake.params.range_muB, snakemake.params.points)
    groups = {}
    for name, contour in snakemake.params.contours.items():
        block = snakemake.params.statistics[contour["counts"]]
        chi2, n_em = read_chi2(snakemake.input.counts, contour["counts"], block)
        U = mixing(block["oscillation"], contour["delta_CP_over_pi"])
        xi = math.pi * contour["xi_over_pi"]
        level = delta_chi2_quantile(block["confidence_level"], 2)
        groups[name] = planes(chi2, n_em, contour["beam"], U, xi, level, Lambda)
    description = (
        f"Delta chi-squared of {snakemake.wildcards.experiment} in the planes of two moments, "
        "by setup, reading, beam and phases"
    )
    io.write(snakemake.output[0], groups, description, provenance(snakemake))


if __name__ == "__main__":
    run(snakemake, main)
