"""Detectors and sources of one's own: tables, efficiencies, quenching, resolution, targets, bins, plausibility."""

import dataclasses
import itertools
import math
import re
import shutil
import warnings

import numpy as np
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad
from scipy.special import expit, ndtr

from cevns_tmm import ConfigError, Study, reactor_spectra
from cevns_tmm.config import PAPER
from cevns_tmm.constants import m_mu, tau_mu, tau_pi
from cevns_tmm.cross_section import E_min, T_max, dsigma_dT_em
from cevns_tmm.detector import Detector
from cevns_tmm.efficiency import LogisticEfficiency
from cevns_tmm.nuclei import isotope
from cevns_tmm.quenching import quenching_curve, quenching_factor, recoil_energy
from cevns_tmm.rates import recoil_spectra
from cevns_tmm.response import Gaussian, Photoelectrons
from cevns_tmm.source import Source
from cevns_tmm.storage import count_datasets, rate_datasets, read_counts, read_events, read_rates, write
from cevns_tmm.units import MW, J, MeV, cm, day, keV, m, s, us
from pipeline.jobs import plans
from tests.checkout import ROOT, Checkout, rows

GE = """
experiments:
  Mine:
    source: reactor
    flux_per_cm2_s: 1.0e+13
    target: {Ge: 1}
    threshold_scale: nuclear-recoil
    current: {mass_kg: 1.0, threshold_keV: 0.2, exposure_d: 365.25, efficiency: 0.8}
"""
FRONT = Study.paper()
REACTOR = FRONT.source("reactor")
SNS = FRONT.source("sns")
FLUXES = {"reactor": REACTOR.flux_tables(), "sns": SNS.flux_tables()}


def study(folder, overrides=None, experiments=GE, **files):
    """A study of one's own, with tables given as lines of text, without its warnings."""
    (folder / "experiments.yaml").write_text(experiments, encoding="utf-8")
    (folder / "audit.yaml").write_text("audit: {misses: [], inputs: {}, budget: {}}\n", encoding="utf-8")
    for name, lines in files.items():
        (folder / f"{name}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    with warnings.catch_warnings(action="ignore"):
        return Study.read(folder, overrides)


def mine(folder, reading="literal", sources=None, current=None, files=(), **block):
    """The one experiment of such a study, some keys changed; a key that is None is left out."""
    data = yaml.safe_load(GE)["experiments"]["Mine"]
    setup = data["current"] | (current or {})
    data |= block | {"current": {key: value for key, value in setup.items() if value is not None}}
    overrides = {"sources": sources} if sources else None
    text = yaml.safe_dump({"experiments": {"Mine": data}})
    return study(folder, overrides, text, **dict(files)).experiment("Mine", reading=reading)


def ge(**changes):
    """A germanium detector at a reactor."""
    common = dict(target={"Ge": 1}, mass_kg=1.0, threshold_scale="nuclear-recoil", exposure_d=365.25)
    return Detector(**common | dict(efficiency=0.8, flux_per_cm2_s=1e13, threshold_keV=0.2) | changes)


def counts(detector, source="reactor", nodes=16):
    """Events of a detector, all components together: n_sm, n_em."""
    found = detector.rates({"reactor": REACTOR, "sns": SNS}[source], FLUXES[source], nodes).counts()
    return np.array([n.sum() for n in found])


def binned(detector, source="reactor", nodes=16):
    """Events in each bin, all components together: n_sm (b,), n_em (b,)."""
    found = detector.rates({"reactor": REACTOR, "sns": SNS}[source], FLUXES[source], nodes).binned()
    return np.array([n.sum(axis=0) for n in found])


def integrated(detector, share, low, high, source="reactor", points=200_001):
    """Events from dN/dT of all isotopes and a share(T [keV], isotope), by the trapezoidal rule in log T."""
    full = dataclasses.replace(
        detector, bins_keV=None, bins_PE=None, resolution=None, quenching=None, efficiency=1.0,
        threshold_keV=low, threshold_scale="nuclear-recoil", photoelectrons_per_keV=None,
    )  # fmt: skip
    T = np.geomspace(low, high, points)
    kind = {"reactor": REACTOR, "sns": SNS}[source]
    spectra = recoil_spectra(T * keV, full.nuclei(), full.fluence(kind), FLUXES[source])
    shares = np.array([share(T, i) for i, _ in full.nuclei()])
    return np.array([np.trapezoid(np.sum(s * shares, axis=(0, 1)) * T * keV, np.log(T)) for s in spectra])


# --- efficiency -----------------------------------------------------------------------------------

EFFICIENCY = ["T_keV,efficiency", "0.1,0.0", "0.2,0.3", "0.5,0.8", "2.0,0.9"]


def test_an_efficiency_table_is_linear_zero_below_and_constant_above(tmp_path):
    """Numbers from an independent integral over the recoil energy."""
    current = {"threshold_keV": 0.1, "efficiency": "eff.csv"}
    experiment = mine(tmp_path, current=current, files={"eff": EFFICIENCY})
    n_sm, n_em = experiment.counts()["nuebar"]
    assert n_sm == pytest.approx(7348.469, rel=1e-6, abs=0)
    assert n_em == pytest.approx(4.073518e22, rel=1e-6, abs=0)
    curve = experiment.detector.efficiency_curve()
    assert list(curve(np.array([0.05, 0.1, 0.15, 0.35, 1.25, 5.0]))) == pytest.approx(
        [0, 0, 0.15, 0.55, 0.85, 0.9]
    )


@pytest.mark.parametrize("steepness", [1.0, 30.0, 1e3, 1e5, 1e8])
def test_a_logistic_efficiency_is_integrated_however_steep(steepness):
    detector = ge(efficiency={"of": "T_keV", "k1": 0.9, "k2": steepness, "x0": 0.4})
    found = counts(detector)
    assert found == pytest.approx(counts(detector, nodes=40), rel=1e-10, abs=0)
    # a step at x0 with corrections of relative order 1/k2²
    step = counts(ge(threshold_keV=0.4, efficiency=0.9))
    if steepness > 1e5:
        assert found == pytest.approx(step, rel=1e-8, abs=0)
    else:
        marks = [0.2, *(0.4 + np.array([-30, -8, 8, 30]) / steepness), 3.2]
        ends = np.unique(np.clip(marks, 0.2, 3.2))
        expected = sum(
            integrated(detector, lambda T, _: 0.9 * expit(steepness * (T - 0.4)), a, b, points=40_001)
            for a, b in itertools.pairwise(ends)
        )
        assert found == pytest.approx(expected, rel=1e-7, abs=0)


@pytest.mark.parametrize("k2", [0.5, 1e3, 1e6])
def test_the_paper_s_photoelectron_efficiency_too(k2):
    block = {"photoelectrons_per_keV": 1.17, "k1": 0.6655, "k2": k2, "x0": 10.8507, "smearing": "none"}
    detector = ge(target={"Cs": 1, "I": 1}, flux_per_cm2_s=None, baseline_m=19.3, efficiency=block)
    found = counts(detector, "sns")
    assert found == pytest.approx(counts(detector, "sns", nodes=40), rel=1e-10, abs=0)


def test_a_logistic_curve_with_a_constant_is_zero_where_it_is_negative():
    """The curve of COHERENT's CsI, arXiv:2110.07730, has an amplitude above 1."""
    curve = LogisticEfficiency("n_PE", 1.32045, 0.285979, 10.8646, -0.333322)
    n = np.array([0.0, 5.0, 10.0, 20.0, 60.0])
    plain = 1.32045 / (1 + np.exp(-0.285979 * (n - 10.8646))) - 0.333322
    assert plain[0] < 0 < plain[2]
    assert curve(n) == pytest.approx(np.maximum(plain, 0), rel=1e-14, abs=0)
    begin = curve.breakpoints()[-1]
    assert 0 == curve(begin * (1 - 1e-9)) < curve(begin * (1 + 1e-9))


def test_an_efficiency_has_the_scale_that_it_names():
    """A step in ionisation or photoelectrons is a threshold at the recoil of that ionisation."""
    Q = quenching_curve({"lindhard_k": 0.16}, isotope("Ge74"))
    T = recoil_energy(0.06 * keV, Q) / keV
    common = dict(target={"Ge74": 1}, quenching={"lindhard_k": 0.16}, threshold_keV=0.03)
    common |= dict(threshold_scale="electron-equivalent")
    sharp = counts(ge(target={"Ge74": 1}, threshold_keV=T))
    steep = {"k1": 0.8, "k2": 1e9, "x0": 0.06}
    found = counts(ge(**common, efficiency={"of": "E_keVee"} | steep))
    assert found == pytest.approx(sharp, rel=1e-7, abs=0)
    found = counts(ge(**common, efficiency={"of": "T_keV"} | steep | {"x0": T}))
    assert found == pytest.approx(sharp, rel=1e-7, abs=0)
    of_n = {"of": "n_PE"} | steep | {"x0": 6.0}
    found = counts(ge(**common, efficiency=of_n, photoelectrons_per_keV=100.0))
    assert found == pytest.approx(sharp, rel=1e-7, abs=0)


def test_the_paper_s_way_to_invert_moves_thresholds_and_not_efficiencies():
    """threshold / Q(threshold) is a recoil; an efficiency of ionisation keeps the ionisation that a recoil has."""
    common = dict(target={"Ge74": 1}, threshold_scale="electron-equivalent", threshold_keV=0.05)
    common |= dict(efficiency={"of": "E_keVee", "k1": 0.8, "k2": 1e6, "x0": 0.12})
    way = "evaluate-at-threshold"
    found = counts(ge(**common, threshold_inversion=way))
    assert found == pytest.approx(counts(ge(**common)), rel=1e-8, abs=0)
    bins = {"threshold_keV": None, "bins_keV": [0.1, 0.2], "efficiency": 0.8}
    lower, upper = (
        counts(ge(**common | {"threshold_keV": E, "efficiency": 0.8}, threshold_inversion=way))
        for E in (0.1, 0.2)
    )
    assert counts(ge(**common | bins, threshold_inversion=way)) == pytest.approx(
        lower - upper, rel=1e-10, abs=0
    )


# --- quenching ------------------------------------------------------------------------------------


def test_kappa_of_its_own_is_that_of_eq_27():
    ge74 = isotope("Ge74")
    k = 0.133 * 32 ** (2 / 3) * 74**-0.5
    T = np.geomspace(0.01, 100, 50) * keV
    expected = pytest.approx(quenching_factor(T, 32, 74), rel=1e-14, abs=0)
    assert quenching_curve({"lindhard_k": k}, ge74)(T) == expected
    assert quenching_curve({"lindhard_k": {"Ge": k, "Si": 0.1}}, ge74)(T) == expected
    assert quenching_curve(None, ge74)(T) == expected


@given(st.floats(0.02, 0.9), st.floats(0.05, 0.4))
def test_a_constant_quenching_divides_the_threshold(Q, E):
    assert recoil_energy(E * keV, quenching_curve(Q, isotope("Si28"))) == pytest.approx(
        E / Q * keV, rel=1e-13
    )


def test_a_table_of_lindhard_is_lindhard_and_a_line_is_a_polynomial():
    si = isotope("Si28")
    T = np.linspace(0.0, 8.0, 8001)
    common = dict(target={"Si28": 1}, threshold_scale="electron-equivalent", threshold_keV=0.05)
    table = {"T_keV": list(T), "quenching": list(quenching_factor(T * keV, 14, 28))}
    found = counts(ge(**common, quenching=table))
    assert found == pytest.approx(counts(ge(**common)), rel=1e-5, abs=0)
    line = {"T_keV": [0.0, 10.0], "quenching": [0.2, 0.4]}
    found = counts(ge(**common, quenching={"polynomial": [0.2, 0.02]}))
    assert found == pytest.approx(counts(ge(**common, quenching=line)), rel=1e-12, abs=0)
    assert recoil_energy(1 * keV, quenching_curve({"T_keV": [0, 1], "quenching": [0.0, 0.0]}, si)) == np.inf


def test_recoil_energies_of_several_ionisations_are_those_of_each():
    """Also beyond the points of a table, and where its quenching falls to nothing: no recoil ionises so much."""
    Q = quenching_curve({"T_keV": [0, 1, 2, 1e3], "quenching": [0.1, 0.2, 0.2, 0.0]}, isotope("Ge74"))
    E = np.geomspace(1e-6, 1e-1, 200) * keV
    T = recoil_energy(E, Q)
    assert T.tolist() == [recoil_energy(one, Q) for one in E]
    assert pytest.approx(E, rel=1e-14, abs=0) == T * Q(T)
    assert pytest.approx(2 * E / (0.1 + np.sqrt(0.01 + 0.4 * E / keV)), rel=1e-14, abs=0) == T
    assert recoil_energy(np.array([0.1, 1e3]) * keV, Q).tolist() == [recoil_energy(0.1 * keV, Q), np.inf]


def test_the_band_of_a_quenching_table_is_plus_and_minus_one_sigma():
    table = {"T_keV": [0.1, 1.0], "quenching": [0.2, 0.3], "minus": [0.05, 0.05], "plus": [0.02, 0.04]}
    common = dict(threshold_scale="electron-equivalent", threshold_keV=0.1)
    for shift, values in ((1, [0.22, 0.34]), (-1, [0.15, 0.25]), (0, [0.2, 0.3]), (-0.5, [0.175, 0.275])):
        shifted = counts(ge(**common, quenching=table, quenching_shift=shift))
        plain = counts(ge(**common, quenching={"T_keV": [0.1, 1.0], "quenching": values}))
        assert shifted == pytest.approx(plain, rel=1e-12, abs=0)


# --- resolution and bins --------------------------------------------------------------------------

EE = dict(threshold_scale="electron-equivalent", threshold_keV=None, quenching={"lindhard_k": 0.162})
CONUS_PLUS = {"noise_keV": 0.048 / 2.355, "stochastic_sqrt_keV": (2.96e-3 * 0.1096) ** 0.5}


def test_one_bin_without_smearing_is_the_count_above_threshold():
    edges = [0.2, 0.35, 0.5, 1.0, 1e3]
    found = binned(ge(threshold_keV=None, bins_keV=edges))
    assert found.shape == (2, 4)
    assert found.sum(axis=1) == pytest.approx(counts(ge()), rel=1e-12, abs=0)
    above = np.array([counts(ge(threshold_keV=edge)) for edge in edges]).T
    assert found == pytest.approx(-np.diff(above, axis=1), rel=1e-9, abs=0)


def test_a_window_of_ionisation_is_the_difference_of_two_thresholds():
    lower, upper = (counts(ge(**EE | dict(threshold_keV=E))) for E in (0.1, 0.25))
    assert counts(ge(**EE, bins_keV=[0.1, 0.25])) == pytest.approx(lower - upper, rel=1e-10, abs=0)


@pytest.mark.parametrize("resolution", [CONUS_PLUS, {"noise_keV": 0.004}, {"proportional": 0.2}])
def test_gaussian_smearing_by_another_quadrature(resolution):
    detector = ge(**EE, bins_keV=[0.16, 0.2, 0.8], resolution=resolution, efficiency=1.0)
    a, b, c = (resolution.get(k, 0.0) for k in ("noise_keV", "stochastic_sqrt_keV", "proportional"))
    for n, (low, high) in enumerate(((0.16, 0.2), (0.2, 0.8))):

        def share(T, i, low=low, high=high):
            E = T * quenching_factor(T * keV, i.Z, i.A, kappa=0.162)
            sigma = np.sqrt(a**2 + b**2 * E + c**2 * E**2)
            return ndtr((high - E) / sigma) - ndtr((low - E) / sigma)

        expected = integrated(detector, share, 0.005, 3.2)
        assert binned(detector)[:, n] == pytest.approx(expected, rel=1e-6, abs=0)
    assert binned(detector) == pytest.approx(binned(detector, nodes=40), rel=1e-9, abs=0)


def test_smearing_tends_to_none():
    sharp = binned(ge(**EE, bins_keV=[0.1, 0.15, 0.3]))
    errors = []
    for noise in (1e-3, 1e-4, 1e-5, 1e-9):
        found = binned(ge(**EE, bins_keV=[0.1, 0.15, 0.3], resolution={"noise_keV": noise}))
        errors.append(np.max(np.abs(found / sharp - 1)))
    assert errors[0] < 1e-2
    assert errors[1] == pytest.approx(errors[0] / 100, rel=0.1)
    assert errors[3] < 1e-9
    exact = binned(ge(**EE, bins_keV=[0.1, 0.15, 0.3], resolution={"noise_keV": 0.0}))
    assert exact == pytest.approx(sharp, rel=1e-12, abs=0)


def test_the_events_of_all_bins_are_those_of_one():
    edges = [0.16, *np.linspace(0.17, 0.8, 12)]
    many = binned(ge(**EE, bins_keV=edges, resolution=CONUS_PLUS)).sum(axis=1)
    one = counts(ge(**EE, bins_keV=[0.16, 0.8], resolution=CONUS_PLUS))
    assert many == pytest.approx(one, rel=1e-10, abs=0)


@given(st.floats(1e-4, 0.3), st.floats(0.01, 2.0))
def test_gaussian_shares_are_those_of_the_normal_distribution(noise, E):
    edges = np.array([0.1, 0.3, 1.0])
    found = Gaussian(noise_keV=noise).shares(np.array([E]), edges)[:, 0]
    assert found == pytest.approx(np.diff(stats.norm.cdf(edges, E, noise)), rel=0, abs=1e-14)


@given(st.floats(0.05, 0.3), st.floats(0.01, 2.0), st.floats(-9, -0.5))
@example(0.05, 0.01, -4.6)
@example(0.05, 0.01, -4.31)
@example(0.0625, 0.125, -0.5)
def test_gaussian_shares_hold_their_digits_in_narrow_bins_and_far_above(noise, E, log_width):
    """The integral of the density: a difference of two near 1/2 or 1 would lose them."""
    edges = np.array([1.0, 1.0 + 10**log_width])
    found = Gaussian(noise_keV=noise).shares(np.array([E]), edges)[0, 0]
    nodes, weights = np.polynomial.legendre.leggauss(60)
    half = (edges[1] - edges[0]) / 2
    assert found == pytest.approx(
        half * weights @ stats.norm.pdf(1.0 + half * (1 + nodes), E, noise), rel=1e-9, abs=0
    )


PE = dict(
    target={"Cs": 1, "I": 1},
    flux_per_cm2_s=None,
    baseline_m=19.3,
    threshold_keV=None,
    photoelectrons_per_keV=1.17,
)
LOGISTIC = {"k1": 0.6655, "k2": 0.4942, "x0": 10.8507}


def test_poisson_bins_are_the_paper_s_smeared_efficiency():
    """Eqs. (29)-(31) with integers from 6 to 30 have no step of their own left."""
    block = {"photoelectrons_per_keV": 1.17, "smearing": "poisson", "window_PE": [6, 30]} | LOGISTIC
    paper = ge(**PE | dict(threshold_keV=0, photoelectrons_per_keV=None, efficiency=block))
    detector = ge(
        **PE, bins_PE=[6, 31], resolution={"photoelectrons": "poisson"}, efficiency={"of": "n_PE"} | LOGISTIC
    )
    assert counts(detector, "sns") == pytest.approx(counts(paper, "sns"), rel=1e-8, abs=0)
    split = dataclasses.replace(detector, bins_PE=[6, 9.5, 20, 31])
    assert binned(split, "sns").sum(axis=1) == pytest.approx(counts(detector, "sns"), rel=1e-10, abs=0)


@pytest.mark.parametrize("edges", [[6, 31], [600, 900]])
def test_photoelectrons_by_another_quadrature(edges):
    per_keV = 1.17 if edges[0] < 100 else 40.0
    common = PE | dict(photoelectrons_per_keV=per_keV, bins_PE=edges, efficiency=1.0)
    poisson = ge(**common, resolution={"photoelectrons": "poisson"})
    gamma = ge(**common, resolution={"photoelectrons": "gamma", "shape_per_keV": 9.56})

    def poisson_share(T, _):
        return np.diff([stats.poisson.sf(edge - 1, per_keV * T) for edge in edges], axis=0)[0] * -1

    def gamma_share(T, _):
        a = 1 + 9.56 * T
        return np.diff([stats.gamma.cdf(edge, a, scale=per_keV * T / a) for edge in edges], axis=0)[0]

    for detector, share in ((poisson, poisson_share), (gamma, gamma_share)):
        expected = integrated(detector, share, 1e-2, 46.2, "sns")
        assert counts(detector, "sns") == pytest.approx(expected, rel=1e-4, abs=0)
        assert counts(detector, "sns") == pytest.approx(counts(detector, "sns", nodes=40), rel=1e-9, abs=0)


def test_a_gamma_density_is_normalised_and_has_its_mean():
    pe = Photoelectrons("gamma", 13.35, 9.56)
    for mean in (3.0, 25.0, 400.0):
        moments = [
            quad(
                lambda n, k=k, mean=mean: n**k * pe.probability(np.array([n]), np.array([mean]))[0, 0],
                0,
                20 * mean,
                points=[mean],
                limit=500,
            )[0]
            for k in range(3)
        ]
        assert moments[:2] == pytest.approx([1, mean], rel=1e-7)
        assert moments[2] - mean**2 == pytest.approx(pe.sigma(mean) ** 2, rel=1e-5)


def test_a_response_matrix_of_a_gaussian_is_that_gaussian():
    edges = np.array([0.16, 0.3, 0.8])
    E = np.linspace(0.001, 2.0, 4000)
    shares = Gaussian(**CONUS_PLUS).shares(E, edges)
    matrix = {"E_keVee": list(E)} | {f"bin{n + 1}": list(row) for n, row in enumerate(shares)}
    expected = binned(ge(**EE, bins_keV=list(edges), resolution=CONUS_PLUS))
    found = binned(ge(**EE, bins_keV=list(edges), resolution=matrix))
    assert found == pytest.approx(expected, rel=1e-3, abs=0)


def test_conus_plus_expects_what_an_independent_calculation_does():
    """arXiv:2501.05206; the collaboration's own number is 347 ± 59."""
    for k, resolution, expected in (
        (0.162, CONUS_PLUS, 325.4),
        (0.162, None, 280.2),
        (0.158, CONUS_PLUS, 299.0),
        (0.166, CONUS_PLUS, 353.0),
    ):
        changes = EE | dict(
            quenching={"lindhard_k": k}, efficiency=1.0, flux_per_cm2_s=1.5e13, exposure_d=327 / 2.83
        )
        found = sum(
            counts(ge(**changes, mass_kg=mass, bins_keV=[low, 0.8], resolution=resolution))[0]
            for low, mass in ((0.18, 0.95), (0.16, 0.94), (0.17, 0.94))
        )
        assert found == pytest.approx(expected, rel=0.01, abs=0)


def test_events_of_bins_reach_the_files(tmp_path):
    rates = ge(**EE, bins_keV=[0.1, 0.15, 0.3]).rates(REACTOR, FLUXES["reactor"])
    write(tmp_path / "counts.h5", {"a": count_datasets(rates)}, "counts")
    ((n_sm, n_em),) = read_events(tmp_path / "counts.h5", "a", {}).values()
    assert np.array_equal([n_sm, n_em], rates.binned())
    assert read_events(tmp_path / "counts.h5", "a", None) == read_counts(tmp_path / "counts.h5", "a")
    write(tmp_path / "rates.h5", {"a": rate_datasets(rates)}, "rates")
    again = read_rates(tmp_path / "rates.h5", "a")
    assert np.ravel(again.counts()) == pytest.approx(np.ravel(rates.counts()), rel=1e-12, abs=0)
    one = ge().rates(REACTOR, FLUXES["reactor"])
    assert set(count_datasets(one)) == {"component", "n_sm", "n_em"}


def test_the_front_door_gives_the_events_of_each_bin(tmp_path):
    experiment = mine(tmp_path, current={"bins_keV": [0.2, 0.4, 5], "threshold_keV": None})
    assert experiment.binned().keys() == experiment.counts().keys() == {"nuebar"}
    for total, parts in zip(experiment.counts()["nuebar"], experiment.binned()["nuebar"], strict=True):
        assert total == pytest.approx(parts.sum(), rel=1e-14, abs=0)
        assert parts.shape == (2,)


def test_background_is_per_bin_or_per_keV_kg_and_day(tmp_path):
    edges = [0.2, 0.4, 1.0]
    common = dict(threshold_keV=None, bins_keV=edges, mass_kg=2.0, exposure_d=10.0)
    events, sigma = ge(**common, background={"per_keV_kg_d": 100.0, "sigma": 0.1}).expected_background()
    assert events == pytest.approx([400, 1200])
    assert sigma == pytest.approx([40, 120])
    listed = ge(**common, background={"events": [3, 0], "sigma": [0.5, 0.1]}).expected_background()
    assert np.array_equal(listed, [[3, 0], [1.5, 0]])
    assert np.array_equal(ge(**common).expected_background(), np.zeros((2, 2)))
    current = {"threshold_keV": None, "bins_keV": edges, "background": "b.csv", "observed": "o.csv"}
    files = {"b": ["events,sigma", "3,0.5", "0,0.1"], "o": ["events", "4", "0"]}
    experiment = mine(tmp_path, current=current, files=files)
    assert np.array_equal(experiment.detector.expected_background(), listed)
    assert experiment.detector.observed["events"] == [4, 0]


# --- targets and windows in time ------------------------------------------------------------------


def test_heavy_water():
    """2 N_A 1000 / (2 × 2.0141018 + 15.9994) deuterons in a kilogram."""
    detector = ge(target={"D": 2, "O": 1})
    numbers = {i.name: n for i, n in detector.nuclei()}
    assert numbers["H2"] == pytest.approx(6.01384e25, rel=1e-5, abs=0)
    assert np.all(counts(detector) > 0)
    with pytest.raises(ValueError, match="target: 'T' is not a chemical element"):
        ge(target={"T": 1})


def test_enriched_germanium(tmp_path):
    """Shares as moles; numbers from an independent integral over the recoil energy."""
    text = GE.replace("{Ge: 1}", "{Ge76: 0.87, Ge74: 0.13}")
    experiment = study(tmp_path, experiments=text).experiment("Mine", reading="literal")
    n_sm, n_em = experiment.counts()["nuebar"]
    assert n_sm == pytest.approx(9376.772, rel=1e-6, abs=0)
    assert n_em == pytest.approx(4.188192e22, rel=1e-6, abs=0)


def test_an_element_by_its_isotopes_is_the_element():
    natural = ge()
    shares = {i.name: n for i, n in natural.nuclei()}
    assert counts(ge(target=shares)) == pytest.approx(counts(natural), rel=1e-12, abs=0)
    uranium = ge(target={"U235": 0.007, "U238": 0.993}, threshold_keV=0.01)
    assert np.all(counts(uranium) > 0)
    with pytest.raises(ValueError, match=r"target: 'U' has no natural abundances.*U238: 0.993"):
        ge(target={"U": 1})


def test_a_threshold_for_each_nucleus():
    common = dict(target={"Ca": 1, "W": 1, "O": 4}, mass_kg=0.006)
    mixed = ge(**common, threshold_keV={"Ca": 0.1, "W": 0.02, "O": 0.3})
    every = {name: ge(**common, threshold_keV=E).rates(REACTOR, FLUXES["reactor"])
             for name, E in (("Ca", 0.1), ("W", 0.02), ("O", 0.3))}  # fmt: skip
    expected = np.zeros(2)
    for name, rates in every.items():
        for i, nucleus in enumerate(rates.isotopes):
            if nucleus.rstrip("0123456789") == name:
                weight = rates.weight * rates.acceptance[i]
                expected += [np.sum(rates.sm[:, i] * weight), np.sum(rates.em[:, i] * weight)]
    assert counts(mixed) == pytest.approx(expected, rel=1e-10, abs=0)
    for wrong in ({"Ca": 0.1, "O": 0.3}, {"Ca": 0.1, "W": 0.1, "O": 0.3, "Fe": 1}):
        with pytest.raises(ValueError, match=r"threshold_keV: .* must have a value for each of Ca, W, O"):
            ge(**common, threshold_keV=wrong)


@given(st.floats(0.0, 3.0), st.floats(3.1, 20.0))
def test_a_window_in_time_has_a_start_and_an_end(start, end):
    common = dict(flux_per_cm2_s=None, baseline_m=20.0)
    full, cut = (ge(**common, time_window_us=w).fluence(SNS) for w in (None, [start, end]))
    for component, tau in (("numu", tau_pi), ("nue", tau_mu), ("numubar", tau_mu)):
        expected = math.exp(-start * us / tau) - math.exp(-end * us / tau)
        assert cut[component] / full[component] == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert ge(**common, time_window_us=[0, end]).fluence(SNS) == ge(**common, time_window_us=end).fluence(SNS)


# --- sources --------------------------------------------------------------------------------------


def michel(step=0.5):
    """numubar of muon decay at rest every ``step`` MeV and at its end, as lines of a file."""
    end = m_mu / MeV / 2
    E = np.append(np.arange(0, end, step), end)
    values = 64 * E**2 / (m_mu / MeV) ** 3 * (0.75 - E / (m_mu / MeV))
    return [f"{a!r},{b!r}" for a, b in zip(E.tolist(), values.tolist(), strict=True)]


def test_a_flux_table_is_the_spectrum_that_it_was_made_of(tmp_path):
    """Within 0.5 % of the built-in spectrum for points every 0.5 MeV, and converging as the square of the step."""
    errors = []
    for step in (0.5, 0.25):
        sources = {"sns": {"spectra": {"numubar": "numubar.csv"}}}
        text = GE.replace("reactor\n    flux_per_cm2_s: 1.0e+13", "sns\n    baseline_m: 20.0")
        file = {"numubar": ["# of muon decay", "E_MeV,per_MeV", *michel(step)]}
        own = study(tmp_path, {"sources": sources}, text, **file).experiment("Mine", reading="literal")
        built_in = study(tmp_path, None, text).experiment("Mine", reading="literal")
        found, expected = own.counts(), built_in.counts()
        assert found["nue"] == pytest.approx(expected["nue"], rel=1e-12, abs=0)
        errors.append(abs(np.array(found["numubar"]) / expected["numubar"] - 1).max())
    assert errors[0] < 0.005
    assert errors[1] == pytest.approx(errors[0] / 4, rel=0.1)


def test_a_histogram_of_a_flux_is_constant_in_each_bin(tmp_path):
    """Its moments in closed form; its events are those of a box for each bin."""
    edges, values = [0.0, 4.0, 30.0, 31.0, 52.0], [2e9, 1e9, 0.0, 5e8]
    bins = list(zip(edges, edges[1:], values, strict=False))
    head, ranges = (
        "E_low_MeV,E_high_MeV,per_MeV_cm2_s",
        {"profile_muB": [1e-12, 1e-8], "plane_muB": [1e-12, 1e-8]},
    )
    lines = [head, *(f"{low},{high},{value}" for low, high, value in bins)]
    sources = {"own": {"kind": "table", "spectra": {"nue": "f.csv"}} | ranges}
    text = GE.replace("reactor\n    flux_per_cm2_s: 1.0e+13", "own")
    experiment = study(tmp_path, {"sources": sources}, text, f=lines).experiment("Mine", reading="literal")
    table = experiment.fluxes["nue"]
    total = sum(value * (high - low) for low, high, value in bins)
    assert table.total == pytest.approx(total, rel=1e-5)  # it begins at a millionth of the first bin
    for k in (0, 1, 2):
        primitive = [lambda E: E, math.log, lambda E: -1 / E][k]
        above = sum(v * (primitive(b) - primitive(max(a, 2.0))) for a, b, v in bins) / total / MeV**k
        assert table.moment(k, 2.0 * MeV) == pytest.approx(above, rel=1e-5)
    boxes = [
        Source("table", spectra={"nue": {"E_MeV": [low, high], "per_MeV_cm2_s": [value] * 2}})
        for low, high, value in bins
        if value
    ]
    parts = [dataclasses.replace(experiment, source=box).counts()["nue"] for box in boxes]
    assert experiment.counts()["nue"] == pytest.approx(np.sum(parts, axis=0), rel=1e-5)
    for wrong in ("52.0,60.0,1\n60.0,59.0,1", "53.0,60.0,1", "51.0,60.0,1"):
        with pytest.raises(ConfigError, match=r"f\.csv must have bins that rise, each from where"):
            study(tmp_path, {"sources": sources}, text, f=[*lines, wrong])


def test_fluxes_and_lines_of_a_table_are_absolute():
    """A box of 2e9/(MeV cm² s) from 1 to 5 MeV is 8e9 neutrinos; a line of 3e9 is that of Eq. (28)'s kind."""
    source = Source(
        "table",
        spectra={"nue": {"E_MeV": [1.0, 5.0], "per_MeV_cm2_s": [2e9, 2e9]}},
        lines={"numu": {"E_MeV": [29.79], "per_cm2_s": [3e9]}, "nue": {"E_MeV": [8.0], "per_cm2_s": [1e9]}},
    )
    assert source.beams == {"full": ("nue", "numu")}
    fluence = ge(flux_per_cm2_s=None, exposure_d=10.0).fluence(source)
    assert fluence == pytest.approx({"nue": 9e9 / cm**2 / s * 10 * day, "numu": 3e9 / cm**2 / s * 10 * day})
    tables = source.flux_tables()
    for k in (0, 1, 2):
        E = 3 * MeV
        continuum = {0: 2.0, 1: math.log(5 / 3), 2: 1 / 3 - 1 / 5}[k] / MeV**k
        expected = (2 * continuum + 1 * (8 * MeV) ** -k) / 9
        assert float(tables["nue"].moment(k, E)) == pytest.approx(expected, rel=1e-9, abs=0)
        assert float(tables["numu"].moment(k, E)) == pytest.approx((29.79 * MeV) ** -k, rel=1e-12, abs=0)


def test_a_shape_has_the_flux_of_the_detector():
    source = Source("table", lines={"nue": {"E_MeV": [0.43, 0.75], "share": [1.0, 9.0]}})
    assert ge().fluence(source)["nue"] == ge().fluence(REACTOR)["nuebar"]
    assert float(source.flux_tables()["nue"].moment(0, 0.5 * MeV)) == pytest.approx(0.9)
    with pytest.raises(ValueError, match="flux_per_cm2_s: missing; the source has only shapes"):
        ge(flux_per_cm2_s=None).check(source)


def test_thermal_power_gives_the_flux_of_the_audit():
    """3.9 GW at 17 m and so on: config/audit.yaml has the fluxes with three digits."""
    fluxes = FRONT.config["audit"]["inputs"]["thermal-power-fluxes"]["sets"]
    for name, power, baseline in (("CONUS", 3900, 17), ("CONNIE", 3800, 30), ("RED100", 3000, 19)):
        source = dataclasses.replace(REACTOR, thermal_power_MW=power)
        found = source.reactor_flux(baseline) * cm**2 * s
        assert found == pytest.approx(fluxes[f"experiments.{name}.flux_per_cm2_s"], rel=5e-3, abs=0)
    detector = ge(flux_per_cm2_s=None, baseline_m=19)
    detector.check(source)
    assert detector.fluence(source)["nuebar"] == pytest.approx(source.reactor_flux(19) * 365.25 * day)
    with pytest.raises(ValueError, match="baseline_m: missing; it gives the flux of a reactor"):
        ge(flux_per_cm2_s=None).check(source)
    with pytest.raises(ValueError, match=r"flux_per_cm2_s: .* the source has its own flux"):
        ge(baseline_m=19).check(source)


def test_the_flux_of_a_reactor_in_closed_form():
    """A box of 6 neutrinos per fission, 200 MeV each of them: P/E 6/(4 pi L²)."""
    box = {"name": "Box", "isotopes": {"all": [[0.5, 8.0], [0.8, 0.8]]}}
    reactor = dataclasses.replace(
        REACTOR, spectrum_below_2MeV=box, spectrum_above_2MeV=box, E_max_MeV=8.0, thermal_power_MW=100.0,
        energy_per_fission="James1969", fission_fractions={"U235": 1.0},
    )  # fmt: skip
    expected = 100 * MW / (201.7 * MeV) * 6 / (4 * np.pi * (10 * m) ** 2)
    assert reactor.reactor_flux(10.0) == pytest.approx(expected, rel=1e-12, abs=0)
    assert MW * s == pytest.approx(1e6 * J)
    assert MeV / J == pytest.approx(1.602176634e-13)


U235 = {"U235": 1.0, "U238": 0, "Pu239": 0, "Pu241": 0}


def test_a_research_reactor_has_not_the_spectrum_of_a_power_reactor(tmp_path):
    message = "spectrum_below_2MeV: 'Kopeikin2012' is of a whole power reactor .* take one of single isotopes, VogelE"
    with pytest.raises(ConfigError, match=message):
        mine(tmp_path, sources={"reactor": {"fission_fractions": U235}})
    sources = {"reactor": {"fission_fractions": U235, "spectrum_below_2MeV": "VogelEngel1989"}}
    experiment = mine(tmp_path, reading="inferred", sources=sources)
    assert experiment.counts()["nuebar"][0] == pytest.approx(11374.11, rel=1e-6, abs=0)
    assert experiment.limits()["Lambda3"] == pytest.approx(5.925e-11, rel=1e-3, abs=0)


OWN = ["spectrum,isotope,a1,a2,a3,a4,a5,a6", "Mine2024,U235,4.367,-4.577,2.1,-0.5294,0.06186,-0.002777"]


def test_a_spectrum_in_a_file_of_one_s_own_needs_only_what_burns(tmp_path):
    """Numbers from an independent integral over the recoil energy."""
    own = {"spectrum_above_2MeV": "own.csv", "spectrum_below_2MeV": "VogelEngel1989"}
    sources = {"reactor": own | {"fission_fractions": U235}}
    n_sm, n_em = mine(tmp_path, sources=sources, files={"own": OWN}).counts()["nuebar"]
    assert n_sm == pytest.approx(11561.034, rel=1e-6, abs=0)
    assert n_em == pytest.approx(5.997904e22, rel=1e-6, abs=0)
    sources["reactor"]["fission_fractions"] = U235 | {"U235": 0.9, "Pu239": 0.1}
    with pytest.raises(ConfigError, match="spectrum_above_2MeV: 'Mine2024' has no Pu239, which the fission"):
        mine(tmp_path, sources=sources, files={"own": OWN})


def test_a_table_may_be_a_reactor_s_whole_spectrum(tmp_path):
    """The shipped spectrum of U235, written out up to 8 MeV, gives its counts; the end is the table's."""
    low_E, low = reactor_spectra.low_energy("VogelEngel1989", {"U235": 1.0})
    E = np.unique([*low_E, 2 - 1e-9, *np.linspace(2.0, 8.0, 601)])
    a = reactor_spectra.above()["Huber2011"]["U235"]
    rho = np.where(E < 2, np.interp(E, low_E, low), np.exp(np.polynomial.polynomial.polyval(E, a)))
    rows = [f"Sum,U235,{x!r},{y!r}" for x, y in zip(E.tolist(), rho.tolist(), strict=True)]
    file = {"whole": ["spectrum,isotope,E_MeV,per_MeV_per_fission", *rows]}
    reactor = {"fission_fractions": U235, "E_max_MeV": 8.0}
    built_in = reactor | {"spectrum_below_2MeV": "VogelEngel1989", "spectrum_above_2MeV": "Huber2011"}
    own = reactor | {"spectrum_below_2MeV": "whole.csv", "spectrum_above_2MeV": "whole.csv"}
    expected = mine(tmp_path, sources={"reactor": built_in}).counts()["nuebar"]
    found = mine(tmp_path, sources={"reactor": own}, files=file).counts()["nuebar"]
    assert found == pytest.approx(expected, rel=2e-3, abs=0)
    with pytest.raises(ConfigError, match="E_max_MeV: 10 must be at most 8, the end of the spectrum"):
        mine(tmp_path, sources={"reactor": own | {"E_max_MeV": 10.0}}, files=file)


def test_counts_of_a_flux_table_by_double_integral():
    """A triangle in energy on Si28."""
    source = Source("table", spectra={"nue": {"E_MeV": [2.0, 5.0, 9.0], "per_MeV_cm2_s": [0.0, 1e9, 0.0]}})
    silicon, low = isotope("Si28"), 0.5
    detector = ge(target={"Si28": 1}, flux_per_cm2_s=None, threshold_keV=low, efficiency=1.0)
    found = detector.rates(source, source.flux_tables()).counts()[1][0]

    def rate(T):
        ends = [max(float(E_min(float(T) * keV, silicon.mass)) / MeV, 2.0), 5.0, 9.0]
        inner = 0
        for a, b in itertools.pairwise(sorted(ends) if ends[0] < 5 else [ends[0], 9.0]):
            inner += quad(
                lambda E: np.interp(E, [2, 5, 9], [0, 1e9, 0])
                * float(dsigma_dT_em(float(T) * keV, E * MeV, silicon)),
                a, b, epsabs=0, epsrel=1e-11,
            )[0]  # fmt: skip
        return inner

    ends = [low, *(2 * (E * MeV) ** 2 / (silicon.mass + 2 * E * MeV) / keV for E in (5, 9))]
    total = sum(quad(rate, a, b, epsabs=0, epsrel=1e-10)[0] for a, b in itertools.pairwise(ends))
    number = detector.nuclei()[0][1]
    expected = total * keV * number / cm**2 / s * 365.25 * day
    assert found == pytest.approx(expected, rel=1e-7, abs=0)


# --- far from the usual ----------------------------------------------------------------------------


def test_fifty_narrow_bins_have_the_events_of_one():
    """Of any relative width, with a resolution far narrower and far wider than a bin."""
    for resolution in (None, {"noise_keV": 1e-12}, {"proportional": 1e-3}, {"noise_keV": 5.0}):
        for width in (1e-9, 1e-3, 0.02):
            edges = 0.2 * (1 + width * np.arange(51))
            many = binned(ge(threshold_keV=None, bins_keV=edges.tolist(), resolution=resolution))
            one = counts(ge(threshold_keV=None, bins_keV=[edges[0], edges[-1]], resolution=resolution))
            assert many.shape == (2, 50)
            assert many.sum(axis=1) == pytest.approx(one, rel=1e-9, abs=0)


def test_the_count_ends_at_the_largest_recoil():
    """Steps of an efficiency beyond it change nothing, and cost no nodes."""
    far = {"of": "T_keV", "k1": 0.5, "k2": 1e9, "x0": 1e5, "constant": 0.5}
    ends = [T_max(REACTOR.E_max, isotope.mass) for isotope, _ in ge().nuclei()]
    table = ge(efficiency=far).rates(REACTOR, FLUXES["reactor"])
    assert max(table.T) < max(ends)
    assert counts(ge(efficiency=far)) == pytest.approx(counts(ge(efficiency=0.5)), rel=1e-12, abs=0)


def test_events_are_right_across_the_corners_of_a_quenching_table():
    """The ionisation has corners there, and so has an efficiency of it: many nodes see no more than a few."""
    argon = Detector(
        target={"Ar": 1},
        mass_kg=1.0,
        exposure_d=100.0,
        baseline_m=27.5,
        threshold_scale="electron-equivalent",
        quenching={"T_keV": [1, 10, 100], "quenching": [0.10, 0.18, 0.25]},
        efficiency={"E_keVee": [0.5, 1.7, 1.9, 6], "efficiency": [0, 0.1, 0.8, 0.9]},
        bins_keV=[0.5, 1.5, 4.0, 9.0],
    )
    assert binned(argon, "sns") == pytest.approx(binned(argon, "sns", 200), rel=1e-10, abs=0)


def test_a_quenching_above_1_beyond_the_largest_recoil_is_no_matter(tmp_path):
    """And one that falls to nothing there."""
    bins = {"bins_keV": [0.1, 0.3, 1e5], "threshold_keV": None}
    for slope in (0.05, -0.03):
        model = {"polynomial": [0.2, slope]}
        scale = "electron-equivalent"
        one = mine(tmp_path, current=bins, threshold_scale=scale, quenching=model)
        thresholds = [recoil_energy(E * keV, quenching_curve(model, isotope("Ge72"))) for E in (0.1, 0.3)]
        exact = [2 * E / (0.2 + math.sqrt(0.04 + 4 * slope * E)) for E in (0.1, 0.3)]
        assert [T / keV for T in thresholds] == pytest.approx(exact, rel=1e-12, abs=0)
        assert np.all(one.binned()["nuebar"][0] > 0)


def test_electrons_are_counted_from_where_noise_lets_them_pass():
    """A logistic efficiency has no sharp beginning, so that its midpoint is not one either."""
    common = dict(threshold_scale="electron-equivalent", channels=["electron"], threshold_keV=1.0)
    common |= dict(resolution={"noise_keV": 1.0}, quenching=0.2)
    flat = ge(**common, efficiency=0.5)
    slow = ge(**common, efficiency={"of": "E_keVee", "k1": 1.0, "k2": 1e-9, "x0": 30.0})
    assert counts(slow) == pytest.approx(counts(flat), rel=1e-6, abs=0)


# --- what is wrong is named -----------------------------------------------------------------------

CASES = {
    "no such file": ({"efficiency": "no.csv"}, [], "current.efficiency: 'no.csv' must be a file in "),
    "other columns": (
        {"efficiency": "eff.csv"},
        ["T,eff", "1,1"],
        "eff.csv: columns 'T,eff' must be T_keV,efficiency or E_keVee,efficiency or n_PE,efficiency",
    ),
    "efficiency in per cent": (
        {"efficiency": "eff.csv"},
        ["# mine", "T_keV,efficiency", "0.1,0", "0.2,80"],
        "eff.csv: line 4: efficiency: '80' must be a finite number of at least 0 and at most 1",
    ),
    "energies that fall": (
        {"efficiency": "eff.csv"},
        ["T_keV,efficiency", "0.2,0", "0.1,1"],
        "eff.csv: line 3: T_keV: 0.1 must be greater than 0.2, the one before",
    ),
    "text": (
        {"efficiency": "eff.csv"},
        ["T_keV,efficiency", "0.2,high"],
        "eff.csv: line 2: efficiency: 'high' must be a finite number of at least 0 and at most 1",
    ),
    "nothing": ({"efficiency": "eff.csv"}, ["T_keV,efficiency"], "eff.csv: must not be empty"),
    "semicolons": ({"efficiency": "eff.csv"}, ["T_keV;efficiency", "1;1"], "columns 'T_keV;efficiency' must"),
    "bins of another number": (
        {"resolution": "eff.csv", "bins_keV": [0.1, 0.2, 0.3], "threshold_keV": None},
        ["T_keV,bin1", "0.1,0.5"],
        "current.resolution: 1 bins must be 2, those of the edges",
    ),
    "matrix without bins": (
        {"resolution": "eff.csv"},
        ["T_keV,bin1", "0.1,0.5"],
        "current.resolution: a matrix needs bins_keV or bins_PE",
    ),
    "noise of photoelectrons": (
        {"resolution": {"noise_keV": 0.1}, "bins_PE": [6, 30], "threshold_keV": None},
        [],
        "current.resolution: bins_PE needs photoelectrons",
    ),
    "more than everything": (
        {"resolution": "eff.csv", "bins_keV": [0.1, 0.2, 0.3], "threshold_keV": None},
        ["T_keV,bin1,bin2", "0.1,0.6,0.6"],
        "eff.csv: the shares at 0.1 have the sum 1.2, must be at most 1",
    ),
    "two ways": ({"bins_keV": [0.1, 0.2]}, [], "current.bins_keV: threshold_keV and bins_keV are given; give one of"),
    "no way": ({"threshold_keV": None}, [], "current.threshold_keV: missing; give one of threshold_keV, bins_keV"),
    "edges that fall": (
        {"bins_keV": [0.2, 0.1], "threshold_keV": None},
        [],
        "current.bins_keV: [0.2, 0.1] must be two or more edges that rise",
    ),
    "photoelectrons of nothing": (
        {"photoelectrons_per_keV": 10.0},
        [],
        "current.photoelectrons_per_keV: needed with bins_PE or an efficiency of n_PE, and only there",
    ),
    "resolution of photoelectrons in keV": (
        {"resolution": {"photoelectrons": "poisson"}},
        [],
        "current.resolution.photoelectrons: needs bins_PE",
    ),
    "background of another number": (
        {"background": {"events": [1, 2]}},
        [],
        "current.background.events: 2 values must be 1, one for each bin",
    ),
    "background twice": (
        {"background": {"events": [1], "per_keV_kg_d": 1}},
        [],
        "current.background: must have one of events, per_keV_kg_d",
    ),
    "number in quotes": (
        {"efficiency": "high"},
        [],
        "current.efficiency: 'high' must be a finite number",
    ),
    "logistic above 1": (
        {"efficiency": {"of": "T_keV", "k1": 1.3, "k2": 1, "x0": 1}},
        [],
        "current.efficiency.k1: 1.3 and the constant must have a sum in (0, 1]",
    ),
    "another case of letters": (
        {"efficiency": "EFF.CSV"},
        ["T_keV,efficiency", "1,1"],
        "; is eff.csv meant?",
    ),
    "photoelectrons that hardly fluctuate": (
        {"resolution": {"photoelectrons": "gamma", "shape_per_keV": 101}, "bins_PE": [1, 9], "threshold_keV": None,
         "photoelectrons_per_keV": 10},
        [],
        "current.resolution.shape_per_keV: 101 must be at most 100, ten times photoelectrons_per_keV",
    ),
    "events where nothing is expected": (
        {"bins_keV": [0.2, 0.3, 900, 1000], "threshold_keV": None, "observed": {"events": [1, 0, 2]}},
        [],
        "experiments.Mine.current.observed: 2 in bin 3, where nothing is expected, background included",
    ),
    "more events than a sum of numbers can tell apart": (
        {"bins_keV": [0.2, 1.0], "threshold_keV": None, "mass_kg": 1e12},
        [],
        "experiments.Mine: expected: 8.71e+15 events in a bin must be at most 1e+15",
    ),
    "numbers of another order": (
        {"exposure_d": 1e30},
        [],
        "current.exposure_d: 1e+30 must be at least 1e-09 and at most 1e+09",
    ),
    "window in time at a reactor": ({"time_window_us": [1, 2]}, [], "time_window_us: [1, 2] needs a pulsed source"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_detector_is_refused_in_one_line(tmp_path, case):
    current, lines, message = CASES[case]
    with pytest.raises(ConfigError) as error:
        mine(tmp_path, current=current, files={"eff": lines} if lines else {})
    assert len(str(error.value).splitlines()) == 1
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            {"baseline_m": [72, 102]},
            "baseline_m: [72, 102] must be a finite number; cores of equal power at several",
        ),
        (
            {"source": ["reactor", "sns"]},
            "source: ['reactor', 'sns'] must be text; two sources are two experiments",
        ),
        ({"target": "CaWO4"}, "target: 'CaWO4' must be keys and their values; give {Ca: 1, W: 1, O: 4}"),
    ],
)
def test_what_another_program_may_take_has_a_remedy(tmp_path, block, message):
    with pytest.raises(ConfigError, match=re.escape(f"experiments.Mine.{message}")):
        mine(tmp_path, **block)


@pytest.mark.parametrize(
    ("quenching", "message"),
    [
        (0.2, "quenching: changes nothing, as nothing is electron-equivalent"),
        ({"lindhard_k": 0.1, "polynomial": [0.1]}, "must have at most 1 key"),
        (True, "experiments.Mine.quenching: True must be a finite number"),
    ],
)
def test_a_quenching_that_is_wrong_is_refused(tmp_path, quenching, message):
    with pytest.raises(ConfigError, match=message):
        mine(tmp_path, quenching=quenching)


def test_a_quenching_must_rise_up_to_the_largest_recoil(tmp_path):
    message = r"quenching: must lie between 0 and 1, and the ionisation rise .* of Ge70, 3\.\d+ keV"
    for model in ({"polynomial": [0.2, -0.06]}, {"polynomial": [0.2, 0.6]}, {"polynomial": [-0.1, 0.1]}):
        with pytest.raises(ConfigError, match=message):
            mine(tmp_path, threshold_scale="electron-equivalent", quenching=model)


@pytest.mark.parametrize(
    ("source", "lines", "message"),
    [
        (
            {"spectra": {"nue": "f.csv"}},
            ["E_MeV,per_MeV", "1,0", "2,0"],
            "spectra: f.csv must have a value above 0",
        ),
        (
            {"spectra": {"nue": "f.csv"}},
            ["E_MeV,per_MeV", "1,1"],
            "spectra: f.csv must have at least two energies",
        ),
        (
            {"spectra": {"nue": "f.csv"}},
            ["E_MeV,per_keV", "1,1"],
            "columns 'E_MeV,per_keV' must be E_MeV,per_MeV or .* or E_low_MeV,E_high_MeV,per_MeV or",
        ),
        (
            {"spectra": {"nutau": "f.csv"}},
            ["E_MeV,per_MeV", "1,1", "2,1"],
            "'nutau' must be one of numu, numubar",
        ),
        ({}, [], "sources.mine.spectra: missing; a source of kind table needs spectra or lines"),
        (
            {"spectra": {"nue": "f.csv"}, "lines": {"nue": "g.csv"}},
            ["E_MeV,per_MeV", "1,1", "2,1"],
            "lines: nue must be fluxes at the detector, to be added to a spectrum",
        ),
    ],
)
def test_a_wrong_flux_table_is_refused(tmp_path, source, lines, message):
    (tmp_path / "g.csv").write_text("E_MeV,share\n1,1\n", encoding="utf-8")
    ranges = {"profile_muB": [1e-12, 1e-8], "plane_muB": [1e-12, 1e-8]}
    with pytest.raises(ConfigError, match=message):
        mine(tmp_path, sources={"mine": {"kind": "table"} | source | ranges}, files={"f": lines})


def test_tables_of_other_systems_are_read(tmp_path):
    """A byte-order mark, Windows line ends, comments, spaces about the cells."""
    lines = [" , ".join(line.split(",")) for line in EFFICIENCY]
    text = "\ufeff# mine\r\n" + "\r\n".join(lines) + "\r\n# end\r\n"
    (tmp_path / "eff.csv").write_bytes(text.encode())
    current = {"threshold_keV": 0.1, "efficiency": "eff.csv"}
    n_sm, _ = mine(tmp_path, current=current).counts()["nuebar"]
    assert n_sm == pytest.approx(7348.469, rel=1e-6, abs=0)


def test_a_changed_table_makes_its_own_results_again_and_no_others(tmp_path):
    other = GE.replace("experiments:\n", "").replace("Mine", "Other")
    overrides = {"experiments": {"Mine": {"current": {"efficiency": "eff.csv"}}}}
    before = plans(study(tmp_path, overrides, GE + other, eff=EFFICIENCY), tmp_path)
    after = plans(study(tmp_path, overrides, GE + other, eff=[*EFFICIENCY, "3.0,0.95"]), tmp_path)
    changed = {job for job in before if before[job] != after[job]}
    assert changed == {"rates/Mine", "audit/rates/Mine"}
    assert before["rates/Mine"]["data"].keys() == {"eff.csv"}
    assert before["rates/Mine"]["data"] != after["rates/Mine"]["data"]
    overrides["experiments"]["Mine"]["current"]["observed"] = {"events": [3]}
    data = plans(study(tmp_path, overrides, GE + other, eff=EFFICIENCY), tmp_path)
    assert data["rates/Mine"] == before["rates/Mine"]


def test_plans_have_the_nodes_and_the_data_files_of_their_physics(tmp_path):
    """An edited file of bindings or energies per fission, or other nodes, makes rates and maps again."""
    text = GE.replace("flux_per_cm2_s: 1.0e+13", "baseline_m: 20\n    channels: [nucleus, electron]")
    text = (
        text.replace("nuclear-recoil", "electron-equivalent")
        + """
maps:
  M:
    experiment: Mine
    thresholds_keV: [0.1, 1]
    exposures_kg_d: [1, 100]
    window_end_keV: 10
    background_per_keV_kg_d: 10
    sigma_sys: 0.05
    points: 4
"""
    )
    overrides = {"sources": {"reactor": {"thermal_power_MW": 3000}}, "grids": {"recoil_nodes": 24}}
    found = plans(study(tmp_path, overrides, text), tmp_path)
    for job in ("rates/Mine", "maps/M"):
        assert {"electron_bindings.csv", "energy_per_fission.csv"} <= found[job]["data"].keys()
        assert found[job]["parameters"]["nodes"] == 24


# --- plausibility ---------------------------------------------------------------------------------

SLIPS = {
    "threshold in eV": (GE.replace("_keV: 0.2", "_keV: 200"), {}, "threshold_keV: 200 is beyond what the largest rec"),
    "bins in eV": (GE.replace("threshold_keV: 0.2", "bins_keV: [20, 80]"), {}, r"bins_keV: \[20, 80\] is beyond"),
    "few events": (
        GE.replace("_keV: 0.2", "_keV: 2.9"),
        {},
        r"threshold_keV: 2.9 leaves 4.1e-05 expected events, too few for a Gaussian chi-squared",
    ),
    "tiny mass": (GE.replace("mass_kg: 1.0", "mass_kg: 1.0e-7"), {}, "leaves 0.00089 expected events"),
    "flux 1e4 too large": (GE.replace("1.0e+13", "1.0e+17"), {}, "flux_per_cm2_s: 1e[+]17 is far from that of any"),
    "baseline that changes nothing": (
        GE.replace("    target", "    baseline_m: 20\n    target"),
        {},
        "Mine .current.: baseline_m: 20 changes nothing, .* or give the source thermal_power_MW",
    ),
    "baseline in cm": (
        GE.replace("reactor\n    flux_per_cm2_s: 1.0e+13", "sns\n    baseline_m: 1930"),
        {},
        "baseline_m: 1930 is far from that of any detector; is it in m?",
    ),
    "sigma in per cent": (GE, {"statistics": {"current": {"sigma_stat": 20}}}, "sigma_stat: 20 is above 1"),
    "moment in 1e-11": (GE, {"solar": {"Borexino": {"mu_nu_muB": 2.8}}}, "Borexino .current.: mu_nu_muB: 2.8 is far"),
    "lindhard k in per cent": (
        GE.replace("nuclear-recoil", "electron-equivalent\n    quenching: {lindhard_k: 16.2}"),
        {},
        "quenching.lindhard_k: 16.2 is far from 0.05 to 0.3, .* is it in percent",
    ),
    "noise at the threshold": (
        GE.replace("efficiency: 0.8", "efficiency: 0.8, resolution: {noise_keV: 0.1}"),
        {},
        "threshold_keV: 0.2 is within three times the noise",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SLIPS)
def test_what_is_surely_a_slip_is_said(tmp_path, case):
    text, overrides, message = SLIPS[case]
    found = study(tmp_path, overrides, text)
    slip = next(note for note in found.notes if re.search(message, note))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Study.read(tmp_path, overrides)
    assert slip in [str(one.message) for one in caught]


def test_nothing_is_said_of_a_detector_that_is_as_it_should_be(tmp_path):
    assert [note for note in study(tmp_path).notes if not note.startswith("left out")] == []
    with warnings.catch_warnings(action="error"):
        Study.read(PAPER)


def test_no_event_measured_is_a_measurement(tmp_path):
    """Eq. (34) needs a variance, and that of the background is enough; with it there are few events."""
    data = {
        "n_measured": 0,
        "beam_neutrons": 0,
        "steady_state": 3,
        "sigma_signal": 0.1,
        "sigma_background": 0.1,
    }
    experiment = mine(tmp_path, current={"mass_kg": 0.0001, "data": data})
    n_sm = experiment.counts()["nuebar"][0]
    assert experiment.analysis.chi2(n_sm).chi2(0.0) == pytest.approx(n_sm**2 / (6 + (0.1 * n_sm) ** 2))
    text = GE.replace("efficiency: 0.8", f"efficiency: 0.8, data: {data}".replace("'", ""))
    found = study(tmp_path, None, text.replace("mass_kg: 1.0", "mass_kg: 0.0001"))
    assert any("leaves 3.9 expected events" in note for note in found.notes), found.notes


# --- examples -------------------------------------------------------------------------------------

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/config"))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_an_example_has_finite_limits_and_no_slips(folder):
    with warnings.catch_warnings(action="ignore"):
        found = Study.read(folder / "config")
    assert [note for note in found.notes if not note.startswith("left out")] == []
    for name in found.experiments:
        experiment = found.experiment(name)
        for beam in experiment.beams:
            assert all(0 < limit < 1e-7 for limit in experiment.limits(beam).values())


def test_the_examples_are_what_the_page_says():
    expected = {}
    for folder in EXAMPLES:
        with warnings.catch_warnings(action="ignore"):
            found = Study.read(folder / "config")
        events = [n for name in found.experiments for n, _ in found.experiment(name).counts().values()]
        expected[folder.name] = sum(events)
    assert expected.keys() == {"cawo4", "conus-plus", "sns-argon"}
    assert expected["conus-plus"] == pytest.approx(325.4, rel=0.001)
    page = (ROOT / "docs/detector.md").read_text(encoding="utf-8")
    for name, events in expected.items():
        assert f"| `examples/{name}` | {events:.1f} |" in page


def test_the_blocks_of_the_page_are_a_study(tmp_path):
    """A reactor by power and a stopped-pion source with tables, and a detector at each."""
    page = (ROOT / "docs/detector.md").read_text(encoding="utf-8")
    sources, experiments = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)[:2]
    for name in ("nue", "numubar", "numu"):
        shutil.copy(ROOT / f"examples/sns-argon/config/{name}.csv", tmp_path)
    found = study(tmp_path, yaml.safe_load(sources), experiments)
    assert [note for note in found.notes if not note.startswith("left out")] == []
    cawo4, argon = map(found.experiment, found.experiments)
    cores = sum(cawo4.source.reactor_flux(distance) for distance in (72.0, 102.0))
    assert cawo4.detector.fluence(cawo4.source)["nuebar"] == pytest.approx(cores * 365.25 * day, rel=1e-4)
    assert all(0 < limit < 1e-8 for one in (cawo4, argon) for limit in one.limits(one.beams[-1]).values())


def test_every_value_on_the_page_is_allowed(tmp_path):
    """What its tables of efficiency, quenching and resolution begin with, each in a study of its own."""
    page = (ROOT / "docs/detector.md").read_text(encoding="utf-8")
    photoelectrons = {"threshold_keV": None, "bins_PE": [6, 31], "photoelectrons_per_keV": 10.0}
    done = 0
    for key in ("efficiency", "quenching", "resolution"):
        section = page.partition(f"\n## {key.capitalize()}\n")[2].partition("\n## ")[0]
        cells = "".join(re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE))
        for text in re.findall("`([^`…]+)`", cells):
            value = yaml.safe_load(re.sub(r"\b[abc]\b", "0.01", text))
            if str(value).endswith(".csv"):
                continue
            block = {"threshold_scale": "electron-equivalent"}
            block["target"] = {"Ge": 1, "Si": 1} if "Si" in text else {"Ge": 1}
            current = dict(photoelectrons if "photoelectrons" in text or "n_PE" in text else {})
            (block if key == "quenching" else current)[key] = value
            mine(tmp_path, current=current, **block)
            done += 1
    assert done == 9


@pytest.mark.workflow
@pytest.mark.long
@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_an_example_runs_through_snakemake(folder, tmp_path):
    """Tables and a figure; events of bins in the files are those of the front door."""
    checkout = Checkout(tmp_path / "checkout")
    shutil.copytree(folder / "config", tmp_path / "study/config")
    targets = ["results/table2.md", "results/limits.csv", "results/counts.csv", "figures/fig2.pdf", "maps"]
    checkout.snakemake("--directory", str(tmp_path / "study"), *targets, cores=1)
    found = {}
    for row in rows(tmp_path / "study/results/counts.csv"):
        if row["reading"] == "inferred":
            found.setdefault(row["experiment"], {})[row["component"]] = float(row["n_sm"])
    with warnings.catch_warnings(action="ignore"):
        read = Study.read(folder / "config")
    assert found.keys() == set(read.experiments)
    for name, by_component in found.items():
        experiment = read.experiment(name)
        assert by_component == pytest.approx(
            {c: n for c, (n, _) in experiment.counts().items()}, rel=1e-9, abs=0
        )
        if experiment.detector.bins > 1:
            file = tmp_path / f"study/results/counts/{name}.h5"
            for component, (n_sm, _) in read_events(file, "current/inferred", {}).items():
                assert n_sm[0] == pytest.approx(experiment.binned()[component][0], rel=1e-12, abs=0)
    combined = {name: read.combination(name).limits() for name in read.combinations}
    for row in rows(tmp_path / "study/results/limits.csv"):
        if (row["beam"], row["reading"], row["method"]) == ("combined", "inferred", "one-at-a-time"):
            limit = combined[row["experiment"]].pop(row["parameter"])
            assert float(row["limit_muB"]) == pytest.approx(limit, rel=1e-9, abs=0)
    assert not any(combined.values())
    mapped = {row["map"] for row in rows(tmp_path / "study/results/maps.csv")}
    assert mapped == set(read.maps)
    for name in ("fig2", *(f"map-{one}" for one in read.maps)):
        assert (tmp_path / f"study/figures/{name}.pdf").read_bytes().startswith(b"%PDF")
