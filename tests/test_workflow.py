"""The pipeline as its users run it: from nothing to figures, again, changed, and misconfigured."""

import json
import re
import shutil
import subprocess

import h5py
import numpy as np
import pytest
import scipy
import yaml

from cevns_tmm import storage
from cevns_tmm.magnetic_moment import moment_matrix, mu_nu_sq, mu_nu_sq_amplitudes
from cevns_tmm.mixing import mixing_matrix
from cevns_tmm.nuclei import isotope
from cevns_tmm.quenching import quenching_factor
from cevns_tmm.statistics import CountingExperiment, delta_chi2_quantile
from cevns_tmm.units import keV
from pipeline import published
from tests.checkout import NEW, ROOT, Checkout, rows
from tests.test_config import BAD

pytestmark = pytest.mark.workflow

PAPER = mixing_matrix(0.320, 0.547, 0.0216)


def test_every_target_is_there_and_a_second_run_does_nothing(small):
    products = small.products()
    for number in range(1, 9):
        assert products[f"figures/fig{number}.pdf"].startswith(b"%PDF")
        assert products[f"figures/fig{number}.png"].startswith(b"\x89PNG")
    for name in ("limits.csv", "counts.csv", "contours.csv", "table2.csv", "table2.md", "table2.tex"):
        assert products[f"results/{name}"]
    assert small.planned() == set()


def test_results_do_not_move_with_the_grids(small, tmp_path):
    """Every grid doubled: limits and counts move by less than 1e-8."""
    other = small.copy(tmp_path / "copy")

    def doubled(data):
        data["grids"] = {name: 2 * value for name, value in data["grids"].items()}

    other.edit("config", doubled)
    other.snakemake("results/limits.csv", "results/counts.csv")
    for name, columns in (("limits", ["limit_muB"]), ("counts", ["n_sm", "n_em_per_muB2"])):
        one, two = (
            rows(small.path / f"results/{name}.csv"),
            rows(other.path / f"results/{name}.csv"),
        )
        for a, b in zip(one, two, strict=True):
            for column in columns:
                assert published.number(a[column]) == pytest.approx(
                    published.number(b[column]), rel=1e-8, abs=0
                )


@pytest.mark.long
def test_same_bytes_elsewhere_and_with_one_core(small, tmp_path):
    other = small.copy(tmp_path / "copy", results=False)
    other.snakemake(cores=1)
    small.same_products(other)


def test_files_describe_themselves_and_hold_no_paths(small):
    missing = []

    def check(name, item):
        names = ("unit", "description", "units", "long_name")
        if isinstance(item, h5py.Dataset) and not all(item.attrs.get(key) for key in names):
            missing.append(name)

    for path in (small.path / "results").rglob("*.h5"):
        with h5py.File(path) as file:
            file.visititems(check)
            assert file.attrs["description"]
            assert file.attrs["cevns_tmm"]
            plan = {name: json.loads(file.attrs[name]) for name in ("parameters", "versions")}
            assert plan["parameters"]
            assert plan["versions"]["scipy"] == scipy.__version__
            assert {"script", "code", "data", "inputs"} <= set(file.attrs)
        assert str(small.path).encode() not in path.read_bytes()
    assert missing == []


def test_new_experiment_is_in_every_result(small):
    limits = [
        r
        for r in published.one_at_a_time(rows(small.path / "results/limits.csv"))
        if r["experiment"] == "NEW-1"
    ]
    assert len(limits) == 2 * 3  # readings x parameters; it has one beam and one setup
    assert all(0 < float(r["limit_muB"]) < 1e-8 for r in limits)
    assert any(r["experiment"] == "NEW-1" for r in rows(small.path / "results/counts.csv"))
    table = [r for r in rows(small.path / "results/table2.csv") if r["experiment"] == "NEW-1"]
    assert [r["published"] for r in table] == ["", "", ""]
    assert "New detector" in (small.path / "results/table2.md").read_text(encoding="utf-8")
    for stage in ("rates", "counts", "profiles", "planes", "luminosity"):
        assert (small.path / f"results/{stage}/NEW-1.h5").is_file()


def test_readings_share_what_does_not_differ(small):
    with h5py.File(small.path / "results/rates/NEW-1.h5") as file:
        assert file["current/literal"] == file["current/inferred"]
    with h5py.File(small.path / "results/counts/NEW-1.h5") as file:
        assert file["current/literal"] == file["current/inferred"]
    with h5py.File(small.path / "results/rates/CsI.h5") as file:
        assert file["current/literal"] != file["current/inferred"]
        assert file["future/literal"] == file["future/inferred"]


def stage(small, name, group, **units):
    return storage.read(small.path / f"results/{name}.h5", group, units)


@pytest.mark.parametrize(("experiment", "beam"), [("CsI", "delayed"), ("NEW-1", "reactor")])
def test_luminosity_scan_begins_at_the_limits(small, experiment, beam):
    group = f"current/inferred/{beam}"
    scan = stage(small, f"luminosity/{experiment}", group, luminosity="1", limit="mu_B")
    limit = stage(small, f"profiles/{experiment}", group, limit="mu_B")["limit"]
    assert scan["luminosity"][0] == 1
    assert scan["limit"][:, 0] == pytest.approx(limit, rel=1e-12, abs=0)
    assert np.all(np.diff(scan["limit"]) < 0)


def test_luminosity_scan_of_data_scales_everything_measured(small):
    """142, 6 and 405 events grow with the luminosity; computed here from the counts."""
    group = "current/inferred/full"
    scan = stage(small, "luminosity/CsI", group, luminosity="1", limit="mu_B")
    counts = stage(small, "counts/CsI", "current/inferred", n_sm="1", n_em="1/mu_B^2")
    factor = scan["luminosity"][-1]
    chi2 = CountingExperiment.from_data(
        factor * counts["n_sm"].sum(), factor * 142, factor * 6, factor * 405, 0.28, 0.25
    )
    n = chi2.upper_limit(delta_chi2_quantile(0.9, 1))
    e, mu = (np.array([mu_nu_sq(flavour, v, PAPER) for v in np.eye(3)]) for flavour in ("e", "mu"))
    numu, nue, numubar = factor * counts["n_em"]
    expected = np.sqrt(n / (nue * e + (numu + numubar) * mu))
    assert scan["limit"][:, -1] == pytest.approx(expected, rel=1e-10, abs=0)


@pytest.mark.parametrize("plane", ["12", "13", "23"])
def test_planes_have_rows_of_the_second_moment(small, plane):
    """Each point by the matrix form of Eq. (9), at a corner where the two moments differ."""
    data = stage(
        small,
        "planes/CONNIE",
        "current/inferred/reactor",
        Lambda="mu_B",
        level="1",
        **{f"delta_chi2_{plane}": "1"},
    )
    counts = stage(small, "counts/CONNIE", "current/inferred", n_sm="1", n_em="1/mu_B^2")
    row, column = 30, 22
    vector = np.zeros(3)
    vector[int(plane[0]) - 1] = data["Lambda"][column]
    vector[int(plane[1]) - 1] = data["Lambda"][row]
    mu_sq = mu_nu_sq_amplitudes(moment_matrix(vector), PAPER[0].conj(), np.zeros(3))
    chi2 = CountingExperiment.asimov(counts["n_sm"].sum(), 0.2, 0.2, "excess")
    expected = chi2.delta_chi2(counts["n_em"][0] * mu_sq)
    assert data[f"delta_chi2_{plane}"][row, column] == pytest.approx(expected, rel=1e-6, abs=0)
    assert data["level"] == pytest.approx(4.605170, rel=1e-6)


def test_phases_are_those_of_their_case(small):
    """Plane 23, prompt: allowed region smallest for xi = pi, largest for delta = pi."""
    shares = []
    for case in (1, 2, 3):
        group = f"current/inferred/prompt/case{case}"
        data = stage(small, "phases/CsI", group, delta_chi2_23="1", level="1")
        shares.append(np.mean(data["delta_chi2_23"] < data["level"]))
    assert shares[1] < shares[0] < shares[2]
    plane = stage(small, "planes/CsI", "current/inferred/prompt", delta_chi2_23="1")
    first = stage(small, "phases/CsI", "current/inferred/prompt/case1", delta_chi2_23="1")
    assert np.array_equal(plane["delta_chi2_23"], first["delta_chi2_23"])


def test_quenching_curves(small):
    data = stage(small, "quenching", "quenching", isotope="1", T="keV", Q="1")
    assert list(data["isotope"]) == ["Si28", "Ar40", "Ge72", "I127", "Xe132", "Cs133"]
    assert data["T"][-1] == 300
    for name, Q in zip(data["isotope"], data["Q"], strict=True):
        nuclide = isotope(name)
        assert pytest.approx(quenching_factor(data["T"] * keV, nuclide.Z, nuclide.A)) == Q


FIGURES = {"fig1", "curve_figures", "plane_figures"}
CHAIN = {"rates", "chi2"}
PHYSICS = CHAIN | {"flux_table", "profiles", "phases", "solar", "quenching"}


def test_missing_intermediate_files_are_made_again(small, tmp_path):
    """Also those that only make what is there."""
    checkout = small.copy(tmp_path / "copy")
    files = list((checkout.path / "results").rglob("*.h5"))
    for path in files:
        path.unlink()
    experiments = len(list((small.path / "results/rates").glob("*.h5")))
    # each has two jobs, of two and of three files
    assert len([job for job in checkout.planned() if job[0] in PHYSICS]) == len(files) - 3 * experiments
    checkout = small.copy(tmp_path / "another")
    (checkout.path / "results/counts/CONNIE.h5").unlink()
    assert ("rates", "CONNIE") in checkout.planned()


def test_a_changed_mass_reruns_only_its_chain(small, tmp_path):
    checkout = small.copy(tmp_path / "copy")

    def heavier(data):
        data["experiments"]["NEW-1"]["current"]["mass_kg"] = 3

    checkout.edit("experiments", heavier)
    jobs = checkout.planned()
    assert {job for job in jobs if job[0] in PHYSICS} == {(rule, "NEW-1") for rule in CHAIN}
    tables = {"limits", "counts", "contours", "table2"}
    assert {rule for rule, _ in jobs} - PHYSICS == tables | FIGURES - {"fig1"}


def test_an_added_experiment_runs_only_its_chain(small, tmp_path):
    checkout = small.copy(tmp_path / "copy")
    added = yaml.safe_load(NEW.replace("NEW-1", "NEW-2"))
    checkout.edit("experiments", lambda data: data["experiments"].update(added))
    jobs = checkout.planned()
    assert {job for job in jobs if job[0] in PHYSICS} == {(rule, "NEW-2") for rule in CHAIN}


CHI2 = {"chi2", "phases"}


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("plotting", set()),
        ("statistics", CHI2 | {"solar"}),
        ("quenching", {"quenching", "rates"} | CHI2),
        ("solar", {"solar"} | CHI2),  # a combination may have it
        ("reactor_spectra", {"flux_table", "rates"} | CHI2),
    ],
)
def test_an_edited_module_reruns_what_depends_on_it(small, tmp_path, module, rules):
    checkout = small.copy(tmp_path / "copy")
    path = checkout.path / f"cevns_tmm/{module}.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    planned = {rule for rule, _ in checkout.planned()}
    assert planned & PHYSICS == rules
    if module == "plotting":
        assert planned == FIGURES


def test_an_edited_comment_in_a_configuration_file_reruns_nothing(small, tmp_path):
    checkout = small.copy(tmp_path / "copy")
    path = checkout.path / "config/config.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\n# a remark\n", encoding="utf-8")
    assert checkout.planned() == set()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return Checkout(tmp_path_factory.mktemp("bad"))


# of every kind of mistake one: in the text, of one value, of several, of a reading, of the audit
@pytest.mark.parametrize(
    "case",
    [
        *("key given twice", "name with a new line", "range upside down", "departure to nonsense"),
        *("scaling of text", "file of 10 MB"),
    ],
)
def test_bad_configuration_is_one_line_before_any_job(checkout, case):
    name, change, message = BAD[case]
    path = checkout.path / f"config/{name}.yaml"
    good = path.read_text(encoding="utf-8")
    path.write_text(change(good), encoding="utf-8")
    try:
        done = checkout.snakemake(check=False)
    finally:
        path.write_text(good, encoding="utf-8")
    assert done.returncode != 0
    notice = "Using workflow specific profile"
    lines = [line for line in done.stdout.splitlines() if not line.startswith(notice)]
    assert len(lines) == 1, done.stdout
    assert lines[0].startswith(f"cevns-tmm: config/{name}.yaml: ")
    assert f": {message}" in lines[0] or f", {message}" in lines[0], lines[0]
    assert not (checkout.path / "results").exists()


def test_bad_data_are_one_line_before_any_job(checkout):
    path = checkout.path / "cevns_tmm/data/reactor_spectra_below_2MeV.csv"
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("Kopeikin2012,all,0.02,0.301", "Kopeikin2012,all,0.02,-1"))
    try:
        done = checkout.snakemake(check=False)
    finally:
        path.write_text(good, encoding="utf-8")
    assert done.returncode != 0
    last = done.stdout.splitlines()[-1]
    assert last.startswith("cevns-tmm: ")
    assert "cevns_tmm/data/reactor_spectra_below_2MeV.csv: line 6: " in last
    assert "'-1' must be a finite number of at least 0" in last
    assert not (checkout.path / "results").exists()


def test_a_mistyped_target_is_one_sentence(checkout):
    done = checkout.snakemake("results/rates/Nope.h5", check=False)
    assert done.returncode != 0
    assert "No rule to produce results/rates/Nope.h5" in done.stdout
    assert "Traceback" not in done.stdout


def test_unknown_key_on_the_command_line_is_refused(checkout):
    done = checkout.snakemake("--config", "confidence_levell=0.95", check=False)
    assert done.returncode != 0
    assert "unknown key 'confidence_levell'" in done.stdout


DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs,dcolumn}
\begin{document}
Table~\ref{tab:limits} and Table~\ref{tab:limits-compared}.
\input{table2}
\end{document}
"""


@pytest.mark.parametrize("study", ["the paper", "another"])
def test_table_compiles_in_a_document(study, request, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    folder = ROOT / "resources/reference"
    if study == "another":
        folder = request.getfixturevalue("small").path / "results"
    shutil.copy(folder / "table2.tex", tmp_path)
    (tmp_path / "paper.tex").write_text(DOCUMENT, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    for _ in range(2):  # the second time for the references
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    assert not re.search("undefined|multiply defined", done.stdout)
    assert study == "another" or "Overfull" not in done.stdout
