"""Limits against luminosity of one experiment -> results/luminosity/{experiment}.h5."""

import numpy as np

from cevns_tmm.analysis import Analysis
from cevns_tmm.magnetic_moment import PARAMETERS
from cevns_tmm.storage import Data, read_events
from pipeline.job import run


def scan(analysis, counts, beam, luminosity):
    """Limits of one beam, as HDF5 datasets."""
    level = analysis.level(1)
    limits = []
    for factor in luminosity:
        events = {c: (factor * n_sm, factor * n_em) for c, (n_sm, n_em) in counts.items()}
        limits.append(analysis.scaled(factor).sensitivity(events, beam).limits(level))
    return {
        "parameter": Data(PARAMETERS, "1", "the one moment that is not zero"),
        "luminosity": Data(luminosity, "1", "F'/F, luminosity relative to the current setup"),
        "limit": Data(np.transpose(limits), "mu_B", "upper limit", ("parameter", "luminosity")),
    }


def main(job):
    parameters = job.parameters
    luminosity = np.geomspace(*parameters["range"], parameters["points"])
    groups = {}
    for group, block in parameters["analyses"].items():
        analysis = Analysis(**block)
        counts = read_events(job.input.counts, group, analysis.binned)
        for beam, components in parameters["beams"].items():
            groups[f"{group}/{beam}"] = scan(analysis, counts, components, luminosity)
    description = f"Limits of {parameters['experiment']} against luminosity, by setup, reading and beam"
    job.write(job.output[0], groups, description)


run(snakemake, main)
