"""Differential recoil rates and event counts, Eqs. (32)-(33)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from cevns_tmm.annotations import Curve, Events
from cevns_tmm.cross_section import E_min, T_max, em_coefficients, recoil_form_factor, sm_coefficients
from cevns_tmm.nuclei import stacked

if TYPE_CHECKING:
    from cevns_tmm.flux import FluxTable
    from cevns_tmm.nuclei import Isotope

PANEL_RATIO = 1.5
"""Quadrature panels span at most this ratio in recoil energy."""


@dataclass(frozen=True)
class RateTable:
    """Recoil spectra at the nodes of a quadrature in recoil energy.

    ``components`` (c names), ``isotopes`` (i names); ``T`` (n,) recoil energies and ``weight`` (n,) their
    quadrature weights (energy); ``response`` (b, i, n) the share of the recoils counted in each bin;
    ``sm`` and ``em`` (c, i, n) dN/dT of all recoils (1/energy), ``em`` for mu_nu = 1 mu_B.
    """

    components: tuple
    isotopes: tuple
    T: np.ndarray
    weight: np.ndarray
    response: np.ndarray
    sm: np.ndarray
    em: np.ndarray

    @property
    def acceptance(self) -> np.ndarray:
        """Share of the recoils counted in any bin, (i, n): the efficiency, 0 below the isotope's threshold."""
        return np.sum(self.response, axis=0)

    def joined(self, other: RateTable) -> RateTable:
        """The sum of two tables for the same components: the nodes and isotopes of both, each with its own rates."""

        def blocks(mine, theirs):
            n, k = mine.shape[-1], mine.shape[-2]
            wide = np.zeros((*mine.shape[:-2], k + theirs.shape[-2], n + theirs.shape[-1]))
            wide[..., :k, :n], wide[..., k:, n:] = mine, theirs
            return wide

        arrays = {
            name: blocks(getattr(self, name), getattr(other, name)) for name in ("response", "sm", "em")
        }
        T, weight = (np.append(getattr(self, name), getattr(other, name)) for name in ("T", "weight"))
        return RateTable(self.components, self.isotopes + other.isotopes, T, weight, **arrays)

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Accepted events (n_sm, n_em per mu_B²), each of shape (c,)."""
        accepted = self.acceptance * self.weight
        return tuple(np.einsum("cin,in->c", rate, accepted) for rate in (self.sm, self.em))

    def binned(self) -> tuple[np.ndarray, np.ndarray]:
        """Events in each bin (n_sm, n_em per mu_B²), each of shape (c, b)."""
        accepted = self.response * self.weight
        return tuple(np.einsum("cin,bin->cb", rate, accepted) for rate in (self.sm, self.em))


def shifted(tables: Sequence[RateTable]) -> Events:
    """Events in each bin of RateTables at several shifts: {component: (n_sm, n_em per mu_B²)}, each of shape (s, b)."""
    n_sm, n_em = np.moveaxis(np.array([table.binned() for table in tables]), 0, 2)
    return dict(zip(tables[0].components, zip(n_sm, n_em, strict=True), strict=True))


gauss_legendre = cache(np.polynomial.legendre.leggauss)
"""Nodes and weights on (-1, 1) of a Gauss-Legendre quadrature with a number of nodes."""


def quadrature(breakpoints: Any, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Composite Gauss-Legendre nodes and weights between increasing ``breakpoints`` (any unit).

    Panels span at most a ratio ``PANEL_RATIO``; a first breakpoint at 0 is allowed. Two arrays of
    the same length, empty if there are fewer than two breakpoints.
    """
    breaks = np.unique(np.asarray(breakpoints, float))
    ends = list(breaks[:1])
    for left, right in itertools.pairwise(breaks):
        if left == 0:
            left = right * 1e-3
            ends.append(left)
        panels = int(np.ceil(np.log(right / left) / np.log(PANEL_RATIO)))
        ends.extend([*(left * (right / left) ** (np.arange(1, panels) / panels)), right])
    edges = np.array(ends)
    x, w = gauss_legendre(nodes)
    centre, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    T = centre[:, None] + half[:, None] * x
    return T.ravel(), (half[:, None] * w).ravel()


def recoil_spectra(
    T: np.ndarray,
    nuclei: Sequence[tuple[Isotope, float]],
    fluence: Mapping[str, float],
    fluxes: Mapping[str, FluxTable],
    shape: Mapping[str, float] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """dN/dT of every flux component on every isotope at recoil energies ``T``, before acceptance.

    Arguments as in :func:`differential_rates`; ``T`` has shape (n,) (energy, > 0). Returns (sm, em), each
    of shape (component, isotope, n) (1/energy), ``em`` for mu_nu = 1 mu_B.
    """
    isotopes, number = stacked(isotope for isotope, _ in nuclei), np.array([[n] for _, n in nuclei])
    F, E = recoil_form_factor(T, isotopes, **(shape or {})), E_min(T, isotopes.mass)
    C_sm, C_em = sm_coefficients(T, isotopes, F), em_coefficients(T, isotopes, F)
    M = np.array([value * fluxes[component].above(E) for component, value in fluence.items()])
    return tuple(np.einsum("kin,ckin->cin", number * C, M) for C in (C_sm, C_em))


def differential_rates(
    nuclei: Sequence[tuple[Isotope, float]],
    thresholds: Sequence[float],
    efficiency: Curve | list[Curve],
    fluence: Mapping[str, float],
    fluxes: Mapping[str, FluxTable],
    nodes: int = 16,
    shape: Mapping[str, float] | None = None,
) -> RateTable:
    """Recoil spectra of every flux component on every isotope.

    Parameters
    ----------
    nuclei : list of (Isotope, number of nuclei)
    thresholds : recoil threshold of each isotope, same length (energy, >= 0)
    efficiency : callable of recoil energies (n,), with ``breakpoints()``, or one for each isotope; what it gives
        is of shape (n,) or, for each bin, (b, n)
    fluence : mapping component -> neutrinos per area over the whole exposure
    fluxes : mapping component -> FluxTable
    nodes : Gauss-Legendre nodes per panel
    shape : factors on the nuclear radius and diffuseness, arguments of ``form_factor``

    Returns
    -------
    RateTable; its T is empty if no isotope can recoil above threshold. ValueError for a
    negative threshold or fluence, a component without a flux table, or one that
    gives a negative rate.
    """
    if len(thresholds) != len(nuclei) or not all(t >= 0 for t in thresholds):
        raise ValueError("thresholds: must be one non-negative energy per isotope")
    for component, value in fluence.items():
        if component not in fluxes:
            raise ValueError(f"fluxes: no table for component {component!r}")
        if not value >= 0:
            raise ValueError(f"fluence: {component} {value!r} must not be negative")
    curves = efficiency if isinstance(efficiency, list) else [efficiency] * len(nuclei)
    ends = np.concatenate(
        [T_max(fluxes[c].breakpoints, isotope.mass) for isotope, _ in nuclei for c in fluence]
    )
    breaks = np.concatenate([ends, thresholds, *(curve.breakpoints() for curve in curves)])
    T, weight = quadrature(breaks[(breaks >= min(thresholds)) & (breaks <= max(ends))], nodes)
    sm, em = recoil_spectra(T, nuclei, fluence, fluxes, shape)
    shares = [
        np.where(threshold <= T, np.atleast_2d(curve(T)), 0.0)
        for threshold, curve in zip(thresholds, curves, strict=True)
    ]
    response = np.stack(shares, axis=1)
    for name, rate in (("Standard Model", sm), ("magnetic-moment", em)):
        # interpolation may undershoot zero by rounding at the end of a spectrum
        if not np.all(rate >= -1e-12 * np.max(np.abs(rate), initial=0.0)):
            raise ValueError(f"fluxes: a {name} rate is negative or not a number")
    names = tuple(isotope.name for isotope, _ in nuclei)
    return RateTable(tuple(fluence), names, T, weight, response, sm, em)
