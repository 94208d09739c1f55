"""Response: what a detector measures of a nuclear recoil, as the share that is counted in each bin."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy

from cevns_tmm import tables
from cevns_tmm.annotations import Curve, Numbers, PathLike
from cevns_tmm.efficiency import SCALES, FlatEfficiency, step_panels
from cevns_tmm.errors import ConfigError
from cevns_tmm.quenching import recoil_energy
from cevns_tmm.rates import quadrature
from cevns_tmm.units import keV

FLUCTUATIONS = ("poisson", "gamma")
"""Distributions of the number of photoelectrons."""

_ALL = FlatEfficiency(1.0)
_NARROW = 5e-4  # standard deviations: below, the share of a bin is an expansion in its width
_FAR = 8.0  # standard deviations that a Gaussian reaches: 6e-16 of it is beyond


def read_matrix(path: PathLike) -> dict[str, Any]:
    """Columns of a file: the shares of recoils of an energy that are counted in bin1, bin2, ...; at most 1 in all."""
    bins = {f"bin{n}": tables.number(0, high=1) for n in range(1, tables.width(path))}
    found = tables.curve(*({x: tables.number(1e-9, high=1e9)} | bins for x in SCALES[:2]))(path)
    for x, *shares in zip(*found.values(), strict=True):
        if sum(shares) > 1 + 1e-9:
            raise ConfigError(f"{path}: the shares at {x:g} have the sum {sum(shares):g}, must be at most 1")
    return found


def thinned(marks: np.ndarray, sigma: Callable[[Any], Any]) -> np.ndarray:
    """Ends of panels without those within half a ``sigma(x)`` of the one before: smooth steps need no more."""
    found = [-math.inf]
    for x in sorted(marks[marks > 0]):
        if x - found[-1] >= sigma(x) / 2:
            found.append(x)
    return np.array(found[1:])


@dataclass(frozen=True)
class Gaussian:
    """sigma(E)² = noise² + stochastic² E + proportional² E², energies in keV."""

    noise_keV: float = 0.0
    stochastic_sqrt_keV: float = 0.0
    proportional: float = 0.0

    def sigma(self, E: Any) -> Any:
        """Standard deviation at the energy ``E`` [keV]."""
        return np.sqrt(self.noise_keV**2 + self.stochastic_sqrt_keV**2 * E + (self.proportional * E) ** 2)

    def shares(self, E: Numbers, edges: np.ndarray) -> np.ndarray:
        """Share measured between neighbouring ``edges`` (b+1,) for energies ``E`` (n,): (b, n)."""
        sigma, column = np.maximum(self.sigma(E), 1e-300), edges[:, None]
        with np.errstate(over="ignore", invalid="ignore"):
            z, width = (column - E) / sigma, np.diff(column, axis=0) / sigma
            middle = ((column[1:] + column[:-1]) / 2 - E) / sigma
            density = np.exp(-(middle**2) / 2) / math.sqrt(2 * math.pi)
            # the next term is at most 1e-13 of it at 8 standard deviations, 5e-12 at 20
            narrow = width * density * (1 + width**2 * (middle**2 - 1) / 24)
        # above E the difference of what is farther above: that of two numbers near 1 would lose digits
        below, above = scipy.special.ndtr(z), scipy.special.ndtr(-z)
        wide = np.where(z[:-1] > 0, above[:-1] - above[1:], below[1:] - below[:-1])
        return np.where(width < _NARROW, narrow, wide)

    def marks(self, edges: np.ndarray) -> np.ndarray:
        """Ends of quadrature panels about the edges."""
        marks = np.concatenate([step_panels(edge, float(self.sigma(edge))) for edge in edges])
        return thinned(marks, self.sigma)

    def begin(self, edge: float) -> float:
        """Energy below which nothing passes an edge; a thousandth of the edge where noise alone does."""
        return max(edge - _FAR * float(self.sigma(edge)), edge / 1000)


@dataclass(frozen=True)
class Photoelectrons:
    """Numbers of photoelectrons: Poisson, or a Gamma distribution of shape 1 + shape_per_keV E about its mean.

    Bins are half-open: numbers from the lower edge on, below the upper one.
    """

    photoelectrons: str
    per_keV: float
    shape_per_keV: float | None = None

    def __post_init__(self) -> None:
        if self.photoelectrons not in FLUCTUATIONS:
            allowed = ", ".join(FLUCTUATIONS)
            raise ValueError(f"photoelectrons: {self.photoelectrons!r} must be one of {allowed}")
        if (self.photoelectrons == "gamma") != (self.shape_per_keV is not None):
            raise ValueError("shape_per_keV: needed with photoelectrons 'gamma', and only there")
        if (self.shape_per_keV or 0) > 10 * (self.per_keV or math.inf):
            allowed = f"at most {10 * self.per_keV:g}, ten times photoelectrons_per_keV"
            raise ValueError(f"shape_per_keV: {self.shape_per_keV:g} must be {allowed}")

    def sigma(self, n: Any) -> Any:
        """Standard deviation about the mean ``n``."""
        if self.shape_per_keV is None:
            return n**0.5
        return n / (1 + self.shape_per_keV * n / self.per_keV) ** 0.5

    def probability(self, n: Numbers, mean: np.ndarray) -> np.ndarray:
        """Probability, or its density, of the numbers ``n`` (k,) for means (m,): (m, k)."""
        mean = mean[:, None]
        gammaln, xlogy = scipy.special.gammaln, scipy.special.xlogy
        if self.shape_per_keV is None:
            return np.exp(xlogy(n, mean) - mean - gammaln(n + 1))
        a = 1 + self.shape_per_keV * mean / self.per_keV
        return np.exp(xlogy(a - 1, n) + a * np.log(a / mean) - a * n / mean - gammaln(a))

    def shares(self, mean: np.ndarray, edges: np.ndarray, efficiency: Curve = _ALL) -> np.ndarray:
        """Share counted between ``edges`` (b+1,), numbers with their efficiency, for means (m,): (b, m)."""
        if efficiency is _ALL:
            below, above = np.moveaxis(np.array([self._split(edge, mean) for edge in edges]), 1, 0)
            return np.where(below[1:] < 0.5, np.diff(below, axis=0), -np.diff(above, axis=0))
        found = []
        for low, high in itertools.pairwise(edges):
            n, weight = self._nodes(low, high, efficiency.breakpoints())
            found.append(self.probability(n, mean) @ (weight * efficiency(n)))
        return np.array(found)

    def _split(self, edge, mean):
        """Shares below an edge and from it on, for means (m,): (2, m)."""
        if self.shape_per_keV is None:
            n = math.ceil(edge)
            return scipy.special.gammaincc(n, mean), scipy.special.gammainc(n, mean)
        a = 1 + self.shape_per_keV * mean / self.per_keV
        return scipy.special.gammainc(a, a * edge / mean), scipy.special.gammaincc(a, a * edge / mean)

    def _nodes(self, low, high, marks):
        """Numbers between two edges with their weights: whole ones, or nodes of a quadrature."""
        if self.shape_per_keV is None:
            n = np.arange(math.ceil(low), math.ceil(high))
            return n, np.ones(len(n))
        ends = [low]
        while ends[-1] < high:
            ends.append(ends[-1] + self.sigma(ends[-1]))
        return quadrature(np.clip(np.append(ends, marks), low, high), 16)

    def marks(self, edges: np.ndarray) -> np.ndarray:
        """Ends of quadrature panels about the edges, and far below them."""
        marks = np.concatenate([step_panels(edge, self.sigma(edge)) for edge in edges])
        return np.append(1e-9 * edges[0], thinned(marks, self.sigma))

    def begin(self, edge: float) -> float:
        """Mean below which nothing is counted: none."""
        return 0.0


@dataclass(frozen=True)
class Matrix:
    """Shares (b, n) counted in each bin at the energies ``x`` (n,) on a scale: linear between them, 0 below."""

    scale: str
    x: np.ndarray
    values: np.ndarray

    def shares(self, x: Numbers, edges: np.ndarray) -> np.ndarray:
        """Share in each bin for energies ``x`` (m,): (b, m); the edges only name the bins."""
        return np.array([np.interp(x, self.x, row, left=0.0) for row in self.values])

    def marks(self, edges: np.ndarray) -> np.ndarray:
        """Where the shares or their slopes jump."""
        return self.x

    def begin(self, edge: float) -> float:
        """Energy below which nothing is counted."""
        return self.x[0]


@dataclass(frozen=True)
class Response:
    """Share of the recoils of one isotope that is counted in each bin, as a function of their energy.

    ``edges`` (b+1,) are those of the bins on ``scale``; the last may be ``inf``. ``efficiency`` is a function of
    the energy on its own scale before any fluctuation; an efficiency of photoelectrons that fluctuate, of their
    number. ``resolution`` is None, Gaussian, Photoelectrons or Matrix. ``inversion`` is the method of
    :func:`cevns_tmm.quenching.recoil_energy` for edges that nothing smears. ``photoelectrons_per_keV`` is per
    keV of recoil, or of ionisation if ``ionises``.
    """

    quenching: Callable[[Any], Any]
    scale: str
    edges: np.ndarray
    efficiency: Curve
    resolution: Gaussian | Photoelectrons | Matrix | None = None
    inversion: str = "solve"
    photoelectrons_per_keV: float | None = None
    ionises: bool = False

    def measured(self, T: Any, scale: str) -> Any:
        """Energy of recoils ``T`` on a scale; "T" is the recoil energy itself."""
        if scale == "T":
            return T
        x = T / keV * (self.photoelectrons_per_keV if scale == "n_PE" else 1)
        return x * self.quenching(T) if self._is_quenched(scale) else x

    def recoil(self, x: Any, scale: str, inversion: str = "solve") -> Any:
        """Recoil energies of which ``x`` (any shape) are measured on a scale."""
        if scale == "T":
            return x
        E = np.asarray(x) * keV / (self.photoelectrons_per_keV if scale == "n_PE" else 1)
        if not self._is_quenched(scale):
            return E
        is_inside = (E > 0) & np.isfinite(E)
        found = recoil_energy(np.where(is_inside, E, keV), self.quenching, inversion)
        return np.where(is_inside, found, E)[()]

    def _is_quenched(self, scale):
        return scale == "E_keVee" or (scale == "n_PE" and self.ionises)

    @property
    def _smeared(self):
        """Scale of what the resolution smears."""
        return getattr(self.resolution, "scale", self.scale)

    @cached_property
    def _recoil_edges(self):
        """Edges of bins that nothing smears, as recoil energies."""
        return self.recoil(self.edges, self.scale, self.inversion)

    @property
    def lowest(self) -> float:
        """Recoil energy below which nothing is counted."""
        if self.resolution is None:
            return self._recoil_edges[0]
        return self.recoil(self.resolution.begin(self.edges[0]), self._smeared)

    def breakpoints(self) -> np.ndarray:
        """Recoil energies where the response jumps, and ends of the panels that resolve its steps."""
        if self.resolution is None:
            found = self._recoil_edges
        else:
            marks = self.resolution.marks(self.edges[np.isfinite(self.edges)])
            found = self.recoil(marks, self._smeared)
        found = np.append(found, self.recoil(self.efficiency.breakpoints(), self.efficiency.scale))
        found = np.append(found, getattr(self.quenching, "corners", ()))
        return found[(found > 0) & (found < np.inf)]

    def __call__(self, T: np.ndarray) -> np.ndarray:
        """Shares (b, n) for recoil energies ``T`` (n,)."""
        efficiency, resolution = self.efficiency, self.resolution
        if resolution is None:
            edges = self._recoil_edges[:, None]
            shares = (edges[:-1] <= T) & (edges[1:] > T)
        else:
            x = self.measured(T, self._smeared)
            if isinstance(resolution, Photoelectrons) and efficiency.scale == "n_PE":
                return resolution.shares(x, self.edges, efficiency)
            shares = resolution.shares(x, self.edges)
        return shares * efficiency(self.measured(T, efficiency.scale))
