"""Detectors: Table I, from mass, threshold and efficiency to recoil spectra (section 4)."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cevns_tmm import efficiency as curves
from cevns_tmm import tables
from cevns_tmm.annotations import Curve
from cevns_tmm.constants import tau_mu, tau_pi
from cevns_tmm.cross_section import T_max
from cevns_tmm.electrons import binding_energies, electron_rates, electron_spectra, target_atoms
from cevns_tmm.nuclei import part_of, target_nuclei
from cevns_tmm.quenching import quenching_curve, read_quenching
from cevns_tmm.rates import RateTable, differential_rates, recoil_spectra
from cevns_tmm.response import Gaussian, Matrix, Photoelectrons, Response, read_matrix
from cevns_tmm.units import cm, day, keV, kg, m, s, us

if TYPE_CHECKING:
    from cevns_tmm.flux import FluxTable
    from cevns_tmm.nuclei import Isotope
    from cevns_tmm.source import Source

SCALES = ("nuclear-recoil", "electron-equivalent")
"""Scales of energies: those of recoils, or their ionisation."""

CHANNELS = ("nucleus", "electron")
"""What neutrinos scatter on."""

LIFETIME = {"numu": tau_pi, "nue": tau_mu, "numubar": tau_mu}
"""Mean life of the particle whose decay gives each component of a stopped-pion source."""

WINDOWS = ("threshold_keV", "bins_keV", "bins_PE")
"""Fields of which a detector has one: it says which events count."""

BINNED = ("background", "observed")
"""Fields that no rate depends on."""

_COUNT = tables.number(0, high=1e15)
_EVENTS = tables.columns({"events": _COUNT}, {"events": _COUNT, "sigma": tables.number(0, high=100)})


@dataclass(frozen=True)
class Detector:
    """A detector and its exposure to a source: a block of experiments.yaml in one of its setups.

    ``target`` maps elements and isotopes to shares, moles or mass as ``target_shares`` says. What is counted is
    what is above ``threshold_keV``, a number or one for each part of the target, or in bins with the edges
    ``bins_keV``, on ``threshold_scale``, or ``bins_PE``. ``efficiency`` is a number, a mapping with the keys of
    Eqs. (29)-(31) or of a logistic curve ``of`` a scale, or the columns of a table; ``quenching`` and
    ``resolution`` are as :func:`quenching_curve <cevns_tmm.quenching.quenching_curve>` and the classes of
    :mod:`cevns_tmm.response` have them. ``background`` and ``observed`` are events in each bin, ``channels`` one or
    both of :data:`CHANNELS`.
    ``threshold_inversion`` is the method of :func:`cevns_tmm.quenching.recoil_energy`, ``kappa_scale`` a factor on kappa,
    ``form_factor`` the factors of :func:`cevns_tmm.form_factor.form_factor`. ValueError for what is not a
    detector.
    """

    target: Mapping
    mass_kg: float
    threshold_scale: str
    exposure_d: float
    efficiency: float | Mapping
    threshold_keV: float | Mapping | None = None
    bins_keV: Sequence | None = None
    bins_PE: Sequence | None = None
    target_shares: str = "mole"
    flux_per_cm2_s: float | None = None
    baseline_m: float | None = None
    time_window_us: float | Sequence | None = None
    quenching: float | Mapping | None = None
    quenching_shift: float = 0.0
    resolution: Mapping | None = None
    photoelectrons_per_keV: float | None = None
    background: Mapping | None = None
    observed: Mapping | None = None
    channels: Sequence = CHANNELS[:1]
    threshold_inversion: str = "solve"
    kappa_scale: float = 1.0
    form_factor: Mapping = field(default_factory=dict)

    TABLES: ClassVar = {
        "efficiency": curves.read_efficiency,
        "quenching": read_quenching,
        "resolution": read_matrix,
        "background": _EVENTS,
        "observed": _EVENTS,
    }

    def __post_init__(self) -> None:
        for name in ("mass_kg", "exposure_d"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: {getattr(self, name)!r} must be greater than 0")
        if self.threshold_scale not in SCALES:
            raise ValueError(f"threshold_scale: {self.threshold_scale!r} must be one of {', '.join(SCALES)}")
        try:
            self.nuclei()
        except ValueError as error:
            raise ValueError(f"target: {str(error).partition(': ')[2]}") from None
        self._check_bins()
        try:
            self.efficiency_curve()
        except ValueError as error:
            message = str(error).replace("window:", "window_PE:")
            raise ValueError(f"efficiency.{message}") from None
        self._check_response()
        self._check_binned()
        self._check_channels()

    def _check_bins(self):
        given = [name for name in WINDOWS if getattr(self, name) is not None]
        if len(given) != 1:
            what = f"{' and '.join(given)} are given" if given else "missing"
            raise ValueError(f"{(given or WINDOWS[:1])[-1]}: {what}; give one of {', '.join(WINDOWS)}")
        name, values = self.window
        if name != "threshold_keV":
            if len(values) < 2 or any(low >= high for low, high in itertools.pairwise([0, *values])):
                raise ValueError(f"{name}: {list(values)!r} must be two or more edges that rise from above 0")
            return
        self._check_parts(name, values)
        lowest = min(values.values()) if isinstance(values, Mapping) else values
        of_paper = isinstance(self.efficiency, Mapping) and "smearing" in self.efficiency
        if not lowest > 0 and (self._is_quenched or self.resolution is not None or not of_paper):
            allowed = "must be greater than 0: the magnetic-moment rate diverges there"
            raise ValueError(f"threshold_keV: {lowest!r} {allowed}")

    def _check_response(self):
        try:
            found = self._resolution()
        except ValueError as error:
            raise ValueError(f"resolution.{error}") from None
        shares = len(found.values) if isinstance(found, Matrix) else None
        scales = {self.scale, self.efficiency_curve().scale, getattr(found, "scale", self.scale)}
        model = self.quenching if isinstance(self.quenching, Mapping) else {}
        self._check_parts("quenching.lindhard_k", model.get("lindhard_k"))
        for is_wrong, message in (
            (shares and self.threshold_keV is not None, "resolution: a matrix needs bins_keV or bins_PE"),
            (
                shares not in (None, self.bins),
                f"resolution: {shares} bins must be {self.bins}, those of the edges",
            ),
            (
                isinstance(found, Photoelectrons) and self.bins_PE is None,
                "resolution.photoelectrons: needs bins_PE",
            ),
            (
                isinstance(found, Gaussian) and self.bins_PE is not None,
                "resolution: bins_PE needs photoelectrons",
            ),
            (
                ("n_PE" in scales) != (self.photoelectrons_per_keV is not None),
                "photoelectrons_per_keV: needed with bins_PE or an efficiency of n_PE, and only there",
            ),
            (
                self.quenching is not None and not self._is_quenched and "E_keVee" not in scales,
                "quenching: changes nothing, as nothing is electron-equivalent",
            ),
            (
                self.quenching_shift and "plus" not in model,
                f"quenching_shift: {self.quenching_shift!r} needs a quenching table with minus and plus",
            ),
        ):
            if is_wrong:
                raise ValueError(message)

    @property
    def is_binned(self) -> bool:
        """Whether there are bins, background or data of bins, for a Poisson likelihood."""
        return self.threshold_keV is None or self.background is not None or self.observed is not None

    def _check_binned(self):
        for name in BINNED:
            for key, values in (getattr(self, name) or {}).items():
                if isinstance(values, Sequence) and not isinstance(values, str) and len(values) != self.bins:
                    raise ValueError(
                        f"{name}.{key}: {len(values)} values must be {self.bins}, one for each bin"
                    )
        if self.background is not None:
            if ("events" in self.background) == ("per_keV_kg_d" in self.background):
                raise ValueError("background: must have one of events, per_keV_kg_d")
            if "off_to_on" in self.background and "sigma" in self.background:
                raise ValueError("background.sigma: must be left out with off_to_on, which measures it")
            if "per_keV_kg_d" in self.background and self.bins_keV is None:
                raise ValueError("background.per_keV_kg_d: needs bins_keV")

    def _check_channels(self):
        if not self.channels or not set(self.channels) <= set(CHANNELS):
            raise ValueError(f"channels: {list(self.channels)!r} must be of {', '.join(CHANNELS)}")
        if "electron" not in self.channels:
            return
        if not self._is_quenched:
            raise ValueError("channels: electron needs threshold_scale electron-equivalent")
        if isinstance(self.threshold_keV, Mapping):
            raise ValueError("channels: electron needs one threshold_keV for all parts of the target")
        curve, resolution = self.efficiency_curve(), self._resolution()
        of_recoils = "T_keV" in (curve.scale, getattr(resolution, "scale", None))
        if of_recoils or isinstance(curve, curves.PhotoelectronEfficiency):
            raise ValueError(
                "channels: electron needs efficiency and resolution of E_keVee or n_PE, not of recoils"
            )
        try:
            for symbol in target_atoms(self.nuclei()):
                binding_energies(symbol)
        except ValueError as error:
            raise ValueError(f"channels: electron has {str(error).partition(': ')[2]}") from None

    def _check_parts(self, name, values):
        """ValueError unless values by parts of the target are of all of them."""
        if isinstance(values, Mapping) and set(values) != set(self.target):
            parts = ", ".join(self.target)
            raise ValueError(f"{name}: {dict(values)!r} must have a value for each of {parts}")

    @property
    def window(self) -> tuple[str, Any]:
        """What says which events count: the name of one of :data:`WINDOWS` and its value."""
        return next((name, getattr(self, name)) for name in WINDOWS if getattr(self, name) is not None)

    @property
    def _is_quenched(self):
        return self.threshold_scale == "electron-equivalent"

    @property
    def scale(self) -> str:
        """Scale of the bins, one of :data:`cevns_tmm.efficiency.SCALES`."""
        if self.bins_PE is not None:
            return "n_PE"
        return "E_keVee" if self._is_quenched else "T_keV"

    @property
    def bins(self) -> int:
        """Number of bins; a threshold is the lower edge of one."""
        return len(self.bins_keV or self.bins_PE or (0, 0)) - 1

    def check(self, source: Source) -> None:
        """ValueError unless the detector has what its source needs, and nothing that it cannot use."""
        pulsed = source.kind == "pion-decay-at-rest"
        if self.time_window_us is not None and not pulsed:
            raise ValueError(f"time_window_us: {self.time_window_us!r} needs a pulsed source")
        if isinstance(self.time_window_us, Sequence) and not self.time_window_us[0] < self.time_window_us[1]:
            raise ValueError(f"time_window_us: {list(self.time_window_us)!r} must be a start and a later end")
        by_power = source.kind == "reactor" and source.thermal_power_MW is not None
        if (pulsed or by_power) and self.baseline_m is None:
            what = "a stopped-pion source" if pulsed else "a reactor of thermal_power_MW"
            raise ValueError(f"baseline_m: missing; it gives the flux of {what}")
        has_flux = pulsed or by_power or source.is_absolute
        if has_flux and self.flux_per_cm2_s is not None:
            why = "is for reactors only" if pulsed else "must be left out: the source has its own flux"
            raise ValueError(f"flux_per_cm2_s: {self.flux_per_cm2_s!r} {why}")
        if not has_flux and self.flux_per_cm2_s is None:
            shapes = "the source has only shapes"
            why = "a reactor's flux is that at the detector" if source.kind == "reactor" else shapes
            raise ValueError(f"flux_per_cm2_s: missing; {why}")
        if self.quenching is not None:
            for one in (self, *self.band()):
                one._check_quenching(source)

    def _check_quenching(self, source):
        for isotope, _ in self.nuclei():
            end = float(T_max(source.E_max, isotope.mass))
            T = np.geomspace(1e-4 * end, end, 400)
            E = T * self._quenching(isotope)(T)
            if not (np.all(E >= 0) and np.all(E <= T) and np.all(np.diff(E) >= 0)):
                raise ValueError(
                    f"quenching: must lie between 0 and 1, and the ionisation rise with the recoil energy, up to "
                    f"the largest recoil of {isotope.name}, {end / keV:.3g} keV"
                )

    def nuclei(self) -> list[tuple[Isotope, float]]:
        """Target nuclei, [(Isotope, number), ...], Eq. (32)."""
        return target_nuclei(self.target, self.mass_kg * kg, self.target_shares)

    def thresholds(self) -> list[float]:
        """Recoil threshold of each target isotope (energy), in the order of :meth:`nuclei`."""
        return [self.response(isotope).lowest for isotope, _ in self.nuclei()]

    def efficiency_curve(self) -> Curve:
        """Efficiency: flat, that of photoelectrons, logistic, or a table."""
        block = self.efficiency
        if not isinstance(block, Mapping):
            return curves.FlatEfficiency(block)
        if "efficiency" in block:
            scale = next(scale for scale in curves.SCALES if scale in block)
            return curves.TableEfficiency(scale, np.array(block[scale]), np.array(block["efficiency"]))
        if "of" in block:
            return curves.LogisticEfficiency(
                block["of"], block["k1"], block["k2"], block["x0"], block.get("constant", 0.0)
            )
        window, shape = block.get("window_PE"), {key: block[key] for key in ("k1", "k2", "x0", "smearing")}
        light_yield, window = block["photoelectrons_per_keV"], tuple(window) if window else None
        return curves.PhotoelectronEfficiency(light_yield_per_keV=light_yield, window=window, **shape)

    def _quenching(self, isotope):
        return quenching_curve(self.quenching, isotope, self.kappa_scale, self.quenching_shift)

    def _resolution(self):
        block = self.resolution
        if block is None:
            return None
        if "bin1" in block:
            scale = next(scale for scale in curves.SCALES if scale in block)
            values = [block[f"bin{n + 1}"] for n in range(sum(name.startswith("bin") for name in block))]
            return Matrix(scale, np.array(block[scale]), np.array(values))
        if "photoelectrons" in block:
            return Photoelectrons(per_keV=self.photoelectrons_per_keV, **block)
        return Gaussian(**block)

    def response(self, isotope: Isotope) -> Response:
        """What is counted of the recoils of an isotope: a Response."""
        edges = self.bins_keV or self.bins_PE or (part_of(self.threshold_keV, isotope), math.inf)
        return Response(
            quenching=self._quenching(isotope),
            scale=self.scale,
            edges=np.array(edges, float),
            efficiency=self.efficiency_curve(),
            resolution=self._resolution(),
            inversion=self.threshold_inversion,
            photoelectrons_per_keV=self.photoelectrons_per_keV,
            ionises=self._is_quenched,
        )

    def expected_background(self) -> tuple[np.ndarray, np.ndarray]:
        """Background in each bin: events (b,) and their standard deviations before any off-time (b,)."""
        block = self.background or {"events": 0.0}
        if "per_keV_kg_d" in block:
            events = block["per_keV_kg_d"] * np.diff(self.bins_keV) * self.mass_kg * self.exposure_d
        else:
            events = np.broadcast_to(np.array(block["events"], float), (self.bins,))
        return events, events * np.array(block.get("sigma", 0.0))

    def measurement(self) -> dict[str, Any] | None:
        """Data and background of the bins, {"observed": ..., "background": ...} with ``events``; None without bins."""
        if not self.is_binned:
            return None
        background = self.background and {**self.background, "events": self.expected_background()[0].tolist()}
        found = {"observed": self.observed, "background": background}
        return {key: block for key, block in found.items() if block is not None}

    def fluence(self, source: Source) -> dict[str, float]:
        """Neutrinos per area over the exposure: {component: 1/area} (sections 4.1, 4.2)."""
        exposure = self.exposure_d * day
        if source.kind != "pion-decay-at-rest":
            if source.is_absolute:
                return {c: flux * exposure for c, flux in source.tabulated_flux().items()}
            if self.flux_per_cm2_s is None:
                return {"nuebar": source.reactor_flux(self.baseline_m) * exposure}
            return dict.fromkeys(source.components, self.flux_per_cm2_s / cm**2 / s * exposure)
        protons = source.protons_on_target * exposure / (source.protons_exposure_d * day)
        sphere = 4 * math.pi * (self.baseline_m * m) ** 2
        total = source.neutrinos_per_proton * protons / sphere
        if self.time_window_us is None:
            return dict.fromkeys(source.components, total)
        window = self.time_window_us
        start, end = (t * us for t in (window if isinstance(window, Sequence) else (0.0, window)))
        return {
            c: total * math.exp(-start / LIFETIME[c]) * -math.expm1(-(end - start) / LIFETIME[c])
            for c in source.components
        }

    def band(self) -> list[Detector]:
        """The detector with its quenching one standard deviation lower and higher; none without a band."""
        if not isinstance(self.quenching, Mapping) or "plus" not in self.quenching:
            return []
        return [dataclasses.replace(self, quenching_shift=self.quenching_shift + step) for step in (-1, 1)]

    def spectra(
        self, channel: str, T: np.ndarray, source: Source, fluxes: Mapping[str, FluxTable]
    ) -> tuple[np.ndarray, np.ndarray]:
        """dN/dT of one channel before acceptance, of shape (component, isotope or element, n), at ``T`` (n,) (energy).

        (sm, em) as of :func:`~cevns_tmm.rates.recoil_spectra` or :func:`~cevns_tmm.electrons.electron_spectra`.
        """
        nuclei, fluence = self.nuclei(), self.fluence(source)
        if channel == "electron":
            return electron_spectra(T, target_atoms(nuclei), fluence, fluxes)
        return recoil_spectra(T, nuclei, fluence, fluxes, self.form_factor)

    def rates(self, source: Source, fluxes: Mapping[str, FluxTable], nodes: int = 16) -> RateTable:
        """Recoil spectra with their quadrature and response, Eqs. (32)-(33), of all channels: a RateTable.

        ``fluxes`` are the flux tables of the source, ``nodes`` the quadrature nodes per panel.
        """
        parts = [getattr(self, f"_{channel}")(source, fluxes, nodes) for channel in self.channels]
        return functools.reduce(RateTable.joined, parts)

    def _electron(self, source, fluxes, nodes):
        """The same for electrons: all that they are given is seen as ionisation."""
        nuclei = self.nuclei()
        response = dataclasses.replace(self.response(nuclei[0][0]), quenching=np.ones_like)
        low = response.lowest or min(response.breakpoints())
        return electron_rates(
            target_atoms(nuclei), (low, math.inf), response, self.fluence(source), fluxes, nodes
        )

    def _nucleus(self, source, fluxes, nodes):
        """The same for nuclei."""
        nuclei, fluence = self.nuclei(), self.fluence(source)
        responses = [self.response(isotope) for isotope, _ in nuclei]
        thresholds = [one.lowest for one in responses]
        return differential_rates(nuclei, thresholds, responses, fluence, fluxes, nodes, self.form_factor)
