"""What must hold of a checkout before its jobs start, and while they work.

No other snakemake runs in it, nor a job of an earlier one; results were made in it, and not in the
future; jobs compute with the configuration that the run was planned with.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
import sys
import uuid
from pathlib import Path

FOLDER = Path(".snakemake")
RUN = "CEVNS_TMM_RUN"
"""Variable of the environment that tells a job which run it belongs to."""

SKEW_S = 60
"""Seconds by which the clocks of two machines may differ."""

_held = []  # open for the life of the process: the kernel releases them, however that ends


class Refused(Exception):
    """Why nothing may run in this directory now; the message is one line."""


def _open(path):
    """Descriptor of a file that is made if need be; Refused if it cannot be written."""
    try:
        path.parent.mkdir(exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; this checkout is not yours to write to") from None


def _lock(handle, how):
    """Whether the lock was taken; None if the file system has none."""
    try:
        fcntl.flock(handle, how)
    except OSError as error:
        return False if error.errno == errno.EWOULDBLOCK else None
    return True


def _current(folder):
    """What the run that holds the checkout, or held it last, says of itself."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((folder / "cevns-tmm.lock").read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _announce(folder, **changes):
    text = json.dumps(_current(folder) | changes)
    with open(folder / "cevns-tmm.lock", "r+", encoding="utf-8") as file:
        file.truncate()
        file.write(text)


def acquire(folder=FOLDER):
    """Hold the checkout until this process ends; Refused if another process does.

    Waits for jobs that outlived an earlier snakemake. Its own lock files stay behind when it is
    killed, and refuse every later run: whoever holds the checkout knows that their owner is gone, and
    removes them. Where the file system cannot lock, or the last run was on another machine, they are
    left to ``snakemake --unlock``.
    """
    if _held:
        return
    os.environ.pop(RUN, None)
    handle, jobs = _open(folder / "cevns-tmm.lock"), _open(folder / "cevns-tmm.jobs")
    last = _current(folder)
    held = _lock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if held is False:
        where = f"on {last.get('host')}, process {last.get('process')}"
        raise Refused(f"another snakemake runs here ({where}); wait for it")
    if held is None:
        return
    _held.append(handle)
    here, locks = socket.gethostname(), folder / "locks"
    if last.get("host") == here:
        shutil.rmtree(locks, ignore_errors=True)
    elif locks.is_dir() and any(locks.iterdir()):
        raise Refused(
            f"{locks}: left by a run on {last.get('host', 'a machine unknown')}; "
            "if that has ended: snakemake --unlock"
        )
    os.environ[RUN] = uuid.uuid4().hex
    _announce(folder, host=here, process=os.getpid(), run=os.environ[RUN], configuration=None)
    if _lock(jobs, fcntl.LOCK_EX | fcntl.LOCK_NB) is False:
        print("cevns-tmm: waiting for jobs of an earlier run that still work here", file=sys.stderr)
        _lock(jobs, fcntl.LOCK_EX)
    os.close(jobs)


def digest(config):
    """Hash of a configuration."""
    text = json.dumps(config, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def begin(config, folder=FOLDER, dates=True):
    """Let the run start: its results are of this checkout, writable and, if ``dates``, not of the future."""
    claim_results(folder)
    lock = folder / "cevns-tmm.lock"
    lock.touch()  # by the clock that dates the results, which may be a file server's
    if dates:
        check_dates(now=lock.stat().st_mtime)
    if _held:
        _announce(folder, configuration=digest(config))


def claim_results(folder=FOLDER, results=("results", "figures")):
    """Mark the results as made in this checkout; Refused if they were not, or cannot be written to.

    Snakemake takes files that it knows nothing of for up to date.
    """
    own = folder / "cevns-tmm.checkout"
    try:
        if not own.is_file():
            own.write_text(uuid.uuid4().hex, encoding="utf-8")
        name = own.read_text(encoding="utf-8")
        for result in map(Path, results):
            mark = result / ".checkout"
            if not result.is_dir() or not any(result.iterdir()):
                result.mkdir(exist_ok=True)
                mark.write_text(name, encoding="utf-8")
            if not mark.is_file() or mark.read_text(encoding="utf-8") != name:
                raise Refused(
                    f"{result}/: not made in this checkout, so nothing is known of its configuration; "
                    "to compute again: make clean && make paper"
                )
            if not os.access(result, os.W_OK):
                raise Refused(f"{result}/: read-only or not yours to write to")
    except OSError as error:
        raise Refused(f"{error.filename}: {error.strerror}") from None


def check_dates(now, folders=("results", "figures")):
    """Refused if a result is dated after ``now``: what was changed since would seem older than it."""
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            with contextlib.suppress(FileNotFoundError):  # of a job that outlived its snakemake
                if path.stat().st_mtime > now + SKEW_S:
                    raise Refused(
                        f"{path}: dated in the future (was the clock set back?); Snakemake cannot tell what is "
                        "out of date; to compute again: make clean && make paper; if nothing was changed since: "
                        "snakemake --touch --forceall --cores 1"
                    )


def _join(folder):
    """Descriptor that keeps a later run waiting; Refused if the run of this job is over."""
    handle = _open(folder / "cevns-tmm.jobs")
    _lock(handle, fcntl.LOCK_SH)
    own = os.environ.get(RUN)
    if own and own != _current(folder).get("run"):
        os.close(handle)
        raise Refused("the snakemake that started this job is gone, and another runs here")
    return handle


@contextlib.contextmanager
def working(folder=FOLDER):
    """While a job works, no later run starts; Refused if one has."""
    handle = _join(folder)
    try:
        yield
    finally:
        os.close(handle)


def join(config, folder=FOLDER):
    """As ``working``, to the end of this process: that of a job, in which snakemake read the configuration again.

    Refused too if that is not what the run was planned with.
    """
    _held.append(_join(folder))
    planned = _current(folder).get("configuration")
    if planned and planned != digest(config):
        raise Refused("the configuration was changed since the run was started; start it again")
