"""Types that signatures share; ``Numbers`` is a number or an array of any shape."""

import os
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

Numbers = float | np.ndarray
PathLike = str | os.PathLike[str]
Events = Mapping[str, tuple[Any, Any]]
"""Events of each flux component: Standard Model, and magnetic-moment per mu_B²; numbers, or arrays of bins."""
Curves = list[tuple[np.ndarray, np.ndarray]]
"""Polylines [(x, y), ...]."""


class Curve(Protocol):
    """What is counted of recoils of an energy, with the places where it jumps or rises steeply."""

    @property
    def scale(self) -> str:
        """Scale of these energies: "T" the recoil energy, or one of :data:`cevns_tmm.efficiency.SCALES`."""
        ...

    def __call__(self, T: np.ndarray, /) -> np.ndarray:
        """Share of the recoils of energies ``T`` (n,), shape (n,) or (bins, n)."""
        ...

    def breakpoints(self) -> np.ndarray:
        """Energies where it jumps, and the ends of panels that resolve its steps."""
        ...
