"""Quenching factor against recoil energy -> results/quenching.h5."""

import numpy as np

from cevns_tmm.nuclei import isotope
from cevns_tmm.quenching import quenching_factor
from cevns_tmm.storage import Data
from cevns_tmm.units import keV
from pipeline.job import run


def main(job):
    parameters = job.parameters
    T = np.linspace(0, parameters["T_max_keV"], parameters["points"])
    nuclides = [isotope(name) for name in parameters["nuclides"]]
    Q = [quenching_factor(T * keV, i.Z, i.A, parameters["kappa_scale"]) for i in nuclides]
    datasets = {
        "isotope": Data([i.name for i in nuclides], "1", "isotopes"),
        "T": Data(T, "keV", "nuclear recoil energy"),
        "Q": Data(Q, "1", "quenching factor of Eq. (27)", ("isotope", "T")),
    }
    job.write(job.output[0], {"quenching": datasets}, "Lindhard quenching factor of Eq. (27)")


run(snakemake, main)
