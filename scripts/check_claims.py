"""The paper's statements in words, judged on the results -> results/claims.{csv,md}."""

import math

import numpy as np
from tabulate import tabulate

from cevns_tmm import io
from cevns_tmm.limits import excess
from cevns_tmm.magnetic_moment import PARAMETERS, PLANES, mu_nu_sq, pair_moments
from cevns_tmm.solar import mass_eigenstate_probabilities, mu_nu_sq_solar
from scripts.counted import mixing, read_counts
from scripts.job import run
from scripts.text import read_csv, write_csv, write_text

SNS, REACTOR = "pion-decay-at-rest", "reactor"
SINGLE = ("prompt", "delayed")


class Results:
    """The results of one reading, as the claims need them."""

    def __init__(self, snakemake, reading):
        self.reading, self.params = reading, snakemake.params
        self.files = {
            stage: dict(zip(snakemake.params.kinds, snakemake.input[stage], strict=True))
            for stage in ("rates", "counts", "luminosity")
        }
        self.limits = {
            (r["experiment"], r["setup"], r["component"], r["parameter"]): float(r["limit_muB"])
            for r in read_csv(snakemake.input.limits)
            if r["reading"] == reading
        }
        self.oscillation = snakemake.params.oscillation[reading]

    def experiments(self, kind):
        """Experiments at one kind of source."""
        return [e for e, k in self.params.kinds.items() if k == kind]

    def select(self, experiments=None, setup=None, components=None):
        """Limits by key, restricted to the experiments, setup and components given."""
        return {
            key: value
            for key, value in self.limits.items()
            if (experiments is None or key[0] in experiments)
            and (setup is None or key[1] == setup)
            and (components is None or key[2] in components)
        }

    def quadratic(self, experiment, beam, plane, xi=0.0, delta=None):
        """a, b, c of the current excess a x² + b y² + 2 c x y in a plane [events per mu_B²]."""
        _, n_em = read_counts(self.files["counts"][experiment], f"current/{self.reading}")
        U = mixing(self.oscillation, delta)
        components = self.params.beams[experiment][beam]

        def events(x, y):
            return float(excess(pair_moments(plane, x, y, xi), n_em, components, U))

        a, b = events(1.0, 0.0), events(0.0, 1.0)
        return a, b, (events(1.0, 1.0) - a - b) / 2

    def interference(self, kind, beams):
        """c / sqrt(a b) in the three planes for every experiment with events, by (experiment, beam)."""
        found = {}
        for experiment in self.experiments(kind):
            for beam in beams:
                forms = [self.quadratic(experiment, beam, plane) for plane in PLANES]
                if all(a * b > 0 for a, b, _ in forms):
                    found[experiment, beam] = [c / math.sqrt(a * b) for a, b, c in forms]
        return found


def area(a, b, c):
    """Area of x, y > 0 with a x² + b y² + 2 c x y < 1 (1/a, 1/b squared units)."""
    root = math.sqrt(a * b - c * c)
    return math.atan2(root, c) / (2 * root)


def span(values):
    """Smallest and largest of some numbers, as text."""
    return f"{min(values):.3g} to {max(values):.3g}"


def degenerate_direction(results):
    U = mixing(results.oscillation)
    blind = float(mu_nu_sq("e", np.abs(U[0]), U))
    aside = float(mu_nu_sq("e", np.abs(U[0]) * [1.1, 1, 1], U))
    return blind < 1e-20 < aside, f"μ²/|Λ|² = {blind:.0e} there, {aside:.1e} with |Λ1| 10 % larger"


def lar_nai_beat_csi(results):
    gains = [
        results.limits["CsI", *key[1:]] / value
        for key, value in results.select(("LAr", "NaI"), "current", SINGLE).items()
    ]
    return min(gains) > math.sqrt(10), f"better by {span(gains)}"


def future_order_of_magnitude(results):
    gains = {
        key: results.limits[key[0], "current", *key[2:]] / value
        for key, value in results.select(setup="future").items()
        if key[2] != "full" and value < math.inf
    }
    reached = sum(gain >= 10 for gain in gains.values())
    text = f"better by {span(gains.values())}; 10 or more in {reached} of {len(gains)} entries"
    return reached == len(gains), text


def luminosity_40(results):
    first, second = [], []
    for experiment in results.params.kinds:
        for beam in results.params.beams[experiment]:
            group = f"current/{results.reading}/{beam}"
            units = {"luminosity": "1", "limit": "mu_B"}
            data = io.read(results.files["luminosity"][experiment], group, units)
            x = np.log([1.0, 40.0, 80.0])
            for limit in data["limit"]:
                if np.all(np.isfinite(limit)):
                    at = np.exp(np.interp(x, np.log(data["luminosity"]), np.log(limit)))
                    first.append(at[0] / at[1])
                    second.append(at[1] / at[2])
    holds = all(a > b for a, b in zip(first, second, strict=True))
    return holds, f"1 to 40 gains {span(first)}, 40 to 80 {span(second)}"


def reactors_beat_sns(results):
    worst = max(results.select(results.experiments(REACTOR), "current").values())
    best = min(results.select(results.experiments(SNS), "current", SINGLE).values())
    return worst < best, f"weakest reactor limit {worst:.2e}, strongest SNS limit {best:.2e} μ_B"


def full_beam_narrows_the_gap(results):
    gains = [
        min(results.limits[(*key[:2], beam, key[3])] for beam in SINGLE) / value
        for key, value in results.select(setup="current", components=("full",)).items()
    ]
    mean = math.exp(np.mean(np.log(gains)))
    return min(gains) > 1 and mean >= 1.1, f"better by {span(gains)}, {mean:.3g} on average"


def sns_23_plane(results):
    found = results.interference(SNS, SINGLE).values()
    holds = all(values[2] == min(values) for values in found)
    planes = ", ".join(
        f"{p}: {span(v)}" for p, v in zip(PLANES, zip(*found, strict=True), strict=True)
    )
    return holds, f"interference {planes}"


def reactor_12_plane(results):
    found = results.interference(REACTOR, ["reactor"]).values()
    sns = min(min(values) for values in results.interference(SNS, SINGLE).values())
    holds = all(values[0] == min(values) and values[0] < sns for values in found)
    planes = ", ".join(
        f"{p}: {span(v)}" for p, v in zip(PLANES, zip(*found, strict=True), strict=True)
    )
    return holds, f"interference {planes}; lowest of the SNS {sns:.3g}"


def areas(results, experiment, beam, phases):
    """Allowed areas for the (xi, delta) given, relative to the first, by plane."""
    found = {}
    for plane in PLANES:
        each = [
            area(*results.quadratic(experiment, beam, plane, math.pi * xi, d)) for xi, d in phases
        ]
        found[plane] = [value / each[0] for value in each]
    return found


def phase_text(found):
    """Areas by plane as text."""
    return "; ".join(
        f"{p}: " + ", ".join(f"{v:.3g}" for v in values) for p, values in found.items()
    )


def phases_sns(results):
    found = areas(results, "CsI", "prompt", [(0, 0), (1, 0), (0, 1)])
    holds = all(max(v) == v[2] and min(v) == v[1] for v in found.values())
    return holds, f"areas for (0, 0), (π, 0), (0, π) in plane {phase_text(found)}"


def phases_reactor(results):
    found = areas(results, "CONNIE", "reactor", [(0, 0), (1, 0)])
    return all(v[0] > v[1] for v in found.values()), f"areas in plane {phase_text(found)}"


def borexino_no_phase(results):
    P = mass_eigenstate_probabilities(results.params.P_e1_2nu, results.oscillation["sin2_theta13"])
    moments = [
        float(mu_nu_sq_solar(pair_moments(plane, 1.0, 1.0, xi), P))
        for xi in np.linspace(0, 2 * math.pi, 9)
        for plane in PLANES
    ]
    spread = max(np.ptp(moments[n :: len(PLANES)]) for n in range(len(PLANES)))
    return spread < 1e-14, f"largest change of μ²/|Λ|² with a phase {spread:.0e}"


def future_beats_borexino(results):
    better = [
        f"{key[0]} {key[3]}"
        for key, value in results.select(results.experiments(REACTOR), "future").items()
        if value < results.limits["Borexino", "current", "solar", key[3]]
    ]
    names = sorted({name.split()[0] for name in better})
    return (
        bool(better),
        f"{len(better)} of {3 * len(results.experiments(REACTOR))} entries: {', '.join(names) or 'none'}",
    )


def em_dominates(results):
    ratios = {}
    units = {"T": "keV", "acceptance": "1", "dNdT_sm": "1/keV", "dNdT_em": "1/keV/mu_B^2"}
    U = mixing(results.oscillation)
    for experiment in results.experiments(REACTOR):
        data = io.read(results.files["rates"][experiment], f"current/{results.reading}", units)
        limit = results.limits[experiment, "current", "reactor", PARAMETERS[0]]
        if len(data["T"]) and math.isfinite(limit):
            mu_sq = limit**2 * float(mu_nu_sq("e", [1.0, 0.0, 0.0], U))
            open_ = data["acceptance"] > 0
            em, sm = ((data[n].sum(axis=0) * open_).sum(axis=0) for n in ("dNdT_em", "dNdT_sm"))
            first = int(np.argmax(open_.any(axis=0)))
            ratios[experiment] = mu_sq * em[first] / sm[first]
    largest = max(ratios, key=ratios.get)
    text = (
        f"magnetic moment / Standard Model at threshold at most {ratios[largest]:.2g} ({largest})"
    )
    return ratios[largest] > 1, text


VERDICT = {
    (True, True): "holds",
    (True, False): "holds only under {0}",
    (False, True): "holds only under {1}",
    (False, False): "does not hold",
}


def main(snakemake):
    claims, readings = snakemake.params.claims, snakemake.params.readings
    results = [Results(snakemake, reading) for reading in readings]
    rows = []
    for name, claim in claims.items():
        judge = globals()[name.replace("-", "_")]
        judged = [judge(result) for result in results]
        verdict = VERDICT[tuple(bool(holds) for holds, _ in judged)].format(*readings)
        rows.append(
            [
                name,
                claim["place"],
                claim["text"],
                claim["criterion"],
                verdict,
                *(t for _, t in judged),
            ]
        )
    heads = ["claim", "place", "text", "criterion", "verdict", *(f"measured {r}" for r in readings)]
    write_csv(snakemake.output.csv, heads, rows)
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    write_text(snakemake.output.md, tabulate(cells, heads, tablefmt="github") + "\n")


if __name__ == "__main__":
    run(snakemake, main)
