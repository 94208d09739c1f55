"""HDF5 files: round trip, units, scales, whole or not at all, same bytes."""

import time

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray

from cevns_tmm import storage

DATA = {
    "name": storage.Data(["Λ", "b"], "1", "labels"),
    "x": storage.Data(np.arange(3.0), "keV", "an axis"),
    "y": storage.Data(np.ones((2, 3)), "1/keV", "values", ("name", "x")),
    "level": storage.Data(2.7, "1", "a number"),
    "none": storage.Data(np.zeros(0), "keV", "nothing"),
}
UNITS = {"name": "1", "x": "keV", "y": "1/keV", "level": "1", "none": "keV"}


def written(path, **changes):
    links = {"a/c": storage.Link("a/b"), "d/e": storage.Link("a/b")}
    storage.write(path, {"a/b": DATA | changes} | links, "a test", {"parameters": "00"})
    return path


def test_round_trip(tmp_path):
    path = written(tmp_path / "x.h5")
    for group in ("a/b", "a/c", "d/e"):
        data = storage.read(path, group, UNITS)
        assert list(data["name"]) == ["Λ", "b"]
        assert data["level"] == 2.7
        for name in ("x", "y", "none"):
            np.testing.assert_array_equal(data[name], DATA[name].values)


def test_files_describe_themselves(tmp_path):
    with h5py.File(written(tmp_path / "x.h5")) as file:
        assert file.attrs["description"] == "a test"
        assert file.attrs["parameters"] == "00"
        assert {"cevns_tmm", "format"} <= set(file.attrs)
        for name, dataset in file["a/b"].items():
            assert dataset.attrs["unit"] == dataset.attrs["units"] == UNITS[name]
            assert dataset.attrs["description"] == dataset.attrs["long_name"] == DATA[name].description
        assert file["a/b/y"].dims[1][0] == file["a/b/x"]
        assert file["a/b/x"].is_scale
        assert file["a/c"] == file["a/b"]


def test_xarray_labels_axes(tmp_path):
    path = written(tmp_path / "x.h5")
    with xarray.open_dataset(path, engine="h5netcdf", group="a/b", phony_dims="sort") as data:
        assert data["y"].dims == ("name", "x")
        assert list(data["name"].str.decode("utf-8")) == ["Λ", "b"]
        (line,) = data["y"][0].plot()
        np.testing.assert_array_equal(line.get_xdata(), DATA["x"].values)
        assert (line.axes.get_xlabel(), line.axes.get_ylabel()) == ("an axis [keV]", "values [1/keV]")
        plt.close()


def test_same_bytes(tmp_path):
    one = written(tmp_path / "one.h5")
    time.sleep(1.1)  # HDF5's dates are in seconds
    two = written(tmp_path / "two.h5")
    assert one.read_bytes() == two.read_bytes()


def test_wrong_unit_or_name_is_refused(tmp_path):
    path = written(tmp_path / "x.h5")
    with pytest.raises(ValueError, match=r"x\.h5.*'keV'.*'MeV' expected"):
        storage.read(path, "a/b", {"x": "MeV"})
    with pytest.raises(ValueError, match=r"x\.h5.*/a/b/z"):
        storage.read(path, "a/b", {"z": "1"})
    with pytest.raises(ValueError, match=r"x\.h5.*'q'"):
        storage.read(path, "q", {})


def test_foreign_and_broken_files_are_named(tmp_path):
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as file:
        file["x"] = 1
    broken = written(tmp_path / "broken.h5")
    broken.write_bytes(broken.read_bytes()[:100])
    for path in (foreign, broken, tmp_path / "missing.h5"):
        with pytest.raises(ValueError, match=path.name):
            storage.read(path, "a/b", {})


def test_an_older_format_is_named(tmp_path):
    path = written(tmp_path / "one.h5")
    with h5py.File(path, "r") as file:
        group = next(iter(file))
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = storage.FORMAT - 1
    with pytest.raises(ValueError, match=r"one\.h5: not a cevns-tmm file of format"):
        storage.read(path, group, {})


def test_flipped_data_are_detected(tmp_path):
    path = written(tmp_path / "x.h5", x=storage.Data(np.arange(5000.0) ** 2, "keV", "an axis"))
    with h5py.File(path) as file:
        offset = file["a/b/x"].id.get_chunk_info(0).byte_offset
    raw = bytearray(path.read_bytes())
    raw[offset + 40] ^= 4
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=r"x\.h5"):
        storage.read(path, "a/b", {"x": "keV"})


def test_a_failed_write_leaves_nothing(tmp_path):
    path = tmp_path / "x.h5"
    with pytest.raises(ValueError, match="unit"):
        written(path, bad=storage.Data(1.0, "", ""))
    assert list(tmp_path.iterdir()) == []
    written(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="unit"):
        written(path, bad=storage.Data(1.0, "", ""))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.h5"]


def test_a_table_whose_rows_fail_leaves_nothing(tmp_path):
    path = tmp_path / "x.csv"

    def rows(last):
        yield from ([i, f"µ{i}"] for i in range(10000))
        yield [1 / last, ""]

    with pytest.raises(ZeroDivisionError):
        storage.write_csv(path, ["number", "name"], rows(0))
    assert list(tmp_path.iterdir()) == []
    storage.write_csv(path, ["number", "name"], rows(2))
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        storage.write_csv(path, ["number", "name"], rows(0))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]
    assert [len(storage.read_csv(path)), storage.read_csv(path)[3]] == [10001, {"number": "3", "name": "µ3"}]


def test_what_a_killed_process_left_is_removed(tmp_path):
    (tmp_path / ".x.h5.abc.tmp").write_bytes(b"half")
    (tmp_path / ".xx.h5.abc.tmp").write_bytes(b"another's")
    written(tmp_path / "x.h5")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".xx.h5.abc.tmp", "x.h5"]


def test_a_file_that_does_not_hold_its_data_is_refused(tmp_path, monkeypatch):
    create = h5py.Group.create_dataset

    def lossy(group, name, data, **options):
        return create(group, name, data=np.zeros_like(data) if name == "y" else data, **options)

    monkeypatch.setattr(h5py.Group, "create_dataset", lossy)
    with pytest.raises(OSError, match="a/b/y was not written as it is"):
        written(tmp_path / "x.h5")
    assert list(tmp_path.iterdir()) == []


def test_not_a_number_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a/b/x: has a value that is not a number"):
        written(tmp_path / "x.h5", x=storage.Data([1.0, np.nan, 2.0], "keV", "an axis"))
    written(tmp_path / "x.h5", x=storage.Data([1.0, 2.0, np.inf], "keV", "an axis"))


def test_hash(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert storage.sha256(tmp_path / "x").startswith("ba7816bf")
