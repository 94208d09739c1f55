"""Toy experiments: how often a limit holds, and which limit to expect.

A toy draws what nature may be uncertain about, then the events with and without the beam, and analyses them as
the data would be. Averages over the draws of the nuisances are prior-predictive.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cevns_tmm.annotations import Numbers
from cevns_tmm.spectrum import BinnedExperiment
from cevns_tmm.statistics import CountingExperiment

if TYPE_CHECKING:
    from cevns_tmm.analysis import Analysis

KINDS = ("fixed", "excess", "total")
"""What is uncertain in truth: nothing, the magnetic-moment events, or all events."""

SCAN = tuple(round(0.7 + 0.05 * k, 2) for k in range(13))
"""True excesses, as multiples in :func:`true_events`, between which the limit of Feldman and Cousins is interpolated."""

MORE_TOYS = 10
"""How many times as many toys that limit needs: it is where two almost parallel curves cross."""

SIGMAS = (-2, -1, 0, 1, 2)
"""Standard deviations of a normal distribution at whose quantiles an expected limit is given."""


@dataclass(frozen=True)
class Truth:
    """What is uncertain in nature: a Gaussian factor of mean 1 and fractional ``size``, cut at 0.

    ``kind`` is one of :data:`KINDS`; nothing is uncertain if it is "fixed".

    >>> str(Truth("total", 0.03))
    'total-0.03'
    """

    kind: str
    size: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind: {self.kind!r} must be one of {', '.join(KINDS)}")
        if not self.size >= 0:
            raise ValueError(f"size: {self.size!r} must not be negative")

    def __str__(self) -> str:
        return self.kind if self.kind == "fixed" else f"{self.kind}-{self.size:g}"

    def factor(self, size: float, toys: int, rng: np.random.Generator) -> np.ndarray:
        """Factors of mean 1 and width ``size``, shape (toys,); all 1 if nothing is uncertain."""
        return np.ones(toys) if self.kind == "fixed" else np.maximum(rng.normal(1, size, toys), 0)

    def events(self, n_sm: Numbers, n_em: Numbers, toys: int, rng: np.random.Generator) -> np.ndarray:
        """Events expected from neutrinos, shape (toys,), or (toys, bins) if those of bins are given."""
        factor = self.factor(self.size, toys, rng)
        if self.kind == "excess":
            return n_sm + np.multiply.outer(factor, n_em)
        return np.multiply.outer(factor, n_sm + n_em)


@dataclass(frozen=True)
class Coverage:
    """Of how many toys the limits hold at a true excess, and what limits they have.

    Of ``toys`` toys, the true excess is in {Delta chi² <= level} in ``interval`` and not above a finite upper
    limit in ``upper``; ``without_limit`` have no finite limit, and thus say nothing. Delta chi² of the true excess
    is at most ``critical_value`` at the confidence level; ``limits`` are the upper limits, shape (toys,) (events).
    """

    toys: int
    interval: int
    upper: int
    without_limit: int
    critical_value: float
    limits: np.ndarray

    @classmethod
    def of(
        cls, chi2: CountingExperiment | BinnedExperiment, n_em: Numbers, confidence_level: float, level: float
    ) -> Coverage:
        """From the chi² of toys, a CountingExperiment of arrays, at a true excess of ``n_em`` events."""
        limits, delta_chi2 = np.broadcast_arrays(chi2.upper_limit(level), chi2.delta_chi2(n_em))
        return cls(
            toys=len(limits),
            interval=int(np.sum(delta_chi2 <= level)),
            upper=int(np.sum((n_em <= limits) & np.isfinite(limits))),
            without_limit=int(np.sum(np.isinf(limits))),
            critical_value=float(np.quantile(delta_chi2, confidence_level)),
            limits=limits,
        )


def forms(analysis: Analysis) -> dict[str, Analysis]:
    """The forms of chi² that an analysis may have: {"data": it}, or {"excess": ..., "total": ...} of Eq. (35)."""
    if analysis.data is not None:
        return {"data": analysis}
    return {form: dataclasses.replace(analysis, nuisance_on=form) for form in ("excess", "total")}


def form(analysis: Analysis) -> str:
    """The name of the form of chi² that an analysis has."""
    return "data" if analysis.data is not None else analysis.nuisance_on


def own_truth(analysis: Analysis) -> Truth:
    """The truth that the chi² of an analysis assumes."""
    if analysis.data is not None:
        return Truth("total", analysis.data["sigma_signal"])
    return Truth(analysis.nuisance_on, analysis.sigma_sys)


def truths(analysis: Analysis, error_on_total: float) -> list[Truth]:
    """Truths that a limit is examined for: nothing uncertain, its own uncertainty, another one of the total."""
    size = own_truth(analysis).size
    found = Truth("fixed"), Truth("excess", size), Truth("total", error_on_total), Truth("total", size)
    return list(dict.fromkeys(found))


def true_events(
    analysis: Analysis, n_sm: float, truth: Truth, multiples: Iterable[float]
) -> dict[str, float]:
    """True excesses to examine in a truth, {label: events}, increasing.

    0, the limit, ``multiples`` of it (of its distance from the best fit), and sqrt(level V): the limit without
    the nuisance, with V the variance; and :data:`SCAN` for the limit of Feldman and Cousins. Those that are not finite
    are left out.
    """
    if has_critical_values(analysis, truth):
        multiples = {*multiples, *SCAN}
    chi2, level = analysis.chi2(n_sm), analysis.level(1)
    with np.errstate(invalid="ignore"):
        reach = chi2.upper_limit(level) - chi2.best_fit
    found = {f"{x:g}": chi2.best_fit + x * reach for x in {1, *multiples}}
    found["sqrt"] = np.sqrt(level * chi2.variance)
    finite = {label: float(n) for label, n in found.items() if np.isfinite(n)}
    return {"0": 0.0} | dict(sorted(finite.items(), key=lambda item: item[1]))


def draw(
    analysis: Analysis, n_sm: float, n_em: Numbers, truth: Truth, toys: int, rng: np.random.Generator
) -> CountingExperiment:
    """chi² of ``toys`` toys with ``n_sm`` Standard Model and ``n_em`` true magnetic-moment events.

    Eq. (34): on ~ Poisson(events + beam neutrons + steady state), off ~ Poisson(steady state), and the variance
    has the toy's own counts. The beam neutrons vary too unless ``truth`` is fixed. Eq. (35): on ~
    Poisson(events + b), off ~ Poisson(b) with b = sigma_stat n_sm / 2, which gives its variance; the
    variance in chi² is that of the Standard Model.
    """
    events, data = truth.events(n_sm, n_em, toys, rng), analysis.data
    if data is None:
        background = analysis.sigma_stat * n_sm / 2
        difference = rng.poisson(events + background) - rng.poisson(background, toys)
        return dataclasses.replace(analysis.chi2(n_sm), residual=difference - n_sm)
    neutrons = data["beam_neutrons"] * truth.factor(data["sigma_background"], toys, rng)
    on, off = rng.poisson(events + neutrons + data["steady_state"]), rng.poisson(data["steady_state"], toys)
    on = np.where(on + off > 0, on, 1)  # no event at all has no variance in Eq. (34)
    return CountingExperiment.from_data(n_sm, **{**data, "n_measured": on - off, "steady_state": off})


def draw_bins(
    analysis: Analysis,
    sm: np.ndarray,
    em: np.ndarray,
    x: Numbers,
    truth: Truth,
    toys: int,
    rng: np.random.Generator,
) -> BinnedExperiment:
    """chi² in bins of ``toys`` toys: a BinnedExperiment, whose nuisance is on all events.

    ``sm`` and ``em`` are the Standard Model events and those of unit strength in each bin, shape (bins,); ``x`` is the
    true strength. Each bin is drawn as the count of Eq. (35) in :func:`draw`.
    """
    background = analysis.sigma_stat * sm / 2
    on = rng.poisson(truth.events(sm, x * em, toys, rng) + background)
    residual = on - rng.poisson(background, (toys, len(sm))) - sm
    return BinnedExperiment.of_bins(sm, em, 1 + analysis.sigma_stat, analysis.sigma_sys, residual)


def coverage(
    analysis: Analysis, n_sm: float, n_em: Numbers, truth: Truth, toys: int, seed: Sequence[int]
) -> Coverage:
    """Coverage of the limits of an analysis at a true excess of ``n_em`` events.

    ``seed`` is a list of whole numbers; the same one gives the same toys.

    >>> from cevns_tmm import Study
    >>> csi = Study.paper().experiment("CsI").analysis
    >>> found = coverage(csi, 173.36, 0.0, Truth("total", 0.28), 1000, [1])
    >>> found.interval > 930
    True
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    chi2 = draw(analysis, n_sm, n_em, truth, toys, rng)
    return Coverage.of(chi2, n_em, analysis.confidence_level, analysis.level(1))


def examine(
    analysis: Analysis,
    n_sm: float,
    truth: Truth,
    points: Mapping[str, float],
    toys: int,
    seed: Iterable[int],
    name: str,
) -> Iterator[tuple[str, float, Coverage]]:
    """Coverage in a truth at true excesses ``points``, {label: events}: a row (truth, events, Coverage) of each.

    The seed of each set of toys is made of ``seed``, a list of whole numbers, and of ``name``, truth and label. There
    are :data:`MORE_TOYS` times as many where the limit of Feldman and Cousins comes from.
    """
    toys *= MORE_TOYS if has_critical_values(analysis, truth) else 1
    for label, n_em in points.items():
        own_seed = [*seed, *f"{name}/{truth}/{label}".encode()]
        yield str(truth), n_em, coverage(analysis, n_sm, n_em, truth, toys, own_seed)


def has_critical_values(analysis: Analysis, truth: Truth) -> bool:
    """Whether toys of a truth give critical values for data: it is the one that their chi² assumes."""
    return analysis.data is not None and truth == own_truth(analysis)


def feldman_cousins(analysis: Analysis, n_sm: float, n_em: np.ndarray, critical_values: np.ndarray) -> float:
    """Upper end of {Delta chi² <= critical value} (events), as Feldman and Cousins, Phys. Rev. D57 (1998) 3873.

    ``critical_values`` at increasing true excesses ``n_em`` are interpolated linearly; ``inf`` if the last one is still
    inside.
    """
    inside = critical_values - analysis.chi2(n_sm).delta_chi2(np.asarray(n_em))
    last = max(np.flatnonzero(inside >= 0), default=0)
    if last == len(n_em) - 1:
        return np.inf
    return float(np.interp(0, -inside[last : last + 2], n_em[last : last + 2]))
