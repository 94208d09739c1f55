"""Likelihoods of binned events with pulls, minimised exactly over the pulls.

The events of bin b are linear in the strengths x of the signal, e.g. mu_nu² of each flavour, and in the pulls:

    p_b(x, theta) = e_b + Sum_f x_f s_fb + Sum_j theta_j (a_jb + Sum_f x_f t_jfb).

chi²(x) is the minimum over theta, with all p_b >= 0, of Sum_b c(d_b, p_b) + Sum_j theta_j² for the data d: a convex
problem. c is 2 (p - d + d ln(d/p)) in a Poisson bin and (p - d)²/V in a Gaussian one, such as Eqs. (34) and (35).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cevns_tmm.annotations import Numbers

if TYPE_CHECKING:
    from cevns_tmm.statistics import CountingExperiment

STEPS = 200
"""Newton steps within which the minimum over the pulls is reached; about ten are usual."""

TOLERANCE = 1e-12
"""Largest error of chi² at which they end."""

DOUBLINGS = 20
"""Steps of a search, from the uncertainty up to a million times as much."""

MOST_EVENTS = 1e15
"""Most events of a bin: chi² of more is lost in rounding errors."""

MOST_CHI2 = 1e9
"""Largest least chi² of which differences are more than rounding errors."""

NO_EVENT = 1e-15
"""Fewer events of a Poisson bin, which only an expectation can be, are none."""


def deviance(d: np.ndarray, p: np.ndarray) -> np.ndarray:
    """chi² of Poisson bins, 2 (p - d + d ln(d/p)), for ``d`` >= 0 events where ``p`` are expected."""
    some = d >= NO_EVENT
    events = np.where(some, d, 1.0)
    r, ratio = (p - d) / events, np.where(some, p, 1.0) / events
    # p far below d, or not
    log = np.where(r < -0.5, np.log(ratio), np.log1p(np.maximum(r, -0.5)))
    return 2 * np.where(some, d * (r - log), p)


@dataclass(frozen=True)
class Pull:
    """A nuisance parameter theta: what theta = 1 adds to the events of each bin.

    ``expected`` (b,) adds to the events without signal, ``signal`` {strength: (b,)} to those per unit strength.
    theta has a standard normal prior, or none if it is ``free``.
    """

    expected: np.ndarray
    signal: Mapping = field(default_factory=dict)
    free: bool = False

    @classmethod
    def scale(cls, sigma: Numbers, expected: Any, signal: Mapping[str, Any]) -> Pull:
        """A normalisation with fractional uncertainty ``sigma``, e.g. of a flux."""
        if not sigma >= 0:
            raise ValueError(f"sigma: {sigma!r} must not be negative")
        return cls(sigma * np.asarray(expected), {name: sigma * np.asarray(s) for name, s in signal.items()})


@dataclass(frozen=True)
class Likelihood:
    """chi² of b bins as a function of the strengths x, shape (..., f) in the order of ``signal``.

    ``measured`` and ``expected`` (b,) are the data and the events without signal; ``signal`` maps strengths to
    events per unit (b,); ``pulls`` maps names to a :class:`Pull`; ``variance`` (b,) is V, 0 in Poisson bins.
    ValueError for other shapes, numbers that are not finite, and negative events in Poisson bins.
    """

    measured: Sequence[float] | np.ndarray
    expected: Sequence[float] | np.ndarray
    signal: Mapping
    pulls: Mapping = field(default_factory=dict)
    variance: Sequence[float] | np.ndarray | float = 0.0

    def __post_init__(self) -> None:
        bins = np.shape(self.measured)
        if len(bins) != 1 or not bins[0]:
            raise ValueError(f"measured: shape {bins} must be that of bins")
        if not self.signal:
            raise ValueError("signal: must name a strength")
        events = {"measured": self.measured, "expected": self.expected}
        events |= {f"signal.{name}": s for name, s in self.signal.items()}
        shifts = {}
        for j, pull in self.pulls.items():
            if unknown := set(pull.signal) - set(self.signal):
                raise ValueError(f"pulls.{j}: {', '.join(sorted(unknown))} is not a strength of the signal")
            shifts[f"pulls.{j}.expected"] = pull.expected, self.expected
            shifts |= {f"pulls.{j}.signal.{f}": (s, self.signal[f]) for f, s in pull.signal.items()}
        for name, row in (events | {name: shift for name, (shift, _) in shifts.items()}).items():
            if np.shape(row) != bins or not np.all(np.isfinite(row)):
                raise ValueError(f"{name}: must be {bins[0]} finite numbers, one for each bin")
        if np.shape(self.variance) not in ((), bins) or not np.all(self._V >= 0):
            raise ValueError("variance: must be 0 or more in each bin")
        for name, row in events.items():
            if np.any(self._poisson & (np.asarray(row) < 0)):
                raise ValueError(f"{name}: events of a Poisson bin must not be negative")
        for name, (shift, row) in shifts.items():
            if np.any(self._poisson & (np.asarray(row) == 0) & (np.asarray(shift) != 0)):
                raise ValueError(f"{name}: must be 0 in Poisson bins without events to change")

    @classmethod
    def counting(cls, experiment: CountingExperiment, signal: Mapping[str, Any], pull: str) -> Likelihood:
        """A :class:`~cevns_tmm.statistics.CountingExperiment`, Eqs. (34) and (35), as one Gaussian bin.

        ``signal`` maps strengths to events per unit, ``pull`` names the nuisance.
        """
        signal = {name: np.array([n]) for name, n in signal.items()}
        nuisance = Pull.scale(experiment.sigma, [experiment.scaled], signal)
        return cls(
            np.array([experiment.residual]), [0.0], signal, {pull: nuisance}, np.array([experiment.variance])
        )

    @classmethod
    def sum(cls, parts: Iterable[Likelihood]) -> Likelihood:
        """Several likelihoods in one: chi² adds, and strengths and pulls of the same name are the same."""
        strengths = list(dict.fromkeys(name for part in parts for name in part.signal))

        def side_by_side(values):
            rows = zip(values, parts, strict=True)
            return np.concatenate([np.broadcast_to(row, np.shape(part.measured)) for row, part in rows])

        def signal(mappings):
            return {name: side_by_side([m.get(name, 0.0) for m in mappings]) for name in strengths}

        def pull(name):
            if len(free := {part.pulls[name].free for part in parts if name in part.pulls}) > 1:
                raise ValueError(f"pulls.{name}: must be free in all parts or in none")
            own = [part.pulls.get(name, Pull(0.0)) for part in parts]
            return Pull(side_by_side([p.expected for p in own]), signal([p.signal for p in own]), free.pop())

        return cls(
            measured=side_by_side([part.measured for part in parts]),
            expected=side_by_side([part.expected for part in parts]),
            signal=signal([part.signal for part in parts]),
            pulls={name: pull(name) for name in dict.fromkeys(n for part in parts for n in part.pulls)},
            variance=side_by_side([part.variance for part in parts]),
        )

    @cached_property
    def _V(self):
        return np.broadcast_to(np.asarray(self.variance, float), np.shape(self.measured))

    @cached_property
    def _poisson(self):
        return self._V == 0

    @cached_property
    def _arrays(self):
        """d and e (b,), s (f, b), a (k, b), t (k, f, b), and the weight of theta_j², 1 or 0 if free (k,)."""
        d, e = np.asarray(self.measured, float), np.asarray(self.expected, float)
        d = np.where(self._poisson & (d < NO_EVENT), 0.0, d)
        s, zero = np.array(list(self.signal.values()), float), np.zeros(len(d))
        pulls = self.pulls.values()
        a = np.array([pull.expected for pull in pulls], float).reshape(-1, len(d))
        t = np.array([[pull.signal.get(name, zero) for name in self.signal] for pull in pulls], float)
        return d, e, s, a, t.reshape(-1, *s.shape), np.array([not pull.free for pull in pulls], float)

    def profile(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Minimum over the pulls for strengths ``x`` >= 0 of shape (..., f).

        Returns chi² (...), its gradient in the strengths (..., f), and theta (..., k).
        """
        x = np.asarray(x, float)
        d, e, s, a, t, prior = self._arrays
        flat = x.reshape(-1, len(s))
        p = e + flat @ s
        empty = self._poisson & (p < 1e-100)  # nothing is expected: chi² is infinite if there are events
        impossible, p, d = empty & (d > 0), np.where(empty, 1.0, p), np.where(empty, 1.0, d)
        inverse_V = 1 / np.where(self._poisson, np.inf, self._V)
        shift = a + np.einsum("mf,kfb->mkb", flat, t)
        if self._poisson.any():
            theta, p, g = _minimise(p, shift, d, inverse_V, self._poisson, prior)
        else:
            theta, p, g = _least_squares(p, shift, d, inverse_V, prior)
        poisson = deviance(np.where(self._poisson, d, 0.0), p)
        chi2 = np.sum(np.where(self._poisson, poisson, (p - d) ** 2 * inverse_V), axis=-1)
        chi2 += np.sum(prior * theta**2, axis=-1) + np.where(impossible.any(-1), np.inf, 0.0)
        g = np.where(empty, np.where(impossible, -1e100, 1.0), g)
        gradient = 2 * np.einsum("mb,mfb->mf", g, s + np.einsum("mk,kfb->mfb", theta, t))
        return chi2.reshape(x.shape[:-1]), gradient.reshape(x.shape), theta.reshape(*x.shape[:-1], len(a))

    def chi2(self, x: np.ndarray) -> np.ndarray:
        """chi² for strengths of shape (..., f), minimised over the pulls."""
        return self.profile(x)[0]

    @cached_property
    def uncertainty(self) -> np.ndarray:
        """Strengths (f,) whose signal is as large as its uncertainty; ``inf`` without a signal."""
        d, e, s, a, *_ = self._arrays
        V = np.where(self._poisson, np.maximum(np.maximum(d, e), 1), self._V) + np.sum(a**2, axis=0)
        with np.errstate(divide="ignore"):
            return 1 / np.sqrt(np.sum(s**2 / V, axis=-1))

    def best_fit(self, direction: np.ndarray, minimum: float = 0.0) -> np.ndarray:
        """Scale t >= 0 of least chi²(t * direction) for directions (..., f) >= 0, shape (...).

        ``inf`` if chi² falls for ever. ``minimum`` is known to be below any chi².
        """
        rays = np.reshape(direction, (-1, len(self.signal)))

        def slope(t, ray):
            return np.sum(self.profile(t[:, None] * rays[ray])[1] * rays[ray], axis=-1)

        found = self._first_zero(slope, rays, np.zeros(len(rays)))
        if any(np.any(s) for pull in self.pulls.values() for s in pull.signal.values()):
            # chi² is not convex where a pull changes the signal: there may be a lower minimum further out
            enough = self.chi2(np.where(np.isfinite(found), found, 0.0)[:, None] * rays)
            enough -= 1e-9 * (1 + enough)
            ray = np.flatnonzero(np.isfinite(found) & (enough > minimum))
            width = self._width(rays[ray])
            width = np.where(np.isfinite(width), width, 0.0)
            places = found[ray] + width * np.insert(np.geomspace(0.1, 1e4, 48), 0, 0.0)[:, None]
            chi2 = self.chi2(places[..., None] * rays[ray])
            lowest = np.argmin(chi2, axis=0)
            column = np.flatnonzero(np.min(chi2, axis=0) < enough[ray])
            ray, place = ray[column], places[lowest[column], column]
            before = places[lowest[column] - 1, column]
            low = np.where(slope(before, ray) < 0, before, place)
            found[ray] = self._first_zero(lambda t, i: slope(t, ray[i]), rays[ray], low)
        return found.reshape(np.shape(direction)[:-1])

    def interval(
        self, level: float, direction: np.ndarray, minimum: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of the scales t >= 0 around the best fit with Delta chi² <= ``level``, each (...).

        ``direction`` (..., f) as in :meth:`best_fit`; Delta chi² is above the least chi² of the direction, or
        above ``minimum``. The ends are 0 and ``inf`` where Delta chi² stays below, nan where it stays above.
        """
        if not level > 0:
            raise ValueError(f"level: {level!r} must be positive")
        rays = np.reshape(direction, (-1, len(self.signal)))
        best = np.ravel(self.best_fit(direction, 0.0 if minimum is None else minimum))
        start = np.where(np.isfinite(best), best, 0.0)
        least = self.chi2(start[:, None] * rays)
        reference = least if minimum is None else np.full(len(rays), minimum)
        if (most := np.max(reference, initial=0.0)) > MOST_CHI2:
            why = f"neither background nor neutrinos explain it: the least chi² is {most:.3g}"
            raise ValueError(f"observed: {why}, must be at most {MOST_CHI2:g}")
        ceiling = level + reference

        def above(t, ray):
            return self.chi2(t[:, None] * rays[ray]) - ceiling[ray]

        upper = np.where(np.isfinite(best), self._first_zero(above, rays, start), np.inf)
        lower = np.zeros(len(rays))
        if len(rose := np.flatnonzero((start > 0) & (above(lower, np.arange(len(rays))) > 0))):
            lower[rose] = _root(above, lower[rose], start[rose], rose)
        lower[least > ceiling] = upper[least > ceiling] = np.nan
        shape = np.shape(direction)[:-1]
        return lower.reshape(shape), upper.reshape(shape)

    def _width(self, rays):
        """Scales (n,) at which the signal is as large as its uncertainty; ``inf`` without a signal."""
        with np.errstate(divide="ignore"):
            return 1 / np.sum(rays / self.uncertainty, axis=-1)

    def _first_zero(self, function, rays, low):
        """Where ``function(t, ray)``, if negative at ``low``, first is 0 above it on each ray (n, f), else ``inf``.

        It is looked for in steps that begin at the uncertainty and double.
        """
        width = self._width(rays)
        negative = function(low, np.arange(len(rays))) < 0
        found, low = np.where(negative, np.inf, low), low.copy()
        left = np.flatnonzero(negative & np.isfinite(width))
        for _ in range(DOUBLINGS):
            if not len(left):
                break
            high = low[left] + width[left]
            crossed = function(high, left) >= 0
            if len(ray := left[crossed]):
                found[ray] = _root(function, low[ray], high[crossed], ray)
            low[left], width[left] = high, 2 * width[left]
            left = left[~crossed]
        return found


def _least_squares(p, shift, d, inverse_V, prior):
    """As :func:`_minimise` without Poisson bins: theta makes a sum of squares least that are linear in it."""
    k, root = len(prior), np.sqrt(inverse_V)
    residuals = np.concatenate([(p - d) * root, np.zeros((len(p), k))], axis=-1)
    rows = np.concatenate([shift * root, np.broadcast_to(np.diag(prior), (len(p), k, k))], axis=-1)
    R = np.linalg.qr(np.concatenate([rows, residuals[:, None]], axis=1).mT, mode="r")
    own = np.abs(np.diagonal(R, axis1=-2, axis2=-1))[:, :k]
    if not np.all(own > 1e-13 * np.linalg.norm(R[..., :k], axis=-2)):
        raise ArithmeticError("the pulls cannot be told apart")
    theta = -np.linalg.solve(R[:, :k, :k], R[:, :k, k:])[..., 0]
    p = p + np.einsum("mk,mkb->mb", theta, shift)
    return theta, p, (p - d) * inverse_V


def _minimise(p, shift, d, inverse_V, poisson, prior):
    """theta (m, k), p and half the slope g of chi² in p (m, b) at the minima of m hypotheses.

    ``p`` (m, b) are the events at theta = 0, ``shift`` (m, k, b) what each pull adds, ``d`` (m, b) the data.
    Newton steps on prior theta + shift g = 0 with g = (p - d)/V, or g = 1 - y with y p = d in a Poisson bin; y is
    d/p, or for d = 0 the multiplier of p >= 0, which takes y p -> 0 (a primal-dual interior point).
    """
    theta, y = np.zeros(shift.shape[:2]), np.ones(p.shape)
    zero = poisson & (d == 0)
    done, tolerance = np.zeros(len(p), bool), TOLERANCE * np.maximum(1, np.max(p * zero, axis=-1))
    prior_rows = np.broadcast_to(np.diag(prior), (len(p), len(prior), len(prior)))
    for _ in range(STEPS):
        gap = np.sum(y * p * zero, axis=-1, keepdims=True) / np.maximum(zero.sum(-1, keepdims=True), 1)
        target, positive = np.where(zero, gap / 10, d), np.where(poisson, p, 1.0)
        root = np.sqrt(np.where(poisson, y / positive, inverse_V))
        g = np.where(poisson, 1 - target / positive, (p - d) * inverse_V)
        # the curvature is R.T @ R: not multiplied out, as root grows without bound where p -> 0
        R = np.linalg.qr(np.concatenate([shift * root[:, None], prior_rows], axis=-1).mT, mode="r")
        scaled = np.linalg.solve(R.mT, (prior * theta + np.einsum("mkb,mb->mk", shift, g))[..., None])
        d_theta = -np.linalg.solve(R, scaled)[..., 0]
        d_p = np.einsum("mk,mkb->mb", d_theta, shift)
        d_y = np.where(poisson, (target - y * (p + d_p)) / positive, 0.0)
        shrink = np.max(np.maximum(-d_p / positive, -d_y / y) * poisson, axis=-1, keepdims=True)
        step = np.where(done[:, None], 0.0, np.minimum(1, 0.99 / np.maximum(shrink, 0.1)))
        theta, p, y = theta + step * d_theta, p + step * d_p, y + step * d_y
        # the error of chi²: the square of `scaled` in the next step
        done |= (gap[:, 0] < tolerance) & (np.sum(scaled**2, axis=(1, 2)) < 1e3 * tolerance)
        if done.all():
            return theta, p, np.where(poisson, 1 - y, (p - d) * inverse_V)
    raise ArithmeticError("the minimum over the pulls is not reached")


def _root(function, low, high, ray):
    """Zeros of ``function(t, ray)`` between ``low`` and ``high``, each (n,)."""
    from scipy.optimize import elementwise  # when it is needed: it takes long

    return elementwise.find_root(function, (low, high), args=(ray,), tolerances={"xrtol": 1e-14}).x


@dataclass(frozen=True)
class BinnedData:
    """What was measured in bins, and the background.

    ``measured`` are the events of each bin, the expected ones if absent, ``background`` those expected from
    background, with the fractional uncertainty ``sigma_background``, a number or one for each bin, in one pull. If
    ``off_over_on`` is given, the background of each bin is free, and measured without the source in that multiple
    of the live time.
    """

    measured: Sequence | None = None
    background: Sequence | None = None
    sigma_background: float | Sequence = 0.0
    off_over_on: float | None = None

    def __post_init__(self) -> None:
        for name in ("measured", "background"):
            row = getattr(self, name)
            if row is not None and not (
                np.ndim(row) == 1 and np.all(np.isfinite(row) & (np.asarray(row) >= 0))
            ):
                raise ValueError(f"{name}: {row!r} must be numbers of events, one for each bin")
        if not np.all(np.greater_equal(self.sigma_background, 0)):
            raise ValueError(f"sigma_background: {self.sigma_background!r} must not be negative")
        if self.off_over_on is not None and not self.off_over_on > 0:
            raise ValueError(f"off_over_on: {self.off_over_on!r} must be greater than 0")
        if self.off_over_on is not None and np.any(self.sigma_background):
            raise ValueError(f"sigma_background: {self.sigma_background!r} must be 0 with off_over_on")

    def likelihood(
        self, n_sm: np.ndarray, n_em: Mapping[str, np.ndarray], pulls: Mapping[str, Pull] | None = None
    ) -> Likelihood:
        """The Poisson likelihood.

        ``n_sm`` (b,) are the Standard Model events, ``n_em`` maps strengths to the events per unit (b,), and
        ``pulls`` names to a :class:`Pull` of these events. ValueError for another number of bins.
        """
        n_sm, pulls = np.asarray(n_sm, float), dict(pulls or {})
        for key in ("measured", "background"):
            row = getattr(self, key)
            if row is not None and np.shape(row) != n_sm.shape:
                raise ValueError(f"{key}: {len(row)} values must be {len(n_sm)}, one for each bin")
        background = np.zeros(len(n_sm)) if self.background is None else np.asarray(self.background, float)
        if np.max(n_sm + background) > MOST_EVENTS:
            most = f"{np.max(n_sm + background):.3g} events in a bin"
            raise ValueError(f"expected: {most} must be at most {MOST_EVENTS:g}")
        measured = n_sm + background if self.measured is None else self.measured
        empty = (n_sm + background == 0) & ~np.any(list(n_em.values()), axis=0)
        if self.off_over_on is None and (full := np.flatnonzero(empty & np.greater(measured, 0))).size:
            where = f"bin {full[0] + 1}, where nothing is expected, background included"
            raise ValueError(f"observed: {measured[full[0]]:g} in {where}")
        if np.any(self.sigma_background):
            pulls["background"] = Pull(np.multiply(self.sigma_background, background))
        if self.off_over_on is None:
            return Likelihood(measured, n_sm + background, n_em, pulls)
        # the background of each bin is free; the search for it must begin above 0
        off, start = self.off_over_on * background, np.maximum(background, 0.5 / self.off_over_on)
        units = np.diag(np.sqrt(np.maximum(off, 1.0)) / self.off_over_on)

        def free(ratio):
            return {f"background {i}": Pull(ratio * row, free=True) for i, row in enumerate(units, 1)}

        on = Likelihood(measured, n_sm + start, n_em, pulls | free(1.0))
        no_signal = dict.fromkeys(n_em, 0 * off)
        return Likelihood.sum(
            [on, Likelihood(off, self.off_over_on * start, no_signal, free(self.off_over_on))]
        )
