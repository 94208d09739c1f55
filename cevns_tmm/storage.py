"""Files: HDF5 that describes itself, and text; each is written whole or not at all.

Every dataset has a unit, which the reader checks, and a description. Files are opened without HDF5's own
locks: they appear under their name only when they are complete.
"""

from __future__ import annotations

import csv
import glob
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from cevns_tmm import __version__
from cevns_tmm.annotations import Events, PathLike
from cevns_tmm.flux import ORDERS, FluxTable
from cevns_tmm.rates import RateTable, shifted
from cevns_tmm.units import MeV, keV

if TYPE_CHECKING:
    from cevns_tmm.toys import Coverage

FORMAT = 2


@dataclass(frozen=True)
class Data:
    """One dataset: ``values``, their ``unit`` ("1" for none), a ``description``, and the names of its ``axes``.

    An axis is a dataset of the same group; it becomes an HDF5 dimension scale.
    """

    values: object
    unit: str
    description: str
    axes: tuple = ()


@dataclass(frozen=True)
class Link:
    """A group that is the same as another one: ``target`` is its path in the file."""

    target: str


def sha256(path: PathLike) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


before_replacing = []
"""Functions that are called just before a file takes its place, and may raise an error instead."""


@contextmanager
def replacing(path: PathLike) -> Iterator[str]:
    """Name of a temporary file beside ``path`` that takes its place when the block ends well.

    What an earlier process left of such a file when it was killed is removed.
    """
    path = Path(path)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        left.unlink(missing_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        for check in before_replacing:
            check()
        os.replace(temporary, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write(
    path: PathLike, groups: Mapping[str, Any], description: str, made_from: Mapping[str, str] | None = None
) -> None:
    """Write ``groups`` to an HDF5 file, byte-identical for identical arguments.

    Parameters
    ----------
    path : the file; it appears whole or not at all
    groups : mapping group path -> mapping dataset name -> Data, or -> Link
    description : what the file holds
    made_from : mapping name -> text, what it was computed from; attributes of the file
    """
    with replacing(path) as temporary:
        with h5py.File(temporary, "w", libver=("v110", "v110"), locking=False) as file:
            file.attrs["description"] = description
            file.attrs["format"] = FORMAT
            file.attrs["cevns_tmm"] = __version__
            for name, text in (made_from or {}).items():
                file.attrs[name] = text
            for name, datasets in groups.items():
                if isinstance(datasets, Link):
                    parent, _, last = name.rpartition("/")  # a group that a link makes on its way has a date
                    file.require_group(parent or "/")[last] = file[datasets.target]
                else:
                    _write_group(file.require_group(name), datasets)
        _read_back(temporary, groups)


def _read_back(path, groups):
    """Fails unless every dataset can be read from the file as it was meant."""
    with h5py.File(path, "r", locking=False) as file:
        for name, datasets in groups.items():
            if isinstance(datasets, Link):
                continue
            for key, data in datasets.items():
                if not np.array_equal(_stored(data.values), file[name][key][()]):
                    raise OSError(f"{name}/{key} was not written as it is")


def _stored(values):
    """Values as a file holds them."""
    values = np.asarray(values)
    return np.char.encode(values, "utf-8") if values.dtype.kind == "U" else values


def _write_group(group, datasets):
    for name, data in datasets.items():
        if not (data.unit and data.description):
            raise ValueError(f"{name}: a dataset needs a unit and a description")
        values = _stored(data.values)
        if values.dtype.kind == "f" and np.any(np.isnan(values)):
            raise ValueError(f"{group.name}/{name}: has a value that is not a number")
        options = {"track_times": False}
        if values.ndim and values.size:
            options |= {"fletcher32": True, "shuffle": True, "compression": 4}
        dataset = group.create_dataset(name, data=values, **options)
        # units and long_name are the names that xarray labels axes with
        dataset.attrs["unit"] = dataset.attrs["units"] = data.unit
        dataset.attrs["description"] = dataset.attrs["long_name"] = data.description
    scales = dict.fromkeys(axis for data in datasets.values() for axis in data.axes)
    for axis in scales:
        group[axis].make_scale(axis)
    for name, data in datasets.items():
        for dimension, axis in enumerate(data.axes):
            group[name].dims[dimension].attach_scale(group[axis])


def read(path: PathLike, group: str, units: Mapping[str, str]) -> dict[str, Any]:
    """Datasets of one group, as {name: array}.

    ``units`` maps each dataset wanted to the unit it must have; ValueError naming the file if the file
    is not readable, the dataset is missing or has another unit. Text comes as str.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            if file.attrs.get("format") != FORMAT:
                raise ValueError(f"{path}: not a cevns-tmm file of format {FORMAT}")
            if group not in file:
                raise ValueError(f"{path}: no group {group!r}")
            return {name: _read(path, file[group], name, unit) for name, unit in units.items()}
    except OSError as error:
        raise ValueError(f"{path}: not a readable HDF5 file ({error})") from None


def _read(path, group, name, unit):
    if name not in group:
        raise ValueError(f"{path}: no dataset {group.name}/{name}")
    dataset = group[name]
    if dataset.attrs["unit"] != unit:
        raise ValueError(f"{path}: {group.name}/{name} is in {dataset.attrs['unit']!r}, {unit!r} expected")
    values = dataset[()]
    return np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values


def write_text(path: PathLike, text: str) -> None:
    """Write a text file as UTF-8."""
    with replacing(path) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")


def read_csv(path: PathLike, begin: str = "") -> list[dict[str, str]]:
    """Rows of a CSV file as dictionaries, those whose lines begin so; lines that begin with # are comments."""
    with open(path, encoding="utf-8", newline="") as file:
        names = next(csv.reader(line for line in file if not line.startswith("#")), [])
        rows = csv.reader(line for line in file if line.startswith(begin) and not line.startswith("#"))
        return [dict(zip(names, row, strict=True)) for row in rows]


def write_csv(path: PathLike, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a CSV file."""
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


# What is in a group: {dataset: (unit, description, axes)}
_FLUX = {
    "edge": ("MeV", "edges of the cells of the continuum"),
    "order": ("1", "order k of a moment"),
    "moment": ("MeV^-k", "M_k, integral of f(E) E^-k of the continuum above each edge", ("order", "edge")),
    "lower": ("MeV^-(1+k)", "f(E) E^-k at the lower edge of each cell"),
    "upper": ("MeV^-(1+k)", "f(E) E^-k at the upper edge of each cell"),
    "breakpoint": ("MeV", "energies where f or its slope jumps, lines included"),
    "line_energy": ("MeV", "energies of the lines"),
    "line_weight": ("1", "share of each line in the spectrum", ("line_energy",)),
}
_AXES, _UNIT = ("component", "isotope", "T"), "at unit effective moment"
_RATES = {
    "component": ("1", "flux components"),
    "isotope": ("1", "target isotopes"),
    "T": ("keV", "nuclear recoil energies, nodes of a quadrature"),
    "weight": ("keV", "weights of the quadrature", ("T",)),
    "acceptance": ("1", "efficiency, 0 below threshold", ("isotope", "T")),
    "dNdT_sm": ("1/keV", "Standard Model recoils over the exposure, all efficient", _AXES),
    "dNdT_em": ("1/keV/mu_B^2", f"magnetic-moment recoils over the exposure {_UNIT}, all efficient", _AXES),
}
_COUNTS = {
    "component": ("1", "flux components"),
    "n_sm": ("1", "Standard Model events", ("component",)),
    "n_em": ("1/mu_B^2", f"magnetic-moment events {_UNIT} of the component's flavour", ("component",)),
}
_BINS = ("component", "shift", "bin")
_PER_BIN = {
    "bin": ("1", "bins of what is measured, counted from 1"),
    "shift": ("1", "standard deviations by which the quenching is shifted"),
    "n_sm_per_bin": ("1", "Standard Model events in each bin", _BINS),
    "n_em_per_bin": (
        "1/mu_B^2",
        f"magnetic-moment events in each bin {_UNIT} of the component's flavour",
        _BINS,
    ),
}
_FREE = {
    "free_method": ("1", "how the limit treats the other moments"),
    "free_parameter": ("1", "the moment that is limited"),
    "free_limit": ("mu_B", "upper limit; infinite along a blind direction"),
}
_COVERAGE = {
    "truth": ("1", "what is uncertain in truth"),
    "n_em": ("1", "true magnetic-moment events"),
    "toys": ("1", "toys"),
    "interval": ("1", "toys with the truth within Delta chi-squared of the level"),
    "upper": ("1", "toys with the truth not above a finite upper limit"),
    "without_limit": ("1", "toys without a finite upper limit"),
    "critical_value": ("1", "quantile of Delta chi-squared of the truth at the confidence level"),
}
_EXPECTED = {
    "sigma": ("1", "standard deviations of a normal distribution"),
    "limit": ("1", "events, upper limits of Standard Model toys at these quantiles", ("sigma",)),
    "below_observed": ("1", "share of these toys with a limit not above the observed one"),
}
_BLOCK = _COVERAGE | _EXPECTED
_FOUND = tuple(_COVERAGE)[2:]


def _datasets(columns, values):
    pairs = zip(columns.items(), values, strict=True)
    return {name: Data(value, *column) for (name, column), value in pairs}


def _read_columns(path, group, columns):
    return read(path, group, {name: column[0] for name, column in columns.items()}).values()


def flux_datasets(table: FluxTable) -> dict[str, Data]:
    """A FluxTable as HDF5 datasets."""
    k = np.reshape(ORDERS, (3, 1))
    values = [table.edges / MeV, ORDERS, table.moments * MeV**k]
    values += [table.lower * MeV ** (1 + k), table.upper * MeV ** (1 + k)]
    values += [table.breakpoints / MeV, table.line_energy / MeV, table.line_weight]
    return _datasets(_FLUX, values)


def read_flux(path: PathLike, group: str) -> FluxTable:
    """The FluxTable in a group of an HDF5 file."""
    edge, order, moment, lower, upper, breaks, energy, weight = _read_columns(path, group, _FLUX)
    k = order.reshape(3, 1).astype(float)
    moments, ends = moment * MeV**-k, (lower * MeV ** -(1 + k), upper * MeV ** -(1 + k))
    return FluxTable(edge * MeV, moments, *ends, breaks * MeV, energy * MeV, weight)


def rate_datasets(rates: RateTable) -> dict[str, Data]:
    """A RateTable as HDF5 datasets."""
    values = [rates.components, rates.isotopes, rates.T / keV, rates.weight / keV]
    return _datasets(_RATES, [*values, rates.acceptance, rates.sm * keV, rates.em * keV])


def read_rates(path: PathLike, group: str) -> RateTable:
    """The RateTable in a group of an HDF5 file, all its bins as one."""
    components, isotopes, T, weight, acceptance, sm, em = _read_columns(path, group, _RATES)
    components, isotopes = tuple(map(str, components)), tuple(map(str, isotopes))
    T, weight, response = T * keV, weight * keV, acceptance[np.newaxis]
    return RateTable(components, isotopes, T, weight, response, sm / keV, em / keV)


def count_datasets(rates: RateTable, band: Sequence[RateTable] = ()) -> dict[str, Data]:
    """The counts of a RateTable as HDF5 datasets, those of each bin where there are several or a ``band``.

    ``band`` are the tables with the quenching one standard deviation lower and higher.
    """
    found = _datasets(_COUNTS, [rates.components, *rates.counts()])
    if (bins := len(rates.response)) > 1 or band:
        n_sm, n_em = zip(*shifted([rates, *band]).values(), strict=True)
        found |= _datasets(_PER_BIN, [np.arange(1, bins + 1), [0, -1, 1][: 1 + len(band)], n_sm, n_em])
    return found


def read_counts(path: PathLike, group: str) -> Events:
    """Counts in a group of an HDF5 file: {component: (Standard Model, magnetic-moment per mu_B²)}."""
    columns = _read_columns(path, group, _COUNTS)
    return {str(c): (float(n), float(m)) for c, n, m in zip(*columns, strict=True)}


def read_events(path: PathLike, group: str, binned: bool) -> Events:
    """Counts in a group of an HDF5 file as an Analysis with ``binned`` takes them, in bins unless that is None.

    {component: (n_sm, n_em per mu_B²)}, each of shape (shift, bin) where there are several bins or shifts.
    """
    with h5py.File(path, "r", locking=False) as file:
        is_single = "bin" not in file[group]
    if binned is None or is_single:
        return read_counts(path, group)
    component, _, _, n_sm, n_em = _read_columns(path, group, {"component": _COUNTS["component"]} | _PER_BIN)
    return dict(zip(map(str, component), zip(n_sm, n_em, strict=True), strict=True))


def free_limits(rows: Iterable[tuple[str, str, float]]) -> dict[str, Data]:
    """Limits with other moments free, or in the flavour basis, as HDF5 datasets.

    ``rows`` are (method, parameter, limit [mu_B]).
    """
    return _datasets(_FREE, zip(*rows, strict=True))


def read_free_limits(path: PathLike, group: str) -> Iterable[tuple[str, str, float]]:
    """Rows that :func:`free_limits` was given."""
    return zip(*_read_columns(path, group, _FREE), strict=True)


def read_map(path: PathLike) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """A map of limits: thresholds (t,) [keV], exposures (e,) [kg d], {parameter: limits (t, e) [mu_B]}."""
    axes = {"threshold": "keV", "exposure": "kg d"}
    with h5py.File(path, "r", locking=False) as file:
        parameters = [name for name in file["map"] if name not in axes]
    found = read(path, "map", axes | dict.fromkeys(parameters, "mu_B"))
    return found.pop("threshold"), found.pop("exposure"), found


def coverage_datasets(
    rows: Iterable[tuple[str, float, Coverage]],
    sigmas: Sequence[float],
    quantiles: np.ndarray,
    below_observed: float,
) -> dict[str, Data]:
    """Coverage at several truths, and expected limits (events), as HDF5 datasets.

    ``rows`` are (truth, true events, Coverage).
    """
    columns = [[*names, *(getattr(found, name) for name in _FOUND)] for *names, found in rows]
    expected = _datasets(_EXPECTED, [sigmas, quantiles, below_observed])
    return _datasets(_COVERAGE, zip(*columns, strict=True)) | expected


def read_coverage(paths: Iterable[PathLike], group: str) -> dict[str, Any]:
    """What :func:`coverage_datasets` wrote to some files, one per block of toys: {dataset: values} of all.

    Numbers of toys add up; quantiles are the mean of those of the blocks.
    """
    blocks = [dict(zip(_BLOCK, _read_columns(path, group, _BLOCK), strict=True)) for path in paths]
    means = "critical_value", "limit", "below_observed"
    merge = dict.fromkeys(_FOUND[:-1], np.sum) | dict.fromkeys(means, np.mean)
    merged = {name: how([block[name] for block in blocks], axis=0) for name, how in merge.items()}
    return blocks[0] | merged
