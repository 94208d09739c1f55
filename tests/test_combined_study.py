"""Combinations of experiments from the configuration."""

import numpy as np
import pytest

from cevns_tmm import ConfigError, Study
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


def test_a_combination_without_a_member_is_left_out(tmp_path):
    found = study(tmp_path, combinations={"Both": {"experiments": ["Mine", "CONUS"]}})
    assert found.combinations == []
    assert any("combinations: Both" in note for note in found.notes)
    later = {"experiments": ["Mine", "Borexino"], "setup": "future"}
    assert study(tmp_path, combinations={"Both": later}).combinations == []


def test_a_combination_has_a_job_and_a_place_in_every_table():
    read = Study.read(None, {"combinations": {"Both": {"experiments": ["CsI", "CONUS"], "setup": "future"}}})
    found = plans(read)
    assert (
        found["combinations/Both"]["parameters"]["readings"]["inferred"]["CsI"]["counts"] == "future/inferred"
    )
    assert found["limits"]["parameters"]["combinations"] == {"Both": "future"}
    assert found["figures/combinations"]["parameters"]["rows"] == [["future", "combined"]]
    assert "audit/combinations/Both" not in found
    assert "figures/combinations" not in plans(Study.paper())
    (note,) = found["report"]["parameters"]["notes"]
    assert "it differs in combinations.Both" in note


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
