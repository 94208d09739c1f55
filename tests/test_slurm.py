"""The pipeline through a real SLURM: the same bytes as a local run, also when a job is cancelled."""

import importlib.util
import subprocess
import time

import pytest

from tests import slurm_node
from tests.checkout import Checkout

pytestmark = pytest.mark.workflow

PROFILE = ["--workflow-profile", "workflow/profiles/slurm"]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    reason = slurm_node.missing()
    if not reason and importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        reason = "the SLURM plugin is not installed: requirements/cluster.txt"
    if reason:
        pytest.skip(f"no SLURM: {reason}")
    with slurm_node.SlurmNode(tmp_path_factory.mktemp("slurm") / "node") as running:
        yield running


def test_the_whole_paper_has_the_same_bytes_as_the_local_run(node, tmp_path):
    checkout = Checkout(tmp_path / "slurm")
    output = checkout.snakemake(*PROFILE).stdout
    assert 0 < output.count("SLURM jobid") <= 12  # grouped: 63 jobs
    local = checkout.copy(tmp_path / "local", results=False)
    local.snakemake()
    local.same_products(checkout)


def test_a_cancelled_job_is_tried_again(node, small, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    target = "results/counts/CONNIE.h5"
    process = checkout.start(*PROFILE, target)
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
    assert (checkout.path / target).read_bytes() == (small.path / target).read_bytes()


STATUS = """#!/bin/sh
case $(scontrol show job -o "$1") in
  *JobState=COMPLETED*) echo success ;;
  *JobState=PENDING* | *JobState=RUNNING* | *JobState=COMPLETING*) echo running ;;
  *) echo failed ;;
esac
"""
SUBMIT = "sbatch --parsable --cpus-per-task={threads} --mem={resources.mem_mb} --time={resources.runtime}"


def test_the_generic_profile_with_the_commands_of_slurm(node, small, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    status = tmp_path / "status"
    status.write_text(STATUS, encoding="utf-8")
    status.chmod(0o755)
    checkout.snakemake(
        *("--workflow-profile", "workflow/profiles/generic"),
        *("--cluster-generic-submit-cmd", f"{SUBMIT} --output=/dev/null"),
        *("--cluster-generic-status-cmd", str(status), "--cluster-generic-cancel-cmd", "scancel"),
    )
    small.same_products(checkout)
