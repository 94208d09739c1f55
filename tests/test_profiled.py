"""Limits with the other moments and all phases free, against numerical minimisation; combinations."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize

from cevns_tmm import Study
from cevns_tmm.analysis import Analysis
from cevns_tmm.combination import Combination
from cevns_tmm.limits import Sensitivity
from cevns_tmm.magnetic_moment import PLANES, to_flavour_basis
from cevns_tmm.mixing import mixing_matrix
from cevns_tmm.statistics import CountingExperiment

STUDY = Study.paper()
CSI, CONUS, BOREXINO = (STUDY.experiment(name) for name in ("CsI", "CONUS", "Borexino"))
LEVEL = CSI.analysis.level(1)
QUADRATIC = CountingExperiment.asimov(100.0, 0.2, 0.0)  # chi² = n² / 120

sin2 = st.floats(0.01, 0.99)
angles = st.tuples(sin2, sin2, sin2, st.floats(-1, 1).map(lambda delta: delta * math.pi))
events = st.floats(0.1, 10)
moduli = st.integers(0, 2)


def sensitivity(n_e, n_mu, mixing, chi2=QUADRATIC):
    return Sensitivity(chi2, {"nue": n_e, "numubar": n_mu}, mixing_matrix(*mixing))


def least_excess(form, fixed, free):
    """Least excess over the complex moments ``free``, and over the phases of those with ``fixed`` moduli."""
    phases, zero = len(fixed), np.zeros(3, complex)

    def excess(v):
        Lambda = zero.copy()
        for phase, (i, modulus) in zip(v, fixed.items(), strict=False):
            Lambda[i] = modulus * np.exp(1j * phase)
        Lambda[free] = v[phases : phases + len(free)] + 1j * v[phases + len(free) :]
        return float(form.excess(Lambda))

    scale = max(fixed.values())
    starts = np.random.default_rng(1).normal(size=(4, phases + 2 * len(free)))
    starts[:, phases:] *= scale
    return min(minimize(excess, start, tol=1e-12).fun for start in starts)


@given(angles, events, events, st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_the_excess_is_a_hermitian_form(mixing, n_e, n_mu, v):
    form, Lambda = sensitivity(n_e, n_mu, mixing), np.array(v[:3]) + 1j * np.array(v[3:])
    A = form.matrix
    assert np.allclose(A, A.conj().T, rtol=1e-12, atol=1e-12)
    direct = (Lambda.conj() @ A @ Lambda).real
    assert form.excess(Lambda) == pytest.approx(direct, rel=1e-9, abs=1e-12)
    assert super(Sensitivity, form).excess(Lambda) == pytest.approx(direct, rel=1e-9, abs=1e-12)
    in_flavours = form.weights @ np.abs(to_flavour_basis(Lambda, form.U)) ** 2
    assert in_flavours == pytest.approx(direct, rel=1e-9, abs=1e-12)


@settings(max_examples=15)
@given(angles, events, events, moduli)
def test_profiled_limits_are_the_numerical_ones(mixing, n_e, n_mu, i):
    """At the limit the least excess over all else is the limit on the excess."""
    form = sensitivity(n_e, n_mu, mixing)
    limit = form.profiled_limits(LEVEL)[i]
    least = least_excess(form, {i: limit}, np.delete(np.arange(3), i))
    assert least == pytest.approx(QUADRATIC.upper_limit(LEVEL), rel=1e-6, abs=0)
    inverse = np.linalg.inv(form.matrix)[i, i].real
    assert limit**2 == pytest.approx(QUADRATIC.upper_limit(LEVEL) * inverse, rel=1e-9, abs=0)


@settings(max_examples=8)
@given(angles, events, st.one_of(st.just(0.0), events), st.sampled_from(list(PLANES)))
@example((0.32, 0.547, 0.0216, 0.0), 1.0, 0.0, "12")
def test_profiled_planes_are_the_numerical_ones(mixing, n_e, n_mu, plane):
    form = sensitivity(n_e, n_mu, mixing)
    i, j = PLANES[plane]
    for x, y in form.contour(plane, 4.6, points=5, profiled=True):
        for one, two in zip(x, y, strict=True):
            if max(one, two) < 1e3 * np.min(
                np.hypot(x, y)
            ):  # not so far out that the minimum is lost in rounding
                least = least_excess(form, {i: one, j: two}, [3 - i - j])
                assert least == pytest.approx(QUADRATIC.upper_limit(4.6), rel=1e-5, abs=0)


@given(angles, events, events, st.sampled_from(list(PLANES)))
def test_profiling_never_strengthens_a_limit(mixing, n_e, n_mu, plane):
    form = sensitivity(n_e, n_mu, mixing)
    assert np.all(form.profiled_limits(LEVEL) >= form.limits(LEVEL) * (1 - 1e-12))
    (fixed,), (free,) = (form.contour(plane, 4.6, points=33, profiled=profiled) for profiled in (False, True))
    assert np.all(np.hypot(*free) >= np.hypot(*fixed) * (1 - 1e-12))


@given(angles, events, st.sampled_from(["nuebar", "numu"]))
def test_one_flavour_bounds_no_moment(mixing, n, component):
    """Along Lambda ~ U_a* there are no events: no limit on any moment, and planes that are open strips."""
    form = Sensitivity(QUADRATIC, {component: n}, mixing_matrix(*mixing))
    assert form.has_limit(LEVEL)
    assert np.all(np.isinf(form.profiled_limits(LEVEL)))
    for plane, (i, j) in PLANES.items():
        row = np.abs(form.U[0 if component == "nuebar" else 1])
        outer = form.contour(plane, 4.6, profiled=True)
        width = math.sqrt(QUADRATIC.upper_limit(4.6) / n * (1 - row[3 - i - j] ** 2))
        for x, y in outer:  # |U_aj| x - |U_ai| y = ± width
            across = np.abs(row[j] * x - row[i] * y)
            near = np.hypot(x, y) < 1e5 * width
            assert across[near] == pytest.approx(np.full(near.sum(), width), rel=1e-9, abs=0)
        assert len(outer) == 2


def test_a_moment_without_a_part_in_the_blind_direction_is_bounded():
    """|U_e3| = 0 at a reactor: |Lambda_3| < sqrt(n / n_e), the others unbounded; decided by rank."""
    form = Sensitivity(QUADRATIC, {"nuebar": 2.0}, mixing_matrix(0.32, 0.547, 0.0))
    bound = math.sqrt(QUADRATIC.upper_limit(LEVEL) / 2)
    assert form.profiled_limits(LEVEL) == pytest.approx([np.inf, np.inf, bound], rel=1e-12, abs=0)
    oscillation = CONUS.analysis.oscillation | {"sin2_theta13": 0.0}
    analysis = dataclasses.replace(CONUS.analysis, oscillation=oscillation)
    profiled, free = (
        analysis.limits(CONUS.counts(), ["nuebar"], method) for method in ("profiled", "profiled-angles-free")
    )
    assert np.isfinite(profiled[2])
    assert np.all(np.isinf(free))  # another angle and it is not


@pytest.mark.parametrize("mixing", [(0, 0.5, 0), (1, 0.5, 0), (0.3, 0.5, 1), (0.4, 0.4, 1, math.pi)])
@pytest.mark.parametrize("component", ["nuebar", "numu"])
def test_a_blind_moment_is_never_a_large_number(mixing, component):
    """One element of the row is 1, for some of these but for rounding: that moment alone is blind."""
    form = Sensitivity(QUADRATIC, {component: 2.0}, mixing_matrix(*mixing))
    bound = math.sqrt(QUADRATIC.upper_limit(LEVEL) / 2)
    share = np.abs(form.U[0 if component == "nuebar" else 1]) ** 2
    for i in range(3):
        if share[i] > 1 - 1e-12:
            assert np.isinf(form.limits(LEVEL)[i])
            assert np.isinf(form.profiled_limits(LEVEL)[i])
        elif share[i] < 1e-12:
            assert form.limits(LEVEL)[i] == pytest.approx(bound, rel=1e-12, abs=0)
            assert form.profiled_limits(LEVEL)[i] == pytest.approx(bound, rel=1e-12, abs=0)


def test_no_events_are_no_limit_in_any_direction():
    form = Sensitivity(
        CountingExperiment.asimov(0.0, 0.2, 0.2), {"nuebar": 0.0}, mixing_matrix(0.3, 0.5, 0.02)
    )
    assert not form.has_limit(LEVEL)
    assert np.all(np.isinf(form.profiled_limits(LEVEL)))
    assert np.all(np.isinf(form.flavour_limits(LEVEL)))
    assert form.contour("12", LEVEL, profiled=True) == []


@given(angles, events, events)
def test_flavour_basis(mixing, n_e, n_mu):
    """One moment of the flavour basis: n_mu |Lambda_e|², n_e |Lambda_mu|², their sum for tau."""
    form = sensitivity(n_e, n_mu, mixing)
    n = QUADRATIC.upper_limit(LEVEL)
    limits = form.flavour_limits(LEVEL)
    assert limits**2 == pytest.approx(n / np.array([n_mu, n_e, n_mu + n_e, n_e, n_mu]), rel=1e-12, abs=0)
    for flavour in range(3):
        Lambda = limits[flavour] * form.U[flavour].conj()
        assert float(form.excess(Lambda)) == pytest.approx(n, rel=1e-9, abs=0)


def test_a_free_dirac_phase_takes_the_weakest_limit():
    counts, beam = CSI.counts(), CSI.components("full")
    free = CSI.analysis.limits(counts, beam, "profiled-delta-free")
    phases = np.linspace(0, 2, 41)
    scan = [CSI.analysis.sensitivity(counts, beam, delta).profiled_limits(LEVEL) for delta in phases]
    assert free == pytest.approx(np.max(scan, axis=0), rel=1e-12, abs=0)


def test_free_angles_are_pulled_back():
    """Against a scan of one angle that is much less well known than the others."""
    errors = {"sin2_theta12": 0.3, "sin2_theta23": 1e-9, "sin2_theta13": 1e-9}
    analysis = dataclasses.replace(CSI.analysis, oscillation=CSI.analysis.oscillation | {"errors": errors})
    counts, beam = CSI.counts(), CSI.components("full")
    free = analysis.limits(counts, beam, "profiled-angles-free")
    scan = []
    for pull in np.linspace(-0.8, 0.8, 1601):
        moved = analysis.oscillation | {"sin2_theta12": 0.320 + 0.3 * pull}
        form = dataclasses.replace(analysis, oscillation=moved).sensitivity(counts, beam)
        scan.append(form.profiled_limits(LEVEL - pull**2))
    assert free == pytest.approx(np.max(scan, axis=0), rel=1e-6, abs=0)
    assert np.all(free[:2] > 1.001 * analysis.limits(counts, beam, "profiled")[:2])


def test_free_angles_need_their_errors():
    oscillation = {key: value for key, value in CSI.analysis.oscillation.items() if key != "errors"}
    analysis = Analysis(oscillation, 0.9, sigma_stat=0.2, sigma_sys=0.2)
    with pytest.raises(ValueError, match="method: 'profiled-angles-free' must be one of one-at-a-time, prof"):
        analysis.limits(CONUS.counts(), ["nuebar"], "profiled-angles-free")
    for call in (CONUS.limits, BOREXINO.limits):
        with pytest.raises(ValueError, match="method: 'bayesian' must be one of one-at-a-time, profiled"):
            call(method="bayesian")
    with pytest.raises(ValueError, match=r"'profiled-delta-free' must be one of one-at-a-time, profiled$"):
        CONUS.contour("12", method="profiled-delta-free")


def table(limits, unit=1e-9):
    return [value / unit for value in limits.values()]


def test_csi_values():
    assert table(CSI.limits("full")) == pytest.approx([4.298, 4.018, 4.367], rel=1e-3)
    assert table(CSI.limits("full", method="profiled")) == pytest.approx([4.615, 4.478, 5.133], rel=1e-3)
    free = CSI.limits("full", method="profiled-delta-free")
    assert table(free) == pytest.approx([4.615, 4.869, 5.133], rel=1e-3)
    pulled = CSI.limits("full", method="profiled-angles-free")
    profiled = np.array(table(CSI.limits("full", method="profiled")))
    assert np.all((table(pulled) > profiled) & (table(pulled) < profiled * (1 + 2e-4)))
    flavours = CSI.flavour_limits("full")
    assert flavours["mu_nu_e"] == pytest.approx(6.221e-9, rel=1e-3, abs=0)
    assert flavours["mu_nu_mu"] == pytest.approx(4.137e-9, rel=1e-3, abs=0)
    assert flavours["Lambda_e"] == flavours["mu_nu_mu"]
    assert flavours["Lambda_mu"] == flavours["mu_nu_e"]
    assert CONUS.flavour_limits()["mu_nu_e"] == pytest.approx(1.081e-10, rel=1e-3, abs=0)
    assert CONUS.flavour_limits()["Lambda_e"] == CONUS.flavour_limits()["mu_nu_mu"] == math.inf


@pytest.mark.parametrize(
    ("plane", "paper", "profiled"),
    [("12", 5.603, 6.780), ("13", 5.168, 7.752), ("23", 7.434, 7.818)],
)
def test_csi_planes_at_45_degrees(plane, paper, profiled):
    for method, expected in (("one-at-a-time", paper), ("profiled", profiled)):
        ((x, y),) = CSI.contour(plane, "full", method=method)
        middle = len(x) // 2
        assert x[middle] == pytest.approx(y[middle], rel=1e-9, abs=0)
        assert math.hypot(x[middle], y[middle]) == pytest.approx(expected * 1e-9, rel=1e-3, abs=0)


def test_solar_surface():
    """Diagonal in the mass basis: every method gives the same."""
    for method in BOREXINO.methods:
        assert BOREXINO.limits(method=method) == BOREXINO.limits()
    limits = np.array(list(BOREXINO.limits().values()))
    form = BOREXINO.sensitivity()
    assert form.limits(LEVEL) == pytest.approx(limits, rel=1e-12, abs=0)
    assert form.profiled_limits(LEVEL) == pytest.approx(limits, rel=1e-12, abs=0)
    assert BOREXINO.delta_chi2(np.array([limits[0], 0, 0])) == pytest.approx(LEVEL, rel=1e-12, abs=0)
    assert len(BOREXINO.blind()) == 0
    for profiled in (False, True):
        ((x, y),) = form.contour("13", LEVEL, profiled=profiled)
        assert form.excess(np.array([x, 0 * x, y])) == pytest.approx(
            np.full(len(x), 2.8e-11**2), rel=1e-9, abs=0
        )


def total(*members):
    """The sum of independent members, as a MomentLikelihood."""
    named = {f"member {n}": member for n, member in enumerate(members)}
    return Combination(list(named)).sum(named)


def combined(*members):
    return total(*members).profiled_limits(LEVEL)


def test_combined_values():
    csi, conus, borexino = CSI.sensitivity("full"), CONUS.sensitivity(), BOREXINO.sensitivity()
    assert combined(csi, conus) * 1e9 == pytest.approx([3.384, 2.332, 0.642], rel=1e-3)
    assert combined(conus, borexino) * 1e11 == pytest.approx([4.385, 3.566, 2.827], rel=1e-3)
    assert combined(conus, csi) == pytest.approx(combined(csi, conus), rel=1e-5, abs=0)


@settings(max_examples=15)
@given(angles, events, events)
def test_combination_of_one_and_of_equals(mixing, n_e, n_mu):
    """Twice the same chi² reaches a level where one reaches half of it; nothing adds nothing."""
    form = sensitivity(n_e, n_mu, mixing)
    nothing = dataclasses.replace(form, n_em=dict.fromkeys(form.n_em, 0.0))
    assert combined(form, nothing) == pytest.approx(form.profiled_limits(LEVEL), rel=1e-6, abs=0)
    assert combined(form, form) == pytest.approx(form.profiled_limits(LEVEL / 2), rel=1e-6, abs=0)


def test_what_all_members_are_blind_to_stays_unbounded():
    other = STUDY.experiment("CONNIE").sensitivity()
    assert np.all(np.isinf(combined(CONUS.sensitivity(), other)))
    assert np.all(np.isfinite(combined(CONUS.sensitivity(), CSI.sensitivity("prompt"))))
    nothing = Sensitivity(CountingExperiment.asimov(0.0, 0.2, 0.2), {"numu": 0.0}, other.U)
    assert np.all(np.isinf(combined(CONUS.sensitivity(), nothing)))
    saturated = dataclasses.replace(CSI.sensitivity("prompt"), chi2=CountingExperiment(0.0, 1.0, 1.0, 0.0))
    assert np.all(np.isinf(combined(CONUS.sensitivity(), saturated)))  # its chi² stays below 1


@pytest.mark.parametrize("surplus", [0.0, 30.0])
def test_combination_against_a_constrained_optimiser(surplus):
    """Two beams, each blind alone, one of them with a surplus of events."""
    mixing = mixing_matrix(0.32, 0.547, 0.0216, 1.0)
    one = Sensitivity(CountingExperiment(surplus, 120.0, 0.1, 10.0), {"nuebar": 3.0}, mixing)
    two = Sensitivity(CountingExperiment(0.0, 50.0, 0.0, 0.0), {"numu": 1.0}, mixing)
    both = total(one, two)
    unit = 5.0

    def chi2(v):
        return both.delta_chi2(unit * (v[:3] + 1j * v[3:]))

    rng = np.random.default_rng(3)
    least = min(minimize(chi2, rng.normal(size=6)).fun for _ in range(10))
    for i, limit in enumerate(both.profiled_limits(LEVEL)):
        inside = {"type": "ineq", "fun": lambda v: least + LEVEL - chi2(v)}
        tries = (
            minimize(lambda v, i=i: -v[i], rng.normal(size=6), constraints=inside, method="SLSQP", tol=1e-10)
            for _ in range(10)
        )
        largest = max(-found.fun for found in tries if found.success)
        assert limit == pytest.approx(unit * largest, rel=1e-4, abs=0)


def test_adding_limits_is_not_combining():
    """Two equal experiments with chi² = n²/V gain 2^(1/4) in Lambda, not the 2^(1/2) of inverse squares."""
    form = sensitivity(1.0, 2.0, (0.32, 0.547, 0.0216, 0.0))
    gain = form.profiled_limits(LEVEL) / combined(form, form)
    assert gain == pytest.approx(np.full(3, 2**0.25), rel=1e-6)
    n = brentq(lambda n: 2 * float(QUADRATIC.delta_chi2(n)) - LEVEL, 0, 1e3)
    assert form.profiled_limits(LEVEL)[0] / combined(form, form)[0] == pytest.approx(
        math.sqrt(QUADRATIC.upper_limit(LEVEL) / n), rel=1e-6
    )
