"""The pipeline through a real SLURM: the same bytes as a local run, also when a job is cancelled."""

import importlib.util
import shutil
import subprocess
import sys
import time

import pytest

from tests import slurm_node
from tests.checkout import Checkout

pytestmark = pytest.mark.workflow

PROFILE = "workflow/profiles/slurm"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    reason = slurm_node.missing()
    if not reason and importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        reason = "the SLURM plugin is not installed: requirements/slurm.txt"
    if reason:
        pytest.skip(f"no SLURM: {reason}")
    with slurm_node.SlurmNode(tmp_path_factory.mktemp("slurm") / "node") as running:
        yield running


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    checkout = Checkout(tmp_path_factory.mktemp("local"))
    checkout.keep(["CsI", "CONNIE"])
    checkout.coarse()
    checkout.snakemake()
    return checkout


def fresh(local, path):
    """The same checkout elsewhere, nothing computed."""
    twin = object.__new__(Checkout)
    twin.path = path / "elsewhere"
    made = shutil.ignore_patterns("results", "figures", "logs", ".snakemake", "__pycache__")
    shutil.copytree(local.path, twin.path, ignore=made)
    return twin


def submit(checkout, *targets):
    """Start snakemake with the SLURM profile."""
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", PROFILE, *targets]
    return subprocess.Popen(
        command, cwd=checkout.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_same_bytes_as_the_local_run(node, local, tmp_path):
    checkout = fresh(local, tmp_path)
    process = submit(checkout)
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output[-5000:]
    assert "SLURM jobid" in output
    one, two = local.products(), checkout.products()
    assert [name for name in one if one[name] != two.get(name)] == []
    assert one.keys() == two.keys()
    # grouped: far fewer submissions than jobs
    assert output.count("SLURM jobid") < 63


def test_a_cancelled_job_is_tried_again(node, local, tmp_path):
    checkout = fresh(local, tmp_path)
    target = "results/counts/CONNIE.h5"
    process = submit(checkout, target)
    cancelled = None
    for _ in range(240):
        jobs = node.jobs()
        if jobs:
            cancelled = jobs[0]
            subprocess.run(["scancel", cancelled], check=True)
            break
        time.sleep(0.25)
    output, _ = process.communicate(timeout=500)
    assert cancelled is not None
    assert process.returncode == 0, output[-5000:]
    assert "Trying to restart job" in output
    assert (checkout.path / target).read_bytes() == (local.path / target).read_bytes()
