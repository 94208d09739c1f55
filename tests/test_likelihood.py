"""Binned likelihoods against closed forms and general minimisers."""

import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize
from scipy.special import xlogy
from scipy.stats import poisson

from cevns_tmm import Study
from cevns_tmm.likelihood import BinnedData, Likelihood, Pull, deviance
from cevns_tmm.statistics import CountingExperiment, delta_chi2_quantile

LEVEL = float(delta_chi2_quantile(0.9, 1))
SM, EM = np.array([40.0, 20.0, 7.0, 1.0]), {"e": np.array([8.0, 3.0, 1.0, 0.2])}


def flux(sigma, n_sm=SM, n_em=EM):
    return {"flux": Pull.scale(sigma, n_sm, n_em)}


def upper(likelihood):
    return float(likelihood.interval(LEVEL, np.ones(len(likelihood.signal)))[1])


def by_hand(likelihood, x):
    """chi² as its definition says, minimised with p >= 0 by a general method."""
    d, e = np.asarray(likelihood.measured, float), np.asarray(likelihood.expected, float)
    pulls, strengths = likelihood.pulls.values(), dict(zip(likelihood.signal, x, strict=True))
    start = e + sum(x * likelihood.signal[f] for f, x in strengths.items())
    shifts = np.array([j.expected + sum(strengths[f] * t for f, t in j.signal.items()) for j in pulls])

    def chi2(theta):
        p = start + theta @ shifts
        ratio = d / np.maximum(p, 1e-12)
        return np.sum(2 * (p - d + xlogy(d, ratio))) + np.sum(theta**2), 2 * shifts @ (1 - ratio) + 2 * theta

    positive = {"type": "ineq", "fun": lambda theta: start + theta @ shifts, "jac": lambda theta: shifts.T}
    options = {"ftol": 1e-13, "maxiter": 1000}
    how = {"method": "SLSQP", "jac": True, "constraints": positive, "options": options}
    begins = np.vstack(
        [np.zeros(len(shifts)), np.random.default_rng(1).normal(size=(7, len(shifts)))]
    )  # some get stuck
    ends = [minimize(chi2, begin, **how) for begin in begins]
    return min(end.fun for end in ends if np.all(start + end.x @ shifts > -1e-9))


events = st.lists(st.integers(0, 60), min_size=4, max_size=4)


@given(events, st.floats(0, 5), st.floats(0.01, 0.6), st.floats(-0.4, 0.4))
@example([0, 0, 0, 1], 1.0, 0.5, 0.25)
def test_minimum_over_pulls_is_that_of_a_general_minimiser(measured, x, sigma, tilt):
    pulls = flux(sigma) | {"quenching": Pull(SM * tilt * np.arange(4) / 3, {"e": -tilt * EM["e"]})}
    likelihood = BinnedData(measured).likelihood(SM, EM, pulls)
    assert likelihood.chi2([x]) == pytest.approx(by_hand(likelihood, [x]), rel=1e-6, abs=1e-7)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 5), st.integers(1, 3), st.sampled_from([1, 1e3, 1e6]))
def test_pulls_of_gaussian_bins_are_a_covariance(seed, bins, number, precision):
    """chi² = rᵀ C⁻¹ r with C = diag(V) + Sum_j a_j a_jᵀ of what each pull adds, also where pulls are much wider."""
    draw = np.random.default_rng(seed)
    d, e, s = draw.uniform(1, 2, (3, bins))
    V, x = draw.uniform(0.5, 2, bins) / precision**2, draw.uniform(0, 1)
    own, of_s = draw.normal(size=(2, number, bins)) / 3
    pulls = {str(j): Pull(own[j], {"s": of_s[j]}) for j in range(number)}
    chi2, gradient, theta = Likelihood(d, e, {"s": s}, pulls, V).profile(np.array([x]))
    with mpmath.workdps(50):

        def solved(x):
            r = mpmath.matrix(e) + x * mpmath.matrix(s) - mpmath.matrix(d)
            a = mpmath.matrix(own.T) + x * mpmath.matrix(of_s.T)
            weighted = mpmath.lu_solve(mpmath.diag(V) + a * a.T, r)
            return (r.T * weighted)[0], a.T * weighted

        x = mpmath.mpf(x)
        expected, pulled = solved(x)
        slope = mpmath.diff(lambda x: solved(x)[0], x)
    assert chi2 == pytest.approx(float(expected), rel=1e-9, abs=0)
    assert theta == pytest.approx([-float(each) for each in pulled], rel=1e-6, abs=1e-9)
    if precision < 1e6:
        assert gradient[0] == pytest.approx(float(slope), rel=1e-5, abs=1e-6 * precision)


@given(events, events, st.floats(0, 5), st.floats(0.1, 10))
def test_background_from_off_time_is_minimised_in_closed_form(measured, off, x, ratio):
    """d ln p + m ln b of on p = n + b and off ratio b has its maximum at the root of a quadratic equation."""
    n, d, m = SM + x * EM["e"], np.array(measured, float), np.array(off, float)
    c = (1 + ratio) * n - d - m
    b = (-c + np.sqrt(c**2 + 4 * (1 + ratio) * m * n)) / (2 * (1 + ratio))
    terms = [n + b - d + xlogy(d, d / (n + b)), ratio * b - m + xlogy(m, m / np.where(m > 0, ratio * b, 1))]
    likelihood = BinnedData(measured, np.divide(off, ratio), off_over_on=ratio).likelihood(SM, EM)
    assert likelihood.chi2([x]) == pytest.approx(2 * np.sum(terms), rel=1e-9, abs=1e-11)


@given(events, st.floats(0, 5), st.floats(0.01, 0.5))
def test_gradient_is_that_of_chi2(measured, x, sigma):
    likelihood = BinnedData(measured, [3.0, 2.0, 1.0, 4.0], 0.3).likelihood(SM, EM, flux(sigma))
    h = 1e-4
    slope = np.diff(likelihood.chi2([[x + 1 - h], [x + 1 + h]]))[0] / (2 * h)
    assert likelihood.profile([x + 1])[1][0] == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_hypotheses_of_any_shape_are_minimised_as_each_alone():
    likelihood = BinnedData(background=[1.5, 0, 0.5, 1], off_over_on=2.0).likelihood(SM, EM, flux(0.1))
    x = np.linspace(0, 30, 12).reshape(3, 4, 1)
    together = likelihood.chi2(x)
    assert together.shape == (3, 4)
    alone = [likelihood.chi2(one) for one in x.reshape(-1, 1)]
    assert together.ravel() == pytest.approx(np.array(alone), rel=1e-12, abs=1e-12)


def test_no_events_expected_and_none_measured():
    """chi² = 2 n: n < 2.71/2."""
    likelihood = BinnedData([0]).likelihood([0.0], {"n": np.ones(1)})
    assert upper(likelihood) == pytest.approx(LEVEL / 2, rel=1e-12, abs=0)
    assert upper(likelihood) == pytest.approx(1.353, abs=5e-4)
    assert likelihood.best_fit([1.0]) == 0


@pytest.mark.parametrize(
    ("d", "p"), [(1.0, 1e-60), (1e15, 1e-60), (1e15, 1.0), (3e-15, 1e15), (7.0, 7.0 + 1e-9)]
)
def test_the_deviance_of_data_far_from_and_close_to_the_expectation(d, p):
    with mpmath.workdps(50):
        exact = 2 * (mpmath.mpf(p) - d + d * mpmath.log(mpmath.mpf(d) / p))
    assert float(deviance(np.array(d), np.array(p))) == pytest.approx(float(exact), rel=1e-12, abs=1e-24)


def test_events_where_none_are_expected_are_signal():
    likelihood = BinnedData([3, 0]).likelihood([0.0, 0.0], {"n": np.array([1.0, 0.0])})
    assert likelihood.chi2([0.0]) == np.inf
    assert likelihood.best_fit([1.0]) == pytest.approx(3, rel=1e-9)
    lower, high = likelihood.interval(LEVEL, [1.0])

    def delta(n):
        return 2 * (poisson.logpmf(3, 3) - poisson.logpmf(3, n)) - LEVEL

    assert lower == pytest.approx(brentq(delta, 1e-3, 3, rtol=1e-14, xtol=1e-14), rel=1e-11, abs=0)
    assert high == pytest.approx(brentq(delta, 3, 20, rtol=1e-14, xtol=1e-14), rel=1e-11, abs=0)


@pytest.mark.parametrize("sigma_stat", [0.0, 0.2])
def test_one_bin_tends_to_equation_35(sigma_stat):
    """Background on and off sigma_stat N/2: variance (1 + sigma_stat) N; the skewness N of on - off remains."""
    scaled = []
    for n in (1e4, 1e6, 1e8, 1e12):
        b = sigma_stat * n / 2
        data = BinnedData(background=[b], off_over_on=1.0) if b else BinnedData()
        poisson = upper(data.likelihood([n], {"n": np.ones(1)}))
        gauss = CountingExperiment.asimov(n, sigma_stat, 0.0).upper_limit(LEVEL)
        scaled.append((poisson / gauss - 1) * np.sqrt(n))
    first_order = np.sqrt(LEVEL) / 3 / (1 + sigma_stat) ** 1.5  # 0.548: 5.5e-3 at N = 1e4, 5.5e-7 at 1e12
    assert scaled == pytest.approx([first_order] * 4, rel=2e-2)
    assert scaled[2:] == pytest.approx([first_order] * 2, rel=1e-3)


@pytest.mark.parametrize("nuisance_on", ["total", "excess"])
def test_one_bin_with_a_pull_tends_to_equations_34_and_35(nuisance_on):
    n = 1e10
    signal = {"n": np.ones(1)}
    scale = Pull.scale(0.2, [n if nuisance_on == "total" else 0.0], signal)
    data = BinnedData(background=[0.1 * n], off_over_on=1.0)
    found = upper(data.likelihood([n], signal, {"flux": scale}))
    assert found == pytest.approx(
        CountingExperiment.asimov(n, 0.2, 0.2, nuisance_on).upper_limit(LEVEL), rel=1e-5, abs=0
    )
    csi = {"n_measured": 1.42 * n, "beam_neutrons": 0.06 * n, "steady_state": 4.05 * n}
    gauss = CountingExperiment.from_data(1.73 * n, **csi, sigma_signal=0.28, sigma_background=0.25)
    beam = {"flux": Pull.scale(0.28, [1.73 * n], signal), "neutrons": Pull.scale(0.25, [0.06 * n], {})}
    data = BinnedData([5.47 * n], [4.05 * n], off_over_on=1.0)
    on = data.likelihood([1.79 * n], signal, beam)
    assert upper(on) == pytest.approx(gauss.upper_limit(LEVEL), rel=1e-5, abs=0)


@settings(max_examples=50)
@given(st.floats(-200, 200), st.floats(1, 1e4), st.floats(0, 0.5), st.floats(0, 500), st.floats(0, 1e3))
def test_a_counting_experiment_is_one_gaussian_bin(residual, variance, sigma, scaled, n):
    assume(residual + scaled >= 0)  # else chi² may exceed the level between two steps of the search
    experiment = CountingExperiment(residual, variance, sigma, scaled)
    likelihood = Likelihood.counting(experiment, {"n": 2.0}, "flux")
    assert likelihood.chi2([n / 2]) == pytest.approx(experiment.chi2(n), rel=1e-11, abs=1e-11)
    lower, high = likelihood.interval(2.7, [1.0])
    if np.isfinite(experiment.best_fit):
        # no closer where Delta chi² only grazes the level
        assert 2 * high == pytest.approx(experiment.upper_limit(2.7), rel=1e-5, abs=0)
        assert 2 * lower == pytest.approx(experiment.lower_limit(2.7), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("d", [30.0, -30.0])
def test_a_gaussian_bin_that_no_pull_moves(d):
    """One event above the data, beside a bin whose pull takes up its share: chi² = r²/V + r²/(V + shift²)."""
    pulls = {"background": Pull([0.0, 1.0])}
    likelihood = Likelihood([d, 5.0], [d + 1, 7.0], {"e": [1.0, 1.0]}, pulls, [9.0, 4.0])
    assert likelihood.chi2([0.0]) == pytest.approx(1 / 9 + 4 / 5, rel=1e-12)


def test_shape_keeps_a_limit_that_a_free_normalisation_would_take():
    free = {"flux": Pull(SM, EM, free=True)}
    one = BinnedData().likelihood(SM[:1], {"e": EM["e"][:1]}, {"flux": Pull(SM[:1], {}, free=True)})
    assert upper(one) == np.inf
    bins = upper(BinnedData().likelihood(SM, {"e": EM["e"][::-1]}, free))
    assert upper(BinnedData().likelihood(SM, {"e": EM["e"][::-1]}, flux(0.1))) < bins < np.inf


@pytest.mark.parametrize(
    ("name", "setup", "beam", "expected"),
    [
        ("HPGe", "future", "full", [4.69, 1.22, 1.16, 1.14, 1.16]),
        ("CONUS", "current", "reactor", [3.52, 3.47, 3.44, 3.41, np.inf]),
        ("CONUS", "future", "reactor", [11.1, 6.64, 5.77, 5.37, 5.92]),
    ],
)
def test_the_spectrum_repairs_most_of_a_normalisation_of_all_events(name, setup, beam, expected):
    """Limit over Table II's, whose nuisance scales the excess alone: 1, 5, 10, 20 bins of equal Standard Model
    events in recoil energy, and 10 bins with a free normalisation."""
    experiment = Study.paper().experiment(name, setup=setup, reading="inferred")
    analysis, rates = experiment.analysis, experiment.rates
    accepted = rates.acceptance * rates.weight
    sm, em = (
        np.append(0, np.cumsum(np.einsum("cin,in->n", rate, accepted))) for rate in (rates.sm, rates.em)
    )
    table2 = experiment.sensitivity(beam).chi2.upper_limit(LEVEL) / em[-1]

    def limit(bins, free):
        edges = np.linspace(0, sm[-1], bins + 1)
        n_sm, n_em = np.diff(edges), {"x": np.diff(np.interp(edges, sm, em))}
        pull = Pull(n_sm, n_em, free=True) if free else Pull.scale(analysis.sigma_sys, n_sm, n_em)
        variance = (1 + analysis.sigma_stat) * n_sm
        return np.sqrt(upper(Likelihood(n_sm, n_sm, n_em, {"flux": pull}, variance)) / table2)

    cases = [(1, False), (5, False), (10, False), (20, False), (10, True)]
    assert [limit(*case) for case in cases] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("measured", "expected", "signal", "of_expected", "of_signal"),
    [
        ([32, 330], [73, 165], [4, 7], [0.4, 0.3], [0.3, 0.2]),
        ([107, 2], [91, 31], [10, 11], [0.4, 0.1], [0.1, 0.6]),
    ],
)
def test_the_best_fit_is_the_lowest_of_several_minima(measured, expected, signal, of_expected, of_signal):
    """Where a pull takes signal away chi² may rise from x = 0 and have its least value further out."""
    expected, signal = np.array(expected, float), np.array(signal, float)
    band = Pull(-np.array(of_expected) * expected, {"e": -np.array(of_signal) * signal})
    likelihood = Likelihood(np.array(measured, float), expected, {"e": signal}, {"band": band})
    t = np.append(0.0, np.geomspace(1e-3, 1e3, 5000))
    chi2 = likelihood.chi2(t[:, None])
    assert chi2[0] < chi2[1]
    (best,) = likelihood.best_fit(np.ones((1, 1)))
    assert likelihood.chi2(np.array([best])) == pytest.approx(chi2.min(), rel=1e-4, abs=0)
    assert likelihood.chi2(np.array([best])) <= chi2.min() < chi2[0] - 1
    # the interval is around it, above its chi², given or not; and the same beside another ray
    ones, least = np.ones((1, 1)), float(likelihood.chi2(np.array([best])))
    low, high = likelihood.interval(1.0, ones)
    assert low < best < high
    assert likelihood.interval(1.0, ones, least) == (
        pytest.approx(low, rel=1e-9),
        pytest.approx(high, rel=1e-9),
    )
    assert likelihood.best_fit([[1.0], [4.0]]) == pytest.approx([best, best / 4], rel=1e-9)


def test_without_signal_there_is_no_limit():
    likelihood = BinnedData().likelihood(SM, {"e": 0 * SM})
    assert upper(likelihood) == np.inf
    assert likelihood.best_fit([1.0]) == 0


def test_sum_shares_pulls_of_the_same_name():
    """Two halves of the bins with the same pull are the whole; pulls of their own are two prices to pay."""
    whole = BinnedData().likelihood(SM, EM, flux(0.2))

    def half(part, name):
        n_sm, n_em = SM[part], {"e": EM["e"][part]}
        return BinnedData().likelihood(n_sm, n_em, {name: Pull.scale(0.2, n_sm, n_em)})

    first, second = slice(0, 2), slice(2, 4)
    shared = Likelihood.sum([half(first, "flux"), half(second, "flux")])
    assert shared.chi2([2.0]) == pytest.approx(whole.chi2([2.0]), rel=1e-12, abs=0)
    apart = Likelihood.sum([half(first, "flux"), half(second, "other")])
    total = half(first, "flux").chi2([2.0]) + half(second, "other").chi2([2.0])
    assert apart.chi2([2.0]) == pytest.approx(total, rel=1e-12, abs=0)
    assert apart.chi2([2.0]) > shared.chi2([2.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BinnedData([1, -1]), "measured: "),
        (lambda: BinnedData(background=[np.nan]), "background: "),
        (lambda: BinnedData(sigma_background=-1), "sigma_background: -1 must"),
        (lambda: BinnedData(off_over_on=0), "off_over_on: 0 must be greater than 0"),
        (lambda: BinnedData(sigma_background=0.1, off_over_on=1), "sigma_background: 0.1 must be 0"),
        (lambda: BinnedData([1, 2]).likelihood(SM, EM), "measured: 2 values must be 4"),
        (lambda: Pull.scale(-0.1, SM, EM), "sigma: -0.1 must"),
        (lambda: Likelihood(SM, SM, {}), "signal: must name a strength"),
        (lambda: Likelihood(1.0, SM, EM), "measured: shape"),
        (lambda: Likelihood(SM, SM[:2], EM), "expected: must be 4 finite"),
        (lambda: Likelihood(SM, SM, EM, variance=-1.0), "variance: must be"),
        (lambda: Likelihood(SM, -SM, EM), "expected: events of a Poisson bin must not"),
        (lambda: Likelihood(SM, SM, EM, {"flux": Pull(SM, {"mu": SM})}), "pulls.flux: mu is not"),
        (lambda: Likelihood(SM, 0 * SM, EM, {"flux": Pull(SM)}), "pulls.flux.expected: must be 0 in Poisson"),
        (lambda: BinnedData().likelihood(SM, EM).interval(0, [1.0]), "level: 0 must"),
        (
            lambda: Likelihood.sum([Likelihood(SM, SM, EM, {"f": Pull(SM, free=x)}) for x in (True, False)]),
            "pulls.f: must be free in all",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_free_pulls_that_do_the_same_are_refused():
    free = Pull(np.ones(3), free=True)
    pulls = {"one": free, "other": free}
    alone, both = (
        Likelihood(np.arange(3.0), np.ones(3), {"e": np.ones(3)}, p, 1.0) for p in ({"one": free}, pulls)
    )
    assert alone.chi2([1.0]) == pytest.approx(2, rel=1e-14)
    with pytest.raises(ArithmeticError, match="cannot be told apart"):
        both.chi2([1.0])


@given(st.integers(0, 100), st.floats(0, 3))
def test_gaussian_and_poisson_bins_share_a_pull(seed, x):
    draw = np.random.default_rng(seed)
    d, e, s, V = (
        draw.integers(1, 9, 4),
        draw.uniform(2, 5, 4),
        draw.uniform(0, 3, 4),
        np.array([2.0, 0, 1, 0]),
    )
    flux = Pull.scale(0.2, e, {"e": s})

    def chi2(theta):
        p = (1 + 0.2 * theta) * (e + x * s)
        return np.sum(np.where(V > 0, (p - d) ** 2 / np.maximum(V, 1), deviance(d * 1.0, p))) + theta**2

    least = minimize(lambda theta: chi2(theta[0]), [0.0], bounds=[(-4.9, 9)], tol=1e-12).fun
    assert Likelihood(d, e, {"e": s}, {"flux": flux}, V).chi2([x]) == pytest.approx(least, rel=1e-7)


def test_data_that_nothing_explains_are_refused_but_not_a_ray_that_does_not():
    """Far above a minimum that is known, a ray only has no interval."""
    likelihood = Likelihood([1e12, 0.0], [1.0, 1.0], {"e": [0.0, 1.0], "mu": [0.0, 2.0]})
    with pytest.raises(ValueError, match="neither background nor neutrinos explain it"):
        likelihood.interval(2.71, np.eye(2))
    assert np.isnan(likelihood.interval(2.71, np.eye(2), 0.0)).all()
