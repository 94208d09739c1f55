"""What must hold of a checkout before jobs start: no other snakemake in it, no results from the future."""

import errno
import fcntl
import os
import shutil
import socket
import time
from pathlib import Path

_held = []  # open for the life of the process: the kernel releases it, however that ends


class Refused(Exception):
    """Why nothing may run in this directory now; the message is one line."""


SKEW_S = 60
"""Seconds by which the clock of a file server may be ahead."""


def acquire(folder=".snakemake"):
    """Hold the lock of the checkout until this process ends; Refused if another process does.

    Snakemake's own lock files stay behind when it is killed, and refuse every later run. Whoever
    holds this lock knows that their owner is gone, and removes them. Where the file system cannot
    lock, or the last run was on another machine, they are left to ``snakemake --unlock``.
    """
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / "cevns-tmm.lock", os.O_RDWR | os.O_CREAT, 0o666)
    last = os.read(handle, 300).decode(errors="replace")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if error.errno == errno.EWOULDBLOCK:
            raise Refused(f"another snakemake runs here ({last.strip()}); wait for it") from None
        return
    _held.append(handle)
    here = f"on {socket.gethostname()},"
    if last.startswith(here):
        shutil.rmtree(folder / "locks", ignore_errors=True)
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{here} process {os.getpid()}".encode(), 0)


def check_dates(folders=("results", "figures")):
    """Refused if a result is dated in the future: what was changed since would seem older than it."""
    latest = time.time() + SKEW_S
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            try:
                dated = path.stat().st_mtime
            except FileNotFoundError:  # a temporary file of a job that outlived its snakemake
                continue
            if dated > latest:
                raise Refused(
                    f"{path}: dated in the future, the clock was set back since; Snakemake cannot tell what "
                    "is out of date: remove results/ and figures/ (make clean) and run again"
                )
