"""Effective neutrino magnetic moments, Eqs. (5)-(19) and (37). Moments in Bohr magnetons."""

import math
from typing import Any

import numpy as np

from cevns_tmm.annotations import Numbers
from cevns_tmm.constants import hbar_c
from cevns_tmm.errors import check_name, check_number
from cevns_tmm.mixing import flavour_index

PARAMETERS = ("Lambda1", "Lambda2", "Lambda3")
"""Names of the moduli |Lambda_i| in results."""

FLAVOUR_PARAMETERS = ("Lambda_e", "Lambda_mu", "Lambda_tau", "mu_nu_e", "mu_nu_mu")
"""Names of the moduli in the flavour basis, and of the effective moments of nu_e and nu_mu."""

PLANES = {"12": (0, 1), "13": (0, 2), "23": (1, 2)}
"""Indices of the two moments that a plane displays."""


def _three(values, name):
    """``values`` as an array whose first axis has length 3; ValueError naming it otherwise."""
    values = np.asarray(values)
    if values.ndim < 1 or values.shape[0] != 3:
        raise ValueError(f"{name}: shape {values.shape} must begin with 3")
    return values


def moments(Lambda: np.ndarray) -> np.ndarray:
    """Moments that somebody gives, shape (3, ...), real or complex; ValueError unless they are finite numbers."""
    try:
        values = _three(Lambda, "Lambda")
    except ValueError as error:
        raise ValueError(f"Lambda: must be three numbers or arrays: {error}") from None
    if values.dtype.kind not in "iufc" or not np.all(np.abs(values) < 1e30):
        raise ValueError(f"Lambda: {Lambda!r} must be finite numbers, below 1e30")
    return values


def phase(name: str, over_pi: float) -> float:
    """A phase that somebody gives in units of pi, in radians; ValueError naming it unless it is a finite number."""
    check_number(name, over_pi)
    return math.pi * over_pi


def transition_moments(moduli: np.ndarray, xi_1: float = 0.0, xi_2: float = 0.0) -> np.ndarray:
    """Complex Lambda_i, Eq. (7), from |Lambda_i| and the phases xi_1 = zeta_3 - zeta_2, xi_2 = zeta_3 - zeta_1.

    ``moduli`` has shape (3, ...) or is three broadcastable arrays [mu_B]; the third phase,
    xi_3 = zeta_1 - zeta_2 = xi_1 - xi_2, is not free. The overall phase is unobservable: zeta_3 = 0.
    """
    L1, L2, L3 = np.broadcast_arrays(*moduli)
    return np.stack([L1 * np.exp(-1j * xi_2), L2 * np.exp(-1j * xi_1), L3 + 0j])


def pair_moments(plane: str, x: Any, y: Any, xi: float) -> np.ndarray:
    """Moments with only a displayed pair, shape (3,) + grid [mu_B].

    ``plane`` is "12", "13" or "23"; ``x`` and ``y`` the moduli of the first and the second moment,
    broadcastable [mu_B]; ``xi`` the phase of the pair (xi_3, xi_2 or xi_1 of section 2.1).
    """
    check_name("plane", plane, PLANES)
    i, j = PLANES[plane]
    x, y = np.broadcast_arrays(x, y)
    Lambda = np.zeros((3, *x.shape), complex)
    # xi_3 = zeta_1 - zeta_2, xi_2 = zeta_3 - zeta_1, xi_1 = zeta_3 - zeta_2
    sign = -1 if plane == "12" else 1
    Lambda[i], Lambda[j] = x, y * np.exp(1j * sign * xi)
    return Lambda


def strips(Lambda: np.ndarray) -> list[np.ndarray]:
    """Moduli, shape (n,), as columns of some 32 rows: the y of strips of a grid that fit a processor's cache."""
    return np.array_split(np.asarray(Lambda)[:, np.newaxis], len(Lambda) // 32 or 1)


def moment_matrix(Lambda: np.ndarray) -> np.ndarray:
    """Antisymmetric matrix of Eq. (6), lambda_ij = epsilon_ijk Lambda_k, shape (3, 3) [mu_B]."""
    L1, L2, L3 = Lambda
    return np.array([[0, L3, -L2], [-L3, 0, L1], [L2, -L1, 0]])


def to_flavour_basis(Lambda: np.ndarray, U: np.ndarray) -> np.ndarray:
    """Lambda_alpha (e, mu, tau) from mass-basis Lambda_i, shape (3, ...): Lambda_alpha = U Lambda_i.

    Equivalent to the matrix rotation of Eq. (8) for det U = 1.
    """
    return np.tensordot(U, Lambda, axes=1)


def mu_nu_sq_amplitudes(lam: np.ndarray, a_minus: np.ndarray, a_plus: np.ndarray) -> np.ndarray:
    """Effective moment squared of Eqs. (5) and (9) for given helicity amplitudes [mu_B²].

    ``lam`` is the moment matrix, shape (3, 3), in the basis in which the amplitudes, shape (3,),
    are given. ValueError for other shapes.
    """
    lam, a_minus, a_plus = (np.asarray(x, complex) for x in (lam, a_minus, a_plus))
    if lam.shape != (3, 3):
        raise ValueError(f"lam: shape {lam.shape} must be (3, 3)")
    for name, a in (("a_minus", a_minus), ("a_plus", a_plus)):
        if a.shape != (3,):
            raise ValueError(f"{name}: shape {a.shape} must be (3,)")
    left = np.sum(np.abs(lam @ a_minus) ** 2)
    right = np.sum(np.abs(lam.conj().T @ a_plus) ** 2)
    return left + right


def mu_nu_sq(flavour: str, Lambda: np.ndarray, U: np.ndarray) -> np.ndarray:
    """Effective moment squared seen with one pure flavour at a short baseline [mu_B²].

    Sum_i |Lambda_i|² - |Sum_i U_alpha,i Lambda_i|²: Eqs. (12), (18) for e and Eqs. (17), (19) for mu;
    the same for neutrinos and antineutrinos.

    Parameters
    ----------
    flavour : "e", "mu" or "tau"
    Lambda : mass-basis transition moments, shape (3, ...), complex or real [mu_B]
    U : mixing matrix, shape (3, 3)

    >>> from cevns_tmm.mixing import mixing_matrix
    >>> U = mixing_matrix(0.32, 0.547, 0.0216)
    >>> [round(float(mu_nu_sq("e", np.eye(3)[i], U)), 4) for i in range(3)]
    [0.3347, 0.6869, 0.9784]
    """
    Lambda = _three(Lambda, "Lambda")
    if np.shape(U) != (3, 3):
        raise ValueError(f"U: shape {np.shape(U)} must be (3, 3)")
    row = U[flavour_index(flavour)].conj()
    # |row* x Lambda|² is the same number, free of the cancellation of the difference
    return sum(abs(row[i] * Lambda[j] - row[j] * Lambda[i]) ** 2 for i, j in PLANES.values())


def mu_nu_sq_baseline(
    flavour: str, Lambda: np.ndarray, U: np.ndarray, mass_squared: np.ndarray, L: float, E: Numbers
) -> np.ndarray:
    """Effective moment squared after a path in vacuum, Eq. (37) [mu_B²].

    ``mass_squared`` holds m_i², shape (3,) [energy²]; ``L`` is a length, ``E`` an energy > 0.
    Tends to :func:`mu_nu_sq` for L -> 0.
    """
    if not E > 0:
        raise ValueError(f"E: {E!r} must be positive")
    mass_squared = _three(mass_squared, "mass_squared")
    phase = np.exp(-1j * mass_squared * L / (2 * E * hbar_c))
    amplitude = (U[flavour_index(flavour)].conj() * phase) @ moment_matrix(Lambda)
    return np.sum(np.abs(amplitude) ** 2)
