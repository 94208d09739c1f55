"""The pipeline through a real SLURM: the same bytes as a local run, whatever happens while jobs wait."""

import importlib.util
import os
import re
import signal
import subprocess
import time

import pytest
import yaml

from tests import slurm_node
from tests.checkout import ROOT, Checkout

pytestmark = [pytest.mark.workflow, pytest.mark.long]

SLURM = ["--workflow-profile", "workflow/profiles/slurm"]
GENERIC = ["--workflow-profile", "workflow/profiles/generic", "--seconds-between-status-checks=2"]

both_profiles = pytest.mark.parametrize("profile", [SLURM, GENERIC], ids=["slurm", "generic"])


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    reason = slurm_node.missing()
    for plugin in ("slurm", "cluster_generic"):
        if not reason and importlib.util.find_spec(f"snakemake_executor_plugin_{plugin}") is None:
            reason = "a plugin is not installed: requirements/cluster.txt"
    if reason:
        pytest.skip(f"no SLURM: {reason}")
    with slurm_node.SlurmNode(tmp_path_factory.mktemp("slurm") / "node") as running:
        yield running


def only_job(node, other_than=None):
    """Id and memory of the one job, once it waits or runs."""
    for _ in range(240):
        jobs = [job for job in node.jobs().items() if job[0] != other_than]
        if jobs:
            assert len(jobs) == 1
            return jobs[0]
        time.sleep(0.25)
    raise AssertionError("nothing was submitted")


def ended(process):
    """Exit status and output of snakemake."""
    output, _ = process.communicate(timeout=500)
    return process.returncode, output


def test_the_whole_paper_has_the_same_bytes_as_the_local_run(node, tmp_path):
    checkout = Checkout(tmp_path / "slurm")
    output = checkout.snakemake(*SLURM).stdout
    assert 0 < output.count("SLURM jobid") <= 12  # grouped: 35 jobs
    local = checkout.copy(tmp_path / "local", results=False)
    local.snakemake()
    local.same_products(checkout)


def test_toys_have_the_same_bytes_as_those_of_the_local_run(node, tmp_path):
    """However they are spread: here 12 blocks in two submissions, beside one that makes the counts."""
    checkout = Checkout(tmp_path / "slurm")
    checkout.keep(["CsI", "CONUS"])
    checkout.edit("config", lambda data: data["coverage"].update(toys_per_block=100, blocks=6))
    targets = ["results/coverage.csv", "results/expected_limits.csv", "results/honest_limits.csv"]
    output = checkout.snakemake(*SLURM, "--", *targets).stdout
    assert output.count("SLURM jobid") >= 3
    local = checkout.copy(tmp_path / "local", results=False)
    local.snakemake(*targets, cores=1)
    local.same_products(checkout)


def test_the_generic_profile_makes_the_same_bytes(node, small, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    checkout.snakemake(*GENERIC)
    small.same_products(checkout)


def test_the_generic_profile_knows_how_a_job_ended(node, tmp_path, monkeypatch):
    profile = yaml.safe_load((ROOT / "workflow/profiles/generic/config.yaml").read_text())

    def status(job):
        command = f"{profile['cluster-generic-status-cmd']} '{job}'"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    for command, end in (("true", "success"), ("false", "failed")):
        submit = ["sbatch", "--parsable", "--output=/dev/null", "--mem=100", f"--wrap={command}"]
        done = subprocess.run(submit, capture_output=True, text=True, check=True)
        job = done.stdout.strip()
        node.wait(lambda job=job: status(job) != "running", "the job")
        assert status(job) == end
    assert status("99999") == "failed"
    elsewhere = re.sub("(?<=SlurmctldPort=).*", "1", slurm_node.CONF.read_text())
    (tmp_path / "slurm.conf").write_text(elsewhere)
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm.conf"))  # no controller answers
    assert status("99999") == "running"


@both_profiles
def test_a_cancelled_job_is_tried_again_with_more_memory(node, small, tmp_path, profile):
    checkout = small.copy(tmp_path / "copy", results=False)
    with node.waiting():
        process = checkout.start("--cores=2", *profile, "results/quenching.h5")
        first, memory = only_job(node)
        subprocess.run(["scancel", first], check=True)
        _, more = only_job(node, other_than=first)
    status, output = ended(process)
    assert status == 0, output[-5000:]
    assert [memory, more] == ["600M", "1200M"]
    checkout.agrees_with(small)


@both_profiles
def test_an_interrupted_run_cancels_its_jobs(node, small, tmp_path, profile):
    checkout = small.copy(tmp_path / "copy", results=False)
    with node.waiting():
        process = checkout.start("--cores=2", *profile, "results/quenching.h5")
        only_job(node)
        os.kill(process.pid, signal.SIGINT)
        status, _ = ended(process)
        assert status != 0
        assert node.jobs() == {}


@both_profiles
def test_jobs_that_wait_compute_what_was_planned(node, small, tmp_path, profile):
    """The plans of a run stay as they are until it ends, whoever looks at it meanwhile."""
    checkout = small.copy(tmp_path / "copy", results=False)
    target = "results/profiles/CONNIE.h5"
    with node.waiting():
        process = checkout.start("--cores=2", *profile, target)
        only_job(node)
        checkout.edit("config", lambda data: data.update(confidence_level=0.95))
        assert "another snakemake" in checkout.snakemake("--dry-run").stdout
    status, output = ended(process)
    assert status == 0, output[-5000:]
    checkout.agrees_with(small)
    assert checkout.planned(target) == {("chi2", "CONNIE")}
