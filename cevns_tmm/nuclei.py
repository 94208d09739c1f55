"""Isotopes and detector materials: masses and abundances from :mod:`periodictable`."""

from dataclasses import dataclass
from functools import cache

import periodictable

from cevns_tmm.constants import atoms_per_mass, m_e, m_u


@dataclass(frozen=True)
class Isotope:
    """One nuclide. ``mass`` is the nuclear mass (energy), ``atomic_mass_u`` the atomic one in u."""

    symbol: str
    Z: int
    A: int
    atomic_mass_u: float

    @property
    def N(self):
        """Neutron number."""
        return self.A - self.Z

    @property
    def mass(self):
        """Nuclear mass: atomic mass less Z electrons, their binding neglected (energy)."""
        return self.atomic_mass_u * m_u - self.Z * m_e

    @property
    def delta_Z(self):
        """Z+ - Z- of Eq. (21): 1 for an unpaired proton, else 0 (extreme single-particle model)."""
        return self.Z % 2

    @property
    def delta_N(self):
        """N+ - N- of Eq. (21): 1 for an unpaired neutron, else 0 (extreme single-particle model)."""
        return self.N % 2

    @property
    def name(self):
        """Symbol and mass number, e.g. ``Ge72``."""
        return f"{self.symbol}{self.A}"


def element(symbol):
    """The element of that chemical symbol; ValueError if there is none or it has no abundances.

    >>> element("Cs").number
    55
    """
    try:
        found = periodictable.elements.symbol(symbol)
    except (ValueError, TypeError):
        found = None
    # D and T are symbols of isotopes there
    is_element = isinstance(found, periodictable.core.Element)
    if not is_element or not any(found[A].abundance for A in found.isotopes):
        raise ValueError(f"symbol: {symbol!r} is not a chemical element with natural isotopes")
    return found


def isotope(name):
    """The isotope called, e.g., ``Ge72``; ValueError for an unknown one.

    >>> isotope("Ge72").N
    40
    """
    symbol = str(name).rstrip("0123456789")
    digits = str(name)[len(symbol) :]
    found = element(symbol)
    if not digits or int(digits) not in found.isotopes:
        raise ValueError(f"name: {name!r} is not a known isotope")
    A = int(digits)
    return Isotope(symbol, found.number, A, found[A].mass)


@cache
def natural_isotopes(symbol):
    """The natural isotopes of an element with their mole fractions: ``((Isotope, fraction), ...)``.

    >>> [(i.name, round(x, 3)) for i, x in natural_isotopes("I")]
    [('I127', 1.0)]
    """
    found = element(symbol)
    present = [(isotope(f"{symbol}{A}"), found[A].abundance) for A in found.isotopes]
    total = sum(x for _, x in present)
    return tuple((i, x / total) for i, x in present if x > 0)


def target_nuclei(composition, mass, fractions="mole"):
    """Numbers of target nuclei per isotope, Eq. (32).

    Parameters
    ----------
    composition : mapping of element symbol to its share, moles or mass as ``fractions`` says
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
    isotopes = {symbol: natural_isotopes(symbol) for symbol in composition}
    atomic_weight = {symbol: sum(x * i.atomic_mass_u for i, x in isotopes[symbol]) for symbol in composition}
    if fractions == "mole":
        moles = dict(composition)
    else:
        moles = {symbol: x / atomic_weight[symbol] for symbol, x in composition.items()}
    formula_weight = sum(n * atomic_weight[symbol] for symbol, n in moles.items())
    per_mole = mass * atoms_per_mass / formula_weight
    return [(i, n * x * per_mole) for symbol, n in moles.items() for i, x in isotopes[symbol]]
