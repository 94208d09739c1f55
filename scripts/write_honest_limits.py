"""What each block of Table II is worth -> results/honest_limits.{csv,md}."""

import itertools

import numpy as np
from tabulate import tabulate

from cevns_tmm import toys
from cevns_tmm.analysis import METHODS, Analysis
from cevns_tmm.magnetic_moment import PARAMETERS
from cevns_tmm.statistics import percent
from cevns_tmm.storage import read_counts, read_csv, write_csv, write_text
from pipeline.job import run
from pipeline.published import LEVEL, UNIT, limit_text, table2
from pipeline.worth import CASES

KINDS = "interval", "upper"
LIMITS = "published", "reproduced", "covering", "profiled"
COLUMNS = [
    *("experiment", "setup", "beam", "parameter", *(f"{name}_muB" for name in LIMITS), "nuisance_on"),
    *("configured_error", *(f"{kind}_{case}" for case in CASES for kind in KINDS)),
    *("covering_method", *(f"covering_{kind}" for kind in KINDS)),
]
PAGE = """\
# What the limits of Table II are worth

{notes}{level} limits on |Λ_i| in units of 1e-10 μ_B, i = 1, 2, 3, and their coverage when the limit is the truth: how often Δχ² of the truth
is within the level, and in parentheses how often the truth is not above the upper limit. The rate of all events is exact, well known
(to {well_known:g}), or known as the chi-squared has it (the error configured). The limit that covers is that of
Feldman and Cousins for data, and else has the nuisance on all events; its coverage is for the error configured. Profiled: the other
moments and all phases are free. {toys} toys for each number, or more; none for experiments together (combined). More: docs/limits.md.

{table}
"""


def draw(analysis, n_sm, truth, points, parameters, name):
    """Toys at true excesses {label: events}, with the seeds of coverage.csv: [[Coverage, ...] of each block]."""
    seeds = ([parameters["seed"], block] for block in range(1, parameters["blocks"] + 1))
    given = analysis, n_sm, truth, points, parameters["toys_per_block"]
    return [[found for *_, found in toys.examine(*given, seed, name)] for seed in seeds]


def shares(analysis, n_sm, truth, parameters, name):
    """Coverage of interval and upper limit, as text, where the true events are the limit."""
    n = analysis.chi2(n_sm).upper_limit(analysis.level(1))
    if not np.isfinite(n):
        return "", ""
    found = [one for (one,) in draw(analysis, n_sm, truth, {"1": n}, parameters, name)]
    return tuple(f"{sum(getattr(b, k) for b in found) / sum(b.toys for b in found):.3f}" for k in KINDS)


def verdict(analysis, n_sm, parameters, name):
    """Coverage of the limit in each case; of the limit that covers the name, events and coverage."""
    form, own = toys.form(analysis), toys.own_truth(analysis)
    well_known, total = (toys.Truth("total", size) for size in (parameters["error_on_total"], own.size))
    given = parameters, f"{name}/{form}"
    coverage = [shares(analysis, n_sm, truth, *given) for truth in (toys.Truth("fixed"), well_known, total)]
    if form == "data":
        points = toys.true_events(analysis, n_sm, own, [])
        blocks = draw(analysis, n_sm, own, points, *given)
        critical = np.mean([[found.critical_value for found in block] for block in blocks], axis=0)
        n = toys.feldman_cousins(analysis, n_sm, list(points.values()), critical)
        return coverage, "feldman-cousins", n, ("", "")
    covering = toys.forms(analysis)["total"]
    n = covering.chi2(n_sm).upper_limit(analysis.level(1))
    return coverage, "nuisance-on-total", n, shares(covering, n_sm, total, parameters, f"{name}/total")


def texts(analysis, counts, components, covering, published):
    """Limits of one beam as text, a row of three for each of LIMITS."""
    form = analysis.sensitivity(counts, components)
    alone, profiled = (analysis.limits(counts, components, method) for method in METHODS[:2])
    any_limit = form.has_limit(analysis.level(1))
    yield [f"{float(text) * UNIT:.10e}" if text else "" for text in published]
    for limits in (alone, form.moduli(covering), profiled):
        yield [limit_text(p, limit, any_limit) for p, limit in zip(PARAMETERS, limits, strict=True)]


def together(path, name, reading):
    """Setup of a combination, and its limits as text, one moment at a time and profiled, a row of three each."""
    rows = [row for row in read_csv(path) if (row["experiment"], row["reading"]) == (name, reading)]
    by_method = [[row for row in rows if row["method"] == method] for method in METHODS[:2]]
    return rows[0]["setup"], *([row["limit_muB"] for row in found] for found in by_method)


def cell(limits):
    """Three limits in one cell of the page, in units of Table II."""
    if len(set(limits)) == 1 and limits[0] in ("", "inf", "unbounded"):
        return limits[0]
    return " / ".join(text if text == "unbounded" else f"{float(text) / UNIT:.4g}" for text in limits)


def pair(interval, upper):
    """Coverage of the interval with that of the upper limit in parentheses."""
    return f"{interval} ({upper})" if interval else ""


def main(job):
    parameters, published = job.parameters, table2()
    files, rows, lines = job.by_name("counts"), [], []
    for name, setup, group, block in parameters["shown"]:
        analysis, counts = Analysis(**block), read_counts(files[name], group)
        n_sm = sum(n for n, _ in counts.values())
        coverage, method, n, covers = verdict(analysis, n_sm, parameters, f"{name}/{group}")
        errors = toys.form(analysis), toys.own_truth(analysis).size, *itertools.chain(*coverage)
        for beam, components in parameters["beams"][name].items():
            at_level = published if analysis.confidence_level == LEVEL else {}
            printed = [at_level.get((name, setup, beam, parameter)) for parameter in PARAMETERS]
            limits = list(texts(analysis, counts, components, n, printed))
            for parameter, *each in zip(PARAMETERS, *limits, strict=True):
                rows.append([name, setup, beam, parameter, *each, *errors, method, *covers])
            one, two, three, four = map(cell, limits)
            line = [parameters["labels"][name], setup, beam, one, two, *itertools.starmap(pair, coverage)]
            lines.append([*line, three, pair(*covers) or "by construction", four])
    for name in parameters["combinations"]:
        setup, alone, profiled = together(job.input.limits, name, parameters["reading"])
        for parameter, *limits in zip(PARAMETERS, alone, profiled, strict=True):
            found = dict(zip(["reproduced_muB", "profiled_muB"], limits, strict=True))
            found |= dict(experiment=name, setup=setup, beam="combined", parameter=parameter)
            rows.append([found.get(column, "") for column in COLUMNS])
        line = [parameters["labels"][name], setup, "combined", "", cell(alone), "", "", "", "", ""]
        lines.append([*line, cell(profiled)])
    write_csv(job.output.csv, COLUMNS, rows)
    rates = [f"coverage: {case.replace('_', ' ')} rate" for case in CASES]
    heads = ["experiment", "setup", "beam", *LIMITS[:2], *rates, "covers", "its coverage", "profiled"]
    table = tabulate(lines, heads, tablefmt="github", disable_numparse=True)
    level = percent(parameters["confidence_level"])
    numbers = dict(level=level, well_known=parameters["error_on_total"])
    numbers["toys"] = parameters["toys_per_block"] * parameters["blocks"]
    page = PAGE.format(notes="".join(f"{note} " for note in parameters["notes"]), table=table, **numbers)
    write_text(job.output.md, page)


run(snakemake, main)
