"""Chi-squared functions against brute-force minimisation; limits against their definitions."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize
from scipy.stats import chi2 as chi2_distribution

from cevns_tmm.limits import Sensitivity
from cevns_tmm.magnetic_moment import mu_nu_sq, pair_moments
from cevns_tmm.mixing import mixing_matrix
from cevns_tmm.solar import mass_eigenstate_probabilities, mu_nu_sq_solar
from cevns_tmm.statistics import CountingExperiment, delta_chi2_quantile

U = mixing_matrix(0.320, 0.547, 0.0216)
DATA = {
    "n_measured": 142,
    "beam_neutrons": 6,
    "steady_state": 405,
    "sigma_signal": 0.28,
    "sigma_background": 0.25,
}
events = st.floats(1, 1e7)
sigma = st.floats(0.01, 0.5)


def minimum(function, start):
    return minimize(function, start, method="BFGS", options={"gtol": 1e-10}).fun


@given(st.floats(20, 400), st.floats(0, 500))
def test_chi2_of_data_is_equation_34(n_sm, n):
    def printed(a):
        theory = (n_sm + n) * (1 + a[0])
        residual = 142 - theory - 6 * (1 + a[1])
        variance = 142 + 6 + 2 * 405
        return residual**2 / variance + (a[0] / 0.28) ** 2 + (a[1] / 0.25) ** 2

    got = CountingExperiment.from_data(n_sm, **DATA).chi2(n)
    assert got == pytest.approx(minimum(printed, [0.0, 0.0]), rel=1e-6, abs=1e-9)


@given(st.floats(5, 1e4), st.floats(0, 2), sigma, sigma, st.sampled_from(["total", "excess"]))
def test_asimov_chi2_is_equation_35(n_sm, ratio, sigma_stat, sigma_sys, nuisance_on):
    n = ratio * n_sm

    def printed(a):
        theory = (n_sm + n) * (1 + a[0]) if nuisance_on == "total" else n_sm + n * (1 + a[0])
        return (n_sm - theory) ** 2 / ((1 + sigma_stat) * n_sm) + (a[0] / sigma_sys) ** 2

    got = CountingExperiment.asimov(n_sm, sigma_stat, sigma_sys, nuisance_on).chi2(n)
    assert got == pytest.approx(minimum(printed, [0.0]), rel=1e-6, abs=1e-9)


@given(events, sigma, sigma, st.floats(0.1, 3.9))
def test_excess_nuisance_limit_in_closed_form(n_sm, sigma_stat, sigma_sys, level):
    """Delta N² = Delta chi² (1 + sigma_stat) N_SM / (1 - Delta chi² sigma_sys²)."""
    chi2 = CountingExperiment.asimov(n_sm, sigma_stat, sigma_sys, "excess")
    closed = np.sqrt(level * (1 + sigma_stat) * n_sm / (1 - level * sigma_sys**2))
    assert chi2.upper_limit(level) == pytest.approx(closed, rel=1e-12, abs=0)


@given(st.floats(-200, 200), st.floats(1, 1e4), st.floats(0, 0.6), st.floats(0, 500), st.floats(0.1, 9))
def test_limit_is_the_first_crossing(residual, variance, sigma, scaled, level):
    chi2 = CountingExperiment(residual, variance, sigma, scaled)
    limit = chi2.upper_limit(level)
    if np.isinf(limit):
        assume(np.isfinite(chi2.best_fit))
        n = chi2.best_fit + np.geomspace(1e-3, 1e12, 400)
        assert np.all(chi2.delta_chi2(n) <= level * (1 + 1e-9))
    else:
        assert chi2.delta_chi2(limit) == pytest.approx(level, rel=1e-6, abs=0)
        n = np.linspace(chi2.best_fit, limit, 300)[:-1]
        assert np.all(chi2.delta_chi2(n) <= level * (1 + 1e-9))


@given(events, sigma, sigma, st.sampled_from(["total", "excess"]))
def test_profiles_rise_monotonically_from_zero(n_sm, sigma_stat, sigma_sys, nuisance_on):
    chi2 = CountingExperiment.asimov(n_sm, sigma_stat, sigma_sys, nuisance_on)
    profile = chi2.delta_chi2(np.linspace(0, 10 * n_sm, 200))
    assert profile[0] == 0
    assert np.all(np.diff(profile) >= 0)


def test_minimum_is_taken_over_physical_excesses():
    """Fewer events than expected: the best fit is no excess; more: it is the surplus."""
    few = CountingExperiment.from_data(173.0, **DATA)
    many = CountingExperiment.from_data(100.0, **DATA)
    assert few.best_fit == 0
    assert few.delta_chi2(0.0) == 0
    assert few.chi2(0.0) > 0
    assert many.best_fit == pytest.approx(36)
    assert many.chi2(36.0) == 0
    for chi2 in (few, many):
        limit = brentq(lambda n, c=chi2: float(c.delta_chi2(n)) - 2.7, chi2.best_fit, 1e4)
        assert chi2.upper_limit(2.7) == pytest.approx(limit, rel=1e-9, abs=0)


def test_saturating_nuisance_gives_no_limit():
    chi2 = CountingExperiment.asimov(1e4, 0.2, 0.7, "excess")
    assert chi2.upper_limit(1.9) < np.inf
    assert chi2.upper_limit(2.7) == np.inf


def test_data_far_below_the_expectation_give_no_limit():
    chi2 = CountingExperiment(residual=-1e3, variance=1.0, sigma=0.5, scaled=0.0)
    assert chi2.best_fit == np.inf
    assert chi2.upper_limit(2.7) == np.inf
    assert chi2.delta_chi2(0.0) > 0


def test_no_events_is_no_information():
    chi2 = CountingExperiment.asimov(0.0, 0.2, 0.2)
    assert chi2.upper_limit(2.7) == np.inf
    assert chi2.delta_chi2(5.0) == 0
    limits = Sensitivity(chi2, {"nuebar": 0.0}, U).limits(2.7)
    assert np.all(np.isinf(limits))


def test_quantiles():
    for level in (0.68, 0.9, 0.99):
        for parameters in (1, 2):
            expected = chi2_distribution.ppf(level, parameters)
            assert delta_chi2_quantile(level, parameters) == pytest.approx(expected, rel=1e-12)


N_EM = {"numu": 3e19, "nue": 2e19, "numubar": 4e19}


def of_beam(chi2, beam):
    return Sensitivity(chi2, {component: N_EM[component] for component in beam}, U)


@given(events, sigma, sigma)
def test_full_beam_identity(n_sm, sigma_stat, sigma_sys):
    """1/Lambda²_full = 1/Lambda²_prompt + 1/Lambda²_delayed."""
    for nuisance_on in ("total", "excess"):
        chi2 = CountingExperiment.asimov(n_sm, sigma_stat, sigma_sys, nuisance_on)
        prompt, delayed, full = (
            of_beam(chi2, beam).limits(1.0)
            for beam in (["numu"], ["nue", "numubar"], ["numu", "nue", "numubar"])
        )
        assert prompt**-2 + delayed**-2 == pytest.approx(full**-2, rel=1e-11, abs=0)


def test_excess_sums_components_with_their_flavours():
    Lambda = np.array([1e-10, 2e-10, 3e-10])
    expected = 3e19 * mu_nu_sq("mu", Lambda, U) + 2e19 * mu_nu_sq("e", Lambda, U)
    assert of_beam(None, ["numu", "nue"]).excess(Lambda) == pytest.approx(expected, rel=1e-14, abs=0)


@pytest.mark.parametrize("beam", [["numu"], ["nue", "numubar"]])
@pytest.mark.parametrize("plane", ["12", "13", "23"])
def test_plane_agrees_with_the_profile_on_its_axes(plane, beam):
    """With the other moment negligible a plane reduces to the profile."""
    chi2 = CountingExperiment.asimov(1e3, 0.2, 0.2, "excess")
    limits = of_beam(chi2, beam).limits(4.6)
    for position, i in enumerate(int(c) - 1 for c in plane):
        pair = [0.0, 0.0]
        pair[position] = limits[i]
        n = of_beam(chi2, beam).excess(pair_moments(plane, *pair, 0.0))
        assert chi2.delta_chi2(n) == pytest.approx(4.6, rel=1e-9, abs=0)


def test_grid_of_a_profile_brackets_the_limit():
    """The limit does not come from the grid; interpolation of finer grids tends to it."""
    chi2 = CountingExperiment.asimov(1e3, 0.2, 0.2, "excess")
    limit = of_beam(chi2, ["numu"]).limits(2.7)[0]
    per_sq = of_beam(chi2, ["numu"]).excess(np.eye(3)[0])
    errors = []
    for points in (1000, 2000):
        x = np.geomspace(1e-11, 1e-7, points)
        y = chi2.delta_chi2(per_sq * x**2)
        errors.append(abs(np.interp(2.7, y[y < 20], x[y < 20]) / limit - 1))
    assert errors[1] < errors[0] < 1e-4


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: CountingExperiment(0, 0, 0.1, 1), "variance"),
        (lambda: CountingExperiment(0, 1, -0.1, 1), "sigma"),
        (lambda: CountingExperiment(0, 1, 0.1, -1), "scaled"),
        (lambda: CountingExperiment.asimov(1, 0.2, 0.2, "signal"), "nuisance_on"),
        (lambda: CountingExperiment(0, 1, 0.1, 1).upper_limit(0), "delta_chi2"),
        (lambda: delta_chi2_quantile(1.0, 1), "confidence_level"),
        (lambda: delta_chi2_quantile(0.9, 3), "parameters"),
        (lambda: Sensitivity(None, {"nutau": 1.0}, U), "n_em"),
        (lambda: mass_eigenstate_probabilities(1.5, 0.02), "P_e1_2nu"),
        (lambda: mass_eigenstate_probabilities(0.5, -0.02), "sin2_theta13"),
    ],
)
def test_bad_arguments_are_named(call, name):
    with pytest.raises(ValueError, match=name):
        call()


unit = st.floats(0, 1)


@given(unit, unit, st.lists(st.floats(0, 10), min_size=3, max_size=3))
def test_solar_moment_is_equation_38(P, s2_13, L):
    c2 = 1 - s2_13
    L1, L2, L3 = np.square(L)
    printed = L1 + L2 + L3 - c2 * L2 + (c2 - 1) * L3 + c2 * P * (L2 - L1)
    probabilities = mass_eigenstate_probabilities(P, s2_13)
    assert probabilities.sum() == pytest.approx(1, rel=1e-14)
    got = mu_nu_sq_solar(np.array(L), probabilities)
    assert got == pytest.approx(printed, rel=1e-12, abs=1e-12)


def test_solar_moment_has_no_phases():
    P = mass_eigenstate_probabilities(0.606, 0.0216)
    for xi in (0.0, 1.0, np.pi):
        moments = pair_moments("12", 2.0, 3.0, xi)
        assert mu_nu_sq_solar(moments, P) == pytest.approx(mu_nu_sq_solar([2.0, 3.0, 0.0], P), rel=1e-14)


@given(
    st.sampled_from(["12", "13", "23"]),
    st.floats(-1, 1),
    st.floats(-20, 300),
    st.floats(0, 0.4),
    st.sampled_from([["numu"], ["nue", "numubar"], ["numu", "nue", "numubar"]]),
)
def test_contours_are_where_delta_chi2_is_the_level(plane, xi, residual, sigma, beam):
    """Every vertex of every contour, also of the inner one that a clear excess has."""
    chi2 = CountingExperiment(residual, 500.0, sigma, 10.0)
    sensitivity = Sensitivity(chi2, {c: N_EM[c] for c in beam}, U)
    level = 4.6
    for x, y in sensitivity.contour(plane, level, np.pi * xi):
        assert np.all(np.isfinite(x) & np.isfinite(y) & (x > 0) & (y > 0))
        found = sensitivity.delta_chi2(pair_moments(plane, x, y, np.pi * xi))
        assert found == pytest.approx(np.full(len(x), level), rel=1e-6, abs=0)


@given(
    st.sampled_from(["12", "13", "23"]),
    st.floats(-2, 2),
    st.sampled_from([["numu"], ["nue", "numubar"], ["numu", "nue", "numubar"]]),
)
def test_planes_are_delta_chi2_of_their_pairs_of_moments(plane, xi, beam):
    chi2 = CountingExperiment(-20.0, 500.0, 0.3, 10.0)
    sensitivity = Sensitivity(chi2, {c: N_EM[c] for c in beam}, U)
    x, y = np.geomspace(1e-11, 1e-8, 40), np.geomspace(3e-12, 1e-8, 30)[:, np.newaxis]
    expected = sensitivity.delta_chi2(pair_moments(plane, x, y, np.pi * xi))
    assert sensitivity.delta_chi2_plane(plane, x, y, np.pi * xi) == pytest.approx(expected, rel=1e-10, abs=0)


def test_an_excess_has_an_inner_contour_too():
    """chi² = (r - n)²/V: the excess lies between r - sqrt(V level) and r + sqrt(V level)."""
    chi2 = CountingExperiment(200.0, 100.0, 0.0, 0.0)
    sensitivity = Sensitivity(chi2, {"nue": 1e18, "numubar": 2e18}, U)
    assert chi2.lower_limit(4.0) == pytest.approx(180, rel=1e-12)
    assert chi2.upper_limit(4.0) == pytest.approx(220, rel=1e-12)
    inner, outer = sensitivity.contour("13", 4.0)
    for (x, y), n in ((inner, 180), (outer, 220)):
        assert sensitivity.excess(pair_moments("13", x, y, 0)) == pytest.approx(np.full(len(x), n), rel=1e-9)


def test_contours_end_where_moments_are_blind():
    """Along Lambda_i ~ U_ei* there are no events: the contour of a reactor recedes to infinity."""
    chi2 = CountingExperiment.asimov(100.0, 0.2, 0.0)
    blind = Sensitivity(chi2, {"nuebar": 1e20}, np.eye(3))
    assert blind.blind() == pytest.approx(np.array([[1, 0, 0]]))
    ((_, y),) = blind.contour("12", 4.6)
    assert np.ptp(y) / y[0] < 1e-12  # a strip
    assert len(Sensitivity(chi2, N_EM, U).blind()) == 0
    two = Sensitivity(chi2, {"nuebar": 1e20}, mixing_matrix(0.32, 0.547, 0.0))
    lines = two.contour("12", 4.6)  # two, on either side of the blind direction
    assert [len(x) for x, _ in lines] == [len(lines[0][0]), 801 - len(lines[0][0])]
    assert len(lines) == 2
    assert len(Sensitivity(chi2, {"nuebar": 0.0}, U).blind()) == 3
    assert Sensitivity(chi2, {"nuebar": 0.0}, U).contour("12", 4.6) == []


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(-2, 2))
def test_blind_directions_give_no_events(s2_12, s2_23, s2_13, delta):
    V = mixing_matrix(s2_12, s2_23, s2_13, np.pi * delta)
    chi2 = CountingExperiment.asimov(100.0, 0.2, 0.0)
    for component in ("numu", "nuebar"):
        sensitivity = Sensitivity(chi2, {component: 1.0}, V)
        (direction,) = sensitivity.blind()
        assert np.linalg.norm(direction) == pytest.approx(1, rel=1e-12)
        assert float(sensitivity.excess(direction)) < 1e-24
