"""A copy of the checkout with a smaller configuration, and snakemake in it."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import yaml

from cevns_tmm.storage import sha256

ROOT = Path(__file__).parents[1]
PARTS = [
    "CITATION.cff",
    "Snakefile",
    "cevns_tmm",
    "config",
    "pipeline",
    "profiles",
    "resources",
    "scripts",
    "workflow",
]


def rows(path):
    """Rows of a CSV file."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


NEW = """
  NEW-1:
    label: New detector
    source: reactor
    flux_per_cm2_s: 5.0e+12
    target: {Ge: 1}
    threshold_scale: nuclear-recoil
    current: {mass_kg: 2, threshold_keV: 0.2, exposure_d: 365.25, efficiency: 0.8}
"""
"""A block that adds an experiment."""

FEW = [
    "results/table2.csv",
    "results/counts.csv",
    "results/planes/CONNIE.h5",
    "results/luminosity/CsI.h5",
    "figures/fig1.pdf",
]
"""Targets with most stages and without most of the figures, which take most of the time."""

MADE = ("results", "figures", "logs", ".snakemake")


class Checkout:
    """A copy of the checkout in ``path``."""

    def __init__(self, path):
        self.path = Path(path)
        if (self.path / "Snakefile").exists():
            return
        self.path.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, self.path / part, ignore=ignore)
            else:
                shutil.copy2(source, self.path / part)

    def copy(self, path, results=True):
        """A copy elsewhere, its files as old as these; without ``results`` nothing is computed in it."""
        twin = object.__new__(Checkout)
        twin.path = Path(path)
        ignored = shutil.ignore_patterns("__pycache__", *(() if results else MADE))
        shutil.copytree(self.path, twin.path, ignore=ignored)
        return twin

    def config(self, name):
        """One configuration file, parsed."""
        return yaml.safe_load((self.path / f"config/{name}.yaml").read_text(encoding="utf-8"))

    def edit(self, name, change):
        """Let ``change`` edit one configuration file in place."""
        data = self.config(name)
        change(data)
        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
        (self.path / f"config/{name}.yaml").write_text(text, encoding="utf-8")

    def keep(self, experiments):
        """Drop all other experiments: one deletion, the rest falls away."""

        def only(data):
            data["experiments"] = {e: data["experiments"][e] for e in experiments}

        self.edit("experiments", only)

    def coarse(self):
        """Grids of chi-squared that are quick to draw; counts and limits do not depend on them.

        The reference keeps samples of the paper's grids, so it is left without them.
        """

        def grids(data):
            data["grids"] |= {"profile_points": 60, "plane_points": 50}

        self.edit("config", grids)
        samples, sums = (self.path / f"resources/reference/{name}" for name in ("samples.csv", "SHA256SUMS"))
        old = sha256(samples)
        samples.write_text("file,part,values\n", encoding="utf-8")
        sums.write_text(sums.read_text(encoding="utf-8").replace(old, sha256(samples)), encoding="utf-8")

    def start(self, *arguments, output=subprocess.PIPE, **environment):
        """Start snakemake in a session of its own; its standard error is joined to its output."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *arguments],
            cwd=self.path,
            env=inherited | {"PWD": str(self.path)} | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # a shell ignores SIGINT for what it starts in the background, and so would snakemake
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def snakemake(self, *arguments, check=True, cores=2, **environment):
        """Run snakemake to its end; the finished process with its output in ``stdout``."""
        process = self.start("--cores", str(cores), *arguments, **environment)
        output, _ = process.communicate()
        if check and process.returncode:
            raise AssertionError(output)
        return subprocess.CompletedProcess(process.args, process.returncode, output)

    def planned(self, *targets):
        """Jobs of a dry run: {(rule, value of its wildcard or "")}; those of the audit begin with audit/."""
        text = self.snakemake("--dry-run", *targets).stdout
        jobs = set()
        for block in re.split(r"\n(?=\s*rule )", "\n" + text)[1:]:
            rule = re.match(r"\s*rule (\w+):", block).group(1)
            line = re.search(r"\n\s+wildcards: (.+)", block)
            jobs.add((rule, "".join(re.findall(r"\w+=([\w/-]*)", line.group(1)) if line else [])))
        return jobs - {("all", "")}

    def products(self):
        """Bytes of everything in results/ and figures/, by relative path."""
        return {
            str(path.relative_to(self.path)): path.read_bytes()
            for folder in ("results", "figures")
            for path in sorted((self.path / folder).rglob("*"))
            if path.is_file()
        }

    def agrees_with(self, other):
        """AssertionError naming what is here and not as the other's."""
        one, two = self.products(), other.products()
        assert len(one) > 1
        assert [name for name in one if one[name] != two.get(name)] == []

    def same_products(self, other):
        """AssertionError naming what differs from the other's products."""
        one, two = self.products(), other.products()
        assert one
        assert [name for name in one.keys() | two.keys() if one.get(name) != two.get(name)] == []
