"""Coverage by toys, expected limits, limits of Feldman and Cousins, and limits with the spectrum."""

import dataclasses
import math
import os
import signal
import subprocess
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.special import ndtr
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import poisson, skellam

from cevns_tmm import Study, storage, toys
from cevns_tmm.analysis import Analysis
from cevns_tmm.spectrum import BinnedExperiment, bins_of_equal_counts, excess_by_moment
from cevns_tmm.statistics import CountingExperiment
from cevns_tmm.toys import Truth
from tests.checkout import ROOT, Checkout, rows

STUDY = Study.paper()
CSI, CONUS = STUDY.experiment("CsI"), STUDY.experiment("CONUS")
LEVEL = CSI.analysis.level(1)
TOYS = 40_000


def standard_model(experiment):
    return sum(n for n, _ in experiment.counts().values())


def cover(analysis, n_sm, n_em, truth, number=TOYS, seed=7):
    return toys.coverage(analysis, n_sm, n_em, truth, number, [seed, int(n_em)])


@given(
    st.lists(st.tuples(st.floats(-500, 500), st.floats(1, 1e4)), min_size=1, max_size=5),
    st.sampled_from([0.0, 0.1, 0.6]),
    st.floats(0, 500),
    st.floats(0.1, 9),
)
def test_many_experiments_at_once_are_each_of_them(experiments, sigma, scaled, level):
    residuals, variances = np.transpose(experiments)
    many = CountingExperiment(residuals, variances, sigma, scaled)
    each = [CountingExperiment(r, v, sigma, scaled) for r, v in experiments]
    for found, wanted in (
        (many.best_fit, [one.best_fit for one in each]),
        (many.delta_chi2(30.0), [one.delta_chi2(30.0) for one in each]),
        (many.upper_limit(level), [one.upper_limit(level) for one in each]),
        (many.lower_limit(level), [one.lower_limit(level) for one in each]),
    ):
        assert found == pytest.approx(
            wanted, rel=1e-9, abs=1e-9
        )  # numpy squares a number and an array differently


@pytest.mark.parametrize("truth", [Truth("fixed"), Truth("excess", 0.2), Truth("total", 0.05)])
def test_toys_spread_as_the_truth_says(truth):
    n_sm, n_em, rng = 5e4, 2e3, np.random.default_rng(5)
    analysis = dataclasses.replace(CONUS.analysis, nuisance_on="total")
    residual = toys.draw(analysis, n_sm, n_em, truth, TOYS, rng).residual
    scaled = {"fixed": 0, "excess": n_em, "total": n_sm + n_em}[truth.kind]
    variance = 1.2 * n_sm + n_em + (truth.size * scaled) ** 2
    assert residual.mean() == pytest.approx(n_em, abs=5 * math.sqrt(variance / TOYS))
    assert residual.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / TOYS))


def test_toys_of_data_have_their_own_variance():
    chi2 = toys.draw(CSI.analysis, 173.36, 100.0, Truth("fixed"), TOYS, np.random.default_rng(5))
    variance = 173.36 + 100 + 6 + 2 * 405
    assert chi2.residual.mean() == pytest.approx(100, abs=5 * math.sqrt(variance / TOYS))
    assert chi2.residual.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / TOYS))
    assert chi2.variance.mean() == pytest.approx(variance + 6 + (0.25 * 6) ** 2, rel=1e-3)


def test_no_factor_is_negative():
    rng = np.random.default_rng(5)
    assert np.min(Truth("total", 5.0).events(10.0, 5.0, 1000, rng)) == 0
    assert np.min(Truth("excess", 5.0).events(10.0, 5.0, 1000, rng)) == 10


def test_without_nuisance_and_far_from_0_the_limit_covers():
    """Wilks; at 0 half of the toys have their best fit there (Chernoff): 0.95, critical value 1.642."""
    analysis = dataclasses.replace(CONUS.analysis, sigma_sys=0.0)
    n_sm, sigma = 1e6, math.sqrt(1.2e6)
    far = cover(analysis, n_sm, 5 * sigma, Truth("fixed"))
    assert far.interval / TOYS == pytest.approx(0.9, abs=0.006)
    assert far.upper / TOYS == pytest.approx(0.95, abs=0.005)
    assert far.critical_value == pytest.approx(LEVEL, abs=0.08)
    none = cover(analysis, n_sm, 0.0, Truth("fixed"))
    assert none.interval / TOYS == pytest.approx(0.95, abs=0.005)
    assert none.upper == TOYS
    assert none.critical_value == pytest.approx(chi2_distribution.ppf(0.8, 1), abs=0.06)


@pytest.mark.parametrize(
    ("n_em", "interval", "upper", "critical"),
    [
        *((0, 0.951, 1.0, 1.61), (40, 0.951, 1.0, 1.63), (80, 0.951, 1.0, 2.20), (100, 0.930, 0.979, 2.44)),
        *((120, 0.910, 0.960, 2.58), (150, 0.9, 0.95, 2.70), (200, 0.9, 0.95, 2.70), (500, 0.9, 0.95, 2.70)),
    ],
)
def test_coverage_of_csi(n_em, interval, upper, critical):
    found = cover(CSI.analysis, standard_model(CSI), n_em, Truth("total", 0.28))
    assert found.interval / TOYS == pytest.approx(interval, abs=0.005)
    assert found.upper / TOYS == pytest.approx(upper, abs=0.005)
    assert found.critical_value == pytest.approx(critical, abs=0.09)


def test_limits_to_expect_of_csi():
    n_sm, number = standard_model(CSI), 200_000
    found = cover(CSI.analysis, n_sm, 0.0, Truth("total", 0.28), number)
    quantiles = np.quantile(found.limits, ndtr(toys.SIGMAS), method="inverted_cdf")
    assert quantiles == pytest.approx([93.6, 103.9, 163.8, 268.9, 377.0], rel=0.012)
    assert CSI.analysis.chi2(n_sm).upper_limit(LEVEL) == pytest.approx(116.035, rel=1e-5)
    assert found.without_limit / number == pytest.approx(7e-4, abs=3e-4)
    assert found.upper == number - found.without_limit  # they are counted, and hold nothing


@pytest.mark.parametrize(
    ("form", "truth", "interval", "upper"),
    [
        ("excess", Truth("fixed"), 0.912, 0.957),
        ("excess", Truth("total", 0.03), 0.691, 0.846),
        ("excess", Truth("total", 0.2), 0.150, 0.575),
        ("total", Truth("total", 0.2), 0.950, 1.0),
    ],
)
def test_coverage_of_conus(form, truth, interval, upper):
    n_sm = standard_model(CONUS)
    found = cover(toys.forms(CONUS.analysis)[form], n_sm, 1.645 * math.sqrt(1.2 * n_sm), truth)
    assert found.interval / TOYS == pytest.approx(interval, abs=0.01)
    assert found.upper / TOYS == pytest.approx(upper, abs=0.01)


def test_seeds_decide_the_toys():
    one, same, other = (cover(CSI.analysis, 173.0, 50.0, Truth("fixed"), 500, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.limits, same.limits)
    assert not np.array_equal(one.limits, other.limits)


def test_true_events_hold_what_is_promised():
    n_sm, analysis = standard_model(CONUS), CONUS.analysis
    points = toys.true_events(analysis, n_sm, Truth("fixed"), [0.5, 2])
    limit = analysis.chi2(n_sm).upper_limit(LEVEL)
    assert points == pytest.approx(
        {"0": 0, "0.5": limit / 2, "sqrt": math.sqrt(LEVEL * 1.2 * n_sm), "1": limit, "2": 2 * limit}
    )
    assert list(points.values()) == sorted(points.values())
    assert toys.true_events(analysis, 0.0, Truth("fixed"), [0.5, 2]) == {"0": 0.0}
    own = toys.true_events(CSI.analysis, 173.36, Truth("total", 0.28), [])
    assert set(own) == {"0", "sqrt", *map("{:g}".format, toys.SCAN)}
    assert set(toys.true_events(CSI.analysis, 173.36, Truth("fixed"), [])) == {"0", "sqrt", "1"}
    assert [str(truth) for truth in toys.truths(analysis, 0.03)] == [
        *("fixed", "excess-0.2", "total-0.03", "total-0.2")
    ]
    with pytest.raises(ValueError, match="kind: 'rate' must be one of fixed, excess, total"):
        Truth("rate")
    with pytest.raises(ValueError, match="size: -1 must not be negative"):
        Truth("total", -1)


def gaussian_critical_value(mu, confidence_level=0.9):
    """Of a Gaussian of unit width with a mean mu >= 0: Feldman and Cousins, Table X."""

    def excess(c):
        low = mu - math.sqrt(c) if c <= mu**2 else (mu**2 - c) / (2 * mu)
        return ndtr(math.sqrt(c)) - ndtr(low - mu) - confidence_level

    return brentq(excess, 1e-3, 10)


@pytest.mark.parametrize("measured", [-1.0, 0.0, 1.0])
def test_feldman_cousins_of_a_gaussian(measured):
    """Many background events and no nuisance, against the construction in closed form."""
    steady = 10**8
    width = math.sqrt(2 * steady)
    data = dict(n_measured=measured * width, steady_state=steady, beam_neutrons=0)
    analysis = Analysis(CSI.analysis.oscillation, 0.9, data | dict(sigma_signal=0.0, sigma_background=0.0))

    def inside(mu):
        delta = (measured - mu) ** 2 - min(measured, 0) ** 2
        return gaussian_critical_value(mu) - delta

    expected = brentq(inside, 0.3, 4)
    truth, found = toys.own_truth(analysis), []
    for mu in expected * np.array([0.7, 0.9, 1.1, 1.3]):
        found.append([mu * width, cover(analysis, 0.0, mu * width, truth, 200_000).critical_value])

    assert toys.feldman_cousins(analysis, 0.0, *np.transpose(found)) / width == pytest.approx(
        expected, rel=0.02
    )
    assert toys.feldman_cousins(analysis, 0.0, *np.transpose(found[:2])) == np.inf


def factors(size, nodes=601):
    """Values and weights of a Gaussian factor of mean 1, cut at 0, by the trapezoidal rule."""
    x = np.linspace(-6, 6, nodes)
    return np.maximum(1 + size * x, 0), np.exp(-(x**2) / 2) / np.sum(np.exp(-(x**2) / 2))


def gaussian_delta_chi2(residual, variance, sigma, scaled, n):
    """Delta chi² at n of residuals, its minimum at the residual, at 0 or at infinity."""

    def chi2(n):
        return (residual - n) ** 2 / (variance + sigma**2 * (scaled + n) ** 2)

    elsewhere = np.minimum(chi2(0.0), sigma**-2 if sigma else np.inf)
    return chi2(n) - np.where(residual >= 0, 0.0, elsewhere)


def outcomes_of_data(data, n_sm, n, truth):
    """Delta chi² of every pair of counts on and off of Eq. (34), and their probabilities, by quadrature."""
    (a, w_a), (b, w_b) = factors(truth.size, 61), factors(data["sigma_background"] * (truth.size > 0), 21)
    mean = np.add.outer(a * (n_sm + n), data["beam_neutrons"] * b) + data["steady_state"]
    on, off = np.arange(200, 1600), np.arange(280, 540)
    p_on = np.einsum("i,j,ijk->k", w_a, w_b, poisson.pmf(on, mean[..., np.newaxis]))
    measured = (on[:, np.newaxis] - off).astype(float)
    neutrons = data["beam_neutrons"]
    variance = measured + neutrons + 2 * off + (data["sigma_background"] * neutrons) ** 2
    delta = gaussian_delta_chi2(measured - n_sm - neutrons, variance, data["sigma_signal"], n_sm, n)
    return delta, np.outer(p_on, poisson.pmf(off, data["steady_state"]))


def share_of_projection(analysis, n_sm, n, truth):
    """Probability of {Delta chi² <= level} for Eq. (35), by sums over the difference of two counts."""
    background = analysis.sigma_stat * n_sm / 2
    factor, weights = factors(truth.size)
    mean = (n_sm + factor * n if truth.kind == "excess" else factor * (n_sm + n)) + background
    counts = np.arange(int(mean.min() - background - 12 * n_sm**0.5), int(mean.max() + 12 * n_sm**0.5))
    scaled = n_sm if analysis.nuisance_on == "total" else 0.0
    variance = (1 + analysis.sigma_stat) * n_sm
    inside = gaussian_delta_chi2(counts - n_sm, variance, analysis.sigma_sys, scaled, n)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside <= LEVEL, [0]])))
    ends = counts[0] + edges - 1  # the last count before each edge
    below = skellam.cdf(ends[:, np.newaxis], mean, background) @ weights
    return np.sum(below[1::2] - below[::2])


@pytest.mark.parametrize("n", [0, 40, 100, 150])
@pytest.mark.parametrize("truth", [Truth("fixed"), Truth("total", 0.28)])
def test_coverage_of_data_by_quadrature(n, truth):
    n_sm = standard_model(CSI)
    delta, p = outcomes_of_data(CSI.analysis.data, n_sm, n, truth)
    assert np.sum(p) == pytest.approx(1, abs=1e-6)
    share = np.sum(p[delta <= LEVEL])
    found = cover(CSI.analysis, n_sm, n, truth)
    assert found.interval / TOYS == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / TOYS))
    beyond = np.sum(p[delta <= found.critical_value])
    assert beyond == pytest.approx(0.9, abs=5 * math.sqrt(0.09 / TOYS))


@pytest.mark.parametrize("name", ["HPGe", "CONUS", "TEXONO"])
@pytest.mark.parametrize("form", ["excess", "total"])
@pytest.mark.parametrize(
    "truth", [Truth("fixed"), Truth("excess", 0.2), Truth("total", 0.03), Truth("total", 0.2)]
)
def test_coverage_of_projections_by_quadrature(name, form, truth):
    experiment = STUDY.experiment(name)
    n_sm, analysis = standard_model(experiment), toys.forms(experiment.analysis)[form]
    for n in (0.0, float(analysis.chi2(n_sm).upper_limit(LEVEL))):
        share = share_of_projection(analysis, n_sm, n, truth)
        found = cover(analysis, n_sm, n, truth)
        error = math.sqrt(max(share * (1 - share), 1 / TOYS) / TOYS)
        assert found.interval / TOYS == pytest.approx(share, abs=5 * error)


def test_feldman_cousins_limit_of_csi_by_quadrature():
    """Where the observed Delta chi² is the 90 % quantile of all outcomes; Wilks gives 116.0."""
    n_sm = standard_model(CSI)
    observed, tried = CSI.analysis.chi2(n_sm), np.arange(95.0, 120.0, 2.0)
    inside = []
    for n in tried:
        delta, p = outcomes_of_data(CSI.analysis.data, n_sm, n, Truth("total", 0.28))
        order = np.argsort(delta, axis=None)
        critical = np.interp(0.9, np.cumsum(p.ravel()[order]), delta.ravel()[order])
        inside.append(critical - observed.delta_chi2(n))
    limit = np.interp(0, -np.array(inside), tried)
    assert limit == pytest.approx(106.9, abs=1.5)
    (row,) = [
        row
        for row in rows(ROOT / "resources/reference/expected_limits.csv")
        if [row[k] for k in ("reading", "experiment", "setup", "beam", "parameter")]
        == ["inferred", "CsI", "current", "full", "Lambda1"]
    ]
    of_toys = 116.035 * (float(row["feldman_cousins_muB"]) / float(row["observed_muB"])) ** 2
    assert of_toys == pytest.approx(limit, abs=1.5)


positive = st.floats(0.1, 100)


@given(
    st.lists(st.tuples(positive, positive), min_size=1, max_size=6), st.floats(0.01, 1), st.floats(0.01, 3)
)
def test_binned_chi2_is_the_minimum_over_the_nuisance(bins, sigma, x):
    S, E = np.transpose(bins)

    def printed(a):
        return np.sum((x * E - a * (S + x * E)) ** 2 / (1.2 * S)) + (a / sigma) ** 2

    least = minimize_scalar(printed, bracket=(-1, 1), tol=1e-12).fun
    binned = BinnedExperiment.of_bins(S, E, 1.2, sigma)
    assert binned.chi2(x) == pytest.approx(least, rel=1e-6, abs=1e-9)
    limit = binned.upper_limit(2.7)
    if np.isfinite(limit):
        assert binned.chi2(limit) == pytest.approx(2.7, rel=1e-8, abs=0)
    else:
        assert binned.chi2(1e9) < 2.7
    free = BinnedExperiment.of_bins(S, E, 1.2, np.inf)
    assert free.chi2(x) == pytest.approx(BinnedExperiment.of_bins(S, E, 1.2, 1e6).chi2(x), rel=1e-6, abs=1e-9)
    exact = BinnedExperiment.of_bins(S, E, 1.2, 0.0)
    assert exact.chi2(x) == pytest.approx(np.sum((x * E) ** 2 / (1.2 * S)), rel=1e-12, abs=0)


@given(st.floats(10, 1e6), st.floats(0.01, 0.5))
def test_one_bin_is_equation_35(n_sm, sigma):
    one = BinnedExperiment.of_bins([n_sm], [3.0], 1.2, sigma)
    rate = CountingExperiment.asimov(n_sm, 0.2, sigma, "total")
    assert 3 * one.upper_limit(2.7) == pytest.approx(rate.upper_limit(2.7), rel=1e-9, abs=0)
    assert BinnedExperiment.of_bins([n_sm], [3.0], 1.2, np.inf).upper_limit(2.7) == np.inf


@given(
    st.lists(st.tuples(positive, positive, st.floats(-3, 3)), min_size=1, max_size=6),
    st.sampled_from([0.0, 0.1, 1.0, np.inf]),
    st.floats(0.1, 9),
)
def test_binned_data_against_numerical_minima(bins, sigma, level):
    """Residuals in units of the root of S: chi² over the nuisance, its minimum over x, and where it rises by a level."""
    S, E, pull = np.transpose(bins)
    residual = pull * np.sqrt(S)
    binned = BinnedExperiment.of_bins(S, E, 1.2, sigma, residual)

    def numerical(x):
        T, d, w = S + x * E, residual - x * E, 1 / (1.2 * S)
        a = 0.0 if sigma == 0 else np.sum(w * d * T) / (np.sum(w * T**2) + sigma**-2.0)
        return np.sum(w * (d - a * T) ** 2) + (0.0 if sigma == 0 else (a / sigma) ** 2)

    x = np.concatenate([[0.0], np.geomspace(1e-4, 1e4, 2000)])
    chi2 = np.array([numerical(one) for one in x])
    scale = np.max(chi2) + 1
    assert binned.chi2(x) == pytest.approx(chi2, rel=1e-6, abs=1e-9 * scale)
    assert binned.chi2_min <= np.min(chi2) + 1e-9 * scale
    if np.isfinite(binned.best_fit):
        assert binned.chi2_min == pytest.approx(numerical(binned.best_fit), rel=1e-6, abs=1e-9 * scale)
    if np.isfinite(limit := binned.upper_limit(level)):
        assert limit > binned.best_fit
        assert binned.delta_chi2(limit) == pytest.approx(level, rel=1e-6, abs=1e-9 * scale)
    above = x[x > binned.best_fit]
    assert np.all(binned.delta_chi2(above[above < limit]) <= level + 1e-6 * scale)


@given(st.floats(10, 1e4), st.floats(-3, 3), st.sampled_from([0.0, 0.1, 0.5]))
def test_one_bin_of_data_is_a_count(n_sm, pull, sigma):
    residual = pull * np.sqrt(n_sm)
    one = BinnedExperiment.of_bins(np.array([n_sm]), np.array([3.0]), 1.2, sigma, np.array([residual]))
    count = CountingExperiment(residual, 1.2 * n_sm, sigma, n_sm)
    assert 3 * one.best_fit == pytest.approx(count.best_fit, rel=1e-6, abs=1e-6)
    assert one.delta_chi2(2.0) == pytest.approx(count.delta_chi2(6.0), rel=1e-6, abs=1e-6)
    assert 3 * one.upper_limit(2.7) == pytest.approx(count.upper_limit(2.7), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "setup", "size"),
    [
        *((name, "future", size) for name in ("HPGe", "CONUS") for size in (0.0, 0.03, 0.1)),
        ("CONUS", "current", 0.2),
    ],
)
def test_limits_with_the_spectrum_cover(name, setup, size):
    """Whatever the rate does within its error, as far as there are enough events for the shape to decide."""
    experiment = STUDY.experiment(name, setup)
    analysis, components = experiment.analysis, experiment.rates.components
    each, em = bins_of_equal_counts(experiment.rates, 10, experiment.recoil_nodes)
    sm, em = np.full(10, each), excess_by_moment(em, components, analysis.mixing())[0]
    x = BinnedExperiment.of_bins(sm, em, 1 + analysis.sigma_stat, analysis.sigma_sys).upper_limit(LEVEL)
    chi2 = toys.draw_bins(analysis, sm, em, x, Truth("total", size), TOYS, np.random.default_rng(3))
    found = toys.Coverage.of(chi2, x, 0.9, LEVEL)
    assert found.interval / TOYS == pytest.approx(0.9, abs=0.012)
    assert found.upper / TOYS == pytest.approx(0.95, abs=0.008)
    error = np.std(chi2.residual) / math.sqrt(TOYS)
    assert np.mean(chi2.residual) == pytest.approx(x * em.sum(), abs=5 * error)


def test_bins_have_the_events_between_their_edges():
    """HPGe, half of the recoils above 5 keV: against sums over dN/dT on a fine grid."""
    experiment = STUDY.experiment("HPGe")
    sm, em = bins_of_equal_counts(experiment.rates, 5, experiment.recoil_nodes)
    T = np.geomspace(5, 200, 40_001)
    spectrum = experiment.spectrum(T)

    def integral(rate):
        steps = 0.5 * (rate[..., 1:] + rate[..., :-1]) / 2 * np.diff(T)
        return np.concatenate([np.zeros((*rate.shape[:-1], 1)), np.cumsum(steps, axis=-1)], axis=-1)

    total = integral(spectrum.sm.sum(axis=0))
    assert sm * 5 == pytest.approx(total[-1], rel=1e-5)
    edges = np.interp(np.linspace(0, total[-1], 6), total, T)
    edges[-1] = T[-1]
    for component, events in zip(integral(spectrum.em), em, strict=True):
        assert events == pytest.approx(np.diff(np.interp(edges, T, component)), rel=2e-3)


def test_rates_come_back_from_a_file(tmp_path):
    rates = STUDY.experiment("HPGe").rates
    storage.write(tmp_path / "x.h5", {"a": storage.rate_datasets(rates)}, "rates", {})
    found = storage.read_rates(tmp_path / "x.h5", "a")
    assert np.allclose(found.counts(), rates.counts(), rtol=1e-12, atol=0)
    each, em = bins_of_equal_counts(rates, 5, STUDY.experiment("HPGe").recoil_nodes)
    again, em_again = bins_of_equal_counts(found, 5, STUDY.experiment("HPGe").recoil_nodes)
    assert again == pytest.approx(each, rel=1e-12)
    assert em_again == pytest.approx(em, rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("name", "setup", "expected", "free"),
    [
        ("HPGe", "future", (4.69, 1.22, 1.16, 1.14), 1.16),
        ("CONUS", "current", (3.52, 3.47, 3.44, 3.41), math.inf),
        ("CONUS", "future", (11.1, 6.64, 5.77, 5.37), 5.92),
    ],
)
def test_what_the_spectrum_repairs(name, setup, expected, free):
    experiment = STUDY.experiment(name, setup)
    n_sm, beam = standard_model(experiment), experiment.beams[-1]
    chi2, alone = experiment.analysis.chi2(n_sm), experiment.limits(beam)["Lambda1"]

    def ratio(bins, sigma):
        sm, em = bins_of_equal_counts(experiment.rates, bins, experiment.recoil_nodes)
        assert sm * bins == pytest.approx(n_sm, rel=1e-9)
        totals = [experiment.counts()[c][1] for c in experiment.rates.components]
        assert em.sum(axis=1) == pytest.approx(totals, rel=1e-9)
        events = excess_by_moment(em, experiment.rates.components, experiment.analysis.mixing())[0]
        binned = BinnedExperiment.of_bins(np.full(bins, sm), events, chi2.variance / n_sm, sigma)
        return math.sqrt(binned.upper_limit(LEVEL)) / alone

    found = [ratio(bins, chi2.sigma) for bins in (1, 5, 10, 20)]
    assert found == pytest.approx(expected, rel=0.02)
    assert ratio(10, math.inf) == pytest.approx(free, rel=0.02)


@pytest.fixture(scope="module")
def covered(tmp_path_factory):
    """A finished run of one SNS and one reactor experiment with a few toys in two blocks."""
    checkout = Checkout(tmp_path_factory.mktemp("covered"))
    checkout.keep(["CsI", "RED100"])

    def few(data):
        data["coverage"] |= {"toys_per_block": 500, "blocks": 2}

    checkout.edit("config", few)
    checkout.snakemake("coverage", "results/limits.csv", cores=1)
    return checkout


@pytest.mark.long
@pytest.mark.workflow
def test_tables_of_coverage(covered):
    table = rows(covered.path / "results/coverage.csv")
    assert list(table[0]) == [
        *("reading", "experiment", "setup", "nuisance_on", "truth", "n_em", "coverage_interval"),
        *("coverage_upper", "critical_value", "toys", "toys_without_limit"),
    ]
    forms = {(r["experiment"], r["setup"], r["nuisance_on"]) for r in table}
    assert forms == {("CsI", "current", "data")} | {
        (*key, form)
        for key in (("CsI", "future"), ("RED100", "current"), ("RED100", "future"))
        for form in ("excess", "total")
    }
    assert {int(r["toys"]) for r in table} == {1000, 10_000}
    blind = [
        r
        for r in table
        if r["reading"] == "literal" and r["experiment"] == "RED100" and r["setup"] == "current"
    ]
    assert {(r["coverage_interval"], r["coverage_upper"], r["toys_without_limit"]) for r in blind} == {
        ("1.000000", "0.000000", "1000")
    }
    expected = rows(covered.path / "results/expected_limits.csv")
    assert len(expected) == 2 * 3 * (3 + 3 + 1 + 1)
    for row in expected:
        data = row["experiment"] == "CsI" and row["setup"] == "current"
        assert bool(row["observed_muB"]) == bool(row["chance_of_observed"]) == data
        bands = [
            float(row[f"{name}_muB"]) for name in ("minus_2sigma", "minus_1sigma", "median", "plus_1sigma")
        ]
        assert bands == sorted(bands)
    limits = {
        tuple(r[k] for k in ("reading", "experiment", "setup", "beam", "parameter")): r["limit_muB"]
        for r in rows(covered.path / "results/limits.csv")
        if r["method"] == "one-at-a-time"
    }
    for row in expected[:9]:
        key = tuple(row[k] for k in ("reading", "experiment", "setup", "beam", "parameter"))
        assert row["observed_muB"] == limits[key]


@pytest.mark.long
@pytest.mark.workflow
def test_the_spectrum_and_the_verdict_in_tables(covered):
    spectrum = rows(covered.path / "results/spectrum_limits.csv")
    assert len(spectrum) == 2 * 3 * (3 * 2 + 2) * 4 * 2
    honest = rows(covered.path / "results/honest_limits.csv")
    assert len(honest) == 3 * (3 * 2 + 2)
    profiled = {(r["experiment"], r["beam"]) for r in honest if r["profiled_muB"] == "unbounded"}
    assert profiled == {("CsI", "prompt"), ("RED100", "reactor")}
    one_bin = {
        tuple(r[k] for k in ("experiment", "setup", "beam", "parameter")): float(r["limit_muB"])
        for r in spectrum
        if (r["reading"], r["bins"], r["normalisation"]) == ("inferred", "1", "constrained")
    }
    for row in honest:
        if row["covering_method"] == "nuisance-on-total":
            key = tuple(row[k] for k in ("experiment", "setup", "beam", "parameter"))
            assert float(row["covering_muB"]) == pytest.approx(one_bin[key], rel=1e-6, abs=0)
    limits = {
        (r["setup"], r["bins"]): float(r["limit_muB"])
        for r in spectrum
        if (r["reading"], r["experiment"]) == ("inferred", "RED100")
        and (r["parameter"], r["normalisation"]) == ("Lambda1", "constrained")
    }
    binned = rows(covered.path / "results/spectrum_coverage.csv")
    keys = [(r["experiment"], r["setup"], r["beam"], r["bins"], r["truth"]) for r in binned]
    assert {key[:3] for key in keys} == {("RED100", setup, "reactor") for setup in ("current", "future")}
    assert len(keys) == 2 * 4 * 3 * 2
    for row in binned:
        limit = limits[row["setup"], row["bins"]] if row["at"] == "limit" else 0.0
        assert float(row["Lambda1_muB"]) == pytest.approx(limit, rel=1e-6, abs=0)
        if row["truth"] == f"total-{0.2 if row['setup'] == 'current' else 0.1}":
            assert float(row["coverage_interval"]) > 0.85
    page = (covered.path / "results/honest_limits.md").read_text(encoding="utf-8")
    assert "| CsI[Na]      | current | prompt  | 69.2 / 70.2 / 89.6 |" in page


@pytest.mark.long
@pytest.mark.workflow
def test_a_restart_computes_only_the_blocks_that_are_missing(covered, tmp_path):
    """And gives the same bytes, in another order and on two cores."""
    other = covered.copy(tmp_path / "copy")
    (other.path / "results/toys/CsI/2.h5").unlink()
    jobs = other.planned("coverage")
    assert {job for job in jobs if job[0] == "toys"} == {("toys", "CsI2")}
    other.snakemake("coverage", cores=2)
    covered.same_products(other)

    def more(data):
        data["coverage"] |= {"blocks": 3}

    other.edit("config", more)
    assert {job for job in other.planned("coverage") if job[0] == "toys"} == {
        ("toys", "CsI3"),
        ("toys", "RED1003"),
    }


@pytest.mark.long
@pytest.mark.workflow
def test_a_kill_loses_at_most_a_block(covered, tmp_path):
    other = covered.copy(tmp_path / "copy")
    blocks = sorted((other.path / "results/toys").glob("*/*.h5"))
    assert len(blocks) == 4
    for path in blocks:
        path.unlink()
    process = other.start("--cores=1", "coverage", output=subprocess.DEVNULL)
    while sum(path.exists() for path in blocks) < 2:
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    missing = [job for job in other.planned("coverage") if job[0] == "toys"]
    assert 1 <= len(missing) <= 3
    other.snakemake("coverage", cores=2)
    covered.same_products(other)
