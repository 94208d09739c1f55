"""Fails if a check of results/check.csv did, or a result is not as it was written; says which."""

from scripts.job import run
from scripts.seals import check_all
from scripts.text import read_csv


def main(snakemake):
    check_all()
    failed = [row for row in read_csv(snakemake.input.csv) if row["passed"] == "no"]
    if failed:
        lines = [f"  {row['check']}: {row['name']}: {row['found']}" for row in failed]
        shown = lines[:40] + ([f"  and {len(lines) - 40} more"] if len(lines) > 40 else [])
        table = "\n".join(shown)
        raise ValueError(f"{len(failed)} checks failed, all in {snakemake.input.md}:\n{table}\n")


if __name__ == "__main__":
    run(snakemake, main)
