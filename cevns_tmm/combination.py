"""Several experiments in one limit: their chi² add, and pulls that they share are one parameter."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cevns_tmm.analysis import METHODS, Analysis, WithLimits
from cevns_tmm.annotations import Events
from cevns_tmm.errors import check_name
from cevns_tmm.likelihood import Likelihood
from cevns_tmm.limits import Sensitivity
from cevns_tmm.moment_likelihood import ROUNDING, MomentLikelihood, flavour_form, published_limit
from cevns_tmm.solar import SolarExperiment, SolarSensitivity


@dataclass(frozen=True)
class Combination:
    """A block of ``combinations``: ``experiments`` (names), and which of their nuisances are one.

    ``shared`` maps the name of a pull, e.g. "sns-flux", to the experiments whose nuisance it is; any other
    experiment has a pull of its own. ValueError for fewer than two experiments and for names that are not theirs.
    """

    experiments: Sequence
    shared: Mapping = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(set(self.experiments)) < max(2, len(self.experiments)):
            raise ValueError(f"experiments: {list(self.experiments)!r} must be two or more, all different")
        for pull, names in self.shared.items():
            for name in names:
                if name not in self.experiments:
                    known = ", ".join(self.experiments)
                    raise ValueError(f"shared.{pull}: {name!r} must be one of {known}")
                if names.count(name) > 1:
                    raise ValueError(f"shared.{pull}: {name!r} must not be listed twice")

    def sum(
        self, members: Mapping[str, Sensitivity | SolarSensitivity | MomentLikelihood]
    ) -> MomentLikelihood:
        """The MomentLikelihood of {name: sensitivity}: a Sensitivity, SolarSensitivity or MomentLikelihood each.

        A pull that is not shared keeps the name of its experiment before its own. ValueError for mixing matrices that
        differ, and for a shared pull that a MomentLikelihood does not have.
        """
        parts, forms = [], {}
        for name in self.experiments:
            part, own = self._part(name, members[name])
            parts.append(part)
            for strength, A in own.items():
                if not np.allclose(forms.setdefault(strength, A), A, rtol=0, atol=ROUNDING):
                    raise ValueError(f"experiments: {name} has another mixing matrix")
        return MomentLikelihood(Likelihood.sum(parts), forms)

    def _part(self, name, member):
        """The likelihood of a member, its pulls named as in the sum, and its forms."""
        shared = [pull for pull, names in self.shared.items() if name in names]
        if isinstance(member, Sensitivity):
            if len(shared) > 1:
                raise ValueError(f"shared.{shared[1]}: {name} has one pull, which is {shared[0]}")
            forms = {flavour: flavour_form(flavour, member.U) for flavour in member.per_flavour}
            return Likelihood.counting(member.chi2, member.per_flavour, (shared or [name])[0]), forms
        pulls = member.likelihood.pulls if isinstance(member, MomentLikelihood) else {}
        for pull in shared:
            if pull not in pulls:
                raise ValueError(
                    f"shared.{pull}: {name} has no such pull; it has {', '.join(pulls) or 'none'}"
                )
        if isinstance(member, SolarSensitivity):  # Delta chi² is 1 at the root of the standard deviation
            strength = f"{name} (solar)"
            return published_limit(strength, member.chi2.variance**0.25, 1.0), {strength: member.matrix}
        named = {pull if pull in shared else f"{name} {pull}": value for pull, value in pulls.items()}
        return dataclasses.replace(member.likelihood, pulls=named), member.forms


@dataclass(frozen=True)
class CombinedAnalysis:
    """What turns the events of several experiments into limits, with the methods of an Analysis.

    ``members`` maps the names of ``combination`` to an Analysis or a SolarExperiment each. Where an Analysis takes
    counts and a beam, this takes {name: counts} and {name: beam} of all but the solar ones.
    """

    combination: Combination
    members: Mapping
    confidence_level: float
    methods = METHODS[:2]

    level, limits = Analysis.level, Analysis.limits

    def scaled(self, factor: float) -> "CombinedAnalysis":
        """The same for ``factor`` times the luminosity of all but solar neutrinos."""
        members = {
            name: one if isinstance(one, SolarExperiment) else one.scaled(factor)
            for name, one in self.members.items()
        }
        return dataclasses.replace(self, members=members)

    def sensitivity(
        self,
        counts: Mapping[str, Events],
        beam: Mapping[str, Sequence[str]],
        delta_CP_over_pi: float | None = None,
    ) -> MomentLikelihood:
        """chi² as a function of the moments: a MomentLikelihood."""
        return self.combination.sum(
            {
                name: one.sensitivity()
                if isinstance(one, SolarExperiment)
                else one.sensitivity(counts[name], beam[name], delta_CP_over_pi)
                for name, one in self.members.items()
            }
        )


@dataclass(frozen=True)
class CombinedExperiment(WithLimits):
    """A block of ``combinations`` in one reading, with the methods of an Experiment.

    ``members`` maps the names of ``combination`` to an Experiment or a SolarExperiment each; all events of a member
    are those of its last beam, which has all components. ValueError for pulls that a member does not have.
    """

    name: str
    setup: str
    reading: str
    combination: Combination
    members: Mapping
    confidence_level: float
    beams = ("combined",)
    methods = METHODS[:2]

    def __post_init__(self) -> None:
        self.combination.sum({name: member.blank() for name, member in self.members.items()})

    @property
    def analysis(self) -> CombinedAnalysis:
        """What turns the events of all members into limits."""
        members = {name: getattr(member, "analysis", member) for name, member in self.members.items()}
        return CombinedAnalysis(self.combination, members, self.confidence_level)

    @property
    def _counting(self):
        """Members that are not solar."""
        return {name: one for name, one in self.members.items() if not isinstance(one, SolarExperiment)}

    @property
    def events(self) -> dict[str, Events]:
        """Events of the members that are not solar."""
        return {name: member.events for name, member in self._counting.items()}

    def components(self, beam: str | None = None) -> dict[str, tuple[str, ...]]:
        """All flux components of the members that are not solar."""
        if beam is not None:
            check_name("beam", beam, self.beams)
        return {name: member.components(member.beams[-1]) for name, member in self._counting.items()}
