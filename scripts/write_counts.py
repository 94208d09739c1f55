"""All event counts -> results/counts.csv."""

from cevns_tmm import io
from scripts.job import run
from scripts.text import write_csv

COLUMNS = ["reading", "experiment", "setup", "component", "n_sm", "n_em_per_muB2"]


def main(snakemake):
    rows = []
    for reading in snakemake.params.readings:
        for (experiment, setups), path in zip(
            snakemake.params.setups.items(), snakemake.input.counts, strict=True
        ):
            for setup in setups:
                units = {"component": "1", "n_sm": "1", "n_em": "1/mu_B^2"}
                data = io.read(path, f"{setup}/{reading}", units)
                for component, n_sm, n_em in zip(*data.values(), strict=True):
                    numbers = [f"{n_sm:.10e}", f"{n_em:.10e}"]
                    rows.append([reading, experiment, setup, component, *numbers])
    write_csv(snakemake.output[0], COLUMNS, rows)


if __name__ == "__main__":
    run(snakemake, main)
