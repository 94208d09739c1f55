"""From counts to limits on the transition moments (section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cevns_tmm.magnetic_moment import PLANES, mu_nu_sq, pair_moments
from cevns_tmm.mixing import flavour_index
from cevns_tmm.statistics import CountingExperiment

FLAVOUR = {"numu": "mu", "numubar": "mu", "nue": "e", "nuebar": "e"}
"""Flavour of each flux component."""


@dataclass(frozen=True)
class Sensitivity:
    """chi² as a function of the transition moments.

    ``chi2`` is a CountingExperiment; ``n_em`` maps the components that count as signal to their events at
    mu_nu = 1 mu_B; ``U`` is the mixing matrix, shape (3, 3).
    """

    chi2: CountingExperiment
    n_em: Mapping
    U: np.ndarray

    def __post_init__(self):
        for component in self.n_em:
            if component not in FLAVOUR:
                raise ValueError(f"n_em: {component!r} must be one of {', '.join(FLAVOUR)}")

    @property
    def per_flavour(self):
        """Events at mu_nu = 1 mu_B of each flavour: {"e" or "mu": events}."""
        found = {}
        for component, n in self.n_em.items():
            found[FLAVOUR[component]] = found.get(FLAVOUR[component], 0.0) + n
        return found

    def excess(self, Lambda):
        """Magnetic-moment events for moments of shape (3, ...) [mu_B]."""
        return sum(n * mu_nu_sq(flavour, Lambda, self.U) for flavour, n in self.per_flavour.items())

    def delta_chi2(self, Lambda):
        """chi² above its minimum for moments of shape (3, ...) [mu_B]."""
        return self.chi2.delta_chi2(self.excess(Lambda))

    def limits(self, level):
        """Upper limits on |Lambda_1|, |Lambda_2|, |Lambda_3|, one at a time, shape (3,) [mu_B].

        ``level`` is the Delta chi²; ``inf`` where there is no sensitivity.
        """
        with np.errstate(divide="ignore"):
            return np.sqrt(self.chi2.upper_limit(level) / self.excess(np.eye(3)))

    def blind(self):
        """Directions without events, Eqs. (13)-(14): unit vectors as the rows of a (d, 3) array.

        One flavour alone is blind along Lambda_i ~ U_alpha,i*; without events every direction is.
        """
        flavours = [flavour for flavour, n in self.per_flavour.items() if n > 0]
        if not flavours:
            return np.eye(3, dtype=complex)
        if len(flavours) > 1:
            return np.zeros((0, 3), complex)
        return self.U[[flavour_index(flavour) for flavour in flavours]].conj()

    def contour(self, plane, level, xi=0.0, points=801):
        """Contours of Delta chi² = ``level`` in a plane of two moments, [(x, y), ...] arrays [mu_B].

        The excess is a quadratic form of the two moduli, so each contour is known along rays; they are
        spaced evenly in log(y/x), from 1e-4 to 1e4 times the diagonal. A contour without a finite point
        is left out; ``plane`` and ``xi`` as in :func:`cevns_tmm.magnetic_moment.pair_moments`.
        """
        if plane not in PLANES:
            raise ValueError(f"plane: {plane!r} must be one of {', '.join(PLANES)}")
        slope = np.geomspace(1e-4, 1e4, points)
        a, b, both = (float(self.excess(pair_moments(plane, *v, xi))) for v in ((1, 0), (0, 1), (1, 1)))
        c = (both - a - b) / 2
        if c < 0 and a * b - c**2 < 1e-12 * a * b:  # blind along a ray: the contour is open there
            blind = np.sqrt(a / b)
            slope = np.sort(np.append(slope, blind))
        else:
            blind = np.nan
        x, y = 1 / np.hypot(1, slope), slope / np.hypot(1, slope)
        per_radius_sq = np.where(slope == blind, 0.0, self.excess(pair_moments(plane, x, y, xi)))
        found = []
        for n in (self.chi2.lower_limit(level), self.chi2.upper_limit(level)):
            with np.errstate(divide="ignore", invalid="ignore"):
                radius = np.sqrt(n / per_radius_sq)
            finite = np.isfinite(radius) & (radius > 0)
            for part in np.split(np.arange(len(slope)), np.flatnonzero(np.diff(finite)) + 1):
                if finite[part[0]]:
                    found.append((radius[part] * x[part], radius[part] * y[part]))
        return found
