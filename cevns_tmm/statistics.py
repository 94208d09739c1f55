"""The chi-squared functions of Eqs. (34) and (35), minimised over nuisances in closed form.

Every nuisance enters the prediction linearly with a Gaussian prior, so its minimum is the propagated
variance: chi²(n) = (r - n)² / (V + s² (N + n)²), with n the expected magnetic-moment events.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from cevns_tmm.annotations import Numbers
from cevns_tmm.errors import check_number


def delta_chi2_quantile(confidence_level: float, parameters: int) -> float:
    """Quantile of the chi² distribution with ``parameters`` degrees of freedom, 1 or 2.

    >>> [round(float(delta_chi2_quantile(0.9, d)), 2) for d in (1, 2)]
    [2.71, 4.61]
    """
    check_number("confidence_level", confidence_level, 0, 1)
    if parameters not in (1, 2):
        raise ValueError(f"parameters: {parameters!r} must be 1 or 2")
    if parameters == 2:
        return -2 * math.log1p(-confidence_level)
    return NormalDist().inv_cdf((1 + confidence_level) / 2) ** 2


def percent(confidence_level: float) -> str:
    """A confidence level as text."""
    return f"{100 * confidence_level:.6g} % C.L."


@dataclass(frozen=True)
class CountingExperiment:
    """chi² of one counting experiment as a function of the excess n >= 0 (events).

    ``residual`` r is measured minus Standard Model and background; ``variance`` V the statistical
    variance plus that of nuisances which do not scale the excess; ``sigma`` s the fractional nuisance
    that does; ``scaled`` N the further events it scales. ``residual`` and ``variance`` may be arrays, one
    element per experiment of many; all methods then give arrays.
    """

    residual: Numbers
    variance: Numbers
    sigma: float
    scaled: float

    def __post_init__(self) -> None:
        if not np.all(np.greater(self.variance, 0)):
            raise ValueError(f"variance: {self.variance!r} must be positive")
        if not self.sigma >= 0:
            raise ValueError(f"sigma: {self.sigma!r} must not be negative")
        if not self.scaled >= 0:
            raise ValueError(f"scaled: {self.scaled!r} must not be negative")

    @classmethod
    def from_data(
        cls,
        n_sm: float,
        n_measured: float,
        beam_neutrons: float,
        steady_state: float,
        sigma_signal: float,
        sigma_background: float,
    ) -> CountingExperiment:
        """Eq. (34): measured events with a prompt-neutron and a steady-state background."""
        return cls(
            residual=n_measured - n_sm - beam_neutrons,
            variance=n_measured + beam_neutrons + 2 * steady_state + (sigma_background * beam_neutrons) ** 2,
            sigma=sigma_signal,
            scaled=n_sm,
        )

    @classmethod
    def asimov(
        cls, n_sm: float, sigma_stat: float, sigma_sys: float, nuisance_on: str = "total"
    ) -> CountingExperiment:
        """Eq. (35) with the Standard Model expectation as data.

        ``nuisance_on`` "total" lets the nuisance scale all events, as printed; "excess" only the
        magnetic-moment events. An experiment that expects no events has no information (chi² = 0).
        """
        if nuisance_on not in ("total", "excess"):
            raise ValueError(f"nuisance_on: {nuisance_on!r} must be 'total' or 'excess'")
        return cls(
            residual=0.0,
            variance=(1 + sigma_stat) * n_sm if n_sm > 0 else np.inf,
            sigma=sigma_sys,
            scaled=n_sm if nuisance_on == "total" else 0.0,
        )

    def chi2(self, n: Numbers) -> Numbers:
        """chi² for an excess of ``n`` events (any shape), minimised over the nuisances."""
        n = np.asarray(n, float)
        return (self.residual - n) ** 2 / (self.variance + self.sigma**2 * (self.scaled + n) ** 2)

    @property
    def ceiling(self) -> Numbers:
        """What chi² tends to for n -> infinity."""
        if np.all(np.isinf(self.variance)):
            return 0.0
        return 1 / self.sigma**2 if self.sigma**2 > 0 else np.inf

    @cached_property
    def best_fit(self) -> Numbers:
        """The excess n >= 0 of least chi² (events); ``inf`` if chi² falls below all others there."""
        finite = np.maximum(self.residual, 0.0)
        return np.where(self.sigma**2 * self.chi2(finite) > 1, np.inf, finite)[()]

    @cached_property
    def chi2_min(self) -> Numbers:
        """Least chi² over n >= 0."""
        if np.all(np.isfinite(self.best_fit)):
            return self.chi2(self.best_fit)
        at_best = self.chi2(np.maximum(self.residual, 0.0))
        return np.where(np.isinf(self.best_fit), self.ceiling, at_best)[()]

    def delta_chi2(self, n: Numbers) -> Numbers:
        """chi² above its minimum over n >= 0, shape of ``n``."""
        return self.chi2(n) - self.chi2_min

    def upper_limit(self, delta_chi2: Numbers) -> Numbers:
        """Smallest excess above the best fit at which Delta chi² reaches ``delta_chi2`` (events).

        ``inf`` if it never does.
        """
        crossings = self._crossings(delta_chi2)
        return np.min(np.where(crossings > self.best_fit, crossings, np.inf), axis=0)

    def lower_limit(self, delta_chi2: Numbers) -> Numbers:
        """Largest excess below the best fit at which Delta chi² reaches ``delta_chi2`` (events); 0 if none."""
        crossings = self._crossings(delta_chi2)
        return np.max(np.where((crossings > 0) & (crossings < self.best_fit), crossings, 0.0), axis=0)

    def _crossings(self, delta_chi2):
        """The two excesses, of any sign, at which Delta chi² is ``delta_chi2``, shape (2, ...); NaN if none."""
        if not delta_chi2 > 0:
            raise ValueError(f"delta_chi2: {delta_chi2!r} must be positive")
        # (r - n)² = level (V + s² (N + n)²) as a n² + b n + c = 0
        with np.errstate(divide="ignore", invalid="ignore"):
            level = delta_chi2 + self.chi2_min
            weight = level * self.sigma**2
            a = 1 - weight
            b = -2 * (self.residual + weight * self.scaled)
            c = self.residual**2 - level * self.variance - weight * self.scaled**2
            q = -(b + np.copysign(np.sqrt(b**2 - 4 * a * c), b)) / 2
            return np.array([q / a, c / q])
