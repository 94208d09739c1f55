"""What the figures share: contours and the style file."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from cevns_tmm import plotting
from tests.checkout import ROOT

LAMBDA = np.geomspace(1e-11, 1e-8, 60)


@pytest.fixture
def ax():
    fig, axes = plt.subplots()
    axes.set(xscale="log", yscale="log")
    yield axes
    plt.close(fig)


def test_contour_of_a_circle(ax):
    """Lambda_i² + Lambda_j² = r²: every vertex within a step of the grid."""
    values = np.add.outer(LAMBDA**2, LAMBDA**2)
    plotting.contour(ax, LAMBDA, values, 1e-18, "k", fill=False)
    (line,) = ax.patches
    radius = np.hypot(*line.get_path().vertices.T)
    assert radius == pytest.approx(1e-9, rel=0.02, abs=0)


@pytest.mark.parametrize(("level", "shapes"), [(1e-30, 0), (1e-10, 1)])
def test_a_plane_all_outside_or_inside(ax, level, shapes):
    values = np.add.outer(LAMBDA**2, LAMBDA**2)
    plotting.contour(ax, LAMBDA, values, level, "k")
    assert len(ax.patches) == shapes


def test_a_line_that_is_no_setting_is_named():
    good = (ROOT / "config/paper.mplstyle").read_text(encoding="utf-8")
    with plt.rc_context():
        plotting.use_style(good)
        with pytest.raises(ValueError, match=r"font\.sice: not a setting of Matplotlib"):
            plotting.use_style(good + "font.sice: 9\n")
