"""One experiment in one setup and reading: an entry of Table I, from its inputs to limits.

An :class:`Experiment` has three parts, each with the keys of the configuration: the
:class:`~cevns_tmm.source.Source`, the :class:`~cevns_tmm.detector.Detector`, and the
:class:`~cevns_tmm.analysis.Analysis` that turns events into limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cevns_tmm.analysis import Analysis, WithLimits
from cevns_tmm.annotations import Events, Numbers
from cevns_tmm.detector import Detector
from cevns_tmm.magnetic_moment import FLAVOUR_PARAMETERS
from cevns_tmm.rates import shifted
from cevns_tmm.source import Source
from cevns_tmm.units import keV

if TYPE_CHECKING:
    from cevns_tmm.flux import FluxTable
    from cevns_tmm.limits import Sensitivity
    from cevns_tmm.moment_likelihood import MomentLikelihood
    from cevns_tmm.rates import RateTable


@dataclass(frozen=True)
class RecoilSpectrum:
    """dN/dT over the exposure before any acceptance, summed over isotopes, or over the electrons of all elements.

    ``components`` (c names); ``sm`` [1/keV] and ``em`` [1/keV/mu_B²], each of shape (c, ...) like ``T_keV``.
    """

    components: tuple
    T_keV: np.ndarray
    sm: np.ndarray
    em: np.ndarray


@dataclass(frozen=True)
class Experiment(WithLimits):
    """An experiment in one setup and reading.

    >>> from cevns_tmm import Study
    >>> conus = Study.paper().experiment("CONUS")
    >>> {name: round(limit * 1e10, 2) for name, limit in conus.limits().items()}
    {'Lambda1': 1.87, 'Lambda2': 1.3, 'Lambda3': 1.09}
    """

    name: str
    setup: str
    reading: str
    source: Source
    detector: Detector
    analysis: Analysis
    flux_cells: int = 4000
    recoil_nodes: int = 16

    def __post_init__(self) -> None:
        self.detector.check(self.source)

    @property
    def beams(self) -> tuple[str, ...]:
        """Names of the beams."""
        return tuple(self.source.beams)

    def components(self, beam: str | None = None) -> tuple[str, ...]:
        """Flux components of a beam, of the only one if none is named. ValueError for an unknown one."""
        if beam is None and len(self.beams) == 1:
            beam = self.beams[0]
        if not isinstance(beam, str) or beam not in self.beams:  # type: ignore[redundant-expr]
            given = "not given" if beam is None else repr(beam)
            raise ValueError(f"beam: {given}, must be one of {', '.join(self.beams)} for {self.name}")
        return self.source.beams[beam]

    @cached_property
    def fluxes(self) -> dict[str, FluxTable]:
        """Flux tables of the source: {component: FluxTable}."""
        return self.source.flux_tables(self.flux_cells)

    @cached_property
    def rates(self) -> RateTable:
        """Recoil spectra at the nodes of a quadrature, with acceptance: a RateTable."""
        return self.detector.rates(self.source, self.fluxes, self.recoil_nodes)

    def counts(self) -> Events:
        """Events: {component: (Standard Model, magnetic-moment per mu_B²)}."""
        n_sm, n_em = self.rates.counts()
        return {c: (float(n), float(m)) for c, n, m in zip(self.rates.components, n_sm, n_em, strict=True)}

    def binned(self) -> Events:
        """Events in each bin: {component: (Standard Model, magnetic-moment per mu_B²)}, each of shape (bin,)."""
        return dict(zip(self.rates.components, zip(*self.rates.binned(), strict=True), strict=True))

    @cached_property
    def events(self) -> Events:
        """What the likelihood takes: :meth:`counts`, or those in bins, at each shift of a quenching band."""
        if self.analysis.binned is None:
            return self.counts()
        options = self.source, self.fluxes, self.recoil_nodes
        return shifted([self.rates, *(detector.rates(*options) for detector in self.detector.band())])

    def spectrum(self, T_keV: Numbers, channel: str | None = None) -> RecoilSpectrum:
        """dN/dT before acceptance at true energies ``T_keV`` > 0 of any shape [keV]: a RecoilSpectrum.

        ``T_keV`` is the recoil energy of the nucleus, or the energy transferred to the electron, as ``channel`` says: one
        of those of the detector, the only one if none is named. ValueError for an unknown channel or another energy.
        """
        T, channels = np.asarray(T_keV), self.detector.channels
        if T.dtype.kind not in "iuf" or not np.all((T >= 1e-12) & (T <= 1e9)):
            raise ValueError(f"T_keV: {T_keV!r} must be numbers from 1e-12 to 1e9")
        if channel is None and len(channels) == 1:
            channel = channels[0]
        if channel not in channels:
            given = "not given" if channel is None else repr(channel)
            raise ValueError(f"channel: {given}, must be one of {', '.join(channels)} for {self.name}")
        sm, em = self.detector.spectra(channel, T.ravel() * keV, self.source, self.fluxes)
        shape = (len(sm), *T.shape)
        sm, em = (np.sum(rate, axis=1).reshape(shape) * keV for rate in (sm, em))
        return RecoilSpectrum(self.source.components, T, sm, em)

    def blank(self) -> Sensitivity | MomentLikelihood:
        """The same for one event of each kind: its strengths and pulls, without the rates."""
        one = np.ones((3 if self.detector.band() else 1, self.detector.bins))
        events = one if self.analysis.binned is not None else 1.0
        components = self.components(self.beams[-1])
        return self.analysis.sensitivity(dict.fromkeys(components, (events, events)), components)

    def flavour_limits(
        self, beam: str | None = None, confidence_level: float | None = None
    ) -> dict[str, float]:
        """Upper limits on the moments of the flavour basis and on the effective moments [mu_B].

        {"Lambda_e": ..., "Lambda_mu": ..., "Lambda_tau": ..., "mu_nu_e": ..., "mu_nu_mu": ...}, the other
        moments of the same basis zero; ``math.inf`` as in :meth:`limits`.
        """
        sensitivity = self.sensitivity(beam)
        limits = sensitivity.flavour_limits(self.analysis.level(1, confidence_level))
        return dict(zip(FLAVOUR_PARAMETERS, map(float, limits), strict=True))
