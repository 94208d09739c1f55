"""From the events of an experiment to limits on the moments: data, nuisances and mixing (section 5)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cevns_tmm.annotations import Curves, Events
from cevns_tmm.errors import check_name
from cevns_tmm.likelihood import BinnedData, Pull
from cevns_tmm.limits import FLAVOUR, Sensitivity
from cevns_tmm.magnetic_moment import PARAMETERS, moments, phase
from cevns_tmm.maximum import ENDLESS, peaks
from cevns_tmm.mixing import ANGLES, mixing_matrix
from cevns_tmm.moment_likelihood import MomentLikelihood, flavour_form
from cevns_tmm.statistics import CountingExperiment, delta_chi2_quantile

METHODS = ("one-at-a-time", "profiled", "profiled-delta-free", "profiled-angles-free")
"""How a limit on one moment treats the others: they are zero (Table II), or free with all their phases.

The Dirac phase is free too, or the mixing angles within the ``errors`` of the oscillation parameters.
"""

OWN_PULLS = ("background", "quenching")
"""Pulls of a binned likelihood that other inputs make."""


@dataclass(frozen=True)
class Analysis:
    """What turns the events of an experiment into limits (section 5).

    ``data`` holds the measured events of Eq. (34); without them the Standard Model expectation is the
    data, with ``sigma_stat``, ``sigma_sys`` and ``nuisance_on`` of Eq. (35). ``oscillation`` has the mixing
    angles as sin², the Dirac phase, and perhaps the 1 sigma ``errors`` of the angles.

    With ``binned``, what :meth:`cevns_tmm.detector.Detector.measurement` gives, the bins have Poisson likelihoods in
    place of these equations; ``pulls`` maps names to fractional uncertainties of all neutrino events.
    """

    oscillation: Mapping
    confidence_level: float
    data: Mapping | None = None
    sigma_stat: float | None = None
    sigma_sys: float | None = None
    nuisance_on: str = "total"
    binned: Mapping | None = None
    pulls: Mapping | None = None

    def __post_init__(self) -> None:
        if self.binned is None and self.pulls is not None:
            raise ValueError(
                "pulls: needs bins, a background or observed, as Eqs. (34) and (35) have their own"
            )
        if self.binned is not None and self.data is not None:
            raise ValueError(
                "data: is for Eq. (34), which has no bins and no other background; give observed"
            )
        for name in self.pulls or {}:
            if name in OWN_PULLS:
                raise ValueError(f"pulls.{name}: must have another name than {' and '.join(OWN_PULLS)}")
        if self.data is not None:
            try:
                self.chi2(0.0)
            except ValueError:
                measured = self.data["n_measured"]
                why = "needs a background: without any event the variance of Eq. (34) is 0"
                raise ValueError(f"data.n_measured: {measured!r} {why}") from None

    def mixing(
        self, delta_CP_over_pi: float | None = None, sin2: Sequence[float] | None = None
    ) -> np.ndarray:
        """Mixing matrix, with another Dirac phase or other angles (sin² of theta_12, theta_23, theta_13)."""
        if delta_CP_over_pi is None:
            delta_CP_over_pi = self.oscillation["delta_CP_over_pi"]
        sin2_12, sin2_23, sin2_13 = [self.oscillation[angle] for angle in ANGLES] if sin2 is None else sin2
        return mixing_matrix(sin2_12, sin2_23, sin2_13, phase("delta_CP_over_pi", delta_CP_over_pi))

    def level(self, parameters: int, confidence_level: float | None = None) -> float:
        """Delta chi² of a limit on some ``parameters`` at once."""
        if confidence_level is None:
            confidence_level = self.confidence_level
        return delta_chi2_quantile(confidence_level, parameters)

    def scaled(self, factor: float) -> Analysis:
        """The same analysis for ``factor`` times the luminosity: measured events and backgrounds scale."""
        if self.binned is not None:
            binned = {
                key: block | {"events": [factor * n for n in block["events"]]}
                for key, block in self.binned.items()
            }
            return dataclasses.replace(self, binned=binned)
        if self.data is None:
            return self
        events = ("n_measured", "beam_neutrons", "steady_state")
        data = {**self.data, **{key: factor * self.data[key] for key in events}}
        return dataclasses.replace(self, data=data)

    def chi2(self, n_sm: float) -> CountingExperiment:
        """The chi² of Eq. (34) or (35) for ``n_sm`` Standard Model events: a CountingExperiment."""
        if self.data is not None:
            return CountingExperiment.from_data(n_sm, **self.data)
        return CountingExperiment.asimov(n_sm, self.sigma_stat, self.sigma_sys, self.nuisance_on)

    def sensitivity(
        self, counts: Events, beam: Iterable[str], delta_CP_over_pi: float | None = None
    ) -> Sensitivity | MomentLikelihood:
        """chi² as a function of the moments: a Sensitivity, or a MomentLikelihood of bins.

        ``counts`` maps each flux component to (Standard Model events, magnetic-moment events per mu_B²);
        all of them are measured, those of the components in ``beam`` are signal. In bins, each is of shape
        (bin,), or (3, bin) if the quenching has a band: as it is, and a standard deviation lower and higher.
        """
        U = self.mixing(delta_CP_over_pi)
        if self.binned is not None:
            forms = {FLAVOUR[component]: flavour_form(FLAVOUR[component], U) for component in beam}
            return MomentLikelihood(self._likelihood(counts, beam), forms, U)
        n_sm = sum(n for n, _ in counts.values())
        n_em = {component: counts[component][1] for component in beam}
        return Sensitivity(self.chi2(n_sm), n_em, U)

    def _likelihood(self, counts, beam):
        """The Poisson likelihood of bins; arguments as of :meth:`sensitivity`."""
        observed, background = (self.binned.get(key, {}) for key in ("observed", "background"))
        n_sm, n_em = sum(np.atleast_2d(n) for n, _ in counts.values()), {}
        for component in beam:
            flavour = FLAVOUR[component]
            n_em[flavour] = n_em.get(flavour, 0.0) + np.atleast_2d(counts[component][1])
        signal = {flavour: n[0] for flavour, n in n_em.items()}
        pulls = {name: Pull.scale(size, n_sm[0], signal) for name, size in (self.pulls or {}).items()}
        if len(n_sm) == 3:
            pulls["quenching"] = Pull(_half_band(n_sm), {f: _half_band(n) for f, n in n_em.items()})
        data = BinnedData(
            observed.get("events"),
            background.get("events"),
            background.get("sigma", 0.0),
            background.get("off_to_on"),
        )
        return data.likelihood(n_sm[0], signal, pulls)

    @property
    def methods(self) -> tuple[str, ...]:
        """Those of METHODS for which there is an input; of bins, only those at the Dirac phase of the study."""
        if self.binned is not None:
            return METHODS[:2]
        return METHODS if self.oscillation.get("errors") else METHODS[:-1]

    def limits(
        self,
        counts: Events,
        beam: Iterable[str],
        method: str = "one-at-a-time",
        confidence_level: float | None = None,
    ) -> np.ndarray:
        """Upper limits on |Lambda_1|, |Lambda_2|, |Lambda_3|, shape (3,) [mu_B].

        ``counts`` and ``beam`` as of :meth:`sensitivity`; ``method`` is one of :attr:`methods`, ValueError
        otherwise. ``inf`` where there is no sensitivity.
        """
        check_name("method", method, self.methods)
        level = self.level(1, confidence_level)
        sensitivity = self.sensitivity(counts, beam)
        if method == "one-at-a-time":
            return sensitivity.limits(level)
        if method == "profiled-delta-free":  # |U_ai|² is linear in cos(delta): the largest is at an end
            ends = (self.sensitivity(counts, beam, delta).profiled_limits(level) for delta in (0, 1))
            return np.maximum(*ends)
        if method == "profiled":
            return sensitivity.profiled_limits(level)
        if len(sensitivity.blind()) or not sensitivity.has_limit(level):
            return np.full(3, np.inf)  # some angles turn a blind direction towards any moment
        return np.array([self._angles_free(sensitivity, level, i) for i in range(3)])

    def _angles_free(self, sensitivity, level, i):
        """Largest profiled limit on |Lambda_i| over the angles; their pulls use up a part of ``level``."""
        centre = np.array([self.oscillation[angle] for angle in ANGLES])
        errors = np.array([np.mean(self.oscillation["errors"][angle]) for angle in ANGLES])

        def log_limit(pulls):
            if not pulls @ pulls < level:
                return -ENDLESS
            mixing = self.mixing(sin2=np.clip(centre + pulls * errors, 0, 1))
            moved = dataclasses.replace(sensitivity, U=mixing)
            return math.log(moved.profiled_limits(level - pulls @ pulls)[i])

        _, (found,) = peaks(lambda pulls, _: np.apply_along_axis(log_limit, -1, pulls), np.zeros((1, 3)))
        return math.exp(found)


def _half_band(events):
    """Half of what a band changes, (bin,), from events (3, bin); nothing in bins without any."""
    return np.where(events[0] > 0, (events[2] - events[1]) / 2, 0.0)


class WithLimits:
    """What an experiment is asked, and several together: limits, contours and chi² of its events.

    Subclasses have ``beams``, ``analysis``, the ``events`` that it takes, and :meth:`components` of a beam, which is the
    only one if none is named. ValueError for an unknown beam or method.
    """

    analysis: Any
    events: Any

    def components(self, beam: str | None = None) -> Any:
        """What counts as signal in a beam, as ``analysis`` takes it."""
        raise NotImplementedError

    def sensitivity(
        self, beam: str | None = None, delta_CP_over_pi: float | None = None
    ) -> Sensitivity | MomentLikelihood:
        """chi² as a function of the moments, as :meth:`Analysis.sensitivity` gives it."""
        return self.analysis.sensitivity(self.events, self.components(beam), delta_CP_over_pi)

    def limits(
        self, beam: str | None = None, confidence_level: float | None = None, method: str = "one-at-a-time"
    ) -> dict[str, float]:
        """Upper limits {"Lambda1": ..., "Lambda2": ..., "Lambda3": ...} [mu_B].

        ``math.inf`` where there is no sensitivity; ``method`` is one of ``analysis.methods``.
        """
        limits = self.analysis.limits(self.events, self.components(beam), method, confidence_level)
        return dict(zip(PARAMETERS, map(float, limits), strict=True))

    def delta_chi2(self, Lambda: np.ndarray, beam: str | None = None) -> np.ndarray:
        """chi² above its minimum for mass-basis moments of shape (3, ...) [mu_B], complex allowed."""
        return self.sensitivity(beam).delta_chi2(moments(Lambda))

    def contour(
        self,
        plane: str,
        beam: str | None = None,
        confidence_level: float | None = None,
        xi_over_pi: float = 0.0,
        method: str = "one-at-a-time",
    ) -> Curves:
        """Contour in the plane "12", "13" or "23": [(x, y), ...] polylines [mu_B], two parameters at once.

        The third moment is zero and ``xi_over_pi`` the phase of the displayed pair; with the method "profiled"
        the third moment and all phases are free.
        """
        check_name("method", method, METHODS[:2])
        level, profiled = self.analysis.level(2, confidence_level), method == "profiled"
        xi = phase("xi_over_pi", xi_over_pi)
        return self.sensitivity(beam).contour(plane, level, xi, profiled=profiled)

    def blind(self, beam: str | None = None) -> np.ndarray:
        """Directions of the moments that give no events, unit vectors as the rows of a (d, 3) array."""
        return self.sensitivity(beam).blind()
