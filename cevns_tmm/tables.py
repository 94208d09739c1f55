"""Tables of numbers as CSV files: read strictly, with errors that name file, line and column."""

import csv
import hashlib
import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cevns_tmm.annotations import PathLike
from cevns_tmm.errors import ConfigError


def number(low: float = -math.inf, strict: bool = False, high: float = math.inf) -> Callable:
    """A check of one cell: a finite number of at least ``low``, or greater if ``strict``, and at most ``high``."""
    words = "a finite number"
    if low > -math.inf:
        words += f" greater than {low:g}" if strict else f" of at least {low:g}"
    if high < math.inf:
        words += f" and at most {high:g}"

    def check(text):
        try:
            value = float(text) if "_" not in text else math.nan
        except ValueError:
            raise ValueError(words) from None
        if not (math.isfinite(value) and low <= value <= high) or (strict and value == low):
            raise ValueError(words)
        return value

    return check


def name(text: str) -> str:
    """A check of one cell: a name of letters, digits and hyphens."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,30}", text):
        raise ValueError("a name of letters, digits and hyphens")
    return text


def one_of(*allowed: str) -> Callable:
    """A check of one cell: one of some words."""

    def check(text):
        if text not in allowed:
            raise ValueError("one of " + ", ".join(allowed))
        return text

    return check


def _cells(path, line_number, line):
    """Values of a line; no quotes, so that a line of the file is always a row."""
    if '"' in line:
        raise ConfigError(f"{path}: line {line_number}: quotes are not allowed")
    try:
        return [cell.strip() for cell in next(csv.reader([line]), [])]
    except csv.Error as error:
        raise ConfigError(f"{path}: line {line_number}: not valid CSV: {error}") from None


def read(path: PathLike, *forms: Mapping[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """Rows of a CSV file, [(line, {column: value})]; lines that begin with # are comments.

    Each of the ``forms`` that the file may have maps its columns to functions of their text that return the
    value, or raise ValueError saying what is allowed. ConfigError naming file, line, column, value and what is
    allowed.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = [(n, line) for n, line in enumerate(file, 1) if not line.startswith("#")]
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text ({error})") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    found = _cells(path, *lines[0]) if lines else []
    columns = next((form for form in forms if list(form) == found), None)
    if columns is None:
        raise ConfigError(f"{path}: columns {','.join(found)!r} must be {' or '.join(map(','.join, forms))}")
    rows = []
    for line_number, line in lines[1:]:
        cells = _cells(path, line_number, line)
        if len(cells) != len(columns):
            raise ConfigError(f"{path}: line {line_number}: {line.strip()!r} must have {len(columns)} values")
        row = {}
        for (column, check), text in zip(columns.items(), cells, strict=True):
            try:
                row[column] = check(text)
            except ValueError as error:
                raise ConfigError(f"{path}: line {line_number}: {column}: {text!r} must be {error}") from None
        rows.append((line_number, row))
    return rows


def rising(path: PathLike, column: str, rows: Iterable[tuple[int, Mapping[str, Any]]], of: str = "") -> None:
    """ConfigError unless a column of ``rows``, as :func:`read` gives them, increases strictly."""
    for (_, before), (line, row) in itertools.pairwise(rows):
        if row[column] <= before[column]:
            raise ConfigError(
                f"{path}: line {line}: {column}: {row[column]:g} must be greater than {before[column]:g}, "
                f"the one before{of}"
            )


def width(path: PathLike) -> int:
    """Number of columns of a CSV file; 0 for one that is not readable."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return next((len(line.split(",")) for line in file if not line.startswith("#")), 0)
    except (OSError, UnicodeDecodeError):
        return 0


def columns(*forms: Mapping[str, Any], is_curve: bool = False) -> Callable:
    """A reader of files of some forms: path -> {column: [value, ...]}; of a curve, the first rises strictly."""

    def reader(path):
        rows = read(path, *forms)
        if not rows:
            raise ConfigError(f"{path}: must not be empty")
        if is_curve:
            rising(path, next(iter(rows[0][1])), rows)
        return {column: [row[column] for _, row in rows] for column in rows[0][1]}

    return reader


curve = partial(columns, is_curve=True)
"""A reader of curves."""


def identified(path: PathLike, name: str, reader: Callable) -> dict[str, Any]:
    """What ``reader`` finds in a file, with the ``name`` of the file and its SHA-256."""
    found = reader(path)
    return {"file": name, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest()} | found


def grouped(path: PathLike, columns: Any, keys: Sequence[str]) -> dict[Any, Any]:
    """Rows of a CSV file by the values of the columns ``keys``: {key: [(line, row), ...]}; not empty."""
    groups = {}
    for line_number, row in read(path, columns):
        groups.setdefault(tuple(row[key] for key in keys), []).append((line_number, row))
    if not groups:
        raise ConfigError(f"{path}: must not be empty")
    return groups


def unique(path: PathLike, columns: Any, keys: Sequence[str]) -> dict[Any, Any]:
    """Rows of a CSV file by the values of ``keys``, each of which occurs once: {key: row}."""
    found = {}
    for key, rows in grouped(path, columns, keys).items():
        if len(rows) > 1:
            raise ConfigError(f"{path}: line {rows[1][0]}: duplicate row of {' '.join(key)}")
        found[key] = rows[0][1]
    return found
