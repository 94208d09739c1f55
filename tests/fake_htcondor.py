#!/usr/bin/env python3
"""Stands in for HTCondor's commands: the jobs are processes of this machine.

Called as condor_submit, condor_q, condor_history and condor_rm; keeps a folder per job beside itself.
It knows the options of workflow/profiles/generic only, and does not answer the first question for a job.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

JOBS = Path(sys.argv[0]).parent / "jobs"
RUNNING, REMOVED, COMPLETED = 2, 3, 4


def submit(arguments):
    """Start the job of the description on standard input."""
    assert arguments == ["-terse"], arguments
    lines = sys.stdin.read().splitlines()
    assert lines.pop() == "queue"
    description = dict(re.fullmatch(r"(\w+) = (.+)", line).groups() for line in lines)
    assert re.fullmatch(r"\d+MB", description["request_memory"])
    assert int(description["request_cpus"]) > 0
    JOBS.mkdir(exist_ok=True)
    number = 1 + len(list(JOBS.iterdir()))
    job = JOBS / f"{number}.0"
    job.mkdir()
    (job / "description").write_text("\n".join(lines))
    output = description["output"].replace("$(Cluster)", str(number))
    command = f'"{description["executable"]}" >{output} 2>&1; echo $? >"{job}/rc"'
    passed_on = description["getenv"].split(", ")
    process = subprocess.Popen(
        ["sh", "-c", command],
        env={name: os.environ[name] for name in passed_on if name in os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (job / "pid").write_text(str(process.pid))
    print(f"{number}.0 - {number}.0")


def ended(job):
    """Status and exit code of a job that has left the queue, or nothing."""
    if (job / "removed").exists():
        return f"{REMOVED} undefined"
    code = (job / "rc").read_text().strip() if (job / "rc").exists() else ""
    return f"{COMPLETED} {code}" if code else ""


def main():
    """What the command of this name does."""
    command, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    if command == "condor_submit":
        submit(arguments)
    elif command == "condor_q":
        assert arguments[1:] == ["-autoformat", "JobStatus"], arguments
        if not (JOBS / arguments[0] / "asked").exists():  # the queue is busy
            (JOBS / arguments[0] / "asked").touch()
            sys.exit("Failed to connect to schedd")
        if not ended(JOBS / arguments[0]):
            print(RUNNING)
    elif command == "condor_history":
        assert arguments[1:] == ["-limit", "1", "-autoformat", "JobStatus", "ExitCode"], arguments
        print(ended(JOBS / arguments[0]))
    elif command == "condor_rm":
        for name in arguments:
            (JOBS / name / "removed").touch()
            os.killpg(int((JOBS / name / "pid").read_text()), signal.SIGKILL)


if __name__ == "__main__":
    main()
