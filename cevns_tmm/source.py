"""Neutrino sources: stopped pions, reactors and tables, as the configuration describes them (section 4)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cevns_tmm import flux, reactor_spectra
from cevns_tmm.constants import m_mu
from cevns_tmm.units import MW, MeV, cm, m, s

if TYPE_CHECKING:
    from cevns_tmm.flux import FluxTable


@dataclass(frozen=True)
class Source:
    """A neutrino source: a block of ``sources`` in config.yaml.

    ``kind`` is "pion-decay-at-rest", which needs the keys of protons and neutrinos, "reactor", which needs those
    of the spectrum, or "table". ``spectra`` and ``lines`` map components to columns of files, in place of
    Eq. (28) or, of kind "table", as all that there is. ValueError for a spectrum that is not there or does not
    fit.
    """

    kind: str
    protons_on_target: float | None = None
    protons_exposure_d: float | None = None
    neutrinos_per_proton: float | None = None
    fission_fractions: Mapping | None = None
    spectrum_below_2MeV: str | Mapping | None = None
    spectrum_above_2MeV: str | Mapping | None = None
    E_max_MeV: float | None = None
    thermal_power_MW: float | None = None
    energy_per_fission: str = "Kopeikin2004"
    spectra: Mapping = field(default_factory=dict)
    lines: Mapping = field(default_factory=dict)

    TABLES: ClassVar = {
        "spectrum_below_2MeV": reactor_spectra.read_below,
        "spectrum_above_2MeV": reactor_spectra.read_above,
        "spectra": flux.read_spectrum,
        "lines": flux.read_lines,
    }

    def __post_init__(self) -> None:
        if self.kind not in flux.KINDS:
            raise ValueError(f"kind: {self.kind!r} must be one of {', '.join(flux.KINDS)}")
        if self.kind == "reactor":
            self._check_reactor()
        else:
            self._check_tables()

    def _check_reactor(self):
        for key in ("fission_fractions", "spectrum_below_2MeV", "spectrum_above_2MeV", "E_max_MeV"):
            if getattr(self, key) is None:
                raise ValueError(f"{key}: missing")
        total = sum(self.fission_fractions.values())
        if abs(total - 1) > 1e-9:
            raise ValueError(f"fission_fractions: {round(total, 9)} must be a sum of 1")
        for key, spectra in (("below", reactor_spectra.below()), ("above", reactor_spectra.above())):
            name = f"spectrum_{key}_2MeV"
            try:
                found = reactor_spectra.needed(spectra, getattr(self, name), self.fission_fractions)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        if not reactor_spectra.is_expansion(found):
            end = reactor_spectra.summed(found, self.fission_fractions)[0][-1]
            if self.E_max_MeV > end:
                raise ValueError(
                    f"E_max_MeV: {self.E_max_MeV:g} must be at most {end:g}, the end of the spectrum"
                )
        if self.energy_per_fission not in reactor_spectra.energy_per_fission():
            allowed = ", ".join(reactor_spectra.energy_per_fission())
            raise ValueError(f"energy_per_fission: {self.energy_per_fission!r} must be one of {allowed}")

    def _check_tables(self):
        if self.kind == "table" and not self._tables:
            raise ValueError("spectra: missing; a source of kind table needs spectra or lines")
        allowed = flux.COMPONENTS if self.kind == "table" else flux.beams(self.kind)["full"]
        for key, component, table in self._tables:
            file = table.get("file", component)
            if component not in allowed:
                raise ValueError(f"{key}: {component!r} must be one of {', '.join(allowed)}")
            if len(flux.columns(table)[0]) < 2 and key == "spectra":
                raise ValueError(f"{key}: {file} must have at least two energies")
            if key == "spectra" and flux.columns(table)[0][1] < 1e-9:
                raise ValueError(f"{key}: {file} must have its second energy at 1e-9 MeV or above")
            width = np.diff(flux.columns(table)[0])
            if "E_low_MeV" in table and (np.any(width[::2] <= 0) or np.any(width[1::2])):
                raise ValueError(
                    f"{key}: {file} must have bins that rise, each from where the one before ends"
                )
            if not np.any(flux.columns(table)[1]):
                raise ValueError(f"{key}: {file} must have a value above 0")
            if self.kind != "table" and flux.is_absolute(table):
                raise ValueError(f"{key}: {file} must be per_MeV or share, as the protons give the flux")
        if len({flux.is_absolute(table) for _, _, table in self._tables}) > 1:
            raise ValueError("spectra: must all be fluxes at the detector, or all shapes")
        if both := [c for c in self.spectra if c in self.lines and not self.is_absolute]:
            raise ValueError(f"lines: {both[0]} must be fluxes at the detector, to be added to a spectrum")

    @property
    def _tables(self):
        """Tables of files: [(key, component, columns), ...]."""
        parts = ("spectra", "lines")
        return [(key, component, table) for key in parts for component, table in getattr(self, key).items()]

    @property
    def is_absolute(self) -> bool:
        """Whether the tables are fluxes at the detector."""
        return self.kind == "table" and all(flux.is_absolute(table) for _, _, table in self._tables)

    @property
    def components(self) -> tuple[str, ...]:
        """Flux components, e.g. ``("nuebar",)``."""
        return max(self.beams.values(), key=len)

    @property
    def beams(self) -> Mapping[str, tuple[str, ...]]:
        """Beams and the components whose magnetic-moment events each counts: {beam: components}."""
        return flux.beams(self.kind, {**self.spectra, **self.lines})

    @property
    def resembles(self) -> str:
        """The kind; of a table that of the same components, up to an energy that its neutrinos have, or "table"."""
        for kind, largest in flux.ENDS.items() if self.kind == "table" else ():
            if (
                set(self.components) == {c for beam in flux.beams(kind).values() for c in beam}
                and self.E_max <= largest
            ):
                return kind
        return self.kind

    @property
    def spectrum(self) -> dict[str, Any]:
        """The keys that the flux tables depend on, as a mapping."""
        keys: tuple[str, ...] = ("kind", "spectra", "lines")
        if self.kind == "reactor":
            keys = ("kind", "fission_fractions", "spectrum_below_2MeV", "spectrum_above_2MeV", "E_max_MeV")
        return {key: getattr(self, key) for key in keys if getattr(self, key)}

    @property
    def E_max(self) -> float:
        """Highest neutrino energy (energy)."""
        if self.kind == "reactor":
            return self.E_max_MeV * MeV
        ends = [flux.columns(table)[0][-1] * MeV for _, _, table in self._tables]
        return max(ends + [m_mu / 2] * (self.kind != "table"))

    def flux_tables(self, cells: int = 4000) -> dict[str, FluxTable]:
        """Moments of the normalised spectra: {component: FluxTable} with about ``cells`` cells."""
        if self.kind != "reactor":
            return {
                c: flux.tabulated(self.spectra.get(c), self.lines.get(c), cells)
                if c in self.spectra or c in self.lines
                else flux.pion_decay_at_rest(c, cells)
                for c in self.components
            }
        fractions = {
            isotope: self.fission_fractions[isotope]
            for isotope in reactor_spectra.ISOTOPES  # the same sum for any order of the keys
            if self.fission_fractions.get(isotope, 0) > 0
        }
        E, rho = reactor_spectra.low_energy(self.spectrum_below_2MeV, fractions)
        above: Any = reactor_spectra.needed(reactor_spectra.above(), self.spectrum_above_2MeV, fractions)
        if not reactor_spectra.is_expansion(above):
            E_high, rho_high = reactor_spectra.summed(above, fractions)
            above = E_high * MeV, rho_high
        end = self.E_max_MeV * MeV
        table = flux.reactor((E * MeV, rho), fractions, above, flux.E_SPLIT, end, cells)
        return {"nuebar": table}

    def tabulated_flux(self) -> dict[str, float]:
        """Flux at the detector that absolute tables say: {component: 1/(area time)}."""
        return {c: table.total / cm**2 / s for c, table in self.flux_tables(cells=100).items()}

    def reactor_flux(self, baseline_m: float) -> float:
        """Flux at a distance from a reactor of ``thermal_power_MW``, with the neutrinos of its spectrum (1/(area time))."""
        energies = reactor_spectra.energy_per_fission()[self.energy_per_fission]
        energy = sum(x * energies[isotope] for isotope, x in self.fission_fractions.items()) * MeV
        neutrinos = self.flux_tables(cells=400)["nuebar"].total / MeV
        return self.thermal_power_MW * MW / energy * neutrinos / (4 * math.pi * (baseline_m * m) ** 2)
