"""What each block of Table II is worth -> results/honest_limits.{csv,md}."""

import numpy as np
from tabulate import tabulate

from cevns_tmm import toys
from cevns_tmm.analysis import Analysis
from cevns_tmm.magnetic_moment import PARAMETERS
from cevns_tmm.statistics import percent
from cevns_tmm.storage import read_counts, read_coverage, write_csv, write_text
from pipeline.job import run
from pipeline.published import UNIT, limit_text, table2

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

{level} limits on |Λ_i| in units of 1e-10 μ_B, i = 1, 2, 3, and their coverage when the limit is the truth: how often Δχ² of the truth
is within the level, and in parentheses how often the truth is not above the upper limit. The rate of all events is exact, well known
(to {well_known:g}), or known as the chi-squared has it (the error configured). The limit that covers is that of
Feldman and Cousins for data, and else has the nuisance on all events; its coverage is for the error configured. Profiled: the other
moments and all phases are free. {toys} toys for each number, or more. More: docs/limits.md.

{table}
"""


def shares(data, truth, n):
    """Coverage of the interval and the upper limit where the true events are nearest to ``n``."""
    found = toys.at_truth(data, truth)
    k = np.argmin(np.abs(found["n_em"] - n))
    return [found[kind][k] / found["toys"][k] for kind in KINDS]


def verdict(analysis, n_sm, data, well_known):
    """Coverage of the limit in each case, and of the limit that covers: (shares, name, events, shares)."""
    forms, own = toys.forms(analysis), toys.form(analysis)
    exact, size = toys.Truth("fixed"), toys.own_truth(analysis).size
    truths = exact, toys.Truth("total", well_known), toys.Truth("total", size)
    n = analysis.chi2(n_sm).upper_limit(analysis.level(1))
    found = [share for truth in truths for share in shares(data[own], truth, n)]
    if own == "data":
        return found, "feldman-cousins", toys.feldman_cousins(analysis, n_sm, data[own]), None
    n = forms["total"].chi2(n_sm).upper_limit(analysis.level(1))
    return found, "nuisance-on-total", n, shares(data["total"], truths[-1], n)


def entries(analysis, counts, beams, covering):
    """Limits by beam, a row of three for each of LIMITS but the published one, and whether there are any."""
    for beam, components in beams.items():
        form = analysis.sensitivity(counts, components)
        profiled = analysis.limits(counts, components, "profiled")
        limits = analysis.limits(counts, components), form.moduli(covering), profiled
        yield beam, limits, form.has_limit(analysis.level(1))


def main(job):
    parameters, published = job.parameters, table2()
    files, blocks, well_known = job.by_name("counts"), job.blocks("toys"), parameters["error_on_total"]
    rows, lines = [], []
    for name, setup, group, block in parameters["shown"]:
        analysis, counts = Analysis(**block), read_counts(files[name], group)
        data = {form: read_coverage(blocks[name], f"{group}/{form}") for form in toys.forms(analysis)}
        n_sm = sum(n for n, _ in counts.values())
        found, method, n, covers = verdict(analysis, n_sm, data, well_known)
        coverage, covers = ([f"{share:.3f}" for share in each or ()] for each in (found, covers))
        size = toys.own_truth(analysis).size
        for beam, limits, any_limit in entries(analysis, counts, parameters["beams"][name], n):
            three = [[published.get((name, setup, beam, p), "") for p in PARAMETERS]]
            three[0] = [f"{float(text) * UNIT:.10e}" if text else "" for text in three[0]]
            three += [
                [limit_text(p, x, any_limit) for p, x in zip(PARAMETERS, row, strict=True)] for row in limits
            ]
            for parameter, *each in zip(PARAMETERS, *three, strict=True):
                names = name, setup, beam, parameter
                rows.append(
                    [*names, *each, toys.form(analysis), size, *coverage, method, *(covers or ["", ""])]
                )
            lines.append([parameters["labels"][name], setup, beam, *map(shown, three[:2]), *pairs(coverage)])
            lines[-1] += [shown(three[2]), *(pairs(covers) or ["by construction"]), shown(three[3])]
    write_csv(job.output.csv, COLUMNS, rows)
    heads = [
        "experiment",
        "setup",
        "beam",
        *LIMITS[:2],
        *(f"{case.replace('_', ' ')} rate" for case in CASES),
    ]
    table = tabulate(
        lines, [*heads, "covers", "its coverage", "profiled"], tablefmt="github", disable_numparse=True
    )
    number = data[toys.form(analysis)]["toys"][0]
    page = PAGE.format(
        level=percent(analysis.confidence_level), well_known=well_known, toys=number, table=table
    )
    write_text(job.output.md, page)


def shown(limits):
    """Three limits in one cell, in units of Table II."""
    if not any(limits):
        return ""
    if len(set(limits)) == 1 and limits[0] in ("inf", "unbounded"):
        return limits[0]
    return " / ".join(text if text == "unbounded" else f"{float(text) / UNIT:.4g}" for text in limits)


def pairs(shares):
    """Coverage of intervals with that of upper limits in parentheses."""
    return [f"{one} ({two})" for one, two in zip(shares[::2], shares[1::2], strict=True)]


run(snakemake, main)
