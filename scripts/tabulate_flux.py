"""Moments of the spectra of one source -> results/fluxes/{source}.h5."""

from cevns_tmm.source import Source
from cevns_tmm.storage import Link, flux_datasets
from pipeline.job import run, unique


def main(job):
    first, same = unique(job.parameters["spectra"])
    groups = {
        f"{reading}/{component}": flux_datasets(table)
        for reading, spectrum in first.items()
        for component, table in Source(**spectrum).flux_tables(job.parameters["cells"]).items()
    }
    groups |= {reading: Link(other) for reading, other in same.items()}
    source = job.parameters["source"]
    job.write(job.output[0], groups, f"Moments of the normalised spectra of {source}, by reading")


run(snakemake, main)
