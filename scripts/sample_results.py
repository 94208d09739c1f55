"""A few values of every dataset -> results/samples.csv, which the reference keeps."""

import csv

import h5py
import numpy as np

from cevns_tmm.storage import write_csv
from pipeline.job import run
from pipeline.plan import relative

POINTS = 4
STEPS = 0.618034, 0.754878, 0.569840  # of a Kronecker sequence along each axis
LINES = 150  # of a table


def sample(values):
    """Some values of an array of any shape, as text; all of a short list of names."""
    if values.dtype.kind in "SO":
        return " ".join(name.decode() for name in values.ravel())
    places = dict.fromkeys(
        tuple(int(size * (n * step % 1)) for size, step in zip(values.shape, STEPS, strict=False))
        for n in range(1, POINTS + 1)
    )
    digits = 6 if values.dtype == np.float32 else 11
    return " ".join(f"{values[place]:.{digits}g}" for place in places) if values.size else "none"


def datasets(path):
    """(dataset, its unit, shape and some of its values) of an HDF5 file; linked groups once."""
    found = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            shape = "x".join(map(str, item.shape)) or "scalar"
            found.append((name, f"{item.attrs['unit']} {shape} {sample(item[()])}"))

    with h5py.File(path, "r", locking=False) as file:
        file.visititems(visit)
    return found


def lines(path):
    """(line number, its text) of some lines of a CSV file, the first and the last among them."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    numbers = np.unique(np.linspace(0, len(rows) - 1, LINES).astype(int))
    return [(f"line {n + 1} of {len(rows)}", " ".join(rows[n])) for n in numbers]


def main(job):
    rows = [
        [relative(path).removeprefix("results/"), part, values]
        for path in job.input.results
        for part, values in (datasets if path.endswith(".h5") else lines)(path)
    ]
    write_csv(job.output[0], ["file", "part", "values"], rows)


run(snakemake, main)
