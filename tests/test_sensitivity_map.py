"""Maps of limits against threshold and exposure."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cevns_tmm import ConfigError, Study
from cevns_tmm.likelihood import BinnedData, Pull
from cevns_tmm.sensitivity_map import SensitivityMap, expected_limit
from cevns_tmm.statistics import CountingExperiment, delta_chi2_quantile
from pipeline.jobs import plans

LEVEL = float(delta_chi2_quantile(0.9, 1))
YEAR = 365.25


def experiment(target, scale="nuclear-recoil"):
    """One kg at 1e13 antineutrinos per cm² and s, fully efficient; its own threshold plays no part."""
    conus = Study.paper().experiment("CONUS")
    detector = dataclasses.replace(
        conus.detector,
        target={target: 1},
        mass_kg=2.0,
        exposure_d=50.0,
        flux_per_cm2_s=1e13,
        efficiency=1.0,
        threshold_scale=scale,
    )
    return dataclasses.replace(conus, detector=detector)


def one(threshold, sigma, **options):
    defaults = {"window_end_keV": 1.0, "background_per_keV_kg_d": 100.0}
    return SensitivityMap([threshold] * 2, [YEAR] * 2, **(defaults | options), sigma_sys=sigma, points=1)


@pytest.mark.parametrize(
    ("target", "threshold", "rate_only", "five_percent"),
    [
        ("Ge", 0.010, 2.28e-11, 6.90e-11),
        ("Ge", 0.050, 3.72e-11, 9.72e-11),
        ("Ge", 0.200, 7.55e-11, 1.34e-10),
        ("Si", 0.010, 2.32e-11, 4.49e-11),
        ("Si", 0.050, 3.43e-11, 6.13e-11),
        ("Si", 0.200, 5.78e-11, 8.52e-11),
    ],
)
def test_limits_of_a_kilogram_year_at_a_reactor(target, threshold, rate_only, five_percent):
    """Background 100 per keV, kg and day, window to 1 keV of recoil energy."""
    for sigma, expected in ((0.0, rate_only), (0.05, five_percent)):
        limits = one(threshold, sigma).limits(experiment(target))
        assert limits["mu_nu_e"] == pytest.approx(np.array([[expected]]), rel=5e-3, abs=0)


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.sampled_from([0.0, 0.01, 0.2, 0.5]))
def test_expected_limit_is_that_of_the_likelihood(n_sm, n_background, sigma):
    n_em = {"n": np.ones(1)}
    pulls = {"flux": Pull.scale(sigma, [n_sm], n_em)}
    likelihood = BinnedData(background=[n_background]).likelihood([n_sm], n_em, pulls)
    found = expected_limit(LEVEL, n_sm, n_background, sigma)
    assert found == pytest.approx(float(likelihood.interval(LEVEL, [1.0])[1]), rel=1e-7, abs=0)


@given(st.floats(0, 1), st.sampled_from([0.0, 0.05, 0.3]))
def test_many_events_are_gaussian(share, sigma):
    n_sm, n_background = share * 1e12, (1 - share) * 1e12
    gauss = CountingExperiment(0.0, n_sm + n_background, sigma, n_sm).upper_limit(LEVEL)
    assert expected_limit(LEVEL, n_sm, n_background, sigma) == pytest.approx(gauss, rel=2e-6, abs=0)


BLOCK = {
    "experiment": "CONUS",
    "thresholds_keV": [0.05, 0.2],
    "exposures_kg_d": [10, 1000],
    "window_end_keV": 1.0,
}


def of_study(**changes):
    block = {key: value for key, value in (BLOCK | changes).items() if value is not None}
    return Study.read(None, {"maps": {"Mine": block}})


def test_a_map_of_a_study_has_jobs_for_its_limits_figure_and_table():
    study = of_study(points=3, sigma_sys=0.05)
    found, conus = study.sensitivity_map("Mine")
    assert found.limits(conus)["mu_nu_e"].shape == (3, 3)
    jobs = plans(study)
    assert {"maps/Mine", "figures/map-Mine", "maps"} <= jobs.keys()
    marked = jobs["figures/map-Mine"]["parameters"]["marked"]
    assert [label for label, *_ in marked][:2] == ["CONUS, current", "CONUS, future"]
    assert marked[0][1:] == [0.1, 3.85 * 365.25]
    assert {label.split(",")[0] for label, *_ in marked} == {"CONUS", "TEXONO"}  # germanium at reactors
    assert not any(job.startswith("maps/") for job in plans(Study.paper()))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"experiment": "CONUSS"}, "maps.Mine.experiment: 'CONUSS' must be an experiment: CsI"),
        ({"experiment": "Other"}, "maps.Mine.experiment: 'Other' must be an experiment: CsI"),
        ({"setup": "past"}, "maps.Mine.setup: 'past' must be one of current, future"),
        ({"beam": "full"}, "maps.Mine.beam: 'full', must be one of reactor for CONUS"),
        ({"experiment": "CsI", "window_end_keV": 50}, "maps.Mine.beam: not given, must be one of prompt"),
        ({"thresholds_keV": [0.2, 0.1]}, "maps.Mine.thresholds_keV: [0.2, 0.1] must be two numbers greater"),
        ({"thresholds_keV": 0.1}, "maps.Mine.thresholds_keV: 0.1 must be a list"),
        ({"exposures_kg_d": [1]}, "maps.Mine.exposures_kg_d: [1] must have at least 2 items"),
        ({"window_end_keV": 0.1}, "maps.Mine.window_end_keV: 0.1 must be greater than all thresholds"),
        ({"background_per_keV_kg_d": -1}, "maps.Mine.background_per_keV_kg_d: -1 must be at least 0"),
        ({"sigma_sys": -1}, "maps.Mine.sigma_sys: -1 must be at least 0"),
        ({"points": 1}, "maps.Mine.points: 1 must be at least 2"),
        ({"window_end_keV": None}, "maps.Mine: key 'window_end_keV' is missing"),
    ],
)
def test_a_wrong_map_is_one_line(changes, message):
    with pytest.raises(ConfigError) as raised:
        of_study(**changes)
    assert "\n" not in str(raised.value)
    assert "experiments.yaml" in str(raised.value)
    assert message in str(raised.value)


def test_a_map_has_windows_in_keV():
    csi = Study.paper().experiment("CsI").detector
    detector = dataclasses.replace(
        csi, threshold_keV=None, bins_PE=[6, 31], photoelectrons_per_keV=1.17, efficiency=1.0
    )
    with pytest.raises(ValueError, match=r"^experiment: must have neither bins_PE nor a matrix"):
        one(1.0, 0.0, window_end_keV=30.0).window(detector, 1.0)


def test_extreme_limits():
    assert expected_limit(LEVEL, 0.0, 0.0, 0.0) == pytest.approx(LEVEL / 2, rel=1e-12)
    assert expected_limit(LEVEL, 100.0, 0.0, 1.0) == np.inf  # Delta chi² <= 1/sigma² = 1


def test_a_map_has_the_limits_of_each_of_its_points():
    """At the experiment's own threshold, mass and time: its counts; moments and flavours consistent."""
    found = SensitivityMap((0.02, 0.3), (1.0, 1e5), 1.0, 10.0, 0.03, points=4)
    germanium = experiment("Ge")
    limits = found.limits(germanium)
    assert {name: values.shape for name, values in limits.items()} == dict.fromkeys(
        ["Lambda1", "Lambda2", "Lambda3", "mu_nu_e"], (4, 4)
    )
    t, e = found.thresholds[2], found.exposures[3]
    counts = []
    for threshold in (t, 1.0):
        changes = {"threshold_keV": threshold, "mass_kg": e / 100, "exposure_d": 100.0}
        at = dataclasses.replace(germanium, detector=dataclasses.replace(germanium.detector, **changes))
        counts.append(np.array(at.counts()["nuebar"]))
    n_sm, n_em = counts[0] - counts[1]
    n = expected_limit(LEVEL, n_sm, 10 * (1 - t) * e, 0.03)
    assert limits["mu_nu_e"][2, 3] == pytest.approx(np.sqrt(n / n_em), rel=1e-9, abs=0)
    share = germanium.sensitivity().limits(LEVEL) / np.sqrt(germanium.sensitivity().chi2.upper_limit(LEVEL))
    ratio = share / share[0]
    for i, name in enumerate(["Lambda1", "Lambda2", "Lambda3"]):
        assert limits[name] == pytest.approx(limits["Lambda1"] * ratio[i], rel=1e-9, abs=0)
    assert np.all(np.diff(limits["mu_nu_e"], axis=1) < 0)


def test_stopped_pions_have_both_flavours():
    csi = Study.paper().experiment("CsI", setup="future", reading="inferred")
    limits = SensitivityMap((5, 10), (1e4, 1e5), 100.0, points=2, beam="full").limits(csi)
    assert set(limits) == {"Lambda1", "Lambda2", "Lambda3", "mu_nu_e", "mu_nu_mu"}
    assert np.all(limits["Lambda1"] < limits["mu_nu_e"])
    with pytest.raises(ValueError, match="beam: not given"):
        SensitivityMap((5, 10), (1e4, 1e5), 100.0, points=2).limits(csi)


def test_electron_equivalent_thresholds_are_higher_recoils():
    recoil, ionisation = (
        one(0.1, 0.0).limits(experiment("Ge", scale)) for scale in ("nuclear-recoil", "electron-equivalent")
    )
    assert np.all(ionisation["mu_nu_e"] > recoil["mu_nu_e"])


def test_beyond_the_end_point_there_is_no_limit():
    assert np.all(np.isinf(one(20.0, 0.0, window_end_keV=30.0).limits(experiment("Ge"))["mu_nu_e"]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"thresholds_keV": (0.2, 0.1)}, r"thresholds_keV: \(0.2, 0.1\) must be two numbers"),
        ({"thresholds_keV": 0.1}, "thresholds_keV: 0.1"),
        ({"exposures_kg_d": (0, 1)}, "exposures_kg_d: "),
        ({"window_end_keV": 0.1}, "window_end_keV: 0.1 must be greater than all thresholds"),
        ({"background_per_keV_kg_d": -1}, "background_per_keV_kg_d: -1 must be 0 or more"),
        ({"sigma_sys": np.nan}, "sigma_sys: nan"),
        ({"points": 0}, "points: 0 must be at least 1"),
    ],
)
def test_bad_values_are_named(values, message):
    good = {"thresholds_keV": (0.1, 0.2), "exposures_kg_d": (1, 10), "window_end_keV": 1.0}
    with pytest.raises(ValueError, match=f"^{message}"):
        SensitivityMap(**(good | values))
