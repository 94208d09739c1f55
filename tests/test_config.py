"""Configuration files: mistakes are one line; what is not said is the paper's; what is not there falls away."""

import math
import re
import warnings

import pytest
import yaml

from cevns_tmm import ConfigError, Study, reactor_spectra
from cevns_tmm.config import FILES, PAPER, read_files

TEXTS = {name: (PAPER / f"{name}.yaml").read_text(encoding="utf-8") for name in FILES}


def replaced(old, new):
    return lambda text: text.replace(old, new, 1)


BAD = {
    "negative mass": (
        "experiments",
        replaced("mass_kg: 14.57", "mass_kg: -1"),
        "experiments.CsI.current.mass_kg: -1 must be at least 1e-12 and at most 1e+12",
    ),
    "empty target": (
        "experiments",
        replaced("target: {Cs: 1, I: 1}", "target: {}"),
        "experiments.CsI.target: {} must not be empty",
    ),
    "unknown element": (
        "experiments",
        replaced("{Ge: 1}", "{Gx: 1}"),
        "experiments.HPGe.target: 'Gx' is not a chemical element, or an isotope such as Ge76",
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
        "experiments.CsI.baseline_m: missing; it gives the flux of a stopped-pion source",
    ),
    "text for a number": (
        "config",
        replaced("neutrinos_per_proton: 0.08", "neutrinos_per_proton: 8e-2x"),
        "sources.sns.neutrinos_per_proton: '8e-2x' must be a finite number",
    ),
    "number that YAML reads as text": (
        "experiments",
        replaced("2.4e+13", "2.4e13"),
        "experiments.CONUS.flux_per_cm2_s: '2.4e13' must be a finite number; YAML reads it as text: write "
        "numbers without quotes, as in 100, 1.0e-9 or 2.4e+13",
    ),
    "no toys": (
        "config",
        replaced("  blocks: 1 #", "  blocks: 0 #"),
        "coverage.blocks: 0 must be at least 1",
    ),
    "exact angle": (
        "config",
        replaced("sin2_theta12: [0.016, 0.020]", "sin2_theta12: [0, 0.020]"),
        "oscillation.errors.sin2_theta12.0: 0 must be greater than 0",
    ),
    "not a number": (
        "config",
        replaced("sin2_theta12: 0.320", "sin2_theta12: .nan"),
        "oscillation.sin2_theta12: nan must be a finite number",
    ),
    "infinity": (
        "config",
        replaced("E_max_MeV: 10.0", "E_max_MeV: .inf"),
        "sources.reactor.E_max_MeV: inf must be a finite number",
    ),
    "truth value": (
        "config",
        replaced("confidence_level: 0.90", "confidence_level: true"),
        "confidence_level: True must be a finite number",
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
        "experiments.CONNIE.flux_per_cm2_s: missing; a reactor's flux is that at the detector",
    ),
    "flux at the SNS": (
        "experiments",
        replaced("baseline_m: 19.3", "baseline_m: 19.3\n    flux_per_cm2_s: 1.0"),
        "experiments.CsI.flux_per_cm2_s: 1.0 is for reactors only",
    ),
    "unknown nuclide": (
        "config",
        replaced("[Si28,", "[Si99,"),
        "quenching.nuclides: 'Si99' must be an isotope such as Ge72",
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
        "readings.inferred: 'miner-mas' must be one of nuisance-on-signal",
    ),
    "departure to nonsense": (
        "readings",
        replaced("statistics.nuisance_on: excess", "statistics.nuisance_on: exces"),
        "departures.nuisance-on-signal.sets: leads to config/config.yaml: statistics.nuisance_on: 'exces'",
    ),
    "window without smearing": (
        "experiments",
        replaced("smearing: none", "smearing: none\n        window_PE: [6, 30]"),
        "experiments.CsI.current.efficiency.window_PE: needed with smearing 'poisson', and only there",
    ),
    "key given twice": (
        "experiments",
        replaced("    baseline_m: 22", "    baseline_m: 22\n    baseline_m: 23"),
        "column 5: not valid YAML: duplicate key 'baseline_m'",
    ),
    "tab": (
        "config",
        replaced("  sin2_theta12", "\tsin2_theta12"),
        "column 1: not valid YAML",
    ),
    "key of a source in an experiment": (
        "experiments",
        replaced("    baseline_m: 22", "    thermal_power_MW: 4000"),
        "experiments.HPGe: unknown key 'thermal_power_MW'; it is sources.NAME.thermal_power_MW of config.yaml",
    ),
    "number of atoms in a name": (
        "experiments",
        replaced("{Ge: 1}", "{D2: 1}"),
        "experiments.HPGe.target: 'D2' is not a known isotope; numbers of atoms are shares, as in {D: 2, O: 1}",
    ),
    "block in the wrong file": (
        "config",
        replaced("confidence_level:", "experiments: {}\nconfidence_level:"),
        "unknown key 'experiments'; it is experiments of experiments.yaml",
    ),
    "number that is no integer": (
        "config",
        replaced("plane_points: 400", "plane_points: 50.0"),
        "grids.plane_points: 50.0 must be a whole number",
    ),
    "number as a name": (
        "experiments",
        replaced("  HPGe:", "  2024:"),
        "experiments: 2024 must be text; quote it",
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
        "audit.budget.flux.down: 'experiments.*.threshold_scale': 'nuclear-recoil' cannot be changed by {'scale': 0.95}",
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
        "solar.CsI: 'CsI' must differ from experiments.CsI by more than case",
    ),
    "names that differ by case": (
        "experiments",
        replaced("  HPGe:", "  csi:"),
        "experiments.csi: 'csi' must differ from experiments.CsI by more than case",
    ),
    "sources that differ by case": (
        "config",
        replaced("  reactor:\n", "  SNS:\n"),
        "sources.SNS: 'SNS' must differ from sources.sns by more than case",
    ),
    "colour without quotes": (
        "experiments",
        replaced('colour: "#332288"', "colour: #332288"),
        "experiments.CsI.colour: None must be text; quote it: YAML reads an unquoted # as a comment",
    ),
    "element that YAML reads as a truth value": (
        "experiments",
        replaced("{Ge: 1}", "{No: 1}"),
        "experiments.HPGe.target: False must be text; quote it: YAML reads yes, no, on and off as truth",
    ),
    "label that YAML reads as a date": (
        "experiments",
        replaced("label: CsI[Na]", "label: 2024-01-01"),
        "experiments.CsI.label: datetime.date(2024, 1, 1) must be text; quote it",
    ),
    "number in quotes": (
        "config",
        replaced("flux_cells: 4000", 'flux_cells: "4000"'),
        "grids.flux_cells: '4000' must be a whole number; YAML reads it as text: write numbers without",
    ),
    "setup without anything": (
        "experiments",
        replaced("future: {mass_kg: 1", "future: # {mass_kg: 1"),
        "experiments.CsI.future: None must be keys and their values",
    ),
    "element without natural abundances": (
        "experiments",
        replaced("{Ge: 1}", "{U: 1, O: 2}"),
        "experiments.HPGe.target: 'U' has no natural abundances in periodictable; name isotopes and their shares",
    ),
    "efficiency above 1": (
        "experiments",
        replaced("exposure_d: 308.1, efficiency: 0.5", "exposure_d: 308.1, efficiency: 50"),
        "experiments.HPGe.current.efficiency: 50 must be greater than 0 and at most 1",
    ),
    "smearing without window": (
        "experiments",
        replaced("smearing: none", "smearing: poisson"),
        "experiments.CsI.current.efficiency.window_PE: needed with smearing 'poisson', and only there",
    ),
    "window upside down": (
        "experiments",
        replaced("smearing: none", "smearing: poisson\n        window_PE: [30, 6]"),
        "experiments.CsI.current.efficiency.window_PE: (30, 6) must be two counts, in order",
    ),
    "time window at a reactor": (
        "experiments",
        replaced("threshold_keV: 0.028, exp", "threshold_keV: 0.028, time_window_us: 6, exp"),
        "experiments.CONNIE.current.time_window_us: 6 needs a pulsed source",
    ),
    "no event at all": (
        "experiments",
        lambda text: re.sub("(n_measured|beam_neutrons|steady_state): [0-9]+", r"\1: 0", text),
        "experiments.CsI.current.data.n_measured: 0 needs a background",
    ),
    "unknown spectrum": (
        "config",
        replaced("Mueller2011", "Mueller2012"),
        "sources.reactor.spectrum_above_2MeV: 'Mueller2012' must be one of Mueller2011, Huber2011",
    ),
    "readings in a circle": (
        "readings",
        replaced("  inferred:\n", "  a: [b]\n  b: [c, a]\n  c: []\n  inferred:\n"),
        "readings.a: 'a > b > a' must not lead back to itself",
    ),
    "departure in an efficiency that is a number": (
        "readings",
        replaced("current.threshold_keV: 0", "future.efficiency.smearing: none"),
        "departures.csi-pe-smearing.sets: 'experiments.CsI.future.efficiency.smearing' must be a key",
    ),
    "departure that is wrong by itself": (
        "readings",
        replaced("current.mass_kg: 30", "current.mass_kg: -30"),
        "departures.miner-mass.sets: leads to config/experiments.yaml: experiments.MINER.current.mass_kg: -30",
    ),
    "departure in no reading": (
        "readings",
        lambda text: text.replace("    - miner-mass\n", "").replace("mass_kg: 30", "mass_kg: -30"),
        "departures.miner-mass.sets: leads to config/experiments.yaml: experiments.MINER.current.mass_kg: -30",
    ),
    "departures that do not go together": (
        "readings",
        replaced("current.time_window_us: 6.0", "current.efficiency: 1.0"),
        "departures.csi-time-window.sets: leads, together with nuisance-on-signal, csi-pe-smearing, to ",
    ),
    "criterion with a number that is not there": (
        "claims",
        replaced("by more than {threshold}", "by more than {treshold}"),
        "claims.lar-nai-beat-csi.criterion: 'treshold' must be one of place, text, criterion, criterion_from, threshold",
    ),
    "claim without its number": (
        "claims",
        replaced("    threshold: 10\n", ""),
        "claims.future-order-of-magnitude: key 'threshold' is missing",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_configuration_is_refused_in_one_line(tmp_path, monkeypatch, case):
    name, change, message = BAD[case]
    folder = tmp_path / "config"
    folder.mkdir()
    for other, text in TEXTS.items():
        (folder / f"{other}.yaml").write_text(text, encoding="utf-8")
    write(folder, **{name: change})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as error:
        _ = Study.read().audit
    line = str(error.value)
    assert len(line.splitlines()) == 1, line
    assert line.startswith(f"config/{name}.yaml: ")
    assert f": {message}" in line or f", {message}" in line, line


def test_advice_is_given_where_it_helps(tmp_path):
    """Digits without quotes are no text that YAML would read otherwise, and a list is not quoted."""
    for overrides, message in (
        ({"grids": {"plane_points": 50.5}}, "grids.plane_points: 50.5 must be a whole number"),
        ({"confidence_level": "high"}, "confidence_level: 'high' must be a finite number"),
        ({"figures_reading": ["inferred"]}, "figures_reading: ['inferred'] must be text"),
    ):
        with pytest.raises(ConfigError) as error:
            Study.read(tmp_path, overrides)
        assert str(error.value).endswith(f": {message}")


def write(folder, **files):
    """Files of a study from YAML text, or from a change of the paper's text."""
    for name, text in files.items():
        text = text(TEXTS[name]) if callable(text) else text
        assert text != TEXTS[name]
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def limits(study, *names):
    """Every limit of some experiments: {(experiment, setup, reading, beam, parameter): limit}."""
    return {
        (name, setup, reading, beam, parameter): limit
        for name in names
        for setup in study.setups(name)
        for reading in study.readings
        for beam in (study.beams(name) if name in study.experiments else ["solar"])
        for parameter, limit in study.experiment(name, setup, reading).limits(beam).items()
    }


def test_files_that_are_missing_are_the_papers(tmp_path):
    paper = Study.paper()
    assert Study.read(tmp_path).config == paper.config
    write(tmp_path, config=replaced("confidence_level: 0.90", "confidence_level: 0.95"))
    study = Study.read(tmp_path)
    assert study.config == paper.config | {"confidence_level": 0.95}


@pytest.mark.parametrize("name", ["experiment.yaml", "config.yml", "Config.yaml", "mine.YAML"])
def test_a_file_that_is_not_of_a_study_is_refused(tmp_path, name):
    """A mistyped name would leave the paper's file in place."""
    write(tmp_path, config=replaced("0.90", "0.95"))
    (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="not a file of a study; allowed are config"):
        Study.read(tmp_path)


def test_hidden_files_and_other_kinds_of_files_are_no_matter(tmp_path):
    for name in (".#config.yaml", "._experiments.yaml", "notes.txt", "paper.mplstyle"):
        (tmp_path / name).write_text("?", encoding="utf-8")
    assert Study.read(tmp_path).config == Study.paper().config


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: \xff", "not UTF-8 text"),
        (b"", "must be keys and their values"),
        (b"- 1", "must be keys and their values"),
        (b"a: \x00", "not valid YAML"),
        (b"a: 2024-13-01", "not valid YAML: 'month must be in 1..12"),
        (None, "Is a directory"),
    ],
)
def test_what_is_no_text_or_no_mapping_is_refused(tmp_path, content, message):
    path = tmp_path / "claims.yaml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        Study.read(tmp_path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert len(str(error.value).splitlines()) == 1
    with pytest.raises(ConfigError, match="nowhere: no such folder"):
        Study.read(tmp_path / "nowhere")


@pytest.mark.parametrize("change", [lambda t: "\ufeff" + t, lambda t: t.replace("\n", "\r\n")])
def test_files_of_other_systems_are_read(tmp_path, change):
    for name, text in TEXTS.items():
        (tmp_path / f"{name}.yaml").write_bytes(change(text).encode())
    assert Study.read(tmp_path).config == Study.paper().config


def test_overrides_are_laid_over_the_files_key_by_key(tmp_path):
    """Snakemake hands over nested values of --config as text."""
    overrides = {
        "oscillation": {"delta_CP_over_pi": "1.0"},
        "grids": {"flux_cells": "100"},
        "luminosity": {"range": ["1", "4e1"]},
        "experiments": {"CsI": {"label": "2024", "current": {"mass_kg": 20}}},
        "figures_reading": "literal",
    }
    study, paper = Study.read(tmp_path, overrides), Study.paper().config
    assert study.config["oscillation"] == paper["oscillation"] | {"delta_CP_over_pi": 1.0}
    assert study.config["grids"] == paper["grids"] | {"flux_cells": 100}
    assert study.config["luminosity"] == {"range": [1, 40.0]}
    csi = study.config["experiments"]["CsI"]
    assert csi["label"] == "2024"  # a label is text
    assert csi["current"] == paper["experiments"]["CsI"]["current"] | {"mass_kg": 20}
    assert study.experiment("CsI").reading == "literal"
    assert study.experiment("CsI").analysis.oscillation["delta_CP_over_pi"] == 1


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            {"confidence_levell": "0.95"},
            "--config: unknown key 'confidence_levell'; allowed are osc",
        ),
        (
            {"confidence_level": "high"},
            "config.yaml with --config: confidence_level: 'high' must be a finite number",
        ),
        (
            {"experiments": {"CsI": {"mass_kg": 1}}},
            "experiments.yaml with --config: experiments.CsI: unknown key 'mass_kg'; it is experiments.NAME.current.mass_kg of experiments.yaml",
        ),
        ({"oscillation": "0.3"}, "oscillation: 0.3 must be keys and their values"),
    ],
)
def test_an_override_that_is_wrong_is_named(tmp_path, overrides, message):
    with pytest.raises(ConfigError) as error:
        Study.read(tmp_path, overrides)
    assert message in str(error.value)


MINE = """
experiments:
  Mine:
    source: reactor
    flux_per_cm2_s: 3.0e+12
    target: {Ar: 1}
    threshold_scale: nuclear-recoil
    current: {mass_kg: 5, threshold_keV: 0.3, exposure_d: 100, efficiency: 0.9}
"""


def test_a_study_of_an_experiment_of_ones_own_is_one_file(tmp_path):
    write(tmp_path, experiments=MINE)
    with pytest.warns(UserWarning) as notes:
        study = Study.read(tmp_path)
    (note,) = [str(note.message) for note in notes]
    assert (
        note
        == study.notes[0]
        == (
            "left out, because the study has no such experiment, setup or source: "
            "5 in departures; 2 in phases; 1 in audit.inputs; 7 in claims"
        )
    )
    assert study.experiments == ["Mine"]
    assert study.setups("Mine") == ["current"]
    assert study.departures("inferred") == ["nuisance-on-signal", "threshold-at-q-of-threshold"]
    assert study.config["audit"]["misses"] == []
    found = limits(study, "Mine", "Borexino") | limits(study.audit, "Mine")
    assert all(0 < limit < 1e-7 for limit in found.values())
    assert "huber-spectrum" in study.config["audit"]["inputs"]


def without(*path):
    """A change that deletes one key."""

    def change(text):
        data = yaml.safe_load(text)
        parent = data
        for key in path[:-1]:
            parent = parent[key]
        del parent[path[-1]]
        return yaml.safe_dump(data, sort_keys=False)

    return change


@pytest.mark.parametrize(
    ("name", "path", "note"),
    [
        ("experiments", ("experiments", "HPGe"), None),
        ("experiments", ("experiments", "MINER"), "1 in departures"),
        ("experiments", ("experiments", "RED100", "future"), "1 in departures"),
        ("experiments", ("experiments", "CONNIE"), "1 in phases; 1 in claims"),
        (
            "config",
            ("solar", "Borexino"),
            "1 in combinations; 2 in audit.inputs; 3 in claims",
        ),
    ],
)
def test_what_is_about_what_is_not_there_falls_away(tmp_path, name, path, note):
    write(tmp_path, **{name: without(*path)})
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        study = Study.read(tmp_path)
    start = "left out, because the study has no such experiment, setup or source: "
    found = [str(one.message) for one in notes]
    assert found == ([] if note is None else [start + note])
    assert study.audit.experiments == study.experiments
    alternative = study.config["audit"]["inputs"]["thermal-power-fluxes"]["sets"]
    assert ("experiments.CONNIE.flux_per_cm2_s" in alternative) is ("CONNIE" in study.experiments)
    assert "experiments.TEXONO.flux_per_cm2_s" in alternative


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("config", "  CONNIE:", "  CONIE:", "phases.CONIE: 'CONIE' must be an experiment: CsI, HPGe"),
        (
            "readings",
            "experiments.MINER.c",
            "experiments.MINNER.c",
            "departures.miner-mass.sets: 'experiments.MINNER.current.mass_kg' must be a key",
        ),
        (
            "audit",
            "sources.reactor.f",
            "sources.reactr.f",
            "audit.inputs.daya-bay-fissions.sets: 'sources.reactr",
        ),
        (
            "audit",
            "up: {quenching.kappa_scale",
            "up: {sources.raector.E_max_MeV",
            "audit.budget.quenching.up: 'sources.raector.E_max_MeV' must be a key",
        ),
    ],
)
def test_a_mistyped_experiment_is_refused(tmp_path, name, old, new, message):
    """A name that looks like one that is there is a mistake; any other falls away."""
    write(tmp_path, **{name: replaced(old, new)})
    with pytest.raises(ConfigError, match=re.escape(f"{name}.yaml: {message}")):
        _ = Study.read(tmp_path).audit


READINGS = """
readings:
  nufit: [inferred, nufit-angles]
  strict: [confidence]
  inferred: [nuisance]
  literal: []
  both: [strict, nufit]
departures:
  confidence: {sets: {confidence_level: 0.99}}
  nufit-angles:
    evidence: "Another global fit."
    sets: {oscillation.sin2_theta12: 0.307, oscillation.sin2_theta23: 0.561}
  nuisance: {sets: {statistics.nuisance_on: excess}}
"""


def test_readings_may_stand_within_readings(tmp_path):
    study = Study.read(write(tmp_path, readings=READINGS))
    assert study.readings == ["nufit", "strict", "inferred", "literal", "both"]
    assert study.departures("nufit") == ["nuisance", "nufit-angles"]
    assert study.departures("both") == ["confidence", "nuisance", "nufit-angles"]
    analysis = study.experiment("CONUS", "current", "nufit").analysis
    assert analysis.oscillation["sin2_theta12"] == 0.307
    assert analysis.oscillation["sin2_theta13"] == 0.0216
    assert analysis.nuisance_on == "excess"
    assert study.experiment("CONUS", "current", "literal").analysis.nuisance_on == "total"


def test_a_reading_may_have_a_confidence_level_of_its_own(tmp_path):
    """Quantiles of chi² with one parameter: 2.7055 and 6.6349; without a nuisance limits go as their fourth root."""
    overrides = {"statistics": {"current": {"sigma_sys": 0}}}
    with pytest.warns(UserWarning, match="RED100"):  # beyond its recoils without its departure
        study = Study.read(write(tmp_path, readings=READINGS), overrides)
    strict, literal = (
        study.experiment("HPGe", reading=reading).limits("full") for reading in ("strict", "literal")
    )
    for parameter, limit in strict.items():
        ratio = (6.6348966 / 2.7055435) ** 0.25
        assert limit / literal[parameter] == pytest.approx(ratio, rel=1e-7, abs=0)


def test_readings_upon_readings_take_no_time(tmp_path):
    """Each holds the next two: there are more ways through them than could be gone."""
    names = [f"r{n}" for n in range(60)]
    readings = {name: names[n + 1 : n + 3] for n, name in enumerate(names)} | {"literal": []}
    text = yaml.safe_dump({"readings": readings | {"inferred": ["r0"]}, "departures": {}})
    assert Study.read(write(tmp_path, readings=text)).departures("inferred") == []


def test_a_variation_may_not_have_the_name_of_a_departure(tmp_path):
    named = replaced("departures:\n", "departures:\n  flux-up: {sets: {quenching.kappa_scale: 1.1}}\n")
    study = Study.read(write(tmp_path, readings=named))
    with pytest.raises(ConfigError, match=r"audit\.budget\.flux\.up: 'flux-up' must not be the"):
        _ = study.audit


def turned(data):
    """The same with the keys of every mapping in the opposite order."""
    if isinstance(data, dict):
        return {key: turned(data[key]) for key in reversed(data)}
    return [turned(item) for item in data] if isinstance(data, list) else data


def test_the_order_of_keys_does_not_matter():
    config, origin = read_files()
    paper, other = Study(config, origin), Study(turned(config), origin)
    assert list(other.experiments) == paper.experiments[::-1]
    names = ("CsI", "NaI", "MINER", "Borexino")
    one, two = limits(other, *names), limits(paper, *names)
    assert one == pytest.approx(two, rel=1e-14, abs=0)  # sums over isotopes are in another order


def test_nothing_may_be_measured_if_there_is_a_background(tmp_path):
    """Eq. (34): the variance is then 2 B of the steady state; residual -N_SM."""
    data = {"n_measured": 0, "beam_neutrons": 0, "sigma_signal": 0.1, "sigma_background": 0.1}
    new = f"efficiency: 0.9, data: {data | {'steady_state': 3}}".replace("'", "")
    with pytest.warns(UserWarning) as notes:
        study = Study.read(write(tmp_path, experiments=MINE.replace("efficiency: 0.9", new)))
    assert any("no sensitivity" in str(note.message) for note in notes)
    experiment = study.experiment("Mine")
    assert set(experiment.limits().values()) == {math.inf}
    (n_sm, _), *others = experiment.counts().values()
    assert others == []
    assert experiment.analysis.chi2(n_sm).chi2(0.0) == pytest.approx(
        n_sm**2 / (6 + (0.1 * n_sm) ** 2), rel=1e-12
    )


OWN = """spectrum,isotope,a1,a2,a3,a4,a5,a6
Own2024,U235,4.367,-4.577,2.1,-0.5294,0.06186,-0.002777
"""


def test_a_spectrum_of_ones_own_needs_the_isotopes_that_are_burnt(tmp_path, monkeypatch):
    """A row in the data file is enough; counts from an independent integral over the recoil energy."""
    path = tmp_path / "above.csv"
    path.write_text(OWN, encoding="utf-8")
    spectra = reactor_spectra.above(path)
    monkeypatch.setattr(reactor_spectra, "above", lambda: spectra)
    folder = tmp_path / "study"
    folder.mkdir()
    write(folder, audit="audit: {misses: [], inputs: {}, budget: {}}\n")
    new = {"flux_per_cm2_s": 1e13, "target": {"Ge": 1}, "threshold_scale": "nuclear-recoil"}
    new |= {"source": "reactor", "current": {"mass_kg": 1, "threshold_keV": 0.2}}
    new["current"] |= {"exposure_d": 365.25, "efficiency": 0.8}
    reactor = {
        "spectrum_above_2MeV": "Own2024",
        "spectrum_below_2MeV": "VogelEngel1989",
        "fission_fractions": {"U235": 1, "U238": 0, "Pu239": 0, "Pu241": 0},
    }
    overrides = {"sources": {"reactor": reactor}, "experiments": {"New": new}}
    n_sm, n_em = Study.read(folder, overrides).experiment("New").counts()["nuebar"]
    assert n_sm == pytest.approx(11561.034, rel=1e-6)
    assert n_em == pytest.approx(5.997904e22, rel=1e-6)
    reactor["fission_fractions"] |= {"U235": 0.9, "Pu239": 0.1}
    message = "sources.reactor.spectrum_above_2MeV: 'Own2024' has no Pu239, which the fission fract"
    with pytest.raises(ConfigError, match=message):
        Study.read(folder, overrides)


def test_a_budget_of_one_sigma_moves_with_its_centre():
    """The variations are the errors of the fit that the angles are from."""
    for value in (0.320, 0.307):
        study = Study.read(overrides={"oscillation": {"sin2_theta12": value}})
        errors = study.config["oscillation"]["errors"]
        for angle, (down, up) in errors.items():
            name = angle.removeprefix("sin2_")
            low, high = (study.audit.experiment("CONUS", reading=f"{name}-{way}") for way in ("down", "up"))
            centre = study.config["oscillation"][angle]
            assert low.analysis.oscillation[angle] == pytest.approx(centre - down, rel=1e-14)
            assert high.analysis.oscillation[angle] == pytest.approx(centre + up, rel=1e-14)
