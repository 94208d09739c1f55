"""Flux moments and counts against closed forms and independent double integrals."""

import dataclasses
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from cevns_tmm import constants as const
from cevns_tmm import cross_section as xs
from cevns_tmm import flux
from cevns_tmm.efficiency import FlatEfficiency, PhotoelectronEfficiency
from cevns_tmm.nuclei import isotope, target_nuclei
from cevns_tmm.rates import differential_rates, quadrature
from cevns_tmm.units import MeV, cm, keV, kg, us

ROOT = Path(__file__).parents[1]

LOW = (np.array([0.1, 0.4, 0.45, 1.2, 2.0]) * MeV, np.array([1.0, 4.0, 3.0, 2.5, 1.3]))
FRACTIONS = {"U235": 0.6, "Pu239": 0.4}
COEFFICIENTS = {
    "U235": [3.217, -3.111, 1.395, -0.369, 0.04445, -0.002053],
    "Pu239": [6.413, -7.432, 3.535, -0.882, 0.1025, -0.00455],
}


def reactor(cells=4000):
    return flux.reactor(LOW, FRACTIONS, COEFFICIENTS, 2 * MeV, 10 * MeV, cells)


def spectrum(E):
    """The reactor spectrum above, written again, per MeV."""
    if E < 0.1 or E > 10:
        return 0.0
    if E < 2:
        return float(np.interp(E, LOW[0] / MeV, LOW[1]))
    return sum(FRACTIONS[i] * np.exp(sum(a * E**p for p, a in enumerate(COEFFICIENTS[i]))) for i in FRACTIONS)


def panels(f, a, b):
    """Integral of f from a to b (MeV), split where the spectrum has kinks."""
    cuts = [a, *[c for c in (0.1, 0.4, 0.45, 1.2, 2.0, 4.0, 7.0, 10.0) if a < c < b], b]
    return sum(quad(f, lo, hi, epsabs=0, epsrel=1e-13, limit=200)[0] for lo, hi in itertools.pairwise(cuts))


@given(st.floats(0, 1), st.sampled_from([0, 1, 2]))
def test_michel_moments_in_closed_form(share, k):
    """Moments of Eq. (28) are polynomials of E_min."""
    end = const.m_mu / 2
    E = share * end
    shapes = {"numubar": (48, -64), "nue": (96, -192)}
    for component, (c2, c3) in shapes.items():
        closed = sum(
            c / const.m_mu ** (p + 1) * (end ** (p + 1 - k) - E ** (p + 1 - k)) / (p + 1 - k)
            for p, c in ((2, c2), (3, c3))
        )
        table = flux.pion_decay_at_rest(component)
        tolerance = {"rel": 1e-9, "abs": 1e-13 * float(table.moment(k, 0.0))}
        assert float(table.moment(k, E)) == pytest.approx(closed, **tolerance)


def test_michel_spectra_are_not_swapped():
    """Mean energies 3/10 m_mu (nue) and 7/20 m_mu (numubar)."""
    for component, mean in (("nue", 0.3), ("numubar", 0.35)):
        table = flux.pion_decay_at_rest(component)
        E = np.linspace(0, const.m_mu / 2, 4001)
        M_0 = table.moment(0, E)
        assert np.trapezoid(M_0, E) == pytest.approx(mean * const.m_mu, rel=1e-6, abs=0)


def test_prompt_line_is_a_step():
    table = flux.pion_decay_at_rest("numu")
    E = flux.pion_line_energy()
    assert E / MeV == pytest.approx(29.79, abs=0.005)
    for k in (0, 1, 2):
        assert table.moment(k, np.array([0, E / 2, E])) == pytest.approx([E**-k] * 3, rel=1e-14)
        assert float(table.moment(k, E * (1 + 1e-12))) == 0


@pytest.mark.parametrize("k", [0, 1, 2])
@pytest.mark.parametrize("E_min", [0.0, 0.05, 0.1, 0.3, 0.42, 1.0, 1.9999, 2.0, 3.7, 8.0, 9.99])
def test_reactor_moments_by_quadrature(k, E_min):
    norm = panels(spectrum, 0.1, 10)
    expected = panels(lambda E: spectrum(E) * E**-k, max(E_min, 0.1), 10) / norm
    got = float(reactor().moment(k, E_min * MeV)) * MeV**k
    assert got == pytest.approx(expected, rel=1e-8, abs=0)


def test_spectra_are_normalised_and_end():
    for table in (reactor(), *(flux.pion_decay_at_rest(c) for c in ("numu", "nue", "numubar"))):
        assert float(table.moment(0, 0.0)) == pytest.approx(1, rel=1e-13, abs=0)
        assert float(table.moment(2, 60 * MeV)) == 0


@given(st.floats(0.01, 10), st.floats(0.01, 10), st.sampled_from([0, 1, 2]))
def test_moments_fall_with_energy(a, b, k):
    low, high = sorted((a, b))
    table = reactor()
    assert float(table.moment(k, low * MeV)) >= float(table.moment(k, high * MeV))


@pytest.mark.parametrize("k", [0, 1, 2])
def test_flux_tables_converge(k):
    """Twice the cells: moments move by less than 1e-8."""
    E = np.geomspace(0.11, 9, 300) * MeV
    fine, standard = reactor(8000).moment(k, E), reactor(4000).moment(k, E)
    assert standard == pytest.approx(fine, rel=1e-8, abs=0)


def test_table_may_join_line_and_continuum():
    box = (np.array([1.0, 2.0]), lambda E, k: np.ones_like(E) / E**k)
    table = flux.tabulate([box], [(3.0, 1.0)], cells=50)
    assert float(table.moment(0, 2.5)) == pytest.approx(0.5)
    assert float(table.moment(1, 0.0)) == pytest.approx((np.log(2) + 1 / 3) / 2, rel=1e-9)


def ones(E, k):
    return np.ones_like(E)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({}, "pieces"),
        ({"pieces": [([1.0], ones)]}, "pieces"),
        ({"pieces": [([2.0, 1.0], ones)]}, "pieces"),
        ({"pieces": [([1.0, 2.0], ones), ([3.0, 4.0], ones)]}, "pieces"),
        ({"pieces": [([1.0, 2.0], lambda E, k: -ones(E, k))]}, "pieces"),
        ({"pieces": [([1.0, 2.0], lambda E, k: np.nan * E)]}, "pieces"),
        ({"lines": [(1.0, 0.0)]}, "lines"),
        ({"lines": [(1.0, 1.0)], "cells": 0}, "cells"),
    ],
)
def test_bad_spectra_are_named(arguments, name):
    with pytest.raises(ValueError, match=name):
        flux.tabulate(**arguments)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"low": ([1.0, 1.0, 2.0], [1, 1, 1])}, "low"),
        ({"low": ([0.5, 2.0], [1, -1])}, "low"),
        ({"low": ([0.5, 1.0], [1, 1])}, "E_split"),
        ({"E_max": 1 * MeV}, "E_max"),
        ({"fission_fractions": {"U235": 0.5}}, "fission_fractions"),
        ({"fission_fractions": {"U235": 1.5, "Pu239": -0.5}}, "fission_fractions"),
        ({"fission_fractions": {"U238": 1.0}}, "coefficients"),
    ],
)
def test_bad_reactor_spectra_are_named(change, name):
    arguments = {
        "low": LOW,
        "fission_fractions": FRACTIONS,
        "coefficients": COEFFICIENTS,
        "E_split": 2 * MeV,
        "E_max": 10 * MeV,
    }
    with pytest.raises(ValueError, match=name):
        flux.reactor(**arguments | change)


def test_bad_tables_are_named():
    table = reactor()
    with pytest.raises(ValueError, match="k"):
        table.moment(3, 1.0)
    with pytest.raises(ValueError, match="component"):
        flux.pion_decay_at_rest("nutau")
    fields = {name: getattr(table, name) for name in table.__dataclass_fields__}
    for name, value in (
        ("edges", table.edges[::-1]),
        ("moments", table.moments[:2]),
        ("line_weight", np.ones(2)),
    ):
        with pytest.raises(ValueError, match=name):
            flux.FluxTable(**fields | {name: value})


# --- rates --------------------------------------------------------------------------------------


def michel(component, E):
    x = E / const.m_mu
    c2, c3 = {"numubar": (48, -64), "nue": (96, -192)}[component]
    return (c2 * x**2 + c3 * x**3) / const.m_mu


def by_double_integral(sigma, nuclide, density, E_end, T_low, efficiency, cuts=()):
    """Events per nucleus and unit fluence: Eq. (33) as printed, integrating E inside T."""
    T_high = float(xs.T_max(E_end, nuclide.mass))

    def rate(T):
        low = float(xs.E_min(T, nuclide.mass))
        points = [low, *[c for c in cuts if low < c < E_end], E_end]
        inner = sum(
            quad(lambda E: density(E) * float(sigma(T, E, nuclide)), a, b, epsabs=0, epsrel=1e-11)[0]
            for a, b in itertools.pairwise(points)
        )
        return inner * float(efficiency(np.array(T)))

    marks = {float(xs.T_max(c, nuclide.mass)) for c in cuts} | set(efficiency.breakpoints())
    points = [T_low, *sorted(t for t in marks if T_low < t < T_high), T_high]
    fine = np.concatenate([np.geomspace(a, b, 5)[:-1] for a, b in itertools.pairwise(points)] + [[T_high]])
    return sum(quad(rate, a, b, epsabs=0, epsrel=1e-10)[0] for a, b in itertools.pairwise(fine))


@pytest.mark.parametrize("component", ["nue", "numubar"])
def test_stopped_pion_counts_by_double_integral(component):
    nuclide, threshold = isotope("I127"), 5 * keV
    efficiency = PhotoelectronEfficiency(0.6655, 0.4942, 10.8507, 1.17)
    table = flux.pion_decay_at_rest(component)
    rates = differential_rates(
        [(nuclide, 1e24)], [threshold], efficiency, {component: 1e10 / cm**2}, {component: table}
    )
    for got, sigma in zip(rates.counts(), (xs.dsigma_dT_sm, xs.dsigma_dT_em), strict=True):
        expected = by_double_integral(
            sigma,
            nuclide,
            lambda E: michel(component, E),
            const.m_mu / 2,
            # 4.27 keV is 5 photoelectrons, below the recoil threshold
            threshold,
            efficiency,
        )
        assert got[0] == pytest.approx(1e34 / cm**2 * expected, rel=1e-8, abs=0)


def test_reactor_counts_by_double_integral():
    nuclide, threshold = isotope("Si29"), 0.15 * keV
    norm = panels(spectrum, 0.1, 10) * MeV
    rates = differential_rates(
        [(nuclide, 1e24)],
        [threshold],
        FlatEfficiency(0.5),
        {"nuebar": 1e20 / cm**2},
        {"nuebar": reactor()},
    )
    for got, sigma in zip(rates.counts(), (xs.dsigma_dT_sm, xs.dsigma_dT_em), strict=True):
        expected = by_double_integral(
            sigma,
            nuclide,
            lambda E: spectrum(E / MeV) / norm,
            10 * MeV,
            threshold,
            FlatEfficiency(0.5),
            cuts=np.array([1.2, 2.0, 4.0, 7.0]) * MeV,
        )
        assert got[0] == pytest.approx(1e44 / cm**2 * expected, rel=1e-8, abs=0)


def test_prompt_counts_in_one_integral():
    nuclide = isotope("Ar40")
    E = flux.pion_line_energy()
    rates = differential_rates(
        [(nuclide, 2.0)],
        [20 * keV],
        FlatEfficiency(1.0),
        {"numu": 3.0},
        {"numu": flux.pion_decay_at_rest("numu")},
    )
    end = float(xs.T_max(E, nuclide.mass))
    for got, sigma in zip(rates.counts(), (xs.dsigma_dT_sm, xs.dsigma_dT_em), strict=True):
        expected = quad(lambda T: float(sigma(T, E, nuclide)), 20 * keV, end, epsabs=0)[0]  # noqa: B023
        assert got[0] == pytest.approx(6 * expected, rel=1e-10, abs=0)


def rates_of(thresholds=(1 * keV, 1 * keV), nodes=16, cells=4000, shares=None, **fluence):
    nuclei = target_nuclei(shares or {"Na": 1, "I": 1}, 10 * kg)
    fluxes = {c: flux.pion_decay_at_rest(c, cells) for c in ("numu", "nue", "numubar")}
    fluence = fluence or {"numu": 1e15, "nue": 1e15, "numubar": 1e15}
    efficiency = PhotoelectronEfficiency(0.67, 0.49, 10.9, 1.17, "poisson", (6, 30))
    return differential_rates(nuclei, list(thresholds), efficiency, fluence, fluxes, nodes)


def test_counts_converge_when_every_grid_is_doubled():
    for thresholds in ((1 * keV, 1 * keV), (0.0, 0.0)):
        standard = rates_of(thresholds).counts()
        fine = rates_of(thresholds, nodes=32, cells=8000).counts()
        for a, b in zip(standard, fine, strict=True):
            assert a == pytest.approx(b, rel=1e-8, abs=0)


def test_counts_are_linear_in_the_fluence():
    one, three = rates_of(numu=1.0, nue=1.0).counts(), rates_of(numu=3.0, nue=1.0).counts()
    for a, b in zip(one, three, strict=True):
        assert b == pytest.approx([3 * a[0], a[1]], rel=1e-13, abs=0)


def test_the_nuclear_shape_matters_and_one_is_the_default():
    def counts(**shape):
        nuclei = target_nuclei({"I": 1}, 1 * kg)
        table = {"nue": flux.pion_decay_at_rest("nue")}
        arguments = [nuclei, [5 * keV], FlatEfficiency(1.0), {"nue": 1e15}, table]
        return np.concatenate(differential_rates(*arguments, shape=shape).counts())

    assert np.all(counts(radius_scale=1.0, diffuseness_scale=1.0) == counts())
    assert np.all(counts(radius_scale=1.03) < 0.99 * counts())
    assert np.all(counts(diffuseness_scale=1.03) < counts())


def test_each_isotope_has_its_own_threshold():
    rates = rates_of((5 * keV, 20 * keV))
    assert np.all(rates.acceptance[0][5 * keV > rates.T] == 0)
    assert np.all(rates.acceptance[1][20 * keV > rates.T] == 0)
    assert np.any(rates.acceptance[0][20 * keV > rates.T] > 0)


def test_no_recoils_above_threshold_is_no_counts():
    rates = rates_of((1 * MeV, 1 * MeV))
    assert len(rates.T) == 0
    assert [list(n) for n in rates.counts()] == [[0, 0, 0], [0, 0, 0]]


def test_bad_rates_are_named():
    with pytest.raises(ValueError, match="thresholds"):
        rates_of((1 * keV,))
    with pytest.raises(ValueError, match="thresholds"):
        rates_of((1 * keV, -1 * keV))
    with pytest.raises(ValueError, match="fluence"):
        rates_of(numu=-1.0)
    with pytest.raises(ValueError, match="fluxes"):
        rates_of(nutau=1.0)


def test_smeared_counts_without_threshold_by_quadrature():
    """From T = 0: the first panel of the quadrature too."""
    nuclide = isotope("Cs133")
    efficiency = PhotoelectronEfficiency(0.67, 0.49, 10.9, 1.17, "poisson", (1, 30))
    E = flux.pion_line_energy()
    rates = differential_rates(
        [(nuclide, 1.0)],
        [0.0],
        efficiency,
        {"numu": 1.0},
        {"numu": flux.pion_decay_at_rest("numu")},
    )
    end = float(xs.T_max(E, nuclide.mass))
    cuts = np.array([0, 1e-6, 1e-4, 1e-2, 0.1, 0.3, 0.6, 1.0]) * end
    for got, sigma in zip(rates.counts(), (xs.dsigma_dT_sm, xs.dsigma_dT_em), strict=True):
        f = lambda T, s=sigma: float(s(T, E, nuclide)) * float(efficiency(np.array([T]))[0])  # noqa: E731
        expected = sum(quad(f, a, b, epsabs=0, epsrel=1e-11)[0] for a, b in itertools.pairwise(cuts))
        assert got[0] == pytest.approx(expected, rel=1e-9, abs=0)


def test_negative_rates_are_refused():
    table = flux.pion_decay_at_rest("nue")
    upside_down = dataclasses.replace(table, moments=-table.moments, lower=-table.lower)
    with pytest.raises(ValueError, match="rate is negative"):
        differential_rates(
            [(isotope("I127"), 1.0)], [keV], FlatEfficiency(1.0), {"nue": 1.0}, {"nue": upside_down}
        )


@given(st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=5, unique=True), st.integers(0, 9))
def test_quadrature_is_exact_for_polynomials(breaks, power):
    x, w = quadrature(breaks, 8)
    a, b = min(breaks), max(breaks)
    exact = (b ** (power + 1) - a ** (power + 1)) / (power + 1)
    rounding = 1e-15 * max(breaks) ** (power + 1)
    assert w @ x**power == pytest.approx(exact, rel=1e-9, abs=rounding)
    assert len(quadrature([1.0], 8)[0]) == 0


UNITS_SCRIPT = """
import dataclasses, sys, types, json
from pathlib import Path
source = Path("cevns_tmm/units.py").read_text()
for line, value in zip(("MeV = 1.0", "cm = 1.0", "s = 1.0", "kg = 1.0"), sys.argv[1:]):
    assert line in source
    source = source.replace(line, line.split("=")[0] + "= " + value)
units = types.ModuleType("cevns_tmm.units")
exec(source, units.__dict__)
import cevns_tmm
sys.modules["cevns_tmm.units"] = cevns_tmm.units = units
from cevns_tmm import Study, magnetic_moment, mixing
import numpy as np
study = Study.paper()
out = []
for name in ("CsI", "CONUS", "RED100"):
    for counts in study.experiment(name).counts().values():
        out += counts
for folder, name in (("sns-argon", "Argon"), ("conus-plus", "CONUSplus-C3"), ("cawo4", "CaWO4")):
    for counts in Study.read(f"examples/{folder}/config").experiment(name).counts().values():
        out += counts
reactor = dataclasses.replace(study.source("reactor"), thermal_power_MW=3900)
out.append(reactor.reactor_flux(17) * units.cm**2 * units.s)
masses = np.array([0.0, 7.55e-5, 2.5e-3]) * units.eV**2
U = mixing.mixing_matrix(0.3, 0.5, 0.02)
out.append(float(magnetic_moment.mu_nu_sq_baseline("e", np.ones(3), U, masses, 5e4 * units.m, 3 * units.MeV)))
print(json.dumps(out))
"""


def test_no_result_depends_on_the_base_units():
    def run(*values):
        command = [sys.executable, "-c", UNITS_SCRIPT, *values]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return np.array(eval(done.stdout, {"__builtins__": {}}))  # a list of numbers

    one, other = run("1.0", "1.0", "1.0", "1.0"), run("0.37", "12.3", "0.02", "51.0")
    assert np.all(one > 0)
    np.testing.assert_allclose(other, one, rtol=1e-9, atol=0)


def test_window_constants():
    assert const.tau_mu / us == pytest.approx(2.197, abs=1e-3)
