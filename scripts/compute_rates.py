"""Rates and events of one experiment -> results/rates/{experiment}.h5, results/counts/{experiment}.h5."""

from cevns_tmm.detector import Detector
from cevns_tmm.source import Source
from cevns_tmm.storage import Link, count_datasets, rate_datasets, read_flux
from pipeline.job import run, unique


def main(job):
    parameters = job.parameters
    first, same = unique(parameters["setups"])
    rates, counts = {}, {}
    for group, setup in first.items():
        reading = group.split("/")[1]
        source, detector = Source(**setup["source"]), Detector(**setup["detector"])
        fluxes = {c: read_flux(job.input.flux, f"{reading}/{c}") for c in source.components}
        table = detector.rates(source, fluxes, parameters["nodes"])
        band = [shifted.rates(source, fluxes, parameters["nodes"]) for shifted in detector.band()]
        rates[group], counts[group] = rate_datasets(table), count_datasets(table, band)
    links = {group: Link(other) for group, other in same.items()}
    name = parameters["experiment"]
    description = f"Events of {name} above threshold, by setup and reading"
    job.write(job.output.counts, counts | links, description)
    if hasattr(job.output, "rates"):  # the audit keeps only counts
        description = f"Differential rates of {name}, by setup and reading"
        job.write(job.output.rates, rates | links, description)


run(snakemake, main)
