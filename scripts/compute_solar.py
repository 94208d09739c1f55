"""A solar limit translated to the transition moments -> results/solar/{name}.h5."""

import numpy as np

from cevns_tmm import io
from cevns_tmm.magnetic_moment import PARAMETERS, PLANES, pair_moments
from cevns_tmm.solar import mass_eigenstate_probabilities, mu_nu_sq_solar
from scripts.job import provenance, run


def translate(block, points):
    """Limits and planes of one reading, as they stand in the file."""
    P = mass_eigenstate_probabilities(block["P_e1_2nu"], block["sin2_theta13"])
    Lambda = np.geomspace(*block["plane_muB"], points)
    x, y = Lambda[np.newaxis, :], Lambda[:, np.newaxis]
    datasets = {
        "parameter": io.Data(PARAMETERS, "1", "the one moment that is not zero"),
        "limit": io.Data(
            block["mu_nu_muB"] / np.sqrt(mu_nu_sq_solar(np.eye(3), P)),
            "mu_B",
            "upper limit",
            ("parameter",),
        ),
        "Lambda": io.Data(Lambda, "mu_B", "moduli of the two displayed moments"),
        "mu_nu_limit": io.Data(block["mu_nu_muB"], "mu_B", "upper limit on the effective moment"),
    }
    for plane in PLANES:
        mu_sq = mu_nu_sq_solar(pair_moments(plane, x, y, 0.0), P)
        datasets[f"mu_nu_{plane}"] = io.Data(
            np.sqrt(mu_sq).astype(np.float32),
            "mu_B",
            f"effective moment; rows |Lambda_{plane[1]}|, columns |Lambda_{plane[0]}|",
            ("Lambda", "Lambda"),
        )
    return datasets


def main(snakemake):
    groups = {
        f"current/{reading}/solar": translate(block, snakemake.params.points)
        for reading, block in snakemake.params.solar.items()
    }
    description = f"The limit of {snakemake.wildcards.name} on each transition moment, by reading"
    io.write(snakemake.output[0], groups, description, provenance(snakemake))


if __name__ == "__main__":
    run(snakemake, main)
