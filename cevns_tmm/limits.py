"""From counts to limits on the transition moments (section 5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cevns_tmm.annotations import Curves, Numbers
from cevns_tmm.errors import check_name
from cevns_tmm.magnetic_moment import PLANES, mu_nu_sq, pair_moments
from cevns_tmm.mixing import FLAVOURS
from cevns_tmm.statistics import CountingExperiment

FLAVOUR = {"numu": "mu", "numubar": "mu", "nue": "e", "nuebar": "e"}
"""Flavour of each flux component."""

_ROUNDING = (4 * np.finfo(float).eps) ** 2
"""|U|² of an element that is 0 but for rounding."""


def rays(
    points: int, blind: float | None = None, near: Iterable[float] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Directions (x, y) in a plane of two moments, each (points,) or with the slope y/x of a ``blind`` one in addition.

    They are spaced evenly in log(y/x), from 1e-4 to 1e4 times the diagonal. Besides the blind slope there are those
    that differ from it by the fractions ``near``.
    """
    slope = np.geomspace(1e-4, 1e4, points)
    if blind is not None:
        slope = np.sort(np.append(slope, blind * (1 + np.array([0.0, *near]))))
    return 1 / np.hypot(1, slope), slope / np.hypot(1, slope)


def polylines(radii: Iterable[np.ndarray], x: np.ndarray, y: np.ndarray) -> Curves:
    """Points at each of the ``radii`` (m, n) along rays (x, y): [(x, y), ...], cut where a radius is 0 or infinite."""
    found = []
    for radius in radii:
        finite = np.isfinite(radius) & (radius > 0)
        for part in np.split(np.arange(len(x)), np.flatnonzero(np.diff(finite)) + 1):
            if finite[part[0]]:
                found.append((radius[part] * x[part], radius[part] * y[part]))
    return found


class QuadraticForm:
    """chi² of an excess that is diagonal in some basis of the moments, n = Σ_a w_a |(U Lambda)_a|².

    Subclasses have ``chi2``, as CountingExperiment; ``weights`` w >= 0, shape (3,) [events per mu_B²]; and the
    unitary ``U``, shape (3, 3). A direction is blind where a weight is 0.
    """

    chi2: Any
    weights: Any
    U: np.ndarray

    @property
    def matrix(self) -> np.ndarray:
        """A of n = Lambda† A Lambda, Hermitian, shape (3, 3) [1/mu_B²]."""
        return (self.U.conj().T * self.weights) @ self.U

    @property
    def _shares(self):
        """|U|², without what only rounding left."""
        shares = np.abs(self.U) ** 2
        return np.where(shares < _ROUNDING, 0.0, shares)

    def excess(self, Lambda: np.ndarray) -> np.ndarray:
        """Magnetic-moment events for moments of shape (3, ...) [mu_B]."""
        return np.tensordot(self.weights, np.abs(np.tensordot(self.U, Lambda, axes=1)) ** 2, axes=1)

    def delta_chi2(self, Lambda: np.ndarray) -> np.ndarray:
        """chi² above its minimum for moments of shape (3, ...) [mu_B]."""
        return self.chi2.delta_chi2(self.excess(Lambda))

    def profile(self, Lambda: np.ndarray) -> np.ndarray:
        """chi² above its minimum where each |Lambda_i| alone is one of ``Lambda`` (n,) [mu_B], shape (3, n)."""
        return self.chi2.delta_chi2(np.multiply.outer(self.excess(np.eye(3)), Lambda**2))

    def delta_chi2_plane(self, plane: str, x: Numbers, y: Numbers, xi: float = 0.0) -> np.ndarray:
        """chi² above its minimum for the moduli of only two moments, shape of ``x`` and ``y`` together [mu_B].

        ``plane`` and ``xi`` as in :func:`cevns_tmm.magnetic_moment.pair_moments`.
        """
        a, b, c, _ = self.plane_form(plane, xi)
        return self.chi2.delta_chi2(a * x**2 + b * y**2 + 2 * c * x * y)

    def blind(self) -> np.ndarray:
        """Directions without events, Eqs. (13)-(14): unit vectors as the rows of a (d, 3) array.

        One flavour alone is blind along Lambda_i ~ U_alpha,i*; without events every direction is.
        """
        return self.U[self.weights == 0].conj()

    def has_limit(self, level: float) -> bool:
        """Whether any direction has a finite limit; if so, a direction without one is blind."""
        return bool(np.isfinite(self.chi2.upper_limit(level)) and np.any(self.weights > 0))

    def limits(self, level: float) -> np.ndarray:
        """Upper limits on |Lambda_1|, |Lambda_2|, |Lambda_3|, one at a time, shape (3,) [mu_B].

        ``level`` is the Delta chi²; ``inf`` where there is no sensitivity.
        """
        return self.moduli(self.chi2.upper_limit(level))

    def moduli(self, n: Numbers) -> np.ndarray:
        """|Lambda_1|, |Lambda_2|, |Lambda_3| that alone give an excess of ``n`` events, shape (3,) [mu_B]."""
        seen = self.weights @ self._shares > 0
        with np.errstate(divide="ignore"):
            return np.sqrt(n / np.where(seen, self.excess(np.eye(3)), 0.0))

    def profiled_limits(self, level: float) -> np.ndarray:
        """Upper limits on |Lambda_i| with the other moments and all phases free, shape (3,) [mu_B].

        |Lambda_i|² < n (A⁻¹)_ii = n Σ_a |U_ai|² / w_a; ``inf`` where Lambda_i has a part in a blind direction.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where(self._shares > 0, self._shares / self.weights[:, np.newaxis], 0.0)
        return np.sqrt(self.chi2.upper_limit(level) * parts.sum(axis=0))

    def contour(
        self, plane: str, level: float, xi: float = 0.0, points: int = 801, profiled: bool = False
    ) -> Curves:
        """Contours of Delta chi² = ``level`` in a plane of two moments, [(x, y), ...] arrays [mu_B].

        The excess is a quadratic form of the two moduli, so each contour is known along :func:`rays`. A contour
        without a finite point is left out; ``plane`` and ``xi`` as in :func:`cevns_tmm.magnetic_moment.pair_moments`. With
        ``profiled`` the third moment and all phases are free.
        """
        check_name("plane", plane, PLANES)
        a, b, c, determinant = self._profiled_form(plane) if profiled else self.plane_form(plane, xi)
        # along a blind ray the contour is open
        blind = np.sqrt(a / b) if c < 0 and determinant == 0 else None
        x, y = rays(points, blind)
        if profiled:  # a x² + b y² + 2 c x y for c <= 0, free of cancellation
            root = np.sqrt(a * b)
            per_radius_sq = (np.sqrt(a) * x - np.sqrt(b) * y) ** 2
            per_radius_sq += 2 * x * y * determinant / (root - c) if determinant else 0.0
        else:
            per_radius_sq = self.excess(pair_moments(plane, x, y, xi))
        if blind is not None:
            per_radius_sq[np.argmin(np.abs(np.log(y / x / blind)))] = 0.0
        ends = np.array([self.chi2.lower_limit(level), self.chi2.upper_limit(level)])
        with np.errstate(divide="ignore", invalid="ignore"):
            return polylines(np.sqrt(ends[:, np.newaxis] / per_radius_sq), x, y)

    def plane_form(self, plane: str, xi: float = 0.0) -> tuple[float, float, float, float]:
        """a, b, c and a b - c² of the excess a x² + b y² + 2 c x y of two moduli, the third moment 0 [1/mu_B²].

        ``plane`` and ``xi`` as in :func:`cevns_tmm.magnetic_moment.pair_moments`.
        """
        a, b, both = (float(self.excess(pair_moments(plane, *v, xi))) for v in ((1, 0), (0, 1), (1, 1)))
        c = (both - a - b) / 2
        determinant = a * b - c**2
        return a, b, c, determinant if determinant > 1e-12 * a * b else 0.0

    def _profiled_form(self, plane):
        """The same, at its least over the third moment k and all phases.

        S = A_(ij) - A_ik A_kj / A_kk has the cofactors of A over A_kk as entries, and the determinant
        det A / A_kk; the best phase turns S_ij into -|S_ij|. A has the cofactors U† diag(w_b w_c) U.
        """
        i, j = PLANES[plane]
        k = 3 - i - j
        w, shares = self.weights, self._shares
        form, norm = w[[1, 2, 0]] * w[[2, 0, 1]], w @ shares[:, k]
        if norm == 0:  # blind along the third moment: the others are all that counts
            a, b = w @ shares[:, i], w @ shares[:, j]
            return a, b, -abs(self.matrix[i, j]), a * b - abs(self.matrix[i, j]) ** 2
        a, b = form @ shares[:, j] / norm, form @ shares[:, i] / norm
        both = abs((form * self.U[:, i].conj()) @ self.U[:, j]) / norm
        return a, b, -both, np.prod(w) / norm


@dataclass(frozen=True)
class Sensitivity(QuadraticForm):
    """chi² as a function of the transition moments, of neutrinos that are pure flavours.

    ``chi2`` is a CountingExperiment; ``n_em`` maps the components that count as signal to their events at
    mu_nu = 1 mu_B; ``U`` is the mixing matrix, shape (3, 3). In the flavour basis the excess is diagonal.
    """

    chi2: CountingExperiment
    n_em: Mapping
    U: np.ndarray

    def __post_init__(self) -> None:
        for component in self.n_em:
            if component not in FLAVOUR:
                raise ValueError(f"n_em: {component!r} must be one of {', '.join(FLAVOUR)}")

    @property
    def per_flavour(self) -> dict[str, float]:
        """Events at mu_nu = 1 mu_B of each flavour: {"e" or "mu": events}."""
        found = {}
        for component, n in self.n_em.items():
            found[FLAVOUR[component]] = found.get(FLAVOUR[component], 0.0) + n
        return found

    @property
    def weights(self) -> np.ndarray:
        """Events per |Lambda_e|², |Lambda_mu|², |Lambda_tau|², those of all other flavours, shape (3,) [1/mu_B²]."""
        n = [self.per_flavour.get(flavour, 0.0) for flavour in FLAVOURS]
        return np.array([n[1] + n[2], n[0] + n[2], n[0] + n[1]])

    def excess(self, Lambda: np.ndarray) -> np.ndarray:
        """Magnetic-moment events for moments of shape (3, ...) [mu_B]."""
        return np.sum(
            [n * mu_nu_sq(flavour, Lambda, self.U) for flavour, n in self.per_flavour.items()], axis=0
        )

    def flavour_limits(self, level: float) -> np.ndarray:
        """Upper limits on |Lambda_e|, |Lambda_mu|, |Lambda_tau|, mu_nu_e and mu_nu_mu, shape (5,) [mu_B].

        Each alone, or with the others and all phases free: in this basis it is the same. An effective moment
        is that of one flavour, without any of the other. ``inf`` where there is no sensitivity.
        """
        n = [self.per_flavour.get(flavour, 0.0) for flavour in ("e", "mu")]
        with np.errstate(divide="ignore"):
            return np.sqrt(self.chi2.upper_limit(level) / np.array([*self.weights, *n]))
