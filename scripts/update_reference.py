"""Differences between results/ and resources/reference/; with --accept, results become the reference.

Run by `make reference` and `make reference ACCEPT=1`, after the results have been computed.
"""

import shutil
import sys
from pathlib import Path

from scripts.text import read_csv
from scripts.write_check import claims, reference

TABLES = {
    "limits": ["limit_muB"],
    "counts": ["n_sm", "n_em_per_muB2"],
}
REFERENCE = Path("resources/reference")


def differences():
    """Lines that say what differs."""
    for name, columns in TABLES.items():
        rows = read_csv(f"results/{name}.csv"), read_csv(REFERENCE / f"{name}.csv")
        yield from reference(name[:-1], *rows, columns)
    yield from claims(read_csv("results/claims.csv"), read_csv(REFERENCE / "claims.csv"))


def main(accept):
    failed = [(name, found) for _, name, passed, found in differences() if not passed]
    for name, found in failed:
        print(f"{name}: {found}")
    print(f"{len(failed)} differences from {REFERENCE}")
    if accept:
        for name in (*TABLES, "claims"):
            shutil.copyfile(f"results/{name}.csv", REFERENCE / f"{name}.csv")
        print("accepted: the results are the reference now")
    elif failed:
        print("to accept them: make reference ACCEPT=1")


if __name__ == "__main__":
    main("--accept" in sys.argv[1:])
