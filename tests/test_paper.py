"""The paper's own numbers, the audit and the check that guards them."""

import re
import shutil
import subprocess

import pytest
import yaml

from cevns_tmm.storage import sha256
from pipeline import docs, reference
from pipeline.published import one_at_a_time
from tests.checkout import ROOT, Checkout, rows

pytestmark = [pytest.mark.workflow, pytest.mark.long]


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """All the paper's experiments and the audit, without the figures and on coarse grids."""
    checkout = Checkout(tmp_path_factory.mktemp("paper"))
    checkout.coarse()
    checkout.snakemake("results/check.md", "results/provenance.csv")
    return checkout


def published():
    for row in rows(ROOT / "resources/published_table2.csv"):
        for parameter in ("Lambda1", "Lambda2", "Lambda3"):
            yield (row["experiment"], row["setup"], row["beam"], parameter), row[parameter]


def misses():
    config = yaml.safe_load((ROOT / "config/audit.yaml").read_text(encoding="utf-8"))
    return {tuple(miss["entry"]) for miss in config["audit"]["misses"]}


def test_inferred_reading_gives_table_2(paper):
    limits = {
        (r["experiment"], r["setup"], r["beam"], r["parameter"]): float(r["limit_muB"]) / 1e-10
        for r in one_at_a_time(rows(paper.path / "results/limits.csv"))
        if r["reading"] == "inferred"
    }
    missed = set()
    for key, text in published():
        digit = 10 ** -len(text.partition(".")[2])
        if abs(limits[key] - float(text)) > max(0.03 * float(text), digit / 2):
            missed.add(key)
    assert missed == misses()
    assert len(missed) <= 1


def test_literal_reading_does_not(paper):
    ratios = {
        tuple(r[k] for k in ("experiment", "setup", "beam", "parameter")): float(r["literal"])
        / float(r["published"])
        for r in rows(paper.path / "results/table2.csv")
        if r["published"]
    }
    assert ratios["LAr", "current", "prompt", "Lambda1"] == pytest.approx(3.6, abs=0.1)
    assert ratios["CsI", "current", "prompt", "Lambda1"] == pytest.approx(1.03, abs=0.02)
    assert ratios["RED100", "current", "reactor", "Lambda1"] == float("inf")


def test_tables_have_all_rows_in_the_promised_columns(paper):
    limits, counts = (
        rows(paper.path / "results/limits.csv"),
        rows(paper.path / "results/counts.csv"),
    )
    assert list(limits[0]) == [
        "reading",
        "experiment",
        "setup",
        "beam",
        "method",
        "parameter",
        "limit_muB",
        "confidence_level",
    ]
    assert list(counts[0]) == [
        "reading",
        "experiment",
        "setup",
        "component",
        "n_sm",
        "n_em_per_muB2",
    ]
    # 4 SNS experiments with 3 beams, 5 reactor experiments, 2 setups; Borexino
    # 4 methods and 3 moments each, 3 methods of Borexino, 2 of each of 2 combinations; the flavour basis has 5
    assert len(limits) == 2 * ((4 * 3 + 5) * (4 * 3 * 2 + 5 * 2) + 3 * 3 + 2 * 2 * 3)
    assert len(counts) == 2 * (4 * 3 * 2 + 5 * 2)


def test_a_limit_is_unbounded_where_a_direction_is_blind(paper):
    """And inf, which wins, where no number of events is excluded or no flavour gives any."""
    limits = {
        tuple(r[k] for k in ("reading", "experiment", "setup", "beam", "method", "parameter")): r["limit_muB"]
        for r in rows(paper.path / "results/limits.csv")
    }
    for key, text in limits.items():
        reading, experiment, _, beam, method, parameter = key
        reactor, free = beam == "reactor", method != "one-at-a-time"
        blind = parameter == ("Lambda_e" if reactor else "Lambda_mu") and beam in ("reactor", "prompt")
        if (reading, experiment) == ("literal", "RED100"):
            assert text == "inf"
        elif blind or (free and beam in ("reactor", "prompt")):
            assert text == "unbounded"
        elif (beam, parameter) in (("reactor", "mu_nu_mu"), ("prompt", "mu_nu_e")):
            assert text == "inf"
        else:
            assert 1e-12 < float(text) < 1e-6


def test_full_beam_identity_of_the_results(paper):
    limits = {
        tuple(r[k] for k in ("reading", "experiment", "setup", "beam", "parameter")): float(r["limit_muB"])
        for r in one_at_a_time(rows(paper.path / "results/limits.csv"))
    }
    full = [key for key in limits if key[3] == "full"]
    assert len(full) == 2 * 4 * 2 * 3
    for key in full:
        prompt, delayed = (limits[(*key[:3], beam, key[4])] for beam in ("prompt", "delayed"))
        assert prompt**-2 + delayed**-2 == pytest.approx(limits[key] ** -2, rel=1e-9, abs=0)


def test_csi_prediction_is_the_collaboration_s(paper):
    """COHERENT predicts 173 events (Science 357 (2017) 1123)."""
    n_sm = sum(
        float(r["n_sm"])
        for r in rows(paper.path / "results/counts.csv")
        if (r["reading"], r["experiment"], r["setup"]) == ("inferred", "CsI", "current")
    )
    assert n_sm == pytest.approx(173, abs=1)


def test_every_rule_is_part_of_the_run(paper):
    targets = ("all", "report", "check", "coverage", "maps", "results/hepdata/submission.yaml")
    text = paper.snakemake("--forceall", "--dry-run", *targets).stdout
    run = set(re.findall(r"^\s*rule (\w+):", text, flags=re.MULTILINE)) | {"all"}
    listed = set(re.findall(r"^(\w+) \(.+\)$", paper.snakemake("--list-rules").stdout, flags=re.MULTILINE))
    assert {"flux_table", "chi2", "phases", "audit_rates", "check"} <= listed
    # the paper's study has no maps, but the table of maps
    assert listed - run == {"sensitivity_map", "map_figure"}


def test_check_passes(paper):
    done = paper.snakemake("check")
    assert "checks failed" not in done.stdout
    assert {row["passed"] for row in rows(paper.path / "results/check.csv")} == {"yes"}


def broken(tmp_path, file, old, new):
    """What `make check` says after one line of the physics is changed."""
    checkout = Checkout(tmp_path / "broken")
    checkout.coarse()
    path = checkout.path / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    done = checkout.snakemake("check", check=False)
    assert done.returncode != 0
    failed = [r for r in rows(checkout.path / "results/check.csv") if r["passed"] == "no"]
    kinds = {row["check"] for row in failed}
    assert "checks failed, all in results/check.md" in done.stdout
    for row in failed[:5]:
        assert f"{row['check']}: {row['name']}" in done.stdout
    return kinds, failed


@pytest.mark.long
def test_a_coupling_moved_by_one_percent_fails_the_reference(tmp_path):
    line = "    vector_n = (g_uL + g_uR) + 2 * (g_dL + g_dR)\n"
    kinds, failed = broken(tmp_path, "cevns_tmm/cross_section.py", line, f"{line}    vector_n *= 1.01\n")
    assert "limits.csv" in kinds
    assert any("inferred LAr current prompt one-at-a-time Lambda1" in row["name"] for row in failed)


def test_ablation_switches_each_departure(paper):
    table = rows(paper.path / "results/audit/ablation.csv")
    off = {r["departure"]: r for r in table if r["switched"] == "off in inferred"}
    departures = yaml.safe_load((ROOT / "config/readings.yaml").read_text(encoding="utf-8"))
    assert set(off) == {"-", *departures["departures"]}
    for name, row in off.items():
        assert name == "-" or int(row["limits moved"]) > 0
    assert int(off["nuisance-on-signal"]["entries lost"]) > 60
    limits = rows(paper.path / "results/audit/limits.csv")
    by_reading = {}
    for row in limits:
        key = tuple(row[k] for k in ("experiment", "setup", "beam", "parameter"))
        by_reading.setdefault(row["reading"], {})[key] = row["limit_muB"]
    shown = {}
    for row in one_at_a_time(rows(paper.path / "results/limits.csv")):
        key = tuple(row[k] for k in ("experiment", "setup", "beam", "parameter"))
        if row["beam"] != "combined":  # the paper has no combinations, so the audit leaves them out
            shown.setdefault(row["reading"], {})[key] = row["limit_muB"]
    for reading in ("literal", "inferred"):
        assert by_reading[reading] == shown[reading]


def test_budget_has_every_limit_and_the_right_signs(paper):
    table = rows(paper.path / "results/audit/budget.csv")
    inputs = yaml.safe_load((ROOT / "config/audit.yaml").read_text(encoding="utf-8"))["audit"]["budget"]
    assert len(table) == len(inputs) * 3 * (4 * 3 * 2 + 5 * 2 + 1)
    for row in table:
        if row["experiment"] != "Borexino" and row["input"] in ("flux", "sigma-sys"):
            sign = -1 if row["input"] == "flux" else 1
            assert sign * float(row["down [%]"]) < 0 < sign * float(row["up [%]"])
        if row["input"] == "quenching":
            quenched = row["experiment"] in ("CONUS", "CONNIE", "MINER", "TEXONO")
            assert (float(row["up [%]"]) < 0) == quenched


def test_claims_are_judged_on_the_results(paper):
    verdicts = {row["claim"]: row for row in rows(paper.path / "results/claims.csv")}
    assert verdicts["degenerate-direction"]["verdict"] == "holds"
    assert verdicts["future-beats-borexino"]["verdict"] == "holds only under inferred"
    # Fig. 7: true in the plane of the second and third moment only
    assert verdicts["phases-sns"]["verdict"] == "does not hold"
    assert "6 of 39" in verdicts["future-order-of-magnitude"]["measured inferred"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("file", "change", "name"),
    [
        (
            "config/audit.yaml",
            lambda text: text.replace("[MINER, current", "[MINNER, current"),
            "published: MINER current reactor Lambda1: 1.76",
        ),
        (
            "resources/reference/claims.csv",
            lambda text: text.replace("holds only under inferred", "holds"),
            "claims.csv: ",
        ),
        (
            "resources/reference/limits.csv",
            lambda text: text + "inferred,CsI,current,full,one-at-a-time,Lambda4,1.0e-09,0.9\n",
            "limits.csv: inferred CsI current full one-at-a-time Lambda4: only in the reference",
        ),
    ],
)
def test_nothing_is_lost_from_the_checks(paper, file, change, name):
    path = paper.path / file
    good = path.read_text(encoding="utf-8")
    sums = paper.path / "resources/reference/SHA256SUMS"
    accepted = sums.read_text(encoding="utf-8")
    bad = change(good)
    assert bad != good
    old = sha256(path)
    path.write_text(bad, encoding="utf-8")
    sums.write_text(accepted.replace(old, sha256(path)), encoding="utf-8")
    try:
        done = paper.snakemake("check", check=False)
    finally:
        path.write_text(good, encoding="utf-8")
        sums.write_text(accepted, encoding="utf-8")
    assert done.returncode != 0
    assert name in done.stdout


@pytest.mark.long
def test_claims_fall_away_with_their_experiments(tmp_path):
    checkout = Checkout(tmp_path / "few")
    checkout.keep(["LAr", "CONUS"])
    checkout.coarse()
    checkout.snakemake("results/claims.csv")
    verdicts = {row["claim"]: row["verdict"] for row in rows(checkout.path / "results/claims.csv")}
    assert not {"phases-sns", "phases-reactor", "lar-nai-beat-csi"} & set(verdicts)
    assert verdicts["reactor-12-plane"] == "holds"


def test_the_published_table_is_whole():
    published = rows(ROOT / "resources/published_table2.csv")
    assert len(published) == 31
    assert len({tuple(row.values()) for row in published}) == 31


def test_generated_documents_are_up_to_date():
    """`make docs` would change nothing."""
    for path, text in docs.generated().items():
        assert path.read_text(encoding="utf-8") == text, path


@pytest.mark.long
def test_report_opens_without_a_network(paper, tmp_path):
    """It opens on the verdict, and fits a wide screen and a narrow one."""
    paper.snakemake("results/report.html")
    report = paper.path / "results/report.html"
    text = report.read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=.https?:", text)
    assert "Miranda" in text.partition("<nav>")[0]
    words = ['id="verdict"', "92 of 93", 'id="table2"', 'id="worth"', "unbounded", 'id="profiled"']
    words += [*(f'id="fig{n}"' for n in range(1, 9))]
    words += [
        'id="claims"',
        "A significant improvement up to",
        'id="ablation"',
        "csi-pe-smearing",
        'id="budget"',
        "theta12",
        "numpy",
    ]
    places = [text.index(word) for word in words]
    assert places == sorted(places)
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium to open the report in")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
    options += ["--disable-background-networking", "--disable-component-update", "--disable-quic"]
    options += [f"--user-data-dir={tmp_path / 'chromium'}", "--virtual-time-budget=10000"]
    page = tmp_path / "width.html"
    script = "<script>document.title = document.documentElement.scrollWidth</script></body>"
    page.write_text(text.replace("</body>", script), encoding="utf-8")
    for width in (1280, 400):
        frame = tmp_path / "frame.html"  # a window of Chromium is at least 500 wide
        onload = "document.title = this.contentDocument.title"
        frame.write_text(
            f'<iframe src="width.html" width="{width}" onload="{onload}"></iframe>', encoding="utf-8"
        )
        command = [browser, *options, "--allow-file-access-from-files", "--dump-dom", frame.as_uri()]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
        needed = int(re.search(r"<title>(\d+)</title>", dom).group(1))
        assert needed <= width + 20, "the page is wider than the screen"


def test_a_planted_mistake_is_named(paper, tmp_path):
    """Samples notice what is in no table: a plane transposed, two beams exchanged, a unit."""
    paper.snakemake("results/samples.csv")
    good = rows(paper.path / "results/samples.csv")
    files = {row["file"].partition("/")[0].removesuffix(".h5") for row in good}
    assert {
        "fluxes",
        "rates",
        "counts",
        "profiles",
        "planes",
        "phases",
        "luminosity",
        "solar",
        "quenching",
        "audit",
    } <= files
    profiles = {row["part"]: row["values"] for row in good if row["file"] == "profiles/CsI.h5"}
    prompt, delayed = (profiles[f"current/inferred/{beam}/delta_chi2"] for beam in ("prompt", "delayed"))
    assert prompt.split()[:2] == ["1", "3x60"]
    assert not reference.is_same(prompt, delayed)
    assert reference.is_same(prompt, prompt.replace(" ", "  "))
    planes = {row["part"]: row["values"] for row in good if row["file"] == "planes/CONUS.h5"}
    assert len({planes[f"current/inferred/reactor/delta_chi2_{p}"] for p in ("12", "13", "23")}) == 3


@pytest.mark.parametrize(
    ("text", "other", "same"),
    [
        ("1.0000000001 mu_B", "1.0 mu_B", True),
        ("1.00000001", "1.0", False),
        ("a 1", "b 1", False),
        ("1 2", "1", False),
        ("inf", "inf", True),
        ("| 1.50 |", "| 1.5 |", True),
        ("1e-20", "0", False),
    ],
)
def test_texts_are_the_same_up_to_rounding(text, other, same):
    assert reference.is_same(text, other) == same


@pytest.mark.long
def test_a_study_that_is_not_the_paper_s_says_so(paper):
    """No check against the reference, the difference named, published limits only at their level."""
    paper.snakemake("check", "--config", "confidence_level=0.95")
    for name in ("check.md", "table2.md"):
        text = (paper.path / "results" / name).read_text(encoding="utf-8")
        assert "This study is not the paper's: it differs in confidence_level." in text
    table = rows(paper.path / "results/table2.csv")
    assert {row["confidence_level"] for row in table if row["beam"] != "solar"} == {"0.95"}
    assert {row["experiment"] for row in table if row["published"]} == {"Borexino"}
    assert "95 % C.L. (CsI" in (paper.path / "results/table2.md").read_text(encoding="utf-8")
    paper.snakemake("check")
