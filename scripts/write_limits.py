"""All limits -> results/limits.csv."""

from cevns_tmm.storage import read, read_free_limits, write_csv
from pipeline.job import run
from pipeline.published import limit_text

COLUMNS = [
    *("reading", "experiment", "setup", "beam", "method", "parameter"),
    *("limit_muB", "confidence_level"),
]
LIMITS = {"parameter": "1", "limit": "mu_B", "confidence_level": "1", "has_limit": "1"}


def limits(path, reading, experiment, setup, beam, free):
    """Rows of one experiment, setup, reading and beam; ``free`` adds those with other moments free."""
    group = f"{setup}/{reading}/{beam}"
    data = read(path, group, LIMITS)
    found = [("one-at-a-time", *row) for row in zip(data["parameter"], data["limit"], strict=True)]
    if free:
        found += read_free_limits(path, group)
    for method, parameter, limit in found:
        names = reading, experiment, setup, beam, method, parameter
        yield [*names, limit_text(parameter, limit, data["has_limit"]), f"{data['confidence_level']:g}"]


def main(job):
    parameters, rows = job.parameters, []
    free = parameters["free"]
    profiles, solar = map(job.by_name, ("profiles", "solar"))
    for reading in parameters["readings"]:
        for name, (setups, beams) in parameters["experiments"].items():
            for setup in setups:
                for beam in beams:
                    rows += limits(profiles[name], reading, name, setup, beam, free)
        for name in parameters["solar"]:
            rows += limits(solar[name], reading, name, "current", "solar", free)
    write_csv(job.output[0], COLUMNS, rows)


run(snakemake, main)
