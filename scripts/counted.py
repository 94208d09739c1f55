"""Counts and mixing as the chi-squared stages read them."""

import math

from cevns_tmm import io
from cevns_tmm.limits import counting_experiment
from cevns_tmm.mixing import mixing_matrix


def read_counts(path, group):
    """Total Standard Model events and {component: magnetic-moment events per mu_B²}."""
    data = io.read(path, group, {"component": "1", "n_sm": "1", "n_em": "1/mu_B^2"})
    n_em = {str(c): float(n) for c, n in zip(data["component"], data["n_em"], strict=True)}
    return float(data["n_sm"].sum()), n_em


def read_chi2(path, group, block):
    """The chi² of one setup and reading, and its magnetic-moment events."""
    n_sm, n_em = read_counts(path, group)
    return counting_experiment(block, n_sm), n_em


def mixing(oscillation, delta_CP_over_pi=None):
    """Mixing matrix of the configuration, with another Dirac phase if one is given."""
    if delta_CP_over_pi is None:
        delta_CP_over_pi = oscillation["delta_CP_over_pi"]
    return mixing_matrix(
        oscillation["sin2_theta12"],
        oscillation["sin2_theta23"],
        oscillation["sin2_theta13"],
        math.pi * delta_CP_over_pi,
    )
