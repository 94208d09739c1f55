"""Limits from the recoil spectrum in bins -> results/spectrum_limits.csv."""

import math

import numpy as np

from cevns_tmm.analysis import Analysis
from cevns_tmm.magnetic_moment import PARAMETERS
from cevns_tmm.spectrum import BinnedExperiment, bins_of_equal_counts, excess_by_moment
from cevns_tmm.storage import read_rates, write_csv
from pipeline.job import run

COLUMNS = [
    *("reading", "experiment", "setup", "beam", "parameter", "bins", "normalisation"),
    *("limit_muB", "over_one_at_a_time"),
]


def limits(analysis, rates, components, bins, nodes):
    """Rows of one beam: normalisation, parameter, limit and its ratio to that of Table II."""
    n_sm, n_em = rates.counts()
    counts = dict(zip(rates.components, zip(n_sm, n_em, strict=True), strict=True))
    chi2, level = analysis.chi2(n_sm.sum()), analysis.level(1)
    alone = analysis.limits(counts, components)
    each, em = bins_of_equal_counts(rates, bins, nodes)
    signal = [rates.components.index(component) for component in components]
    events = excess_by_moment(em[signal], components, analysis.mixing())
    for normalisation, sigma in (("constrained", chi2.sigma), ("free", math.inf)):
        for parameter, excess, one in zip(PARAMETERS, events, alone, strict=True):
            limit = math.inf
            if each > 0:
                sm = np.full(bins, each)
                binned = BinnedExperiment.of_bins(sm, excess, chi2.variance / n_sm.sum(), sigma)
                limit = math.sqrt(binned.upper_limit(level))
            ratio = f"{limit / one:.6g}" if math.isfinite(one) and analysis.data is None else ""
            yield parameter, bins, normalisation, f"{limit:.10e}", ratio


def main(job):
    parameters, rows, files = job.parameters, [], job.by_name("rates")
    for name, analyses in parameters["analyses"].items():
        for group, block in analyses.items():
            setup, reading = group.split("/")
            analysis, rates = Analysis(**block), read_rates(files[name], group)
            for beam, components in parameters["beams"][name].items():
                for bins in parameters["bins"]:
                    found = limits(analysis, rates, components, bins, parameters["nodes"])
                    rows += [[reading, name, setup, beam, *row] for row in found]
    write_csv(job.output[0], COLUMNS, rows)


run(snakemake, main)
