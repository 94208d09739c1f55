"""One run at a time in a directory: locks of the kernel, which end with their process however that ends."""

import contextlib
import errno
import fcntl
import os
import shutil
import socket
import time
from pathlib import Path

FOLDER = Path(".snakemake")
_RUN, _PLANNING = 0, 1  # bytes of the lock file

_held = []  # open for the life of the process, or until it gives them back


def _open():
    FOLDER.mkdir(exist_ok=True)
    return os.open(FOLDER / "cevns-tmm.lock", os.O_RDWR | os.O_CREAT, 0o666)


def _take(handle, byte, wait=False):
    """Whether a byte is locked now: True, False if another process has it, None if the file system cannot."""
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, byte)
    except OSError as error:
        return False if error.errno in (errno.EACCES, errno.EAGAIN) else None
    return True


@contextlib.contextmanager
def planning(is_module=False):
    """While one process plans, others wait. Yields whether no run is working here, as far as can be told.

    What a killed run left of Snakemake's own locks is removed then; in a module they are the host's, and tell.
    """
    handle = _open()
    try:
        _take(handle, _PLANNING, wait=True)
        if is_module:
            yield not any((FOLDER / "locks").glob("*"))
            return
        free = _take(handle, _RUN)
        if free:
            shutil.rmtree(FOLDER / "locks", ignore_errors=True)
            fcntl.lockf(handle, fcntl.LOCK_UN, 1, _RUN)
        yield free is not False
    finally:
        os.close(handle)


def hold():
    """Hold the lock until this process ends; BlockingIOError naming who has it, if another run does."""
    handle = _open()
    for _ in range(20):  # one that plans has it for an instant
        taken = _take(handle, _RUN)
        if taken is not False:
            break
        time.sleep(0.05)
    else:
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
