"""A few points of all maps -> results/maps.csv."""

import numpy as np

from cevns_tmm.storage import read_map, write_csv
from pipeline.job import run

COLUMNS = ["map", "parameter", "threshold_keV", "exposure_kg_d", "limit_muB"]
POINTS = 5
"""Thresholds and exposures of each map in the table, its ends among them."""


def main(job):
    rows = []
    for name, path in job.by_name("maps").items():
        thresholds, exposures, found = read_map(path)
        shown = np.unique(np.linspace(0, len(thresholds) - 1, POINTS).round().astype(int))
        for parameter, limits in found.items():
            for i in shown:
                for j in shown:
                    values = thresholds[i], exposures[j], limits[i, j]
                    rows.append([name, parameter, *(f"{value:.10e}" for value in values)])
    write_csv(job.output[0], COLUMNS, rows)


run(snakemake, main)
