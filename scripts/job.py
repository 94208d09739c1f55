"""What every job does around its work: output to the log, hashes of what it read."""

import contextlib
import hashlib
import json
import sys
import traceback
from pathlib import Path

from cevns_tmm.io import sha256
from scripts.text import write_text

SEALS = Path("results/.sha256")
"""Hash of every output, written after it in the form of ``sha256sum``."""


def seal(path):
    """Record the hash of an output."""
    record = SEALS / f"{path}.sha256"
    record.parent.mkdir(parents=True, exist_ok=True)
    write_text(record, f"{sha256(path)}  {path}\n")


def check_seal(path):
    """ValueError unless an output is as the job that made it left it."""
    record = SEALS / f"{path}.sha256"
    found = record.read_text(encoding="utf-8") if record.is_file() else ""
    if found != f"{sha256(path)}  {path}\n":
        raise ValueError(
            f"{path}: not as it was written: changed, cut short or from elsewhere; "
            "delete it and run again"
        )


def run(snakemake, main):
    """Run ``main(snakemake)`` with everything it prints in the job's log.

    If it fails, the reason also goes to the terminal, in one line, and the exit status is 1. It fails
    too if an earlier job's output that it reads is not as it was written.
    """
    failure = None
    with (
        open(snakemake.log[0], "w", encoding="utf-8") as log,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        try:
            for path in snakemake.input:
                if path.startswith("results/"):
                    check_seal(path)
            main(snakemake)
            for path in snakemake.output:
                seal(path)
        except Exception as error:
            traceback.print_exc()
            failure = error
    if failure is not None:
        job = " ".join([snakemake.rule, *snakemake.wildcards])
        sys.exit(f"cevns-tmm: {job}: {failure} (more in {snakemake.log[0]})")


def provenance(snakemake):
    """Hashes of the data files and parameters of a job, for the attributes of its HDF5 file."""
    files = {
        name: value
        for name, value in snakemake.input.items()
        if name != "code" and isinstance(value, str)
    }
    hashes = {"/".join(Path(path).parts[-2:]): sha256(path) for path in files.values()}
    text = json.dumps(dict(snakemake.params.items()), sort_keys=True)
    return {**hashes, "parameters": hashlib.sha256(text.encode()).hexdigest()}


def unique(blocks):
    """Blocks that occur for the first time, and for the others the name of their first equal.

    ``{name: block}`` -> ``({name: block}, {name: name of the equal one})``.
    """
    first, same = {}, {}
    names = {}
    for name, block in blocks.items():
        key = json.dumps(block, sort_keys=True)
        if key in names:
            same[name] = names[key]
        else:
            names[key] = name
            first[name] = block
    return first, same
