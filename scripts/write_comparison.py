"""Every reading against Table II, entry by entry -> results/comparison.{csv,md}."""

import math

from tabulate import tabulate

from scripts.compared import UNIT, published_entries, tolerance
from scripts.job import run
from scripts.text import read_csv, write_csv, write_text

COLUMNS = [
    "reading",
    "experiment",
    "setup",
    "component",
    "parameter",
    "reproduced",
    "published",
    "ratio",
    "tolerance",
    "within",
]


def compare(limits, published):
    """Rows of the comparison."""
    for row in limits:
        key = tuple(row[k] for k in COLUMNS[1:5])
        text = published.get(key)
        if text is not None:
            value, allowed = float(row["limit_muB"]) / UNIT, tolerance(text)
            within = abs(value - float(text)) <= allowed
            yield [row["reading"], *key, value, text, value / float(text), allowed, within]


def summary(rows):
    """One row per reading: entries within tolerance, mean and worst ratio."""
    for reading in dict.fromkeys(row[0] for row in rows):
        mine = [row for row in rows if row[0] == reading]
        ratios = [row[7] for row in mine if math.isfinite(row[7])]
        worst = max(mine, key=lambda row: abs(math.log(row[7])))
        name = " ".join(worst[1:5])
        yield [
            reading,
            f"{sum(row[9] for row in mine)} of {len(mine)}",
            f"{math.exp(sum(map(math.log, ratios)) / len(ratios)):.3f}",
            f"{worst[7]:.3f} ({name})",
        ]


def main(snakemake):
    rows = list(
        compare(read_csv(snakemake.input.limits), published_entries(snakemake.input.published))
    )
    text = [
        [
            *row[:5],
            f"{row[5]:.6g}",
            row[6],
            f"{row[7]:.4f}",
            f"{row[8]:.4g}",
            "yes" if row[9] else "no",
        ]
        for row in rows
    ]
    write_csv(snakemake.output.csv, COLUMNS, text)
    heads = ["reading", "entries within tolerance", "mean finite ratio", "worst ratio"]
    write_text(snakemake.output.md, tabulate(summary(rows), heads, tablefmt="github") + "\n")


if __name__ == "__main__":
    run(snakemake, main)
