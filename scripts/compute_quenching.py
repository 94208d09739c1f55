"""Quenching factor against recoil energy -> results/quenching.h5."""

import numpy as np

from cevns_tmm import io
from cevns_tmm.nuclei import isotope
from cevns_tmm.quenching import quenching_factor
from cevns_tmm.units import keV
from scripts.job import provenance, run


def main(snakemake):
    T = np.linspace(0, snakemake.params.T_max_keV, snakemake.params.points)
    nuclides = [isotope(name) for name in snakemake.params.nuclides]
    datasets = {
        "isotope": io.Data([i.name for i in nuclides], "1", "isotopes"),
        "T": io.Data(T, "keV", "nuclear recoil energy"),
        "Q": io.Data(
            [quenching_factor(T * keV, i.Z, i.A, snakemake.params.kappa_scale) for i in nuclides],
            "1",
            "quenching factor of Eq. (27)",
            ("isotope", "T"),
        ),
    }
    description = "Lindhard quenching factor of Eq. (27)"
    io.write(snakemake.output[0], {"quenching": datasets}, description, provenance(snakemake))


if __name__ == "__main__":
    run(snakemake, main)
