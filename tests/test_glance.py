"""The closing words of `make study`."""

import os
import subprocess

import pytest

from pipeline.glance import glance
from tests.checkout import ROOT

MINE = """
experiments:
  Mine:
    source: reactor
    flux_per_cm2_s: 1.0e+13
    target: {Ge: 1}
    threshold_scale: nuclear-recoil
    current: {mass_kg: 1.0, threshold_keV: 2.9, exposure_d: 365.25, efficiency: 0.8}
"""
COUNTS = """reading,experiment,setup,component,n_sm,n_em_per_muB2
literal,Mine,current,nuebar,1.0,1.0
inferred,Mine,current,nuebar,123.4,1.0e+21
"""
HEAD = "reading,experiment,setup,beam,method,parameter,limit_muB,confidence_level"


def write(folder, others=1):
    for part in ("config", "results"):
        (folder / part).mkdir()
    (folder / "config/experiments.yaml").write_text(MINE, encoding="utf-8")
    rows = [HEAD]
    for reading in ("literal", "inferred"):
        for name in ("Mine", "Borexino"):
            for method, factor in (("one-at-a-time", 1), ("profiled", 10)):
                for i, limit in enumerate((1.5e-10, 2e-10, "unbounded"), 1):
                    value = limit if isinstance(limit, str) else factor * limit
                    if reading == "literal" and not isinstance(limit, str):
                        value *= others
                    rows.append(f"{reading},{name},current,reactor,{method},Lambda{i},{value},0.9")
    (folder / "results/limits.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")
    (folder / "results/counts.csv").write_text(COUNTS, encoding="utf-8")


def test_limits_of_own_experiments_places_and_warnings(tmp_path):
    write(tmp_path, others=2)
    lines = glance(tmp_path).splitlines()
    start = "Limits in 1e-10 mu_B at 90 % C.L., one moment at a time, in the reading inferred, that of the figures"
    assert lines[0] == f"{start}."
    seen = 1e21 * 1.5e-10**2 * (1 - (1 - 0.320) * (1 - 0.0216))  # 1 - |U_e1|²
    assert [line.split() for line in lines if line.startswith("Mine")] == [
        ["Mine", "current", "reactor", "123", f"{seen:.3g}", "1.5", "2", "inf"]
    ]
    assert not any(line.startswith("Borexino") for line in lines)
    assert f"{tmp_path}/results/limits.csv" in "\n".join(lines)
    notes = [line.removeprefix("cevns-tmm: ") for line in lines if line.startswith("cevns-tmm: ")]
    assert len(notes) == 2
    assert "too few for a Gaussian chi-squared" in notes[1]


def test_readings_that_are_equal_are_shown_once(tmp_path):
    write(tmp_path)
    assert glance(tmp_path).splitlines()[0].endswith("that of the figures; those in literal are the same.")


def test_the_paper_s_experiments_are_shown_if_none_is_of_one_s_own(tmp_path):
    write(tmp_path)
    (tmp_path / "config/experiments.yaml").unlink()
    for path in (tmp_path / "results").iterdir():
        path.write_text(path.read_text(encoding="utf-8").replace("Mine", "CONUS"), encoding="utf-8")
    assert any(line.startswith("CONUS ") for line in glance(tmp_path).splitlines())


def make(tmp_path, *words):
    ok = tmp_path / "paper.ok"
    ok.touch()
    command = ["make", "--no-print-directory", "-o", str(ok), f"VENV={tmp_path}", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_make_study_without_a_folder_is_one_line(tmp_path):
    done = make(tmp_path, "study")
    assert done.returncode
    assert (
        done.stderr.splitlines()[0] == "cevns-tmm: DIR=/config: no such folder; say make study DIR=my-study"
    )


@pytest.mark.parametrize("target", ["study", "check", "coverage", "report", "hepdata"])
def test_make_of_a_study_of_one_s_own(tmp_path, target):
    first = make(tmp_path, target, "DIR=nowhere").stderr.splitlines()[0]
    assert first == f"cevns-tmm: nowhere/config: no such folder; say make {target} DIR=my-study"
    lines = make(tmp_path, "--dry-run", target, "DIR=examples/cawo4").stdout.splitlines()
    assert all('--directory "examples/cawo4"' in line for line in lines if " snakemake " in line)
    assert not any(line.startswith("cat results/") or "pipeline.reference" in line for line in lines)
    assert "examples/cawo4" in lines[-1]


def test_what_make_shows_of_a_failed_run_has_the_reason():
    """Of Snakemake's lines; the table of jobs before them is left out."""
    lines = "Job stats:\njob  count\n\nExecute 1 jobs...\ncevns-tmm: rates: too bad\nWorkflowError:\n"
    shell = "show:\n\t@printf '%b' \"$$LINES_\" $(AS_STEPS)\n"
    command = ["make", "--no-print-directory", "-f", "Makefile", "-f", "-", "show"]
    environment = os.environ | {"LINES_": lines}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=shell, capture_output=True, text=True, check=True
    )
    assert done.stdout == "cevns-tmm: rates: too bad\n"
