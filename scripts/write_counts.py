"""All event counts -> results/counts.csv."""

from cevns_tmm.storage import read_counts, write_csv
from pipeline.job import run

COLUMNS = ["reading", "experiment", "setup", "component", "n_sm", "n_em_per_muB2"]


def main(job):
    rows, counts = [], job.by_name("counts")
    for reading in job.parameters["readings"]:
        for experiment, setups in job.parameters["setups"].items():
            for setup in setups:
                for component, (n_sm, n_em) in read_counts(counts[experiment], f"{setup}/{reading}").items():
                    numbers = [f"{n_sm:.10e}", f"{n_em:.10e}"]
                    rows.append([reading, experiment, setup, component, *numbers])
    write_csv(job.output[0], COLUMNS, rows)


run(snakemake, main)
