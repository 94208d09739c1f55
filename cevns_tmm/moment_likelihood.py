"""Limits on the moments from a binned likelihood, of one experiment or several, phases and other moments fixed or free.

A strength of the signal is a quadratic form of the moments, x = Lambda† A Lambda: mu_nu² of a flavour, or of solar
neutrinos. So chi² along a ray Lambda = r v depends on r² x(v) alone, and a limit is the root of one function.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy

from cevns_tmm.annotations import Curves, Numbers
from cevns_tmm.errors import check_name
from cevns_tmm.likelihood import Likelihood
from cevns_tmm.limits import polylines, rays
from cevns_tmm.magnetic_moment import PLANES, pair_moments
from cevns_tmm.mixing import flavour_index
from cevns_tmm.profiled import Furthest

BLOCK = 10_000
"""Moments whose chi² is computed at once."""

ROUNDING = 1e-13
"""Strengths at |Lambda| = 1 that are no more than this are 0."""

NEAR = np.outer([-1, 1], np.geomspace(1e-4, 0.1, 10)).ravel()
"""Rays beside a blind one, by how much their slopes differ: few rays, and yet strips that go on for decades."""


def flavour_form(flavour: str, U: np.ndarray) -> np.ndarray:
    """A of mu_nu² of one flavour, 1 - u u† with u_i = U_alpha,i*, shape (3, 3)."""
    u = np.asarray(U)[flavour_index(flavour)].conj()
    return np.eye(3) - np.outer(u, u.conj())


def published_limit(strength: str, mu_nu: float, level: float) -> Likelihood:
    """The likelihood Delta chi² = level (x/mu_nu²)² of a ``strength`` x of which only the limit is published.

    ``mu_nu`` [mu_B] is the limit at Delta chi² = ``level``; that chi² is parabolic in mu_nu² around 0 is assumed.
    """
    if not (mu_nu > 0 and level > 0):
        raise ValueError(f"mu_nu: {mu_nu!r} and level: {level!r} must be positive")
    return Likelihood([0.0], [0.0], {strength: [mu_nu**-2]}, variance=[1 / level])


@dataclass(frozen=True)
class MomentLikelihood:
    """chi² as a function of the transition moments.

    ``likelihood`` is one experiment's, or a sum; ``forms`` maps its strengths to their A, shape (3, 3) Hermitian,
    of which no eigenvalue is negative. ``U`` is the mixing matrix, for limits in the flavour basis.
    """

    likelihood: Likelihood
    forms: Mapping
    U: np.ndarray | None = None

    def __post_init__(self) -> None:
        if missing := set(self.likelihood.signal) - set(self.forms):
            raise ValueError(f"forms: none for {', '.join(sorted(missing))}")

    @cached_property
    def A(self) -> np.ndarray:
        """A of each strength (f, 3, 3), 0 for one without a signal."""
        signal = self.likelihood.signal.items()
        return np.array([self.forms[name] * bool(np.any(s)) for name, s in signal], complex)

    def strengths(self, Lambda: np.ndarray) -> np.ndarray:
        """x = Lambda† A Lambda of each strength, shape (..., f), for moments (3, ...) [mu_B²].

        A strength within the rounding error of |Lambda|² is 0.
        """
        v = np.moveaxis(np.asarray(Lambda, complex), 0, -1)
        x = np.einsum("...i,fij,...j->...f", v.conj(), self.A, v).real
        return np.where(x > ROUNDING * np.sum(np.abs(v) ** 2, axis=-1)[..., None], x, 0.0)

    def delta_chi2_plane(self, plane: str, x: Numbers, y: Numbers, xi: float = 0.0) -> np.ndarray:
        """The same for the moduli of only two moments, as of :meth:`cevns_tmm.limits.QuadraticForm.delta_chi2_plane`."""
        return self.delta_chi2(pair_moments(plane, x, y, xi))

    def delta_chi2(self, Lambda: np.ndarray) -> np.ndarray:
        """chi² above its minimum over all moments, for moments of shape (3, ...) [mu_B]."""
        x = self.strengths(Lambda)
        flat = x.reshape(-1, x.shape[-1])
        parts = np.array_split(flat, len(flat) // BLOCK + 1)  # each strength has a matrix of the pulls
        chi2 = np.concatenate([self.likelihood.chi2(part) for part in parts])
        return chi2.reshape(x.shape[:-1]) - self.minimum

    def profile(self, Lambda: np.ndarray) -> np.ndarray:
        """chi² above its minimum where each |Lambda_i| alone is one of ``Lambda`` (n,) [mu_B], shape (3, n)."""
        each = self.strengths(np.eye(3))
        best = self.likelihood.best_fit(each)[:, None]
        chi2 = self.likelihood.chi2(np.square(Lambda)[:, None] * each[:, None])
        return chi2 - self.likelihood.chi2(np.where(np.isfinite(best), best, 0.0) * each)[:, None]

    def has_limit(self, level: float) -> bool:
        """Whether any direction has a finite limit; if so, a direction without one is blind."""
        return bool(np.any(np.isfinite(self.likelihood.interval(level, np.eye(len(self.A)))[1])))

    def limits(self, level: float) -> np.ndarray:
        """Upper limits on |Lambda_1|, |Lambda_2|, |Lambda_3|, the others 0, shape (3,) [mu_B].

        ``level`` is the Delta chi²; ``inf`` where there is no sensitivity.
        """
        return np.sqrt(self.likelihood.interval(level, self.strengths(np.eye(3)))[1])

    def flavour_limits(self, level: float) -> np.ndarray:
        """Upper limits on |Lambda_e|, |Lambda_mu|, |Lambda_tau|, mu_nu_e and mu_nu_mu, each alone, shape (5,) [mu_B].

        An effective moment is that of one flavour, without any of the other. ``inf`` where there is no sensitivity.
        """
        alone = np.array([[name == flavour for name in self.likelihood.signal] for flavour in ("e", "mu")])
        directions = np.vstack([self.strengths(self.U.conj().T), alone])
        return np.sqrt(self.likelihood.interval(level, directions)[1])

    def profiled_limits(self, level: float) -> np.ndarray:
        """Upper limits on |Lambda_1|, |Lambda_2|, |Lambda_3|, the others and all phases free, shape (3,) [mu_B].

        ``inf`` where Lambda_i may grow without end. At the limit, the gradient of chi² in the strengths, w, makes
        Lambda proportional to column i of (Sum_f w_f A_f)^-1; the largest |Lambda_i| of all w is the limit. With an
        excess, chi² may fall with some of the strengths.
        """

        def limit(i):
            def column(A, _, turn):
                inverse = np.linalg.pinv(A, hermitian=True)[..., i]
                return inverse / inverse[..., [i]] * np.exp(1j * turn * np.arange(3))

            return Furthest(self, level, np.where(np.arange(3) == i, [[1.0]], np.nan), column).radii()[0]

        return np.array([np.inf if endless else limit(i) for i, endless in enumerate(self._unbounded(level))])

    def _unbounded(self, level):
        """Whether each Lambda_i may grow without end below ``level``, shape (3,), by rank.

        It may if along a direction with a part of it all strengths but some vanish, and what chi² tends to as those
        grow leaves it below.
        """
        found, scale = np.zeros(3, bool), self.likelihood.uncertainty
        active = np.isfinite(scale)
        for passed in itertools.product([False, True], repeat=active.sum()):
            grows = np.zeros(len(scale), bool)
            grows[active] = passed
            far = np.where(grows, 1e6 * np.where(active, scale, 0.0), self.strengths(self.best_fit))
            if not any(passed) or self.likelihood.chi2(far) - self.minimum <= level:
                values, vectors = np.linalg.eigh(self.A[~grows].sum(axis=0))
                found |= np.any(np.abs(vectors[:, values < ROUNDING]) ** 2 > ROUNDING, axis=1)
        return found

    def blind(self) -> np.ndarray:
        """Directions without events, Eqs. (13)-(14): unit vectors as the rows of a (d, 3) array."""
        values, vectors = np.linalg.eigh(self.A.sum(axis=0))
        return vectors.T[values < ROUNDING]

    def contour(
        self, plane: str, level: float, xi: float = 0.0, points: int = 801, profiled: bool = False
    ) -> Curves:
        """Contours of Delta chi² = ``level`` in a plane of two moments, [(x, y), ...] arrays [mu_B].

        Arguments and rays as of :meth:`cevns_tmm.limits.QuadraticForm.contour`. Delta chi² is above the least chi²
        of the plane, or with ``profiled`` of all moments.
        """
        check_name("plane", plane, PLANES)
        i, j = PLANES[plane]
        total, pair = self.A.sum(axis=0), pair_moments(plane, [1.0, 0.0], [0.0, 1.0], xi)
        if profiled:
            a, b, c = (float(value[0]) for value in _eliminate(total[None], i, j)[:3])
        else:
            (a, c), (_, b) = (pair.conj().T @ total @ pair).real
        blind = np.sqrt(a / b) if c < 0 and a * b - c**2 < 1e-12 * a * b else None
        x, y = rays(points, blind, NEAR if profiled else ())
        if profiled:
            return polylines([self._profiled_radii(level, i, j, x, y)], x, y)
        least, _ = self._least(pair, np.stack([x, y]), low=0.0)
        ends = self.likelihood.interval(level, self.strengths(pair_moments(plane, x, y, xi)), least)
        return polylines(np.sqrt(ends), x, y)

    @cached_property
    def _best_fit(self):
        """Least chi² over all moments, and the moments (3,) [mu_B] there."""
        # where one strength is least or largest, and anywhere else: chi² may have several minima
        ends = np.hstack(np.linalg.eigh(self.A)[1])
        rays = np.hstack([np.vstack([ends.real, ends.imag]), np.random.default_rng(1).normal(size=(6, 100))])
        return self._least(np.hstack([np.eye(3), 1j * np.eye(3)]), rays, low=None)

    @property
    def minimum(self) -> float:
        """Least chi² over all moments."""
        return self._best_fit[0]

    @property
    def best_fit(self) -> np.ndarray:
        """Moments (3,) [mu_B] where chi² is least, one choice of many."""
        return self._best_fit[1]

    def _least(self, vectors, rays, low):
        """Least chi² over Lambda = Sum_k c_k vectors[:, k], with real c_k of at least ``low``, and Lambda there.

        The search begins at the best fit along the best of the ``rays`` (k, n).
        """
        strengths = self.strengths(vectors @ rays)
        t = self.likelihood.best_fit(strengths)
        if not np.any(finite := np.isfinite(t) & (t > 0)):
            return float(self.likelihood.chi2(np.zeros(len(self.A)))), np.zeros(3)
        best = np.argmin(self.likelihood.chi2(np.where(finite, t, 0.0)[:, None] * strengths))
        scale = np.sqrt(t[best])

        def chi2(c):
            Lambda = scale * (vectors @ c)
            value, slope, _ = self.likelihood.profile(self.strengths(Lambda))
            in_Lambda = 2 * np.einsum("f,fij,j->i", slope, self.A, Lambda)
            return value, scale * (vectors.conj().T @ in_Lambda).real

        bounds, options = [(low, None)] * len(rays), {"ftol": 1e-15, "gtol": 1e-12}
        found = scipy.optimize.minimize(
            chi2, rays[:, best], jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        return found.fun, scale * (vectors @ found.x)

    def _profiled_radii(self, level, i, j, x, y):
        """Radii of a contour with the third moment and all phases free, along rays (x, y)."""

        def vectors(A, ray, turn):
            *_, phase, from_i, from_j = _eliminate(A, i, j)
            v = np.zeros(A.shape[:-1], complex)
            v[..., i], v[..., j] = x[ray], y[ray] * phase * np.exp(1j * turn)
            v[..., 3 - i - j] = from_i * v[..., i] + from_j * v[..., j]
            return v

        shares = np.full((len(x), 3), np.nan)
        shares[:, i], shares[:, j] = x, y
        return Furthest(self, level, shares, vectors).radii()


def _eliminate(A, i, j):
    """Lambda† A Lambda where it is stationary in Lambda_k and the phases: A_ii x² + A_jj y² + 2 c x y of the moduli x, y.

    For A of shape (..., 3, 3): A_ii, A_jj, c <= 0, exp(i phase) of Lambda_j against Lambda_i, and the shares of
    Lambda_i and Lambda_j in Lambda_k, each (...).
    """
    k = 3 - i - j
    A_kk = A[..., k, k].real
    A_kk = np.where(np.abs(A_kk) > ROUNDING * np.sum(np.abs(A), axis=(-2, -1)), A_kk, np.inf)
    from_i, from_j = -A[..., k, i] / A_kk, -A[..., k, j] / A_kk
    S_ii, S_jj = (A[..., i, i] + A[..., i, k] * from_i).real, (A[..., j, j] + A[..., j, k] * from_j).real
    S_ij = A[..., i, j] + A[..., i, k] * from_j
    size = np.abs(S_ij)
    phase = np.where(size > 0, -S_ij.conj() / np.where(size > 0, size, 1.0), 1.0)
    return S_ii, S_jj, -size, phase, from_i, from_j
