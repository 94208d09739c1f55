"""Limits against luminosity of one experiment -> results/luminosity/{experiment}.h5."""

import numpy as np

from cevns_tmm import io
from cevns_tmm.limits import counting_experiment, moment_limits
from cevns_tmm.magnetic_moment import PARAMETERS
from cevns_tmm.statistics import delta_chi2_quantile
from scripts.counted import mixing, read_counts
from scripts.job import provenance, run

EVENTS = ("n_measured", "beam_neutrons", "steady_state")


def scaled(block, factor):
    """The chi² of a luminosity ``factor`` times larger: measured events and backgrounds scale too."""
    if "data" not in block:
        return block
    data = block["data"]
    return {**block, "data": {**data, **{key: factor * data[key] for key in EVENTS}}}


def scan(n_sm, n_em, block, beam, luminosity):
    """Limits of one beam, as they stand in the file."""
    U, level = mixing(block["oscillation"]), delta_chi2_quantile(block["confidence_level"], 1)
    limits = [
        moment_limits(
            counting_experiment(scaled(block, factor), factor * n_sm),
            {component: factor * n for component, n in n_em.items()},
            beam,
            U,
            level,
        )
        for factor in luminosity
    ]
    return {
        "parameter": io.Data(PARAMETERS, "1", "the one moment that is not zero"),
        "luminosity": io.Data(luminosity, "1", "F'/F, luminosity relative to the current setup"),
        "limit": io.Data(np.transpose(limits), "mu_B", "upper limit", ("parameter", "luminosity")),
    }


def main(snakemake):
    luminosity = np.geomspace(*snakemake.params.range, snakemake.params.points)
    groups = {}
    for name, block in snakemake.params.statistics.items():
        n_sm, n_em = read_counts(snakemake.input.counts, name)
        for beam, components in snakemake.params.beams.items():
            groups[f"{name}/{beam}"] = scan(n_sm, n_em, block, components, luminosity)
    description = (
        f"Limits of {snakemake.wildcards.experiment} against luminosity, by reading and beam"
    )
    io.write(snakemake.output[0], groups, description, provenance(snakemake))


if __name__ == "__main__":
    run(snakemake, main)
