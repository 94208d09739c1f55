"""Drawing shared by the figures: frames, contours, legends, files."""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rc_params_from_file, rcdefaults
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon
from matplotlib.ticker import LogLocator, NullLocator

from cevns_tmm import magnetic_moment
from cevns_tmm.annotations import Curves, PathLike
from cevns_tmm.storage import read_csv, replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

WIDTH = 6.1
"""Width of a figure in inches."""

LINE_STYLES = (
    *("-", "--", ":", "-."),
    *((0, dashes) for dashes in ((5, 1.5, 1, 1.5, 1, 1.5), (8, 2), (1, 3), (6, 2, 2, 2))),
)
"""Line style of each |Lambda_i|, of each case of phases, or of each experiment."""

PLANES = tuple(magnetic_moment.PLANES)
"""Names of the planes of two moments."""

ROWS: dict[str, list[tuple[str, str, tuple[int, ...]]]] = {
    "pion-decay-at-rest": [(f"SNS, {beam}", beam, (1, 2, 3)) for beam in ("prompt", "delayed")],
    "reactor": [(rf"reactors, $|\Lambda_{i}|$", "reactor", (i,)) for i in (1, 2, 3)],
}
"""Panels of Figs. 2 and 3, a row for each kind of source: title, beam, moments."""


def use_style(text: str) -> None:
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
    plt.style.use(dict(style))


def lines(experiments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Colour and line style of each experiment, {name: keywords of ``plot``}; those of one source differ."""
    styles = itertools.cycle(LINE_STYLES)
    return {
        name: {"color": block["colour"], "linestyle": style}
        for (name, block), style in zip(experiments.items(), styles, strict=False)
    }


def tint(colour: str) -> np.ndarray:
    """A light, opaque shade of a colour, for the inside of a region."""
    return 0.8 + 0.2 * np.array(to_rgb(colour))


def frame(experiments: Mapping[str, Any], note: str) -> tuple[Figure, list]:
    """The frame of Figs. 2 and 3: both SNS beams above, the three moments at reactors below.

    A row without experiments is left out. Moments differ by line style where a panel has all three, else
    experiments do. Returns the figure and its rows, lists of (axes, beam, curves); curves are (name,
    index of the moment, keywords of ``plot``).
    """
    kinds = {kind for block in experiments.values() for kind in block["kinds"]}
    rows = {kind: panels for kind, panels in ROWS.items() if kind in kinds}
    mosaic = [[title for title, *_ in panels for _ in range(6 // len(panels))] for panels in rows.values()]
    fig, grid = plt.subplot_mosaic(mosaic, figsize=(WIDTH, 2.2 * len(rows)))
    found = []
    for (kind, panels), place in zip(rows.items(), ("upper", "lower"), strict=False):
        blocks = {name: block for name, block in experiments.items() if kind in block["kinds"]}
        styles, dashes = lines(blocks), {}
        if len(panels[0][2]) > 1:
            styles = {name: style | {"linestyle": "-"} for name, style in styles.items()}
            dashes = {i: {"linestyle": LINE_STYLES[i - 1]} for i in panels[0][2]}
        first, *others = (grid[title] for title, *_ in panels)
        for ax in others:
            ax.sharex(first)
            ax.sharey(first)
            ax.tick_params(labelleft=False)
        row = []
        for title, beam, moments in panels:
            grid[title].set(title=title)
            curves = [(e, i - 1, styles[e] | dashes.get(i, {})) for e in blocks for i in moments]
            row.append((grid[title], beam, curves))
        found.append(row)
        entries = [(Line2D([], [], **styles[e]), block["label"]) for e, block in blocks.items()]
        entries += [(Line2D([], [], color="0.2", **dash), rf"$|\Lambda_{i}|$") for i, dash in dashes.items()]
        legend(fig, entries, note if place == "upper" else None, f"outside {place} center")
    return fig, found


def planes(ranges: Sequence[tuple[float, float]]) -> tuple[Figure, np.ndarray]:
    """A figure with the planes 12, 13 and 23 in each row, over ``ranges`` [mu_B]; returns it and its axes."""
    size = WIDTH, 2.25 * len(ranges)
    fig, grid = plt.subplots(
        len(ranges), 3, figsize=size, layout="compressed", sharex="row", sharey="row", squeeze=False
    )
    fig.get_layout_engine().set(h_pad=0.07)
    for axes, limits in zip(grid, ranges, strict=True):
        for ax, (i, j) in zip(axes, PLANES, strict=True):
            ax.set(xscale="log", yscale="log", xlim=limits, ylim=limits, box_aspect=1)
            ax.set(xlabel=rf"$|\Lambda_{i}|$ [$\mu_B$]", ylabel=rf"$|\Lambda_{j}|$ [$\mu_B$]")
            for axis in (ax.xaxis, ax.yaxis):
                log_ticks(axis, *limits)
    return fig, grid


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """Ticks of a logarithmic axis from ``low`` to ``high``, few of them labelled."""
    step = math.ceil(math.log10(high / low) / 3 - 1e-9)  # decades between two labels
    axis.set_major_locator(LogLocator(10.0**step))
    axis.set_minor_locator(LogLocator(subs=range(1, 10) if step < 4 else [1], numticks=999))
    axis.set_minor_formatter("")


def read_contours(path: PathLike, figure: str, *columns: str) -> dict[Any, dict[str, Curves]]:
    """Contours of a figure: {values of ``columns``: {plane: [(x, y), ...]}} with arrays x and y [mu_B]."""
    found = {}
    rows = read_csv(path, begin=f"{figure},")
    for (*key, plane, _), points in itertools.groupby(rows, itemgetter(*columns, "plane", "curve")):
        curve = np.array([(row["x_muB"], row["y_muB"]) for row in points], float).T
        found.setdefault(tuple(key), {}).setdefault(plane, []).append(curve)
    return found


def widened(limits: Sequence[float], contours: Iterable[Mapping[str, Any]]) -> tuple[float, float]:
    """A range of axes [mu_B], wider where it does not hold both ends of each of ``contours`` (by plane)."""
    found = [curves for planes in contours for curves in planes.values()]
    ends = [end for curves in found for end in (curves[0][0, 0], curves[-1][1, -1])]
    return min([limits[0], *(end / 2 for end in ends)]), max([limits[1], *(2 * end for end in ends)])


def region(curves: Curves, low: float) -> np.ndarray:
    """Outline (x, y) of the region that contours allow, down to ``low`` on both axes [mu_B].

    ``curves`` are polylines of rising y/x, the lower contour first where there are two.
    """
    points = np.concatenate(curves, axis=1)
    falls = np.flatnonzero(np.diff(points[1] / points[0]) < 0) + 1
    *lower, upper = (
        np.hstack([[[part[0, 0]], [low]], part, [[low], [part[1, -1]]]])
        for part in np.split(points, falls, axis=1)
    )
    return np.hstack([upper, *(part[:, ::-1] for part in lower)] if lower else [upper, [[low], [low]]])


def contours(
    axes: Iterable[Axes], shown: Iterable[tuple[Mapping[str, Curves], Mapping[str, Any], bool]]
) -> None:
    """Regions and lines in the planes 12, 13 and 23, the largest regions below.

    ``shown`` are (contours of each plane, keywords of ``plot``, whether the region is filled).
    """
    for ax, plane in zip(axes, PLANES, strict=True):
        drawn = [(found[plane], style, fill) for found, style, fill in shown if plane in found]
        regions = [(region(curves, ax.get_xlim()[0]), style) for curves, style, fill in drawn if fill]
        for outline, style in sorted(regions, key=lambda item: -item[0][0, 0]):
            # unlike ax.fill, this leaves the limits of the axes alone, which are set
            ax.add_artist(Polygon(outline.T, facecolor=tint(style["color"]), edgecolor="none", zorder=1))
        for curves, style, _ in drawn:
            for curve in curves:
                ax.plot(*curve, **style)


def handle(style: Mapping[str, Any], fill: bool = True) -> tuple[Patch, Line2D]:
    """Legend handle of a contour."""
    patch = Patch(facecolor=tint(style["color"]) if fill else "none", edgecolor="none")
    return patch, Line2D([], [], **style)


def legend(
    fig: Figure,
    entries: Sequence[tuple[Any, str]],
    title: str | None = None,
    loc: str = "outside upper center",
) -> None:
    """Legend of (handle, label) beside the axes of a figure, which grows by it, in as many rows as it needs."""
    for rows in range(1, len(entries) + 1):
        columns = math.ceil(len(entries) / rows)
        found = fig.legend(*zip(*entries, strict=True), title=title, loc=loc, ncols=columns)
        extent = found.get_window_extent()
        if extent.width <= fig.bbox.width or rows == len(entries):
            break
        found.remove()
    fig.set_figheight(fig.get_figheight() + extent.height / fig.dpi)


def empty_page(text: str, title: str, *files: PathLike) -> None:
    """A figure without content: a page that says why."""
    fig, ax = plt.subplots(figsize=(WIDTH, 1.5))
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center")
    save(fig, title, *files)


def save(fig: Figure, title: str, pdf: PathLike, png: PathLike) -> None:
    """Write a figure and its title to both files, with nothing in them that differs between two runs.

    The figure is laid out once, as that costs as much as to draw it, and without its minor ticks.
    """
    axes = [axis for ax in fig.axes if ax.axison for axis in (ax.xaxis, ax.yaxis)]
    minor = {axis: axis.get_minor_locator() for axis in axes if not _labels_minor_ticks(axis)}
    for axis in minor:
        axis.set_minor_locator(NullLocator())
    for ax in fig.axes:
        ax.apply_aspect()
    if engine := fig.get_layout_engine():
        engine.execute(fig)
    for axis, locator in minor.items():
        _mark(axis, locator)
    with plt.rc_context({"figure.constrained_layout.use": False}):
        fig.set_layout_engine(None)
        for path, absent in ((pdf, "CreationDate"), (png, "Software")):
            with replacing(path) as temporary:
                kind = str(path).rsplit(".", 1)[-1]
                fig.savefig(temporary, format=kind, metadata={"Title": title, absent: None})
    plt.close(fig)


def _labels_minor_ticks(axis):
    return any(axis.get_minor_formatter().format_ticks(axis.get_minorticklocs()))


def _mark(axis, locator):
    """Draw the minor ticks of an axis as markers of one line on each side; as ticks they cost half of a figure."""
    low, high = sorted(axis.get_view_interval())
    at = np.array([x for x in locator() if low <= x <= high])
    (tick,) = axis.get_minor_ticks(1)
    for side, line in enumerate((tick.tick1line, tick.tick2line)):
        points = at, np.full(len(at), side)
        line.set(data=points if axis.axis_name == "x" else points[::-1], zorder=axis.get_zorder())
        axis.axes.add_artist(line).set_clip_on(False)
