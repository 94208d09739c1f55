"""Differences between results/ and resources/reference/; with --accept, results become the reference.

Run by `make reference` and `make reference ACCEPT=1`, after the results have been computed.
"""

import shutil
import sys
from pathlib import Path

from cevns_tmm.io import sha256
from scripts.seals import check_seal
from scripts.text import read_csv, write_text
from scripts.write_check import NUMBERS, TEXTS, against_reference
from workflow.data_files import REFERENCE, SUMS

AUDIT = ("ablation", "inputs")


def result(name):
    """Path of the result that a reference table is of."""
    return Path("results/audit" if name in AUDIT else "results") / f"{name}.csv"


def main(accept):
    names = (*NUMBERS, *TEXTS)
    for name in names:
        check_seal(result(name))
    results, expected = (
        {name: read_csv(path(name)) for name in names}
        for path in (result, lambda name: REFERENCE / f"{name}.csv")
    )
    different = [
        (kind, name, found)
        for kind, name, passed, found in against_reference(results, expected)
        if not passed or found.startswith("new")
    ]
    for kind, name, found in different:
        print(f"{kind}: {name}: {found}")
    print(f"{len(different)} differences from {REFERENCE}")
    if accept:
        for name in names:
            shutil.copyfile(result(name), REFERENCE / f"{name}.csv")
        sums = [f"{sha256(path)}  {path.name}\n" for path in sorted(REFERENCE.glob("*.csv"))]
        write_text(SUMS, "".join(sums))
        print("accepted: the results are the reference now")
    elif different:
        print("to accept them: make reference ACCEPT=1")


if __name__ == "__main__":
    main("--accept" in sys.argv[1:])
