"""What every job does around its work: output to the log, hashes of what it read and made."""

import contextlib
import hashlib
import json
import sys
import traceback
from pathlib import Path

from cevns_tmm.io import sha256
from scripts.seals import check_seal, seal
from workflow.guard import working


def run(snakemake, main):
    """Run ``main(snakemake)`` with everything it prints in the job's log.

    If it fails, the reason also goes to the terminal, in one line, and the exit status is 1. It fails
    too if an earlier job's output that it reads is not as it was written, or an input changes meanwhile.
    """
    failure = None
    with (
        open(snakemake.log[0], "w", encoding="utf-8") as log,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        try:
            with working():
                for path in snakemake.input:
                    if path.startswith("results/"):
                        check_seal(path)
                before = {path: sha256(path) for path in snakemake.input}
                main(snakemake)
                for path in snakemake.input:
                    if sha256(path) != before[path]:
                        raise ValueError(f"{path}: changed while the job read it; run again")
                for path in snakemake.output:
                    seal(path)
        except Exception as error:
            traceback.print_exc()
            failure = error
    if failure is not None:
        job, reason = " ".join([snakemake.rule, *snakemake.wildcards]), str(failure)
        if not isinstance(failure, ValueError):  # one of a library, which may have many lines
            reason = " ".join(reason.split())
        sys.exit(f"cevns-tmm: {job}: {reason} (more in {snakemake.log[0]})")


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
