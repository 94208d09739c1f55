"""Solar neutrinos: an incoherent mixture of mass eigenstates, Eqs. (38)-(39)."""

import numpy as np


def mass_eigenstate_probabilities(P_e1_2nu, sin2_theta13):
    """P_e1, P_e2, P_e3 of Eq. (39), shape (3,), from the two-flavour probability."""
    for name, value in (("P_e1_2nu", P_e1_2nu), ("sin2_theta13", sin2_theta13)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: {value!r} must lie in [0, 1]")
    cos2 = 1 - sin2_theta13
    return np.array([cos2 * P_e1_2nu, cos2 * (1 - P_e1_2nu), sin2_theta13])


def mu_nu_sq_solar(moduli, probabilities):
    """Effective moment squared of Eq. (38), |Lambda|² - Sum_i P_ei |Lambda_i|² [mu_B²]; no phases.

    ``moduli`` are |Lambda_i|, shape (3, ...) [mu_B]; ``probabilities`` P_ei, shape (3,).
    """
    return np.tensordot(1 - np.asarray(probabilities), np.abs(moduli) ** 2, axes=1)
