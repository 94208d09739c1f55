"""Published spectra of reactor antineutrinos, from the CSV files in data/ (section 4.1)."""

from functools import cache
from pathlib import Path

import numpy as np

from cevns_tmm import tables
from cevns_tmm.errors import ConfigError
from cevns_tmm.flux import E_SPLIT
from cevns_tmm.units import MeV

DATA = Path(__file__).parent / "data"
BELOW = DATA / "reactor_spectra_below_2MeV.csv"
"""Tables: neutrinos per MeV and fission, of one isotope or of the reactor as a whole ("all")."""

ABOVE = DATA / "reactor_spectra_above_2MeV.csv"
"""Expansions: coefficients a_1 to a_6 of exp(Sum_p a_p E^(p-1)), E in MeV, of one isotope."""

ISOTOPES = ("U235", "U238", "Pu239", "Pu241")
"""Fissile isotopes of a reactor."""


@cache
def below(path=BELOW):
    """Tables below 2 MeV: {spectrum: {isotope: (E [MeV], neutrinos per MeV and fission)}}.

    ConfigError unless the energies of a spectrum increase, are those of all its isotopes, and reach 2 MeV.
    """
    columns = {
        "spectrum": tables.name,
        "isotope": tables.one_of("all", *ISOTOPES),
        "E_MeV": tables.number(0, strict=True),
        "per_MeV_per_fission": tables.number(0),
    }
    found, split = {}, E_SPLIT / MeV
    for (spectrum, isotope), rows in tables.grouped(path, columns, ["spectrum", "isotope"]).items():
        where = f"{path}: {spectrum} {isotope}"
        E = [row["E_MeV"] for _, row in rows]
        for (line, row), before in zip(rows[1:], E, strict=False):
            if row["E_MeV"] <= before:
                raise ConfigError(
                    f"{path}: line {line}: E_MeV: {row['E_MeV']:g} must be greater than {before:g}, "
                    f"the one before of {spectrum} {isotope}"
                )
        if not E[0] < split <= E[-1]:
            raise ConfigError(f"{where}: energies must begin below and end at {split:g} MeV or above")
        others = found.setdefault(spectrum, {})
        if any(list(energies) != E for energies, _ in others.values()):
            raise ConfigError(f"{where}: must have the energies of its other isotopes")
        if ("all" in others) != (isotope == "all") and others:
            raise ConfigError(f"{where}: must be all, or single isotopes only")
        others[isotope] = np.array(E), np.array([row["per_MeV_per_fission"] for _, row in rows])
    return found


@cache
def above(path=ABOVE):
    """Expansions above 2 MeV: {spectrum: {isotope: (a_1, ..., a_6)}}; ConfigError for a duplicate row."""
    columns = {"spectrum": tables.name, "isotope": tables.one_of(*ISOTOPES)}
    columns |= {f"a{p}": tables.number() for p in range(1, 7)}
    found = {}
    for (spectrum, isotope), row in tables.unique(path, columns, ["spectrum", "isotope"]).items():
        found.setdefault(spectrum, {})[isotope] = tuple(row[f"a{p}"] for p in range(1, 7))
    return found


def needed(spectra, name, fission_fractions):
    """One of ``spectra`` for a reactor; ValueError for an unknown name or a burnt isotope that it lacks."""
    if name not in spectra:
        raise ValueError(f"{name!r} must be one of {', '.join(spectra)}")
    lacking = [i for i, x in fission_fractions.items() if x > 0 and i not in spectra[name]]
    if lacking and "all" not in spectra[name]:
        raise ValueError(f"{name!r} has no {', '.join(lacking)}, which the fission fractions need")
    return spectra[name]


def low_energy(name, fission_fractions):
    """Spectrum below 2 MeV of a reactor: (E [MeV], neutrinos per MeV and fission), each shape (n,)."""
    spectrum = needed(below(), name, fission_fractions)
    shares = {i: 1.0 if i == "all" else fission_fractions.get(i, 0.0) for i in spectrum}
    E = next(iter(spectrum.values()))[0]
    return E, sum(shares[i] * rho for i, (_, rho) in spectrum.items())
