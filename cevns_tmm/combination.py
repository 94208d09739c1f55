"""Several experiments in one limit: their chi² add, and pulls that they share are one parameter."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cevns_tmm.likelihood import Likelihood
from cevns_tmm.moment_likelihood import ROUNDING, MomentLikelihood, flavour_form, published_limit
from cevns_tmm.solar import SolarSensitivity


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
        for pull, names in self.shared.items():
            for name in names:
                if name not in self.experiments:
                    known = ", ".join(self.experiments)
                    raise ValueError(f"shared.{pull}: {name!r} must be one of {known}")
                if names.count(name) > 1:
                    raise ValueError(f"shared.{pull}: {name!r} must not be listed twice")

    def sum(self, members):
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
        if isinstance(member, SolarSensitivity):  # Delta chi² is 1 at the root of the standard deviation
            strength = f"{name} (solar)"
            return published_limit(strength, member.chi2.variance**0.25, 1.0), {strength: member.matrix}
        if isinstance(member, MomentLikelihood):
            pulls = member.likelihood.pulls
            for pull in shared:
                if pull not in pulls:
                    known = ", ".join(pulls) or "none"
                    raise ValueError(f"shared.{pull}: {name} has no such pull; it has {known}")
            named = {pull if pull in shared else f"{name} {pull}": value for pull, value in pulls.items()}
            return dataclasses.replace(member.likelihood, pulls=named), member.forms
        forms = {flavour: flavour_form(flavour, member.U) for flavour in member.per_flavour}
        if len(shared) > 1:
            raise ValueError(f"shared.{shared[1]}: {name} has one pull, which is {shared[0]}")
        return Likelihood.counting(member.chi2, member.per_flavour, (shared or [name])[0]), forms
