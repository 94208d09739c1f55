"""Coherent elastic neutrino-nucleus cross sections, Eqs. (20)-(26).

Both cross sections are sums of powers of the neutrino energy, dsigma/dT = Sum_k C_k(T) E^(-k), inside
T <= T_max(E). :func:`sm_coefficients` and :func:`em_coefficients` give the C_k, so that a flux enters
only through its moments (:mod:`cevns_tmm.flux`); the differential cross sections are the same sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cevns_tmm import constants as const
from cevns_tmm.annotations import Numbers
from cevns_tmm.form_factor import form_factor

if TYPE_CHECKING:
    from cevns_tmm.nuclei import Isotope


def quark_couplings() -> tuple[float, float, float, float]:
    """g_uL, g_dL, g_uR, g_dR of Eq. (22) with radiative corrections."""
    rho, kappa_s2 = const.rho_nuN, const.kappa_nuN * const.sin2_theta_W
    g_uL = rho * (1 / 2 - 2 / 3 * kappa_s2) + const.lambda_uL
    g_dL = rho * (-1 / 2 + 1 / 3 * kappa_s2) + const.lambda_dL
    g_uR = rho * (-2 / 3 * kappa_s2) + const.lambda_uR
    g_dR = rho * (1 / 3 * kappa_s2) + const.lambda_dR
    return g_uL, g_dL, g_uR, g_dR


def nucleon_couplings() -> tuple[float, float, float, float]:
    """g_V^p, g_V^n, g_A^p, g_A^n: the square brackets of Eq. (21).

    >>> [round(x, 5) for x in nucleon_couplings()]
    [0.03059, -0.51211, 0.49533, -0.51229]
    """
    g_uL, g_dL, g_uR, g_dR = quark_couplings()
    vector_p = 2 * (g_uL + g_uR) + (g_dL + g_dR)
    vector_n = (g_uL + g_uR) + 2 * (g_dL + g_dR)
    axial_p = 2 * (g_uL - g_uR) + (g_dL - g_dR)
    axial_n = (g_uL - g_uR) + 2 * (g_dL - g_dR)
    return vector_p, vector_n, axial_p, axial_n


def weak_charges(isotope: Isotope) -> tuple[Numbers, Numbers]:
    """Vector and axial charges (Q_V, Q_A) of Eq. (21)."""
    vector_p, vector_n, axial_p, axial_n = nucleon_couplings()
    Q_V = vector_p * isotope.Z + vector_n * isotope.N
    Q_A = axial_p * isotope.delta_Z + axial_n * isotope.delta_N
    return Q_V, Q_A


def T_max(E: Numbers, mass: Numbers) -> Numbers:
    """Largest recoil energy 2 E² / (m + 2 E) for neutrino energy ``E`` and nuclear ``mass``."""
    E = np.asarray(E, float)
    return 2 * E**2 / (mass + 2 * E)


def E_min(T: Numbers, mass: Numbers) -> np.ndarray:
    """Smallest neutrino energy (T + sqrt(T² + 2 m T)) / 2 that gives recoil energy ``T``."""
    T = np.asarray(T, float)
    if not np.all(T >= 0):
        raise ValueError("T: recoil energies must not be negative")
    return (T + np.sqrt(T**2 + 2 * mass * T)) / 2


def recoil_form_factor(T: Numbers, isotope: Isotope, **shape: float) -> Numbers:
    """F(Q²) at Q² = 2 m T for recoil energies ``T`` > 0, else ValueError; ``shape`` goes to :func:`form_factor`."""
    T = np.asarray(T, float)
    if not np.all(np.isfinite(T) & (T > 0)):
        raise ValueError("T: recoil energies must be finite and positive")
    return form_factor(np.sqrt(2 * isotope.mass * T), isotope.A, **shape)


def sm_coefficients(T: Numbers, isotope: Isotope, F: Numbers) -> np.ndarray:
    """C_0, C_1, C_2 of the Standard Model cross section, Eq. (20), shape (3,) + F.shape.

    ``F`` is the form factor at the recoil energies ``T``; C_k has the unit area * energy^(k-1).
    """
    Q_V, Q_A = weak_charges(isotope)
    scale = const.hbar_c**2 * const.G_F**2 * isotope.mass / np.pi * F**2
    slope = -(Q_V**2 - Q_A**2) * isotope.mass * T / 2
    return np.array([scale * (Q_V**2 + Q_A**2), 0 * F, scale * slope])


def em_coefficients(T: Numbers, isotope: Isotope, F: Numbers) -> np.ndarray:
    """C_0, C_1, C_2 of the magnetic-moment cross section, Eq. (25), for mu_nu = 1 mu_B.

    Shape (3,) + F.shape; ``F`` is the form factor at the recoil energies ``T``; C_k has the unit
    area * energy^(k-1) per mu_B².
    """
    scale = np.pi * (const.hbar_c * const.alpha_EM * isotope.Z / const.m_e) ** 2 * F**2
    return np.array([scale / T, -scale, 0 * F])


def _differential(coefficients, T, E, isotope):
    T, E = np.broadcast_arrays(np.asarray(T, float), np.asarray(E, float))
    if not np.all(np.isfinite(E) & (E > 0)):
        raise ValueError("E: neutrino energies must be finite and positive")
    C = coefficients(T, isotope, recoil_form_factor(T, isotope))
    value = C[0] + C[1] / E + C[2] / E**2
    return np.where(T_max(E, isotope.mass) >= T, value, 0.0)


def dsigma_dT_sm(T: Numbers, E: Numbers, isotope: Isotope) -> Numbers:
    """Standard Model cross section, Eq. (20) (area/energy); exactly 0 beyond T_max(E).

    ``T`` recoil and ``E`` neutrino energies, any broadcastable shapes, both > 0.
    """
    return _differential(sm_coefficients, T, E, isotope)


def dsigma_dT_em(T: Numbers, E: Numbers, isotope: Isotope, mu_nu: float = 1.0) -> Numbers:
    """Magnetic-moment cross section, Eq. (25) (area/energy), for ``mu_nu`` in mu_B.

    ``T`` recoil and ``E`` neutrino energies, any broadcastable shapes, both > 0; exactly 0
    beyond T_max(E). It adds incoherently to the Standard Model, Eq. (26).
    """
    return mu_nu**2 * _differential(em_coefficients, T, E, isotope)
