"""Detectors: Table I, from mass, threshold and efficiency to recoil spectra (section 4)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from cevns_tmm.constants import tau_mu, tau_pi
from cevns_tmm.efficiency import FlatEfficiency, PhotoelectronEfficiency
from cevns_tmm.nuclei import target_nuclei
from cevns_tmm.quenching import recoil_threshold
from cevns_tmm.rates import differential_rates
from cevns_tmm.units import cm, day, keV, kg, m, s, us

SCALES = ("nuclear-recoil", "electron-equivalent")
"""Scales of a threshold: recoil energy, or its ionisation."""

LIFETIME = {"numu": tau_pi, "nue": tau_mu, "numubar": tau_mu}
"""Mean life of the particle whose decay gives each component of a stopped-pion source."""


@dataclass(frozen=True)
class Detector:
    """A detector and its exposure to a source: a block of experiments.yaml in one of its setups.

    ``target`` maps elements to shares, moles or mass as ``target_shares`` says; ``efficiency`` is a
    number or a mapping with the keys of Eqs. (29)-(31). ``threshold_inversion`` and ``kappa_scale`` are
    those of :func:`cevns_tmm.quenching.recoil_threshold`, ``form_factor`` the factors of
    :func:`cevns_tmm.form_factor.form_factor`. ValueError for what is not a detector.
    """

    target: Mapping
    mass_kg: float
    threshold_keV: float
    threshold_scale: str
    exposure_d: float
    efficiency: float | Mapping
    target_shares: str = "mole"
    flux_per_cm2_s: float | None = None
    baseline_m: float | None = None
    time_window_us: float | None = None
    threshold_inversion: str = "solve"
    kappa_scale: float = 1.0
    form_factor: Mapping = field(default_factory=dict)

    def __post_init__(self):
        for name in ("mass_kg", "exposure_d"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: {getattr(self, name)!r} must be greater than 0")
        if self.threshold_scale not in SCALES:
            raise ValueError(f"threshold_scale: {self.threshold_scale!r} must be one of {', '.join(SCALES)}")
        try:
            self.nuclei()
        except ValueError as error:
            raise ValueError(f"target: {str(error).partition(': ')[2]}") from None
        quenched = self.threshold_scale == "electron-equivalent"
        if not self.threshold_keV > 0 and (quenched or not isinstance(self.efficiency, Mapping)):
            allowed = "must be greater than 0: the magnetic-moment rate diverges there"
            raise ValueError(f"threshold_keV: {self.threshold_keV!r} {allowed}")
        try:
            self.efficiency_curve()
        except ValueError as error:
            message = str(error).replace("window:", "window_PE:")
            raise ValueError(f"efficiency.{message}") from None

    def check(self, source):
        """ValueError unless the detector has what its source needs, and nothing that it cannot use."""
        if source.kind == "reactor":
            if self.flux_per_cm2_s is None:
                raise ValueError("flux_per_cm2_s: missing; a reactor's flux is that at the detector")
            if self.time_window_us is not None:
                raise ValueError(f"time_window_us: {self.time_window_us!r} needs a pulsed source")
        else:
            if self.baseline_m is None:
                raise ValueError("baseline_m: missing; it gives the flux of a stopped-pion source")
            if self.flux_per_cm2_s is not None:
                raise ValueError(f"flux_per_cm2_s: {self.flux_per_cm2_s!r} is for reactors only")

    def nuclei(self):
        """Target nuclei, [(Isotope, number), ...], Eq. (32)."""
        return target_nuclei(self.target, self.mass_kg * kg, self.target_shares)

    def thresholds(self):
        """Recoil threshold of each target isotope (energy), in the order of :meth:`nuclei`."""
        threshold = self.threshold_keV * keV
        isotopes = [isotope for isotope, _ in self.nuclei()]
        if self.threshold_scale == "nuclear-recoil":
            return [threshold] * len(isotopes)
        options = self.threshold_inversion, self.kappa_scale
        return [recoil_threshold(threshold, i.Z, i.A, *options) for i in isotopes]

    def efficiency_curve(self):
        """Efficiency against recoil energy: flat, or that of photoelectrons."""
        block = self.efficiency
        if not isinstance(block, Mapping):
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

    def fluence(self, source):
        """Neutrinos per area over the exposure: {component: 1/area} (sections 4.1, 4.2)."""
        exposure = self.exposure_d * day
        if source.kind == "reactor":
            return {"nuebar": self.flux_per_cm2_s / cm**2 / s * exposure}
        protons = source.protons_on_target * exposure / (source.protons_exposure_d * day)
        sphere = 4 * math.pi * (self.baseline_m * m) ** 2
        total = source.neutrinos_per_proton * protons / sphere
        if self.time_window_us is None:
            return dict.fromkeys(source.components, total)
        window = self.time_window_us * us
        return {c: total * -math.expm1(-window / LIFETIME[c]) for c in source.components}

    def rates(self, source, fluxes, nodes=16):
        """Recoil spectra with their quadrature and acceptance, Eqs. (32)-(33): a RateTable.

        ``fluxes`` are the flux tables of the source, ``nodes`` the quadrature nodes per panel.
        """
        return differential_rates(
            nuclei=self.nuclei(),
            thresholds=self.thresholds(),
            efficiency=self.efficiency_curve(),
            fluence=self.fluence(source),
            fluxes=fluxes,
            nodes=nodes,
            shape=self.form_factor,
        )
