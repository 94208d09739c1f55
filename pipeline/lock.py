"""One run at a time in a directory: a lock of the kernel, which ends with its process however that ends."""

import errno
import fcntl
import os
import shutil
import socket
from pathlib import Path

FOLDER = Path(".snakemake")
_FILE = "cevns-tmm.lock"

_held = []  # open for the life of the process


def _take(mode):
    """Descriptor of the lock and whether it was taken: True, False if another has it, None if none can."""
    handle = os.open(FOLDER / _FILE, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.lockf(handle, mode | fcntl.LOCK_NB)
    except OSError as error:
        taken = False if error.errno in (errno.EACCES, errno.EAGAIN) else None
    else:
        taken = True
    return handle, taken


def is_free(is_module=False):
    """Whether no other run works here, as far as the file system can tell.

    What a killed run left of Snakemake's own locks is removed then; in a module they are the host's, and tell.
    """
    if is_module:
        return not any((FOLDER / "locks").glob("*"))
    try:
        FOLDER.mkdir(exist_ok=True)
        handle, taken = _take(fcntl.LOCK_EX)
    except OSError:  # a directory that cannot be written to
        return True
    if taken:
        shutil.rmtree(FOLDER / "locks", ignore_errors=True)
    os.close(handle)
    return taken is not False


def hold():
    """Hold the lock until this process ends; BlockingIOError naming who has it, if another run does."""
    handle, taken = _take(fcntl.LOCK_EX)
    if taken is False:
        holder = os.read(handle, 200).decode(errors="replace")
        os.close(handle)
        raise BlockingIOError(f"another snakemake is running here ({holder}); wait for it")
    os.ftruncate(handle, 0)
    os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())
    _held.append(handle)


def release():
    """Give the lock back."""
    while _held:
        os.close(_held.pop())
