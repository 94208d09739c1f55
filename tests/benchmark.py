"""What results cost beside other ways to the same numbers: ``make bench``, or ``python -m tests.benchmark PART ...``.

The parts are library, grids, workflow, growth, and ``before=FOLDER``, an older checkout of this repository. Contenders
of a table take turns in one run. Costs are CPU time (user and system), as ratios; those of a machine that others use too
differ by some ten per cent.
"""

import datetime
import itertools
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
from scipy.integrate import quad
from tabulate import tabulate

from cevns_tmm import Study
from cevns_tmm import cross_section as xs
from cevns_tmm.constants import m_mu
from cevns_tmm.efficiency import FlatEfficiency
from cevns_tmm.flux import pion_decay_at_rest
from cevns_tmm.magnetic_moment import pair_moments, strips
from cevns_tmm.rates import differential_rates, recoil_spectra
from cevns_tmm.units import keV
from tests.checkout import MADE, ROOT
from tests.measure_cost import enlarged

CROSS_SECTIONS = (xs.dsigma_dT_sm, xs.dsigma_dT_em)
ENDS = {"numubar": lambda x: 64 * x**2 * (3 / 4 - x), "nue": lambda x: 192 * x**2 * (1 / 2 - x)}
"""Spectra of stopped muons, Eq. (28), of x = E/m_mu up to 1/2 and per dx."""


def ratios(contenders, rounds, measure):
    """Rows (name, median and least cost over those of the first, accuracy) of {name: (what to run, accuracy)}."""
    costs = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (run, _) in contenders.items():
            costs[name].append(measure(run))
    first = next(iter(costs.values()))
    return [
        [name, statistics.median(found) / statistics.median(first), min(found) / min(first), accuracy]
        for (name, found), (_, accuracy) in zip(costs.items(), contenders.values(), strict=True)
    ]


def cpu(run):
    """CPU seconds of one call in this process."""
    number, seconds = timeit.Timer(run, timer=time.process_time).autorange()
    return seconds / number


def cpu_of_children(run):
    """CPU seconds of the processes that a call starts and waits for."""
    before = os.times()
    run()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def show(title, rows, heads=("", "median", "least", "accuracy")):
    """Print a table."""
    print(f"\n{title}\n\n{tabulate(rows, heads, tablefmt='github', floatfmt='.3g')}", flush=True)


def dNdT(T, sigma, f, nuclei, tolerance):
    """dN/dT by adaptive quadrature of a cross section over a spectrum, at one recoil energy."""
    found = 0.0
    for one, number in nuclei:
        low = min(float(xs.E_min(T, one.mass)) / m_mu, 0.5)
        integral = quad(lambda x: float(sigma(T, x * m_mu, one)) * f(x), low, 0.5, epsabs=0, epsrel=tolerance)  # noqa: B023
        found += number * integral[0]
    return found


def library():
    """Spectra and counts of CsI in the delayed beam of the SNS, and a plane."""
    csi = Study.paper().experiment("CsI")
    nuclei, fluence = csi.detector.nuclei(), dict.fromkeys(ENDS, 1.0)
    fluxes = {component: pion_decay_at_rest(component) for component in ENDS}
    pairs = list(itertools.product(CROSS_SECTIONS, ENDS.values()))
    T = np.geomspace(0.5, 30, 100) * keV

    def quadrature(tolerance):
        return np.array([[dNdT(one, *pair, nuclei, tolerance) for one in T] for pair in pairs])

    def trapezoid(points):
        found = np.zeros((len(pairs), len(T)))
        for one, number in nuclei:
            x = np.linspace(np.minimum(xs.E_min(T, one.mass) / m_mu, 0.5), 0.5, points)
            for n, (sigma, f) in enumerate(pairs):
                found[n] += number * np.trapezoid(sigma(T, x * m_mu, one) * f(x), x, axis=0)
        return found

    def project():
        return np.sum(recoil_spectra(T, nuclei, fluence, fluxes), axis=2).reshape(len(pairs), len(T))

    exact = quadrature(1e-12)

    def deviation(found):
        return np.max(np.abs(found - exact)) / np.max(exact)

    contenders = {
        "project": (project, deviation(project())),
        "scipy.integrate.quad": (partial(quadrature, 1e-10), deviation(quadrature(1e-10))),
        "trapezoidal rule, 100 points": (partial(trapezoid, 100), deviation(trapezoid(100))),
        "trapezoidal rule, 3000 points": (partial(trapezoid, 3000), deviation(trapezoid(3000))),
    }
    show(
        "dN/dT at 100 recoil energies: two isotopes, components and cross sections",
        ratios(contenders, 3, cpu),
    )

    def count():
        arguments = nuclei, [5 * keV] * len(nuclei), FlatEfficiency(1.0), fluence, fluxes
        return np.ravel(differential_rates(*arguments).counts())

    def nested(tolerance=1e-8):
        *kinks, end = sorted(float(xs.T_max(m_mu / 2, one.mass)) for one, _ in nuclei)
        options = {"epsabs": 0, "epsrel": tolerance, "points": kinks}
        return [quad(dNdT, 5 * keV, end, (*pair, nuclei, tolerance / 10), **options)[0] for pair in pairs]

    exact = np.array(nested(1e-11))
    contenders = {
        "project": (count, np.max(np.abs(count() / exact - 1))),
        "scipy.integrate.quad, nested": (nested, np.max(np.abs(nested() / exact - 1))),
    }
    show("Events above 5 keV of the same", ratios(contenders, 3, cpu))

    sensitivity, Lambda = csi.sensitivity("full"), np.geomspace(1e-11, 1e-7, 1000)
    few, level = Lambda[::40], csi.analysis.level(2)

    def plane():
        return np.concatenate(
            [sensitivity.delta_chi2_plane("12", Lambda, y).astype("f4") for y in strips(Lambda)]
        )

    def at_once():
        return sensitivity.delta_chi2(pair_moments("12", Lambda, Lambda[:, np.newaxis], 0.0)).astype("f4")

    def points():
        return np.array([[sensitivity.delta_chi2([x, y, 0.0]) for x in few] for y in few])

    exact = points()
    accuracy = [float(np.max(np.abs(f()[::40, ::40] - exact) / (exact + level))) for f in (plane, at_once)]
    scale = (len(Lambda) / len(few)) ** 2
    rows = ratios({"project": (plane, accuracy[0]), "moments of every point": (at_once, accuracy[1])}, 5, cpu)
    one_by_one = ratios({"project": (plane, ""), "point by point (of 1/1600 of them)": (points, "")}, 3, cpu)[
        1
    ]
    rows.append([one_by_one[0], one_by_one[1] * scale, one_by_one[2] * scale, 0.0])
    show("A plane of 1000 x 1000 points", rows)


def grids():
    """Cost per point and memory of a plane against its grid."""
    sensitivity, rows = Study.paper().experiment("CsI").sensitivity("full"), []
    for n in (200, 400, 1000, 2000, 4000):
        Lambda = np.geomspace(1e-11, 1e-7, n)

        def plane(Lambda=Lambda):
            return np.concatenate(
                [sensitivity.delta_chi2_plane("12", Lambda, y).astype("f4") for y in strips(Lambda)]
            )

        seconds = min(cpu(plane) for _ in range(3))
        tracemalloc.start()
        plane()
        rows.append([n, seconds / n**2, tracemalloc.get_traced_memory()[1] / (4 * n**2)])
        tracemalloc.stop()
    rows = [[n, each / rows[0][1], memory] for n, each, memory in rows]
    show("Planes", rows, ("points a side", "CPU per point, over the first", "memory over that of the result"))


TRIVIAL = """
rule all:
    input: expand("{n}.txt", n=range(NUMBER))
rule one:
    output: "{n}.txt"
    script: "one.py"
"""


def snakemake(folder, *arguments):
    """Run snakemake with one core; its output."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout + done.stderr


def workflow():
    """The paper from nothing beside as many jobs that do nothing, one process, and a dry run."""
    with tempfile.TemporaryDirectory() as folder:
        original = enlarged(Path(folder) / "original", 9)
        jobs = int(snakemake(original.path, "--dry-run").rpartition("\ntotal")[2].split()[0])
        trivial = Path(folder) / "trivial"
        trivial.mkdir()
        (trivial / "Snakefile").write_text(TRIVIAL.replace("NUMBER", str(jobs - 1)))
        (trivial / "one.py").write_text("open(snakemake.output[0], 'w').close()\n")
        names = iter(range(1000))

        def paper():
            snakemake(original.copy(Path(folder) / f"paper{next(names)}", results=False).path)

        def nothing():
            snakemake(trivial, "--forceall")

        def one_process():
            code = "from tests.benchmark import everything; everything()"
            subprocess.run([sys.executable, "-c", code], check=True)

        finished = original.copy(Path(folder) / "finished", results=False).path
        snakemake(finished)
        contenders = {
            f"the paper, {jobs} jobs": (paper, "same bytes each time"),
            f"{jobs} jobs that do nothing": (nothing, ""),
            "one process: counts, limits and contours": (one_process, "no files, no figures"),
            "dry run with nothing to do": (partial(snakemake, finished, "--dry-run"), ""),
        }
        show("The paper from nothing", ratios(contenders, 2, cpu_of_children), ("", "median", "least", ""))


def everything():
    """Counts, limits and contours of the paper in one process."""
    study = Study.paper()
    for name in study.experiments:
        for setup in study.setups(name):
            for reading in study.readings:
                one = study.experiment(name, setup, reading)
                for beam in one.beams:
                    one.limits(beam)
                    for plane in ("12", "13", "23"):
                        one.contour(plane, beam)


def growth():
    """Cost against the number of experiments: of all results, and of a dry run before and after."""
    rows = []
    for number in (1, 9, 30, 100):
        with tempfile.TemporaryDirectory() as folder:
            path = enlarged(Path(folder) / "study", number).path
            runs = (["--dry-run"], [], ["--dry-run"])
            rows.append([number, *(cpu_of_children(partial(snakemake, path, *run)) for run in runs)])
    base = rows[1][1:]
    rows = [[number, *(cost / one for cost, one in zip(costs, base, strict=True))] for number, *costs in rows]
    heads = ("experiments", "dry run before", "all results", "dry run after")
    show("Growth, over the cost with 9 experiments", rows, heads)


RUNS = {
    "the paper from nothing": [],
    "its check, after that": ["results/check.md"],
    "dry run with nothing to do": ["--dry-run"],
}


def before(folder):
    """Runs of an older checkout beside those of this one."""
    costs = {run: {"old": [], "new": []} for run in RUNS}
    with tempfile.TemporaryDirectory() as scratch:
        for turn, (name, source) in itertools.product(range(2), (("new", ROOT), ("old", folder))):
            path = Path(scratch) / f"{name}{turn}"
            shutil.copytree(source, path, ignore=shutil.ignore_patterns(*MADE, ".git", ".venv"))
            for run, arguments in RUNS.items():
                costs[run][name].append(cpu_of_children(partial(snakemake, path, *arguments)))
    rows = [
        [run, *(typical(found["new"]) / typical(found["old"]) for typical in (statistics.median, min))]
        for run, found in costs.items()
    ]
    show(f"Over the cost with {folder}", rows, ("", "median", "least"))


PARTS = {part.__name__: part for part in (library, grids, workflow, growth)}


def main(parts):
    """Print the tables."""
    load = os.getloadavg()[0]
    print(
        f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
    )
    print(f"numpy {np.__version__}; load at the start {load:.1f}. CPU time over that of the first row.")
    for part in parts or PARTS:
        name, _, folder = part.partition("=")
        before(folder) if name == "before" else PARTS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
