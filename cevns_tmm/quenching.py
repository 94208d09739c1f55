"""Quenching: the share of a nuclear recoil that ionises; Lindhard's is Eq. (27)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from cevns_tmm import tables
from cevns_tmm.annotations import Numbers
from cevns_tmm.nuclei import part_of
from cevns_tmm.units import keV

if TYPE_CHECKING:
    from cevns_tmm.nuclei import Isotope

_T, _SHARE = tables.number(0, high=1e9), tables.number(0, high=1)
read_quenching = tables.curve(
    {"T_keV": _T, "quenching": _SHARE},
    {"T_keV": _T, "quenching": _SHARE, "minus": _SHARE, "plus": _SHARE},
)
"""Files of quenching factors against recoil energy; ``minus`` and ``plus`` are one standard deviation."""


def quenching_factor(
    T: Numbers, Z: Numbers, A: Numbers, kappa_scale: float = 1.0, kappa: Numbers | None = None
) -> np.ndarray:
    """Q(T) of Eq. (27), dimensionless, shape of ``T``, the nuclear recoil energy (>= 0).

    ``kappa`` takes the place of 0.133 Z^(2/3) A^(-1/2); ``kappa_scale`` is a factor on it, for its
    uncertainty.

    >>> round(float(quenching_factor(1 * keV, 32, 72)), 3)
    0.172
    """
    T = np.asarray(T, float)
    if not np.all(T >= 0):
        raise ValueError("T: recoil energies must not be negative")
    if not (Z > 0 and A > 0):
        raise ValueError(f"Z: {Z!r} and A: {A!r} must be positive")
    if kappa is None:
        kappa = 0.133 * Z ** (2 / 3) * A**-0.5
    gamma = 11.5 * T / keV * Z ** (-7 / 3)
    kappa_g = kappa_scale * kappa * (3 * gamma**0.15 + 0.7 * gamma**0.6 + gamma)
    return kappa_g / (1 + kappa_g)


def quenching_curve(model: Any, isotope: Isotope, kappa_scale: float = 1.0, shift: float = 0.0) -> Callable:
    """Q(T) of an isotope, as a function of its recoil energy.

    Parameters
    ----------
    model : None for Eq. (27); a number; a mapping with ``lindhard_k``, the kappa of Eq. (27), a number or one for
        each part of a target, with ``polynomial``, the coefficients of T^0, T^1, ... (T in keV), or with the
        columns of a table: linear between its points, constant beyond
    isotope : an Isotope
    kappa_scale : factor on kappa, for Eq. (27) without a kappa of its own
    shift : standard deviations by which a table with ``minus`` and ``plus`` is shifted
    """
    if model is None:
        return partial(quenching_factor, Z=isotope.Z, A=isotope.A, kappa_scale=kappa_scale)
    if not isinstance(model, Mapping):
        return lambda T: np.full(np.shape(T), model)
    if "lindhard_k" in model:
        kappa = part_of(model["lindhard_k"], isotope)
        return partial(quenching_factor, Z=isotope.Z, A=isotope.A, kappa=kappa)
    if "polynomial" in model:
        return lambda T: np.polynomial.polynomial.polyval(np.asarray(T) / keV, model["polynomial"])
    Q = np.array(model["quenching"])
    if shift:
        Q = Q + shift * np.array(model["plus" if shift > 0 else "minus"])
    return _Table(np.array(model["T_keV"]) * keV, Q)


@dataclass(frozen=True)
class _Table:
    """Q(T) from its values ``Q`` at the recoil energies ``corners``, each (n,)."""

    corners: np.ndarray
    Q: np.ndarray

    def __call__(self, T: Numbers) -> np.ndarray:
        return np.interp(T, self.corners, self.Q)


@np.errstate(divide="ignore", over="ignore", invalid="ignore")  # a polynomial far beyond the largest recoil
def recoil_energy(E: Any, Q: Callable, method: str = "solve") -> Any:
    """Recoil energies whose ionisation is ``E`` (electron-equivalent, any shape, > 0) for a quenching ``Q(T)``.

    ``method`` is "solve", the root of T Q(T) = E, or "evaluate-at-threshold", E / Q(E), with Q at ``E``
    itself. ``inf`` where no recoil ionises as much. ValueError for anything else.
    """
    if not np.all(np.asarray(E) > 0):
        raise ValueError(f"threshold: {E!r} must be positive")
    high = E / np.asarray(Q(E), float)
    if method == "evaluate-at-threshold":
        return high
    if method != "solve":
        raise ValueError(f"method: {method!r} must be 'solve' or 'evaluate-at-threshold'")
    # T Q(T) rises and Q is at most 1, so the root lies above E; for a Q that rises too, below E / Q(E)
    low, far = E, 1e12 * E
    high = np.where(high < far, high, 2 * E)
    while np.any(short := (high * Q(high) < E) & (high < far)):
        high = np.where(short, 2 * high, high)
    exists = high * Q(high) >= E
    # bisection of all at once, to the last digit: loading SciPy's root finders takes longer than most jobs
    while np.any((low < (middle := (low + high) / 2)) & (middle < high)):
        is_below = middle * Q(middle) < E
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return np.where(exists, high, np.inf)[()]
