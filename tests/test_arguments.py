"""Every public argument of the front door: what is not allowed is one line that names it."""

import itertools

import numpy as np
import pytest

from cevns_tmm import ConfigError, Study

MORE = {
    "combinations": {"Both": {"experiments": ["CsI", "CONUS"]}},
    "maps": {
        "Map": {
            "experiment": "CONUS",
            "thresholds_keV": [0.1, 1],
            "exposures_kg_d": [1, 10],
            "window_end_keV": 2,
        }
    },
}
STUDY = Study.read(None, MORE)
ASKED = {
    "CsI": STUDY.experiment("CsI"),
    "CONUS": STUDY.experiment("CONUS"),
    "Borexino": STUDY.experiment("Borexino"),
    "Both": STUDY.combination("Both"),
}
NO_NAME = [0, 1.5, True, "", "x", b"x", [], ["CsI"], {}, {1: 2}, np.array([1, 2]), float("nan"), ...]
NO_NUMBER = ["0.9", "", b"x", [], ["CsI"], {}, True, np.array([1, 2]), float("nan"), float("inf"), ...]
NO_LEVEL = [*NO_NUMBER, 0, 1, -1, 90]


def refused(function, value, argument):
    """The one line in which a value is refused."""
    with pytest.raises(ValueError) as error:
        function(value)
    message = str(error.value)
    assert message.startswith(f"{argument}: ")
    assert "must be" in message
    return message


@pytest.mark.parametrize("value", NO_NAME, ids=repr)
@pytest.mark.parametrize(
    ("method", "argument"),
    [
        ("departures", "reading"),
        ("setups", "experiment"),
        ("source_of", "experiment"),
        ("source_of", "experiment"),
        ("beams", "experiment"),
        ("source", "source"),
        ("experiment", "experiment"),
        ("combination", "combination"),
        ("sensitivity_map", "map"),
    ],
)
def test_a_name_that_a_study_does_not_have(method, argument, value):
    refused(getattr(STUDY, method), value, argument)


@pytest.mark.parametrize("value", NO_NAME, ids=repr)
def test_a_setup_or_a_reading_that_a_study_does_not_have(value):
    refused(lambda v: STUDY.experiment("CONUS", v), value, "setup")
    refused(lambda v: STUDY.experiment("CONUS", reading=v), value, "reading")
    refused(lambda v: STUDY.source("sns", v), value, "reading")
    refused(lambda v: STUDY.combination("Both", v), value, "reading")
    refused(lambda v: STUDY.sensitivity_map("Map", v), value, "reading")


@pytest.mark.parametrize("name", ASKED)
def test_arguments_of_what_a_study_gives_out(name):
    """Of an Experiment, a SolarExperiment and a CombinedExperiment."""
    one = ASKED[name]
    beam = one.beams[-1]
    for value in NO_NAME:
        refused(one.limits, value, "beam")
        refused(one.blind, value, "beam")
        refused(one.sensitivity, value, "beam")
        refused(lambda v: one.limits(beam, method=v), value, "method")
        refused(lambda v: one.contour(v, beam), value, "plane")
        refused(lambda v: one.contour("12", beam, method=v), value, "method")
    for value in NO_LEVEL:
        refused(lambda v: one.limits(beam, v), value, "confidence_level")
        refused(lambda v: one.contour("12", beam, v), value, "confidence_level")
    for value in NO_NUMBER:
        refused(lambda v: one.contour("12", beam, xi_over_pi=v), value, "xi_over_pi")
    for value in [*NO_NUMBER, 1, [1, 2], [1, 2, "x"], [1, 2, float("nan")], [1e200, 0, 0], [None] * 3]:
        refused(lambda v: one.delta_chi2(v, beam), value, "Lambda")


def test_arguments_of_an_experiment_alone():
    one = ASKED["CONUS"]
    for value in ["x", None, {}, -1, 0.0, [0.1, "a"], [float("nan")], 1e-320, 1e300, object()]:
        refused(one.spectrum, value, "T_keV")
    for value in NO_NUMBER:
        refused(lambda v: one.sensitivity(None, v), value, "delta_CP_over_pi")
        refused(lambda v: one.flavour_limits(None, v), value, "confidence_level")
    found, experiment = STUDY.sensitivity_map("Map")
    for value in [0, None, "CONUS", ASKED["Borexino"]]:
        refused(found.limits, value, "experiment")
    assert found.limits(experiment)["Lambda1"].shape == (60, 60)


def test_folders_and_overrides_that_are_none():
    for value in (0, 1.5, True, [], {}, b"x", object()):
        assert isinstance(_error(lambda v: Study.read(v), value), ConfigError)
    for value in (0, 1.5, True, [], "x", [1], object()):
        assert str(_error(lambda v: Study.read(None, v), value)).startswith("overrides: ")
    assert str(_error(Study.read, "nowhere")) == "nowhere: no such folder"


def _error(function, value):
    with pytest.raises(ConfigError) as error:
        function(value)
    return error.value


def test_numbers_of_numpy_are_numbers():
    level, xi = np.float64(0.95), np.int64(1)
    for one, plane in itertools.product(list(ASKED.values())[:2], ("12", np.str_("12"))):
        (line,) = one.contour(plane, one.beams[-1], level, xi)[:1]
        assert np.all(np.isfinite(line))
