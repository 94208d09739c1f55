"""Combinations, tables of fluxes and bins in the figures: read back and compared with sums of closed forms."""

import json
import warnings

import numpy as np
import pytest
import yaml
from matplotlib import pyplot as plt

from cevns_tmm import Study
from cevns_tmm.flux import beams
from cevns_tmm.source import Source
from pipeline import jobs
from tests.checkout import ROOT
from tests.test_figures import Made, entries, look, regions, written

KINDS = ("pion-decay-at-rest", "reactor")
RANGES = {"profile_muB": [1e-12, 1e-7], "plane_muB": [1e-12, 1e-7]}
NUCLEUS = {"threshold_scale": "nuclear-recoil", "flux_per_cm2_s": 1e12, "target": {"Ge": 1}}
CURRENT = {"mass_kg": 10, "threshold_keV": 0.05, "exposure_d": 365, "efficiency": 1.0}
SHAPES = {
    "up": ["E_MeV,per_MeV", "0,0", "50,1"],
    "down": ["E_MeV,per_MeV", "2,1", "9,0"],
    "line": ["E_MeV,share", "29.8,1"],
    "chromium": ["E_MeV,share", "0.427,0.1", "0.747,0.9"],
}
SOURCES = {
    "stopped": {"spectra": {"nue": "up.csv", "numubar": "up.csv"}, "lines": {"numu": "line.csv"}},
    "antineutrinos": {"spectra": {"nuebar": "down.csv"}},
    "chromium": {"lines": {"nue": "chromium.csv"}},
}
OWN = {
    "Stopped": NUCLEUS | {"source": "stopped", "current": CURRENT},
    "Bins": NUCLEUS
    | {
        "source": "antineutrinos",
        "current": {k: v for k, v in CURRENT.items() if k != "threshold_keV"} | {"bins_keV": [0.05, 0.1, 1]},
    },
    "Chromium": NUCLEUS | {"source": "chromium", "current": CURRENT | {"threshold_keV": 0.005}},
}
COMBINATIONS = {
    "Both": {"experiments": ["CsI", "CONNIE", "Borexino"]},
    "Hidden": {"experiments": ["CsI", "CONNIE"], "in_figures": False},
    "Later": {"experiments": ["CsI", "CONNIE"], "setup": "future"},
}
PANELS = {f"SNS, {beam}": beam for beam in ("prompt", "delayed")}
PANELS |= {rf"reactors, $|\Lambda_{i}|$": "reactor" for i in (1, 2, 3)}


def folder(path, names, own, combinations):
    """The folder of a study of some of the paper's experiments and ``own`` ones."""
    (path / "config").mkdir()
    blocks = yaml.safe_load((ROOT / "config/experiments.yaml").read_text(encoding="utf-8"))["experiments"]
    blocks = {"experiments": {name: blocks[name] for name in names} | own, "combinations": combinations}
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    config["sources"] |= {name: block | RANGES | {"kind": "table"} for name, block in SOURCES.items()}
    config["phases"] = {name: block for name, block in config["phases"].items() if name in names}
    for name, data in (("experiments", blocks), ("config", config)):
        (path / f"config/{name}.yaml").write_text(
            yaml.safe_dump(json.loads(json.dumps(data))), encoding="utf-8"
        )
    for name, lines in SHAPES.items():
        (path / f"config/{name}.csv").write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = folder(tmp_path_factory.mktemp("more"), ["CsI", "CONNIE"], OWN, COMBINATIONS)
    with pytest.warns(UserWarning, match="left out"):
        return Made(path).compute()


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def together(study, setup, beam):
    """Delta chi² of CsI, CONNIE and in the current setup Borexino, with one beam of CsI: a sum of closed forms."""
    parts = [study.experiment("CsI", setup).sensitivity(beam if beam in ("prompt", "delayed") else "full")]
    parts += [study.experiment("CONNIE", setup).sensitivity()]
    parts += [study.experiment("Borexino").sensitivity()] if setup == "current" else []
    # CsI has seen fewer events than expected, so that all are least without an excess
    return lambda Lambda: sum(p.chi2.chi2(p.excess(Lambda)) - p.chi2.chi2(0.0) for p in parts)


def drawn(ax, handle):
    """The lines of a look, arrays (2, n)."""
    return [np.array(line.get_data(), float) for line in ax.lines if look(line) == look(handle)]


def test_profiles_of_a_combination(made):
    shown = made.draw(2)
    above, below = map(entries, shown.fig.legends)
    assert set(above) >= {"CsI[Na]", "Stopped", "Both"}
    assert set(below) == {"CONNIE", "Bins", "Both"}
    for title, beam in PANELS.items():
        legend = above if beam != "reactor" else below
        expected = together(made.study, "current", beam)
        colour = look(legend["Both"])[0]
        lines = [line for line in shown.axes[title].lines if look(line)[0] == colour]
        moments = [int(title[-3]) - 1] if beam == "reactor" else [0, 1, 2]
        assert len(lines) == len(moments)
        for i, line in zip(moments, lines, strict=True):
            x, y = np.array(line.get_data(), float)
            assert y == pytest.approx(expected(np.eye(3)[i][:, None] * x), rel=1e-8, abs=1e-8)


def test_luminosity_of_a_combination(made):
    shown = made.draw(3)
    (handle,) = [h for label, h in entries(shown.fig.legends[1]).items() if label == "Both"]
    for i in range(3):
        ((x, y),) = drawn(shown.axes[rf"reactors, $|\Lambda_{i + 1}|$"], handle)
        found = made.study.combination("Both").limits()[f"Lambda{i + 1}"]
        assert (x[0], y[0]) == pytest.approx((1.0, found / 1e-10), rel=1e-9)
        assert np.all(np.diff(y) < 0)


@pytest.mark.parametrize(
    ("figure", "name", "setup", "shown"),
    [
        (4, "Both", "current", {"CsI[Na]", "Stopped", "Both"}),
        (5, "Later", "future", {"CsI[Na]", "Later"}),
        (6, "Both", "current", {"CONNIE", "Bins", "Both", "Later"}),
        ("combinations", "Both", "current", set(COMBINATIONS)),
    ],
)
def test_planes_of_a_combination(made, figure, name, setup, shown):
    found = made.draw(figure)
    handles = regions(found.fig.legends[0])
    assert set(handles) == shown
    middle = [ax.get_title() for ax in found.fig.axes if ax.get_title()]
    for title, axes in zip(middle, np.reshape(found.fig.axes, (-1, 3)), strict=True):
        beam = next((beam for beam in ("prompt", "delayed") if beam in title), "all")
        expected = together(made.study, setup, beam)
        for ax, (i, j) in zip(axes, ((0, 1), (0, 2), (1, 2)), strict=True):
            lines = drawn(ax, handles[name][1])
            assert len(lines) == (f"{setup} setup" in title)
            for x, y in lines:
                Lambda = np.zeros((3, len(x)))
                Lambda[[i, j]] = x, y
                assert expected(Lambda) == pytest.approx(np.full(len(x), 4.605170186), rel=1e-6)


def test_the_dashed_lines_of_a_combination_have_the_other_moment_free(made):
    """Of that of counts alone in the setup of the panel."""
    found = made.draw("combinations")
    _, handle = regions(found.fig.legends[0])["Hidden"]
    ax, level = found.fig.axes[0], made.study.experiment("CsI").analysis.level(2)
    expected = made.study.combination("Hidden").sensitivity().contour("12", level, profiled=True)
    (dashed,) = [line for line in ax.lines if look(line)[0] == look(handle)[0] and look(line) != look(handle)]
    assert np.array(dashed.get_data()) == pytest.approx(np.hstack(expected), rel=1e-6, abs=0)
    assert "dashed" in found.fig.legends[0].get_title().get_text()
    assert (
        sum(look(line)[1] == look(dashed)[1] for line in ax.lines) == 1
    )  # Both has Borexino, Later another setup


def test_a_table_and_bins_have_the_contours_of_the_front_door(made):
    for figure, name, beam in (
        (4, "Stopped", "prompt"),
        (6, "Bins", "reactor"),
        ("other-fluxes", "Chromium", "full"),
    ):
        found = made.draw(figure)
        experiment, (_, handle) = made.study.experiment(name), regions(found.fig.legends[0])[name]
        components = beams(made.study.kinds(name)[0]).get(beam) or experiment.source.components
        sensitivity = experiment.analysis.sensitivity(experiment.events, components)
        (rows,) = [
            n
            for n, ax in enumerate(found.fig.axes)
            if f"{beam}" in ax.get_title() and "current" in ax.get_title()
        ] or [1]
        for ax, plane in zip(found.fig.axes[rows - 1 :], ("12", "13", "23"), strict=False):
            lines = drawn(ax, handle)
            expected = sensitivity.contour(plane, experiment.analysis.level(2))
            assert len(lines) == len(expected) > 0
            for line, curve in zip(lines, expected, strict=True):
                assert line == pytest.approx(np.array(curve), rel=1e-9, abs=0)


def test_other_fluxes_are_not_among_the_paper_s(made):
    for number in range(4, 7):
        (parameters,) = made.plan(number)[1]["figures"].values()
        kinds = {kind for block in parameters["experiments"].values() for kind in block["kinds"]}
        assert kinds and "table" not in kinds
    for number in (2, 3):
        assert not any("Chromium" in entries(legend) for legend in made.draw(number).fig.legends)


def test_a_study_of_other_fluxes_alone_says_so(tmp_path):
    path = folder(tmp_path, [], {"Chromium": OWN["Chromium"]}, {})
    with pytest.warns(UserWarning, match="left out"):
        made = Made(path).compute()
    for number in (2, 3):
        (words,) = written(made.draw(number))
        assert words == "This study has no experiment with neutrinos like those of the SNS or a reactor."
    for number in (4, 5, 6):
        (words,) = written(made.draw(number))
        assert words.endswith("this study has no such experiment.")
    assert "Chromium" in regions(made.draw("other-fluxes").fig.legends[0])


def test_a_study_of_bins_alone_says_that_it_has_no_coverage(tmp_path):
    path = folder(tmp_path, [], {"Bins": OWN["Bins"]}, {})
    with warnings.catch_warnings(action="ignore"):
        made = Made(path)
    plan = jobs.figures(made.study, path / "config")["figures/coverage"]
    (tmp_path / "coverage.csv").write_text("reading,setup\n", encoding="utf-8")
    assert written(made.drawn(plan, {"coverage": tmp_path / "coverage.csv"})) == [
        "This study has no coverage by toys."
    ]
    report = jobs.judgements(made.study, path / "config")["report"][1]
    assert report["left_out"] == ["Bins"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("too_high", [False, True])
def test_a_flux_is_like_that_of_a_source_with_its_components_and_energies(kind, too_high):
    components = max(beams(kind).values(), key=len)
    end = {"reactor": 15.0, "pion-decay-at-rest": 52.8}[kind] * (2 if too_high else 1)
    spectra = {c: {"E_MeV": [0.0, end], "per_MeV": [1.0, 1.0]} for c in components}
    assert Source("table", spectra=spectra).resembles == ("table" if too_high else kind)
    fewer = {"nue": spectra.popitem()[1]}
    assert Source("table", spectra=fewer).resembles == "table"


MAP = {
    "experiment": "CONUS",
    "thresholds_keV": [0.05, 0.2],
    "exposures_kg_d": [10, 1e4],
    "window_end_keV": 1.0,
}


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_a_map_has_the_level_of_the_study_and_no_label_that_is_cut(tmp_path, level):
    """With two points each; the labels of coinciding experiments are below each other."""
    study = Study.read(None, {"maps": {"Mine": MAP | {"points": 2}}, "confidence_level": level})
    made = object.__new__(Made)
    made.study, made.path, made.shown = study, tmp_path, {}
    plans = jobs.maps(study, None)
    made.run(plans["maps/Mine"], {}, made.file("maps/Mine.h5"))
    found, conus = study.sensitivity_map("Mine")
    shown = made.drawn(plans["figures/map-Mine"], {"map": made.file("maps/Mine.h5")})
    ax, bar = shown.fig.axes
    assert f"{100 * level:g} % C.L." in bar.get_ylabel()
    limits = found.limits(conus, level)["mu_nu_e"]
    low, high = bar.get_ylim()
    assert low <= limits.min() < limits.max() <= high
    assert {"CONUS, current", "TEXONO, current"} <= {text.get_text() for text in ax.texts}
    ticks = [
        label
        for label, (place, _) in ((label, label.get_position()) for label in ax.get_xticklabels())
        if label.get_text() and ax.get_xlim()[0] <= place <= ax.get_xlim()[1]
    ]
    assert [label.get_text() for label in ticks] == ["0.05", "0.1", "0.2"]
    of_bar = [label for label in bar.get_yticklabels() if label.get_text()]
    assert all("10^{" in label.get_text() for label in of_bar)
    ticks += of_bar
    assert len(ticks) > 4
    assert ax.get_title() == "Ge, background 0 per keV kg d\nnormalisation ± 0 %"
    for text in ax.texts + ticks:
        box = text.get_window_extent()
        assert shown.fig.bbox.x0 <= box.x0 < box.x1 <= shown.fig.bbox.x1


def test_the_limits_of_a_map_are_those_of_the_job(tmp_path):
    study = Study.read(None, {"maps": {"Mine": MAP | {"points": 3}}, "confidence_level": 0.95})
    made = object.__new__(Made)
    made.study, made.path = study, tmp_path
    made.run(jobs.maps(study, None)["maps/Mine"], {}, made.file("maps/Mine.h5"))
    made.run(jobs.maps(study, None)["maps"], {"maps": [made.file("maps/Mine.h5")]}, made.file("maps.csv"))
    found, conus = study.sensitivity_map("Mine")
    rows = [line.split(",") for line in (tmp_path / "maps.csv").read_text(encoding="utf-8").splitlines()[1:]]
    limits = [float(row[-1]) for row in rows if row[1] == "mu_nu_e"]
    assert limits == pytest.approx(found.limits(conus, 0.95)["mu_nu_e"].ravel(), rel=1e-9, abs=0)
