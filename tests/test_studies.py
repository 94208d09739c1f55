"""Studies of one's own: in another directory, as a module of another workflow, changed on the command line."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from pipeline.published import one_at_a_time
from tests.checkout import ROOT, Checkout, rows

pytestmark = pytest.mark.workflow

MINE = """
experiments:
  Mine:
    source: reactor
    flux_per_cm2_s: 1.0e+13
    target: {Ge: 1}
    threshold_scale: nuclear-recoil
    current: {mass_kg: 1.0, threshold_keV: 0.2, exposure_d: 365.25, efficiency: 0.8}
"""


def snakemake(folder, *arguments):
    """Output of snakemake in a folder."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout that nothing is computed in."""
    return Checkout(tmp_path_factory.mktemp("checkout") / "copy")


@pytest.fixture(scope="module")
def study(checkout):
    """A finished study of one experiment without a future setup, made from its own folder."""
    folder = checkout.path.parent / "my-study"
    (folder / "config").mkdir(parents=True)
    (folder / "config/experiments.yaml").write_text(MINE, encoding="utf-8")
    output = snakemake(folder, "-s", checkout.path / "Snakefile")
    assert output.count("cevns-tmm: left out, because the study has no such experiment") == 1
    return folder


def test_a_study_of_one_experiment_runs_to_all_figures(study, checkout):
    for number in range(1, 9):
        assert (study / f"figures/fig{number}.pdf").read_bytes().startswith(b"%PDF")
    found = {(row["experiment"], row["setup"]) for row in rows(study / "results/limits.csv")}
    assert found == {("Mine", "current"), ("Borexino", "current")}
    assert not (checkout.path / "results").exists()


def test_a_study_is_the_same_from_wherever_it_is_run(study, checkout, tmp_path):
    """With --directory nothing is to be done; a moved checkout changes nothing either."""
    moved = tmp_path / "elsewhere"
    shutil.copytree(checkout.path, moved)
    for root in (checkout.path, moved):
        for arguments in (["-s", "Snakefile", "--directory", study], ["--directory", study]):
            assert "Nothing to be done" in snakemake(root, *arguments, "--dry-run")


@pytest.mark.parametrize(
    ("mistake", "start", "said"),
    [
        ("mass_kg: -1", "study", "config/experiments.yaml: experiments.Mine.current.mass_kg: -1 must be"),
        ("efficiency: eff.csv", "elsewhere", "config/eff.csv: line 2: efficiency: '2' must be"),
        ("efficiency: no.csv", "checkout", "efficiency: 'no.csv' must be a file in mistaken/config/"),
    ],
)
def test_a_message_names_a_file_as_it_is_from_where_snakemake_was_started(
    checkout, tmp_path, mistake, start, said
):
    folder = checkout.path / "mistaken"
    starts = {
        "study": (folder, ""),
        "elsewhere": (tmp_path, f"{folder}/"),
        "checkout": (checkout.path, "mistaken/"),
    }
    start, prefix = starts[start]
    (folder / "config").mkdir(parents=True, exist_ok=True)
    key = mistake.partition(":")[0]
    text = re.sub(rf"{key}: [^,}}]+", mistake, MINE)
    (folder / "config/experiments.yaml").write_text(text, encoding="utf-8")
    (folder / "config/eff.csv").write_text("T_keV,efficiency\n1,2\n", encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "-n", "-s", str(checkout.path / "Snakefile")]
    done = subprocess.run(
        [*command, "--directory", str(folder)],
        cwd=start,
        env=os.environ | {"PWD": str(start)},
        capture_output=True,
        text=True,
        check=False,
    )
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"cevns-tmm: {prefix}config/")
    assert said in line


def test_another_experiment_of_a_study_is_one_block(study, checkout, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(study, other)
    text = MINE + MINE.replace("experiments:", "").replace("Mine", "Second")
    (other / "config/experiments.yaml").write_text(text, encoding="utf-8")
    planned = snakemake(other, "-s", checkout.path / "Snakefile", "--dry-run")
    assert "results/rates/Second.h5" in planned
    assert "output: results/rates/Mine.h5" not in planned


def test_a_style_of_one_s_own(study, checkout, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(study, other)
    style = (ROOT / "config/paper.mplstyle").read_text(encoding="utf-8")
    (other / "config/paper.mplstyle").write_text(style + "axes.grid: True\n", encoding="utf-8")
    output = snakemake(other, "-s", checkout.path / "Snakefile", "figures/fig1.png")
    assert "rule fig1" in output
    assert (other / "figures/fig1.png").read_bytes() != (study / "figures/fig1.png").read_bytes()


def test_a_nested_value_on_the_command_line(study, checkout):
    """It arrives as text, and is taken as a number."""
    change = 'oscillation={"delta_CP_over_pi": 1.0}'
    planned = snakemake(study, "-s", checkout.path / "Snakefile", "--dry-run", "--config", change)
    assert "output: results/profiles/Mine.h5" in planned
    assert "output: results/rates/Mine.h5" not in planned


HOST = """
module tmm:
    snakefile: "{snakefile}"
    {more}

use rule * from tmm as tmm_*

rule mine:
    default_target: True
    input: "{prefix}results/limits.csv"
    output: "mine.txt"
    shell: "cp {{input}} {{output}}"
"""


@pytest.mark.parametrize("prefix", ["", "sub/moments/"])
def test_as_a_module(study, checkout, tmp_path, prefix):
    """The host's own config/ is no study; the one that ``config:`` names is read."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text("samples: [a, b]\n", encoding="utf-8")
    config = {"study": str(study / "config"), "confidence_level": 0.95}
    more = f"config: {json.dumps(config)}"
    if prefix:
        more += f"\n    prefix: {json.dumps(prefix.rstrip('/'))}"
    text = HOST.format(snakefile=checkout.path / "Snakefile", more=more, prefix=prefix)
    (tmp_path / "Snakefile").write_text(text, encoding="utf-8")
    snakemake(tmp_path)
    found = rows(tmp_path / "mine.txt")
    assert {row["experiment"] for row in found} == {"Mine", "Borexino"}
    assert {row["confidence_level"] for row in found if row["experiment"] == "Mine"} == {"0.95"}
    assert (tmp_path / f"{prefix}results/profiles/Mine.h5").is_file()
    lock = tmp_path / ".snakemake/locks/0.input.lock"
    lock.parent.mkdir(exist_ok=True)
    lock.write_text("a-file-of-the-host\n")
    assert "Nothing to be done" in snakemake(tmp_path, "--dry-run", "--nolock")
    assert lock.exists()  # the host owns locking
    lock.unlink()
    (tmp_path / f"{prefix}results/counts/Mine.h5").write_bytes(b"damaged")
    assert "tmm_rates" in snakemake(tmp_path, "--dry-run")


def test_as_a_module_the_study_is_the_paper_s(checkout, tmp_path):
    text = HOST.format(snakefile=checkout.path / "Snakefile", more="", prefix="")
    (tmp_path / "Snakefile").write_text(text, encoding="utf-8")
    planned = snakemake(tmp_path, "--dry-run")
    assert [planned.count(f"rule tmm_{rule}:") for rule in ("chi2", "profiles")] == [9, 2]


def test_a_reading_of_one_s_own_is_in_every_table(study, checkout, tmp_path):
    """Without invented texts, at another confidence level."""
    other = tmp_path / "other"
    shutil.copytree(study, other)
    text = "readings:\n  literal: []\n  inferred: [nuisance]\n  mine: [inferred, nufit, stricter]\n"
    text += "departures:\n  nuisance:\n    sets: {statistics.nuisance_on: excess}\n"
    text += "  nufit:\n    sets: {oscillation.sin2_theta12: 0.307}\n"
    text += "  stricter:\n    sets: {confidence_level: 0.95}\n"
    (other / "config/readings.yaml").write_text(text, encoding="utf-8")
    snakemake(other, "-s", checkout.path / "Snakefile", "results/table2.md", "results/counts.csv")
    limits = {
        (row["reading"], row["parameter"]): (float(row["limit_muB"]), row["confidence_level"])
        for row in one_at_a_time(rows(other / "results/limits.csv"))
        if row["experiment"] == "Mine"
    }
    assert limits["mine", "Lambda1"][1] == "0.95"
    assert limits["mine", "Lambda1"][0] > limits["inferred", "Lambda1"][0]
    assert "mine" in (other / "results/table2.md").read_text(encoding="utf-8")
