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
        scan = toys.SCAN if truth == own and analysis.data is not None else ()
        points = toys.true_events(analysis, n_sm, {*parameters["true_events"], *scan})
        for label, n_em in points.items():
            seed = [parameters["seed"], parameters["block"], *f"{name}/{truth}/{label}".encode()]
            number = parameters["toys"] * (toys.SCAN_TOYS if label in map("{:g}".format, scan) else 1)
            found = toys.coverage(analysis, n_sm, n_em, truth, number, seed)
            rows.append([str(truth), n_em, found])
            if truth == own and n_em == 0:
                expected = found.limits
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
    description = (
        f"Coverage of {parameters['experiment']} in block {parameters['block']}, by setup and reading"
    )
    job.write(job.output[0], groups, f"{description} and form of chi-squared")


run(snakemake, main)
