"""A solar limit translated to the transition moments -> results/solar/{name}.h5."""

import numpy as np

from cevns_tmm.magnetic_moment import PARAMETERS, PLANES, pair_moments, strips
from cevns_tmm.solar import SolarExperiment
from cevns_tmm.storage import Data, free_limits
from pipeline.job import run


def translate(experiment, Lambda, free):
    """Limits and planes of one reading, as HDF5 datasets."""
    datasets = {
        "parameter": Data(PARAMETERS, "1", "the one moment that is not zero"),
        "confidence_level": Data(experiment.confidence_level, "1", "confidence level of the limit"),
        "limit": Data(list(experiment.limits().values()), "mu_B", "upper limit", ("parameter",)),
        "has_limit": Data(1, "1", "1 if any direction has a finite limit"),
        "Lambda": Data(Lambda, "mu_B", "moduli of the two displayed moments"),
        "mu_nu_limit": Data(experiment.mu_nu_muB, "mu_B", "upper limit on the effective moment"),
    }
    for plane in PLANES:
        mu_sq = [experiment.mu_nu_sq(pair_moments(plane, Lambda, y, 0.0)) for y in strips(Lambda)]
        mu_nu = np.concatenate([np.sqrt(part).astype(np.float32) for part in mu_sq])
        words = f"effective moment; rows |Lambda_{plane[1]}|, columns |Lambda_{plane[0]}|"
        datasets[f"mu_nu_{plane}"] = Data(mu_nu, "mu_B", words, ("Lambda", "Lambda"))
    if free:  # the audit keeps only the limits of Table II
        limits = experiment.limits().items()  # the same for every method
        datasets |= free_limits([(method, *row) for method in experiment.methods[1:] for row in limits])
    return datasets


def main(job):
    parameters = job.parameters
    Lambda = np.geomspace(*parameters["range_muB"], parameters["points"])
    groups = {
        f"current/{reading}/solar": translate(SolarExperiment(**block), Lambda, parameters["free"])
        for reading, block in parameters["readings"].items()
    }
    name = parameters["experiment"]
    job.write(job.output[0], groups, f"The limit of {name} on each transition moment, by reading")


run(snakemake, main)
