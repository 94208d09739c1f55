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
    parameters, rows = job.parameters, []
    profiles, solar = job.by_name("profiles"), job.by_name("solar")
    for reading in parameters["readings"]:
        for name, (setups, beams) in parameters["experiments"].items():
            for setup in setups:
                for beam in beams:
                    rows += limits(profiles[name], reading, name, setup, beam)
        for name in parameters["solar"]:
            rows += limits(solar[name], reading, name, "current", "solar")
    write_csv(job.output[0], COLUMNS, rows)


run(snakemake, main)
