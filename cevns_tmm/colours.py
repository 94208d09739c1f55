"""Colours that are told apart: distances in Oklab, a colour space in which equal distances look equal."""

import itertools
from collections.abc import Iterable

import numpy as np

# B. Ottosson, "A perceptual color space for image processing" (2020): linear sRGB to cone responses,
# and their cube roots to lightness and two opponent colours
_CONES = [[0.4122, 0.5363, 0.0515], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]
_OPPONENTS = [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]

_LIGHTNESS = 0.35, 0.8  # of Oklab; thin lines that are darker look black, lighter ones are lost on white


def oklab(colours: Iterable[str] | np.ndarray) -> np.ndarray:
    """Oklab coordinates, shape (n, 3), of ``n`` colours "#RRGGBB".

    >>> oklab(["#000000", "#ffffff"]).round(2)[:, 0].tolist()
    [0.0, 1.0]
    """
    rgb = np.array([list(bytes.fromhex(colour[1:])) for colour in colours]).reshape(-1, 3) / 255
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    return np.cbrt(linear @ np.transpose(_CONES)) @ np.transpose(_OPPONENTS)


def farthest(used: Iterable[str]) -> str:
    """The colour "#rrggbb" farthest from those in ``used``, on a grid of sRGB and fit for a line."""
    grid = np.array([f"#{r:02x}{g:02x}{b:02x}" for r, g, b in itertools.product(range(0, 256, 51), repeat=3)])
    lab = oklab(grid)
    fit = (lab[:, 0] > _LIGHTNESS[0]) & (lab[:, 0] < _LIGHTNESS[1])
    distance = np.linalg.norm(lab[fit, None] - oklab(used), axis=2).min(axis=1, initial=np.inf)
    return str(grid[fit][np.argmax(distance.round(6))])
