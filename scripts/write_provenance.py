"""Versions and hashes of everything a run depends on -> results/provenance.csv."""

import platform
from importlib.metadata import version

from cevns_tmm import __version__
from cevns_tmm.io import sha256
from scripts.job import run
from scripts.text import write_csv

PACKAGES = ("h5py", "matplotlib", "numpy", "periodictable", "scipy", "snakemake", "tabulate")


def main(snakemake):
    rows = [["cevns-tmm", __version__], ["Python", platform.python_version()]]
    rows += [[name, version(name)] for name in PACKAGES]
    rows += [[path, f"sha256 {sha256(path)}"] for path in snakemake.input.files]
    write_csv(snakemake.output[0], ["what", "version"], rows)


if __name__ == "__main__":
    run(snakemake, main)
