"""Limits on the moments from likelihoods of one or several experiments, phases and other moments fixed or free.

A strength of the signal is a quadratic form of the moments, x = Lambda† A Lambda: mu_nu² of a flavour, or of solar
neutrinos. So chi² along a ray Lambda = r v depends on r² x(v) alone, and a limit is the root of one function.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.optimize import minimize

from cevns_tmm.likelihood import Likelihood
from cevns_tmm.magnetic_moment import PLANES, pair_moments
from cevns_tmm.mixing import flavour_index
from cevns_tmm.solar import SolarExperiment
from cevns_tmm.statistics import delta_chi2_quantile

ROUNDING = 1e-13
"""Strengths at |Lambda| = 1 that are no more than this are 0."""


def flavour_form(flavour, U):
    """A of mu_nu² of one flavour, 1 - u u† with u_i = U_alpha,i*, shape (3, 3)."""
    u = np.asarray(U)[flavour_index(flavour)].conj()
    return np.eye(3) - np.outer(u, u.conj())


def published_limit(strength, mu_nu, level):
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
    of which no eigenvalue is negative.
    """

    likelihood: Likelihood
    forms: Mapping

    def __post_init__(self):
        if missing := set(self.likelihood.signal) - set(self.forms):
            raise ValueError(f"forms: none for {', '.join(sorted(missing))}")

    @cached_property
    def _A(self):
        """A of each strength (f, 3, 3), 0 for one without a signal."""
        signal = self.likelihood.signal.items()
        return np.array([self.forms[name] * bool(np.any(s)) for name, s in signal], complex)

    def strengths(self, Lambda):
        """x = Lambda† A Lambda of each strength, shape (..., f), for moments (3, ...) [mu_B²].

        A strength within the rounding error of |Lambda|² is 0.
        """
        v = np.moveaxis(np.asarray(Lambda, complex), 0, -1)
        x = np.einsum("...i,fij,...j->...f", v.conj(), self._A, v).real
        return np.where(x > ROUNDING * np.sum(np.abs(v) ** 2, axis=-1)[..., None], x, 0.0)

    def delta_chi2(self, Lambda):
        """chi² above its minimum over all moments, for moments of shape (3, ...) [mu_B]."""
        return self.likelihood.chi2(self.strengths(Lambda)) - self.minimum

    def limits(self, level, basis=None):
        """Upper limits on |Lambda_1|, |Lambda_2|, |Lambda_3|, the others 0, shape (3,) [mu_B].

        ``level`` is the Delta chi²; ``inf`` where there is no sensitivity. The columns of ``basis``, U† for the
        flavour basis, are the moments of unit size; by default (3, 3) is the unit matrix.
        """
        moments = np.eye(3) if basis is None else basis
        return np.sqrt(self.likelihood.interval(level, self.strengths(moments))[1])

    def mu_nu_limits(self, level):
        """Upper limits on the root of each strength, the others 0: {strength: [mu_B]}."""
        limits = np.sqrt(self.likelihood.interval(level, np.eye(len(self._A)))[1])
        return dict(zip(self.likelihood.signal, map(float, limits), strict=True))

    def profiled_limits(self, level):
        """Upper limits on |Lambda_1|, |Lambda_2|, |Lambda_3|, the others and all phases free, shape (3,) [mu_B].

        ``inf`` where there is a blind direction. At the limit, the gradient of chi² in the strengths, w, makes
        Lambda proportional to column i of (Sum_f w_f A_f)^-1; the largest |Lambda_i| of all w is the limit.
        """
        bounded = ~np.any(np.abs(self.blind()) > 1e-6, axis=0)

        def limit(i):
            def column(A):
                inverse = np.linalg.pinv(A, hermitian=True)[..., i]
                return inverse / inverse[:, [i]]

            return self._furthest(level, column)[0]

        return np.array([limit(i) if bounded[i] else np.inf for i in range(3)])

    def blind(self):
        """Directions without events, Eqs. (13)-(14): unit vectors as the rows of a (d, 3) array."""
        values, vectors = np.linalg.eigh(self._A.sum(axis=0))
        return vectors.T[values < ROUNDING]

    def contour(self, plane, level, xi=0.0, points=801):
        """Contours of Delta chi² = ``level`` in a plane of two moments, [(x, y), ...] arrays [mu_B].

        ``plane`` and ``xi`` as in :func:`cevns_tmm.magnetic_moment.pair_moments`, the third moment 0; with ``xi``
        None the third moment and all phases are free. Rays as in :meth:`cevns_tmm.limits.Sensitivity.contour`.
        """
        if plane not in PLANES:
            raise ValueError(f"plane: {plane!r} must be one of {', '.join(PLANES)}")
        i, j = PLANES[plane]
        total = self._A.sum(axis=0)
        if xi is None:
            a, b, c = (float(value[0]) for value in _eliminate(total[None], i, j)[:3])
        else:
            first, second = pair_moments(plane, 1.0, 0.0, xi), pair_moments(plane, 0.0, 1.0, xi)
            a, b, c = (
                (v.conj() @ total @ u).real for v, u in ((first, first), (second, second), (first, second))
            )
        slope = np.geomspace(1e-4, 1e4, points)
        if c < 0 and a * b - c**2 < 1e-12 * a * b:  # blind along a ray: the contour is open there
            slope = np.sort(np.append(slope, np.sqrt(a / b)))
        x, y = 1 / np.hypot(1, slope), slope / np.hypot(1, slope)
        if xi is None:
            radii = [self._profiled_radii(level, i, j, x, y)]
        else:
            least = self._least(np.stack([first, second], axis=-1), np.stack([x, y]), low=0.0)
            ends = self.likelihood.interval(level, self.strengths(pair_moments(plane, x, y, xi)), least)
            radii = np.sqrt(ends)
        found = []
        for radius in radii:
            finite = np.isfinite(radius) & (radius > 0)
            for part in np.split(np.arange(len(slope)), np.flatnonzero(np.diff(finite)) + 1):
                if finite[part[0]]:
                    found.append((radius[part] * x[part], radius[part] * y[part]))
        return found

    @cached_property
    def minimum(self):
        """Least chi² over all moments."""
        return self._least(np.hstack([np.eye(3), 1j * np.eye(3)]), np.eye(6) + 0.1, low=None)

    def _least(self, vectors, rays, low):
        """Least chi² over Lambda = Sum_k c_k vectors[:, k], with real c_k of at least ``low``.

        The search begins at the best fit along the best of the ``rays`` (k, n).
        """
        strengths = self.strengths(vectors @ rays)
        t = self.likelihood.best_fit(strengths)
        if not np.any(finite := np.isfinite(t) & (t > 0)):
            return float(self.likelihood.chi2(np.zeros(len(self._A))))
        best = np.argmin(self.likelihood.chi2(np.where(finite, t, 0.0)[:, None] * strengths))
        scale = np.sqrt(t[best])

        def chi2(c):
            Lambda = scale * (vectors @ c)
            value, slope, _ = self.likelihood.profile(self.strengths(Lambda))
            in_Lambda = 2 * np.einsum("f,fij,j->i", slope, self._A, Lambda)
            return value, scale * (vectors.conj().T @ in_Lambda).real

        bounds, options = [(low, None)] * len(rays), {"ftol": 1e-15, "gtol": 1e-12}
        return minimize(chi2, rays[:, best], jac=True, method="L-BFGS-B", bounds=bounds, options=options).fun

    def _furthest(self, level, vectors, log_weights=None):
        """Largest r with Delta chi² <= ``level`` at r v, v one of ``vectors`` (A) of A = Sum_f w_f A_f, w_f > 0.

        Also returns the logarithms of the weights, to start from at a place near by.
        """
        active = np.isfinite(self.likelihood.uncertainty)
        if not active.any():
            return np.inf, None
        forms = self._A[active] / self.likelihood.uncertainty[active, None, None]

        def radius_sq(log_weights):
            w = np.exp(np.insert(log_weights, 0, 0.0, axis=-1))
            v = vectors(np.einsum("mf,fij->mij", w, forms))
            return self.likelihood.interval(level, self.strengths(v.T), self.minimum)[1]

        def loss(log_weights):
            steps = 1e-5 * np.eye(len(log_weights))
            t = radius_sq(log_weights + np.concatenate([0 * steps[:1], steps, -steps]))
            value = -np.log(np.clip(np.nan_to_num(t, posinf=1e100), 1e-100, 1e100))
            return value[0], (value[1 : len(steps) + 1] - value[len(steps) + 1 :]) / 2e-5

        if log_weights is None:
            log_weights = np.zeros(len(forms) - 1)
        if len(log_weights):
            log_weights = minimize(loss, log_weights, jac=True, method="BFGS", options={"gtol": 1e-8}).x
        return float(np.sqrt(radius_sq(log_weights[None])[0])), log_weights

    def _profiled_radii(self, level, i, j, x, y):
        """Radii of a contour with the third moment and all phases free, along rays (x, y)."""
        radii, log_weights = np.zeros(len(x)), None
        for ray in range(len(x)):

            def vectors(A, ray=ray):
                *_, phase, from_i, from_j = _eliminate(A, i, j)
                v = np.zeros((len(A), 3), complex)
                v[:, i], v[:, j] = x[ray], y[ray] * phase
                v[:, 3 - i - j] = from_i * v[:, i] + from_j * v[:, j]
                return v

            radii[ray], log_weights = self._furthest(level, vectors, log_weights)
        return radii


@dataclass(frozen=True)
class Combination:
    """A block of ``combinations``: ``experiments`` (names), and which of their nuisances are one.

    ``shared`` maps the name of a pull, e.g. "sns-flux", to the experiments whose nuisance it is; any other
    experiment has a pull of its own. ValueError for fewer than two experiments and for names that are not theirs.
    """

    experiments: Sequence
    shared: Mapping = field(default_factory=dict)

    def __post_init__(self):
        if len(set(self.experiments)) < max(2, len(self.experiments)):
            raise ValueError(f"experiments: {list(self.experiments)!r} must be two or more, all different")
        users = [name for names in self.shared.values() for name in names]
        for pull, names in self.shared.items():
            for name in names:
                if name not in self.experiments:
                    known = ", ".join(self.experiments)
                    raise ValueError(f"shared.{pull}: {name!r} must be one of {known}")
                if users.count(name) > 1:
                    raise ValueError(f"shared.{pull}: {name!r} must not be listed twice")

    def sum(self, members):
        """The MomentLikelihood of {name: member}: a Sensitivity, MomentLikelihood or SolarExperiment each.

        The pulls of a MomentLikelihood have their names already. ValueError for mixing matrices that differ.
        """
        pulls = {name: pull for pull, names in self.shared.items() for name in names}
        parts, forms = [], {}
        for name in self.experiments:
            member = members[name]
            if isinstance(member, SolarExperiment):
                level = delta_chi2_quantile(member.confidence_level, 1)
                parts.append(published_limit(name, member.mu_nu_muB, level))
                own = {name: np.diag(member.mu_nu_sq(np.eye(3)))}
            elif isinstance(member, MomentLikelihood):
                parts.append(member.likelihood)
                own = member.forms
            else:
                parts.append(Likelihood.counting(member.chi2, member.per_flavour, pulls.get(name, name)))
                own = {flavour: flavour_form(flavour, member.U) for flavour in member.per_flavour}
            for strength, A in own.items():
                if not np.allclose(forms.setdefault(strength, A), A, rtol=0, atol=ROUNDING):
                    raise ValueError(f"experiments: {name} has another mixing matrix")
        return MomentLikelihood(Likelihood.sum(parts), forms)


def _eliminate(A, i, j):
    """Lambda† A Lambda at its least in Lambda_k and the phases: A_ii x² + A_jj y² + 2 c x y of the moduli x, y.

    For A of shape (m, 3, 3): A_ii, A_jj, c <= 0, exp(i phase) of Lambda_j against Lambda_i, and the shares of
    Lambda_i and Lambda_j in Lambda_k, each (m,).
    """
    k = 3 - i - j
    A_kk = A[:, k, k].real
    A_kk = np.where(A_kk > ROUNDING * np.trace(A, axis1=1, axis2=2).real, A_kk, np.inf)
    from_i, from_j = -A[:, k, i] / A_kk, -A[:, k, j] / A_kk
    S_ii, S_jj = (A[:, i, i] + A[:, i, k] * from_i).real, (A[:, j, j] + A[:, j, k] * from_j).real
    S_ij = A[:, i, j] + A[:, i, k] * from_j
    size = np.abs(S_ij)
    phase = np.where(size > 0, -S_ij.conj() / np.where(size > 0, size, 1.0), 1.0)
    return S_ii, S_jj, -size, phase, from_i, from_j
