"""Limits from the recoil spectrum: Eq. (35) in bins, with a nuisance on the total of all bins."""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre

from cevns_tmm.limits import FLAVOUR
from cevns_tmm.magnetic_moment import mu_nu_sq

_POINTS = np.linspace(-1, 1, 33)[1:]
"""Points of a panel of the quadrature at which cumulative spectra are known."""


def cumulative(values, half_width):
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


def bins_of_equal_counts(rates, bins, nodes):
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

    chi² = min_a Sum_i (x E_i - a (S_i + x E_i))² / (v S_i) + a²/s². In closed form only three numbers of the bins
    matter: ``sm`` S = Sum S_i, ``em`` E = Sum E_i and ``shape`` Q = Sum E_i²/S_i >= E²/S. ``variance`` is v
    (1 + sigma_stat in Eq. 35); ``sigma`` is s, and ``inf`` leaves the normalisation free.
    """

    sm: float
    em: float
    shape: float
    variance: float
    sigma: float

    @classmethod
    def of_bins(cls, sm, em, variance, sigma):
        """From the events of each bin, shape (bins,): S_i > 0 and E_i."""
        return cls(np.sum(sm), np.sum(em), np.sum(np.square(em) / sm), variance, sigma)

    def chi2(self, x):
        """chi² at strengths ``x`` of any shape, minimised over the nuisance."""
        quadratic, spread, tied = self._terms()
        total = self.sm + 2 * np.multiply(x, self.em) + np.square(x) * self.shape
        return np.square(x) * quadratic / (spread * total + self.variance * tied)

    def upper_limit(self, delta_chi2):
        """Strength at which chi² is ``delta_chi2``; ``inf`` if it stays below."""
        quadratic, spread, tied = self._terms()
        a = quadratic - delta_chi2 * spread * self.shape
        b = delta_chi2 * spread * self.em
        c = delta_chi2 * (spread * self.sm + self.variance * tied)  # a x² - 2 b x - c = 0
        return (b + np.sqrt(b**2 + a * c)) / a if a > 0 else np.inf

    def _terms(self):
        """Coefficients of chi² = x² q / (s² (S + 2 x E + x² Q) + v), q = s² (Q S - E²) / v + Q; s² apart from its scale."""
        spread, tied = (1.0, 0.0) if np.isinf(self.sigma) else (self.sigma**2, 1.0)
        shapes = max(self.shape * self.sm - self.em**2, 0.0)
        return spread * shapes / self.variance + self.shape * tied, spread, tied


def excess_by_moment(em, components, U):
    """Events of each |Lambda_i|² in each bin, shape (3, bins) [1/mu_B²]; ``em`` of the components, shape (c, bins)."""
    seen = [mu_nu_sq(FLAVOUR[component], np.eye(3), U) for component in components]
    return np.tensordot(np.reshape(seen, (-1, 3)), em, axes=(0, 0))
