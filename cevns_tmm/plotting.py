"""Drawing shared by the figures: axes of moments, contours, legends, files."""

import itertools
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from contourpy import FillType, LineType, contour_generator
from matplotlib import rc_params_from_file, rcdefaults
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import LogLocator

from cevns_tmm import magnetic_moment
from cevns_tmm.storage import replacing

WIDTH = 6.1
"""Width of a figure in inches."""

PARAMETERS = (1, 2, 3)
LINE_STYLES = ("-", "--", ":", "-.")
"""Line style of each |Lambda_i|, or of each case of phases."""

PLANES = tuple(magnetic_moment.PLANES)
"""Names of the planes of two moments."""


def use_style(text):
    """Draw with the settings of a Matplotlib style file, given as text, over Matplotlib's own defaults.

    The user's own settings play no part. ValueError naming what is not a setting.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".mplstyle", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        style = rc_params_from_file(file.name, use_default_template=False)
    keys = {line.partition(":")[0].strip() for line in text.splitlines() if line.partition("#")[0].strip()}
    if keys != set(style):
        unknown = ", ".join(sorted(keys ^ set(style)))
        raise ValueError(f"paper.mplstyle: {unknown}: not a setting of Matplotlib with a value it can have")
    rcdefaults()
    plt.style.use(style)


def modulus(i):
    """Symbol of |Lambda_i|."""
    return rf"$|\Lambda_{i}|$"


def modulus_axis(i):
    """Axis label of |Lambda_i| in Bohr magnetons."""
    return rf"$|\Lambda_{i}|$ [$\mu_B$]"


def row_of_planes(axes, limits):
    """Label three log-log axes as the planes 12, 13 and 23, over ``limits`` [mu_B]."""
    for ax, (i, j) in zip(axes, PLANES, strict=True):
        ax.set(xscale="log", yscale="log", xlim=limits, ylim=limits, box_aspect=1)
        ax.set(xlabel=modulus_axis(i), ylabel=modulus_axis(j))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(LogLocator(numticks=10))
            axis.set_tick_params(labelsize=7)


def contour(ax, Lambda, values, level, colour, linestyle="-", fill=True):
    """Contour of ``values`` (rows y, columns x) at ``level``; the region below it shaded if ``fill``."""
    # the logarithm is nearly linear between the points of a logarithmic grid; the floor keeps it finite
    height = np.log(np.maximum(values.astype(float), 1e-12 * level) / level)
    # contourpy alone: ax.contour would keep the grid of every contour until the figure is saved
    generator = contour_generator(
        Lambda, Lambda, height, fill_type=FillType.OuterCode, line_type=LineType.SeparateCode
    )
    if fill:
        for shape in zip(*generator.filled(min(height.min(), 0) - 1, 0), strict=True):
            ax.add_patch(PathPatch(Path(*shape), facecolor=colour, alpha=0.12, linewidth=0))
    line = {"edgecolor": colour, "linestyle": linestyle, "linewidth": plt.rcParams["lines.linewidth"]}
    for shape in zip(*generator.lines(0), strict=True):
        ax.add_patch(PathPatch(Path(*shape), fill=False, **line))


def legend(owner, colours=(), styles=()):
    """Legend above a figure: (label, colour[, line style]) of curves, then labels of line styles."""
    handles = [
        Line2D([], [], color=colour, label=label, linestyle=style[0] if style else "-")
        for label, colour, *style in colours
    ]
    handles += [
        Line2D([], [], color="0.2", linestyle=style, label=label)
        for label, style in zip(styles, itertools.cycle(LINE_STYLES), strict=False)
    ]
    if not handles:
        return
    owner.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 7), columnspacing=1.2)


def empty(ax, text):
    """Say in words why axes have no content."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center")


def empty_page(text, *files):
    """A figure without content: a page that says why."""
    fig, ax = plt.subplots(figsize=(WIDTH, 1.5))
    empty(ax, text)
    save(fig, *files)


def save(fig, pdf, png):
    """Write a figure to both files, with nothing in them that differs between two runs."""
    for path, metadata in ((pdf, {"CreationDate": None}), (png, {"Software": None})):
        with replacing(path) as temporary:
            fig.savefig(temporary, format=str(path).rsplit(".", 1)[-1], metadata=metadata)
    plt.close(fig)
