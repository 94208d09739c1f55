"""Independent experiments together: their chi² add, as functions of the moments."""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize

_RANK = 1e-12
"""Eigenvalues of a sum of matrices below this share of the largest are 0."""

_SMALL_LEVEL = 1e-2
"""Delta chi² that every experiment with events can reach."""


@dataclass(frozen=True)
class Combination:
    """Independent experiments with the same moments: their chi² add. ``members`` are QuadraticForms."""

    members: tuple

    def chi2(self, Lambda):
        """Sum of chi² for moments of shape (3, ...) [mu_B]."""
        return sum(member.chi2.chi2(member.excess(Lambda)) for member in self.members)

    def profiled_limits(self, level):
        """Upper limits on |Lambda_i| with the other moments and all phases free, shape (3,) [mu_B].

        ``inf`` where Lambda_i has a part in a direction along which the sum never rises by ``level``.
        """
        metric = sum(m.matrix / m.chi2.upper_limit(_SMALL_LEVEL) for m in self.members)
        inverse = np.linalg.pinv(metric, rcond=_RANK, hermitian=True)
        least, there = self._minimum(inverse)
        limits = [
            np.inf if unseen else self._profiled_limit(i, inverse, least + level, abs(there[i]))
            for i, unseen in enumerate(self._unseen(least + level))
        ]
        return np.array(limits)

    def _unseen(self, level):
        """Whether each Lambda_i may grow without end below a chi² of ``level``, shape (3,), by rank.

        It may if all members but some are blind along a direction with a part of it, and what the chi² of those
        tends to leaves the sum below.
        """
        found = np.zeros(3, bool)
        for passed in itertools.product([False, True], repeat=len(self.members)):
            pairs = list(zip(self.members, passed, strict=True))
            if sum(m.chi2.ceiling if p else m.chi2.chi2_min for m, p in pairs) <= level:
                weights = [m.matrix / (np.max(m.weights) or 1) for m, p in pairs if not p]
                values, vectors = np.linalg.eigh(sum(weights, np.zeros((3, 3))))
                found |= np.any(np.abs(vectors[:, values < _RANK]) ** 2 > _RANK, axis=1)
        return found

    def _minimum(self, inverse):
        """Least chi² over all moments, and where it is."""
        scale = np.sqrt(np.diag(inverse).real)

        def chi2(v):
            return self.chi2(scale * (v[:3] + 1j * v[3:]))

        starts = [np.zeros(6), *np.eye(6)[:3]]
        found = min((minimize(chi2, start) for start in starts), key=lambda result: result.fun)
        return found.fun, scale * (found.x[:3] + 1j * found.x[3:])

    def _profiled_limit(self, i, inverse, level, low):
        """Where the least chi² at given |Lambda_i| rises above ``level``; |Lambda_i| = ``low`` is below."""
        scale, others = np.sqrt(np.diag(inverse).real), np.delete(np.arange(3), i)

        def above(x):
            def chi2(v):
                Lambda = x * inverse[:, i] / inverse[i, i]
                Lambda[others] += scale[others] * (v[:2] + 1j * v[2:])
                return self.chi2(Lambda)

            return minimize(chi2, np.zeros(4)).fun - level

        high = low + scale[i]
        for _ in range(60):
            if above(high) > 0:
                return brentq(above, low, high, xtol=1e-9 * scale[i])
            low, high = high, 2 * high
        return np.inf
