"""Table II and its comparison with the published limits -> results/table2.{csv,md,tex}, comparison.{csv,md}."""

import math
from itertools import chain

from tabulate import tabulate

from cevns_tmm.magnetic_moment import PARAMETERS
from cevns_tmm.statistics import percent
from cevns_tmm.storage import read_csv, write_csv, write_text
from pipeline.job import run
from pipeline.published import (
    KEY,
    SUMMARY,
    UNIT,
    compare,
    like_the_paper,
    number,
    one_at_a_time,
    summary,
    table2,
)

BEAMS = ("prompt", "delayed", "full", "reactor", "solar", "combined")
"""Blocks of the table, in order."""

TEX = r"""% \input this in a document with \usepackage{booktabs,dcolumn}.
\begin{table}
\caption{CAPTION}
\label{tab:limits}
\centering
\begin{tabular}{llrrr}
\toprule
beam & experiment & $|\Lambda_1|$ & $|\Lambda_2|$ & $|\Lambda_3|$ \\
LIMITS
\bottomrule
\end{tabular}
\end{table}

\begin{table}
\caption{The limits of Table~\ref{tab:limits} beside the published ones (pub.).}
\label{tab:limits-compared}
\centering
\footnotesize
\setlength{\tabcolsep}{3pt}
\newcolumntype{d}{D{.}{.}{2.5}}
\newcommand{\head}[1]{\multicolumn{1}{c}{#1}}
\begin{tabular}{lll*{6}{d}}
\toprule
& & & \multicolumn{2}{c}{$|\Lambda_1|$} & \multicolumn{2}{c}{$|\Lambda_2|$} & \multicolumn{2}{c}{$|\Lambda_3|$} \\
\cmidrule(lr){4-5} \cmidrule(lr){6-7} \cmidrule(lr){8-9}
beam & experiment & setup & \head{here} & \head{pub.} & \head{here} & \head{pub.} & \head{here} & \head{pub.} \\
COMPARED
\bottomrule
\end{tabular}
\end{table}
"""


def digits(limit, figures=4):
    """A limit in units of 1e-10 mu_B with some significant figures."""
    if math.isinf(limit):
        return "inf"
    return f"{limit:.{max(0, figures - 1 - math.floor(math.log10(limit)))}f}"


def tex(text):
    """Text as LaTeX has it."""
    for character in "\\&%_#$":
        text = text.replace(character, rf"\{character}" if character != "\\" else r"\textbackslash ")
    return text


def table(rows, heads):
    """A Markdown table of text."""
    return tabulate(rows, heads, tablefmt="github", disable_numparse=True)


def tex_rows(rows):
    """Rows of a LaTeX table, with a rule where the first cell is another."""
    beam, lines = None, []
    for row in rows:
        if row[0] != beam:
            beam = row[0]
            lines.append(r"\midrule")
        cells = (r"\multicolumn{1}{c}{$\infty$}" if cell == "inf" else tex(cell) for cell in row)
        lines.append(" & ".join(cells).replace("inf [inf]", r"$\infty$ [$\infty$]") + r" \\")
    return "\n".join(lines)


def caption(level, reading, notes):
    """What the table holds; ``level`` maps each limit to its confidence level."""
    of = {}
    for key, text in level.items():
        of.setdefault(percent(float(text)), {})[key[0]] = None
    levels = " and ".join(
        f"{text} ({', '.join(names)})" if len(of) > 1 else text for text, names in of.items()
    )
    words = "one moment at a time, in square brackets those of the future setups"
    return " ".join([f"Limits at {levels} in units of {UNIT:g} μ_B, {words}; reading {reading}.", *notes])


def main(job):
    reading, labels = job.parameters["reading"], job.parameters["labels"]
    rows = [row for row in read_csv(job.input.limits) if row["experiment"] not in job.parameters["hidden"]]
    rows = sorted(one_at_a_time(rows), key=lambda row: BEAMS.index(row["beam"]))
    limits, level = {}, {}
    for row in rows:
        key = tuple(row[k] for k in KEY)
        limits.setdefault(key, {})[row["reading"]] = number(row["limit_muB"]) / UNIT
        level[key] = row["confidence_level"]
    by_reading = compare(rows, table2())
    entries = {entry.key: entry for entry in by_reading.get(reading, [])}
    others = [other for other in dict.fromkeys(row["reading"] for row in rows) if other != reading]

    def cells(key):
        """A limit, the published one, their ratio, and the limits of other readings, as text."""
        known = [entries[key].printed, f"{entries[key].ratio:.3f}"] if key in entries else ["", ""]
        return [digits(limits[key][reading]), *known, *(digits(limits[key][other]) for other in others)]

    short = like_the_paper({key: digits(limit[reading], 3) for key, limit in limits.items()})
    short = [[beam, labels.get(name, name), *cells] for beam, name, *cells in short]
    wide = [
        ([beam, labels.get(name, name), setup], [cells((name, setup, beam, p)) for p in PARAMETERS])
        for name, setup, beam in dict.fromkeys(key[:3] for key in limits)
    ]
    title = caption(level, reading, job.parameters["notes"])
    names = [reading, "published", "ratio", *others]
    write_csv(job.output.csv, [*KEY, *names, "confidence_level"], [[*k, *cells(k), level[k]] for k in limits])
    moments = [f"Λ{i}" for i in (1, 2, 3)]
    beside = [f"{moment} {name}" for moment in moments for name in names]
    as_paper = table(short, ["beam", "experiment", *moments])
    rows = [[*line, *chain(*parts)] for line, parts in wide]
    compared = table(rows, ["beam", "experiment", "setup", *beside])
    write_text(job.output.md, f"{title}\n\n{as_paper}\n\nBeside the published limits:\n\n{compared}\n")
    text = TEX.replace("LIMITS", tex_rows(short)).replace(
        "CAPTION", tex(title).replace("1e-10 μ\\_B", r"$10^{-10}\,\mu_B$")
    )
    compared = tex_rows(line + [c for part in parts for c in part[:2]] for line, parts in wide)
    write_text(job.output.tex, text.replace("COMPARED", compared))

    heads = ["reading", *KEY, "reproduced", "published", "ratio", "tolerance", "within"]
    rows = []
    for e in chain(*by_reading.values()):
        numbers = f"{e.value:.6g}", e.printed, f"{e.ratio:.4f}", f"{e.tolerance:.4g}"
        rows.append([e.reading, *e.key, *numbers, "yes" if e.is_within else "no"])
    write_csv(job.output.comparison, heads, rows)
    verdict = [[name, *summary(found)] for name, found in by_reading.items()]
    write_text(job.output.verdict, f"{table(verdict, ['reading', *SUMMARY])}\n")


run(snakemake, main)
