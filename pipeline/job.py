"""What every job does around its work: output to the log, checks of inputs, records of outputs."""

import contextlib
import json
import sys
import traceback
from dataclasses import dataclass

from cevns_tmm import storage
from cevns_tmm.storage import sha256
from pipeline import plan as plans
from pipeline.code import versions


@dataclass(frozen=True)
class Job:
    """What a script gets: its input and output files, its parameters, and what those are made from."""

    input: object
    output: object
    parameters: dict
    made_from: dict

    def write(self, path, groups, description):
        """Write an HDF5 file that says what it was made from; arguments as of ``storage.write``."""
        storage.write(path, groups, description, self.made_from)


def run(snakemake, main):
    """Run ``main(job)`` with everything it prints in the job's log.

    If it fails, the reason also goes to the terminal, in one line, and the exit status is 1. It fails
    too if a result that it reads is not what its record says, or an input changes meanwhile.
    """
    failure = None
    with (
        open(snakemake.log[0], "w", encoding="utf-8") as log,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        try:
            _run(snakemake, main)
        except Exception as error:
            traceback.print_exc()
            failure = error
    if failure is not None:
        job, reason = " ".join([snakemake.rule, *snakemake.wildcards]), str(failure)
        if not isinstance(failure, ValueError):  # one of a library, which may have many lines
            reason = " ".join(reason.split())
        sys.exit(f"cevns-tmm: {job}: {reason} (more in {snakemake.log[0]})")


def _run(snakemake, main):
    plan = plans.load(snakemake.input.plan)
    if plan["versions"] != versions():
        raise ValueError("runs with other packages than planned; start snakemake again")
    before = {path: sha256(path) for path in snakemake.input}
    inputs = {path: value for path, value in before.items() if path != snakemake.input.plan}
    for path in inputs:
        if problem := plans.problem(path):
            raise ValueError(f"{path}: {problem}; {plans.again(path)}")
    parts = {key: plan[key] for key in ("parameters", "script", "code", "data", "versions")}
    parts["inputs"] = {plans.relative(path): value for path, value in inputs.items()}
    texts = {key: json.dumps(value, sort_keys=True) for key, value in parts.items()}
    main(Job(snakemake.input, snakemake.output, plan["parameters"], texts))
    for path, value in before.items():
        if sha256(path) != value:
            raise ValueError(f"{path}: changed while the job worked; run again")
    job = snakemake.input.plan.rpartition(f"{plans.PLANS}/")[2].removesuffix(".json")
    plans.record(job, plan, inputs, snakemake.output)


def unique(blocks):
    """Blocks that occur for the first time, and for the others the name of their first equal.

    ``{name: block}`` -> ``({name: block}, {name: name of the equal one})``.
    """
    first, same, names = {}, {}, {}
    for name, block in blocks.items():
        key = plans.canonical(block)
        if key in names:
            same[name] = names[key]
        else:
            names[key] = name
            first[name] = block
    return first, same
