"""Self-describing HDF5 files: written whole or not at all, every dataset with unit and description."""

import glob
import hashlib
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from cevns_tmm import __version__

FORMAT = 1


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


def sha256(path):
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@contextmanager
def replacing(path):
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
        os.replace(temporary, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write(path, groups, description, inputs=None):
    """Write ``groups`` to an HDF5 file, byte-identical for identical arguments.

    Parameters
    ----------
    path : the file; it appears whole or not at all
    groups : mapping group path -> mapping dataset name -> Data, or -> Link
    description : what the file holds
    inputs : mapping name -> hash of what it was computed from
    """
    with replacing(path) as temporary:
        with h5py.File(temporary, "w", libver=("v110", "v110")) as file:
            file.attrs["description"] = description
            file.attrs["format"] = FORMAT
            file.attrs["cevns_tmm"] = __version__
            for name, module in (("numpy", np), ("h5py", h5py)):
                file.attrs[name] = module.__version__
            for name, value in (inputs or {}).items():
                file.attrs[f"input {name}"] = value
            for name, datasets in groups.items():
                if isinstance(datasets, Link):
                    file[name] = file[datasets.target]
                else:
                    _write_group(file.require_group(name), datasets)
        _read_back(temporary, groups)


def _read_back(path, groups):
    """Fails unless every dataset can be read from the file as it was meant."""
    with h5py.File(path, "r") as file:
        for name, datasets in groups.items():
            if isinstance(datasets, Link):
                continue
            for key, data in datasets.items():
                if not np.array_equal(_stored(data.values), file[name][key][()]):
                    raise OSError(f"{name}/{key} was not written as it is")


def _stored(values):
    """Values as they stand in a file."""
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
        dataset.attrs["unit"] = data.unit
        dataset.attrs["description"] = data.description
    scales = dict.fromkeys(axis for data in datasets.values() for axis in data.axes)
    for axis in scales:
        group[axis].make_scale(axis)
    for name, data in datasets.items():
        for dimension, axis in enumerate(data.axes):
            group[name].dims[dimension].attach_scale(group[axis])


def read(path, group, units):
    """Datasets of one group, as {name: array}.

    ``units`` maps each dataset wanted to the unit it must have; ValueError naming the file if the file
    is not readable, the dataset is missing or has another unit. Text comes as str.
    """
    try:
        with h5py.File(path, "r") as file:
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
        raise ValueError(
            f"{path}: {group.name}/{name} is in {dataset.attrs['unit']!r}, {unit!r} expected"
        )
    values = dataset[()]
    return np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values
