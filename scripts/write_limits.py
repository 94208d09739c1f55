"""All limits -> results/limits.csv."""

from cevns_tmm import io
from scripts.job import run
from scripts.text import write_csv

COLUMNS = ["reading", "experiment", "setup", "component", "parameter", "limit_muB"]


def limits(path, reading, experiment, setup, component):
    """Rows of one experiment, setup, reading and beam."""
    data = io.read(path, f"{setup}/{reading}/{component}", {"parameter": "1", "limit": "mu_B"})
    for parameter, limit in zip(data["parameter"], data["limit"], strict=True):
        yield [reading, experiment, setup, component, parameter, f"{limit:.10e}"]


def main(snakemake):
    params, profiles = snakemake.params, snakemake.input.profiles
    rows = []
    for reading in params.readings:
        for (experiment, (setups, beams)), path in zip(
            params.experiments.items(), profiles, strict=True
        ):
            for setup in setups:
                for beam in beams:
                    rows += limits(path, reading, experiment, setup, beam)
        for name, path in zip(params.solar, snakemake.input.solar, strict=True):
            rows += limits(path, reading, name, "current", "solar")
    write_csv(snakemake.output[0], COLUMNS, rows)


if __name__ == "__main__":
    run(snakemake, main)
