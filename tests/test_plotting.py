"""What the figures share: regions, legends, colours, files and the style file."""

import itertools
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.path import Path

from cevns_tmm import colours, plotting
from cevns_tmm.limits import Sensitivity
from cevns_tmm.mixing import mixing_matrix
from cevns_tmm.statistics import CountingExperiment
from tests.checkout import ROOT

LOW = 1e-12


def allowed(curves, x, y):
    """Whether a point is in the region of some contours, on logarithmic axes."""
    outline = np.log10(plotting.region(curves, LOW)).T
    return Path(outline).contains_point(np.log10([x, y]))


def circle(radius, start=1e-4, end=1e4):
    slope = np.geomspace(start, end, 301)
    return radius / np.hypot(1, slope), radius * slope / np.hypot(1, slope)


def test_the_region_below_a_contour_reaches_the_ends_of_the_axes():
    curves = [circle(1e-9)]
    for x, y in ((1e-10, 1e-10), (0.99e-9, 1.01 * LOW), (1.01 * LOW, 0.99e-9), (1.1 * LOW, 1.1 * LOW)):
        assert allowed(curves, x, y)
    for x, y in ((1.01e-9, 1e-11), (1e-11, 1.01e-9), (0.8e-9, 0.8e-9)):
        assert not allowed(curves, x, y)


def test_the_region_between_two_contours():
    curves = [circle(1e-10), circle(1e-9)]
    for x, y in ((5e-10, LOW * 2), (LOW * 2, 5e-10), (2e-10, 2e-10)):
        assert allowed(curves, x, y)
    for x, y in ((5e-11, 5e-11), (0.9e-10, 1e-11), (1.1e-9, 1e-10)):
        assert not allowed(curves, x, y)


def test_a_region_open_along_a_blind_ray():
    """Contours in two parts: the region goes on between their ends, as far as they reach."""
    U = mixing_matrix(0.32, 0.547, 0.0)
    electrons = Sensitivity(CountingExperiment.asimov(100, 0.2, 0.2, "excess"), {"nuebar": 1e22}, U)
    curves = electrons.contour("12", 4.6)
    assert len(curves) == 2
    _, _, blind = np.abs(electrons.blind()[0])[[0, 1, 2]]
    ratio = np.abs(electrons.blind()[0, 1] / electrons.blind()[0, 0])
    assert blind == 0
    for radius in (1e-11, 1e-10, 1e-9):
        assert allowed(curves, radius, ratio * radius)
    assert not allowed(curves, 1e-8, 1e-10)


def test_automatic_colours_are_far_from_each_other_and_from_those_given():
    given = [
        "#332288",
        "#CC6677",
        "#117733",
        "#E69F00",
        "#88CCEE",
        "#882255",
        "#44AA99",
        "#999933",
        "#AA4499",
    ]
    found = list(given)
    while len(found) < 20:
        found.append(colours.farthest(found))
    lab = colours.oklab(found)
    nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2))
    closest_given = min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab[: len(given)], 2))
    assert nearest == pytest.approx(closest_given)
    assert np.all(lab[9:, 0] < 0.8)


def test_oklab_of_the_primary_colours():
    """B. Ottosson's own values."""
    found = colours.oklab(["#ffffff", "#ff0000", "#00ff00", "#0000ff"])
    expected = [[1, 0, 0], [0.628, 0.225, 0.126], [0.866, -0.234, 0.179], [0.452, -0.032, -0.312]]
    assert found == pytest.approx(np.array(expected), abs=2e-3)


def test_files_have_a_title_and_no_date(tmp_path):
    fig, _ = plt.subplots()
    pdf, png = tmp_path / "a.pdf", tmp_path / "a.png"
    plotting.save(fig, "Allowed regions", pdf, png)
    assert b"/Title (Allowed regions)" in pdf.read_bytes()
    assert not re.search(rb"Date|Software", pdf.read_bytes() + png.read_bytes())


@pytest.mark.parametrize("style", [{}, {"ytick.direction": "out", "xtick.minor.visible": False}])
def test_minor_ticks_look_as_matplotlib_s_own(tmp_path, monkeypatch, style):
    with plt.rc_context():
        plotting.use_style((ROOT / "config/paper.mplstyle").read_text(encoding="utf-8"))
        plt.rcParams.update(style)

        def pixels():
            fig, (left, right) = plt.subplots(1, 2)
            left.set(xscale="log", yscale="log", xlim=(2e-12, 3e-9), ylim=(1e-11, 1e-9), xlabel="x")
            plotting.log_ticks(left.xaxis, 2e-12, 3e-9)
            left.yaxis.set_minor_formatter("")
            right.plot([0, 1.3], [2, 0])
            plotting.save(fig, "title", tmp_path / "a.pdf", tmp_path / "a.png")
            return plt.imread(tmp_path / "a.png")

        marked = pixels()
        monkeypatch.setattr(plotting, "_mark", lambda axis, locator: axis.set_minor_locator(locator))
        own = pixels()
        assert np.max(np.abs(marked - own)) < 0.03  # where a major tick lies on a minor one
        monkeypatch.setattr(plotting, "_mark", lambda axis, locator: None)
        assert np.max(np.abs(pixels() - own)) > 0.5


def test_an_empty_page_has_no_ticks(tmp_path):
    files = tmp_path / "a.pdf", tmp_path / "a.png"
    plotting.use_style((ROOT / "config/paper.mplstyle").read_text(encoding="utf-8"))
    plotting.empty_page("", "title", *files)
    assert np.ptp(plt.imread(files[1])) == 0


def test_minor_ticks_with_labels_keep_them(tmp_path):
    fig, ax = plt.subplots()
    ax.set(yscale="log", ylim=(2, 8))
    plotting.save(fig, "title", tmp_path / "a.pdf", tmp_path / "a.png")
    assert len(ax.get_yticklabels(minor=True)) > 3


def test_a_line_that_is_no_setting_is_named():
    good = (ROOT / "config/paper.mplstyle").read_text(encoding="utf-8")
    with plt.rc_context():
        plotting.use_style(good)
        with pytest.raises(ValueError, match=r"font\.sice: not a setting of Matplotlib"):
            plotting.use_style(good + "font.sice: 9\n")
