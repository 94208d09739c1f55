"""The paper's statements in words, judged on the results -> results/claims.{csv,md}."""

import math

import numpy as np
from tabulate import tabulate

from cevns_tmm import storage
from cevns_tmm.analysis import Analysis
from cevns_tmm.limits import Sensitivity
from cevns_tmm.magnetic_moment import PARAMETERS, PLANES, mu_nu_sq, pair_moments
from cevns_tmm.solar import SolarExperiment
from cevns_tmm.storage import read_counts, read_csv, write_csv, write_text
from pipeline.job import run
from pipeline.published import number, one_at_a_time, table2

SNS, REACTOR = "pion-decay-at-rest", "reactor"
SINGLE = ("prompt", "delayed")


class NotApplicable(Exception):
    """A study has nothing that a claim could be judged on."""


class Results:
    """The results of one reading, as the claims need them."""

    def __init__(self, job, reading):
        self.reading, self.params = reading, job.parameters
        self.published = table2()
        self.files = {stage: job.by_name(stage) for stage in ("rates", "counts", "luminosity")}
        self.limits = {
            (r["experiment"], r["setup"], r["beam"], r["parameter"]): number(r["limit_muB"])
            for r in one_at_a_time(read_csv(job.input.limits))
            if r["reading"] == reading and r["experiment"] in {key[0] for key in self.published}
        }
        self.analyses = {e: Analysis(**block) for e, block in job.parameters["analyses"][reading].items()}
        self.solar = {
            name: SolarExperiment(**blocks[reading]) for name, blocks in job.parameters["solar"].items()
        }

    def experiments(self, kind):
        """Experiments of Table II at one kind of source."""
        listed = {key[0] for key in self.published}
        return [e for e, k in self.params["kinds"].items() if k == kind and e in listed]

    def select(self, experiments=None, setup=None, beams=None, finite=True):
        """Limits by key, restricted to the experiments, setup and beams given; finite ones, or the others.

        NotApplicable if no limit is finite.
        """
        found = {
            key: value
            for key, value in self.limits.items()
            if math.isfinite(value) == finite
            and (experiments is None or key[0] in experiments)
            and (setup is None or key[1] == setup)
            and (beams is None or key[2] in beams)
        }
        if finite and not found:
            raise NotApplicable("needs a finite limit")
        return found

    def quadratic(self, experiment, beam, plane, xi=0.0, delta=None):
        """a, b, c of the current excess a x² + b y² + 2 c x y in a plane [events per mu_B²]."""
        counts = read_counts(self.files["counts"][experiment], f"current/{self.reading}")
        n_em = {component: counts[component][1] for component in self.params["beams"][experiment][beam]}
        return Sensitivity(None, n_em, self.analyses[experiment].mixing(delta)).plane_form(plane, xi)[:3]

    def interference(self, kind, beams):
        """c / sqrt(a b) in the three planes for every experiment with events, by (experiment, beam)."""
        found = {}
        for experiment in self.experiments(kind):
            for beam in beams:
                forms = [self.quadratic(experiment, beam, plane) for plane in PLANES]
                if all(a * b > 0 for a, b, _ in forms):
                    found[experiment, beam] = [c / math.sqrt(a * b) for a, b, c in forms]
        if not found:
            raise NotApplicable("needs events")
        return found


def area(a, b, c):
    """Area of x, y > 0 with a x² + b y² + 2 c x y < 1 (1/a, 1/b squared units)."""
    root = math.sqrt(a * b - c * c)
    return math.atan2(root, c) / (2 * root)


def span(values):
    """Smallest and largest of some numbers, as text."""
    return f"{min(values):.3g} to {max(values):.3g}"


def lost(results, **selection):
    """How many of the entries selected have no limit, as text to append."""
    total = len(results.select(**selection, finite=False))
    return f"; {total} entries without a limit" if total else ""


def degenerate_direction(results, _claim):
    U = next(iter(results.analyses.values())).mixing()
    blind = np.abs(U[0])
    aside = [float(mu_nu_sq("e", v, U) / (v @ v)) for v in (blind * (1 + 0.1 * e) for e in np.eye(3))]
    holds = float(mu_nu_sq("e", blind, U)) < 1e-20 < min(aside)
    text = "vanishes" if holds else "does not vanish"
    return holds, f"μ²/|Λ|² {text} there; with one modulus 10 % larger {span(aside)}"


def lar_nai_beat_csi(results, claim):
    gains = [
        results.limits["CsI", *key[1:]] / value
        for key, value in results.select(("LAr", "NaI"), "current", SINGLE).items()
    ]
    return min(gains) > claim["threshold"], f"better by {span(gains)}"


def future_order_of_magnitude(results, claim):
    def reached(limits):
        gains = [
            limits[key[0], "current", *key[2:]] / value
            for key, value in limits.items()
            if key[1] == "future" and math.isfinite(value)
        ]
        return gains, sum(gain >= claim["threshold"] for gain in gains)

    gains, good = reached({key: v for key, v in results.limits.items() if key[2] != "full"})
    printed = {key: float(text) for key, text in results.published.items() if key[2] != "full"}
    own, own_good = reached(printed)
    if not gains:
        raise NotApplicable("needs an experiment with both setups")
    text = f"better by {span(gains)}; {claim['threshold']:g} or more in {good} of {len(gains)} entries"
    text += f" (in the printed Table II: {span(own)}, {own_good} of {len(own)})"
    return good == len(gains), text + lost(results, setup="future")


def luminosity_40(results, claim):
    gains, slopes = [], []
    for experiment in (*results.experiments(SNS), *results.experiments(REACTOR)):
        for beam in results.params["beams"][experiment]:
            group = f"current/{results.reading}/{beam}"
            units = {"luminosity": "1", "limit": "mu_B"}
            data = storage.read(results.files["luminosity"][experiment], group, units)
            if not data["luminosity"][0] <= 1 < 80 <= data["luminosity"][-1]:
                raise NotApplicable("needs a luminosity.range that holds 1 to 80")
            x = np.log([1.0, 40.0, 80.0])
            for limit in data["limit"]:
                if np.all(np.isfinite(limit)):
                    y = np.interp(x, np.log(data["luminosity"]), np.log(limit))
                    before, beyond = -np.diff(y) / np.diff(x)
                    gains.append(math.exp(y[0] - y[1]))
                    slopes.append((before, beyond))
    if not gains:
        raise NotApplicable("needs a finite limit")
    holds = min(gains) >= claim["threshold"] and all(b <= claim["slope"] * a for a, b in slopes)
    before, beyond = zip(*slopes, strict=True)
    text = f"gain to 40 {span(gains)}; logarithmic slope {span(before)} before, {span(beyond)} beyond"
    return holds, text


def reactors_beat_sns(results, _claim):
    reactors = results.experiments(REACTOR)
    worst = max(results.select(reactors, "current").values())
    best = min(results.select(results.experiments(SNS), "current", SINGLE).values())
    text = f"weakest reactor limit {worst:.2e}, strongest SNS limit {best:.2e} μ_B"
    return worst < best, text + lost(results, experiments=reactors, setup="current")


def full_beam_narrows_the_gap(results, claim):
    closed, gaps = [], []
    for parameter in PARAMETERS:

        def best(experiments, beams, parameter=parameter):
            found = results.select(experiments, "current", beams).items()
            return min(value for key, value in found if key[3] == parameter)

        sns = results.experiments(SNS)
        single, full = best(sns, SINGLE), best(sns, ("full",))
        reactor = best(results.experiments(REACTOR), ("reactor",))
        gaps.append(single / reactor)
        closed.append(math.log(single / full) / math.log(single / reactor))
    text = f"gap {span(gaps)}, of whose logarithm the full beam closes {span(closed)}"
    return min(closed) >= claim["threshold"], text


def sns_23_plane(results, _claim):
    found = results.interference(SNS, SINGLE).values()
    holds = all(values[2] == min(values) for values in found)
    planes = ", ".join(f"{p}: {span(v)}" for p, v in zip(PLANES, zip(*found, strict=True), strict=True))
    return holds, f"interference {planes}"


def reactor_12_plane(results, _claim):
    found = results.interference(REACTOR, ["reactor"]).values()
    sns = min(min(values) for values in results.interference(SNS, SINGLE).values())
    holds = all(values[0] == min(values) and values[0] < sns for values in found)
    planes = ", ".join(f"{p}: {span(v)}" for p, v in zip(PLANES, zip(*found, strict=True), strict=True))
    return holds, f"interference {planes}; lowest of the SNS {sns:.3g}"


def areas(results, experiment, beam, phases):
    """Allowed areas for the (xi, delta) given, relative to the first, by plane."""
    found = {}
    for plane in PLANES:
        each = [area(*results.quadratic(experiment, beam, plane, math.pi * xi, d)) for xi, d in phases]
        found[plane] = [value / each[0] for value in each]
    return found


def phase_text(found):
    """Areas by plane as text."""
    return "; ".join(f"{p}: " + ", ".join(f"{v:.3g}" for v in values) for p, values in found.items())


def phases_sns(results, _claim):
    found = areas(results, "CsI", "prompt", [(0, 0), (1, 0), (0, 1)])
    holds = all(max(v) == v[2] and min(v) == v[1] for v in found.values())
    return holds, f"areas for (0, 0), (π, 0), (0, π) in plane {phase_text(found)}"


def phases_reactor(results, _claim):
    found = areas(results, "CONNIE", "reactor", [(0, 0), (1, 0)])
    return all(v[0] > v[1] for v in found.values()), f"areas in plane {phase_text(found)}"


def borexino_no_phase(results, _claim):
    borexino = results.solar["Borexino"]
    moments = [
        [float(borexino.mu_nu_sq(pair_moments(plane, 1.0, 1.0, xi))) for plane in PLANES]
        for xi in np.linspace(0, 2 * math.pi, 9)
    ]
    holds = bool(np.max(np.ptp(moments, axis=0)) < 1e-14)
    return holds, f"μ²/|Λ|² {'does not change' if holds else 'changes'} with a phase"


def future_beats_borexino(results, _claim):
    future = results.select(results.experiments(REACTOR), "future")
    solar = {parameter: results.limits["Borexino", "current", "solar", parameter] for parameter in PARAMETERS}
    better = [key[0] for key, value in future.items() if value < solar[key[3]]]
    text = f"{len(better)} of {len(future)} entries: {', '.join(sorted(set(better))) or 'none'}"
    return bool(better), text + lost(results, experiments=results.experiments(REACTOR), setup="future")


def em_dominates(results, _claim):
    equal = {}
    units = {"T": "keV", "acceptance": "1", "dNdT_sm": "1/keV", "dNdT_em": "1/keV/mu_B^2"}
    for experiment in results.experiments(REACTOR):
        data = storage.read(results.files["rates"][experiment], f"current/{results.reading}", units)
        if len(data["T"]):
            accepted = data["acceptance"] > 0
            em, sm = ((data[n].sum(axis=0) * accepted).sum(axis=0) for n in ("dNdT_em", "dNdT_sm"))
            first = int(np.argmax(accepted.any(axis=0)))
            if em[first] > 0:  # recoils reach the threshold
                equal[experiment] = math.sqrt(sm[first] / em[first])
    if not equal:
        raise NotApplicable("needs events")
    bound = results.solar["Borexino"].mu_nu_muB
    least = min(equal, key=equal.get)
    text = f"equal at μ_ν = {equal[least]:.2e} μ_B or more ({least}); bound {bound:.1e} μ_B"
    return equal[least] < bound, text


VERDICT = {
    (True, True): "holds",
    (True, False): "holds only under {0}",
    (False, True): "holds only under {1}",
    (False, False): "does not hold",
}


def verdict_of(name, claim, results):
    """Verdict, and what was measured under each reading."""
    kinds = [kind for kind in (SNS, REACTOR) if results[0].experiments(kind)]
    present = {*kinds, *(key[0] for key in results[0].limits)}
    try:
        if absent := sorted(set(claim.get("needs", [])) - present):
            raise NotApplicable(f"needs {', '.join(absent)}")
        judge = globals()[name.replace("-", "_")]  # named after the id of the claim
        judged = [judge(result, claim) for result in results]
    except NotApplicable as reason:
        return "not applicable", [str(reason)] * len(results)
    holds = [bool(holds) for holds, _ in judged]
    verdict = VERDICT[holds[0], holds[-1]].format(*(r.reading for r in results))
    return verdict, [text for _, text in judged]


def main(job):
    readings = job.parameters["readings"]
    results = [Results(job, reading) for reading in readings]
    rows = []
    for name, claim in job.parameters["claims"].items():
        verdict, measured = verdict_of(name, claim, results)
        criterion = claim["criterion"].format(**claim), claim.get("criterion_from", "this project")
        rows.append([name, claim["place"], claim["text"], *criterion, verdict, *measured])
    heads = [*("claim", "place", "text", "criterion", "criterion from", "verdict")]
    heads += [f"measured {r}" for r in readings]
    write_csv(job.output.csv, heads, rows)
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    write_text(job.output.md, tabulate(cells, heads, tablefmt="github") + "\n")


run(snakemake, main)
