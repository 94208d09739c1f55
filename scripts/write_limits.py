"""All limits -> results/limits.csv."""

from cevns_tmm.storage import read, write_csv
from pipeline.job import run

COLUMNS = [
    *("reading", "experiment", "setup", "beam", "method", "parameter"),
    *("limit_muB", "confidence_level"),
]


def limits(path, reading, experiment, setup, beam):
    """Rows of one experiment, setup, reading and beam."""
    units = {"parameter": "1", "limit": "mu_B", "confidence_level": "1"}
    data = read(path, f"{setup}/{reading}/{beam}", units)
    for parameter, limit in zip(data["parameter"], data["limit"], strict=True):
        names = reading, experiment, setup, beam, "one-at-a-time", parameter
        yield [*names, f"{limit:.10e}", f"{data['confidence_level']:g}"]


def main(job):
    parameters = job.parameters
    rows = []
    for reading in parameters["readings"]:
        for (experiment, (setups, beams)), path in zip(
            parameters["experiments"].items(), job.input.profiles, strict=True
        ):
            for setup in setups:
                for beam in beams:
                    rows += limits(path, reading, experiment, setup, beam)
        for name, path in zip(parameters["solar"], job.input.solar, strict=True):
            rows += limits(path, reading, name, "current", "solar")
    write_csv(job.output[0], COLUMNS, rows)


run(snakemake, main)
