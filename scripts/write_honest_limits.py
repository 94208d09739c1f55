"""What each block of Table II is worth -> results/honest_limits.{csv,md}."""

import itertools

import numpy as np
from tabulate import tabulate

from cevns_tmm import toys
from cevns_tmm.analysis import Analysis
from cevns_tmm.magnetic_moment import PARAMETERS
from cevns_tmm.statistics import percent
from cevns_tmm.storage import read_counts, read_coverage, read_csv, write_csv, write_text
from pipeline.job import run
from pipeline.published import LEVEL, UNIT, limit_text, table2

KINDS = "interval", "upper"
CASES = "exact", "well_known", "configured"
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


def shares(data, truth, n):
    """Coverage of interval and upper limit, as text, where the true events are nearest to a limit of ``n`` events."""
    if not np.isfinite(n):
        return "", ""
    found = toys.at_truth(data, truth)
    k = np.argmin(np.abs(found["n_em"] - n))
    return tuple(f"{found[kind][k] / found['toys'][k]:.3f}" for kind in KINDS)


def verdict(analysis, n_sm, data, well_known):
    """Coverage of the limit in each case; of the limit that covers the name, events and coverage."""
    level, own = analysis.level(1), toys.own_truth(analysis)
    form, n = toys.form(analysis), analysis.chi2(n_sm).upper_limit(level)
    truths = [toys.Truth("fixed"), toys.Truth("total", well_known), toys.Truth("total", own.size)]
    coverage = [shares(data[form], truth, n) for truth in truths]
    if form == "data":
        return coverage, "feldman-cousins", toys.feldman_cousins(analysis, n_sm, data[form]), ("", "")
    n = toys.forms(analysis)["total"].chi2(n_sm).upper_limit(level)
    return coverage, "nuisance-on-total", n, shares(data["total"], truths[-1], n)


def texts(analysis, counts, components, covering, published):
    """Limits of one beam as text, a row of three for each of LIMITS."""
    form = analysis.sensitivity(counts, components)
    alone, profiled = (
        analysis.limits(counts, components, method) for method in ("one-at-a-time", "profiled")
    )
    any_limit = form.has_limit(analysis.level(1))
    yield [f"{float(text) * UNIT:.10e}" if text else "" for text in published]
    for limits in (alone, form.moduli(covering), profiled):
        yield [limit_text(p, limit, any_limit) for p, limit in zip(PARAMETERS, limits, strict=True)]


def together(path, name, reading):
    """Setup of a combination, and its limits as text, one moment at a time and profiled, a row of three each."""
    rows = [row for row in read_csv(path) if (row["experiment"], row["reading"]) == (name, reading)]
    by_method = [[row for row in rows if row["method"] == method] for method in ("one-at-a-time", "profiled")]
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
    files, blocks, well_known = job.by_name("counts"), job.blocks("toys"), parameters["error_on_total"]
    rows, lines = [], []
    for name, setup, group, block in parameters["shown"]:
        analysis, counts = Analysis(**block), read_counts(files[name], group)
        data = {form: read_coverage(blocks[name], f"{group}/{form}") for form in toys.forms(analysis)}
        n_sm = sum(n for n, _ in counts.values())
        coverage, method, n, covers = verdict(analysis, n_sm, data, well_known)
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
    heads = [
        "experiment",
        "setup",
        "beam",
        *LIMITS[:2],
        *(f"{case.replace('_', ' ')} rate" for case in CASES),
    ]
    heads += ["covers", "its coverage", "profiled"]
    table = tabulate(lines, heads, tablefmt="github", disable_numparse=True)
    level = percent(parameters["confidence_level"])
    numbers = dict(level=level, well_known=well_known, toys=parameters["toys"])
    page = PAGE.format(notes="".join(f"{note} " for note in parameters["notes"]), table=table, **numbers)
    write_text(job.output.md, page)


run(snakemake, main)
