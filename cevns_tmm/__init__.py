"""Majorana neutrino transition magnetic moments from coherent elastic neutrino-nucleus scattering.

The physics of arXiv:1905.03750 as plain functions of explicit arguments: no file names, no
configuration, no workflow. Equation numbers in the docstrings are those of that paper (v2).
Quantities carry the units of :mod:`cevns_tmm.units`; magnetic moments are in Bohr magnetons.
"""

__version__ = "0.1.0"
