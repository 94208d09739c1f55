"""Removes each protection in a copy of the checkout and shows that its test fails then.

``python -m benchmarks.unprotected``: a row per protection; some minutes.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tabulate import tabulate

ROOT = Path(__file__).parents[1]
FAULTS, WORKFLOW, IO = (f"tests/test_{name}.py" for name in ("faults", "workflow", "io"))
BAD = "tests/test_bad_input.py::test_bad_configuration_is_refused_in_one_line"

# what is removed: file, text, what stands there instead, the test that must fail
PROTECTIONS = {
    "files appear whole or not at all": (
        "cevns_tmm/io.py",
        "    path = Path(path)\n    for left",
        "    yield str(path)\n    return\n    for left",
        f"{IO}::test_a_failed_write_leaves_nothing",
    ),
    "what a killed job left is removed": (
        "cevns_tmm/io.py",
        "left.unlink(missing_ok=True)",
        "pass",
        f"{IO}::test_what_a_killed_process_left_is_removed",
    ),
    "files are read back": (
        "cevns_tmm/io.py",
        "        _read_back(temporary, groups)\n",
        "",
        f"{IO}::test_a_file_that_does_not_hold_its_data_is_refused",
    ),
    "datasets have checksums": (
        "cevns_tmm/io.py",
        '"fletcher32": True, "shuffle": True, "compression": 4',
        '"chunks": True',
        f"{IO}::test_flipped_data_are_detected",
    ),
    "inputs are as they were written": (
        "scripts/job.py",
        "                        check_seal(path)\n",
        "                        pass\n",
        f"{FAULTS}::test_a_flipped_bit_is_found_and_never_used",
    ),
    "`check` looks at every result": (
        "scripts/check.py",
        "    check_all()\n",
        "    pass\n",
        f"{FAULTS}::test_check_finds_an_edited_result",
    ),
    "unfinished files are made again": (
        "profiles/default/profile.yaml",
        "rerun-incomplete: true",
        "rerun-incomplete: false",
        f"{FAULTS}::test_snakemake_killed_at_many_moments",
    ),
    "locks of a killed run are removed": (
        "workflow/guard.py",
        "shutil.rmtree(locks, ignore_errors=True)",
        "pass",
        f"{FAULTS}::test_snakemake_killed_at_many_moments",
    ),
    "one snakemake at a time": (
        "workflow/guard.py",
        "held = _lock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "held = True",
        f"{FAULTS}::test_two_at_once",
    ),
    "a run waits for jobs of an earlier one": (
        "workflow/guard.py",
        "        _lock(jobs, fcntl.LOCK_EX)\n",
        "",
        f"{FAULTS}::test_a_job_that_outlives_its_snakemake_does_not_spoil_the_next_run",
    ),
    "jobs of an earlier run are refused": (
        "workflow/guard.py",
        'if own and own != _current(folder).get("run"):',
        "if False:",
        f"{FAULTS}::test_a_job_that_comes_late_is_refused",
    ),
    "jobs compute what was planned": (
        "workflow/guard.py",
        "if planned and planned != digest(config):",
        "if False:",
        f"{FAULTS}::test_a_job_that_reads_another_configuration_is_refused",
    ),
    "locks of another machine are left": (
        "workflow/guard.py",
        "elif locks.is_dir() and any(locks.iterdir()):",
        "elif False:",
        f"{FAULTS}::test_locks_of_another_machine_are_left_to_unlock",
    ),
    "results were made in this checkout": (
        "workflow/guard.py",
        'if not mark.is_file() or mark.read_text(encoding="utf-8") != name:',
        "if False:",
        f"{FAULTS}::test_results_from_elsewhere_are_refused",
    ),
    "results can be written to": (
        "workflow/guard.py",
        "if not os.access(result, os.W_OK):",
        "if False:",
        f"{FAULTS}::test_results_read_only",
    ),
    "files have a format": (
        "cevns_tmm/io.py",
        'if file.attrs.get("format") != FORMAT:',
        "if False:",
        f"{IO}::test_an_older_format_is_named",
    ),
    "reasons are one line": (
        "scripts/job.py",
        'reason = " ".join(reason.split())',
        "pass",
        f"{FAULTS}::test_disk_full",
    ),
    "the reference is as it was accepted": (
        "workflow/data_files.py",
        "if listed.get(name) != found.get(name):",
        "if False:",
        "tests/test_bad_input.py::test_a_changed_reference_is_named",
    ),
    "no results from the future": (
        "workflow/guard.py",
        "if path.stat().st_mtime > now + SKEW_S:",
        "if False:",
        f"{FAULTS}::test_clock_set_back",
    ),
    "not a number stops a job": (
        "cevns_tmm/io.py",
        "np.any(np.isnan(values))",
        "False",
        f"{IO}::test_not_a_number_is_refused",
    ),
    "a bad rate stops its job": (
        "cevns_tmm/rates.py",
        "if not np.all(rate >=",
        "if False and not np.all(rate >=",
        f"{FAULTS}::test_a_result_that_is_not_a_number_stops_its_job",
    ),
    "a profile that falls again stops its job": (
        "scripts/compute_profiles.py",
        "        if np.any(rising",
        "        if False and np.any(rising",
        f"{FAULTS}::test_a_profile_that_falls_again_stops_its_job",
    ),
    "no key twice": (
        "workflow/study.py",
        "            if key in seen:",
        "            if False:",
        f"{BAD}[key given twice]",
    ),
    "no aliases": (
        "workflow/study.py",
        "alias = isinstance(event, yaml.events.AliasEvent)",
        "alias = False",
        f"{BAD}[alias]",
    ),
    "no large files": (
        "workflow/study.py",
        "if len(text) > _LARGEST_FILE:",
        "if False:",
        f"{BAD}[file of 10 MB]",
    ),
    "no nesting without end": (
        "workflow/study.py",
        "depth > _DEEPEST",
        "False",
        f"{BAD}[lists in lists]",
    ),
    "names match to their end": (
        "workflow/study.py",
        "not re.fullmatch(pattern, instance)",
        "not re.search(pattern, instance)",
        f"{BAD}[name with a new line]",
    ),
    "no path as a name": (
        "workflow/schemas/experiments.schema.yaml",
        'propertyNames: {type: string, pattern: "^[A-Za-z][A-Za-z0-9-]{0,30}$"}',
        "propertyNames: {type: string}",
        f"{BAD}[path as a name]",
    ),
    "data files are checked": (
        "workflow/rules/config.smk",
        '        data_files.check(SCHEMAS["config/config.yaml"][0])\n',
        "",
        f"{WORKFLOW}::test_bad_data_are_one_line_before_any_job",
    ),
    "no dates in HDF5 files": (
        "cevns_tmm/io.py",
        '{"track_times": False}',
        '{"track_times": True}',
        f"{IO}::test_same_bytes",
    ),
    "no dates in figures": (
        "cevns_tmm/plotting.py",
        '{"CreationDate": None}',
        "{}",
        f"{WORKFLOW}::test_same_bytes_elsewhere_and_with_one_core",
    ),
    "a lost cluster job is tried again": (
        "workflow/profiles/generic/profile.yaml",
        "retries: 2",
        "retries: 0",
        "tests/test_generic_scheduler.py::test_a_removed_job_is_tried_again_with_more_memory",
    ),
}


def fails_without(file, old, new, test):
    """Whether the test fails in a copy without the protection; SystemExit if nothing was removed."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        ignored = shutil.ignore_patterns(
            ".git",
            ".venv",
            ".snakemake",
            "results",
            "figures",
            "logs",
            "__pycache__",
            ".hypothesis",
        )
        shutil.copytree(ROOT, copy, ignore=ignored)
        text = (copy / file).read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise SystemExit(f"{file}: {old!r} stands there {text.count(old)} times")
        (copy / file).write_text(text.replace(old, new), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", test]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise SystemExit(done.stdout + done.stderr)
        return "1 failed" in done.stdout


def main():
    """Print the table; fails if a test does not notice."""
    rows = []
    for name, (file, old, new, test) in PROTECTIONS.items():
        rows.append([name, test, "fails" if fails_without(file, old, new, test) else "PASSES"])
        print(*rows[-1], sep=" | ", flush=True)
    print(tabulate(rows, ["protection removed", "test", "then"], tablefmt="github"))
    return any(row[2] == "PASSES" for row in rows)


if __name__ == "__main__":
    sys.exit(main())
