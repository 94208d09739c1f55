"""Solar neutrinos: an incoherent mixture of mass eigenstates, Eqs. (38)-(39)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cevns_tmm.analysis import METHODS
from cevns_tmm.annotations import Curves
from cevns_tmm.errors import check_name, is_number
from cevns_tmm.limits import QuadraticForm
from cevns_tmm.magnetic_moment import PARAMETERS, moments, phase
from cevns_tmm.statistics import CountingExperiment, delta_chi2_quantile


def mass_eigenstate_probabilities(P_e1_2nu: float, sin2_theta13: float) -> np.ndarray:
    """P_e1, P_e2, P_e3 of Eq. (39), shape (3,), from the two-flavour probability."""
    for name, value in (("P_e1_2nu", P_e1_2nu), ("sin2_theta13", sin2_theta13)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: {value!r} must lie in [0, 1]")
    cos2 = 1 - sin2_theta13
    return np.array([cos2 * P_e1_2nu, cos2 * (1 - P_e1_2nu), sin2_theta13])


def mu_nu_sq_solar(moduli: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Effective moment squared of Eq. (38), |Lambda|² - Sum_i P_ei |Lambda_i|² [mu_B²]; no phases.

    ``moduli`` are |Lambda_i|, shape (3, ...) [mu_B]; ``probabilities`` P_ei, shape (3,).
    """
    return np.tensordot(1 - np.asarray(probabilities), np.abs(moduli) ** 2, axes=1)


@dataclass(frozen=True)
class SolarSensitivity(QuadraticForm):
    """chi² as a function of the moments, of neutrinos that are mass eigenstates with ``probabilities`` P_ei.

    The excess is the effective moment squared [mu_B²].
    """

    chi2: CountingExperiment
    probabilities: np.ndarray
    U = np.eye(3)

    @property
    def weights(self) -> np.ndarray:
        """1 - P_ei of Eq. (38), shape (3,)."""
        return 1 - self.probabilities


@dataclass(frozen=True)
class SolarExperiment:
    """A published limit on the effective moment of solar neutrinos, Eqs. (38)-(39): a block of ``solar``.

    ``mu_nu_muB`` is the limit at ``confidence_level``, ``P_e1_2nu`` the two-flavour probability.
    """

    name: str
    reading: str
    mu_nu_muB: float
    P_e1_2nu: float
    sin2_theta13: float
    confidence_level: float
    setup: str = "current"
    beams = ("solar",)
    methods = METHODS[:3]

    def _check(self, beam, confidence_level):
        if beam is not None:
            check_name("beam", beam, self.beams)
        if confidence_level is not None and not (
            is_number(confidence_level) and confidence_level == self.confidence_level
        ):
            known = f"{self.confidence_level:g}, the level of the published limit"
            raise ValueError(f"confidence_level: {confidence_level!r} must be {known}")

    @property
    def level(self) -> float:
        """Delta chi² of the published limit, which has one parameter."""
        return delta_chi2_quantile(self.confidence_level, 1)

    def mu_nu_sq(self, moduli: np.ndarray) -> np.ndarray:
        """Effective moment squared for |Lambda_i| of shape (3, ...) [mu_B] [mu_B²]."""
        P = mass_eigenstate_probabilities(self.P_e1_2nu, self.sin2_theta13)
        return mu_nu_sq_solar(moduli, P)

    def sensitivity(self, beam: str | None = None) -> SolarSensitivity:
        """chi² as a function of the moments: a SolarSensitivity.

        Only a limit is published. chi² is assumed to be that of a signal without an excess in a counting experiment,
        quadratic in the effective moment squared, and at its Delta chi² at the limit.
        """
        self._check(beam, None)
        chi2 = CountingExperiment(0.0, self.mu_nu_muB**4 / self.level, 0.0, 0.0)
        return SolarSensitivity(chi2, mass_eigenstate_probabilities(self.P_e1_2nu, self.sin2_theta13))

    blank = sensitivity

    def limits(
        self, beam: str | None = None, confidence_level: float | None = None, method: str = "one-at-a-time"
    ) -> dict[str, float]:
        """Upper limits {"Lambda1": ..., "Lambda2": ..., "Lambda3": ...} [mu_B].

        They are the same for every method, as the effective moment has neither phases nor interference.
        """
        self._check(beam, confidence_level)
        check_name("method", method, self.methods)
        limits = self.sensitivity().limits(self.level)
        return dict(zip(PARAMETERS, map(float, limits), strict=True))

    def delta_chi2(self, Lambda: np.ndarray, beam: str | None = None) -> np.ndarray:
        """chi² for moments of shape (3, ...) [mu_B], assumed as :meth:`sensitivity` says."""
        return self.sensitivity(beam).delta_chi2(moments(Lambda))

    def blind(self, beam: str | None = None) -> np.ndarray:
        """Directions without events, as of :meth:`WithLimits.blind`."""
        return self.sensitivity(beam).blind()

    def contour(
        self,
        plane: str,
        beam: str | None = None,
        confidence_level: float | None = None,
        xi_over_pi: float = 0.0,
        method: str = "one-at-a-time",
    ) -> Curves:
        """Where the effective moment is at its limit: [(x, y)] as of :meth:`WithLimits.contour` [mu_B].

        It depends neither on the phase nor on the method.
        """
        self._check(beam, confidence_level)
        check_name("method", method, METHODS[:2])
        phase("xi_over_pi", xi_over_pi)
        return self.sensitivity().contour(plane, self.level)
