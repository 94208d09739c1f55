"""Bins with Poisson likelihoods from the configuration: against closed forms and general minimisers."""

import dataclasses
import json
import math
import re
import warnings

import numpy as np
import pytest
import yaml
from scipy.optimize import brentq, minimize_scalar

from cevns_tmm import ConfigError, Study
from cevns_tmm.moment_likelihood import MomentLikelihood
from cevns_tmm.statistics import delta_chi2_quantile

LEVEL = float(delta_chi2_quantile(0.9, 1))
MINE = {
    "source": "reactor",
    "flux_per_cm2_s": 1.0e13,
    "target": {"Ge": 1},
    "threshold_scale": "electron-equivalent",
    "quenching": {"lindhard_k": 0.16},
    "current": {
        "mass_kg": 1.0,
        "bins_keV": [0.15, 0.2, 0.3, 2.0],
        "exposure_d": 10.0,
        "efficiency": 0.8,
        "background": {"per_keV_kg_d": 0.5, "sigma": 0.2},
    },
}


def study(folder, experiments=None, **more):
    """A study of some experiments, "Mine" if none are given, and other keys of experiments.yaml."""
    plain = json.loads(json.dumps({"experiments": experiments or {"Mine": MINE}} | more))  # without aliases
    text = yaml.safe_dump(plain)
    (folder / "experiments.yaml").write_text(text, encoding="utf-8")
    with warnings.catch_warnings(action="ignore"):
        return Study.read(folder)


def changed(block, current=None, **keys):
    """A block of an experiment with other keys; a key of its setup that is None is left out."""
    setup = block["current"] | (current or {})
    return block | keys | {"current": {key: value for key, value in setup.items() if value is not None}}


def mine(folder, current=None, **keys):
    return study(folder, {"Mine": changed(MINE, current, **keys)}).experiment("Mine")


def poisson(d, p):
    """-2 ln of the ratio of Poisson probabilities to their largest."""
    return sum(2 * (b - a + (a * math.log(a / b) if a else 0)) for a, b in zip(d, p, strict=True))


def limit(chi2):
    """Where the profile of chi2(x, theta) over theta rises by LEVEL above its least, for x in units of its scale."""

    def profiled(x):
        return minimize_scalar(lambda theta: chi2(x, theta), bounds=(-4.999, 5), options={"xatol": 1e-9}).fun

    best = minimize_scalar(profiled, bounds=(0, 50), options={"xatol": 1e-8})
    low, least = (best.x, best.fun) if best.fun < profiled(0) else (0.0, profiled(0))
    return brentq(lambda x: profiled(x) - least - LEVEL, low, 1e3)


@pytest.mark.parametrize("observed", [None, [9, 3, 0], [25, 9, 8]])
def test_limits_are_those_of_a_general_minimiser(tmp_path, observed):
    """Poisson bins, one of them without an event, and a background that is known to 20 %; Asimov, or data."""
    experiment = mine(tmp_path, {"observed": observed and {"events": observed}})
    n_sm, n_em = experiment.binned()["nuebar"]
    background = 0.5 * 10.0 * np.diff(MINE["current"]["bins_keV"])
    data, scale = (n_sm + background if observed is None else observed), 1 / n_em.sum()

    def chi2(x, theta):
        return poisson(data, n_sm + x * scale * n_em + background * (1 + 0.2 * theta)) + theta**2

    expected = math.sqrt(scale * limit(chi2))
    assert experiment.flavour_limits()["mu_nu_e"] == pytest.approx(expected, rel=1e-6, abs=0)
    weights = np.sqrt(1 - np.abs(experiment.analysis.mixing()[0]) ** 2)
    limits = np.array(list(experiment.limits().values()))
    assert limits * weights == pytest.approx(np.full(3, expected), rel=1e-6, abs=0)
    assert experiment.delta_chi2(np.array([limits[0], 0, 0])) == pytest.approx(LEVEL, rel=1e-6)
    assert len(experiment.blind()) == 1
    assert set(experiment.limits(method="profiled").values()) == {math.inf}


def test_a_flux_pull_scales_all_neutrino_events(tmp_path):
    experiment = mine(tmp_path, {"background": None}, pulls={"flux": 0.3})
    n_sm, n_em = experiment.binned()["nuebar"]
    scale = 1 / n_em.sum()

    def chi2(x, theta):
        return poisson(n_sm, np.maximum((n_sm + x * scale * n_em) * (1 + 0.3 * theta), 1e-12)) + theta**2

    found = experiment.flavour_limits()["mu_nu_e"]
    assert found == pytest.approx(math.sqrt(scale * limit(chi2)), rel=1e-6, abs=0)
    assert list(experiment.sensitivity().likelihood.pulls) == ["flux"]


def test_a_quenching_band_is_a_shape(tmp_path):
    """Half the difference of the events at plus and minus one standard deviation."""
    lines = ["T_keV,quenching,minus,plus", "0.1,0.15,0.02,0.03", "5.0,0.25,0.02,0.03"]
    (tmp_path / "q.csv").write_text("\n".join(lines), encoding="utf-8")
    experiment = mine(tmp_path, {"background": {"events": [5, 5, 5]}}, quenching="q.csv")
    events = [
        dataclasses.replace(
            experiment, detector=dataclasses.replace(experiment.detector, quenching_shift=shift)
        ).binned()["nuebar"]
        for shift in (0, -1, 1)
    ]
    assert np.array_equal(np.moveaxis(events, 0, 1), experiment.events["nuebar"])
    (n_sm, n_em), minus, plus = events
    scale = 1 / n_em.sum()

    def chi2(x, theta):
        sm, em = (central + theta * (p - m) / 2 for central, m, p in zip(events[0], minus, plus, strict=True))
        return poisson(n_sm + 5, np.maximum(sm + x * scale * em + 5, 1e-12)) + theta**2

    found = experiment.flavour_limits()["mu_nu_e"]
    assert found == pytest.approx(math.sqrt(scale * limit(chi2)), rel=1e-6, abs=0)


def test_off_time_measures_the_background(tmp_path):
    """The more of it, the nearer to a background that is known."""
    limits = [
        mine(tmp_path, {"background": {"events": [5, 5, 20], **more}}).limits()["Lambda1"]
        for more in ({}, {"off_to_on": 1000.0}, {"off_to_on": 1.0}, {"off_to_on": 0.1})
    ]
    assert limits[1] == pytest.approx(limits[0], rel=1e-3)
    assert limits == sorted(limits)
    assert limits[3] > 1.1 * limits[0]


def test_luminosity_is_exposure(tmp_path):
    one, ten = (mine(tmp_path, {"exposure_d": days}) for days in (10.0, 100.0))
    events = {c: tuple(10 * np.array(n) for n in both) for c, both in one.events.items()}
    scaled = one.analysis.scaled(10).sensitivity(events, ("nuebar",))
    assert scaled.limits(LEVEL) == pytest.approx(ten.sensitivity().limits(LEVEL), rel=1e-9, abs=0)


def test_many_events_have_the_limits_of_the_gaussian_form(tmp_path):
    """One window, a flux pull: Eq. (35) without sigma_stat."""
    current = {"bins_keV": [0.15, 2.0], "exposure_d": 1e9, "background": None}
    experiment = mine(tmp_path, current, pulls={"flux": 0.1})
    analysis = dataclasses.replace(
        experiment.analysis, binned=None, pulls=None, sigma_stat=0.0, sigma_sys=0.1, nuisance_on="total"
    )
    expected = analysis.sensitivity(experiment.counts(), ("nuebar",))
    assert experiment.sensitivity().limits(LEVEL) == pytest.approx(expected.limits(LEVEL), rel=1e-3, abs=0)
    for found, wanted in zip(experiment.contour("12"), expected.contour("12", 4.60517), strict=True):
        assert np.array(found) == pytest.approx(np.array(wanted), rel=1e-3, abs=0)


def test_an_open_strip_goes_on_for_decades(tmp_path):
    """With few rays, both lines of a profiled plane end far from where they begin, next to each other."""
    lower, upper = mine(tmp_path).sensitivity().contour("12", LEVEL, points=11, profiled=True)
    last, first = (np.array(curve)[:, end] for curve, end in ((lower, -1), (upper, 0)))
    assert np.hypot(*last) > 1e3 * max(lower[0][0], upper[1][-1])
    assert last == pytest.approx(first, rel=1e-2, abs=0)


def test_what_is_poisson_and_what_is_not(tmp_path):
    assert isinstance(mine(tmp_path).sensitivity(), MomentLikelihood)
    above = {"bins_keV": None, "threshold_keV": 0.2, "background": {"events": 3}}
    assert mine(tmp_path, above | {"background": None}).analysis.binned is None
    window = mine(tmp_path, above | {"background": {"events": [3]}, "observed": {"events": [0]}})
    assert math.isfinite(window.limits()["Lambda1"])
    assert window.analysis.methods == ("one-at-a-time", "profiled")


def test_few_events_of_a_poisson_bin_are_no_slip(tmp_path):
    (tmp_path / "experiments.yaml").write_text(
        yaml.safe_dump({"experiments": {"Mine": changed(MINE, {"exposure_d": 0.01})}}), encoding="utf-8"
    )
    with warnings.catch_warnings(action="ignore"):
        notes = Study.read(tmp_path).notes
    assert not any("expected events" in note for note in notes)
    assert any("because of bins or electrons: Mine" in note for note in notes)


NO_FIT = r"observed: the least chi-squared, {:.3g} in 3 bins, has a probability of [\d.e-]+: nothing fits"
EXCESS = "observed: without magnetic moments delta chi-squared is [0-9.e+]+, above 2.71: zero is outside"
ANY = "observed: these data allow any number of magnetic-moment events"


@pytest.mark.parametrize(
    ("factor", "added", "flux", "wanted"),
    [
        (1, 0, 0.05, []),
        (0, 0, 0.0, [NO_FIT]),
        (0, 0, 0.2, ["observed: the least chi-squared", ANY]),
        (100, 0, 0.05, ["observed: the least chi-squared", EXCESS]),
        (1, 0.5, 0.05, [r"observed: \d+.5 is not a whole number of events"]),
    ],
)
def test_measured_events_that_do_not_fit_are_said(tmp_path, factor, added, flux, wanted):
    """Without any event and without pulls, chi² is twice what is expected."""
    here = {"mass_kg": 100.0, "background": None}
    n_sm = mine(tmp_path, here).binned()["nuebar"][0]
    events = [float(factor * round(n) + added) for n in n_sm]
    block = changed(MINE, here | {"observed": {"events": events}}, pulls={"flux": flux})
    notes = [note for note in study(tmp_path, {"Mine": block}).notes if not note.startswith("left out")]
    assert len(notes) == len(wanted), notes
    for note, text in zip(notes, wanted, strict=True):
        assert re.search(text.replace("{:.3g}", f"{2 * n_sm.sum():.3g}"), note)


@pytest.mark.parametrize("factor", [1.2, 100])
def test_a_strong_excess_is_said_to_make_profiled_limits_hard_to_find(tmp_path, factor):
    here = {"mass_kg": 100.0, "background": None}
    n_sm = mine(tmp_path, here).binned()["nuebar"][0]
    block = changed(MINE, here | {"observed": {"events": [float(round(factor * n)) for n in n_sm]}})
    (note,) = [note for note in study(tmp_path, {"Mine": block}).notes if "zero is outside" in note]
    rise = float(re.search(r"delta chi-squared is ([0-9.e+]+)", note)[1])
    assert (rise > 100, "so strong an excess" in note) == (factor == 100, factor == 100)


DATA = {"n_measured": 9, "beam_neutrons": 1, "steady_state": 1, "sigma_signal": 0.1, "sigma_background": 0.1}


@pytest.mark.parametrize(
    ("current", "keys", "message"),
    [
        ({}, {"pulls": {"flux": -0.1}}, "experiments.Mine.pulls.flux: -0.1 must be at least 0"),
        ({}, {"pulls": {}}, "experiments.Mine.pulls: {} must not be empty"),
        ({}, {"pulls": {"background": 0.1}}, "pulls.background: must have another name than background and"),
        (
            {"bins_keV": None, "threshold_keV": 0.2, "background": None},
            {"pulls": {"flux": 0.1}},
            "experiments.Mine.pulls: needs bins, a background or observed",
        ),
        ({"data": DATA}, {}, "experiments.Mine.current.data: is for Eq. (34), which has no bins"),
        (
            {"background": {"events": [1, 1, 1], "sigma": 0.1, "off_to_on": 1.0}},
            {},
            "current.background.sigma: must be left out with off_to_on",
        ),
    ],
)
def test_a_wrong_value_is_one_line(tmp_path, current, keys, message):
    with pytest.raises(ConfigError) as raised:
        mine(tmp_path, current, **keys)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path / "experiments.yaml"))
    assert message in str(raised.value)
