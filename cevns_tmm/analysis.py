"""From the events of an experiment to limits on the moments: data, nuisances and mixing (section 5)."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from cevns_tmm.limits import Sensitivity
from cevns_tmm.mixing import mixing_matrix
from cevns_tmm.statistics import CountingExperiment, delta_chi2_quantile


@dataclass(frozen=True)
class Analysis:
    """What turns the events of an experiment into limits (section 5).

    ``data`` holds the measured events of Eq. (34); without them the Standard Model expectation is the
    data, with ``sigma_stat``, ``sigma_sys`` and ``nuisance_on`` of Eq. (35). ``oscillation`` has the mixing
    angles and the Dirac phase.
    """

    oscillation: Mapping
    confidence_level: float
    data: Mapping | None = None
    sigma_stat: float | None = None
    sigma_sys: float | None = None
    nuisance_on: str = "total"

    def __post_init__(self):
        if self.data is not None:
            try:
                self.chi2(0.0)
            except ValueError:
                measured = self.data["n_measured"]
                why = "needs a background: without any event the variance of Eq. (34) is 0"
                raise ValueError(f"data.n_measured: {measured!r} {why}") from None

    def mixing(self, delta_CP_over_pi=None):
        """Mixing matrix, with another Dirac phase if one is given."""
        angles = self.oscillation
        if delta_CP_over_pi is None:
            delta_CP_over_pi = angles["delta_CP_over_pi"]
        return mixing_matrix(
            angles["sin2_theta12"], angles["sin2_theta23"], angles["sin2_theta13"], math.pi * delta_CP_over_pi
        )

    def level(self, parameters, confidence_level=None):
        """Delta chi² of a limit on some ``parameters`` at once."""
        if confidence_level is None:
            confidence_level = self.confidence_level
        return delta_chi2_quantile(confidence_level, parameters)

    def scaled(self, factor):
        """The same analysis for ``factor`` times the luminosity: measured events and backgrounds scale."""
        if self.data is None:
            return self
        events = ("n_measured", "beam_neutrons", "steady_state")
        data = {**self.data, **{key: factor * self.data[key] for key in events}}
        return dataclasses.replace(self, data=data)

    def chi2(self, n_sm):
        """The chi² of Eq. (34) or (35) for ``n_sm`` Standard Model events: a CountingExperiment."""
        if self.data is not None:
            return CountingExperiment.from_data(n_sm, **self.data)
        return CountingExperiment.asimov(n_sm, self.sigma_stat, self.sigma_sys, self.nuisance_on)

    def sensitivity(self, counts, beam, delta_CP_over_pi=None):
        """chi² as a function of the moments: a Sensitivity.

        ``counts`` maps each flux component to (Standard Model events, magnetic-moment events per mu_B²);
        all of them are measured, those of the components in ``beam`` are signal.
        """
        n_sm = sum(n for n, _ in counts.values())
        n_em = {component: counts[component][1] for component in beam}
        return Sensitivity(self.chi2(n_sm), n_em, self.mixing(delta_CP_over_pi))
