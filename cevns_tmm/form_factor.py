"""Nuclear form factor in the symmetrised Fermi approximation, Eqs. (23)-(24)."""

import numpy as np
from numpy.polynomial.polynomial import polyval

from cevns_tmm.annotations import Numbers
from cevns_tmm.constants import hbar_c
from cevns_tmm.units import fm

DIFFUSENESS = 0.52 * fm
"""Surface diffuseness a of Eq. (24)."""

_J1_OVER_X = np.cumprod([1 / 3, *(-1 / (2 * k * (2 * k + 3)) for k in range(1, 10))])
"""Coefficients of the series of j_1(x) / x in x²."""


def half_density_radius(A: Numbers) -> Numbers:
    """Half-density radius c = 1.23 A^(1/3) - 0.60 fm of Eq. (24) (length), shape of ``A``."""
    if not np.all(np.asarray(A) >= 1):
        raise ValueError(f"A: {A!r} must be at least 1")
    return (1.23 * A ** (1 / 3) - 0.60) * fm


def _y_coth_y_minus_1(y):
    """y coth y - 1 without cancellation, for y > 0."""
    small = y < 0.1
    yy = np.where(small, y, 0.0) ** 2
    series = yy * (1 / 3 - yy * (1 / 45 - yy * (2 / 945 - yy * (1 / 4725 - yy * 2 / 93555))))
    return np.where(small, series, y / np.tanh(y) - 1)


def _x_j1(x, sinc):
    """x j_1(x) = sin x / x - cos x without cancellation, for x > 0 and ``sinc`` = sin x / x."""
    small = x < 1
    xx = np.where(small, x, 0.0) ** 2
    return np.where(small, xx * polyval(xx, _J1_OVER_X), sinc - np.cos(x))


def form_factor(
    Q: Numbers, A: Numbers, radius_scale: float = 1.0, diffuseness_scale: float = 1.0
) -> np.ndarray:
    """F(Q²) of Eq. (23), dimensionless, shape of ``Q`` and ``A`` together; F -> 1 for Q -> 0.

    Parameters
    ----------
    Q : momentum transfer, any shape (energy), finite and >= 0
    A : mass number, or an array of them
    radius_scale, diffuseness_scale : factors on c and a of Eq. (24), for uncertainties (> 0)

    >>> float(form_factor(0.0, 133))
    1.0
    """
    Q = np.asarray(Q, float)
    if not np.all(np.isfinite(Q) & (Q >= 0)):
        raise ValueError("Q: must be finite and not negative")
    for name, scale in (("radius", radius_scale), ("diffuseness", diffuseness_scale)):
        if not scale > 0:
            raise ValueError(f"{name}_scale: {scale!r} must be positive")
    positive = np.where(Q > 0, Q, 1e-3 * hbar_c / fm)
    x = positive * radius_scale * half_density_radius(A) / hbar_c
    y = positive * np.pi * diffuseness_scale * DIFFUSENESS / hbar_c
    # Eq. (23) with sin x / tanh y split as sin x (y coth y - 1) + (sin x - x cos x): both are
    # small for small Q, and neither is a difference of large terms
    sinc = np.sin(x) / x
    bracket = sinc * _y_coth_y_minus_1(y) + _x_j1(x, sinc)
    return np.where(Q > 0, 3 / (x**2 + y**2) * y / np.sinh(np.minimum(y, 700)) * bracket, 1.0)
