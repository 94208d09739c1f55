"""Neutrino scattering on the electrons of a target, an additional channel beside the nucleus.

Electrons are free, but only those bound by less than the energy T that is transferred take part ("stepping").
In xenon this overestimates the rate: many-body calculations are 20-25 % lower below 5 keV (C.-C. Hsieh et al.,
Phys. Rev. D100 (2019) 073001, arXiv:1903.06085). Both cross sections are sums of powers of the neutrino energy, as in
:mod:`cevns_tmm.cross_section`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cevns_tmm import constants as const
from cevns_tmm import tables
from cevns_tmm.annotations import Curve, Numbers
from cevns_tmm.cross_section import E_min, T_max
from cevns_tmm.nuclei import element
from cevns_tmm.rates import RateTable, quadrature
from cevns_tmm.units import eV

if TYPE_CHECKING:
    from cevns_tmm.flux import FluxTable
    from cevns_tmm.nuclei import Isotope

BINDINGS = Path(__file__).parent / "data" / "electron_bindings.csv"
"""Binding energies of the subshells of each element."""

_IN_SHELL = {"L": (2, 2, 4), "M": (2, 2, 4, 4, 6), "N": (2, 2, 4, 4, 6, 6, 8), "O": (2, 2, 4)}
ELECTRONS = {"K": 2} | {f"{shell}{i}": n for shell, ns in _IN_SHELL.items() for i, n in enumerate(ns, 1)}
"""Electrons in each closed subshell, 2j + 1."""


@cache
def _bindings():
    columns = {
        "element": tables.name,
        "shell": tables.one_of(*ELECTRONS),
        "binding_eV": tables.number(0, strict=True),
    }
    found = {}
    for (symbol, shell), row in tables.unique(BINDINGS, columns, ["element", "shell"]).items():
        electrons = min(ELECTRONS[shell], element(symbol).number)  # hydrogen has one
        found.setdefault(symbol, []).append((electrons, row["binding_eV"] * eV))
    return {symbol: np.array(rows).T for symbol, rows in found.items()}


def binding_energies(symbol: str) -> tuple[np.ndarray, np.ndarray]:
    """Electrons and binding energies (energy) of the inner subshells of an element, each shape (s,).

    ValueError for an element without data.

    >>> electrons, energies = binding_energies("Ge")
    >>> int(electrons[0]), round(float(energies[0] / eV))
    (2, 11103)
    """
    if symbol not in _bindings():
        raise ValueError(f"symbol: no binding energies of {symbol!r}; known are {', '.join(_bindings())}")
    return _bindings()[symbol]


def effective_charge(T: Numbers, symbol: str) -> np.ndarray:
    """Z_eff(T): electrons of an atom that are bound by no more than ``T`` (energy), shape of ``T``.

    >>> float(effective_charge(1000 * eV, "Ge"))
    22.0
    """
    electrons, energies = binding_energies(symbol)
    bound = np.asarray(T, float)[..., None] < energies
    return element(symbol).number - bound @ electrons


def couplings(component: str) -> tuple[float, float]:
    """Vector and axial coupling (g_V, g_A) of a flux component to electrons.

    2 sin² theta_W +- 1/2 and +- 1/2, the upper sign for nu_e, which have the charged current too; g_A changes
    sign for antineutrinos. Radiative corrections, a few per cent, are left out.
    """
    sign = 1 if component in ("nue", "nuebar") else -1
    return 2 * const.sin2_theta_W + sign / 2, (-sign if component.endswith("bar") else sign) / 2


def sm_coefficients(T: Numbers, symbol: str, component: str) -> np.ndarray:
    """C_0, C_1, C_2 of the Standard Model cross section on one atom, shape (3,) + T.shape.

    G_F² m_e/2 pi [(g_V + g_A)² + (g_V - g_A)² (1 - T/E)² - (g_V² - g_A²) m_e T/E²] Z_eff(T) = Sum_k C_k E^-k for
    the energy transfer ``T``; C_k has the unit area * energy^(k-1).
    """
    T = np.asarray(T, float)
    g_V, g_A = couplings(component)
    left, right, mixed = (g_V + g_A) ** 2, (g_V - g_A) ** 2, g_V**2 - g_A**2
    scale = const.hbar_c**2 * const.G_F**2 * const.m_e / (2 * np.pi) * effective_charge(T, symbol)
    return scale * np.stack([left + right + 0 * T, -2 * right * T, right * T**2 - mixed * const.m_e * T])


def em_coefficients(T: Numbers, symbol: str) -> np.ndarray:
    """C_0, C_1, C_2 of pi alpha²/m_e² (1/T - 1/E) Z_eff(T), the cross section for mu_nu = 1 mu_B.

    Shape (3,) + T.shape for the energy transfer ``T`` > 0; C_k has the unit area * energy^(k-1) per mu_B².
    """
    T = np.asarray(T, float)
    scale = np.pi * (const.hbar_c * const.alpha_EM / const.m_e) ** 2 * effective_charge(T, symbol)
    return np.stack([scale / T, -scale, 0 * T])


def electron_spectra(
    T: np.ndarray, atoms: Mapping[str, float], fluence: Mapping[str, float], fluxes: Mapping[str, FluxTable]
) -> tuple[np.ndarray, np.ndarray]:
    """dN/dT of every flux component on the electrons of every element at energy transfers ``T``, before acceptance.

    Arguments as in :func:`electron_rates`; ``T`` has shape (n,) (energy, > 0). Returns (sm, em), each of shape
    (component, element, n) (1/energy), ``em`` for mu_nu = 1 mu_B.
    """
    sm, em = np.zeros((2, len(fluence), len(atoms), len(T)))
    E = E_min(T, const.m_e)
    for c, (component, value) in enumerate(fluence.items()):
        M = fluxes[component].above(E)
        for i, (symbol, number) in enumerate(atoms.items()):
            sm[c, i] = number * value * np.sum(sm_coefficients(T, symbol, component) * M, axis=0)
            em[c, i] = number * value * np.sum(em_coefficients(T, symbol) * M, axis=0)
    return sm, em


def electron_rates(
    atoms: Mapping[str, float],
    window: tuple[float, float],
    efficiency: Curve,
    fluence: Mapping[str, float],
    fluxes: Mapping[str, FluxTable],
    nodes: int = 16,
) -> RateTable:
    """Spectra of the energy transferred to electrons, all of it seen as ionisation.

    Parameters
    ----------
    atoms : mapping of element symbol to number of atoms
    window : lowest and highest energy (energies, electron-equivalent); the highest may be ``inf``
    efficiency : callable of energies (n,), with ``breakpoints()``; what it gives is of shape (n,) or, for each bin, (b, n)
    fluence : mapping component -> neutrinos per area over the whole exposure
    fluxes : mapping component -> FluxTable
    nodes : Gauss-Legendre nodes per panel

    Returns
    -------
    RateTable with the electrons of elements in place of isotopes. ValueError for a window that is not two energies in order.
    """
    low, high = window
    if not 0 < low < high:
        raise ValueError(f"window: {window!r} must be two energies in order, the first greater than 0")
    ends = np.concatenate([T_max(fluxes[c].breakpoints, const.m_e) for c in fluence])
    high = min(high, ends.max())
    steps = np.concatenate(
        [ends, efficiency.breakpoints(), *(binding_energies(symbol)[1] for symbol in atoms)]
    )
    T, weight = quadrature([low, high, *steps[(low < steps) & (steps < high)]] if low < high else [], nodes)
    sm, em = electron_spectra(T, atoms, fluence, fluxes)
    shares = np.atleast_2d(efficiency(T))[:, None]
    response = np.broadcast_to(shares, (len(shares), len(atoms), len(T)))
    names = tuple(f"{symbol} electrons" for symbol in atoms)
    return RateTable(tuple(fluence), names, T, weight, response, sm, em)


def target_atoms(nuclei: Sequence[tuple[Isotope, float]]) -> dict[str, float]:
    """Atoms of each element, {symbol: number}, in a target of [(Isotope, number), ...]."""
    atoms = {}
    for isotope, number in nuclei:
        atoms[isotope.symbol] = atoms.get(isotope.symbol, 0.0) + number
    return atoms
