"""Values that are allowed but surely a slip: a unit that is another one, a threshold that nothing reaches."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

from cevns_tmm.cross_section import T_max
from cevns_tmm.likelihood import MOST_CHI2
from cevns_tmm.response import Gaussian
from cevns_tmm.units import cm, keV, s

if TYPE_CHECKING:
    from cevns_tmm.experiment import Experiment
    from cevns_tmm.flux import FluxTable

FEW = 5.0
"""Events below which a Gaussian chi-squared is outside its validity."""

IMPROBABLE = 1e-3
"""Probability of a chi-squared as large or larger below which the data do not fit."""

STRONG = 100.0
"""Delta chi-squared of an excess, ten standard deviations, above which the search for profiled limits may stop early."""

_USUAL = {
    "flux_per_cm2_s": (1e8, 1e15, "far from that of any source; is it in 1/(cm² s)?"),
    "baseline_m": (1, 1000, "far from that of any detector; is it in m?"),
    "exposure_d": (0.01, 36525, "far from that of any experiment; is it in days?"),
    "mass_kg": (0, 1e6, "larger than any detector; is it in kg?"),
    "thermal_power_MW": (1e-3, 2e4, "far from that of any reactor; is it in MW?"),
    "neutrinos_per_proton": (0, 1, "larger than at any source"),
    "sigma_stat": (0, 1, "above 1; is it in percent?"),
    "sigma_sys": (0, 1, "above 1; is it in percent?"),
    "mu_nu_muB": (0, 1e-8, "far above any limit; is it in units of 1e-11?"),
}


def unusual(block: Any) -> Iterator[str]:
    """Fields of a dataclass that are far from what there is, each as "key: value ..."."""
    for name, (low, high, words) in _USUAL.items():
        value = getattr(block, name, None)
        if value is not None and not low <= value <= high:
            yield f"{name}: {value:g} is {words}"
    for key in ("data", "pulls"):
        for name, value in (getattr(block, key, None) or {}).items():
            if (key == "pulls" or name.startswith("sigma")) and value > 1:
                yield f"{key}.{name}: {value:g} is above 1; is it in percent?"


def doubts(experiment: Experiment, fluxes: Mapping[str, FluxTable] | None = None) -> Iterator[str]:
    """What is doubtful about an Experiment, each as "key: value ..."; its events too, if flux tables are given."""
    source, detector, analysis = experiment.source, experiment.detector, experiment.analysis
    for block in (source, detector, analysis):
        yield from unusual(block)
    by_power = source.kind == "reactor" and source.thermal_power_MW is not None
    if source.kind != "pion-decay-at-rest" and not by_power and detector.baseline_m is not None:
        remedy = ", or give the source thermal_power_MW" if source.kind == "reactor" else ""
        why = f"changes nothing, as the flux is that at the detector; leave it out{remedy}"
        yield f"baseline_m: {detector.baseline_m:g} {why}"
    quenching = detector.quenching if isinstance(detector.quenching, Mapping) else {}
    k = quenching.get("lindhard_k", {})
    for value in k.values() if isinstance(k, Mapping) else [k]:
        if not 0.05 <= value <= 0.3:
            yield f"quenching.lindhard_k: {value:g} is far from 0.05 to 0.3, those of materials; is it in percent?"
    for component, flux in source.tabulated_flux().items() if source.is_absolute else ():
        if flux * cm**2 * s > _USUAL["flux_per_cm2_s"][1]:
            yield f"spectra.{component}: a flux of {flux * cm**2 * s:.3g}/(cm² s) is above that of any source"
    if fluxes is not None:
        yield from _no_limits(experiment, fluxes)


def _no_limits(experiment, fluxes):
    """Why next to nothing is counted or limited; ValueError without a likelihood.

    Events are computed with few nodes, in some milliseconds.
    """
    source, detector, data = experiment.source, experiment.detector, experiment.analysis.data or {}
    edge, value = detector.window
    nuclei = [isotope for isotope, _ in detector.nuclei()]
    ends = [float(T_max(source.E_max, isotope.mass)) for isotope in nuclei]
    responses = [detector.response(isotope) for isotope in nuclei]
    resolution, low = responses[0].resolution, responses[0].edges[0]
    is_beyond = all(one.lowest >= end for one, end in zip(responses, ends, strict=True))
    rough = dataclasses.replace(experiment, recoil_nodes=4)
    vars(rough)["fluxes"] = fluxes  # as they would be cached
    for beam in rough.beams:
        chi2 = rough.sensitivity(beam)
        if detector.is_binned and chi2.likelihood.chi2(np.zeros(len(chi2.forms))) > MOST_CHI2:
            chi2.limits(level=1.0)
    if is_beyond and "electron" not in detector.channels:
        yield f"{edge}: {value} is beyond what the largest recoil, {max(ends) / keV:.3g} keV, gives: no events; is it in eV?"
        return
    if isinstance(resolution, Gaussian) and low < 3 * resolution.noise_keV:
        yield f"{edge}: {low:g} is within three times the noise, which counts too"
    if detector.observed is not None:
        yield from _surprises(rough)
    if not _is_limited(rough, rough.analysis):
        is_by_data = detector.observed is not None and _is_limited(rough, _without_data(rough.analysis))
        cause = "observed: these data" if is_by_data else "no sensitivity: these uncertainties"
        yield f"{cause} allow any number of magnetic-moment events, so all limits are infinite"
    expected = rough.rates.counts()[0].sum() + data.get("beam_neutrons", 0.0) + data.get("steady_state", 0.0)
    if expected < FEW and not detector.is_binned:
        yield f"{edge}: {value} leaves {expected:.2g} expected events, too few for a Gaussian chi-squared"


def _without_data(analysis):
    """The Analysis of bins whose data are what is expected."""
    binned = {key: block for key, block in analysis.binned.items() if key != "observed"}
    return dataclasses.replace(analysis, binned=binned)


def _is_limited(one, analysis):
    """Whether the events of an Experiment have a finite limit in any beam with an Analysis."""
    level, beams = analysis.level(1), one.source.beams.values()
    return any(analysis.sensitivity(one.events, beam).has_limit(level) for beam in beams)


def _surprises(one):
    """How the measured events of bins differ from what is expected."""
    if odd := [n for n in one.detector.observed["events"] if n % 1]:
        yield f"observed: {odd[0]:g} is not a whole number of events; without observed the expectation is the data"
    fit, bins, level = one.sensitivity(one.beams[-1]), one.detector.bins, one.analysis.level(1)
    if (p := scipy.special.chdtrc(bins, fit.minimum)) < IMPROBABLE:
        yield f"observed: the least chi-squared, {fit.minimum:.3g} in {bins} bins, has a probability of {p:.1g}: nothing fits these data"
    if (rise := fit.likelihood.chi2(np.zeros(len(fit.forms))) - fit.minimum) > level:
        what = f"delta chi-squared is {rise:.3g}, above {level:.3g}"
        more = "; profiled limits of so strong an excess may come out too small" if rise > STRONG else ""
        yield f"observed: without magnetic moments {what}: zero is outside the interval, of which a limit is only the upper end{more}"
