"""Largest moments that data allow, with the other moments and all phases free.

Along a ray Lambda = r v the largest r follows from one function; what is looked for is the best v. With w, the gradient
of chi² in the strengths there, it makes Lambda† (Sum_f w_f A_f) Lambda stationary. So a search goes over w > 0, which is
enough where chi² rises with each strength. With data that fluctuate it may fall with some: then a search in the moments
goes on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import scipy

from cevns_tmm.likelihood import MOST_CHI2
from cevns_tmm.maximum import ENDLESS, peaks

if TYPE_CHECKING:
    from cevns_tmm.moment_likelihood import MomentLikelihood

BLOCK = 1000
"""Directions of a grid that are looked at together."""

SLSQP = {"ftol": 1e-12, "maxiter": 100}
"""Options of the search in the moments: ten steps are usual, and those that need many more find nothing."""

TURNS = 0.3, -0.3
"""Turns of phases with which a search in the moments begins: without any, it may rest on a saddle."""


@dataclass(frozen=True)
class Furthest:
    """The largest r with Delta chi² <= ``level`` above the least chi² of ``model``, of many problems at once.

    Problem k holds the moduli of some moments at r ``shares[k]`` (3,), nan for those that are free as all phases are.
    ``vectors(A, k, turn)`` (..., 3) are the moments of such moduli at which Lambda† A Lambda is stationary, for A of
    shape (..., 3, 3) and problems k (...), or with phases turned away from there; what is not finite is no direction.
    """

    model: MomentLikelihood
    level: float
    shares: np.ndarray
    vectors: Callable

    def radii(self) -> np.ndarray:
        """r of each problem: 0 where chi² stays above the level, ``inf`` where it stays below."""
        if not self._active.any():
            return np.full(len(self.shares), np.inf)
        logs, found = peaks(self._log_radius_at, self._start())
        found = self._climb(logs, found)
        return np.select([found <= -ENDLESS, found >= ENDLESS], [0.0, np.inf], np.exp(found))

    @cached_property
    def _active(self):
        """Which strengths have a signal."""
        return np.isfinite(self.model.likelihood.uncertainty)

    @cached_property
    def _grid(self):
        """Logarithms of w, in units of the inverse uncertainties, against that of the first strength (m, f-1)."""
        others = self._active.sum() - 1
        axes = [np.linspace(-12, 12, 25 if others == 1 else 13)] * others
        return np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, others) if axes else np.zeros((1, 0))

    def _weights(self, logs):
        return np.exp(np.insert(logs, 0, 0.0, axis=-1))

    def _direction(self, logs, k, turn=0.0):
        """Directions (3, ...) of problems k (...) at the logarithms of w (..., f-1), with phases turned."""
        forms = self.model.A[self._active] / self.model.likelihood.uncertainty[self._active, None, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            v = self.vectors(np.einsum("...f,fij->...ij", self._weights(logs), forms), k, turn)
        return np.moveaxis(v, -1, 0)

    def _log_radius_at(self, logs, k):
        return self._log_radius(self._direction(logs, k))

    def _log_radius(self, v):
        """Logarithm of r along v (3, ...), at most ENDLESS.

        Where chi² stays above the level it is below -ENDLESS by how much, so that a search finds out of there; what is
        no direction is lower still.
        """
        known = np.isfinite(v).all(axis=0)
        likelihood, minimum = self.model.likelihood, self.model.minimum
        x = self.model.strengths(np.where(known, v, 1.0))
        end = likelihood.interval(self.level, x, minimum)[1]
        with np.errstate(divide="ignore"):
            found = np.asarray(np.clip(np.log(end) / 2, -ENDLESS, ENDLESS))
        if len(rays := x[none := np.isnan(end)]):
            best = likelihood.best_fit(rays, minimum)
            chi2 = likelihood.chi2(np.where(np.isfinite(best), best, 0.0)[:, None] * rays)
            found[none] = -ENDLESS - np.minimum(chi2 - minimum - self.level, MOST_CHI2)
        return np.where(known, found, -2 * MOST_CHI2)

    def _start(self):
        """The best of the grid for each problem: far from the best fit there is no end, and a lower peak may be nearer."""
        number = np.arange(len(self.shares))
        blocks = np.array_split(number, min(len(number), len(number) * len(self._grid) // BLOCK + 1))

        def best(k):
            everywhere = np.broadcast_to(self._grid, (len(k), *self._grid.shape))
            return self._grid[np.argmax(self._log_radius_at(everywhere, k[:, None]), axis=1)]

        return np.concatenate([best(k) for k in blocks])

    def _rises(self):
        """Whether chi² is below the level without a signal, and rises with each strength wherever it leaves it."""
        likelihood = self.model.likelihood
        rays = np.zeros((len(self._grid), len(self._active)))
        rays[:, self._active] = likelihood.uncertainty[self._active] * self._weights(self._grid)
        low, high = likelihood.interval(self.level, rays, self.model.minimum)
        slope = likelihood.profile(np.where(np.isfinite(high), high, 0.0)[:, None] * rays)[1]
        return bool(np.all(low == 0) and np.all(slope >= 0))

    def _climb(self, logs, found):
        """Logarithms of r after a search in the moments, from what was ``found`` at the logarithms of w (n, f-1).

        Where chi² rises with each strength it begins only with other phases that are better, as they may be in a plane.
        """
        problems = np.arange(len(self.shares))
        turns = TURNS if np.any(self.model.A.imag) else TURNS[:1]  # else the other is the conjugate
        v, *turned = (self._direction(logs, problems, turn) for turn in (0.0, *turns))

        def search(k, start):
            for end in (start, self._uphill(k, start)):
                if (log := self._log_radius(end)) > found[k]:
                    v[:, k], found[k] = end, log

        rises = self._rises()
        for start in turned:
            better = self._log_radius(start) > found if rises else found < ENDLESS
            for k in np.flatnonzero(better):
                search(k, start[:, k])
        if rises:
            return found
        if self.model.delta_chi2(np.zeros(3)) > self.level:  # few directions are left, and this is one
            for k in np.flatnonzero(found < ENDLESS):
                search(k, self._beside(k, self.model.best_fit))
        for near, k in itertools.chain(itertools.pairwise(problems), itertools.pairwise(problems[::-1])):
            aside = self._beside(k, v[:, near])
            if self._log_radius(aside) > found[k]:
                search(k, aside)
        return found

    def _beside(self, k, v):
        """The direction of problem k that has the phases of ``v`` (3,), and the free moments in proportion."""
        free, held = self._free[k], self._held[k]
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.linalg.norm(held) / np.linalg.norm(v[~free])
        return np.where(free, v * np.nan_to_num(scale, posinf=1.0), held * np.exp(1j * np.angle(v)))

    @cached_property
    def _free(self):
        return np.isnan(self.shares)

    @cached_property
    def _held(self):
        return np.nan_to_num(self.shares)

    def _uphill(self, k, v):
        """Direction with the largest r of problem k that is reached from ``v`` (3,)."""
        free, held, unit = self._free[k], self._held[k], self._unit(v)

        def moments(u):  # ln r, the phases, and the free moments
            real, imaginary = u[4:].reshape(2, -1)
            Lambda = np.exp(u[0] + 1j * u[1:4]) * held
            Lambda[free] = real + 1j * imaginary
            return unit * Lambda

        @lru_cache(maxsize=1)
        def room(u):
            """How far chi² is below the level, by a root that grows about as the strengths, and the gradient."""
            Lambda = moments(np.array(u))
            chi2, slope, _ = self.model.likelihood.profile(self.model.strengths(Lambda))
            above = np.clip(chi2 - self.model.minimum, 0.0, MOST_CHI2)
            root = np.sqrt((above + self.level) / (2 * self.level))
            of_Lambda = 2 * np.einsum("f,fij,j->i", slope, self.model.A, Lambda).conj()
            turned, moved = 1j * of_Lambda * Lambda * ~free, unit * of_Lambda[free]
            gradient = np.concatenate([[turned.imag.sum()], turned.real, moved.real, -moved.imag])
            return 1 - root, -gradient / (4 * self.level * root)

        start = np.concatenate([[0.0], np.angle(v) * (held > 0), v[free].real, v[free].imag])
        found = scipy.optimize.minimize(
            lambda u: (-u[0], -np.eye(len(u))[0]),
            start,
            jac=True,
            method="SLSQP",
            bounds=[(-7, 7), *[(None, None)] * 3, *[(-1e4, 1e4)] * (len(start) - 4)],
            constraints={
                "type": "ineq",
                "fun": lambda u: room(tuple(u))[0],
                "jac": lambda u: room(tuple(u))[1],
            },
            options=SLSQP,
        )
        return moments(found.x) / (unit * np.exp(found.x[0]))

    def _unit(self, v):
        """r along v (3,), or where there is none, that of the least chi², or of a signal as large as its uncertainty."""
        likelihood, minimum, x = self.model.likelihood, self.model.minimum, self.model.strengths(v)
        ends = [likelihood.interval(self.level, x, minimum)[1], likelihood.best_fit(x, minimum)]
        known = [end for end in ends if 0 < end < np.inf]
        x = x if x.any() else self.model.strengths(np.eye(3)).sum(axis=0)
        return np.sqrt(known[0] if known else 1 / np.sum(x / likelihood.uncertainty))
