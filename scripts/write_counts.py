"""All event counts -> results/counts.csv."""

from cevns_tmm.storage import read_counts, write_csv
from pipeline.job import run

COLUMNS = ["reading", "experiment", "setup", "component", "n_sm", "n_em_per_muB2"]


def main(job):
    rows = []
    for reading in job.parameters["readings"]:
        for (experiment, setups), path in zip(
            job.parameters["setups"].items(), job.input.counts, strict=True
        ):
            for setup in setups:
                for component, (n_sm, n_em) in read_counts(path, f"{setup}/{reading}").items():
                    numbers = [f"{n_sm:.10e}", f"{n_em:.10e}"]
                    rows.append([reading, experiment, setup, component, *numbers])
    write_csv(job.output[0], COLUMNS, rows)


run(snakemake, main)
