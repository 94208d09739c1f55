"""Effective moments: the one-line form against the matrix form and the printed equations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cevns_tmm import magnetic_moment as mm
from cevns_tmm.constants import hbar_c
from cevns_tmm.mixing import FLAVOURS, mixing_matrix
from cevns_tmm.units import MeV, eV, m

sin2 = st.floats(0.01, 0.99)
phase = st.floats(-np.pi, np.pi)
modulus = st.floats(0, 10)
mixings = st.builds(mixing_matrix, sin2, sin2, sin2, phase)
moduli = st.tuples(modulus, modulus, modulus)

PAPER = mixing_matrix(0.320, 0.547, 0.0216)


def scale(L):
    return max(float(np.sum(np.square(L))), 1e-30)


@given(mixings)
def test_mixing_matrix_is_unitary(U):
    np.testing.assert_allclose(U @ U.conj().T, np.eye(3), rtol=0, atol=1e-14)
    assert np.linalg.det(U) == pytest.approx(1, rel=1e-13, abs=0)


@pytest.mark.parametrize("name", ["theta12", "theta23", "theta13"])
def test_mixing_angles_outside_the_unit_interval_are_refused(name):
    angles = {f"sin2_{n}": 0.3 for n in ("theta12", "theta23", "theta13")}
    with pytest.raises(ValueError, match=name):
        mixing_matrix(**angles | {f"sin2_{name}": 1.2})


@given(mixings, moduli, phase, phase)
def test_one_line_form_is_the_matrix_form_in_both_bases(U, L, xi_1, xi_2):
    """Eqs. (5), (6), (8) and (9) for each flavour and helicity."""
    Lambda = mm.transition_moments(L, xi_1, xi_2)
    lam_mass = mm.moment_matrix(Lambda)
    lam_flavour = mm.moment_matrix(mm.to_flavour_basis(Lambda, U))
    np.testing.assert_allclose(U.T @ lam_flavour @ U, lam_mass, rtol=0, atol=1e-13 * scale(L) ** 0.5)
    for n, flavour in enumerate(FLAVOURS):
        a = np.eye(3)[n]
        expected = pytest.approx(float(mm.mu_nu_sq(flavour, Lambda, U)), rel=1e-12, abs=1e-13 * scale(L))
        for minus, plus in ((a, 0 * a), (0 * a, a)):
            assert mm.mu_nu_sq_amplitudes(lam_flavour, minus, plus) == expected
            mass = mm.mu_nu_sq_amplitudes(lam_mass, U.conj().T @ minus, U.T @ plus)
            assert mass == expected


@given(mixings, moduli, phase, phase)
def test_flavour_basis_equations_10_15_16(U, L, xi_1, xi_2):
    Lambda = mm.transition_moments(L, xi_1, xi_2)
    e, mu, tau = np.abs(mm.to_flavour_basis(Lambda, U)) ** 2
    assert mm.mu_nu_sq("e", Lambda, U) == pytest.approx(mu + tau, rel=1e-12, abs=1e-13 * scale(L))
    assert mm.mu_nu_sq("mu", Lambda, U) == pytest.approx(e + tau, rel=1e-12, abs=1e-13 * scale(L))


def angles(s12, s23, s13):
    s = np.sqrt([s12, s23, s13])
    return (*s, *np.sqrt(1 - s**2))


def printed_e(s12, s13, c12, c13, L, d, x1, x2, x3):
    """Eqs. (12) and (18)."""
    L1, L2, L3 = L
    return (
        (L1**2 + L2**2 + L3**2)
        - c12**2 * c13**2 * L1**2
        - s12**2 * c13**2 * L2**2
        - s13**2 * L3**2
        - c13**2 * 2 * s12 * c12 * L1 * L2 * np.cos(x3)
        - c12 * 2 * s13 * c13 * L1 * L3 * np.cos(d - x2)
        - s12 * 2 * s13 * c13 * L2 * L3 * np.cos(d - x1)
    )


def printed_mu_17(s12, s23, s13, c12, c23, c13, L, d, x1, x2, x3):
    """Eq. (17)."""
    L1, L2, L3 = L
    cos = np.cos
    return (
        L1**2
        * (-2 * c12 * c23 * s12 * s13 * s23 * cos(d) + s23**2 * (c13**2 + s12**2 * s13**2) + c12**2 * c23**2)
        + L2**2
        * (2 * c12 * c23 * s13 * s23 * s12 * cos(d) + c23**2 * s12**2 + s23**2 * (c12**2 * s13**2 + c13**2))
        + L3**2 * (c23**2 + s13**2 * s23**2)
        + 2
        * L1
        * L2
        * (
            c23 * c12**2 * s13 * s23 * cos(d + x3)
            - c23 * s12**2 * s13 * s23 * cos(d - x3)
            + c12 * s12 * (c23**2 - s13**2 * s23**2) * cos(x3)
        )
        + 2 * L1 * L3 * c13 * s23 * (c12 * s13 * s23 * cos(d - x2) + c23 * s12 * cos(x2))
        + 2 * L2 * L3 * c13 * s23 * (s12 * s13 * s23 * cos(d - x1) - c12 * c23 * cos(x1))
    )


def printed_mu_19(s12, s23, s13, c12, c23, c13, L, d, x1, x2, x3):
    """Eq. (19): its third square is written with double angles."""
    L3 = L[2]
    cos_2_23, cos_2_13 = c23**2 - s23**2, c13**2 - s13**2
    third = (2 * c13**2 * cos_2_23 - cos_2_13 + 3) / 4
    other = printed_mu_17(s12, s23, s13, c12, c23, c13, L, d, x1, x2, x3)
    return other + L3**2 * (third - (c23**2 + s13**2 * s23**2))


@given(sin2, sin2, sin2, moduli, phase, phase, phase)
def test_one_line_form_is_the_printed_equations(s2_12, s2_23, s2_13, L, d, xi_1, xi_2):
    xi_3 = xi_1 - xi_2
    s12, s23, s13, c12, c23, c13 = angles(s2_12, s2_23, s2_13)
    U = mixing_matrix(s2_12, s2_23, s2_13, d)
    Lambda = mm.transition_moments(L, xi_1, xi_2)
    tolerance = {"rel": 1e-12, "abs": 1e-13 * scale(L)}
    printed = printed_e(s12, s13, c12, c13, L, d, xi_1, xi_2, xi_3)
    assert mm.mu_nu_sq("e", Lambda, U) == pytest.approx(printed, **tolerance)
    for equation in (printed_mu_17, printed_mu_19):
        printed = equation(s12, s23, s13, c12, c23, c13, L, d, xi_1, xi_2, xi_3)
        assert mm.mu_nu_sq("mu", Lambda, U) == pytest.approx(printed, **tolerance)


@given(mixings, moduli, phase, phase)
def test_moments_are_positive_and_the_flavours_add_up(U, L, xi_1, xi_2):
    Lambda = mm.transition_moments(L, xi_1, xi_2)
    moments = [float(mm.mu_nu_sq(flavour, Lambda, U)) for flavour in FLAVOURS]
    assert min(moments) >= 0
    assert sum(moments) == pytest.approx(2 * np.sum(np.abs(Lambda) ** 2), rel=1e-12, abs=0)


def test_single_moments_of_the_paper():
    e = [float(mm.mu_nu_sq("e", v, PAPER)) for v in np.eye(3)]
    mu = [float(mm.mu_nu_sq("mu", v, PAPER)) for v in np.eye(3)]
    assert e == pytest.approx([0.3347, 0.6869, 0.9784], rel=2e-4, abs=0)
    assert mu == pytest.approx([0.7788, 0.7564, 0.4648], rel=2e-4, abs=0)


@given(sin2, sin2, sin2)
def test_degenerate_direction_blinds_reactors(s2_12, s2_23, s2_13):
    """Eqs. (13) and (14), and nothing else does."""
    U = mixing_matrix(s2_12, s2_23, s2_13)
    blind = np.abs(U[0])
    assert mm.mu_nu_sq("e", 3 * blind, U) == pytest.approx(0, abs=1e-28)
    assert mm.mu_nu_sq("mu", 3 * blind, U) == pytest.approx(9, rel=1e-12, abs=0)
    for n in range(3):
        shifted = blind.copy()
        shifted[n] *= 1.1
        along = (U[0].real @ shifted) ** 2
        assert mm.mu_nu_sq("e", shifted, U) == pytest.approx(shifted @ shifted - along, rel=1e-9, abs=1e-15)


MASSES = np.array([0.0, 7.55e-5, 2.5e-3]) * eV**2


@given(mixings, moduli, phase, phase)
def test_baseline_form_tends_to_the_short_baseline(U, L, xi_1, xi_2):
    """Eq. (37) for L -> 0."""
    Lambda = mm.transition_moments(L, xi_1, xi_2)
    for flavour in FLAVOURS:
        short = mm.mu_nu_sq(flavour, Lambda, U)
        at_0 = mm.mu_nu_sq_baseline(flavour, Lambda, U, MASSES, 0 * m, 3 * MeV)
        at_30 = mm.mu_nu_sq_baseline(flavour, Lambda, U, MASSES, 30 * m, 3 * MeV)
        assert at_0 == pytest.approx(short, rel=1e-12, abs=1e-13 * scale(L))
        assert at_30 == pytest.approx(short, rel=0, abs=0.2 * scale(L))


@given(st.floats(0, 0.5), st.floats(0.05, 0.95), st.floats(-np.pi, np.pi))
def test_baseline_form_with_two_flavours(share, s2_12, zeta):
    """theta13 = theta23 = 0 and only Lambda_1, Lambda_2: Eq. (37) by hand.

    Sum_j |...|² = | U_e1 L2 - U_e2 L1 e^(i phi) |² with phi = (m_1² - m_2²) L / 2E up to sign; the
    path is a share of the oscillation length.
    """
    U = mixing_matrix(s2_12, 0.0, 0.0)
    Lambda = np.array([1.3, 0.7 * np.exp(1j * zeta), 0.0])
    splitting, E = 7.55e-5 * eV**2, 3 * MeV
    length = share * 4 * np.pi * E / splitting * hbar_c
    phi = splitting * length / (2 * E * hbar_c)
    assert phi == pytest.approx(2 * np.pi * share, rel=1e-12, abs=1e-15)
    c, s = np.sqrt(1 - s2_12), np.sqrt(s2_12)
    # lambda_13 = -Lambda_2, lambda_23 = Lambda_1; nu_2 runs behind nu_1 by phi
    expected = abs(-c * Lambda[1] + s * np.exp(-1j * phi) * Lambda[0]) ** 2
    got = mm.mu_nu_sq_baseline("e", Lambda, U, np.array([0, splitting, 0]), length, E)
    assert got == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_baseline_form_averages_to_the_incoherent_sum():
    """Averaged over many oscillations Eq. (37) has no interference, like Eq. (38)."""
    Lambda = np.array([1.0, 2.0, 3.0])
    lengths = np.linspace(1e6, 3e6, 40001) * m
    mean = np.mean([mm.mu_nu_sq_baseline("e", Lambda, PAPER, MASSES, L, 3 * MeV) for L in lengths])
    P = np.abs(PAPER[0]) ** 2
    assert mean == pytest.approx(14 - P @ Lambda**2, rel=2e-3, abs=0)
    with pytest.raises(ValueError, match="E"):
        mm.mu_nu_sq_baseline("e", Lambda, PAPER, MASSES, m, 0.0)


@given(st.tuples(modulus, modulus), phase, st.sampled_from(["12", "13", "23"]), mixings)
def test_pair_moments_carry_the_phase_of_their_pair(L, xi, plane, U):
    i, j = int(plane[0]) - 1, int(plane[1]) - 1
    full = [0.0, 0.0, 0.0]
    full[i], full[j] = L
    # xi_3 = xi_1 - xi_2, so xi_3 = xi needs xi_2 = -xi at xi_1 = 0
    phases = {"12": (0.0, -xi), "13": (0.0, xi), "23": (xi, 0.0)}[plane]
    expected = mm.mu_nu_sq("mu", mm.transition_moments(full, *phases), U)
    got = mm.mu_nu_sq("mu", mm.pair_moments(plane, *L, xi), U)
    assert got == pytest.approx(float(expected), rel=1e-12, abs=1e-13 * scale(L))


def test_grids_are_point_by_point():
    Lambda = mm.pair_moments("12", np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), 0.3)
    grid = mm.mu_nu_sq("e", Lambda, PAPER)
    assert grid.shape == (2, 2)
    for a in range(2):
        for b in range(2):
            one = mm.mu_nu_sq("e", Lambda[:, a, b], PAPER)
            assert grid[a, b] == pytest.approx(float(one), rel=1e-14, abs=0)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="flavour"):
        mm.mu_nu_sq("electron", np.ones(3), PAPER)
    for Lambda, U, name in ((np.ones(2), PAPER, "Lambda"), (np.ones(3), np.eye(2), "U")):
        with pytest.raises(ValueError, match=name):
            mm.mu_nu_sq("e", Lambda, U)
    with pytest.raises(ValueError, match="mass_squared"):
        mm.mu_nu_sq_baseline("e", np.ones(3), PAPER, np.ones(2), m, MeV)
    with pytest.raises(ValueError, match="plane"):
        mm.pair_moments("21", 1.0, 1.0, 0.0)
    with pytest.raises(ValueError, match="delta_CP"):
        mixing_matrix(0.3, 0.3, 0.3, np.nan)
    with pytest.raises(ValueError, match="lam"):
        mm.mu_nu_sq_amplitudes(np.eye(2), np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match="a_plus"):
        mm.mu_nu_sq_amplitudes(np.eye(3), np.ones(3), np.ones(2))
