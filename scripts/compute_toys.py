"""A block of toys of one experiment -> results/toys/{experiment}/{block}.h5."""

import numpy as np
from scipy.special import ndtr

from cevns_tmm import toys
from cevns_tmm.analysis import Analysis
from cevns_tmm.storage import coverage_datasets, read_counts
from pipeline.job import run


def examine(analysis, n_sm, parameters, name):
    """Coverage of one form of chi² and the limits to expect with it, as HDF5 datasets."""
    rows, own = [], toys.own_truth(analysis)
    for truth in toys.truths(analysis, parameters["error_on_total"]):
        points = toys.true_events(analysis, n_sm, truth, parameters["true_events"])
        seed = parameters["seed"], parameters["block"]
        rows += toys.examine(analysis, n_sm, truth, points, parameters["toys"], seed, name)
    expected = next(found.limits for truth, n_em, found in rows if (truth, n_em) == (str(own), 0))
    quantiles = np.quantile(expected, ndtr(toys.SIGMAS), method="inverted_cdf")
    observed = analysis.chi2(n_sm).upper_limit(analysis.level(1))
    return coverage_datasets(rows, toys.SIGMAS, quantiles, np.mean(expected <= observed))


def main(job):
    parameters, groups = job.parameters, {}
    for group, block in parameters["analyses"].items():
        n_sm = sum(n for n, _ in read_counts(job.input.counts, group).values())
        for form, analysis in toys.forms(Analysis(**block)).items():
            name = f"{parameters['experiment']}/{group}/{form}"
            groups[f"{group}/{form}"] = examine(analysis, n_sm, parameters, name)
    what = f"{parameters['experiment']} in block {parameters['block']}"
    job.write(job.output[0], groups, f"Coverage of {what}, by setup and reading and form of chi-squared")


run(snakemake, main)
