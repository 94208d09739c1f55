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
from scripts.counted import mixing
from workflow.study import CONFIG_FILES, ConfigError, Study, load_files

from cevns_tmm.flux import COMPONENTS, E_SPLIT, pion_decay_at_rest
from cevns_tmm.limits import counting_experiment, moment_limits
from cevns_tmm.statistics import delta_chi2_quantile
from cevns_tmm.units import MeV
from scripts.compute_rates import compute
from scripts.tabulate_flux import reactor
from tests.checkout import ROOT
from workflow import data_files

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


def replaced(old, new):
    return lambda text: text.replace(old, new, 1)


BAD = {
    "negative mass": (
        "experiments",
        replaced("mass_kg: 14.57", "mass_kg: -1"),
        "experiments.CsI.current.mass_kg: -1 must be greater than 0",
    ),
    "empty target": (
        "experiments",
        replaced("target: {Cs: 1, I: 1}", "target: {}"),
        "experiments.CsI.target: {} must not be empty",
    ),
    "unknown element": (
        "experiments",
        replaced("{Ge: 1}", "{Gx: 1}"),
        "experiments.HPGe.target: 'Gx' must be elements with natural isotopes",
    ),
    "unknown source": (
        "experiments",
        replaced("source: sns", "source: ess"),
        "experiments.CsI.source: 'ess' must be one of sns, reactor",
    ),
    "unknown key": (
        "experiments",
        replaced("baseline_m", "baselin_m"),
        "experiments.CsI: unknown key 'baselin_m'; allowed are baseline_m",
    ),
    "missing key": (
        "experiments",
        replaced("    baseline_m: 19.3\n", ""),
        "experiments.CsI: 'sns' must have the key baseline_m",
    ),
    "text for a number": (
        "config",
        replaced("neutrinos_per_proton: 0.08", "neutrinos_per_proton: 8e-2x"),
        "sources.sns.neutrinos_per_proton: '8e-2x' must be number",
    ),
    "number that YAML reads as text": (
        "experiments",
        replaced("2.4e+13", "2.4e13"),
        "experiments.CONUS.flux_per_cm2_s: '2.4e13' must be number; YAML reads it as text",
    ),
    "not a number": (
        "config",
        replaced("sin2_theta12: 0.320", "sin2_theta12: .nan"),
        "oscillation.sin2_theta12: nan must be number",
    ),
    "infinity": (
        "config",
        replaced("E_max_MeV: 10.0", "E_max_MeV: .inf"),
        "sources.reactor.E_max_MeV: inf must be number",
    ),
    "truth value": (
        "config",
        replaced("confidence_level: 0.90", "confidence_level: true"),
        "confidence_level: True must be number",
    ),
    "path as a name": (
        "experiments",
        replaced("  CsI:", "  ../CsI:"),
        "experiments: '../CsI' must match ^[A-Za-z][A-Za-z0-9-]{0,30}$",
    ),
    "fractions that do not sum to 1": (
        "config",
        replaced("U235: 0.556", "U235: 0.6"),
        "sources.reactor.fission_fractions: 1.044 must be a sum of 1",
    ),
    "range upside down": (
        "config",
        replaced("[1.0, 80.0]", "[80.0, 1.0]"),
        "luminosity.range: [80.0, 1.0] must be a lower and a higher value",
    ),
    "threshold of zero": (
        "experiments",
        replaced("mass_kg: 15, threshold_keV: 5", "mass_kg: 15, threshold_keV: 0"),
        "experiments.HPGe.current.threshold_keV: 0 must be greater than 0",
    ),
    "reactor without flux": (
        "experiments",
        replaced("    flux_per_cm2_s: 7.8e+12 # CONNIE, arXiv:1604.01343\n", ""),
        "experiments.CONNIE: 'reactor' must have the key flux_per_cm2_s",
    ),
    "flux at the SNS": (
        "experiments",
        replaced("baseline_m: 19.3", "baseline_m: 19.3\n    flux_per_cm2_s: 1.0"),
        "experiments.CsI.flux_per_cm2_s: 1.0 is for reactors only",
    ),
    "unknown nuclide": (
        "config",
        replaced("[Si28,", "[Si99,"),
        "quenching.nuclides: 'Si99' must be isotopes such as Ge72",
    ),
    "phases of nobody": (
        "config",
        replaced("  CONNIE:", "  CONIE:"),
        "phases.CONIE: 'CONIE' must be an experiment: CsI, HPGe",
    ),
    "beam that a source does not have": (
        "config",
        replaced("beam: reactor", "beam: prompt"),
        "phases.CONNIE.beam: 'prompt' must be one of reactor",
    ),
    "unknown reading": (
        "config",
        replaced("figures_reading: inferred", "figures_reading: inferred2"),
        "figures_reading: 'inferred2' must be one of literal, inferred",
    ),
    "no literal reading": (
        "readings",
        replaced("literal: []", "printed: []"),
        "readings.literal: None must be there and empty",
    ),
    "unknown claim": (
        "claims",
        replaced("em-dominates", "em-dominate"),
        "claims: 'em-dominate' must be one of degenerate-direction",
    ),
    "unknown departure": (
        "readings",
        replaced("    - miner-mass", "    - miner-mas"),
        "readings.inferred: 'miner-mas' must be departures: nuisance-on-signal",
    ),
    "departure of nothing": (
        "readings",
        replaced("experiments.MINER.current", "experiments.MINNER.current"),
        "departures.miner-mass.sets: 'experiments.MINNER.current.mass_kg' must be a key",
    ),
    "departure to nonsense": (
        "readings",
        replaced("statistics.nuisance_on: excess", "statistics.nuisance_on: exces"),
        "departures.nuisance-on-signal.sets: leads to config/config.yaml: statistics.nuisance_on: 'exces'",
    ),
    "window without smearing": (
        "experiments",
        replaced("smearing: none", "smearing: none\n        window_PE: [6, 30]"),
        "experiments.CsI.current.efficiency.window_PE: [6, 30] must come with smearing: poisson",
    ),
    "key given twice": (
        "experiments",
        replaced("    baseline_m: 22", "    baseline_m: 22\n    baseline_m: 23"),
        "column 5: not valid YAML: key 'baseline_m' stands twice",
    ),
    "tab": (
        "config",
        replaced("  sin2_theta12", "\tsin2_theta12"),
        "column 1: not valid YAML",
    ),
    "block in the wrong file": (
        "config",
        replaced("confidence_level:", "experiments: {}\nconfidence_level:"),
        "unknown key 'experiments'; allowed are oscillation",
    ),
    "number that is no integer": (
        "config",
        replaced("plane_points: 400", "plane_points: 50.0"),
        "grids.plane_points: 50.0 must be integer",
    ),
    "number as a name": (
        "experiments",
        replaced("  HPGe:", "  2024:"),
        "experiments: 2024 must be string",
    ),
    "huge number": (
        "experiments",
        replaced("mass_kg: 14.57", "mass_kg: 1" + 400 * "0"),
        "experiments.CsI.current.mass_kg: 1000",
    ),
    "unknown kind of source": (
        "config",
        replaced("kind: reactor", "kind: reacter"),
        "sources.reactor.kind: 'reacter' must be one of pion-decay-at-rest, reactor",
    ),
    "departure that would do nothing": (
        "readings",
        replaced("statistics.nuisance_on: excess", "grids.plane_points: 40"),
        "departures.nuisance-on-signal.sets: 'grids.plane_points' is not a key that a reading may set",
    ),
    "scaling of text": (
        "audit",
        replaced("experiments.*.flux_per_cm2_s: {scale", "experiments.*.threshold_scale: {scale"),
        "audit: flux-down: 'experiments.*.threshold_scale': 'nuclear-recoil' cannot be scaled by 0.95",
    ),
    "name with a new line": (
        "experiments",
        replaced("  CsI:", '  "CsI\\n":'),
        "experiments: 'CsI\\n' must match ^[A-Za-z][A-Za-z0-9-]{0,30}$",
    ),
    "alias": (
        "experiments",
        replaced("target: {Ge: 1}", "target: &ge {Ge: 1}\n    label: *ge"),
        "column 12: not valid YAML: aliases are not allowed",
    ),
    "file of 10 MB": (
        "config",
        lambda text: text + "# " + 10_000_000 * "x" + "\n",
        "must not be larger than 1000000 characters",
    ),
    "lists in lists": (
        "config",
        lambda text: text + "more: " + 200 * "[" + 200 * "]" + "\n",
        "not valid YAML: nested too deeply",
    ),
    "solar experiment of the same name": (
        "config",
        replaced("  Borexino:", "  CsI:"),
        "solar.CsI: 'CsI' must not be the name of an experiment",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_configuration_is_refused_in_one_line(folder, case):
    name, change, message = BAD[case]
    bad = change(TEXTS[name])
    assert bad != TEXTS[name]
    path = folder / f"config/{name}.yaml"
    path.write_text(bad, encoding="utf-8")
    try:
        with pytest.raises(ConfigError) as error:
            studied(folder)
    finally:
        path.write_text(TEXTS[name], encoding="utf-8")
    line = str(error.value)
    assert len(line.splitlines()) == 1, line
    assert line.startswith(f"config/{name}.yaml: ")
    assert f": {message}" in line or f", {message}" in line, line


def computed(study, name):
    """Events and limits of every setup and reading of an experiment: (n_sm, n_em, limits)."""
    beams = study.beams(name)
    for group, block in study.rate_blocks(name).items():
        source = block["source"]
        if source["kind"] == "reactor":
            paths = ROOT / data_files.BELOW, ROOT / data_files.ABOVE
            fluxes = {"nuebar": reactor(source, *paths, cells=200)}
        else:
            fluxes = {c: pion_decay_at_rest(c, cells=200) for c in COMPONENTS[source["kind"]]}
        rates = compute(block, fluxes, nodes=8)
        n_sm, n_em = rates.counts()
        statistics = study.statistics_blocks(name)[group]
        chi2 = counting_experiment(statistics, n_sm.sum())
        level = delta_chi2_quantile(statistics["confidence_level"], 1)
        events = dict(zip(rates.components, n_em, strict=True))
        U = mixing(statistics["oscillation"])
        limits = [moment_limits(chi2, events, beam, U, level) for beam in beams.values()]
        yield n_sm, n_em, np.array(limits)


@pytest.mark.no_cover
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
    one = study.experiments[choice % len(study.experiments)]
    with np.errstate(all="ignore"):
        found = list(computed(study, one))
    for n_sm, n_em, limits in found:
        assert np.all(n_sm >= 0)
        assert np.all(n_em >= 0)
        assert np.all(limits > 0)


FILES = (
    *(data_files.BELOW, data_files.ABOVE, data_files.PUBLISHED),
    *(f"resources/reference/{name}" for name in ("limits.csv", "claims.csv", "SHA256SUMS")),
)
_files, _config = load_files(SCHEMAS, ROOT)
SCHEMA = _files["config/config.yaml"][0]
FLUXES = list(Study(_config, _files).flux_blocks("reactor").values())
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


@pytest.mark.no_cover
@settings(
    max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
@given(mutated_data())
def test_mutated_data_are_refused_in_one_line_or_right(data_folder, case):
    file, text = case
    path = data_folder / file
    path.write_text(text, encoding="utf-8")
    try:
        with contextlib.chdir(data_folder):
            data_files.check(SCHEMA)
            event("accepted")
            for block in FLUXES:
                table = reactor(block, data_files.BELOW, data_files.ABOVE, cells=50)
                assert table.moment(0, 0 * MeV) == pytest.approx(1, rel=1e-9)
                assert np.all(np.diff(table.moments[0]) <= 0)
    except ConfigError as error:
        event("refused")
        message = str(error)
        assert len(message.splitlines()) == 1, message
        sums = file.startswith("resources/reference/")  # a file there is not what another says
        assert message.startswith("resources/reference/" if sums else f"{file}: ")
    finally:
        path.write_text(DATA[file], encoding="utf-8")


@pytest.mark.parametrize("change", [lambda text: text[: len(text) // 2], lambda text: text + "\n"])
def test_a_changed_reference_is_named(data_folder, change):
    """A shorter reference would compare less."""
    path = data_folder / "resources/reference/limits.csv"
    good = path.read_text(encoding="utf-8")
    path.write_text(change(good), encoding="utf-8")
    try:
        with (
            contextlib.chdir(data_folder),
            pytest.raises(ConfigError, match=r"limits\.csv: must be"),
        ):
            data_files.check(SCHEMA)
    finally:
        path.write_text(good, encoding="utf-8")


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
    data_files.check_below(path, ["A"], E_SPLIT / MeV)
    path.write_text(spectrum(rows), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        data_files.check_below(path, ["A"], E_SPLIT / MeV)
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
