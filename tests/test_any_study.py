"""Any study of one's own: a limit that an independent calculation gives too, or one line that says what is allowed."""

import math
import tempfile
import warnings
from pathlib import Path

import numpy as np
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cevns_tmm import ConfigError, Study

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


def optional(values):
    return st.one_of(st.none(), values)


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
            optional(
                st.one_of(
                    st.just({"photoelectrons": "poisson"}),
                    decades(-9, 5).map(lambda k: {"photoelectrons": "gamma", "shape_per_keV": k}),
                )
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
        more = draw(st.sampled_from(["", "sigma", "off_to_on"]))
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


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(any_study())
def test_any(case):
    source, block, files = case
    with tempfile.TemporaryDirectory() as folder:
        try:
            experiment = read(Path(folder), source, block, files)
        except ConfigError as error:
            assert "\n" not in str(error)
            return
        for beam in experiment.beams:
            for method in ("one-at-a-time", "profiled"):
                limits = experiment.limits(beam, method=method)
                assert all(limit > 0 for limit in limits.values()), limits
