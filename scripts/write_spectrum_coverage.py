"""Coverage of the limits from the recoil spectrum in bins -> results/spectrum_coverage.csv."""

import math

import numpy as np

from cevns_tmm import toys
from cevns_tmm.analysis import Analysis
from cevns_tmm.spectrum import BinnedExperiment, bins_of_equal_counts, excess_by_moment
from cevns_tmm.storage import read_rates, write_csv
from pipeline.job import run

COLUMNS = [
    *("reading", "experiment", "setup", "beam", "bins", "truth", "at", "Lambda1_muB"),
    *("coverage_interval", "coverage_upper", "critical_value", "toys", "toys_without_limit"),
]


def coverage(analysis, rates, components, bins, parameters, name):
    """Rows of one analysis: truth, true |Lambda_1|, which is 0 or at the limit, and what toys give."""
    each, em = bins_of_equal_counts(rates, bins, parameters["nodes"])
    if not each > 0:
        return
    signal = [rates.components.index(component) for component in components]
    sm, em = np.full(bins, each), excess_by_moment(em[signal], components, analysis.mixing())[0]
    level, own = analysis.level(1), toys.Truth("total", analysis.sigma_sys)
    limit = BinnedExperiment.of_bins(sm, em, 1 + analysis.sigma_stat, analysis.sigma_sys).upper_limit(level)
    truths = toys.Truth("fixed"), toys.Truth("total", parameters["error_on_total"]), own
    for truth in dict.fromkeys(truths):
        for at, x in (("0", 0.0), ("limit", limit)):
            if math.isinf(x):
                continue
            seed = [parameters["seed"], *f"{name}/{bins}/{truth}/{at}".encode()]
            rng = np.random.default_rng(np.random.SeedSequence(seed))
            chi2 = toys.draw_bins(analysis, sm, em, x, truth, parameters["toys"], rng)
            found = toys.Coverage.of(chi2, x, analysis.confidence_level, level)
            shares = (f"{number / found.toys:.6f}" for number in (found.interval, found.upper))
            tail = f"{found.critical_value:.6g}", found.toys, found.without_limit
            yield truth, at, f"{math.sqrt(x):.10e}", *shares, *tail


def main(job):
    parameters, rows, files = job.parameters, [], job.by_name("rates")
    for name, analyses in parameters["analyses"].items():
        beam, components = parameters["beams"][name]
        for group, block in analyses.items():
            setup, reading = group.split("/")
            analysis, rates = Analysis(**block), read_rates(files[name], group)
            for bins in parameters["bins"]:
                found = coverage(analysis, rates, components, bins, parameters, f"{name}/{group}")
                rows += [[reading, name, setup, beam, bins, *row] for row in found]
    write_csv(job.output[0], COLUMNS, rows)


run(snakemake, main)
