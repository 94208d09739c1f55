"""Neutrino sources: stopped pions and reactors, as the configuration describes them (section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass

from cevns_tmm import flux, reactor_spectra
from cevns_tmm.units import MeV


@dataclass(frozen=True)
class Source:
    """A neutrino source: a block of ``sources`` in config.yaml.

    ``kind`` is "pion-decay-at-rest", which needs the keys of protons and neutrinos, or "reactor", which
    needs those of the spectrum. ValueError for a spectrum that is not there or does not fit.
    """

    kind: str
    protons_on_target: float | None = None
    protons_exposure_d: float | None = None
    neutrinos_per_proton: float | None = None
    fission_fractions: Mapping | None = None
    spectrum_below_2MeV: str | None = None
    spectrum_above_2MeV: str | None = None
    E_max_MeV: float | None = None

    def __post_init__(self):
        if self.kind not in flux.COMPONENTS:
            raise ValueError(f"kind: {self.kind!r} must be one of {', '.join(flux.COMPONENTS)}")
        if self.kind != "reactor":
            return
        for key in ("fission_fractions", "spectrum_below_2MeV", "spectrum_above_2MeV", "E_max_MeV"):
            if getattr(self, key) is None:
                raise ValueError(f"{key}: missing")
        total = sum(self.fission_fractions.values())
        if abs(total - 1) > 1e-9:
            raise ValueError(f"fission_fractions: {round(total, 9)} must be a sum of 1")
        for key, spectra in (("below", reactor_spectra.below()), ("above", reactor_spectra.above())):
            name = f"spectrum_{key}_2MeV"
            try:
                reactor_spectra.needed(spectra, getattr(self, name), self.fission_fractions)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None

    @property
    def components(self):
        """Flux components, e.g. ``("nuebar",)``."""
        return flux.COMPONENTS[self.kind]

    @property
    def beams(self):
        """Beams and the components whose magnetic-moment events each counts: {beam: components}."""
        return flux.BEAMS[self.kind]

    @property
    def spectrum(self):
        """The keys that the flux tables depend on, as a mapping."""
        keys = ("kind",)
        if self.kind == "reactor":
            keys += ("fission_fractions", "spectrum_below_2MeV", "spectrum_above_2MeV", "E_max_MeV")
        return {key: getattr(self, key) for key in keys}

    def flux_tables(self, cells=4000):
        """Moments of the normalised spectra: {component: FluxTable} with about ``cells`` cells."""
        if self.kind != "reactor":
            return {c: flux.pion_decay_at_rest(c, cells) for c in self.components}
        fractions = {
            isotope: self.fission_fractions[isotope]
            for isotope in reactor_spectra.ISOTOPES  # the same sum for any order of the keys
            if self.fission_fractions.get(isotope, 0) > 0
        }
        E, rho = reactor_spectra.low_energy(self.spectrum_below_2MeV, fractions)
        expansions = reactor_spectra.above()[self.spectrum_above_2MeV]
        end = self.E_max_MeV * MeV
        table = flux.reactor((E * MeV, rho), fractions, expansions, flux.E_SPLIT, end, cells)
        return {"nuebar": table}
