"""Majorana neutrino transition magnetic moments from coherent elastic neutrino-nucleus scattering.

:class:`Study` is the front door: it reads a configuration and gives out experiments with their counts,
limits and contours. The modules below it hold the physics of arXiv:1905.03750 as plain functions of explicit
arguments; equation numbers in the docstrings are those of that paper (v2). Quantities carry the units of
:mod:`cevns_tmm.units`, or the unit in their name; magnetic moments are in Bohr magnetons.
"""

from importlib import import_module

__version__ = "0.2.0"

__all__ = ["ConfigError", "Study"]

_HOME = {"ConfigError": "cevns_tmm.errors", "Study": "cevns_tmm.study"}


def __getattr__(name):
    """The front door, imported when it is used: the jobs of the pipeline need only single modules."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
