"""Fails if a check of results/check.csv did; says which."""

from cevns_tmm.storage import read_csv
from pipeline.job import run


def main(job):
    failed = [row for row in read_csv(job.input.csv) if row["passed"] == "no"]
    if failed:
        lines = [f"  {row['check']}: {row['name']}: {row['found']}" for row in failed]
        shown = lines[:40] + ([f"  and {len(lines) - 40} more"] if len(lines) > 40 else [])
        table = "\n".join(shown)
        raise ValueError(f"{len(failed)} checks failed, all in {job.input.md}:\n{table}\n")


run(snakemake, main)
