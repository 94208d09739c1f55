"""The profile for any scheduler, with stand-ins for HTCondor's commands."""

import os
import shutil
import signal
import subprocess
import time

import pytest
import yaml

from tests.checkout import ROOT

pytestmark = pytest.mark.workflow

PROFILE = ["--workflow-profile", "workflow/profiles/generic"]
PROFILE += ["--seconds-between-status-checks", "1"]


@pytest.fixture
def pool(tmp_path, monkeypatch):
    """A folder with the commands, first in PATH."""
    folder = tmp_path / "pool"
    folder.mkdir()
    for command in ("submit", "q", "history", "rm"):
        shutil.copy(ROOT / "tests/fake_htcondor.py", folder / f"condor_{command}")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def waiting(pool):
    """The first job, once it is there."""
    for _ in range(240):
        started = [job for job in sorted(pool.glob("jobs/*")) if (job / "pid").exists()]
        if started:
            return started[0]
        time.sleep(0.25)
    raise AssertionError("nothing was submitted")


def test_same_bytes_as_the_local_run(small, pool, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    checkout.snakemake(*PROFILE)
    small.same_products(checkout)
    assert len(list((pool / "jobs").iterdir())) < 10  # grouped: about 30 jobs


def test_a_removed_job_is_tried_again_with_more_memory(small, pool, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    target = "results/quenching.h5"
    process = checkout.start("--cores", "2", *PROFILE, target)
    subprocess.run(["condor_rm", waiting(pool).name], check=True)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert "Trying to restart job" in output
    assert (checkout.path / target).read_bytes() == (small.path / target).read_bytes()
    asked = [(job / "description").read_text() for job in sorted(pool.glob("jobs/*"))]
    assert ["request_memory = 600MB" in text for text in asked] == [True, False]
    assert "request_memory = 1200MB" in asked[1]


def test_a_failing_job_says_why_and_is_not_waited_for(small, pool, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    script = checkout.path / "scripts/compute_quenching.py"
    text = script.read_text().replace("T = np", 'raise ValueError("no T")\n    T = np')
    script.write_text(text)
    done = checkout.snakemake(*PROFILE, "results/quenching.h5", check=False)
    assert done.returncode != 0
    assert "ValueError: no T" in done.stdout
    assert len(list((pool / "jobs").iterdir())) == 3  # the first and two retries


def test_an_interrupted_run_removes_its_jobs(small, pool, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    process = checkout.start("--cores", "2", *PROFILE, "results/limits.csv")
    job = waiting(pool)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode != 0
    assert (job / "removed").exists()


def test_a_job_that_htcondor_does_not_know_is_failed_after_ten_minutes(pool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lost = tmp_path / "logs/htcondor/7.0.lost"
    lost.parent.mkdir(parents=True)
    for command in ("q", "history"):
        (pool / f"condor_{command}").write_text("#!/bin/sh\n")

    def status():
        command = [str(ROOT / "workflow/profiles/generic/status"), "7.0"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert status() == "running\n"
    os.utime(lost, (time.time() - 660,) * 2)
    assert status() == "failed\n"


def test_the_profiles_group_alike():
    one, two = (
        yaml.safe_load((ROOT / f"workflow/profiles/{name}/profile.yaml").read_text())
        for name in ("slurm", "generic")
    )
    for key in ("groups", "group-components", "retries", "cores"):
        assert one[key] == two[key]
