"""Mutated configuration and data files: refused in one line, or right."""

import copy
import dataclasses
import math
import re
import shutil
import warnings

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from cevns_tmm import ConfigError, Study, reactor_spectra
from cevns_tmm.config import FILES, PAPER
from pipeline import published, reference

pytestmark = pytest.mark.long

many = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)

TEXTS = {name: (PAPER / f"{name}.yaml").read_text(encoding="utf-8") for name in FILES}

VALUES = [
    *(None, True, "", "x", "1.0", "2.4e13", [], {}, [1.0], {"x": 1}, -1, 0, 1, -0.0, 0.5, 1e-300),
    *(1e300, -1e300, 10**400, -(10**400), math.nan, math.inf, -math.inf, 2**63, "Λ", "\u2028"),
    *("a\nb", "CsI\n", "../x", "/etc/passwd", "$(touch pwned)", "; touch pwned", "`id`", "{x}"),
    *("%s", "\x00", "\U0001f600" * 100, "x" * 10_000, b"\xff", "<<", "!!python/name:os.system"),
]


def nodes(data, path=()):
    """Paths of everything below a mapping or list."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in pairs:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from nodes(value, (*path, key))


@st.composite
def mutated(draw):
    """A configuration file changed in one to three places: (name, text)."""
    name = draw(st.sampled_from(FILES))
    if draw(st.integers(0, 2)) == 0:
        return name, draw(edited(TEXTS[name]))
    data = yaml.safe_load(TEXTS[name])
    for _ in range(draw(st.integers(1, 3))):
        if not data:
            break
        *path, key = draw(st.sampled_from(list(nodes(data))))
        parent = data
        for step in path:
            parent = parent[step]
        kind = draw(st.sampled_from(["value", "number", "delete", "rename", "add", "copy"]))
        if kind == "value":
            parent[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        elif kind == "number":
            parent[key] = draw(st.floats(width=64) | st.integers(-(10**6), 10**6))
        elif kind == "delete":
            del parent[key]
        elif isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        elif kind == "rename":
            end = draw(st.sampled_from(["s", "_", " ", "\n", "é", "/.."]))
            parent[f"{key}{end}"] = parent.pop(key)
        elif kind == "add":
            other = draw(st.sampled_from([1, "extra", "../x", "a b", "Λ", None, True]))
            parent[other] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        else:
            parent[f"{key}2"] = copy.deepcopy(parent[key])
    return name, yaml.safe_dump(data, sort_keys=False, allow_unicode=draw(st.booleans()))


@st.composite
def edited(draw, text):
    """A text changed in one place."""
    lines = text.splitlines(keepends=True)
    n = draw(st.integers(0, len(lines) - 1))
    kind = draw(st.sampled_from(["repeat", "delete", "cut", "tab", "anchor", "insert", "swap"]))
    if kind == "repeat":
        lines.insert(n, lines[n])
    elif kind == "delete":
        del lines[n]
    elif kind == "cut":
        return text[: draw(st.integers(0, len(text)))]
    elif kind == "tab":
        lines[n] = "\t" + lines[n]
    elif kind == "anchor":
        lines[n] = lines[n].replace(": ", ": &a ", 1) + draw(st.sampled_from(["", "z: *a\n"]))
    elif kind == "swap":
        m = draw(st.integers(0, len(lines) - 1))
        lines[n], lines[m] = lines[m], lines[n]
    else:
        words = st.sampled_from(["{", "]", "'", "? ", "- ", "!!set ", "---\n"])
        at = draw(st.integers(0, len(text)))
        return text[:at] + draw(st.text(max_size=5) | words) + text[at:]
    return "".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mutations")


def check_message(error, *files):
    """A line of a length that can be read, which begins with a file."""
    message = str(error)
    assert len(message.splitlines()) == 1, message
    assert len(message) < 1000
    assert re.match("|".join(f"{re.escape(str(file))}: ." for file in files), message), message


@pytest.mark.no_cover
@settings(many, max_examples=600)
@given(mutated(), st.integers(0, 2**16))
def test_mutated_configuration_is_refused_in_one_line_or_right(folder, case, choice):
    name, text = case
    path = folder / f"{name}.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            study = Study.read(folder)
        _ = study.audit
    except ConfigError as error:
        event("refused")
        check_message(error, path, *(PAPER / f"{other}.yaml" for other in FILES))
        return
    finally:
        path.unlink()
    event("accepted")
    for names in (study.experiments, study.sources, study.solar, study.readings):
        assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", one) for one in names)
    chosen = study.experiments[choice % len(study.experiments)]
    for setup in study.setups(chosen):
        for reading in study.readings:
            experiment = study.experiment(chosen, setup, reading)
            experiment = dataclasses.replace(experiment, flux_cells=200, recoil_nodes=8)
            with np.errstate(all="ignore"):
                counts = experiment.counts().values()
                limits = [experiment.limits(beam).values() for beam in experiment.beams]
            assert all(n_sm >= 0 and n_em >= 0 for n_sm, n_em in counts)
            assert all(limit > 0 for found in limits for limit in found)


SPECTRA = {"below": reactor_spectra.BELOW, "above": reactor_spectra.ABOVE}
REFERENCE = [reference.FOLDER / name for name in ("limits.csv", "claims.csv", reference.SUMS)]
CELLS = ["", "nan", "inf", "-1", "0", "1e999", "x", "Λ", "1,2", '"', "../x", "all", "U235", "\x00"]


@st.composite
def mutated_data(draw):
    """A data file changed in one place: (file, text)."""
    file = draw(st.sampled_from([*SPECTRA.values(), published.TABLE, *REFERENCE]))
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    first = next(n for n, line in enumerate(lines) if not line.startswith("#"))
    n = draw(st.integers(first, len(lines) - 1))
    kind = draw(st.sampled_from(["cell", "repeat", "delete", "swap", "cut", "comment"]))
    if kind == "cell":
        cells = lines[n].rstrip("\n").split(",")
        cells[draw(st.integers(0, len(cells) - 1))] = draw(st.sampled_from(CELLS))
        lines[n] = ",".join(cells) + "\n"
    elif kind == "repeat":
        lines.insert(draw(st.integers(first, len(lines))), lines[n])
    elif kind == "delete":
        del lines[n]
    elif kind == "swap":
        m = draw(st.integers(first, len(lines) - 1))
        lines[n], lines[m] = lines[m], lines[n]
    elif kind == "comment":
        lines[n] = "#" + lines[n]
    else:
        text = "".join(lines)
        return file, text[: draw(st.integers(0, len(text)))]
    return file, "".join(lines)


def use(file, path):
    """Do with the mutated copy ``path`` of a file what is done with the file."""
    if file == published.TABLE:
        assert all(float(text) > 0 for text in published.table2(path).values())
        return
    if file in REFERENCE:
        reference.check_sums(path.parent)
        return
    (part,) = (part for part, original in SPECTRA.items() if original == file)
    spectra = getattr(reactor_spectra, part).__wrapped__(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reactor_spectra, part, lambda: spectra)
        audit = Study.paper().audit
        for reading in audit.readings[:1] + [name for name in audit.readings if "vogel" in name]:
            table = audit.source("reactor", reading).flux_tables(cells=50)["nuebar"]
            assert table.moment(0, 0.0) == pytest.approx(1, rel=1e-9)
            assert np.all(np.diff(table.moments[0]) <= 0)


@pytest.mark.no_cover
@settings(many, max_examples=500)
@given(mutated_data())
def test_mutated_data_are_refused_in_one_line_or_right(folder, case):
    file, text = case
    copied = folder / file.parent.name
    shutil.copytree(file.parent, copied, dirs_exist_ok=True)
    path = copied / file.name
    path.write_text(text, encoding="utf-8")
    try:
        use(file, path)
    except ConfigError as error:
        event("refused")
        # a spectrum that is missing is named by what needs it, a file of the reference by its folder
        needing = [PAPER / "config.yaml", PAPER / "audit.yaml"]
        listed = [f"reference/{other.name}" for other in reference.FOLDER.iterdir()]
        check_message(error, path, *needing, *listed)
    else:
        event("accepted")
