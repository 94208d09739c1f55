"""Limits of sums of likelihoods: against single experiments, closed forms and searches that know none of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from cevns_tmm import Study
from cevns_tmm.combination import Combination
from cevns_tmm.likelihood import BinnedData, Likelihood, Pull
from cevns_tmm.limits import Sensitivity, rays
from cevns_tmm.magnetic_moment import mu_nu_sq, pair_moments
from cevns_tmm.mixing import mixing_matrix
from cevns_tmm.moment_likelihood import MomentLikelihood, flavour_form, published_limit
from cevns_tmm.solar import mass_eigenstate_probabilities, mu_nu_sq_solar
from cevns_tmm.statistics import CountingExperiment, delta_chi2_quantile

U = mixing_matrix(0.320, 0.547, 0.0216)
P = mass_eigenstate_probabilities(0.606, 0.0216)
FORMS = {"e": flavour_form("e", U), "mu": flavour_form("mu", U), "solar": np.diag(1 - P)}
ONE, TWO = (float(delta_chi2_quantile(0.9, parameters)) for parameters in (1, 2))
CSI = CountingExperiment.from_data(173.0, 142, 6, 405, 0.28, 0.25)
N_CSI = {"e": 3e18, "mu": 7e18}
BOREXINO = published_limit("solar", 2.8e-11, ONE)


def counting(experiment, n_em, pull="flux"):
    return MomentLikelihood(Likelihood.counting(experiment, n_em, pull), FORMS, U)


def binned(measured=None):
    """Two flavours with different spectra, a flux with 10 %, and a background that the off-time measures."""
    n_sm = np.array([40.0, 12.0, 3.0])
    n_em = {"e": np.array([2e19, 4e18, 1e18]), "mu": np.array([1e18, 8e18, 9e18])}
    pulls = {"flux": Pull.scale(0.1, n_sm, n_em)}
    data = BinnedData(measured, background=[5.0, 5.0, 2.0], off_over_on=3.0)
    return data.likelihood(n_sm, n_em, pulls)


def paper(name, beam=None):
    sensitivity = Study.paper().experiment(name, reading="inferred").sensitivity(beam)
    return Likelihood.counting(sensitivity.chi2, sensitivity.per_flavour, name)


@given(st.lists(st.complex_numbers(max_magnitude=5), min_size=3, max_size=3))
def test_forms_are_the_effective_moments(Lambda):
    Lambda = np.array(Lambda)
    found = MomentLikelihood(Likelihood.sum([paper_like(f) for f in FORMS]), FORMS).strengths(Lambda)
    expected = [mu_nu_sq("e", Lambda, U), mu_nu_sq("mu", Lambda, U), mu_nu_sq_solar(np.abs(Lambda), P)]
    assert found == pytest.approx(np.array(expected), rel=1e-9, abs=1e-12)


def paper_like(strength):
    return published_limit(strength, 1.0, 1.0)


def test_one_experiment_has_the_limits_and_contours_of_its_sensitivity():
    sensitivity = Sensitivity(CSI, {"nue": N_CSI["e"], "numu": N_CSI["mu"]}, U)
    same = counting(CSI, N_CSI)
    assert same.limits(ONE) == pytest.approx(sensitivity.limits(ONE), rel=1e-10, abs=0)
    Lambda = np.array([1e-9, 2e-9, -3e-9j])
    assert same.delta_chi2(Lambda) == pytest.approx(sensitivity.delta_chi2(Lambda), rel=1e-10, abs=0)
    for xi in (0.0, 1.0):
        (expected,), (found,) = (of.contour("13", TWO, xi, 51) for of in (sensitivity, same))
        assert np.array(found) == pytest.approx(np.array(expected), rel=1e-9, abs=0)


def test_an_excess_has_an_inner_contour_too():
    experiment = CountingExperiment(200.0, 100.0, 0.0, 0.0)
    sensitivity = Sensitivity(experiment, {"nue": N_CSI["e"], "numu": N_CSI["mu"]}, U)
    pairs = zip(
        sensitivity.contour("12", 4.0, 0.0, 21),
        counting(experiment, N_CSI).contour("12", 4.0, 0.0, 21),
        strict=True,
    )
    for expected, found in pairs:
        assert np.array(found) == pytest.approx(np.array(expected), rel=1e-7, abs=0)


def test_profiled_limits_of_one_experiment_in_closed_form():
    """|Lambda_i|² < n (|U_ei|²/n_mu + |U_mu i|²/n_e + |U_tau i|²/(n_mu + n_e))."""
    share = np.abs(U) ** 2
    n_e, n_mu = N_CSI["e"], N_CSI["mu"]
    closed = np.sqrt(CSI.upper_limit(ONE) * (share[0] / n_mu + share[1] / n_e + share[2] / (n_e + n_mu)))
    assert counting(CSI, N_CSI).profiled_limits(ONE) == pytest.approx(closed, rel=1e-9, abs=0)


def test_limits_in_the_flavour_basis():
    """|Lambda_e| < limit on mu_nu_mu, |Lambda_mu| < that on mu_nu_e, |Lambda_tau| < sqrt(n/(n_e + n_mu))."""
    csi, n = counting(CSI, N_CSI), CSI.upper_limit(ONE)
    n_e, n_mu = N_CSI["e"], N_CSI["mu"]
    expected = np.sqrt(n / np.array([n_mu, n_e, n_e + n_mu, n_e, n_mu]))
    assert csi.flavour_limits(ONE) == pytest.approx(expected, rel=1e-9, abs=0)
    Lambda = np.geomspace(1e-10, 1e-7, 9)
    sensitivity = Sensitivity(CSI, {"nue": n_e, "numu": n_mu}, U)
    assert csi.profile(Lambda) == pytest.approx(sensitivity.profile(Lambda), rel=1e-9, abs=1e-12)


def test_solar_limits_are_diagonal():
    solar = MomentLikelihood(BOREXINO, FORMS)
    expected = 2.8e-11 / np.sqrt(1 - P)
    for limits in (solar.limits(ONE), solar.profiled_limits(ONE)):
        assert limits == pytest.approx(expected, rel=1e-10, abs=0)


def test_reactors_alone_are_blind():
    conus = MomentLikelihood(paper("CONUS"), FORMS)
    two = MomentLikelihood(Likelihood.sum([paper("CONUS"), paper("TEXONO")]), FORMS)
    for reactor in (conus, two):
        (direction,) = reactor.blind()
        assert np.abs(direction) == pytest.approx(np.abs(U[0]), rel=1e-9)
        assert np.all(np.isinf(reactor.profiled_limits(ONE)))
        assert np.all(np.isfinite(reactor.limits(ONE)))
        assert (
            len(reactor.contour("12", TWO, points=11, profiled=True)) == 2
        )  # on either side of the blind ray
    assert np.all(two.limits(ONE) < conus.limits(ONE))


def test_without_signal_there_are_no_limits():
    nothing = counting(CSI, {"e": 0.0})
    assert np.all(np.isinf([nothing.limits(ONE), nothing.profiled_limits(ONE)]))
    assert nothing.contour("12", TWO) == nothing.contour("12", TWO, profiled=True) == []


@pytest.mark.parametrize(
    ("beams", "expected"),
    [
        ({"CsI": "full", "CONUS": None}, [3.384e-9, 2.332e-9, 0.642e-9]),
        ({"CONUS": None, "Borexino": None}, [4.385e-11, 3.566e-11, 2.827e-11]),
    ],
)
def test_profiled_limits_of_the_papers_experiments(beams, expected):
    """The phases that reactors leave open are closed by the others."""
    found = Combination(list(beams)).sum(members(beams)).profiled_limits(ONE)
    assert found == pytest.approx(np.array(expected), rel=5e-4, abs=0)


def members(beams):
    study = Study.paper()
    experiments = {name: study.experiment(name, reading="inferred") for name in beams}
    return {name: e.sensitivity(beams[name]) for name, e in experiments.items()}


def test_a_combination_shares_the_pulls_it_names():
    found = members({"CONUS": None, "TEXONO": None})
    shared = Combination(["CONUS", "TEXONO"], {"reactor-spectrum": ["CONUS", "TEXONO"]}).sum(found)
    apart = Combination(["CONUS", "TEXONO"]).sum(found)
    assert list(shared.likelihood.pulls) == ["reactor-spectrum"]
    assert list(apart.likelihood.pulls) == ["CONUS", "TEXONO"]
    assert np.all(apart.limits(ONE) < shared.limits(ONE))
    again = Combination(["A", "TEXONO"]).sum({"A": counting(CSI, N_CSI), "TEXONO": found["TEXONO"]})
    assert list(again.likelihood.pulls) == ["A flux", "TEXONO"]
    assert set(again.forms) >= {"e", "mu"}


def test_profiled_planes_of_the_first_csi_data():
    """Radii at 45 degrees, in units of 1e-9 mu_B: paper's plane -> profiled."""
    csi = MomentLikelihood(paper("CsI", "full"), FORMS)
    for plane, fixed, profiled in (("12", 5.603, 6.780), ("13", 5.168, 7.752), ("23", 7.434, 7.818)):
        for free, radius in ((False, fixed), (True, profiled)):
            ((x, y),) = csi.contour(plane, TWO, points=3, profiled=free)
            assert np.hypot(x, y)[1] == pytest.approx(radius * 1e-9, rel=5e-4, abs=0)


def least_chi2(model, fixed, scale):
    """Least chi² over moments and phases that ``fixed`` (moments (3,)) leaves free, by a general minimiser."""
    rng = np.random.default_rng(1)

    def chi2(c):
        Lambda = fixed(c[:3] + 1j * c[3:])
        return float(model.likelihood.chi2(model.strengths(scale * Lambda)))

    return min(minimize(chi2, start, method="BFGS").fun for start in rng.normal(size=(8, 6)))


@pytest.mark.long
@pytest.mark.parametrize("measured", [None, [52, 12, 9], [45, 25, 4]])
def test_profiled_limits_are_where_the_least_chi2_is_the_level(measured):
    """Two flavours in three bins, with Borexino's kind of limit; Asimov, and data with an excess of either flavour."""
    model = MomentLikelihood(Likelihood.sum([binned(measured), published_limit("solar", 3e-9, ONE)]), FORMS)
    free = least_chi2(model, lambda c: c, 1e-9)
    assert model.minimum == pytest.approx(free, rel=1e-6, abs=1e-6)
    for i, limit in enumerate(model.profiled_limits(ONE)):

        def fixed(c, i=i, limit=limit):
            c = c.copy()
            c[i] = limit / 1e-9
            return c

        least = least_chi2(model, fixed, 1e-9)
        assert least - model.minimum == pytest.approx(ONE, rel=1e-5)


def three_strengths(*measured):
    """A bin of variance 1 for each of three strengths, nothing expected in it."""
    signal = dict(zip(FORMS, np.eye(3), strict=True))
    return MomentLikelihood(
        Likelihood(np.array(measured, float), np.zeros(3), signal, variance=np.ones(3)), FORMS
    )


def furthest(model, level, shares, near):
    """Largest r of moments with the moduli r ``shares`` (3,), those with nan free: a search in the moments, from r < ``near``."""
    rng, free, shared = np.random.default_rng(1), np.isnan(shares), np.nan_to_num(shares)

    def moments(z):  # ln r, phases, and the free moments in units of near
        return np.exp(z[0] + 1j * z[1:4]) * shared + near * free * (z[4:7] + 1j * z[7:])

    def room(z):
        return level + model.minimum - float(model.likelihood.chi2(model.strengths(moments(z))))

    def slope(z):
        Lambda = moments(z)
        w = model.likelihood.profile(model.strengths(Lambda))[1]
        of_Lambda = -2 * (np.einsum("f,fij->ij", w, model.A) @ Lambda).conj()
        turned = 1j * np.exp(z[0] + 1j * z[1:4]) * shared
        moved = [of_Lambda * turned, of_Lambda * near * free, 1j * of_Lambda * near * free]
        return np.insert(np.concatenate(moved).real, 0, (of_Lambda @ (turned / 1j)).real)

    within, best = {"type": "ineq", "fun": room, "jac": slope}, 0.0
    limits = [(np.log(near) - 5, np.log(near) + 5)] + [(-10, 10)] * 9
    for _ in range(6):
        start = np.insert(rng.normal(size=9), 0, np.log(near * rng.uniform(0.4, 1)))
        how = {
            "method": "SLSQP",
            "jac": lambda z: -np.eye(10)[0],
            "bounds": limits,
            "options": {"ftol": 1e-12, "maxiter": 500},
        }
        found = minimize(lambda z: -z[0], start, constraints=within, **how)
        if room(found.x) > -1e-6:
            best = max(best, np.exp(found.x[0]))
    return best


def fluctuated(seed, most=0.3):
    """Two or three strengths in some bins with up to two pulls, and data that fluctuate about strengths up to ``most``."""
    rng = np.random.default_rng(seed)
    names = list(FORMS)[: 2 + seed % 2]
    bins = int(rng.integers(2, 5))
    expected = rng.uniform(3, 60, bins)
    signal = {name: rng.uniform(0.01, 20, bins) for name in names}
    pulls = {"flux": Pull.scale(0.2, expected, signal), "background": Pull(0.1 * expected)}
    pulls = dict(list(pulls.items())[: rng.integers(0, 3)])
    measured = rng.poisson(expected + sum(rng.uniform(0, most) * s for s in signal.values()))
    likelihood = Likelihood(measured, expected, signal, pulls, expected if seed % 4 < 2 else 0.0)
    return MomentLikelihood(likelihood, {name: FORMS[name] for name in names})


def long(*values):
    return pytest.param(*values, marks=pytest.mark.long)


@pytest.mark.parametrize(
    ("seed", "most"),
    [(0, 0.3), (2, 0.3), (6, 0.3), (8, 10)]
    + [long(seed, 0.3) for seed in (1, 4, 5, 10, 12)]
    + [long(seed, 10) for seed in (0, 1, 3, 6)],
)
def test_profiled_limits_and_planes_of_data_that_fluctuate(seed, most):
    """chi² may fall with a strength, the best phase be of any value, and an excess leave few directions."""
    model, free = fluctuated(seed, most), np.full(3, np.nan)
    for i, limit in enumerate(model.profiled_limits(ONE)):
        if np.isfinite(limit):
            assert limit == pytest.approx(
                furthest(model, ONE, np.where(np.arange(3) == i, 1, free), limit), rel=1e-6
            )
    x, y = rays(5)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        radii = model._profiled_radii(TWO, i, j, x, y)
        for n in (1, 2, 3):
            if np.isfinite(radii[n]):
                shares = free.copy()
                shares[[i, j]] = x[n], y[n]
                assert radii[n] == pytest.approx(furthest(model, TWO, shares, radii[n] or 1.0), rel=1e-6)


@pytest.mark.long
def test_limits_of_a_very_strong_excess_are_not_below_its_best_fit():
    """So few directions are left that none of a grid is among them."""
    model = fluctuated(1, 100)
    limits = model.profiled_limits(ONE)
    assert model.delta_chi2(model.best_fit) == pytest.approx(0, abs=1e-9)
    assert np.all(limits >= np.abs(model.best_fit) * (1 - 1e-9))


def test_planes_of_data_that_nothing_explains_are_refused():
    """Also where no ray is within the level: the least chi² of the plane is between two of them."""
    signal = {"e": np.array([1.0, 0.0, 0.0]), "mu": np.array([0.0, 1.0, 0.0])}
    model = MomentLikelihood(Likelihood([1e9, 3e9, 1e9], [1e3, 1e3, 1e3], signal), FORMS)
    for profiled in (False, True):
        with pytest.raises(ValueError, match="neither background nor neutrinos explain it"):
            model.contour("12", TWO, points=41, profiled=profiled)


def test_each_ray_of_a_profiled_plane_is_as_if_it_were_alone():
    """What one ray has at its best is of no use to others far from it."""
    model = three_strengths(1, 2, 3)
    x, y = rays(7)
    together = model._profiled_radii(TWO, 0, 1, x, y)
    alone = [model._profiled_radii(TWO, 0, 1, x[[n]], y[[n]])[0] for n in (0, 3, 6)]
    assert together[::3] == pytest.approx(alone, rel=1e-9, abs=0)
    assert together[0] == pytest.approx(2.3666, rel=1e-4)  # by scipy's SLSQP in the moments


def test_a_ray_that_stays_above_the_level_has_no_point_of_a_profiled_plane():
    model = MomentLikelihood(
        Likelihood([60.0], [10.0], {"e": [1.0]}, variance=[4.0]), {"e": np.diag([1.0, 0, 0])}
    )
    x, y = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    assert list(model._profiled_radii(TWO, 0, 1, x, y) > 0) == [False, True]


def test_the_least_chi2_is_looked_for_in_all_directions():
    """A pull that takes signal away makes several minima; the lowest is where mu_nu_mu is 0."""
    band = Pull(np.array([-63.3, -30.4]), {"e": np.array([-2.9, -0.6]), "mu": np.array([-0.5, -0.5])})
    signal = {"e": np.array([9.3, 2.0]), "mu": np.array([2.8, 1.6])}
    likelihood = Likelihood(np.array([137.0, 176.0]), np.array([131.0, 87.0]), signal, {"band": band})
    model = MomentLikelihood(likelihood, {flavour: FORMS[flavour] for flavour in signal})
    rng = np.random.default_rng(3)
    random = rng.normal(size=(3, 500)) + 1j * rng.normal(size=(3, 500))
    strengths = model.strengths(np.hstack([random, U.conj().T]))
    best = likelihood.best_fit(strengths)
    assert model.minimum <= np.min(likelihood.chi2(best[:, None] * strengths)) * (1 + 1e-9)


@pytest.mark.long
def test_profiled_contours_are_where_the_least_chi2_is_the_level():
    model = MomentLikelihood(binned(), FORMS)
    ((x, y),) = model.contour("23", TWO, points=5, profiled=True)
    for a, b in list(zip(x, y, strict=True))[1:4]:

        def fixed(c, a=a, b=b):
            phase = np.exp(1j * np.angle(c[2] if c[2] else 1))
            return np.array([c[0], a / 1e-9, b / 1e-9 * phase])

        assert least_chi2(model, fixed, 1e-9) - model.minimum == pytest.approx(TWO, rel=1e-5)


def test_profiled_limits_are_above_those_of_any_direction():
    model = MomentLikelihood(Likelihood.sum([binned(), BOREXINO]), FORMS)
    limits = model.profiled_limits(ONE)
    rng = np.random.default_rng(3)
    v = rng.normal(size=(3, 200)) + 1j * rng.normal(size=(3, 200))
    upper = model.likelihood.interval(ONE, model.strengths(v), model.minimum)[1]
    assert np.all(np.sqrt(upper) * np.abs(v) <= limits[:, None] * (1 + 1e-9))
    assert np.all(limits >= model.limits(ONE) * (1 - 1e-8))


@pytest.mark.parametrize("xi", [0.0, 2.0])
@pytest.mark.parametrize("measured", [None, [52, 12, 9]])
def test_contours_are_where_delta_chi2_is_the_level(xi, measured):
    model = MomentLikelihood(binned(measured), FORMS)
    plane_minimum = min(
        float(
            minimize(
                lambda c: model.likelihood.chi2(model.strengths(pair_moments("23", *np.abs(c), xi) * 1e-9)),
                start,
                method="Nelder-Mead",
            ).fun
        )
        for start in ([0.1, 1.0], [1.0, 0.1], [0.5, 0.5], [1.0, 1.0])
    )
    lines = model.contour("23", TWO, xi, points=31)
    assert lines
    for x, y in lines:
        chi2 = model.likelihood.chi2(model.strengths(pair_moments("23", x, y, xi)))
        assert chi2 - plane_minimum == pytest.approx(np.full(len(x), TWO), rel=1e-5)


def test_a_shared_flux_weakens_a_sum_less_than_limits_in_quadrature_say():
    """Two copies of one experiment, limited by the flux: sharing it, they know no more than one does."""
    n = 1e6
    one = CountingExperiment.asimov(n, 0.0, 0.2)
    signal = {"e": 1e20}
    single = counting(one, signal).limits(ONE)
    shared, apart = (
        MomentLikelihood(
            Likelihood.sum([Likelihood.counting(one, signal, name) for name in names]), FORMS
        ).limits(ONE)
        for names in (["flux", "flux"], ["flux", "other"])
    )
    assert shared == pytest.approx(single, rel=1e-4, abs=0)
    assert np.all(apart < 0.9 * single)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MomentLikelihood(BOREXINO, {}), "forms: none for solar"),
        (lambda: published_limit("solar", 0.0, ONE), "mu_nu: 0.0"),
        (lambda: counting(CSI, N_CSI).contour("21", TWO), "plane: '21' must be one of 12, 13, 23"),
        (lambda: flavour_form("x", U), "flavour: 'x'"),
        (lambda: Combination(["A"]), r"experiments: \['A'\] must be two or more"),
        (lambda: Combination(["A", "B", "A"]), "experiments: "),
        (lambda: Combination(["A", "B"], {"flux": ["C"]}), "shared.flux: 'C' must be one of A, B"),
        (lambda: Combination(["A", "B"], {"f": ["A", "A"]}), "shared.f: 'A' must not be listed twice"),
        (
            lambda: Combination(["A", "B"], {"f": ["A", "B"]}).sum({"A": counting(CSI, N_CSI)}),
            "shared.f: A has no such pull; it has flux",
        ),
        (
            lambda: Combination(["A", "B"]).sum(
                {"A": counting(CSI, N_CSI), "B": Sensitivity(CSI, {"nue": 1.0}, np.eye(3))}
            ),
            "experiments: B has another mixing matrix",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
