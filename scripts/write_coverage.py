"""Coverage of the limits, and limits to expect -> results/coverage.csv, results/expected_limits.csv."""

import numpy as np

from cevns_tmm import toys
from cevns_tmm.analysis import Analysis
from cevns_tmm.magnetic_moment import PARAMETERS
from cevns_tmm.storage import read_counts, read_coverage, write_csv
from pipeline.job import run

COVERAGE = [
    *("reading", "experiment", "setup", "nuisance_on", "truth", "n_em"),
    *("coverage_interval", "coverage_upper", "critical_value", "toys", "toys_without_limit"),
]
EXPECTED = [
    *("reading", "experiment", "setup", "beam", "parameter"),
    *("observed_muB", "feldman_cousins_muB"),
    *("minus_2sigma_muB", "minus_1sigma_muB", "median_muB", "plus_1sigma_muB", "plus_2sigma_muB"),
    "chance_of_observed",
]


def coverage(data):
    """Rows of one form of chi²."""
    for k, truth in enumerate(data["truth"]):
        number = data["toys"][k]
        shares = [f"{data[name][k] / number:.6f}" for name in ("interval", "upper")]
        critical = f"{data['critical_value'][k]:.6g}"
        yield [truth, f"{data['n_em'][k]:.10e}", *shares, critical, number, data["without_limit"][k]]


def expected(analysis, counts, beams, data):
    """Rows of one analysis: limits observed, if there are data, and to expect."""
    n_sm, events, chance = sum(n for n, _ in counts.values()), list(data["limit"]), ""
    if analysis.data is not None:
        own = data["truth"] == str(toys.own_truth(analysis))
        points = data["n_em"][own], data["critical_value"][own]
        observed = analysis.chi2(n_sm).upper_limit(analysis.level(1))
        events = [observed, toys.feldman_cousins(analysis, n_sm, *points), *events]
        chance = f"{data['below_observed']:.6f}"
    for beam, components in beams.items():
        form = analysis.sensitivity(counts, components)
        limits = np.transpose([form.moduli(n) for n in events])
        for parameter, row in zip(PARAMETERS, limits, strict=True):
            shown = [f"{limit:.10e}" for limit in row]
            yield [beam, parameter, *[""] * (7 - len(shown)), *shown, chance]


def main(job):
    parameters, covered, expectations = job.parameters, [], []
    files, blocks = job.by_name("counts"), job.blocks("toys")
    for name, analyses in parameters["analyses"].items():
        for group, block in analyses.items():
            setup, reading = group.split("/")
            counts, analysis = read_counts(files[name], group), Analysis(**block)
            for form, variant in toys.forms(analysis).items():
                data = read_coverage(blocks[name], f"{group}/{form}")
                covered += [[reading, name, setup, form, *row] for row in coverage(data)]
                if variant == analysis:
                    rows = expected(analysis, counts, parameters["beams"][name], data)
                    expectations += [[reading, name, setup, *row] for row in rows]
    write_csv(job.output.coverage, COVERAGE, covered)
    write_csv(job.output.expected, EXPECTED, expectations)


run(snakemake, main)
