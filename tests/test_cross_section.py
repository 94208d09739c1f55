"""Couplings, form factor, cross sections, quenching and efficiency against closed forms and mpmath."""

import math

import mpmath
import numpy as np
import periodictable
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import poisson

from cevns_tmm import constants as const
from cevns_tmm import cross_section as xs
from cevns_tmm.efficiency import FlatEfficiency, PhotoelectronEfficiency, photoelectron_efficiency
from cevns_tmm.form_factor import _x_j1, form_factor, half_density_radius
from cevns_tmm.nuclei import element, isotope, natural_isotopes, target_nuclei
from cevns_tmm.quenching import quenching_factor, recoil_energy
from cevns_tmm.units import GeV, MeV, cm, fm, g, keV, kg

TARGETS = ["Na23", "Si28", "Si29", "Ar40", "Ge73", "I127", "Xe131", "Cs133"]
isotopes = st.sampled_from([isotope(name) for name in TARGETS])
energies = st.floats(0.5, 60)


def test_constants_are_those_of_codata():
    names = {
        "fine-structure constant": const.alpha_EM,
        "Fermi coupling constant": const.G_F * GeV**2,
        "reduced Planck constant times c in MeV fm": const.hbar_c / (MeV * fm),
        "electron mass energy equivalent in MeV": const.m_e / MeV,
        "muon mass energy equivalent in MeV": const.m_mu / MeV,
        "atomic mass constant energy equivalent in MeV": const.m_u / MeV,
        "Avogadro constant": const.atoms_per_mass * g,
    }
    for name, value in names.items():
        assert value == pytest.approx(scipy.constants.physical_constants[name][0], rel=1e-14, abs=0), name


def test_nucleon_couplings_to_six_digits():
    assert xs.nucleon_couplings() == pytest.approx(
        (0.030588, -0.512107, 0.495326, -0.512293), rel=2e-5, abs=0
    )


def test_couplings_without_radiative_corrections(monkeypatch):
    """Tree level: g_V^p = 1/2 - 2 s², g_V^n = -1/2, g_A^p = -g_A^n = 1/2."""
    for name in ("lambda_uL", "lambda_dL", "lambda_uR", "lambda_dR"):
        monkeypatch.setattr(const, name, 0.0)
    monkeypatch.setattr(const, "rho_nuN", 1.0)
    monkeypatch.setattr(const, "kappa_nuN", 1.0)
    tree = (0.5 - 2 * const.sin2_theta_W, -0.5, 0.5, -0.5)
    assert xs.nucleon_couplings() == pytest.approx(tree, rel=1e-14, abs=0)


def exact_form_factor(Q_fm, A):
    with mpmath.workdps(40):
        x = mpmath.mpf(Q_fm) * (mpmath.mpf("1.23") * mpmath.cbrt(A) - mpmath.mpf("0.60"))
        y = mpmath.pi * mpmath.mpf(Q_fm) * mpmath.mpf("0.52")
        bracket = y * mpmath.sin(x) / mpmath.tanh(y) - x * mpmath.cos(x)
        return float(3 / (x * (x**2 + y**2)) * y / mpmath.sinh(y) * bracket)


@given(st.floats(1e-12, 2.0), st.integers(1, 250))
def test_form_factor_is_equation_23(Q_fm, A):
    got = float(form_factor(Q_fm * const.hbar_c / fm, A))
    assert got == pytest.approx(exact_form_factor(Q_fm, A), rel=1e-12, abs=1e-14)


@given(st.floats(1e-20, 30))
def test_x_j1_does_not_cancel(x):
    with mpmath.workdps(80):
        exact = float(mpmath.sinc(x) - mpmath.cos(x))
    assert float(_x_j1(np.float64(x), np.sin(x) / x)) == pytest.approx(
        exact, rel=2e-15, abs=2e-16 if x > 1 else 0
    )


def test_form_factors_of_several_nuclei_at_once_are_those_of_each():
    Q, A = np.linspace(0, 200, 9) * MeV, [23, 127, 133]
    each = [form_factor(Q, one) for one in A]
    assert form_factor(Q, np.array(A)[:, None]) == pytest.approx(np.array(each), rel=1e-14, abs=0)


@pytest.mark.parametrize("A", [23, 133])
def test_form_factor_is_the_transform_of_the_density(A):
    """Fourier transform of the symmetrised Fermi density, by quadrature."""
    c, a = half_density_radius(A), 0.52 * fm
    rho = lambda r: np.sinh(c / a) / (np.cosh(r / a) + np.cosh(c / a))  # noqa: E731
    top = c + 40 * a
    norm = quad(lambda r: r**2 * rho(r), 0, top, epsabs=0, epsrel=1e-12, limit=200)[0]
    for Q in (0.1, 0.3, 0.6):
        k = Q / fm
        F = quad(lambda r, k=k: r * np.sin(k * r) / k * rho(r), 0, top, epsabs=0, limit=400)[0] / norm
        assert float(form_factor(k * const.hbar_c, A)) == pytest.approx(F, rel=1e-8, abs=1e-10)


def test_form_factor_bounds_and_bad_arguments():
    Q = np.linspace(0, 300, 1001) * MeV
    assert form_factor(0.0, 133) == 1.0
    assert np.all(np.abs(form_factor(Q, 133)) <= 1)
    for bad in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="Q"):
            form_factor(bad, 133)
    with pytest.raises(ValueError, match="A"):
        form_factor(1.0, 0)
    with pytest.raises(ValueError, match="radius_scale"):
        form_factor(1.0, 133, radius_scale=0)


def test_a_scaled_nucleus_is_that_of_scaled_momentum():
    Q = np.linspace(1, 100, 50) * MeV
    both = form_factor(Q, 127, radius_scale=1.1, diffuseness_scale=1.1)
    assert both == pytest.approx(form_factor(1.1 * Q, 127), rel=1e-12, abs=1e-14)


@given(isotopes, energies, st.floats(1e-6, 1))
def test_cross_sections_are_equations_20_and_25(nuclide, E, share):
    E *= MeV
    T = share * float(xs.T_max(E, nuclide.mass))
    m, Z, N = nuclide.mass, nuclide.Z, nuclide.N
    p_V, n_V, p_A, n_A = xs.nucleon_couplings()
    Q_V, Q_A = p_V * Z + n_V * N, p_A * nuclide.delta_Z + n_A * nuclide.delta_N
    F2 = exact_form_factor(math.sqrt(2 * m * T) * fm / const.hbar_c, nuclide.A) ** 2
    x = m * T / (2 * E**2)
    sm = const.G_F**2 * m / math.pi * (Q_V**2 * (1 - x) + Q_A**2 * (1 + x)) * F2 * const.hbar_c**2
    em = math.pi * (const.alpha_EM * Z * const.hbar_c / const.m_e) ** 2 * (1 - T / E) / T * F2
    assert float(xs.dsigma_dT_sm(T, E, nuclide)) == pytest.approx(sm, rel=1e-9, abs=0)
    assert float(xs.dsigma_dT_em(T, E, nuclide)) == pytest.approx(em, rel=1e-9, abs=0)
    assert float(xs.dsigma_dT_em(T, E, nuclide, 2e-10)) == pytest.approx(4e-20 * em, rel=1e-9, abs=0)


@given(isotopes, energies, st.floats(1e-9, 10))
def test_nothing_recoils_beyond_the_end_point(nuclide, E, beyond):
    E *= MeV
    T_end = float(xs.T_max(E, nuclide.mass))
    for sigma in (xs.dsigma_dT_sm, xs.dsigma_dT_em):
        assert float(sigma(T_end * (1 + beyond), E, nuclide)) == 0
        assert float(sigma(T_end * (1 - 1e-12), E, nuclide)) >= 0
    assert float(xs.E_min(T_end, nuclide.mass)) == pytest.approx(E, rel=1e-12, abs=0)


def test_total_cross_section_without_form_factor(monkeypatch):
    """Integral of Eq. (20) over T at F = 1 in closed form."""
    monkeypatch.setattr(xs, "form_factor", lambda Q, A: np.ones(np.shape(Q)))
    nuclide, E = isotope("Cs133"), 30 * MeV
    m, T_end = nuclide.mass, float(xs.T_max(30 * MeV, nuclide.mass))
    Q_V, Q_A = xs.weak_charges(nuclide)
    plus, minus = Q_V**2 + Q_A**2, Q_V**2 - Q_A**2
    closed = const.hbar_c**2 * const.G_F**2 * m / math.pi * (plus * T_end - minus * m * T_end**2 / (4 * E**2))
    got = quad(lambda T: float(xs.dsigma_dT_sm(T, E, nuclide)), 0, T_end, epsabs=0)[0]
    assert got == pytest.approx(closed, rel=1e-9, abs=0)


def test_size_of_the_cross_section():
    """Textbook size: about 0.42e-44 cm² N² (E/MeV)² at low energy, sin² theta_W ~ 1/4."""
    nuclide, E = isotope("Cs133"), 1 * MeV
    T_end = float(xs.T_max(E, nuclide.mass))
    total = quad(lambda T: float(xs.dsigma_dT_sm(T, E, nuclide)), 0, T_end, epsabs=0)[0]
    assert total / cm**2 == pytest.approx(0.42e-44 * nuclide.N**2, rel=0.06, abs=0)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_bad_energies_are_named(bad):
    with pytest.raises(ValueError, match="T"):
        xs.dsigma_dT_sm(bad, 1.0, isotope("Si28"))
    with pytest.raises(ValueError, match="E"):
        xs.dsigma_dT_em(1e-3, bad, isotope("Si28"))


# --- nuclei -------------------------------------------------------------------------------------

SPINS = {  # delta Z, delta N: single unpaired nucleon; J of each nuclide in the comment
    "Cs133": (1, 0),  # 7/2+
    "I127": (1, 0),  # 5/2+
    "Na23": (1, 0),  # 3/2+
    "Ge72": (0, 0),
    "Ge73": (0, 1),  # 9/2+
    "Si29": (0, 1),  # 1/2+
    "Ar40": (0, 0),
    "Xe129": (0, 1),  # 1/2+
    "Xe131": (0, 1),  # 3/2+
    "Xe132": (0, 0),
}


@pytest.mark.parametrize(("name", "spins"), SPINS.items())
def test_unpaired_nucleons(name, spins):
    nuclide = isotope(name)
    assert (nuclide.delta_Z, nuclide.delta_N) == spins


@pytest.mark.parametrize(
    ("name", "mass_MeV"),
    [("Cs133", 123772.540), ("Ge72", 66978.637), ("Ar40", 37215.526), ("Si28", 26053.188)],
)
def test_nuclear_masses(name, mass_MeV):
    """AME2020 atomic masses less the electrons."""
    assert isotope(name).mass / MeV == pytest.approx(mass_MeV, rel=1e-7, abs=0)


def test_natural_abundances_sum_to_one():
    for symbol in ("Na", "Si", "Ar", "Ge", "I", "Xe", "Cs"):
        assert sum(x for _, x in natural_isotopes(symbol)) == pytest.approx(1, rel=1e-14, abs=0)


def test_target_nuclei_by_moles_and_by_mass():
    """Eq. (32): one kilogram of CsI by moles; 2 Ge : 1 Si by mass is two thirds germanium."""
    by_moles = dict(target_nuclei({"Cs": 1, "I": 1}, 1 * kg))
    assert sum(n * i.atomic_mass_u for i, n in by_moles.items()) * const.m_u == pytest.approx(
        kg / g * 6.02214076e23 * const.m_u, rel=1e-9, abs=0
    )
    by_mass = target_nuclei({"Ge": 2, "Si": 1}, 3 * kg, "mass")
    silicon = sum(n for i, n in by_mass if i.symbol == "Si")
    assert silicon == pytest.approx(1000 * 6.02214076e23 / periodictable.Si.mass, rel=1e-5, abs=0)


def test_target_is_linear_in_mass_and_blind_to_the_scale_of_shares():
    one = target_nuclei({"Na": 1, "I": 1}, 1 * kg)
    two = target_nuclei({"Na": 5, "I": 5}, 2 * kg)
    for (_, a), (_, b) in zip(one, two, strict=True):
        assert b == pytest.approx(2 * a, rel=1e-13, abs=0)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (({}, 1.0), "composition"),
        (({"Ge": -1}, 1.0), "composition"),
        (({"Ge": 1}, 0.0), "mass"),
        (({"Ge": 1}, 1.0, "volume"), "fractions"),
        (({"Xx": 1}, 1.0), "symbol"),
        (({"n": 1}, 1.0), "symbol"),
        (({"Tc": 1}, 1.0), "symbol"),
    ],
)
def test_bad_targets_are_named(arguments, name):
    with pytest.raises(ValueError, match=name):
        target_nuclei(*arguments)


@pytest.mark.parametrize("name", ["Ge", "Ge300", "72Ge", "", 72])
def test_unknown_isotopes_are_named(name):
    with pytest.raises(ValueError, match=r"name|symbol"):
        isotope(name)


def test_elements_are_found_by_symbol():
    assert element("Xe").number == 54


# --- quenching and efficiency -------------------------------------------------------------------


@given(st.floats(1e-4, 1e3), st.sampled_from([(14, 28), (32, 72), (54, 132)]))
def test_quenching_is_equation_27(T, nucleus):
    Z, A = (mpmath.mpf(x) for x in nucleus)
    gamma = mpmath.mpf("11.5") * T * Z ** (-mpmath.mpf(7) / 3)
    g = 3 * gamma ** mpmath.mpf("0.15") + mpmath.mpf("0.7") * gamma ** mpmath.mpf("0.6") + gamma
    kappa = mpmath.mpf("0.133") * Z ** (mpmath.mpf(2) / 3) / mpmath.sqrt(A)
    got = float(quenching_factor(T * keV, *nucleus))
    assert got == pytest.approx(float(kappa * g / (1 + kappa * g)), rel=1e-12, abs=0)
    scaled = float(quenching_factor(T * keV, *nucleus, kappa_scale=2))
    assert scaled == pytest.approx(float(2 * kappa * g / (1 + 2 * kappa * g)), rel=1e-12, abs=0)


def test_quenching_rises_below_one():
    T = np.geomspace(1e-6, 1e6, 500) * keV
    Q = quenching_factor(T, 32, 72)
    assert np.all(np.diff(Q) > 0)
    assert quenching_factor(0.0, 32, 72) == 0
    assert np.all(Q < 1)
    with pytest.raises(ValueError, match="T"):
        quenching_factor(-1.0, 32, 72)
    with pytest.raises(ValueError, match="Z"):
        quenching_factor(1.0, 0, 72)
    with pytest.raises(ValueError, match="T"):
        xs.E_min(-1.0, 1.0)


def recoil_threshold(threshold, Z, A, method="solve"):
    return recoil_energy(threshold, lambda T: quenching_factor(T, Z, A), method)


@given(st.floats(1e-3, 100), st.sampled_from([(14, 28), (32, 72), (54, 132)]))
def test_recoil_threshold_solves_equation_27(threshold, nucleus):
    threshold *= keV
    T = recoil_threshold(threshold, *nucleus)
    assert T * float(quenching_factor(T, *nucleus)) == pytest.approx(threshold, rel=1e-14, abs=0)
    at = recoil_threshold(threshold, *nucleus, "evaluate-at-threshold")
    assert at * float(quenching_factor(threshold, *nucleus)) == pytest.approx(threshold, rel=1e-13, abs=0)
    assert at > T


def test_recoil_thresholds_of_the_reactor_detectors():
    assert recoil_threshold(0.1 * keV, 32, 72.6, "evaluate-at-threshold") / keV == pytest.approx(
        0.79, rel=0.01, abs=0
    )
    assert recoil_threshold(0.028 * keV, 14, 28.1, "evaluate-at-threshold") / keV == pytest.approx(
        0.22, rel=0.02, abs=0
    )


@pytest.mark.parametrize(
    ("arguments", "name"), [((0.0, 32, 72), "threshold"), ((1.0, 32, 72, "guess"), "method")]
)
def test_bad_thresholds_are_named(arguments, name):
    with pytest.raises(ValueError, match=name):
        recoil_threshold(*arguments)


CSI = {"k1": 0.6655, "k2": 0.4942, "x0": 10.8507}


def test_photoelectron_efficiency_steps():
    """Eqs. (30) and (31)."""
    logistic = lambda n: 0.6655 / (1 + math.exp(-0.4942 * (n - 10.8507)))  # noqa: E731
    for n, step in ((4.99, 0), (5.0, 0.5), (5.99, 0.5), (6.0, 1), (40.0, 1)):
        assert photoelectron_efficiency(n, **CSI) == pytest.approx(step * logistic(n), rel=1e-14)
    sharp = PhotoelectronEfficiency(**CSI, light_yield_per_keV=1.17)
    assert sharp.breakpoints() / keV == pytest.approx([5 / 1.17, 6 / 1.17], rel=1e-14, abs=0)
    assert sharp(10 * keV) == pytest.approx(logistic(11.7), rel=1e-14, abs=0)


def test_poisson_smearing():
    smeared = PhotoelectronEfficiency(**CSI, light_yield_per_keV=1.17, smearing="poisson", window=(6, 30))
    T = np.array([0.5, 5.0, 10.0, 25.0, 80.0]) * keV
    n = np.arange(6, 31)
    expected = [poisson.pmf(n, 1.17 * t / keV) @ photoelectron_efficiency(n, **CSI) for t in T]
    assert smeared(T) == pytest.approx(expected, rel=1e-11, abs=0)
    assert smeared(np.array([0.0])) == 0
    assert len(smeared.breakpoints()) == 0


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"smearing": "gauss"}, "smearing"),
        ({"smearing": "poisson"}, "window"),
        ({"window": (6, 30)}, "window"),
        ({"smearing": "poisson", "window": (30, 6)}, "window"),
    ],
)
def test_bad_efficiencies_are_named(options, name):
    with pytest.raises(ValueError, match=name):
        PhotoelectronEfficiency(**CSI, light_yield_per_keV=1.17, **options)


def test_flat_efficiency():
    assert FlatEfficiency(0.5)(np.ones(3)) == pytest.approx([0.5] * 3)
    for bad in (0.0, 1.1, -0.5):
        with pytest.raises(ValueError, match="value"):
            FlatEfficiency(bad)
