"""Detection efficiency of the COHERENT CsI[Na] detector, Eqs. (29)-(31)."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from cevns_tmm.units import keV


def photoelectron_efficiency(n_PE, k1, k2, x0):
    """Efficiency A(n) of Eqs. (30) and (31), shape of ``n_PE`` (photoelectrons)."""
    n = np.asarray(n_PE, float)
    step = np.where(n < 5, 0.0, np.where(n < 6, 0.5, 1.0))
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

    def __post_init__(self):
        if self.smearing not in ("none", "poisson"):
            raise ValueError(f"smearing: {self.smearing!r} must be 'none' or 'poisson'")
        if (self.smearing == "poisson") != (self.window is not None):
            raise ValueError("window: needed with smearing 'poisson', and only there")
        if self.window is not None and not 0 <= self.window[0] <= self.window[1]:
            raise ValueError(f"window: {self.window!r} must be two counts, in order")

    def __call__(self, T):
        """Efficiency for recoil energies ``T`` (any shape)."""
        mean = self.light_yield_per_keV * np.asarray(T, float) / keV
        if self.smearing == "none":
            return photoelectron_efficiency(mean, self.k1, self.k2, self.x0)
        n = np.arange(self.window[0], self.window[1] + 1)
        with np.errstate(divide="ignore"):
            log_p = np.multiply.outer(np.log(mean), n) - mean[..., None] - gammaln(n + 1)
        return np.exp(log_p) @ photoelectron_efficiency(n, self.k1, self.k2, self.x0)

    def breakpoints(self):
        """Recoil energies at which the efficiency jumps."""
        if self.smearing == "poisson":
            return np.zeros(0)
        return np.array([5.0, 6.0]) * keV / self.light_yield_per_keV


@dataclass(frozen=True)
class FlatEfficiency:
    """An efficiency that does not depend on the recoil energy (section 4)."""

    value: float

    def __post_init__(self):
        if not 0 < self.value <= 1:
            raise ValueError(f"value: {self.value!r} must lie in (0, 1]")

    def __call__(self, T):
        """Efficiency for recoil energies ``T`` (any shape)."""
        return np.full(np.shape(T), self.value)

    def breakpoints(self):
        """Recoil energies at which the efficiency jumps: none."""
        return np.zeros(0)
