"""The hash of every result, written after it: whether it is as its job left it.

``python -m scripts.seals`` checks everything that is in results/ and figures/.
"""

import sys
from pathlib import Path

from cevns_tmm.io import sha256
from scripts.text import write_text

SEALS = Path("results/.sha256")
"""A file for each result, in the form of ``sha256sum``."""

UNSEALED = ("results/report.html",)  # Snakemake's report is not the output of a job


def _record(path):
    return SEALS / f"{path}.sha256"


def seal(path):
    """Record the hash of an output."""
    _record(path).parent.mkdir(parents=True, exist_ok=True)
    write_text(_record(path), f"{sha256(path)}  {path}\n")


def check_seal(path):
    """ValueError unless an output is as the job that made it left it."""
    record = _record(path)
    found = record.read_text(encoding="utf-8") if record.is_file() else ""
    if found != f"{sha256(path)}  {path}\n":
        raise ValueError(
            f"{path}: not as it was written: changed, cut short or from elsewhere; "
            f"to make it again: rm {path} && snakemake --cores 8 -- {path}"
        )


def check_all(folders=("results", "figures")):
    """ValueError naming a result that is not as it was written."""
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            hidden = any(part.startswith(".") for part in path.parts)
            if path.is_file() and not hidden and str(path) not in UNSEALED:
                check_seal(path)


if __name__ == "__main__":
    try:
        check_all()
    except ValueError as error:
        sys.exit(f"cevns-tmm: {error}")
