"""One-dimensional profiles and limits of one experiment -> results/profiles/{experiment}.h5."""

import numpy as np

from cevns_tmm import io
from cevns_tmm.limits import excess, moment_limits
from cevns_tmm.magnetic_moment import PARAMETERS
from cevns_tmm.statistics import delta_chi2_quantile
from scripts.counted import mixing, read_chi2
from scripts.job import provenance, run


def check_shape(delta_chi2, name):
    """ValueError if a profile, shape (parameter, Lambda), falls again above its minimum."""
    for parameter, curve in zip(PARAMETERS, delta_chi2, strict=True):
        rising = np.diff(curve[np.argmin(curve) :])
        if np.any(rising < -1e-9 * np.max(np.abs(curve))):
            raise ValueError(f"{name}: delta_chi2 of {parameter} falls again above its minimum")


def profile(chi2, n_em, beam, U, level, Lambda):
    """Profiles and limits of one beam, as they stand in the file."""
    per_moment_sq = excess(np.eye(3), n_em, beam, U)
    return {
        "parameter": io.Data(PARAMETERS, "1", "the one moment that is not zero"),
        "Lambda": io.Data(Lambda, "mu_B", "its modulus"),
        "delta_chi2": io.Data(
            chi2.delta_chi2(np.multiply.outer(per_moment_sq, Lambda**2)),
            "1",
            "chi-squared above its minimum",
            ("parameter", "Lambda"),
        ),
        "level": io.Data(level, "1", "Delta chi-squared of the limit"),
        "limit": io.Data(
            moment_limits(chi2, n_em, beam, U, level), "mu_B", "upper limit", ("parameter",)
        ),
    }


def main(snakemake):
    Lambda = np.geomspace(*snakemake.params.range_muB, snakemake.params.points)
    groups = {}
    for name, block in snakemake.params.statistics.items():
        chi2, n_em = read_chi2(snakemake.input.counts, name, block)
        U = mixing(block["oscillation"])
        level = delta_chi2_quantile(block["confidence_level"], 1)
        for beam, components in snakemake.params.beams.items():
            group = profile(chi2, n_em, components, U, level, Lambda)
            check_shape(group["delta_chi2"].values, f"{name}/{beam}")
            groups[f"{name}/{beam}"] = group
    description = (
        f"Delta chi-squared profiles and limits of {snakemake.wildcards.experiment}, "
        "by setup, reading and beam"
    )
    io.write(snakemake.output[0], groups, description, provenance(snakemake))


if __name__ == "__main__":
    run(snakemake, main)
