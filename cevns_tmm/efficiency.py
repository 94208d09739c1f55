"""Detection efficiencies: that of the COHERENT CsI[Na] detector, Eqs. (29)-(31), flat ones, logistic ones and tables.

Each is a function of the energy on its ``scale``: "T" the recoil energy, or one of :data:`SCALES`.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy

from cevns_tmm import tables
from cevns_tmm.annotations import Numbers
from cevns_tmm.units import keV

SCALES = ("T_keV", "E_keVee", "n_PE")
"""Recoil energy [keV], its ionisation [keV electron-equivalent] and its photoelectrons."""

read_efficiency = tables.curve(
    *({x: tables.number(0, high=1e9), "efficiency": tables.number(0, high=1)} for x in SCALES)
)
"""Files of efficiencies against the energy on one of the scales."""

_PANELS = np.array([-32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32])


def step_panels(centre: float, width: float) -> np.ndarray:
    """Ends of quadrature panels that resolve a smooth step; none for one as wide as the quadrature's own."""
    return centre + width * (_PANELS if width < 0.1 * centre else np.zeros(0))


def photoelectron_efficiency(n_PE: Numbers, k1: float, k2: float, x0: float) -> np.ndarray:
    """Efficiency A(n) of Eqs. (30) and (31), shape of ``n_PE`` (photoelectrons)."""
    n = np.asarray(n_PE, float)
    step = np.where(n < 5, 0.0, np.where(n < 6, 0.5, 1.0))
    with np.errstate(over="ignore"):
        return k1 / (1 + np.exp(-k2 * (n - x0))) * step


@dataclass(frozen=True)
class PhotoelectronEfficiency:
    """Efficiency against recoil energy for a light yield in photoelectrons per keV, Eq. (29).

    ``smearing`` "none" evaluates Eq. (30) at the mean number of photoelectrons; "poisson" sums it over
    the integer counts ``window`` = (first, last), weighted with their Poisson probability.
    """

    k1: float
    k2: float
    x0: float
    light_yield_per_keV: float
    smearing: str = "none"
    window: tuple | None = None
    scale = "T"

    def __post_init__(self) -> None:
        if self.smearing not in ("none", "poisson"):
            raise ValueError(f"smearing: {self.smearing!r} must be 'none' or 'poisson'")
        if (self.smearing == "poisson") != (self.window is not None):
            raise ValueError("window: needed with smearing 'poisson', and only there")
        if self.window is not None and not 0 <= self.window[0] <= self.window[1]:
            raise ValueError(f"window: {self.window!r} must be two counts, in order")

    def __call__(self, T: np.ndarray) -> np.ndarray:
        """Efficiency for recoil energies ``T`` (any shape)."""
        mean = self.light_yield_per_keV * np.asarray(T, float) / keV
        if self.smearing == "none":
            return photoelectron_efficiency(mean, self.k1, self.k2, self.x0)
        n = np.arange(self.window[0], self.window[1] + 1)
        log_factorial = [math.lgamma(k + 1) for k in n]
        with np.errstate(divide="ignore"):
            log_p = np.multiply.outer(np.log(mean), n) - mean[..., None] - log_factorial
        return np.exp(log_p) @ photoelectron_efficiency(n, self.k1, self.k2, self.x0)

    def breakpoints(self) -> np.ndarray:
        """Recoil energies at which the efficiency jumps, or rises steeply."""
        if self.smearing == "poisson":
            n = np.concatenate([step_panels(edge, edge**0.5) for edge in self.window])
        else:
            n = np.append([5.0, 6.0], step_panels(self.x0, 1 / self.k2))
        return n[n > 0] * keV / self.light_yield_per_keV


@dataclass(frozen=True)
class FlatEfficiency:
    """An efficiency that does not depend on the recoil energy (section 4)."""

    value: float
    scale = "T"

    def __post_init__(self) -> None:
        if not 0 < self.value <= 1:
            raise ValueError(f"value: {self.value!r} must lie in (0, 1]")

    def __call__(self, T: np.ndarray) -> np.ndarray:
        """Efficiency for recoil energies ``T`` (any shape)."""
        return np.full(np.shape(T), self.value)

    def breakpoints(self) -> np.ndarray:
        """Recoil energies at which the efficiency jumps: none."""
        return np.zeros(0)


@dataclass(frozen=True)
class LogisticEfficiency:
    """Efficiency k1/(1 + exp(-k2 (x - x0))) + constant, 0 where that is negative."""

    scale: str
    k1: float
    k2: float
    x0: float
    constant: float = 0.0

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise ValueError(f"of: {self.scale!r} must be one of {', '.join(SCALES)}")
        for name in ("k1", "k2"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: {getattr(self, name)!r} must be greater than 0")
        if not 0 < self.k1 + self.constant <= 1:
            raise ValueError(
                f"k1: {self.k1!r} and the constant must have a sum in (0, 1], the efficiency far above x0"
            )

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Efficiency at ``x`` (any shape)."""
        return np.maximum(
            self.k1 * scipy.special.expit(self.k2 * (np.asarray(x, float) - self.x0)) + self.constant, 0.0
        )

    def breakpoints(self) -> np.ndarray:
        """Ends of the panels that resolve the step, and where the efficiency begins."""
        begin = self.x0 - np.log(-self.k1 / self.constant - 1) / self.k2 if self.constant < 0 else self.x0
        return np.append(step_panels(self.x0, 1 / self.k2), begin)


@dataclass(frozen=True)
class TableEfficiency:
    """Efficiency at the points ``x`` (n,), linear between them, 0 below and constant above."""

    scale: str
    x: np.ndarray
    values: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Efficiency at ``x`` (any shape)."""
        return np.interp(x, self.x, self.values, left=0.0)

    def breakpoints(self) -> np.ndarray:
        """Where the efficiency or its slope jumps."""
        return np.asarray(self.x)
