"""Cost of the whole pipeline with 9 experiments: ``python -m tests.measure_cost local 9``, or ``slurm 9``.

Prints a row per way of running: jobs, submissions, wall time and the memory of the largest process. ``slurm`` runs
locally too, to compare with.
"""

import copy
import re
import sys
import tempfile
import time
from pathlib import Path

import psutil
from tabulate import tabulate

from tests.checkout import Checkout
from tests.slurm_node import SlurmNode

PROFILE = "workflow/profiles/slurm"
WAYS = {"grouped": [], "each job alone": [], "job arrays": ["--slurm-array-jobs", "all"]}


def enlarged(path, number):
    """A checkout with ``number`` experiments: Table I, again and again under other names."""
    checkout = Checkout(path)

    def repeat(data):
        blocks = list(data["experiments"].items())
        for n in range(len(blocks), number):
            name, block = blocks[n % len(blocks)]
            data["experiments"][f"{name}-{n}"] = copy.deepcopy(block)
        for name in list(data["experiments"])[number:]:
            del data["experiments"][name]

    checkout.edit("experiments", repeat)
    return checkout


def ungrouped(checkout):
    """Every job a submission of its own."""
    for path in (checkout.path / "workflow/rules").glob("*.smk"):
        rules = re.sub(r'\n\s+group:\s+"\w+"', "", path.read_text(encoding="utf-8"))
        path.write_text(rules, encoding="utf-8")


def measured(checkout, *arguments, cores):
    """Run everything: jobs, submissions, wall seconds, MiB of the largest process below snakemake."""
    start, largest = time.monotonic(), 0
    with tempfile.TemporaryFile("w+") as out:
        process = checkout.start("--cores", str(cores), *arguments, output=out)
        tree = psutil.Process(process.pid)
        while process.poll() is None:
            for one in [tree, *tree.children(recursive=True)]:
                try:
                    largest = max(largest, one.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            time.sleep(0.05)
        wall = time.monotonic() - start
        out.seek(0)
        text = out.read()
    if process.returncode:
        raise SystemExit(text)
    jobs = int(text.rpartition(" of ")[2].split()[0])
    submissions = len(set(re.findall(r"SLURM job ?ID (\d+)", text, re.IGNORECASE)))
    return jobs, submissions, wall, largest / 2**20


def main(where, number):
    """Print the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        original = enlarged(Path(folder) / "original", number)
        if where == "local":
            for cores in (1, 2):
                checkout = original.copy(Path(folder) / f"cores{cores}", results=False)
                rows.append([f"local, --cores {cores}", number, *measured(checkout, cores=cores)])
        else:
            checkout = original.copy(Path(folder) / "local", results=False)
            rows.append(["local, --cores 2", number, *measured(checkout, cores=2)])
            with SlurmNode(Path(folder) / "node"):
                for n, (way, options) in enumerate(WAYS.items()):
                    checkout = original.copy(Path(folder) / f"slurm{n}", results=False)
                    if way != "grouped":
                        ungrouped(checkout)
                    row = measured(checkout, "--workflow-profile", PROFILE, *options, cores=2)
                    rows.append([f"SLURM, {way}", number, *row])
    heads = ["", "experiments", "jobs", "submissions", "wall [s]", "largest process [MiB]"]
    print(tabulate(rows, heads, tablefmt="github", floatfmt=".0f"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
