"""Lindhard quenching, Eq. (27): the share of a nuclear recoil that ionises."""

import numpy as np
from scipy.optimize import brentq

from cevns_tmm.units import keV


def quenching_factor(T, Z, A, kappa_scale=1.0):
    """Q(T) of Eq. (27), dimensionless, shape of ``T``, the nuclear recoil energy (>= 0).

    ``kappa_scale`` is a factor on kappa, for its uncertainty.

    >>> round(float(quenching_factor(1 * keV, 32, 72)), 3)
    0.172
    """
    T = np.asarray(T, float)
    if not np.all(T >= 0):
        raise ValueError("T: recoil energies must not be negative")
    if not (Z > 0 and A > 0):
        raise ValueError(f"Z: {Z!r} and A: {A!r} must be positive")
    gamma = 11.5 * T / keV * Z ** (-7 / 3)
    kappa_g = kappa_scale * 0.133 * Z ** (2 / 3) * A**-0.5 * (3 * gamma**0.15 + 0.7 * gamma**0.6 + gamma)
    return kappa_g / (1 + kappa_g)


def recoil_threshold(threshold, Z, A, method="solve", kappa_scale=1.0):
    """Recoil energy whose ionisation is ``threshold`` (electron-equivalent energy, > 0).

    ``method`` is "solve", the root of T Q(T) = threshold (Eq. 27), or "evaluate-at-threshold",
    threshold / Q(threshold), with Q at the threshold itself. ValueError for anything else.
    """
    if not threshold > 0:
        raise ValueError(f"threshold: {threshold!r} must be positive")
    upper = threshold / float(quenching_factor(threshold, Z, A, kappa_scale))
    if method == "evaluate-at-threshold":
        return upper
    if method != "solve":
        raise ValueError(f"method: {method!r} must be 'solve' or 'evaluate-at-threshold'")
    # Q rises with T and is below 1, so the root lies between the threshold and `upper`
    return brentq(
        lambda T: T * float(quenching_factor(T, Z, A, kappa_scale)) - threshold,
        threshold,
        upper,
        xtol=1e-14 * threshold,
        rtol=1e-14,
    )
