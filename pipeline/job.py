"""What every job does around its work: output to the log, checks of inputs, records of outputs."""

import contextlib
import gc
import json
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from cevns_tmm import storage
from cevns_tmm.storage import sha256
from pipeline import plan as plans
from pipeline.code import ROOT, versions

FAILURES = Path(plans.PLANS) / "failures"
"""Why jobs of this run failed, said once more at its end."""


@dataclass(frozen=True)
class Job:
    """What a script gets: its input and output files, its parameters, and what those are made from."""

    input: object
    output: object
    parameters: dict
    made_from: dict

    def by_name(self, name):
        """Input files of one kind by the experiment that they are of: {experiment: path}."""
        return {Path(path).stem: path for path in self.input[name]}

    def blocks(self, name):
        """Input files of one kind, several of each experiment, in its folder: {experiment: [path, ...]}."""
        found = {}
        for path in self.input[name]:
            found.setdefault(Path(path).parent.name, []).append(path)
        return found

    def write(self, path, groups, description):
        """Write an HDF5 file that says what it was made from; arguments as of ``storage.write``."""
        storage.write(path, groups, description, self.made_from)


def run(snakemake, main):
    """Run ``main(job)`` with everything it prints in the job's log.

    If it fails, the reason also goes to the terminal and to :data:`FAILURES`, and the exit status is 1. It fails
    too if a result that it reads is not what its record says, or an input changes meanwhile.
    """
    gc.disable()  # a job ends soon: what it leaves over need not be looked for
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
            reason = f"{type(failure).__name__}: {' '.join(reason.split())}"
        message = f"cevns-tmm: {job}: {reason} (more in {snakemake.log[0]})"
        with open(FAILURES, "a", encoding="utf-8") as file:
            file.write(f"{message}\n")
        sys.exit(message)
    gc.freeze()  # nor at its end


def _run(snakemake, main):
    plan = plans.load(snakemake.input.plan)

    def check():
        """ValueError if the plan, the code or the packages are not what this job began with, or was planned for."""
        if plans.identity(plans.load(snakemake.input.plan) or {}) != plans.identity(plan):
            raise ValueError("planned anew while the job worked; run again")
        if changed := [file for file, value in plan["code"].items() if sha256(ROOT / file) != value]:
            raise ValueError(f"{changed[0]} has changed since the job was planned; run again")
        if plan["versions"] != versions():
            raise ValueError("versions of packages differ from the plan; run again")

    check()
    paths = [path for path in snakemake.input if path != snakemake.input.plan]
    for path in paths:
        if problem := plans.problem(path):
            raise ValueError(f"{path}: {problem}; {plans.again(path)}")
    inputs = {path: sha256(path) for path in paths}
    parts = {key: plan[key] for key in ("parameters", "script", "code", "data", "versions")}
    parts["inputs"] = {plans.relative(path): value for path, value in inputs.items()}
    texts = {key: json.dumps(value, sort_keys=True) for key, value in parts.items()}
    storage.before_replacing.append(check)  # a job that outlived its run leaves no file
    main(Job(snakemake.input, snakemake.output, plan["parameters"], texts))
    for path, value in inputs.items():
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
