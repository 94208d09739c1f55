"""Combinations of experiments from the configuration."""

import warnings

import numpy as np
import pytest

from cevns_tmm import ConfigError, Study
from cevns_tmm.statistics import delta_chi2_quantile
from pipeline.analyses import analysis
from pipeline.jobs import plans
from tests.test_binned import MINE, changed, study


def combined(block, **overrides):
    return Study.read(None, {"combinations": {"Both": block}} | overrides).combination("Both")


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (["CsI", "CONUS"], [3.384e-9, 2.332e-9, 0.642e-9]),
        (["CONUS", "Borexino"], [4.385e-11, 3.566e-11, 2.827e-11]),
    ],
)
def test_the_papers_experiments_together(members, expected):
    found = combined({"experiments": members})
    assert list(found.limits(method="profiled").values()) == pytest.approx(expected, rel=1e-3, abs=0)
    for one in members:
        alone = Study.paper().experiment(one).limits("full" if one == "CsI" else None)
        assert all(limit < alone[moment] for moment, limit in found.limits().items())
    assert len(found.blind()) == 0
    ((x, y),) = found.contour("12")
    assert found.delta_chi2(np.array([x[400], y[400], 0])) == pytest.approx(4.60517, rel=1e-5)


def test_bins_share_a_pull_with_others(tmp_path):
    """Two detectors at one reactor: the flux that both share does not average out."""
    one = changed(MINE, {"exposure_d": 1e4, "background": None}, pulls={"flux": 0.1})
    blocks = {"One": one, "Two": one | {"flux_per_cm2_s": 1.1e13}}
    blocks["Gauss"] = changed(one, {"bins_keV": None, "threshold_keV": 0.15})
    del blocks["Gauss"]["pulls"]
    names = {"Apart": {}, "Shared": {"flux": ["One", "Two"]}, "All": {"flux": ["One", "Two", "Gauss"]}}
    combinations = {
        name: {"experiments": ["One", "Two"] if name != "All" else ["One", "Two", "Gauss"], "shared": shared}
        for name, shared in names.items()
    }
    read = study(tmp_path, blocks, combinations=combinations)
    apart, shared, all_three = (read.combination(name) for name in names)
    assert list(apart.sensitivity().likelihood.pulls) == ["One flux", "Two flux"]
    assert list(all_three.sensitivity().likelihood.pulls) == ["flux"]
    assert apart.limits()["Lambda1"] < 0.95 * shared.limits()["Lambda1"]
    assert shared.limits()["Lambda1"] < read.experiment("One").limits()["Lambda1"]


def test_a_combination_without_a_member_is_refused(tmp_path):
    """Without its setup it is left out by name; one of the paper's in a copied file is left out too."""
    with pytest.raises(
        ConfigError, match=r"yaml: combinations\.Both\.experiments: 'CONUS' must be .*: Mine, Borexino$"
    ):
        study(tmp_path, combinations={"Both": {"experiments": ["Mine", "CONUS"]}})
    later = {"experiments": ["Mine", "Borexino"], "setup": "future"}
    found = study(tmp_path, combinations={"Both": later})
    assert found.combinations == []
    assert any("combinations: Both" in note for note in found.notes)
    assert study(tmp_path, combinations=Study.paper().config["combinations"]).combinations == []


FUTURE = {"experiments": ["CsI", "CONUS"], "setup": "future"}


def test_a_combination_has_a_place_in_every_table_and_figure():
    read = Study.read(None, {"combinations": {"Both": FUTURE}})
    found = {job: plan["parameters"] for job, plan in plans(read).items()}
    assert list(found["chi2/Both"]["analyses"]) == ["future/literal", "future/inferred"]
    assert found["limits"]["experiments"]["Both"] == [["future"], ["combined"]]
    assert ["future", "combined"] in found["figures/combinations"]["figures"]["combinations"]["rows"]
    assert {"profiles", "planes", "luminosity"} <= found["chi2/Both"].keys()
    assert "audit/profiles/Both" in found
    assert "Both" not in found["table2"]["hidden"]
    figures = {"2 and 3": found["figures/curves"]}
    figures |= {n: found["figures/planes"]["figures"][f"fig{n}"] for n in (4, 5, 6)}
    shown = {n for n, block in figures.items() if "Both" in block["experiments"]}
    assert shown == {4, 5, 6}  # Figs. 2 and 3 are of current setups, as are the rows of Fig. 4
    lines = {tuple(line[:4]) for line in found["contours"]["lines"] if line[1] == "Both"}
    beams = [
        (5, "delayed"),
        (5, "prompt"),
        (6, "reactor"),
        ("combined", "combined"),
        ("profiled", "combined"),
    ]
    assert lines == {(figure, "Both", "future", beam) for figure, beam in beams}
    (note,) = found["report"]["notes"]
    assert "it differs in combinations.Both" in note


def test_a_combination_that_the_figures_do_not_show():
    read = Study.read(None, {"combinations": {"Both": FUTURE | {"in_figures": False}}})
    found = {job: plan["parameters"] for job, plan in plans(read).items()}
    paper = {job: plan["parameters"] for job, plan in plans(Study.paper()).items()}
    for job in ["table2", *(f"figures/{name}" for name in ("fig1", "curves", "planes", "budget"))]:
        own = {"hidden": [], "notes": [], "labels": {}}
        assert found[job] | own == paper[job] | own
    assert "Both" in found["table2"]["hidden"]
    assert not {"chi2/Both", "audit/profiles/Both"} & found.keys()
    assert found["profiles/Both"]["profiles"]["beams"].keys() == {"combined"}
    assert found["honest_limits"]["combinations"] == [*Study.paper().combinations, "Both"]


def test_members_count_with_the_beam_of_a_panel_if_they_have_it():
    blocks = {
        "All": {"experiments": ["CsI", "HPGe", "CONUS", "Borexino"]},
        "SNS": {"experiments": ["CsI", "HPGe"]},
    }
    read = Study.read(None, {"combinations": blocks})
    numu, full, nuebar = ("numu",), ("numu", "nue", "numubar"), ("nuebar",)
    found = read.panels("All")
    assert list(found) == ["prompt", "delayed", "reactor", "combined"]
    assert found["prompt"] == {"CsI": numu, "HPGe": numu, "CONUS": nuebar}
    assert found["reactor"] == found["combined"] == {"CsI": full, "HPGe": full, "CONUS": nuebar}
    assert list(read.panels("SNS")) == ["prompt", "delayed", "combined"]
    assert read.kinds("SNS") == ["pion-decay-at-rest", "combined"]
    assert read.kinds("CsI+CONUS") == ["combined"]


def test_profiles_reach_the_limits_of_a_combination():
    """Also where a solar limit is beyond the profiles of the others."""
    read = Study.read(None, {"combinations": {"Both": {"experiments": ["CsI", "Borexino"]}}})
    low, high = plans(read)["chi2/Both"]["parameters"]["profiles"]["range_muB"]
    assert all(low < limit < high for limit in read.combination("Both").limits().values())


@pytest.fixture(scope="module")
def both():
    """Analysis, events and beam of CsI, CONUS and Borexino, as a job has them."""
    read = Study.read(None, {"combinations": {"Both": {"experiments": ["CsI", "CONUS", "Borexino"]}}})
    block = plans(read)["chi2/Both"]["parameters"]
    events = {name: read.experiment(name).counts() for name in ("CsI", "CONUS")}
    return analysis(block["analyses"]["current/inferred"]), events, block["profiles"]["beams"]["prompt"]


@pytest.mark.parametrize("factor", [1, 30])
def test_chi2_of_a_combination_is_the_sum_of_its_members(both, factor):
    """Each is minimised in closed form, as no pull is shared; solar neutrinos are as many at any luminosity."""
    of, events, beam = both
    read, scaled = (
        Study.paper(),
        {
            name: {c: (factor * n, factor * m) for c, (n, m) in counts.items()}
            for name, counts in events.items()
        },
    )
    members = [read.experiment(name).analysis.scaled(factor) for name in events]
    parts = [one.sensitivity(scaled[name], beam[name]) for name, one in zip(events, members, strict=True)] + [
        read.experiment("Borexino").sensitivity()
    ]
    Lambda = np.array([[1e-11, 3e-10, 0], [5e-11, 1e-9, 2e-11], [0, 1e-9j, 1e-9]])
    at_zero, far = (sum(part.chi2.chi2(part.excess(L)) for part in parts) for L in (np.zeros((3, 3)), Lambda))
    found = of.scaled(factor).sensitivity(scaled, beam).delta_chi2(Lambda)
    assert found == pytest.approx(far - at_zero, rel=1e-8, abs=1e-8)  # the data have no excess


@pytest.mark.parametrize("xi", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["CONUS", "Borexino", "CsI+CONUS"])
def test_a_phase_that_is_none_is_refused(name, xi):
    read = Study.paper()
    one = read.combination(name) if name in read.combinations else read.experiment(name)
    with pytest.raises(ValueError, match=f"^xi_over_pi: {xi} must be a finite number$"):
        one.contour("12", xi_over_pi=xi)


@pytest.mark.long
def test_twenty_experiments_at_an_extreme_level(tmp_path):
    """With a Dirac phase, half of them with one flux and half of them in bins."""
    names = [f"E{n}" for n in range(20)]
    blocks = {
        name: changed(MINE, {"exposure_d": 10.0 + n}, pulls={"flux": 0.1}) for n, name in enumerate(names)
    }
    for name in names[::2]:
        blocks[name] = changed(MINE, {"bins_keV": None, "threshold_keV": 0.15, "background": None})
    combinations = {"Twenty": {"experiments": [*names, "Borexino"], "shared": {"flux": names}}}
    study(tmp_path, blocks, combinations=combinations)
    with warnings.catch_warnings(action="ignore"):
        read = Study.read(tmp_path, {"confidence_level": 0.99999, "oscillation": {"delta_CP_over_pi": 1.3}})
    found = read.combination("Twenty")
    level, pair = (delta_chi2_quantile(0.99999, n) for n in (1, 2))
    alone, free = (np.array(list(found.limits(method=m).values())) for m in found.methods)
    assert found.delta_chi2(np.diag(alone)) == pytest.approx(level, rel=1e-6)
    assert np.all(free >= alone * (1 - 1e-9))
    assert np.all(np.isfinite(free))
    ((x, y),) = found.contour("13")
    assert found.delta_chi2(np.array([x, 0 * x, y])) == pytest.approx(pair, rel=1e-5)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"experiments": ["CsI"]}, "combinations.Both.experiments: ['CsI'] must have at least 2 items"),
        ({"experiments": ["CsI", "CsI"]}, "must not repeat an item"),
        (
            {"experiments": ["CsI", "CONUSS"]},
            "combinations.Both.experiments: 'CONUSS' must be an experiment: CsI",
        ),
        ({"experiments": ["CsI", "CONUS"], "setup": "past"}, "'past' must be one of current, future"),
        (
            {"experiments": ["CsI", "CONUS"], "shared": {"flux": ["CsI", "HPGe"]}},
            "combinations.Both.shared.flux: 'HPGe' must be one of CsI, CONUS",
        ),
        (
            {"experiments": ["CsI", "CONUS"], "shared": {"f": ["CsI", "CONUS"], "g": ["CsI", "CONUS"]}},
            "combinations.Both.shared.g: CsI has one pull, which is f",
        ),
        (
            {"experiments": ["CsI", "Borexino"], "shared": {"flux": ["CsI", "Borexino"]}},
            "combinations.Both.shared.flux: Borexino has no such pull; it has none",
        ),
    ],
)
def test_a_wrong_combination_is_one_line(block, message):
    with pytest.raises(ConfigError) as raised:
        combined(block)
    assert "\n" not in str(raised.value)
    assert "experiments.yaml" in str(raised.value)
    assert message in str(raised.value)


def test_a_combination_needs_a_name_of_its_own():
    with pytest.raises(ConfigError, match=r"combinations\.csi: 'csi' must differ from experiments\.CsI"):
        Study.read(None, {"combinations": {"csi": {"experiments": ["CsI", "CONUS"]}}})


def test_pulls_of_bins_have_their_names(tmp_path):
    blocks = {"Mine": MINE, "Other": MINE}
    combinations = {"Both": {"experiments": ["Mine", "Other"], "shared": {"flux": ["Mine", "Other"]}}}
    with pytest.raises(ConfigError, match=r"shared\.flux: Mine has no such pull; it has background"):
        study(tmp_path, blocks, combinations=combinations)


def test_level_and_phase_of_a_combination_are_those_asked_for():
    found = combined({"experiments": ["CsI", "CONUS"]})
    weaker, usual = (found.limits(confidence_level=level)["Lambda1"] for level in (0.95, 0.90))
    assert weaker > usual == found.limits()["Lambda1"]
    with pytest.raises(ValueError, match="confidence_level: 0 "):
        found.limits(confidence_level=0)
    (straight,), (turned,) = found.contour("12"), found.contour("12", xi_over_pi=1.0)
    pair = turned[0][400], -turned[1][400]  # a phase of pi is the other sign of one of them
    assert found.delta_chi2(np.array([*pair, 0])) == pytest.approx(4.60517, rel=1e-5)
    assert np.max(np.abs(straight[0] / turned[0] - 1)) > 0.1


@pytest.mark.parametrize(
    "moments", [[1e-10, 0], [[1e-10, 0, 0]], [np.nan, 0, 0], [np.inf, 0, 0], [None, 0, 0], ["1", 0, 0], 1.0]
)
@pytest.mark.parametrize("name", ["CONUS", "Borexino", "Both"])
def test_moments_that_are_none_are_refused(name, moments):
    study = Study.read(None, {"combinations": {"Both": {"experiments": ["CONUS", "Borexino"]}}})
    one = study.combination("Both") if name == "Both" else study.experiment(name)
    with pytest.raises(ValueError, match=r"^Lambda: "):
        one.delta_chi2(moments)
