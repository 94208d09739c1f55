"""From counts to limits on the transition moments (section 5)."""

import numpy as np

from cevns_tmm.magnetic_moment import mu_nu_sq
from cevns_tmm.statistics import CountingExperiment

FLAVOUR = {"numu": "mu", "numubar": "mu", "nue": "e", "nuebar": "e"}
"""Flavour of each flux component."""


def counting_experiment(block, n_sm):
    """The chi² of Eq. (34) (``block`` has "data") or Eq. (35) ("asimov") for ``n_sm`` events."""
    if "data" in block:
        return CountingExperiment.from_data(n_sm, **block["data"])
    return CountingExperiment.asimov(n_sm, **block["asimov"])


def excess(Lambda, n_em, beam, U):
    """Magnetic-moment events of a beam, shape of the moments.

    Parameters
    ----------
    Lambda : mass-basis moments, shape (3, ...) [mu_B]
    n_em : mapping component -> events at mu_nu = 1 mu_B
    beam : the components that count
    U : mixing matrix
    """
    per_flavour = {}
    for component in beam:
        if component not in n_em or component not in FLAVOUR:
            raise ValueError(f"beam: {component!r} must be one of {', '.join(n_em)}")
        flavour = FLAVOUR[component]
        per_flavour[flavour] = per_flavour.get(flavour, 0.0) + n_em[component]
    return sum(n * mu_nu_sq(flavour, Lambda, U) for flavour, n in per_flavour.items())


def moment_limits(chi2, n_em, beam, U, delta_chi2):
    """Upper limits on |Lambda_1|, |Lambda_2|, |Lambda_3|, one at a time, shape (3,) [mu_B].

    ``chi2`` is a CountingExperiment, ``delta_chi2`` the level; ``inf`` where there is no sensitivity.

    >>> U = np.eye(3)
    >>> chi2 = CountingExperiment.asimov(100.0, 0.2, 0.0)
    >>> float(moment_limits(chi2, {"nue": 1e20}, ["nue"], U, 2.7)[0])
    inf
    """
    n = chi2.upper_limit(delta_chi2)
    per_moment_sq = excess(np.eye(3), n_em, beam, U)
    with np.errstate(divide="ignore"):
        return np.sqrt(n / per_moment_sq)
