"""Finished runs that several test modules start from; none may change them."""

import fcntl

import pytest
import yaml
from hypothesis import settings

from tests.checkout import NEW, Checkout

settings.register_profile("busy", deadline=None)  # a busy machine misses any
settings.load_profile("busy")


@pytest.fixture(scope="session")
def small(tmp_path_factory, worker_id):
    """A finished run with two of the experiments and a new one, added by its block alone."""
    base = tmp_path_factory.getbasetemp()
    if worker_id != "master":  # one for all workers
        base = base.parent
    with open(base / "small.lock", "w", encoding="utf-8") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        checkout = Checkout(base / "small")
        if not (base / "small.done").exists():
            checkout.keep(["CsI", "CONNIE"])
            checkout.coarse()
            checkout.edit("experiments", lambda data: data["experiments"].update(yaml.safe_load(NEW)))
            checkout.snakemake()
            (base / "small.done").touch()
    return checkout


def pytest_collection_modifyitems(items):
    """The slowest file first, so that it does not end alone."""
    items.sort(key=lambda item: "test_slurm" not in item.nodeid)
