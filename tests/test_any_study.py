"""Any study of one's own: a limit that an independent calculation gives too, or one line that says what is allowed."""

import itertools
import math
import re
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from cevns_tmm import ConfigError, Study
from cevns_tmm.cross_section import T_max
from cevns_tmm.rates import recoil_spectra
from cevns_tmm.units import keV

FILES = {
    "readings": {"readings": {"literal": []}, "departures": {}},
    "audit": {"audit": {"misses": [], "inputs": {}, "budget": {}}},
    "claims": {"claims": {}},
}
OVERRIDES = {"figures_reading": "literal"}
RANGES = {"profile_muB": [1e-12, 1e-8], "plane_muB": [1e-12, 1e-8]}


def decades(low, high, usual=None):
    """Numbers from 10^low to 10^high, their ends, and most often those from 10^a to 10^b for ``usual`` (a, b)."""
    common = st.floats(*(usual or (max(low, -3), min(high, 3))))
    return (
        st.integers(0, 9)
        .flatmap(
            lambda n: common if n < 7 else st.floats(low, high) if n < 9 else st.sampled_from([low, high])
        )
        .map(lambda x: 10.0**x)
    )


def edges(low, high, usual, most=6):
    """Edges of bins, now and then many or next to each other."""
    one = decades(low, high, usual)
    some = st.lists(one, min_size=2, max_size=most, unique=True).map(sorted)
    many = st.tuples(one, st.sampled_from([1e-9, 1e-3, 0.02])).map(
        lambda v: (v[0] * (1 + v[1] * np.arange(201))).tolist()
    )
    return st.one_of(some, some, some, many)


@st.composite
def tables(draw, header, low, high, values, most=8, least=1):
    x = sorted(draw(st.lists(decades(low, high), min_size=least, max_size=most, unique=True)))
    rows = [[x[n], *(draw(values) for _ in header[1:])] for n in range(len(x))]
    return "\n".join([",".join(header), *(",".join(map(repr, row)) for row in rows)]) + "\n"


SHARE = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))


@st.composite
def sources(draw, files):
    kind = draw(st.sampled_from(["reactor", "power", "research", "pions", "pion tables", "shapes", "fluxes"]))
    if kind in ("reactor", "power", "research"):
        fractions = {"U235": 0.55, "U238": 0.07, "Pu239": 0.32, "Pu241": 0.06}
        below = "Kopeikin2012"
        if kind == "research":
            fractions, below = {"U235": 1.0}, "VogelEngel1989"
        block = {
            "kind": "reactor",
            "fission_fractions": fractions,
            "spectrum_below_2MeV": below,
            "spectrum_above_2MeV": draw(st.sampled_from(["Mueller2011", "Huber2011"])),
            "E_max_MeV": draw(st.sampled_from([2.0000001, 8.0, 12.0, 20.0])),
        }
        if kind == "research":
            block["spectrum_above_2MeV"] = "Mueller2011"
        if kind == "power":
            block["thermal_power_MW"] = draw(decades(-9, 9, (2, 4)))
        return block | RANGES
    energies = (-1, 2)
    if kind in ("pions", "pion tables"):
        block = {
            "kind": "pion-decay-at-rest",
            "protons_on_target": draw(decades(0, 30, (20, 24))),
            "protons_exposure_d": draw(decades(-9, 9, (0, 3))),
            "neutrinos_per_proton": draw(decades(-9, 3, (-2, 0))),
        }
        if kind == "pion tables":
            files["nue.csv"] = draw(tables(["E_MeV", "per_MeV"], *energies, decades(-10, 2), least=2))
            files["numu.csv"] = draw(tables(["E_MeV", "share"], *energies, decades(-10, 2), 3))
            block |= {"spectra": {"nue": "nue.csv"}, "lines": {"numu": "numu.csv"}}
        return block | RANGES
    absolute = kind == "fluxes"
    columns = ("per_MeV_cm2_s", "per_cm2_s") if absolute else ("per_MeV", "share")
    files["spectrum.csv"] = draw(
        tables(["E_MeV", columns[0]], *energies, st.one_of(st.just(0.0), decades(-10, 15)), least=2)
    )
    files["lines.csv"] = draw(tables(["E_MeV", columns[1]], *energies, decades(-10, 15), 3))
    block = {"kind": "table", "spectra": {draw(st.sampled_from(["nue", "numubar"])): "spectrum.csv"}}
    if draw(st.booleans()):
        block["lines"] = {draw(st.sampled_from(["nuebar", "numu"])): "lines.csv"}
    return block | RANGES


TARGETS = [
    {"Ge": 1},
    {"Ca": 1, "W": 1, "O": 4},
    {"D": 2, "O": 1},
    {"H": 1},
    {"U235": 1},
    {"Xe": 1},
    {"Si": 1},
]


@st.composite
def any_study(draw):
    """Overrides, the experiment's block and the files of a study."""
    files = {}
    source = draw(sources(files))
    target = draw(st.sampled_from(TARGETS))
    scale = draw(st.sampled_from(["nuclear-recoil", "electron-equivalent"]))
    quenched = scale == "electron-equivalent"
    block = {"source": "mine", "target": target, "threshold_scale": scale}
    if source["kind"] == "pion-decay-at-rest" or "thermal_power_MW" in source:
        block["baseline_m"] = draw(decades(-3, 12, (0, 2)))
    elif not files.get("spectrum.csv", "").startswith("E_MeV,per_MeV_cm2_s"):
        block["flux_per_cm2_s"] = draw(decades(-6, 20, (10, 15)))
    if draw(st.booleans()):
        block["target_shares"] = draw(st.sampled_from(["mole", "mass"]))
    setup = {"mass_kg": draw(decades(-12, 12, (-2, 2))), "exposure_d": draw(decades(-9, 9, (0, 3)))}
    if source["kind"] == "pion-decay-at-rest" and draw(st.booleans()):
        setup["time_window_us"] = draw(st.one_of(decades(-9, 9), st.just([0, 6]), st.just([0.5, 6])))
    # what is counted
    window = draw(st.sampled_from(["threshold_keV", "bins_keV", "bins_PE"]))
    resolution = None
    lowest = -9 if draw(st.booleans()) else -3
    if window == "threshold_keV":
        setup[window] = draw(decades(lowest, 6, (-3, 0)))
        bins = 1
    else:
        setup[window] = draw(edges(lowest, 6, (-3, 1)) if window == "bins_keV" else edges(-3, 4, (-1, 2)))
        bins = len(setup[window]) - 1
    if window == "bins_PE":
        resolution = draw(
            st.one_of(
                st.none(),
                st.just({"photoelectrons": "poisson"}),
                decades(-9, 5).map(lambda k: {"photoelectrons": "gamma", "shape_per_keV": k}),
            )
        )
    elif draw(st.booleans()):
        keys = draw(
            st.sets(st.sampled_from(["noise_keV", "stochastic_sqrt_keV", "proportional"]), min_size=1)
        )
        resolution = {key: draw(st.one_of(st.just(0.0), decades(-12, 6, (-4, 0)))) for key in sorted(keys)}
    if window == "bins_keV" and bins < 10 and draw(st.integers(0, 5)) == 0:
        x = draw(st.sampled_from(["T_keV", "E_keVee"] if quenched else ["T_keV"]))
        header = [x, *(f"bin{n + 1}" for n in range(bins))]
        files["matrix.csv"] = draw(tables(header, -4, 3, SHARE.map(lambda s: s / bins)))
        resolution = "matrix.csv"
    if resolution is not None:
        setup["resolution"] = resolution
    efficiency = draw(st.sampled_from(["flat", "table", "logistic", "paper"]))
    scales = (
        ["T_keV", "n_PE"] + ["E_keVee"] * quenched
        if window == "bins_PE"
        else ["T_keV"] + ["E_keVee"] * quenched
    )
    of = draw(st.sampled_from(scales))
    if efficiency == "flat":
        setup["efficiency"] = draw(decades(-20, 0, (-1, 0)))
    elif efficiency == "table":
        files["efficiency.csv"] = draw(tables([of, "efficiency"], -6, 4, SHARE))
        setup["efficiency"] = "efficiency.csv"
    elif efficiency == "logistic":
        k1 = draw(st.floats(1e-6, 1))
        setup["efficiency"] = {"of": of, "k1": k1, "k2": draw(decades(-9, 12)), "x0": draw(decades(-6, 6))}
        if draw(st.booleans()):
            setup["efficiency"]["constant"] = -draw(st.floats(0, 1)) * k1 * 0.99
    else:
        setup["efficiency"] = {
            "photoelectrons_per_keV": draw(decades(-6, 6, (-1, 2))),
            "k1": draw(st.floats(0.1, 1)),
            "k2": draw(decades(-9, 12)),
            "x0": draw(decades(-3, 6)),
            "smearing": draw(st.sampled_from(["none", "poisson"])),
        }
        if setup["efficiency"]["smearing"] == "poisson":
            setup["efficiency"]["window_PE"] = sorted(
                draw(st.lists(st.integers(0, 1000), min_size=2, max_size=2))
            )
    if window == "bins_PE" or (efficiency in ("table", "logistic") and of == "n_PE"):
        setup["photoelectrons_per_keV"] = draw(decades(-6, 6, (-1, 2)))
    if quenched:
        kind = draw(st.sampled_from(["none", "k", "constant", "polynomial", "table", "band"]))
        if kind == "k":
            block["quenching"] = {"lindhard_k": draw(decades(-6, 2))}
        elif kind == "constant":
            block["quenching"] = draw(decades(-12, 0, (-2, 0)))
        elif kind == "polynomial":
            block["quenching"] = {"polynomial": [draw(decades(-6, -0.5)), draw(decades(-12, -3))]}
        elif kind in ("table", "band"):
            header = ["T_keV", "quenching"] + ["minus", "plus"] * (kind == "band")
            Q = draw(st.floats(0.05, 0.9))
            lines = [
                [0.001, Q, Q / 10, Q / 10],
                [10, Q * 1.05, Q / 10, Q / 10],
                [1000, Q * 1.05, Q / 10, Q / 10],
            ]
            files["quenching.csv"] = "\n".join(
                [",".join(header), *(",".join(map(repr, line[: len(header)])) for line in lines)]
            )
            block["quenching"] = "quenching.csv"
        if draw(st.integers(0, 3)) == 0:
            block["channels"] = draw(st.sampled_from([["nucleus", "electron"], ["electron"]]))
    # background and data
    events = st.one_of(st.just(0.0), decades(-30, 15), st.integers(0, 30).map(float))
    kind = draw(st.sampled_from(["none", "none", "events", "rate", "Eq. (34)"]))
    is_binned = window != "threshold_keV"
    if kind == "Eq. (34)":
        if window != "threshold_keV":
            kind = "none"
        else:
            setup["data"] = {
                "n_measured": draw(events),
                "beam_neutrons": draw(st.one_of(st.just(0.0), decades(-10, 15))),
                "steady_state": draw(st.one_of(st.just(0.0), decades(-10, 15))),
                "sigma_signal": draw(st.one_of(st.just(0.0), decades(-6, 2))),
                "sigma_background": draw(st.one_of(st.just(0.0), decades(-6, 2))),
            }
    if kind in ("events", "rate"):
        if kind == "events" or window != "bins_keV":
            setup["background"] = {"events": [draw(events)] * bins}
        else:
            setup["background"] = {"per_keV_kg_d": draw(events)}
        more = draw(st.sampled_from(["", "sigma", *["off_to_on"] * (bins < 50)]))
        if more:
            setup["background"][more] = draw(decades(-6, 6) if more == "off_to_on" else decades(-6, 2))
        is_binned = True
    if is_binned and draw(st.booleans()):
        setup["observed"] = {"events": [draw(events) for _ in range(min(bins, 5))] + [1.0] * (bins - 5)}
    if is_binned and draw(st.booleans()):
        block["pulls"] = {"flux": draw(st.one_of(st.just(0.0), decades(-6, 2)))}
    return source, block | {"current": setup}, files


def read(folder, source, block, files):
    """The experiment of a study in a folder; what is surely a slip is not said."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, data in (FILES | {"experiments": {"experiments": {"Mine": block}}}).items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", RuntimeWarning)
        return Study.read(folder, OVERRIDES | {"sources": {"mine": source}}).experiment("Mine")


# --- the same by other means ----------------------------------------------------------------------

LEVEL = stats.chi2.ppf(0.9, 1)


def columns(text):
    """Columns of a table."""
    header, *rows = text.split()
    return dict(zip(header.split(","), np.array([row.split(",") for row in rows], float).T, strict=True))


def quenching(model, isotope, T, files):
    """Share of recoils of T [keV] that ionises."""
    if isinstance(model, str):
        table = columns(files[model])
        return np.interp(T, table["T_keV"], table["quenching"])
    if isinstance(model, float):
        return np.full(len(T), model)
    if model and "polynomial" in model:
        return sum(c * T**n for n, c in enumerate(model["polynomial"]))
    k = model["lindhard_k"] if model else 0.133 * isotope.Z ** (2 / 3) / isotope.A**0.5
    e = 11.5 * T * isotope.Z ** (-7 / 3)
    f = k * (3 * e**0.15 + 0.7 * e**0.6 + e)
    return f / (1 + f)


def efficiency(block, x, files):
    """Efficiency at {scale: energies}, and where it has steps or bends, as (scale, centre, width)."""
    if isinstance(block, float):
        return block, []
    if isinstance(block, str):
        table = columns(files[block])
        of = next(iter(table))
        return np.interp(x[of], table[of], table["efficiency"], left=0.0), [(of, c, 0.0) for c in table[of]]
    k1, k2, x0, of = (block[key] for key in ("k1", "k2", "x0", "of"))
    marks = [(of, x0, 1 / k2)]
    if (constant := block.get("constant", 0.0)) < 0:
        marks.append((of, x0 - math.log(-k1 / constant - 1) / k2, 0.0))
    return np.maximum(k1 * special.expit(k2 * (x[of] - x0)) + constant, 0.0), marks


def shares(setup, scale, x, files):
    """Shares counted in each bin at {scale: energies}, and marks as of :func:`efficiency`."""
    value, marks = efficiency(setup["efficiency"], x, files)
    window = next(name for name in ("threshold_keV", "bins_keV", "bins_PE") if name in setup)
    bounds = np.append(setup[window], [] if window != "threshold_keV" else math.inf)
    resolution, y = setup.get("resolution"), x[scale]
    if resolution is None:
        marks += [(scale, edge, 0.0) for edge in bounds]
        return value * np.array([(low <= y) & (y < high) for low, high in itertools.pairwise(bounds)]), marks
    if isinstance(resolution, str):
        table = columns(files[resolution])
        of = next(iter(table))
        marks += [(of, c, 0.0) for c in table[of]]
        rows = [np.interp(x[of], table[of], row, left=0.0) for name, row in table.items() if name != of]
        return value * np.array(rows), marks
    a, b, c = (resolution.get(key, 0.0) for key in ("noise_keV", "stochastic_sqrt_keV", "proportional"))

    def sigma(E):
        return np.sqrt(a**2 + b**2 * E + c**2 * E**2) + 1e-300

    marks += [(scale, edge, float(sigma(edge))) for edge in bounds if edge < math.inf]
    floor = max(bounds[0] - 8 * sigma(bounds[0]), bounds[0] / 1000)  # the page says what is not counted
    marks.append((scale, floor, 0.0))
    return value * np.array([normal(*bin, y, sigma(y)) for bin in itertools.pairwise(bounds)]) * (
        y >= floor
    ), marks


def normal(low, high, y, sigma):
    """Integral of a normal distribution about ``y`` (n,): by quadrature over a bin that is narrow."""
    nodes, weights = np.polynomial.legendre.leggauss(5)
    with np.errstate(over="ignore"):
        half = np.minimum((high - low) / 2 / sigma, 1.0)[:, None]
        z = ((low + min(high, 1e300)) / 2 - y)[:, None] / sigma[:, None] + half * nodes
        inside = np.sum(weights * half * np.exp(-(z**2) / 2), axis=1) / math.sqrt(2 * math.pi)
        from_below = special.ndtr((high - y) / sigma) - special.ndtr((low - y) / sigma)
        from_above = special.ndtr((y - low) / sigma) - special.ndtr((y - high) / sigma)
    return np.where(half[:, 0] < 0.1, inside, np.where(low > y, from_above, from_below))


def by_quadrature(experiment, block, files):
    """Events of each component in each bin: n_sm and n_em, (component, bin)."""
    detector, setup = experiment.detector, block["current"]
    scale = "E_keVee" if block["threshold_scale"] == "electron-equivalent" else "T_keV"
    found = 0.0
    energies = np.concatenate([table.breakpoints for table in experiment.fluxes.values()])
    for isotope, number in detector.nuclei():
        ends = T_max(energies, isotope.mass) / keV

        def measured(T, isotope=isotope):
            return {"T_keV": T, "E_keVee": T * quenching(block.get("quenching"), isotope, T, files)}

        grid = np.geomspace(1e-12 * ends.max(), ends.max(), 3000)
        x = measured(grid)
        _, marks = shares(setup, scale, x, files)
        steps = [ends, grid]
        for of, centre, width in marks:
            if width > 1e-6 * centre:  # a smooth step: about where it is
                steps.append(np.interp(centre + width * np.linspace(-20, 20, 81), x[of], grid))
            elif x[of][0] < centre < x[of][-1]:
                k = np.searchsorted(x[of], centre) - 1

                def excess(T, of=of, centre=centre):
                    return float(measured(np.array([T]))[of][0]) - centre

                steps.append([optimize.brentq(excess, grid[k], grid[k + 1], xtol=1e-300, rtol=1e-14)])
        cells = np.unique(np.concatenate(steps))
        cells = cells[(cells >= grid[0]) & (cells <= grid[-1])]
        nodes, weights = np.polynomial.legendre.leggauss(5)
        half = np.diff(cells)[:, None] / 2
        T = ((cells[1:] + cells[:-1])[:, None] / 2 + half * nodes).ravel()
        value, _ = shares(setup, scale, measured(T), files)
        spectra = recoil_spectra(
            T * keV, [(isotope, number)], detector.fluence(experiment.source), experiment.fluxes
        )
        weight = (half * weights).ravel() * keV
        found = found + np.array([np.einsum("cin,bn,n->cb", rate, value, weight) for rate in spectra])
    return found


def deviance(d, p):
    """chi² of Poisson bins, in numbers that hold three more digits."""
    d, p = np.longdouble(d), np.maximum(np.longdouble(p), 1e-300)
    return float(2 * np.sum(p - d + d * np.log(np.where(d > 0, d, p) / p)))


def chi2(x, n_sm, signal, setup, pull):
    """chi² of Poisson bins for x times the signal, least over its one pull, and over the background if it is free."""
    background, observed = setup.get("background", {}), setup.get("observed")
    B = np.array(background.get("events", 0.0)) + np.zeros(len(n_sm))
    if "per_keV_kg_d" in background:
        rate = background["per_keV_kg_d"] * setup["mass_kg"] * setup["exposure_d"]
        B = rate * np.diff(setup["bins_keV"])
    d = n_sm + B if observed is None else np.array(observed["events"])
    tau, s = background.get("off_to_on"), n_sm + x * signal
    moved = B * background["sigma"] if "sigma" in background else s * pull

    def at(theta):
        p = s + B + theta * moved
        if not tau:
            return theta**2 + deviance(d, p)
        m, total = tau * B, s + theta * moved  # the background b solves d/(total + b) + m/b = 1 + tau
        half = (d + m - (1 + tau) * total) / 2
        root = np.sqrt(half**2 + (1 + tau) * m * total)
        b = np.where(half > 0, half + root, m * total / np.maximum(root - half, 1e-30)) / np.where(
            half > 0, 1 + tau, 1
        )
        return theta**2 + deviance(d, total + b) + deviance(m, tau * b)

    most = np.max(moved / np.maximum(s if tau else s + B, 1e-300))  # at -1/most a bin is empty
    if not most:
        return at(0.0)
    bounds = (-1 / most, min(50, 1e3 / most))
    found = optimize.minimize_scalar(at, bounds=bounds, method="bounded", options={"xatol": 1e-10 / most})
    return min(found.fun, at(0.0))


def shares_of_moments():
    """1 - |U_fi|², the share of |Lambda_i|² that a flavour sees, of the paper's angles."""
    (s12, s23, s13), (c12, c23, c13) = (np.sqrt(np.abs([0.32, 0.547, 0.0216] - np.array(o))) for o in (0, 1))
    e = np.array([c12 * c13, s12 * c13, s13])
    mu = np.array([-s12 * c23 - c12 * s23 * s13, c12 * c23 - s12 * s23 * s13, s23 * c13])
    return {"e": 1 - e**2, "mu": 1 - mu**2}


def check_events(experiment, block, files):
    """Events are those of another quadrature."""
    curve = block["current"]["efficiency"]
    is_of_photoelectrons = isinstance(curve, dict) and curve.get("of", "n_PE") == "n_PE"
    if "channels" in block or "bins_PE" in block["current"] or is_of_photoelectrons:
        return
    for found, n in zip(experiment.rates.binned(), by_quadrature(experiment, block, files), strict=True):
        assert found == pytest.approx(n, rel=1e-6, abs=1e-12 * np.max(n) + 1e-20)


def check_limits(experiment, block, limits):
    """chi² rises by its quantile from its least to the limit on each moment alone."""
    setup, pull = block["current"], block.get("pulls", {}).get("flux", 0.0)
    sigma = setup.get("background", {}).get("sigma")
    if experiment.analysis.binned is None or experiment.detector.band() or (pull and sigma):
        return
    events = experiment.binned()
    n_sm = sum(n for n, _ in events.values())
    for (beam, components), found in zip(experiment.source.beams.items(), limits, strict=True):
        for i, limit in enumerate(found.values()):
            signal = sum(
                events[c][1] * shares_of_moments()["mu" if c.startswith("numu") else "e"][i]
                for c in components
            )
            if signal.max() < 1e-100:  # as good as none: limits beyond 1e50 mu_B
                assert limit > 1e45
                continue
            uncertainty = 1 / np.sqrt(np.sum(signal**2 / np.maximum(n_sm, 1)))
            end = limit**2 if limit < math.inf else 1e4 * uncertainty
            least = optimize.minimize_scalar(
                chi2,
                args=(n_sm, signal, setup, pull),
                bounds=(0, end),
                method="bounded",
                options={"xatol": 1e-9 * end},
            )
            least = min(least.fun, chi2(0.0, n_sm, signal, setup, pull))
            rise = chi2(end, n_sm, signal, setup, pull) - least
            if limit < math.inf:
                assert rise == pytest.approx(LEVEL, rel=1e-3, abs=1e-6 * max(least, 0.0)), (beam, i, limit)
            else:
                assert rise < LEVEL * (1 + 1e-6), (beam, i)


@pytest.mark.long
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(any_study())
def test_any_study_has_the_right_limit_or_is_refused_in_one_line(case):
    source, block, files = case
    with tempfile.TemporaryDirectory() as folder:
        try:
            experiment = read(Path(folder), source, block, files)
        except ConfigError as error:
            assert re.fullmatch(r"\S+\.(yaml|csv)( with --config)?: \S.*", str(error))
            return
        limits = [
            experiment.limits(beam, method=m)
            for beam in experiment.beams
            for m in experiment.analysis.methods[:2]
        ]
        assert all(limit > 0 for found in limits for limit in found.values()), limits
        check_events(experiment, block, files)
        check_limits(experiment, block, limits[::2])
