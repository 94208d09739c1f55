"""Isotopes and detector materials: masses and abundances from :mod:`periodictable`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from cevns_tmm.annotations import Numbers
from cevns_tmm.constants import atoms_per_mass, m_e, m_u

if TYPE_CHECKING:
    import periodictable


@dataclass(frozen=True)
class Isotope:
    """One nuclide. ``mass`` is the nuclear mass (energy), ``atomic_mass_u`` the atomic one in u.

    Several at once, as of :func:`stacked`, have arrays in place of numbers.
    """

    symbol: str
    Z: int
    A: int
    atomic_mass_u: float

    @property
    def N(self) -> int:
        """Neutron number."""
        return self.A - self.Z

    @property
    def mass(self) -> float:
        """Nuclear mass: atomic mass less Z electrons, their binding neglected (energy)."""
        return self.atomic_mass_u * m_u - self.Z * m_e

    @property
    def delta_Z(self) -> int:
        """Z+ - Z- of Eq. (21): 1 for an unpaired proton, else 0 (extreme single-particle model)."""
        return self.Z % 2

    @property
    def delta_N(self) -> int:
        """N+ - N- of Eq. (21): 1 for an unpaired neutron, else 0 (extreme single-particle model)."""
        return self.N % 2

    @property
    def name(self) -> str:
        """Symbol and mass number, e.g. ``Ge72``."""
        return f"{self.symbol}{self.A}"


def stacked(isotopes: Iterable[Isotope]) -> Isotope:
    """Isotopes as one :class:`Isotope` whose numbers are columns, shape (isotope, 1), for formulas of recoil energies.

    >>> stacked([isotope("Cs133"), isotope("I127")]).N.tolist()
    [[78], [74]]
    """
    rows = [(i.symbol, i.Z, i.A, i.atomic_mass_u) for i in isotopes]
    columns: Any = (np.array(column)[:, np.newaxis] for column in zip(*rows, strict=True))
    return Isotope(*columns)


def element(symbol: str) -> periodictable.core.Element:
    """The element of that chemical symbol; ValueError if there is none.

    >>> element("Cs").number
    55
    """
    import periodictable  # where nuclei are asked for: most jobs need none

    try:
        found = periodictable.elements.symbol(symbol)
    except (ValueError, TypeError):
        found = None
    if not isinstance(found, periodictable.core.Element):  # D and T are isotopes there
        raise ValueError(f"symbol: {symbol!r} is not a chemical element, or an isotope such as Ge76 or D")
    return found


def isotope(name: str) -> Isotope:
    """The isotope called, e.g., ``Ge72``; ``D`` is that of hydrogen. ValueError for an unknown one.

    >>> isotope("Ge72").N
    40
    """
    text = {"D": "H2"}.get(name, str(name))
    symbol = text.rstrip("0123456789")
    digits = text[len(symbol) :]
    if symbol == "D" or not digits or int(digits) not in element(symbol).isotopes:
        remedy = "numbers of atoms are shares, as in {D: 2, O: 1}"
        raise ValueError(f"name: {name!r} is not a known isotope; {remedy}")
    found, A = element(symbol), int(digits)
    return Isotope(symbol, found.number, A, found[A].mass)


@cache
def natural_isotopes(name: str) -> tuple[tuple[Isotope, float], ...]:
    """The isotopes of a part of a target with their mole fractions: ``((Isotope, fraction), ...)``.

    ``name`` is an element, taken as it is in nature, an isotope such as ``Ge76``, or ``D``. ValueError for
    anything else, and for an element whose natural isotopes the library does not know.

    >>> [(i.name, round(x, 3)) for i, x in natural_isotopes("I")]
    [('I127', 1.0)]
    >>> [(i.name, x) for i, x in natural_isotopes("D")]
    [('H2', 1.0)]
    """
    if name == "D" or name[-1:].isdigit():
        return ((isotope(name), 1.0),)
    found = element(name)
    present = [(isotope(f"{name}{A}"), found[A].abundance) for A in found.isotopes]
    total = sum(x for _, x in present)
    if not total > 0:
        remedy = "name isotopes and their shares, as in {U235: 0.007, U238: 0.993}"
        raise ValueError(f"symbol: {name!r} has no natural abundances in periodictable; {remedy}")
    return tuple((i, x / total) for i, x in present if x > 0)


def part_of(values: Any, isotope: Isotope) -> Any:
    """The value for an isotope: ``values`` itself, or that of the part of a target that it belongs to."""
    if not isinstance(values, Mapping):
        return values
    names = isotope.name, "D" if isotope.name == "H2" else "", isotope.symbol
    found = [values[name] for name in names if name in values]
    if not found:
        raise ValueError(f"{dict(values)!r} must have a value for {isotope.symbol}")
    return found[0]


def target_nuclei(
    composition: Mapping[str, float], mass: Numbers, fractions: str = "mole"
) -> list[tuple[Isotope, Any]]:
    """Numbers of target nuclei per isotope, Eq. (32).

    Parameters
    ----------
    composition : mapping of elements and isotopes, as of :func:`natural_isotopes`, to their shares, moles or mass
        as ``fractions`` says
    mass : detector mass (mass)
    fractions : ``"mole"`` (stoichiometry) or ``"mass"``

    Returns
    -------
    list of (Isotope, number of nuclei); ValueError for an empty or negative composition.

    >>> n = dict((i.name, n) for i, n in target_nuclei({"Cs": 1, "I": 1}, 1.0))
    >>> bool(n["Cs133"] == n["I127"])
    True
    """
    if not composition or any(not x > 0 for x in composition.values()):
        raise ValueError(f"composition: {composition!r} must name elements with positive shares")
    if not mass > 0:
        raise ValueError(f"mass: {mass!r} must be positive")
    if fractions not in ("mole", "mass"):
        raise ValueError(f"fractions: {fractions!r} must be 'mole' or 'mass'")
    atomic_weight = {
        part: sum(x * i.atomic_mass_u for i, x in natural_isotopes(part)) for part in composition
    }
    if fractions == "mole":
        moles = dict(composition)
    else:
        moles = {part: x / atomic_weight[part] for part, x in composition.items()}
    formula_weight = sum(n * atomic_weight[part] for part, n in moles.items())
    per_mole = mass * atoms_per_mass / formula_weight
    return [(i, n * x * per_mole) for part, n in moles.items() for i, x in natural_isotopes(part)]
