"""Lepton mixing matrix, U = R23 R13(delta) R12."""

import numpy as np

FLAVOURS = ("e", "mu", "tau")
ANGLES = ("sin2_theta12", "sin2_theta23", "sin2_theta13")


def flavour_index(flavour: str) -> int:
    """Row of ``flavour`` in U; ValueError unless it is ``"e"``, ``"mu"`` or ``"tau"``."""
    if flavour not in FLAVOURS:
        raise ValueError(f"flavour: {flavour!r} must be one of {', '.join(FLAVOURS)}")
    return FLAVOURS.index(flavour)


def mixing_matrix(
    sin2_theta12: float, sin2_theta23: float, sin2_theta13: float, delta_CP: float = 0.0
) -> np.ndarray:
    """Mixing matrix U, shape (3, 3), complex: rows are flavours e, mu, tau; columns 1, 2, 3.

    Angles as sin², ``delta_CP`` in radians. Majorana phases are carried by the transition
    moments (Eq. 7). ValueError if a sin² is outside [0, 1].

    >>> U = mixing_matrix(0.32, 0.547, 0.0216)
    >>> bool(np.allclose(U @ U.conj().T, np.eye(3)))
    True
    """
    sin2 = {"theta12": sin2_theta12, "theta23": sin2_theta23, "theta13": sin2_theta13}
    for name, value in sin2.items():
        if not 0 <= value <= 1:
            raise ValueError(f"sin2_{name}: {value!r} must lie in [0, 1]")
    if not np.isfinite(delta_CP):
        raise ValueError(f"delta_CP: {delta_CP!r} must be finite")
    s12, s23, s13 = (np.sqrt(x) for x in sin2.values())
    c12, c23, c13 = (np.sqrt(1 - x) for x in sin2.values())
    phase = np.exp(1j * delta_CP)
    R23 = np.array([[1, 0, 0], [0, c23, s23], [0, -s23, c23]])
    R13 = np.array([[c13, 0, s13 / phase], [0, 1, 0], [-s13 * phase, 0, c13]])
    R12 = np.array([[c12, s12, 0], [-s12, c12, 0], [0, 0, 1]])
    return R23 @ R13 @ R12
