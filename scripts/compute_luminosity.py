"""Limits against luminosity of one experiment or combination -> results/luminosity/{experiment}.h5."""

import numpy as np

from cevns_tmm.magnetic_moment import PARAMETERS
from cevns_tmm.storage import Data, Link
from pipeline.analyses import analysis, events
from pipeline.job import run, unique


def times(factor, counts):
    """Events at ``factor`` times the luminosity."""
    return {
        name: times(factor, n) if isinstance(n, dict) else tuple(factor * each for each in n)
        for name, n in counts.items()
    }


def scan(of, counts, beam, luminosity):
    """Limits of one beam, as HDF5 datasets."""
    level = of.level(1)
    limits = [of.scaled(f).sensitivity(times(f, counts), beam).limits(level) for f in luminosity]
    return {
        "parameter": Data(PARAMETERS, "1", "the one moment that is not zero"),
        "luminosity": Data(luminosity, "1", "F'/F, luminosity relative to the current setup"),
        "limit": Data(np.transpose(limits), "mu_B", "upper limit", ("parameter", "luminosity")),
    }


def main(job):
    parameters, files, groups = job.parameters, job.by_name("counts"), {}
    name, luminosity = parameters["experiment"], np.geomspace(*parameters["range"], parameters["points"])
    for group, block in parameters["analyses"].items():
        of = analysis(block)
        counts = events(files, group, of, name)
        first, same = unique(parameters["beams"])
        groups |= {f"{group}/{beam}": scan(of, counts, first[beam], luminosity) for beam in first}
        groups |= {f"{group}/{beam}": Link(f"{group}/{other}") for beam, other in same.items()}
    description = f"Limits of {name} against luminosity, by setup, reading and beam"
    job.write(job.output[0], groups, description)


run(snakemake, main)
