"""Table II: reproduced and published limits -> results/table2.{csv,md,tex}."""

import math

from tabulate import tabulate

from cevns_tmm.statistics import percent
from cevns_tmm.storage import read_csv, write_csv, write_text
from pipeline.job import run
from pipeline.published import UNIT, number, one_at_a_time, table2

TEX = r"""\documentclass{article}
\usepackage[a4paper,landscape,margin=1.5cm]{geometry}
\usepackage{booktabs}
\pagestyle{empty}
\begin{document}
\footnotesize
\setlength{\tabcolsep}{4pt}
\centering
LEVEL limits on $|\Lambda_i|$ in units of $10^{-10}\,\mu_B$

\medskip
BODY
\end{document}
"""


def digits(limit):
    """A limit in units of 1e-10 mu_B with four significant digits."""
    if math.isinf(limit):
        return "inf"
    decimals = max(0, 3 - math.floor(math.log10(limit)))
    return f"{limit:.{decimals}f}"


def entries(limits, published, reading):
    """Rows of the table, one per entry, in the order of the limits; the full beam is not in Table II."""
    values = {}
    for row in one_at_a_time(limits):
        key = (row["experiment"], row["setup"], row["beam"], row["parameter"])
        values.setdefault(key, {})[row["reading"]] = number(row["limit_muB"]) / UNIT
    for key, by_reading in values.items():
        if key[2] != "full":
            value, text = by_reading[reading], published.get(key)
            ratio = value / float(text) if text else math.nan
            others = [by_reading[r] for r in by_reading if r != reading]
            yield key, value, text, ratio, others


def cells(row):
    """One entry as text: reproduced, published, ratio, other readings."""
    _, value, text, ratio, others = row
    ratio = "" if math.isnan(ratio) else f"{ratio:.3f}"
    return [digits(value), text or "", ratio, *map(digits, others)]


def wide(table, labels):
    """One line per experiment, setup and beam, with the three entries side by side."""
    lines = {}
    for row in table:
        experiment, setup, beam, _ = row[0]
        line = lines.setdefault(row[0][:3], [beam, labels.get(experiment, experiment), setup])
        line.extend(cells(row))
    order = ["prompt", "delayed", "reactor", "solar"]
    return sorted(lines.values(), key=lambda line: order.index(line[0]))


def latex(rows, heads, names):
    """The table as a LaTeX tabular of package booktabs."""
    width, first = len(names), len(heads) + 1
    groups = [rf"\multicolumn{{{width}}}{{c}}{{$|\Lambda_{i}|$}}" for i in (1, 2, 3)]
    rules = [
        rf"\cmidrule(lr){{{start}-{start + width - 1}}}" for start in range(first, first + 3 * width, width)
    ]
    rows = [[r"$\infty$" if cell == "inf" else cell for cell in row] for row in rows]
    lines = [
        rf"\begin{{tabular}}{{{'l' * len(heads)}{'r' * 3 * width}}}",
        r"\toprule",
        " & ".join([""] * len(heads) + groups) + r" \\",
        "".join(rules),
        " & ".join([*heads, *names * 3]) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def main(job):
    reading = job.parameters["reading"]
    level = percent(job.parameters["confidence_level"])
    limits = read_csv(job.input.limits)
    table = list(entries(limits, table2(), reading))
    others = [r for r in dict.fromkeys(row["reading"] for row in limits) if r != reading]
    names = [reading, "published", "ratio", *others]
    write_csv(
        job.output.csv,
        ["experiment", "setup", "beam", "parameter", *names],
        [[*row[0], *cells(row)] for row in table],
    )
    rows = wide(table, job.parameters["labels"])
    heads = ["beam", "experiment", "setup"]
    text = tabulate(
        rows,
        heads + [f"Λ{i} {name}" for i in (1, 2, 3) for name in names],
        tablefmt="github",
        disable_numparse=True,
    )
    write_text(job.output.md, f"{level} limits on |Λ_i| in units of 1e-10 μ_B\n\n{text}\n")
    body = latex(rows, heads, names)
    write_text(job.output.tex, TEX.replace("BODY", body).replace("LEVEL", level.replace("%", r"\%")))


run(snakemake, main)
