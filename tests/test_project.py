"""The project's own files agree with each other."""

import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml

from cevns_tmm import __version__
from tests.checkout import ROOT

STUB = """#!/bin/sh
case "$*" in *"{failing}"*) exit 1;; esac
exit 0
"""


@pytest.mark.parametrize(
    ("failing", "message"),
    [("version_info", "needs Python 3.11 or newer"), ("ensurepip", "this Python has no venv")],
)
def test_a_machine_without_python_or_venv_gets_one_line(tmp_path, failing, message):
    python = tmp_path / "python"
    python.write_text(STUB.format(failing=failing), encoding="utf-8")
    python.chmod(0o755)
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    command = ["make", "paper", f"PYTHON={python}"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    own = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
    assert len(own) == 1
    assert message in own[0]


def test_settings_of_pip_do_not_reach_the_environment():
    """PIP_USER=1 would stop pip in a virtual environment."""
    command = ["make", "--dry-run", "--always-make", ".venv/paper.ok"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    installs = [line for line in done.stdout.splitlines() if " -m pip install" in line]
    assert len(installs) == 2
    assert all(line.startswith("PIP_USER=0 ") for line in installs)


def pins(*without):
    """Versions of all dependency groups but those named."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        groups = tomllib.load(file)["dependency-groups"]
    texts = [text for name in groups.keys() - set(without) for text in groups[name] if isinstance(text, str)]
    return dict(text.split("==") for text in texts)


def test_conda_environment_has_the_same_versions():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    pinned = dict(d.split("=") for d in environment["dependencies"] if ">=" not in d)
    assert pinned == pins("build", "htcondor", "dev")  # conda has not all of them, and needs no linters


def test_locks_have_the_same_versions_and_no_addresses():
    locked = {}
    for group in ("build", "paper", "cluster", "htcondor", "dev"):
        text = (ROOT / f"requirements/{group}.txt").read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index-url" not in text
        found = re.findall(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", text, flags=re.MULTILINE)
        locked[group] = set(found)
        assert all("--hash=sha256:" in part for part in re.split(r"\n(?=\w)", text.strip()))
    assert locked["paper"] <= locked["cluster"] <= locked["dev"]
    assert locked["paper"] <= locked["htcondor"]
    assert pins().items() <= dict(set().union(*locked.values())).items()


def test_every_place_has_the_same_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    newest = re.search(
        r"^## \[?(\d[\d.]+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )[1]
    titled = re.match(r"cevns-tmm (\S+): ", citation["title"])[1]
    assert {citation["version"], titled, newest} == {__version__}


def test_commands_for_reana_are_text():
    text = (ROOT / "reana.yaml").read_text(encoding="utf-8")
    steps = yaml.safe_load(text)["workflow"]["specification"]["steps"]
    assert all(isinstance(command, str) for step in steps for command in step["commands"])


@pytest.mark.workflow
def test_the_inputs_for_reana_are_enough(tmp_path):
    """A dry run from only what reana.yaml lists."""
    inputs = yaml.safe_load((ROOT / "reana.yaml").read_text(encoding="utf-8"))["inputs"]
    for name in inputs["files"]:
        shutil.copy(ROOT / name, tmp_path)
    for name in inputs["directories"]:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "table2" in done.stdout + done.stderr


def test_experiments_have_colours_of_their_own():
    config = yaml.safe_load((ROOT / "config/experiments.yaml").read_text(encoding="utf-8"))
    colours = [block["colour"] for block in config["experiments"].values()]
    assert len(set(colours)) == len(colours)


def test_every_configuration_key_is_described():
    def undescribed(schema, path):
        for key, block in schema.get("properties", {}).items():
            if isinstance(block, dict) and not block.get("description"):
                yield f"{path}.{key}"
        for key, block in schema.items():
            if isinstance(block, dict):
                yield from undescribed(block, f"{path}.{key}")

    for name in ("config", "experiments", "readings"):
        text = (ROOT / f"cevns_tmm/schemas/{name}.yaml").read_text(encoding="utf-8")
        assert [p for p in undescribed(yaml.safe_load(text), name) if ".if." not in p] == []
