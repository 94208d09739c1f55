"""Mutated configuration and data files: refused in one line before any job, or right."""

import contextlib
import copy
import math
import re
import shutil

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from cevns_tmm import experiment
from cevns_tmm.flux import COMPONENTS, E_SPLIT, pion_decay_at_rest
from cevns_tmm.rates import differential_rates
from cevns_tmm.units import MeV
from scripts.tabulate_flux import reactor
from tests.checkout import ROOT
from workflow import resources
from workflow.study import CONFIG_FILES, ConfigError, Study, load_files

TEXTS = {name: (ROOT / f"config/{name}.yaml").read_text(encoding="utf-8") for name in CONFIG_FILES}
SCHEMAS = ROOT / "workflow/schemas"

VALUES = [
    *(None, True, "", "x", "1.0", "2.4e13", [], {}, [1.0], {"x": 1}, -1, 0, 1, -0.0, 0.5, 1e-300),
    *(1e300, -1e300, 10**400, -(10**400), math.nan, math.inf, -math.inf, 2**63, "Λ", "\u2028"),
    *(
        "a\nb",
        "CsI\n",
        "../x",
        "/etc/passwd",
        "$(touch pwned)",
        "; touch pwned",
        "`id`",
        "{x}",
        "%s",
    ),
    *("\x00", "\U0001f600" * 100, "x" * 10_000, b"\xff", "<<", "!!python/name:os.system"),
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
    name = draw(st.sampled_from(CONFIG_FILES))
    if draw(st.integers(0, 2)) == 0:
        return name, draw(edited(TEXTS[name]))
    data = yaml.safe_load(TEXTS[name])
    for _ in range(draw(st.integers(1, 3))):
        *path, key = draw(st.sampled_from(list(nodes(data)) or [("new",)]))
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
            parent[f"{key}{draw(st.sampled_from(['s', '_', ' ', chr(10), 'é', '/..']))}"] = (
                parent.pop(key)
            )
        elif kind == "add":
            parent[draw(st.sampled_from([1, "extra", "../x", "a b", "Λ", None, True]))] = draw(
                st.sampled_from(VALUES)
            )
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
        word = draw(
            st.text(max_size=5) | st.sampled_from(["{", "]", "'", "? ", "- ", "!!set ", "---\n"])
        )
        at = draw(st.integers(0, len(text)))
        return text[:at] + word + text[at:]
    return "".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("config")
    shutil.copytree(ROOT / "config", path / "config")
    return path


def studied(folder):
    """The study of the configuration in a folder, as snakemake makes it before any job."""
    files, config = load_files(SCHEMAS, folder)
    study = Study(config, files)
    _ = study.audit
    return study


def counts(study, name):
    """Events of every setup and reading of an experiment."""
    for block in study.rate_blocks(name).values():
        source = block["source"]
        if source["kind"] == "reactor":
            paths = ROOT / resources.BELOW, ROOT / resources.ABOVE
            fluxes = {"nuebar": reactor(source, *paths, cells=200)}
        else:
            fluxes = {c: pion_decay_at_rest(c, cells=200) for c in COMPONENTS[source["kind"]]}
        rates = differential_rates(
            nuclei=experiment.nuclei(block),
            thresholds=experiment.thresholds(block),
            efficiency=experiment.efficiency(block),
            fluence=experiment.fluence(block),
            fluxes=fluxes,
            nodes=8,
            shape=block["form_factor"],
        )
        yield rates.counts()


@settings(
    max_examples=600, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
@given(mutated(), st.integers(0, 2**16))
def test_mutated_configuration_is_refused_in_one_line_or_right(folder, case, choice):
    name, text = case
    path = folder / f"config/{name}.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        study = studied(folder)
    except ConfigError as error:
        event("refused")
        message = str(error)
        assert len(message.splitlines()) == 1, message
        assert re.match(r"config/\w+\.yaml: .", message), message
        assert len(message) < 1000
        return
    finally:
        path.write_text(TEXTS[name], encoding="utf-8")
    event("accepted")
    for names in (study.experiments, study.sources, study.solar, study.readings):
        assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", one) for one in names)
    if choice % 4 == 0:
        one = study.experiments[choice // 4 % len(study.experiments)]
        try:
            with np.errstate(all="ignore"):
                found = list(counts(study, one))
        except ValueError as error:  # its job would stop
            event("stopped")
            assert len(str(error).splitlines()) == 1
            return
        for n_sm, n_em in found:
            assert np.all(n_sm >= 0)
            assert np.all(n_em >= 0)


FILES = (resources.BELOW, resources.ABOVE, resources.PUBLISHED)
DATA = {file: (ROOT / file).read_text(encoding="utf-8") for file in FILES}
CELLS = ["", "nan", "inf", "-1", "0", "1e999", "x", "Λ", "1,2", '"', "../x", "all", "U235", "\x00"]


@st.composite
def mutated_data(draw):
    """A data file changed in one place: (file, text)."""
    file = draw(st.sampled_from(FILES))
    lines = DATA[file].splitlines(keepends=True)
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


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("data")
    shutil.copytree(ROOT / "resources", path / "resources")
    return path


@settings(
    max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
@given(mutated_data())
def test_mutated_data_are_refused_in_one_line_or_right(data_folder, case):
    file, text = case
    files, config = load_files(SCHEMAS, ROOT)
    path = data_folder / file
    path.write_text(text, encoding="utf-8")
    try:
        with contextlib.chdir(data_folder):
            resources.check(files["config/config.yaml"][0])
            event("accepted")
            blocks = Study(config, files).flux_blocks("reactor").values()
            for block in blocks:
                table = reactor(block, resources.BELOW, resources.ABOVE, cells=50)
                assert table.moment(0, 0 * MeV) == pytest.approx(1, rel=1e-9)
                assert np.all(np.diff(table.moments[0]) <= 0)
    except ConfigError as error:
        event("refused")
        message = str(error)
        assert len(message.splitlines()) == 1, message
        assert message.startswith(f"{file}: ")
    finally:
        path.write_text(DATA[file], encoding="utf-8")


def spectrum(rows):
    head = "spectrum,isotope,E_MeV,per_MeV_per_fission\n"
    good = ["A,all,0.1,1\n", "A,all,1.0,1\n", "A,all,2.0,1\n"]
    return head + "".join(good if rows is None else rows)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ["A,all,1,1\n", "A,all,0.1,1\n", "A,all,2,1\n"],
            "line 3: E_MeV: 0.1 must be greater than 1",
        ),
        (["A,all,1,1\n", "A,all,1,1\n", "A,all,2,1\n"], "line 3: E_MeV: 1 must be greater than 1"),
        (
            ["A,all,1,-1\n", "A,all,2,1\n"],
            "line 2: per_MeV_per_fission: '-1' must be a finite number",
        ),
        (["A,all,1,nan\n", "A,all,2,1\n"], "line 2: per_MeV_per_fission: 'nan' must be"),
        (["A,all,1,1\n"], "A all: energies must begin below and end at 2 MeV or above"),
        (
            ["A,all,1,1\n", "A,U235,2,1\n"],
            "A: isotopes U235, all must be all or Pu239, Pu241, U235, U238",
        ),
        (["A,all,1\n"], "line 2: 'A,all,1' must have 4 values"),
        (["B,all,1,1\n"], "line 2: spectrum: 'B' must be one of A"),
        ([], "spectrum: 'A' is missing"),
    ],
)
def test_what_is_wrong_with_a_spectrum_is_named(tmp_path, rows, message):
    path = tmp_path / "spectra.csv"
    path.write_text(spectrum(None), encoding="utf-8")
    resources.check_below(path, ["A"], E_SPLIT / MeV)
    path.write_text(spectrum(rows), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        resources.check_below(path, ["A"], E_SPLIT / MeV)
    assert f"{path}: {message}" in str(error.value)


def test_no_code_of_a_file_is_ever_run():
    """Neither eval nor pickle nor an unsafe YAML loader, and no shell."""
    for folder in ("cevns_tmm", "scripts", "workflow"):
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.smk")]:
            text = path.read_text(encoding="utf-8")
            for word in (
                r"\beval\(",
                r"\bexec\(",
                "pickle",
                "unsafe_load",
                r"^\s+shell:",
                "subprocess",
            ):
                assert not re.search(word, text, flags=re.MULTILINE), f"{path}: {word}"
            loads = re.findall(r"yaml\.(?:load|full_load|load_all)\(([^)]*)", text)
            assert all("_StrictLoader" in call for call in loads), path
