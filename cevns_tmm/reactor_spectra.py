"""Spectra of reactor antineutrinos: published ones, from the CSV files in data/ (section 4.1), and one's own."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cevns_tmm import tables
from cevns_tmm.annotations import PathLike
from cevns_tmm.errors import ConfigError
from cevns_tmm.flux import E_SPLIT
from cevns_tmm.units import MeV

DATA = Path(__file__).parent / "data"
BELOW = DATA / "reactor_spectra_below_2MeV.csv"
"""Tables: neutrinos per MeV and fission, of one isotope or of the reactor as a whole ("all")."""

ABOVE = DATA / "reactor_spectra_above_2MeV.csv"
"""Expansions: coefficients a_1 to a_6 of exp(Sum_p a_p E^(p-1)), E in MeV, of one isotope."""

ENERGY = DATA / "energy_per_fission.csv"
"""Thermal energy per fission in MeV."""

ISOTOPES = ("U235", "U238", "Pu239", "Pu241")
"""Fissile isotopes of a reactor."""

POWER_REACTOR = {"U235": 0.564, "U238": 0.076, "Pu239": 0.304, "Pu241": 0.056}
"""Mean fission fractions of power reactors (Daya Bay, arXiv:2210.01068)."""

_BURNUP = 0.2  # how far those of one core are from the mean within its cycle

_TABLE = {
    "spectrum": tables.name,
    "isotope": tables.one_of("all", *ISOTOPES),
    "E_MeV": tables.number(1e-9, high=1e4),
    "per_MeV_per_fission": tables.number(0, high=1e30),
}
_EXPANSION = {"spectrum": tables.name, "isotope": tables.one_of(*ISOTOPES)}
_EXPANSION |= {f"a{p}": tables.number(-1e3, high=1e3) for p in range(1, 7)}


def _read_tables(path, fits, words):
    """Tables of a file, as of :func:`below`, whose energies ``fits`` accepts."""
    found = {}
    for (spectrum, isotope), rows in tables.grouped(path, _TABLE, ["spectrum", "isotope"]).items():
        where = f"{path}: {spectrum} {isotope}"
        tables.rising(path, "E_MeV", rows, f" of {spectrum} {isotope}")
        E = [row["E_MeV"] for _, row in rows]
        if not fits(E):
            raise ConfigError(f"{where}: energies must {words}")
        others = found.setdefault(spectrum, {})
        if any(list(energies) != E for energies, _ in others.values()):
            raise ConfigError(f"{where}: must have the energies of its other isotopes")
        if ("all" in others) != (isotope == "all") and others:
            raise ConfigError(f"{where}: must be all, or single isotopes only")
        others[isotope] = np.array(E), np.array([row["per_MeV_per_fission"] for _, row in rows])
    return found


@cache
def below(path: PathLike = BELOW) -> dict[str, Any]:
    """Tables below 2 MeV: {spectrum: {isotope: (E [MeV], neutrinos per MeV and fission)}}.

    ConfigError unless the energies of a spectrum increase, are those of all its isotopes, and reach 2 MeV.
    """
    split = E_SPLIT / MeV
    words = f"begin below and end at {split:g} MeV or above"
    return _read_tables(path, lambda E: E[0] < split <= E[-1], words)


@cache
def above(path: PathLike = ABOVE) -> dict[str, Any]:
    """Expansions above 2 MeV: {spectrum: {isotope: (a_1, ..., a_6)}}; ConfigError for a duplicate row."""
    found = {}
    for (spectrum, isotope), row in tables.unique(path, _EXPANSION, ["spectrum", "isotope"]).items():
        found.setdefault(spectrum, {})[isotope] = tuple(row[f"a{p}"] for p in range(1, 7))
    return found


def read_below(path: PathLike) -> dict[str, Any]:
    """A spectrum of one's own below 2 MeV: {"name": its name, "isotopes": {isotope: [E, rho]}}, as lists."""
    return _only(path, below.__wrapped__(path))


def read_above(path: PathLike) -> dict[str, Any]:
    """A spectrum of one's own above 2 MeV, of expansions or of tables; as :func:`read_below`."""
    if tables.width(path) > len(_TABLE):
        return _only(path, above.__wrapped__(path))
    split = E_SPLIT / MeV
    words = f"begin at {split:g} MeV or below and end above"
    return _only(path, _read_tables(path, lambda E: E[0] <= split < E[-1], words))


def _only(path, spectra):
    """The spectrum of a file that has one."""
    if len(spectra) > 1:
        raise ConfigError(f"{path}: spectra {', '.join(spectra)} must be a single one")
    ((name, spectrum),) = spectra.items()
    return {"name": name, "isotopes": {i: np.array(values).tolist() for i, values in spectrum.items()}}


@cache
def energy_per_fission(path: PathLike = ENERGY) -> dict[str, dict[str, float]]:
    """Thermal energies: {values: {isotope: MeV per fission}}."""
    columns = {
        "values": tables.name,
        "isotope": tables.one_of(*ISOTOPES),
        "MeV": tables.number(0, strict=True),
    }
    found = {}
    for (values, isotope), row in tables.unique(path, columns, ["values", "isotope"]).items():
        found.setdefault(values, {})[isotope] = row["MeV"]
    return found


def needed(spectra: Any, name: Any, fission_fractions: Mapping[str, float]) -> dict[str, Any]:
    """One of ``spectra`` for a reactor, or one's own in place of the name.

    ValueError for an unknown name, a burnt isotope that it lacks, or the spectrum of a whole power reactor for
    another one.
    """
    if isinstance(name, Mapping):
        spectrum, name = name["isotopes"], name["name"]
    elif name in spectra:
        spectrum = spectra[name]
        far = [i for i, x in POWER_REACTOR.items() if abs(fission_fractions.get(i, 0.0) - x) > _BURNUP]
        if "all" in spectrum and far:
            whole = ", ".join(f"{i} {x:g}" for i, x in POWER_REACTOR.items())
            single = [other for other in spectra if "all" not in spectra[other]]
            remedy = f"take one of single isotopes, {', '.join(single)}, or a table of your own"
            raise ValueError(
                f"{name!r} is of a whole power reactor ({whole}), not of these fractions; {remedy}"
            )
    else:
        raise ValueError(f"{name!r} must be one of {', '.join(spectra)}, or a file such as own.csv")
    lacking = [i for i, x in fission_fractions.items() if x > 0 and i not in spectrum]
    if lacking and "all" not in spectrum:
        raise ValueError(f"{name!r} has no {', '.join(lacking)}, which the fission fractions need")
    return spectrum


def summed(spectrum: Any, fission_fractions: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Spectrum of a reactor from tables: (E [MeV], neutrinos per MeV and fission), each shape (n,)."""
    shares = {i: 1.0 if i == "all" else fission_fractions.get(i, 0.0) for i in spectrum}
    E = np.asarray(next(iter(spectrum.values()))[0])
    return E, np.sum([shares[i] * np.asarray(rho) for i, (_, rho) in spectrum.items()], axis=0)


def low_energy(name: Any, fission_fractions: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Spectrum below 2 MeV of a reactor, as of :func:`summed`."""
    return summed(needed(below(), name, fission_fractions), fission_fractions)


def is_expansion(spectrum: Any) -> bool:
    """Whether a spectrum above 2 MeV is of expansions."""
    return all(np.ndim(values) == 1 for values in spectrum.values())
