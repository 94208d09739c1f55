"""Every reading against Table II, entry by entry -> results/comparison.{csv,md}."""

from tabulate import tabulate

from cevns_tmm.storage import read_csv, write_csv, write_text
from pipeline.job import run
from pipeline.published import COMPARED, compare, summary, table2


def main(job):
    rows = list(compare(read_csv(job.input.limits), table2()))
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
    write_csv(job.output.csv, COMPARED, text)
    heads = ["reading", "entries within tolerance", "mean finite ratio", "worst ratio"]
    write_text(job.output.md, tabulate(summary(rows), heads, tablefmt="github") + "\n")


if __name__ == "__main__":
    run(snakemake, main)
