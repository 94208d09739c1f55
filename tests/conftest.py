"""Finished runs that several test modules start from; none may change them."""

import pytest

from tests.checkout import NEW, Checkout


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A finished run with two of the experiments and a new one, added by its block alone."""
    checkout = Checkout(tmp_path_factory.mktemp("small"))
    checkout.keep(["CsI", "CONNIE"])
    checkout.coarse()
    with open(checkout.path / "config/experiments.yaml", "a", encoding="utf-8") as file:
        file.write(NEW)
    checkout.snakemake()
    return checkout


def pytest_collection_modifyitems(items):
    """The slowest file first, so that it does not end alone."""
    items.sort(key=lambda item: "test_slurm" not in item.nodeid)
