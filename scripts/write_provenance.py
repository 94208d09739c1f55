"""What the results say of themselves: code, configuration, packages -> results/provenance.csv."""

import json

import h5py

from cevns_tmm.storage import write_csv
from pipeline.job import run


def said(paths, name):
    """What the files say under ``name``, in the order in which they say it first."""
    found = {}
    for path in paths:
        with h5py.File(path, "r", locking=False) as file:
            for key, value in json.loads(file.attrs[name]).items():
                found.setdefault(key, set()).add(value)
    different = [key for key, values in found.items() if len(values) > 1]
    if different:
        raise ValueError(f"results differ in {name} of {', '.join(different)}; run again")
    return {key: values.pop() for key, values in found.items()}


def main(job):
    rows = [
        ["git commit", job.parameters["commit"]],
        ["configuration", f"sha256 {job.parameters['configuration']}"],
        *said(job.input.files, "versions").items(),
        *job.parameters["packages"].items(),
        *([name, f"sha256 {value}"] for name, value in said(job.input.files, "data").items()),
    ]
    write_csv(job.output[0], ["what", "version"], rows)


run(snakemake, main)
