"""Every command on the pages is run as printed, or it is known what else tries it."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import warnings

import pytest

from cevns_tmm import Study
from tests.checkout import NEW, ROOT, Checkout

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

HERE = (".", "cp", "make", "mkdir", "snakemake")
"""Programs that the test below runs, make and snakemake with --dry-run."""

ELSEWHERE = {
    **dict.fromkeys(["cd", "git", "tar", "snakemake --archive"], "by hand: docs/deposit.md"),
    **dict.fromkeys(["cffconvert", "reuse", "repo2rocrate", "hepdata-validate"], "by hand: docs/deposit.md"),
    **dict.fromkeys(["podman", "docker", "apptainer"], "docs/container.md says what was run"),
    **dict.fromkeys(["pip install reana-client", "reana-client"], "docs/reana.md says what was run"),
    "pip install .": "tests/test_front_door.py",
    "pip install snakemake-logger-plugin-rich": "by hand, 0.5.1",
    "pip-audit": "needs a database",
    "conda env create": "tests/test_project.py checks the file",
    "python -m tests.measure_cost": "by hand",
    ".venv/bin/pre-commit install": "its hooks are those of make lint",
}
"""Commands by what they begin with, and what tries them."""

MAKE_ELSEWHERE = {
    "bench": "by hand: many minutes",
    "ci": "is .ci/run",
    "clean": "by hand",
    "docs": "tests/test_paper.py compares what it writes",
    "help": "below",
    "lint": "part of test",
    "lock": "tests/test_project.py checks what it writes",
    "lowest": "a job of .github/workflows/ci.yml",
    "test-all": "test and long",
    ".venv/cluster.ok": "part of .venv/dev.ok",
    ".venv/htcondor.ok": "tests/test_project.py checks its file",
}
"""Targets of make that .ci/run does not make."""

BLOCKS = {
    ("README.md", "yaml"): "tests/test_front_door.py",
    ("README.md", "python"): "tests/test_front_door.py",
    ("python.md", "python"): "tests/test_front_door.py",
    ("limits.md", "python"): "tests/test_front_door.py",
    ("study.md", "yaml"): "tests/test_front_door.py",
    ("study.md", "python"): "below",
    ("detector.md", "yaml"): "tests/test_detectors.py, combinations and maps below",
    ("detector.md", "csv"): "below",
    ("structure.md", "mermaid"): "tests/test_structure.py",
}
"""Blocks that are not commands, and what tries them."""


def begins(command, starts):
    return any(f"{command} ".startswith(f"{start} ") for start in starts)


def is_known(command):
    return begins(command, [*HERE, *ELSEWHERE])


def commands(page):
    """Lines of unmarked blocks, and those indented lines and code spans that begin with a known program."""
    found, text = [], page.read_text(encoding="utf-8")
    parts = re.compile(r"^```(\w*)\n(.*?)^```|^    (\S.*)$|`([^`]+)`", re.MULTILINE | re.DOTALL)
    for language, block, *short in parts.findall(text):
        lines = block.splitlines() if not language else []
        lines += [words for words in short if len(words.split()) > 1 and is_known(words)]
        found += [" ".join(re.sub(r"\s+#.*", "", line).split()) for line in lines]
    return list(filter(None, found))


def blocks(name, language):
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@pages
def test_every_block_is_tried(page):
    assert [command for command in commands(page) if not is_known(command)] == []
    languages = re.findall(r"^```(\w+)\n", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in languages if (page.name, name) not in BLOCKS] == []


def test_what_is_tried_elsewhere_is_on_a_page():
    printed = [command for page in PAGES for command in commands(page)]
    assert [start for start in ELSEWHERE if not any(begins(c, [start]) for c in printed)] == []


def test_every_target_of_make_is_in_its_help_and_tried():
    targets = set(re.search(r"^\.PHONY: (.+)", MAKEFILE, re.MULTILINE)[1].split())
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make (\S+)", shown, re.MULTILINE)) == targets - {"help"}
    everything = (ROOT / ".ci/run").read_text(encoding="utf-8") + MAKEFILE
    tried = set(" ".join(re.findall(r"^(?:make|\t\$\(MAKE\)) (.+)", everything, re.MULTILINE)).split())
    tried |= MAKE_ELSEWHERE.keys()
    assert targets - tried == set()
    printed = [shlex.split(c)[1:] for page in PAGES for c in commands(page) if begins(c, ["make"])]
    assert {word for words in printed for word in words if "=" not in word} <= tried


FUNCTIONS = """
make() { command make --dry-run "$@" >/dev/null; }
snakemake() { command snakemake --dry-run --quiet rules "$@"; }
"""


@pytest.mark.long
@pytest.mark.workflow
@pages
def test_commands_run_as_printed(page, tmp_path):
    """In a copy of the checkout, one after the other."""
    here = [c for c in commands(page) if begins(c, HERE) and not begins(c, ELSEWHERE)]
    lines = [command.replace("…", "--cores 1") for command in here]
    if importlib.util.find_spec("snakemake_executor_plugin_htcondor") is None:
        lines = [line for line in lines if "profiles/htcondor" not in line]
    if not lines:
        return
    copy = Checkout(tmp_path / "copy").path
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, copy)
    made = shutil.ignore_patterns("results", "figures", "logs", ".snakemake")
    for name in ("requirements", "examples"):
        shutil.copytree(ROOT / name, copy / name, ignore=made)
    activate = copy / ".venv/bin/activate"
    activate.parent.mkdir(parents=True)
    activate.write_text(f"PATH={os.path.dirname(sys.executable)}:$PATH\n", encoding="utf-8")
    script = "\n".join([FUNCTIONS, ". .venv/bin/activate", *lines])
    command = ["bash", "-eux", "-c", script]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.long
@pytest.mark.workflow
def test_the_module_on_the_page(tmp_path):
    (block,) = blocks("study.md", "python")
    host = '\nrule host:\n    default_target: True\n    input: "moments/results/limits.csv"\n'
    (tmp_path / "Snakefile").write_text(block.replace("PATH", str(ROOT)) + host, encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "tmm_limits" in done.stdout, done.stderr


def test_the_files_on_the_page_about_detectors(tmp_path):
    (table,) = blocks("detector.md", "csv")
    (tmp_path / "efficiency.csv").write_text(table, encoding="utf-8")
    one = NEW.replace("efficiency: 0.8", "efficiency: efficiency.csv")
    text = f"experiments:{one}{NEW.replace('NEW-1', 'NEW-2')}"
    text += "".join(
        block for block in blocks("detector.md", "yaml") if block.startswith(("combinations:", "maps:"))
    )
    (tmp_path / "experiments.yaml").write_text(text, encoding="utf-8")
    with warnings.catch_warnings(action="ignore"):  # parts of the paper's study are left out
        study = Study.read(tmp_path)
    assert all(0 < limit < 1e-9 for limit in study.combination("Both").limits().values())
    found, experiment = study.sensitivity_map("NEW-1")
    limits = found.limits(experiment)["Lambda1"]
    assert limits.shape == (len(found.thresholds), len(found.exposures))
    assert (limits > 0).all()


@pytest.mark.workflow
def test_the_picture_shows_the_rules(tmp_path):
    options = ["--snakefile", ROOT / "Snakefile", "--directory", tmp_path, "--rulegraph"]
    command = [sys.executable, "-m", "snakemake", *options]
    graph = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    picture = (ROOT / "docs/images/rules.svg").read_text(encoding="utf-8")
    drawn = re.findall(r"<text [^>]+>(\w+)</text>", picture)
    assert {*drawn, "all"} == set(re.findall(r'label = "(\w+)"', graph))
