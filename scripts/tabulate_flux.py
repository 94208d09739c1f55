"""Moments of the spectra of one source -> results/fluxes/{source}.h5."""

import numpy as np

from cevns_tmm import flux, io
from cevns_tmm.units import MeV
from scripts.job import provenance, run, unique
from scripts.text import read_csv


def rows(path, spectrum):
    """Rows of one spectrum in a table of resources/."""
    return [row for row in read_csv(path) if row["spectrum"] == spectrum]


def reactor(block, below, above, cells):
    """Flux table of reactor antineutrinos for one choice of spectra."""
    fractions = block["fission_fractions"]
    points = {}
    for row in rows(below, block["spectrum_below_2MeV"]):
        weight = 1.0 if row["isotope"] == "all" else fractions.get(row["isotope"], 0.0)
        E = float(row["E_MeV"])
        points[E] = points.get(E, 0.0) + weight * float(row["per_MeV_per_fission"])
    coefficients = {
        row["isotope"]: [float(row[f"a{p}"]) for p in range(1, 7)]
        for row in rows(above, block["spectrum_above_2MeV"])
    }
    low = np.array(list(points)) * MeV, np.array(list(points.values()))
    return flux.reactor(low, fractions, coefficients, flux.E_SPLIT, block["E_max_MeV"] * MeV, cells)


def datasets(table):
    """A flux table as it stands in the file."""
    return {
        "edge": io.Data(table.edges / MeV, "MeV", "edges of the cells of the continuum"),
        "order": io.Data(flux.ORDERS, "1", "order k of a moment"),
        "moment": io.Data(
            table.moments * MeV ** np.reshape(flux.ORDERS, (3, 1)),
            "MeV^-k",
            "M_k, integral of f(E) E^-k of the continuum above each edge",
            ("order", "edge"),
        ),
        "lower": io.Data(
            table.lower * MeV ** (1 + np.reshape(flux.ORDERS, (3, 1))),
            "MeV^-(1+k)",
            "f(E) E^-k at the lower edge of each cell",
        ),
        "upper": io.Data(
            table.upper * MeV ** (1 + np.reshape(flux.ORDERS, (3, 1))),
            "MeV^-(1+k)",
            "f(E) E^-k at the upper edge of each cell",
        ),
        "breakpoint": io.Data(
            table.breakpoints / MeV, "MeV", "energies where f or its slope jumps, lines included"
        ),
        "line_energy": io.Data(table.line_energy / MeV, "MeV", "energies of the lines"),
        "line_weight": io.Data(
            table.line_weight, "1", "share of each line in the spectrum", ("line_energy",)
        ),
    }


def main(snakemake):
    first, same = unique(snakemake.params.spectra)
    groups = {}
    for reading, block in first.items():
        for component in flux.COMPONENTS[block["kind"]]:
            if block["kind"] == "reactor":
                table = reactor(
                    block, snakemake.input.below, snakemake.input.above, snakemake.params.cells
                )
            else:
                table = flux.pion_decay_at_rest(component, snakemake.params.cells)
            groups[f"{reading}/{component}"] = datasets(table)
    groups |= {reading: io.Link(other) for reading, other in same.items()}
    description = f"Moments of the normalised spectra of {snakemake.wildcards.source}, by reading"
    io.write(snakemake.output[0], groups, description, provenance(snakemake))


if __name__ == "__main__":
    run(snakemake, main)
