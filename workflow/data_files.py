"""Checks of the data files in resources/, before any job starts."""

import csv
import math
import re
from pathlib import Path

from cevns_tmm.flux import E_SPLIT
from cevns_tmm.io import sha256
from cevns_tmm.units import MeV
from workflow.study import ConfigError

BELOW = "resources/reactor_spectra_below_2MeV.csv"
ABOVE = "resources/reactor_spectra_above_2MeV.csv"
PUBLISHED = "resources/published_table2.csv"
REFERENCE = Path("resources/reference")
SUMS = REFERENCE / "SHA256SUMS"
NAME = r"[A-Za-z][A-Za-z0-9-]{0,30}"
ISOTOPES = ("U235", "U238", "Pu239", "Pu241")


def _number(low=-math.inf, strict=False):
    words = "a finite number"
    if low > -math.inf:
        words += f" greater than {low:g}" if strict else f" of at least {low:g}"

    def check(text):
        try:
            value = float(text)
        except (TypeError, ValueError):
            raise ValueError(words) from None
        if not math.isfinite(value) or value < low or (strict and value == low):
            raise ValueError(words)
        return value

    return check


def _one_of(*allowed):
    def check(text):
        if text not in allowed:
            raise ValueError("one of " + ", ".join(allowed))
        return text

    return check


def _name(text):
    if not re.fullmatch(NAME, text):
        raise ValueError(NAME)
    return text


def _cells(path, number, line):
    """Values of a line; no quotes, so that a line of the file is always a row."""
    if '"' in line:
        raise ConfigError(f"{path}: line {number}: quotes are not allowed")
    try:
        return next(csv.reader([line]), [])
    except csv.Error as error:
        raise ConfigError(f"{path}: line {number}: not valid CSV: {error}") from None


def read(path, columns):
    """Rows of a CSV file, [(line, {column: value})]; lines that begin with # are comments.

    ``columns`` maps each column to a function of its text that returns the value, or raises ValueError
    saying what is allowed. ConfigError naming file, line, column, value and what is allowed.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            lines = [(n, line) for n, line in enumerate(file, 1) if not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as UTF-8 text ({error})") from None
    found = _cells(path, *lines[0]) if lines else []
    if found != list(columns):
        raise ConfigError(f"{path}: columns {','.join(found)!r} must be {','.join(columns)}")
    rows = []
    for number, line in lines[1:]:
        cells = _cells(path, number, line)
        if len(cells) != len(columns):
            raise ConfigError(
                f"{path}: line {number}: {line.strip()!r} must have {len(columns)} values"
            )
        row = {}
        for (column, check), text in zip(columns.items(), cells, strict=True):
            try:
                row[column] = check(text)
            except ValueError as error:
                raise ConfigError(
                    f"{path}: line {number}: {column}: {text!r} must be {error}"
                ) from None
        rows.append((number, row))
    return rows


def _groups(path, rows, keys, names):
    """Rows by their ``keys``; ConfigError if one of ``names``, values of the first key, has none."""
    groups = {}
    for number, row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append((number, row))
    for name in names:
        if not any(key[0] == name for key in groups):
            raise ConfigError(f"{path}: {keys[0]}: {name!r} is missing")
    return groups


def _same_isotopes(path, groups, names, allowed):
    for name in names:
        found = {isotope for spectrum, isotope in groups if spectrum == name}
        if found not in allowed:
            expected = " or ".join(", ".join(sorted(one)) for one in allowed)
            raise ConfigError(
                f"{path}: {name}: isotopes {', '.join(sorted(found))} must be {expected}"
            )


def check_below(path, names, E_split):
    """Tabulated spectra: energies [MeV] that increase and reach over ``E_split``, the same for all isotopes."""
    columns = {
        "spectrum": _one_of(*names),
        "isotope": _one_of("all", *ISOTOPES),
        "E_MeV": _number(0, strict=True),
        "per_MeV_per_fission": _number(0),
    }
    groups = _groups(path, read(path, columns), ["spectrum", "isotope"], names)
    _same_isotopes(path, groups, names, [{"all"}, set(ISOTOPES)])
    energies = {}
    for (spectrum, isotope), rows in groups.items():
        last = 0.0
        for number, row in rows:
            if row["E_MeV"] <= last:
                raise ConfigError(
                    f"{path}: line {number}: E_MeV: {row['E_MeV']:g} must be greater than {last:g}, "
                    f"the one before of {spectrum} {isotope}"
                )
            last = row["E_MeV"]
        if not rows[0][1]["E_MeV"] < E_split <= last:
            raise ConfigError(
                f"{path}: {spectrum} {isotope}: energies must begin below and end at {E_split:g} MeV or above"
            )
        found = [row["E_MeV"] for _, row in rows]
        if energies.setdefault(spectrum, found) != found:
            raise ConfigError(
                f"{path}: {spectrum} {isotope}: must have the energies of its other isotopes"
            )


def check_above(path, names):
    """Expansions of spectra: one row of coefficients for each isotope."""
    columns = {"spectrum": _one_of(*names), "isotope": _one_of(*ISOTOPES)}
    columns |= {f"a{p}": _number() for p in range(1, 7)}
    groups = _groups(path, read(path, columns), ["spectrum", "isotope"], names)
    _same_isotopes(path, groups, names, [set(ISOTOPES)])
    _unique(path, groups)


def check_published(path):
    """The published table: one row of positive limits for each experiment, setup and component."""
    columns = dict.fromkeys(("experiment", "setup", "component"), _name)
    columns |= {f"Lambda{i}": _number(0, strict=True) for i in (1, 2, 3)}
    groups = _groups(path, read(path, columns), ["experiment", "setup", "component"], [])
    if not groups:
        raise ConfigError(f"{path}: must not be empty")
    _unique(path, groups)


def _unique(path, groups):
    for key, rows in groups.items():
        if len(rows) > 1:
            raise ConfigError(f"{path}: line {rows[1][0]}: {' '.join(key)} stands twice")


def check_reference():
    """The reference results are those that SHA256SUMS lists, as `make reference` wrote them."""
    try:
        listed = dict(
            line.split("  ")[::-1] for line in SUMS.read_text(encoding="utf-8").split("\n")[:-1]
        )
        found = {path.name: sha256(path) for path in REFERENCE.glob("*.csv")}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{SUMS}: not readable ({error})") from None
    for name in sorted(listed.keys() | found.keys()):
        if listed.get(name) != found.get(name):
            raise ConfigError(
                f"{REFERENCE / name}: must be as {SUMS.name} beside it says; only make reference changes it"
            )


def check(schema):
    """Check every data file; ``schema``, that of config.yaml, knows which spectra there are."""
    names = {key: schema["$defs"][f"spectrum_{key}_2MeV"]["enum"] for key in ("below", "above")}
    check_below(BELOW, names["below"], E_SPLIT / MeV)
    check_above(ABOVE, names["above"])
    check_published(PUBLISHED)
    check_reference()
