"""One experiment in one setup: Table I as the arguments of :mod:`cevns_tmm.rates`.

A setup is a mapping with the keys of the experiments' configuration; units are in the key names.
"""

import math

from cevns_tmm.constants import tau_mu, tau_pi
from cevns_tmm.efficiency import FlatEfficiency, PhotoelectronEfficiency
from cevns_tmm.flux import COMPONENTS
from cevns_tmm.nuclei import target_nuclei
from cevns_tmm.quenching import recoil_threshold
from cevns_tmm.units import cm, day, keV, kg, m, s, us

_LIFETIME = {"numu": tau_pi, "nue": tau_mu, "numubar": tau_mu}


def fluence(setup):
    """Neutrinos per area over the exposure, by component: {name: 1/area} (sections 4.1, 4.2)."""
    source = setup["source"]
    exposure = setup["exposure_d"] * day
    if source["kind"] == "reactor":
        return {"nuebar": setup["flux_per_cm2_s"] / cm**2 / s * exposure}
    protons = source["protons_on_target"] * exposure / (source["protons_exposure_d"] * day)
    sphere = 4 * math.pi * (setup["baseline_m"] * m) ** 2
    total = source["neutrinos_per_proton"] * protons / sphere
    window = setup.get("time_window_us")
    if window is None:
        return dict.fromkeys(COMPONENTS[source["kind"]], total)
    return {c: total * -math.expm1(-window * us / _LIFETIME[c]) for c in COMPONENTS[source["kind"]]}


def efficiency(setup):
    """Efficiency of the setup: flat, or that of photoelectrons."""
    block = setup["efficiency"]
    if not isinstance(block, dict):
        return FlatEfficiency(block)
    window = block.get("window_PE")
    return PhotoelectronEfficiency(
        k1=block["k1"],
        k2=block["k2"],
        x0=block["x0"],
        light_yield_per_keV=block["photoelectrons_per_keV"],
        smearing=block["smearing"],
        window=tuple(window) if window else None,
    )


def nuclei(setup):
    """Target nuclei of the setup: [(Isotope, number), ...], Eq. (32)."""
    return target_nuclei(setup["target"], setup["mass_kg"] * kg, setup["target_shares"])


def thresholds(setup):
    """Recoil threshold of each target isotope (energy), in the order of :func:`nuclei`."""
    threshold = setup["threshold_keV"] * keV
    isotopes = [isotope for isotope, _ in nuclei(setup)]
    if setup["threshold_scale"] == "nuclear-recoil":
        return [threshold] * len(isotopes)
    options = setup["threshold_inversion"], setup.get("kappa_scale", 1.0)
    return [recoil_threshold(threshold, i.Z, i.A, *options) for i in isotopes]
