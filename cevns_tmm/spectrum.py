"""Limits from the recoil spectrum: Eq. (35) in bins, with a nuisance on the total of all bins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial import legendre

from cevns_tmm.annotations import Numbers
from cevns_tmm.limits import FLAVOUR
from cevns_tmm.magnetic_moment import mu_nu_sq

if TYPE_CHECKING:
    from cevns_tmm.rates import RateTable

_POINTS = np.linspace(-1, 1, 33)[1:]
"""Points of a panel of the quadrature at which cumulative spectra are known."""


def cumulative(values: np.ndarray, half_width: np.ndarray) -> np.ndarray:
    """Integrals from the first panel to points of each panel, shape (..., panels x points).

    ``values`` at the Gauss-Legendre nodes of each panel, shape (..., panels, nodes), stand for the polynomial through
    them; ``half_width`` of the panels, shape (panels,).
    """
    nodes = values.shape[-1]
    x, w = legendre.leggauss(nodes)
    orders = np.arange(nodes)[:, np.newaxis]
    coefficients = (orders + 0.5) * legendre.legvander(x, nodes - 1).T * w
    integrals = legendre.legval(_POINTS, legendre.legint(coefficients, lbnd=-1, axis=0))
    within = half_width[:, np.newaxis] * (values @ integrals)
    before = np.cumsum(within[..., -1], axis=-1) - within[..., -1]
    return (within + before[..., np.newaxis]).reshape(*values.shape[:-2], -1)


def bins_of_equal_counts(rates: RateTable, bins: int, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Events in ``bins`` bins of recoil energy that have the same Standard Model events each, without smearing.

    ``rates`` is a RateTable with ``nodes`` nodes per panel. Returns the Standard Model events of a bin and
    the magnetic-moment events of each component in each bin, shape (c, bins) [1/mu_B²].
    """
    half_width = rates.weight.reshape(-1, nodes).sum(axis=1) / 2
    sm, em = (np.einsum("in,cin->cn", rates.acceptance, rate) for rate in (rates.sm, rates.em))
    panels = np.vstack([sm.sum(axis=0), em]).reshape(len(em) + 1, -1, nodes)
    sm, *em = cumulative(panels, half_width)
    sm = np.concatenate([[0.0], np.maximum.accumulate(sm)])
    edges = np.linspace(0, sm[-1], bins + 1)
    return sm[-1] / bins, np.array([np.diff(np.interp(edges, sm, [0.0, *component])) for component in em])


@dataclass(frozen=True)
class BinnedExperiment:
    """chi² of Eq. (35) in bins, as a function of the strength x >= 0 of an excess of x E_i events.

    chi² = min_a Sum_i (r_i - x E_i - a (S_i + x E_i))² / (v S_i) + a²/s². In closed form only sums over the bins
    matter: ``sm`` of S_i, ``em`` of E_i and ``shape`` of E_i²/S_i; and of the residuals r_i, measured minus Standard
    Model, ``residual`` of r_i, ``tied`` of r_i E_i/S_i and ``spread`` of r_i²/S_i, each 0 if the expectation is the
    data, or an array, one element per experiment of many. ``variance`` is v (1 + sigma_stat in Eq. 35); ``sigma``
    is s, and ``inf`` leaves the normalisation free.
    """

    sm: float
    em: float
    shape: float
    variance: float
    sigma: float
    residual: float = 0.0
    tied: float = 0.0
    spread: float = 0.0

    @classmethod
    def of_bins(
        cls, sm: np.ndarray, em: np.ndarray, variance: Any, sigma: float, residual: Numbers = 0.0
    ) -> BinnedExperiment:
        """From the events of each bin, shape (bins,): S_i > 0 and E_i; residuals may have shape (..., bins)."""
        r = np.broadcast_to(residual, np.broadcast_shapes(np.shape(residual), np.shape(sm)))
        sums = (np.sum(part, axis=-1) for part in (r, r * em / sm, r**2 / sm))
        return cls(np.sum(sm), np.sum(em), np.sum(np.square(em) / sm), variance, sigma, *sums)

    @cached_property
    def _quadratics(self):
        """Coefficients of 1, x and x² in the numerator and the denominator of chi²; s² apart from its scale."""
        S, E, Q, v = self.sm, self.em, self.shape, self.variance
        r, rE, rr = self.residual, self.tied, self.spread
        s_sq, norm = (1.0, 0.0) if np.isinf(self.sigma) else (self.sigma**2, v)
        free = (
            rr * S - r**2,
            2 * (rr * E - rE * S - r * (rE - E)),
            max(Q * S - E**2, 0.0) + rr * Q - rE**2 - 2 * rE * E + 2 * r * Q,
        )
        numerator = [(s_sq * a + norm * b) / v for a, b in zip(free, (rr, -2 * rE, Q), strict=True)]
        return numerator, (s_sq * S + norm, 2 * s_sq * E, s_sq * Q)

    def chi2(self, x: Numbers) -> Numbers:
        """chi² at strengths ``x`` of any shape, minimised over the nuisance."""
        (n0, n1, n2), (c0, c1, c2) = self._quadratics
        return (n0 + np.multiply(x, n1 + np.multiply(x, n2))) / (c0 + np.multiply(x, c1 + np.multiply(x, c2)))

    @cached_property
    def best_fit(self) -> Numbers:
        """The strength x >= 0 of least chi²; ``inf`` if chi² falls below all others there."""
        (n0, n1, n2), (c0, c1, c2) = self._quadratics
        roots = _roots(n2 * c1 - n1 * c2, 2 * (n2 * c0 - n0 * c2), n1 * c0 - n0 * c1)
        tried = np.array([np.zeros(roots.shape[1:]), *np.where(np.isfinite(roots) & (roots > 0), roots, 0.0)])
        chi2 = self.chi2(tried)
        best = np.take_along_axis(tried, np.argmin(chi2, axis=0)[np.newaxis], axis=0)[0]
        with np.errstate(divide="ignore"):
            return np.where(np.min(chi2, axis=0) * c2 > n2, np.inf, best)[()]

    @cached_property
    def chi2_min(self) -> Numbers:
        """Least chi² over x >= 0."""
        finite = np.where(np.isinf(self.best_fit), 0.0, self.best_fit)
        (*_, n2), (*_, c2) = self._quadratics
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.isinf(self.best_fit), np.divide(n2, c2), self.chi2(finite))[()]

    def delta_chi2(self, x: Numbers) -> Numbers:
        """chi² above its minimum over x >= 0, shape of ``x``."""
        return self.chi2(x) - self.chi2_min

    def upper_limit(self, delta_chi2: Numbers) -> Numbers:
        """Smallest strength above the best fit at which Delta chi² is ``delta_chi2``; ``inf`` if it stays below."""
        level = delta_chi2 + self.chi2_min
        crossings = _roots(*(n - level * c for n, c in list(zip(*self._quadratics, strict=True))[::-1]))
        return np.min(np.where(crossings > self.best_fit, crossings, np.inf), axis=0)[()]


def _roots(a, b, c):
    """The two roots of a x² + b x + c, shape (2, ...); NaN or infinite if there are none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        q = -(b + np.copysign(np.sqrt(np.square(b) - 4 * np.multiply(a, c)), b)) / 2
        return np.array(np.broadcast_arrays(np.divide(q, a), np.divide(c, q)))


def excess_by_moment(em: np.ndarray, components: Iterable[str], U: np.ndarray) -> np.ndarray:
    """Events of each |Lambda_i|² in each bin, shape (3, bins) [1/mu_B²]; ``em`` of the components, shape (c, bins)."""
    seen = [mu_nu_sq(FLAVOUR[component], np.eye(3), U) for component in components]
    return np.tensordot(np.reshape(seen, (-1, 3)), em, axes=(0, 0))
