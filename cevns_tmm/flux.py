"""Neutrino spectra and their cumulative moments (sections 4.1 and 4.2, Eq. 28).

The cross sections are sums of E^0, E^-1, E^-2, so a recoil spectrum needs of a normalised spectrum f(E)
only M_k(E_min) = integral of f(E) E^-k above E_min for k = 0, 1, 2. A :class:`FluxTable` holds them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval

from cevns_tmm import tables
from cevns_tmm.annotations import Numbers
from cevns_tmm.constants import m_mu, m_pi
from cevns_tmm.units import MeV

ORDERS = (0, 1, 2)

E_SPLIT = 2 * MeV
"""Energy below which reactor spectra are tables and above which they are expansions (section 4.1)."""

KINDS = ("pion-decay-at-rest", "reactor", "table")
"""Kinds of sources."""

COMPONENTS = ("numu", "numubar", "nue", "nuebar")
"""Components of a flux."""

_BEAMS: dict[str, dict[str, tuple[str, ...]]] = {
    "pion-decay-at-rest": {
        "prompt": ("numu",),
        "delayed": ("nue", "numubar"),
        "full": ("numu", "nue", "numubar"),
    },
    "reactor": {"reactor": ("nuebar",)},
}

ENDS = {"pion-decay-at-rest": 60 * MeV, "reactor": 20 * MeV}
"""Energy above which a table has neutrinos that those sources have not; the last bin may pass the end of the spectrum."""

_VALUE = tables.number(0, high=1e30)
_ENERGIES = (("E_MeV",), ("E_low_MeV", "E_high_MeV"))
read_spectrum = tables.curve(
    *(
        dict.fromkeys(energies, tables.number(0, high=1e4)) | {column: _VALUE}
        for energies in _ENERGIES
        for column in ("per_MeV", "per_MeV_cm2_s")
    )
)
"""Files of the spectrum of one component: its shape, or its flux at the detector; at energies, or in bins."""

_LINE, _STRENGTH = tables.number(1e-9, high=1e4), tables.number(0, True, 1e30)
read_lines = tables.curve(*({"E_MeV": _LINE, column: _STRENGTH} for column in ("share", "per_cm2_s")))
"""Files of monochromatic lines: their shares, or their fluxes at the detector."""


def beams(kind: str, components: Iterable[str] = ()) -> Mapping[str, tuple[str, ...]]:
    """Beams of a kind of source: {beam: components whose magnetic-moment events count as signal}.

    ``components`` are those of a source of kind "table", which has one beam of all.
    """
    return _BEAMS.get(kind) or {"full": tuple(components)}


@dataclass(frozen=True)
class FluxTable:
    """Tabulated moments of one normalised spectrum: a continuum and monochromatic lines.

    ``edges`` (n+1,) are energies; ``moments`` (3, n+1) the M_k of the continuum there; ``lower`` and
    ``upper`` (3, n) the values of f(E) E^-k at the lower and upper end of each cell, so that jumps of f
    are kept. ``breakpoints`` are the energies where f or its slope jumps, lines included. ``line_energy``
    and ``line_weight`` (l,) are the lines. ``total`` is the integral before it was normalised.
    """

    edges: np.ndarray
    moments: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    breakpoints: np.ndarray
    line_energy: np.ndarray
    line_weight: np.ndarray
    total: float = 1.0

    def __post_init__(self) -> None:
        cells = max(len(self.edges) - 1, 0)
        if np.any(np.diff(self.edges) <= 0):
            raise ValueError("edges: must increase strictly")
        shapes = {"moments": len(self.edges), "lower": cells, "upper": cells}
        for name, columns in shapes.items():
            if np.shape(getattr(self, name)) != (len(ORDERS), columns):
                raise ValueError(f"{name}: shape must be {(len(ORDERS), columns)}")
        if np.shape(self.line_energy) != np.shape(self.line_weight):
            raise ValueError("line_weight: shape must be that of line_energy")

    def moment(self, k: int, E_min: Numbers) -> np.ndarray:
        """M_k above ``E_min``, shape of ``E_min`` (energy^-k); ValueError unless k is 0, 1 or 2."""
        if k not in ORDERS:
            raise ValueError(f"k: {k!r} must be 0, 1 or 2")
        return self.above(E_min)[k]

    def above(self, E_min: Numbers) -> np.ndarray:
        """M_0, M_1, M_2 above ``E_min``, shape (3,) + E_min.shape: cubic Hermite between the tabulated edges.

        M_k has the unit energy^-k. Spectra end at the last edge; below the first there is nothing to add.
        """
        E = np.asarray(E_min, float)
        total = np.zeros((len(ORDERS), *E.shape))
        for energy, weight in zip(self.line_energy, self.line_weight, strict=True):
            total += np.multiply.outer([weight * energy**-k for k in ORDERS], energy >= E)
        if len(self.edges) == 0:
            return total
        cell = np.searchsorted(self.edges[1:-1], E, side="right")
        h = self.edges[1:][cell] - E.clip(self.edges[0], self.edges[-1])
        a, b, c, d = self._cubics.take(cell, axis=-1)
        return total + (a + h * (b + h * (c + h * d)))

    @cached_property
    def _cubics(self):
        """Coefficients (4, 3, n) of the cubic in the energy below the upper edge of each cell, rising powers.

        It has the moments at both edges, and the spectrum as slope there.
        """
        width = np.diff(self.edges)
        mean = -np.diff(self.moments) / width
        bend = 3 * mean - 2 * self.upper - self.lower, self.upper + self.lower - 2 * mean
        return np.array([self.moments[:, 1:], self.upper, bend[0] / width, bend[1] / width**2])


def tabulate(
    pieces: Sequence[Any] = (), lines: Sequence[tuple[float, float]] = (), cells: int = 4000
) -> FluxTable:
    """Moments of a spectrum, normalised to 1, as a :class:`FluxTable`.

    Parameters
    ----------
    pieces : sequence of (breakpoints, density): ``density(E, k)`` is f(E) E^-k on
        ``breakpoints[0] <= E <= breakpoints[-1]``, smooth between neighbouring breakpoints (energies);
        pieces adjoin
    lines : sequence of (energy, weight)
    cells : about how many cells the table is to have

    ValueError for a spectrum that is empty, negative or not finite, or for pieces with gaps.
    """
    if not cells >= 1:
        raise ValueError(f"cells: {cells!r} must be at least 1")
    rows = []
    for breaks, density in pieces:
        breaks = np.asarray(breaks, float)
        if len(breaks) < 2 or np.any(np.diff(breaks) <= 0) or breaks[0] < 0:
            raise ValueError("pieces: breakpoints must be at least two, increasing and not negative")
        rows.append((breaks, density))
    for (before, _), (after, _) in itertools.pairwise(rows):
        if before[-1] != after[0]:
            raise ValueError("pieces: each must begin where the one before ends")
    if any(not (E > 0 and weight > 0) for E, weight in lines):
        raise ValueError("lines: energies and weights must be positive")

    all_edges, lower, upper, integrals = [], [], [], []
    x, w = np.polynomial.legendre.leggauss(8)
    for breaks, density in rows:
        span = (rows[0][0][0], rows[-1][0][-1])
        edges = _refine(breaks, span, cells)
        left, right = edges[:-1], edges[1:]
        centre, half = (left + right) / 2, (right - left) / 2
        nodes = centre + np.multiply.outer(x, half)
        for k in ORDERS:
            values = density(nodes, k)
            if not np.all(np.isfinite(values) & (values >= 0)):
                raise ValueError("pieces: the spectrum must be finite and not negative")
        integrals.append([half * (w @ density(nodes, k)) for k in ORDERS])
        lower.append([density(left, k) for k in ORDERS])
        upper.append([density(right, k) for k in ORDERS])
        all_edges.append(edges if not all_edges else edges[1:])

    def join(parts):
        return np.concatenate(parts, axis=-1) if parts else np.zeros((len(ORDERS), 0))

    cell_integrals = join([np.asarray(part) for part in integrals])
    edges = np.concatenate(all_edges) if all_edges else np.zeros(0)
    moments = np.zeros((len(ORDERS), len(edges)))
    if len(edges):
        moments[:, :-1] = np.cumsum(cell_integrals[:, ::-1], axis=1)[:, ::-1]
    line_energy, line_weight = (np.array([line[i] for line in lines], float) for i in (0, 1))
    norm = line_weight.sum() + (moments[0, 0] if len(edges) else 0.0)
    if not norm > 0:
        raise ValueError("pieces: the spectrum is empty")
    return FluxTable(
        edges=edges,
        moments=moments / norm,
        lower=join([np.asarray(part) for part in lower]) / norm,
        upper=join([np.asarray(part) for part in upper]) / norm,
        breakpoints=np.unique(np.concatenate([breaks for breaks, _ in rows] + [line_energy])),
        line_energy=line_energy,
        line_weight=line_weight / norm,
        total=float(norm),
    )


def _refine(breaks, span, cells):
    """Breakpoints with cells between them, none wider than the span/cells or 10 E/cells."""
    edges = [breaks[:1]]
    widest = (span[1] - span[0]) / cells
    for left, right in itertools.pairwise(breaks):
        parts = int(np.ceil((right - left) / widest))
        if left > 0:
            parts = max(parts, int(np.ceil(np.log(right / left) * cells / 10)))
            edges.append(np.geomspace(left, right, parts + 1)[1:])
        else:
            edges.append(np.linspace(left, right, parts + 1)[1:])
        edges[-1][-1] = right
    return np.concatenate(edges)


def pion_line_energy() -> float:
    """Energy (m_pi² - m_mu²) / 2 m_pi of the prompt muon neutrino.

    >>> round(pion_line_energy() / MeV, 2)
    29.79
    """
    return (m_pi**2 - m_mu**2) / (2 * m_pi)


# Eq. (28) as {power of E: coefficient in units of m_mu^-(power+1)}
_MICHEL = {"numubar": {2: 64 * 3 / 4, 3: -64}, "nue": {2: 192 * 1 / 2, 3: -192}}


def pion_decay_at_rest(component: str, cells: int = 4000) -> FluxTable:
    """Flux table of one component of stopped-pion decay, Eq. (28).

    ``component`` is "numu" (prompt line), "nue" or "numubar" (delayed, E <= m_mu/2); else ValueError.
    """
    if component == "numu":
        return tabulate(lines=[(pion_line_energy(), 1.0)])
    if component not in _MICHEL:
        raise ValueError(f"component: {component!r} must be numu, nue or numubar")
    terms = _MICHEL[component]

    def density(E, k):
        x = E / m_mu
        value = sum(c * x ** (p - k) for p, c in terms.items()) * m_mu ** -(1 + k)
        return np.maximum(value, 0.0)  # rounding at the end point, where nue vanishes

    return tabulate([(np.array([0.0, m_mu / 2]), density)], cells=cells)


def linear(E: np.ndarray, values: np.ndarray, start: float = 0.0, end: float = np.inf) -> tuple:
    """A piece of a spectrum, as of :func:`tabulate`: ``values`` at the energies ``E`` (n,), linear between them.

    Only from ``start`` to ``end``, both within the energies if they are finite and not 0.
    """
    breaks = np.unique(np.clip(E, start, end))
    return breaks, lambda energy, k: np.interp(energy, E, values) / energy**k


def columns(table: Any) -> tuple[np.ndarray, np.ndarray]:
    """Energies [MeV] and values of a table of a file, each of shape (n,): of bins those at both edges of each."""
    values = next(values for name, values in table.items() if name.startswith(("per_", "share")))
    if "E_low_MeV" in table:
        return np.ravel([table["E_low_MeV"], table["E_high_MeV"]], order="F"), np.repeat(values, 2)
    return np.array(table["E_MeV"], float), np.array(values, float)


def is_absolute(table: Any) -> bool:
    """Whether a table of a file is a flux, not a shape."""
    return "per_MeV_cm2_s" in table or "per_cm2_s" in table


def tabulated(
    spectrum: Mapping[str, Any] | None = None, lines: Mapping[str, Any] | None = None, cells: int = 4000
) -> FluxTable:
    """Flux table of the columns of files, :data:`read_spectrum` and :data:`read_lines`; ``total`` is in their unit."""
    pieces, rows = [], []
    if spectrum is not None:
        E, values = columns(spectrum)
        if E[0] < 1e-6 * E[1]:  # E^-2 diverges there
            E[0], values[0] = 1e-6 * E[1], np.interp(1e-6 * E[1], E, values)
        jumps = np.flatnonzero(np.diff(E) == 0) + 1
        parts = zip(np.split(E * MeV, jumps), np.split(values / MeV, jumps), strict=True)
        pieces = [linear(*part) for part in parts]
    if lines is not None:
        E, values = columns(lines)
        rows = list(zip(E * MeV, values, strict=True))
    return tabulate(pieces, rows, cells)


def reactor(
    low: Any,
    fission_fractions: Mapping[str, float],
    coefficients: Any,
    E_split: float,
    E_max: float,
    cells: int = 4000,
) -> FluxTable:
    """Flux table of reactor antineutrinos (section 4.1), normalised to 1.

    Below ``E_split`` a tabulated spectrum, linear between its points and zero below the first; above
    it Sum over isotopes of fraction * exp(Sum_p a_p E^(p-1)), E in MeV, or another table, up to ``E_max``.

    Parameters
    ----------
    low : (E, rho), each shape (n,): energies and neutrinos per MeV and fission
    fission_fractions : mapping isotope -> fraction of fissions; they sum to 1
    coefficients : mapping isotope -> sequence a_1, a_2, ..., or a table (E, rho) as ``low``
    E_split, E_max : energies

    ValueError for tables that are unsorted, negative or end below ``E_split``, for fractions
    that are negative or do not sum to 1, and for isotopes without coefficients.
    """
    E_low, rho = (np.asarray(x, float) for x in low)
    if E_low.shape != rho.shape or E_low.ndim != 1 or np.any(np.diff(E_low) <= 0):
        raise ValueError("low: energies must increase strictly, one value each")
    if not (np.all(np.isfinite(rho)) and np.all(rho >= 0)):
        raise ValueError("low: values must be finite and not negative")
    if not E_low[0] < E_split <= E_low[-1]:
        raise ValueError(f"E_split: {E_split / MeV:g} MeV must lie inside the low-energy table")
    if not E_max > E_split:
        raise ValueError(f"E_max: {E_max / MeV:g} MeV must exceed E_split")
    if any(x < 0 for x in fission_fractions.values()) or (abs(sum(fission_fractions.values()) - 1) > 1e-9):
        raise ValueError("fission_fractions: must be positive and sum to 1")
    below = linear(E_low, rho, end=E_split)
    if not isinstance(coefficients, Mapping):
        return tabulate([below, linear(coefficients[0], coefficients[1], E_split, E_max)], cells=cells)
    missing = sorted(set(fission_fractions) - set(coefficients))
    if missing:
        raise ValueError(f"coefficients: none for {', '.join(missing)}")

    def above(E, k):
        each = (
            x * np.exp(polyval(E / MeV, coefficients[isotope])) for isotope, x in fission_fractions.items()
        )
        return sum(each) / E**k

    return tabulate([below, (np.array([E_split, E_max]), above)], cells=cells)
