"""What each job is to compute, and whether a result is what it says.

Before the graph is built, each job gets a plan file: its parameters, the identity of its code, of data files
and of the packages. It is an input of the job, and what makes the job run again. After the job, a record beside
each output, ``.NAME.json``, says which plan and inputs it is from, and its checksum. A result whose record does
not fit counts as out of date, whatever the dates of files say; one whose record fits does not.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path

from cevns_tmm.storage import sha256, write_text
from pipeline.code import ROOT

PLANS = ".snakemake/cevns-tmm"
FOLDERS = ("results", "figures")

_LONG_AGO = 86_400  # a date before that of anything; not 0, which Snakemake takes for no date


def canonical(value):
    """JSON text that is the same for mappings in any order; arrays are lists."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=lambda array: array.tolist())


def digest(value):
    """Hash of a value that JSON can hold, the same for mappings in any order."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def identity(plan):
    """Hash of a plan, the same for every attempt."""
    return digest({key: value for key, value in plan.items() if key != "attempt"})


def load(path):
    """A JSON file, or None if there is none or it is not readable."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def plan_file(job, prefix=""):
    """Path of the plan of a job."""
    return f"{prefix}{PLANS}/{job}.json"


def record_file(path):
    """Path of the record of a result."""
    path = Path(path)
    return path.with_name(f".{path.name}.json")


def record(job, plan, inputs, outputs):
    """Write the records of the outputs of a job: its plan, inputs {path: hash}, checksums."""
    for path in outputs:
        content = {
            "job": job,
            "plan": identity(plan),
            "inputs": {os.path.normpath(name): value for name, value in inputs.items()},
            "outputs": [os.path.normpath(name) for name in outputs],
            "sha256": sha256(path),
        }
        write_text(record_file(path), json.dumps(content, indent=1) + "\n")


def problem(path):
    """Why a result must not be used as an input, or None."""
    found = _read_record(path)
    if found is None:
        return "has no record of how it was made"
    if found["sha256"] != sha256(path):
        return "not as it was written"
    root = str(path).removesuffix(relative(path))
    if found["plan"] != identity(load(plan_file(found["job"], root)) or {}):
        return "not as planned now"
    return None


def relative(path):
    """The part of a path from results/ or figures/ on."""
    parts = Path(path).parts
    first = max(n for n, part in enumerate(parts) if part in FOLDERS)
    return "/".join(parts[first:])


def again(path):
    """The command that makes a result again."""
    here = Path("Snakefile").exists() or Path("workflow/Snakefile").exists()
    return f"to make it again: snakemake {'' if here else f'-s {ROOT}/Snakefile '}--cores 8 -- {path}"


def check_writable(prefix=""):
    """OSError if a folder of results is there and cannot be written to."""
    for folder in (f"{prefix}{name}" for name in FOLDERS):
        if Path(folder).is_dir() and not os.access(folder, os.W_OK):
            raise OSError(f"{folder}/: read-only, or no permission to write")


def settle(plans, prefix=""):
    """Write the plan files, and let their dates say which results are up to date.

    ``plans`` maps jobs to plans, those that others need first. Names in one line each result that is not as
    it was written. OSError if the plans, or results that are out of date, cannot be written.
    """
    records = _records(prefix)
    made = {}
    for job, plan in plans.items():
        file = Path(plan_file(job, prefix))
        there, outputs, wanted = load(file) or {}, records.get(job, {}), identity(plan)
        if _up_to_date(wanted, outputs, made):
            made |= {path: one["sha256"] for path, one in outputs.items()}
            if wanted != identity(there):  # planned otherwise in between
                _write(file, plan)
            _date(file, _LONG_AGO)
            _order(plan, outputs)
        else:
            if any(map(os.path.exists, outputs)):  # Snakemake would call them protected, in ten lines
                check_writable(prefix)
            # another attempt, so that its checksum differs too from what Snakemake remembers
            _write(file, plan | {"attempt": there.get("attempt", 0) + 1})
            for path in outputs:  # older than the plan, whatever the clock was when they were made
                if os.path.exists(path) and os.stat(path).st_mtime >= os.stat(file).st_mtime:
                    _date(path, _LONG_AGO)


def as_planned(plans, prefix=""):
    """Whether the plan files are those of these plans still."""
    return all(identity(load(plan_file(job, prefix)) or {}) == identity(p) for job, p in plans.items())


def _write(file, plan):
    """Write a plan; one that is not whole fits no result, so it need not be written whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(plan) + "\n", encoding="utf-8")


def _records(prefix):
    """Records of all results: {job: {path: record}}."""
    found = {}
    for top in (f"{prefix}{folder}" for folder in FOLDERS):
        for folder, _, names in os.walk(top, followlinks=True):
            for name in names:
                if name.startswith(".") and name.endswith(".json"):
                    path = os.path.normpath(f"{folder}/{name[1:].removesuffix('.json')}")
                    content = _read_record(path)
                    if content is not None and path in content["outputs"]:
                        found.setdefault(content["job"], {})[path] = content
    return found


_RECORD = {"job": str, "plan": str, "inputs": dict, "outputs": list, "sha256": str}


def _read_record(path):
    """The record of a result, or None if it has none, or one that is damaged."""
    found = load(record_file(path))
    if not isinstance(found, dict) or set(found) != set(_RECORD):
        return None
    return found if all(isinstance(found[key], kind) for key, kind in _RECORD.items()) else None


def _up_to_date(wanted, outputs, made):
    """Whether the outputs of a job are of the plan of this identity and of the inputs that are there, and whole."""
    if not outputs:
        return False
    for path, one in outputs.items():
        if one["plan"] != wanted or set(one["outputs"]) != set(outputs):
            return False
        if any(made.get(name) != value for name, value in one["inputs"].items()):
            return False
        if not Path(path).is_file():
            return False
        if one["sha256"] != sha256(path):
            print(f"cevns-tmm: {path}: not as it was written; {again(path)}", file=sys.stderr)
            return False
    return True


def _order(plan, outputs):
    """Date up-to-date results after their inputs and script, and not in the future.

    Neither a copy, nor a checkout, nor a clock that was set back keeps that.
    """
    inputs = {name for one in outputs.values() for name in one["inputs"]}
    newest = max(os.stat(path).st_mtime for path in [ROOT / f"scripts/{plan['script']}.py", *inputs])
    for path in outputs:
        if not newest < os.stat(path).st_mtime <= time.time():
            _date(path, newest + 0.01)


def _date(path, when):
    if os.stat(path).st_mtime != when:
        os.utime(path, (when, when))
