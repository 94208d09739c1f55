"""Every number that enters a computation, against its source as typed here."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cevns_tmm import Study, constants, reactor_spectra
from cevns_tmm.flux import E_SPLIT, pion_line_energy
from cevns_tmm.limits import Sensitivity
from cevns_tmm.mixing import mixing_matrix
from cevns_tmm.nuclei import isotope, natural_isotopes
from cevns_tmm.statistics import CountingExperiment
from cevns_tmm.storage import read_csv
from cevns_tmm.units import GeV, MeV, cm, fm, g, s, us
from pipeline.published import LATER, table2

STUDY = Study.paper()
CONFIG = STUDY.config

# Constants: CODATA 2022 and the Review of Particle Physics (2022), in the units given.
CONSTANTS = {
    "alpha_EM": (1, 7.2973525643e-3),
    "G_F": (GeV**-2, 1.1663787e-5),
    "hbar_c": (MeV * fm, 197.3269804),
    "m_e": (MeV, 0.51099895069),
    "m_mu": (MeV, 105.6583755),
    "m_pi": (MeV, 139.57039),
    "m_u": (MeV, 931.49410372),
    "atoms_per_mass": (1 / g, 6.02214076e23),
    "tau_mu": (s, 2.1969811e-6),
    "tau_pi": (s, 2.6033e-8),
    # below Eq. (22)
    "sin2_theta_W": (1, 0.23120),
    "rho_nuN": (1, 1.0082),
    "kappa_nuN": (1, 0.9972),
    "lambda_uL": (1, -0.0031),
    "lambda_dL": (1, -0.0025),
    "lambda_dR": (1, 3.7e-5),
    "lambda_uR": (1, 3.7e-5 / 2),
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants(name):
    unit, value = CONSTANTS[name]
    assert getattr(constants, name) / unit == pytest.approx(value, rel=1e-8, abs=0)


def test_every_constant_has_its_source():
    found = {name for name in vars(constants) if not name.startswith("_")}
    assert found - {"GeV", "MeV", "fm", "g", "s"} == set(CONSTANTS)


# Abundances: CIAAW, Pure Appl. Chem. 88 (2016) 293, in per cent; of silicon the middle of each interval. Masses in u:
# AME2020, Chinese Phys. C 45 (2021) 030003. Unpaired proton or neutron: one in a nucleus with spin.
ISOTOPES = """
Na23  100               22.989769282  p 3/2+
Si28  (92.191+92.318)/2 27.976926535
Si29  (4.645+4.699)/2   28.976494665  n 1/2+
Si30  (3.037+3.110)/2   29.973770136
Ar36  0.3336            35.967545105
Ar38  0.0629            37.962732110
Ar40  99.6035           39.962383124
Ge70  20.52             69.924248540
Ge72  27.45             71.922075824
Ge73  7.76              72.923458954  n 9/2+
Ge74  36.52             73.921177760
Ge76  7.75              75.921402725
I127  100              126.904472592  p 5/2+
Xe124 0.095            123.905885174
Xe126 0.089            125.904297422
Xe128 1.910            127.903530753
Xe129 26.401           128.904780861  n 1/2+
Xe130 4.071            129.903509349
Xe131 21.232           130.905084060  n 3/2+
Xe132 26.909           131.904155086
Xe134 10.436           133.905393030
Xe136 8.857            135.907214484
Cs133 100              132.905451961  p 7/2+
"""
ISOTOPES = {words[0]: words[1:] for words in map(str.split, ISOTOPES.strip().splitlines())}
Z = {"Na": 11, "Si": 14, "Ar": 18, "Ge": 32, "I": 53, "Xe": 54, "Cs": 55}


def per_cent(text):
    """An abundance, or the middle of the interval (low+high)/2."""
    low, _, high = text.removesuffix("/2").strip("()").partition("+")
    return (float(low) + float(high or low)) / 2


@pytest.mark.parametrize("symbol", Z)
def test_isotopes(symbol):
    found = {i.name: (i, x) for i, x in natural_isotopes(symbol)}
    assert list(found) == [name for name in ISOTOPES if name.rstrip("0123456789") == symbol]
    for name, (nuclide, share) in found.items():
        abundance, mass, unpaired, *_ = [*ISOTOPES[name], "none"]
        assert share == pytest.approx(per_cent(abundance) / 100, rel=0, abs=2e-7)
        assert nuclide.atomic_mass_u == pytest.approx(float(mass), rel=1e-8, abs=0)
        assert (Z[symbol], int(name[len(symbol) :]) - Z[symbol]) == (nuclide.Z, nuclide.N)
        assert (nuclide.delta_Z, nuclide.delta_N) == (unpaired == "p", unpaired == "n")
        assert nuclide == isotope(name)


def test_every_element_and_nuclide_of_the_configuration_has_its_source():
    assert {symbol for block in CONFIG["experiments"].values() for symbol in block["target"]} == set(Z)
    assert set(CONFIG["quenching"]["nuclides"]) <= set(ISOTOPES)


FISSILE = ("U235", "U238", "Pu239", "Pu241")
PWR = (0.556, 0.071, 0.326, 0.047)
"""Fission fractions of arXiv:1612.09035."""

# Reactor spectra, in the layout of their papers.
BELOW = {
    # V. I. Kopeikin, Phys. At. Nucl. 75 (2012) 143, Table 3: E [MeV] and neutrinos per MeV and fission
    "Kopeikin2012": """all
0.010 0.0774    0.020 0.301     0.035 0.848     0.040 0.354     0.070 0.989     0.100 1.81      0.130 2.74
0.160 3.85      0.165 3.26      0.180 3.74      0.215 4.66      0.230 4.08      0.280 5.03      0.330 5.97
0.335 4.30      0.350 4.08      0.390 4.42      0.400 4.04      0.435 4.39      0.440 2.84      0.500 3.03
0.700 3.14      0.900 3.23      1.000 3.11      1.185 2.80      1.190 2.24      1.250 2.06      1.300 1.77
1.500 1.59      1.700 1.48      1.800 1.42      1.900 1.36      2.000 1.30      2.250 1.08      2.500 0.882
2.750 0.733     3.000 0.611     3.250 0.505     3.500 0.411     4.000 0.261     4.500 0.156     5.000 0.0928
5.500 0.0549    6.000 0.0317    6.500 0.0174    7.000 8.97e-3   7.500 3.66e-3   8.000 1.19e-3   8.500 2.99e-4
9.000 8.31e-5""",
    # P. Vogel and J. Engel, Phys. Rev. D39 (1989) 3378, Table II
    "VogelEngel1989": """U235 Pu239 U238 Pu241
2.0      1.26  1.08  1.50  1.32
1.5      1.69  1.48  1.97  1.75
1.0      2.41  2.32  2.75  2.63
0.75     2.66  2.58  2.96  2.90
0.50     2.66  2.63  2.91  2.82
0.25     2.16  2.08  2.18  2.14
0.125    1.98  1.99  2.02  1.85
6.25e-2  0.61  0.64  0.65  0.59
3.12e-2  0.35  2.13  1.32  3.00
1.563e-2 0.092 0.56  0.35  0.79
7.813e-3 0.024 0.14  0.089 0.20""",
}

ABOVE = {
    # T. A. Mueller et al., Phys. Rev. C83 (2011) 054615, Table VI
    "Mueller2011": """
U235    3.217     -3.111     1.395     -3.690e-1  4.445e-2 -2.053e-3
U238    4.833e-1   1.927e-1 -1.283e-1  -6.762e-3  2.233e-3 -1.536e-4
Pu239   6.413     -7.432     3.535     -8.820e-1  1.025e-1 -4.550e-3
Pu241   3.251     -3.204     1.428     -3.675e-1  4.254e-2 -1.896e-3""",
    # P. Huber, Phys. Rev. C84 (2011) 024617, Table III, which has no U238: that of Mueller et al.
    "Huber2011": """
U235    4.367     -4.577     2.100     -5.294e-1  6.186e-2 -2.777e-3
U238    4.833e-1   1.927e-1 -1.283e-1  -6.762e-3  2.233e-3 -1.536e-4
Pu239   4.757     -5.392     2.563     -6.596e-1  7.820e-2 -3.536e-3
Pu241   2.990     -2.882     1.278     -3.343e-1  3.905e-2 -1.754e-3""",
    # P. Vogel and J. Engel, Table I
    "VogelEngel1989": """
U235    0.870     -0.160    -0.0910  0 0 0
U238    0.976     -0.162    -0.0790  0 0 0
Pu239   0.896     -0.239    -0.0981  0 0 0
Pu241   0.793     -0.080    -0.1085  0 0 0""",
}


def test_spectra_below_2_MeV():
    assert set(reactor_spectra.below()) == set(BELOW)
    for name, text in BELOW.items():
        head, _, body = text.partition("\n")
        isotopes = head.split()
        table = np.array(body.split(), float).reshape(-1, 1 + len(isotopes))
        table = table[np.argsort(table[:, 0])]
        found = reactor_spectra.below()[name]
        assert set(found) == set(isotopes)
        for column, fissile in enumerate(isotopes, 1):
            np.testing.assert_array_equal(found[fissile], table[:, [0, column]].T)


def test_spectra_above_2_MeV():
    assert 2 * MeV == E_SPLIT
    lines = {name: [line.split() for line in text.strip().splitlines()] for name, text in ABOVE.items()}
    assert reactor_spectra.above() == {
        name: {fissile: tuple(map(float, numbers)) for fissile, *numbers in rows}
        for name, rows in lines.items()
    }


def per_fission(fractions):
    """Neutrinos per fission of the paper's spectrum below and above 2 MeV, by the trapezoidal rule."""
    E, rho = np.array(BELOW["Kopeikin2012"].split()[1:], float).reshape(-1, 2).T
    x = np.linspace(2, 10, 100001)
    expansions = np.array([line.split()[1:] for line in ABOVE["Mueller2011"].strip().splitlines()], float)
    high = np.exp(np.polynomial.polynomial.polyval(x, expansions.T))
    return np.trapezoid(rho[E <= 2], E[E <= 2]), np.array(fractions) @ np.trapezoid(high, x)


def test_neutrinos_per_fission():
    """About 6.7 from fission products and neutron capture; the moments are those of the spectrum."""
    below, above = per_fission(PWR)
    assert below + above == pytest.approx(6.7, abs=0.05)
    table = STUDY.source("reactor").flux_tables(400)["nuebar"]
    assert table.moment(0, 2 * MeV) == pytest.approx(above / (below + above), rel=1e-8, abs=0)


# P. F. de Salas et al., Phys. Lett. B782 (2018) 633, Table I, normal and inverted ordering: best fit, +1σ, -1σ.
OSCILLATION = {
    "sin2_theta12": (0.320, 0.020, 0.016),
    "sin2_theta23": (0.547, 0.020, 0.030),
    "sin2_theta13": (0.0216, 0.00083, 0.00069),
}
INVERTED = {"oscillation.sin2_theta23": 0.551, "oscillation.sin2_theta13": 0.0222}


def test_mixing():
    errors = {name: [minus, plus] for name, (_, plus, minus) in OSCILLATION.items()}
    angles = {name: best for name, (best, _, _) in OSCILLATION.items()}
    assert CONFIG["oscillation"] == angles | {"delta_CP_over_pi": 0, "errors": errors}
    for name, (_, plus, minus) in OSCILLATION.items():
        block = CONFIG["audit"]["budget"][name.removeprefix("sin2_")]
        assert block["up"] == {f"oscillation.{name}": {"add": plus}}
        assert block["down"] == {f"oscillation.{name}": {"add": -minus}}
    inputs = CONFIG["audit"]["inputs"]
    assert inputs["inverted-ordering"]["sets"] == INVERTED
    assert inputs["best-fit-delta"]["sets"] == {"oscillation.delta_CP_over_pi": 1.32}


# Table I: mass, threshold, efficiency and exposure, each with that of the future setup in square brackets if it is
# another, and the baseline in m.
TABLE_I = """
CsI    14.57 kg [100 kg]  5 keV [1 keV]    Eq. (30) [100%]  308.1 days [10 yr]  19.3
HPGe   15 kg [100 kg]     5 keV [1 keV]    50% [100%]       308.1 days [10 yr]  22
LAr    1 ton [10 ton]     20 keV [10 keV]  50% [100%]       308.1 days [10 yr]  29
NaI    2 ton [10 ton]     13 keV [5 keV]   50% [100%]       308.1 days [10 yr]  28
CONUS  3.85 kg [100 kg]   100 eV           50% [100%]       1 yr [10 yr]        17
CONNIE 1 kg [100 kg]      28 eV            50% [100%]       1 yr [10 yr]        30
MINER  1 kg [100 kg]      100 eV           50% [100%]       1 yr [10 yr]        2
TEXONO 1 kg [100 kg]      100 eV           50% [100%]       1 yr [10 yr]        28
RED100 100 kg [100 kg]    500 eV           50% [100%]       1 yr [10 yr]        19
"""
TABLE_I = {
    line.split()[0]: re.split(r"  +", line.partition(" ")[2].strip()) for line in TABLE_I.strip().splitlines()
}
UNITS = {"kg": 1, "ton": 1e3, "keV": 1, "eV": 1e-3, "%": 0.01, "days": 1, "yr": 365.25}
TARGETS = {
    "CsI": ({"Cs": 1, "I": 1}, "mole"),
    "LAr": ({"Ar": 1}, "mole"),
    "NaI": ({"Na": 1, "I": 1}, "mole"),
    "CONNIE": ({"Si": 1}, "mole"),
    "MINER": ({"Ge": 2, "Si": 1}, "mass"),  # arXiv:1609.02066
    "RED100": ({"Xe": 1}, "mole"),
}
SNS = ("CsI", "HPGe", "LAr", "NaI")
CSI_EFFICIENCY = {
    "photoelectrons_per_keV": 1.17,
    "k1": 0.6655,
    "k2": 0.4942,
    "x0": 10.8507,
}  # Eqs. (29), (30)


def quantity(cell, setup):
    """A cell of Table I in one setup, in kg, keV, 1 or d."""
    now, _, later = cell.partition(" [")
    text = later.rstrip("]") if later and setup == "future" else now
    if text == "Eq. (30)":
        return CSI_EFFICIENCY | {"smearing": "none"}
    number, unit = re.fullmatch(r"([\d.]+) ?(\D+)", text).groups()
    return pytest.approx(float(number) * UNITS[unit], rel=1e-12, abs=0)


@pytest.mark.parametrize("setup", ["current", "future"])
@pytest.mark.parametrize("name", TABLE_I)
def test_table_1(name, setup):
    """The literal reading has the text and Table I at their word."""
    experiment = STUDY.experiment(name, setup, "literal")
    detector = experiment.detector
    *cells, baseline = TABLE_I[name]
    keys = ("mass_kg", "threshold_keV", "efficiency", "exposure_d")
    assert [getattr(detector, key) for key in keys] == [quantity(cell, setup) for cell in cells]
    assert detector.baseline_m == (float(baseline) if name in SNS else None)  # a reactor's flux is that there
    assert (dict(detector.target), detector.target_shares) == TARGETS.get(name, ({"Ge": 1}, "mole"))
    assert detector.threshold_scale == ("nuclear-recoil" if name in SNS else "electron-equivalent")
    assert experiment.source.kind == ("pion-decay-at-rest" if name in SNS else "reactor")
    assert detector.time_window_us is None
    assert detector.form_factor == {"radius_scale": 1, "diffuseness_scale": 1}
    assert (detector.kappa_scale, detector.threshold_inversion) == (1, "solve")
    analysis = experiment.analysis
    if (name, setup) == ("CsI", "current"):  # below Eq. (34)
        background = {"beam_neutrons": 6, "steady_state": 405, "sigma_background": 0.25}
        assert analysis.data == {"n_measured": 142, "sigma_signal": 0.28} | background
    else:  # below Eq. (35)
        sigma = {"current": 0.2, "future": 0.1}[setup]
        assert analysis.data is None
        assert (analysis.sigma_stat, analysis.sigma_sys, analysis.nuisance_on) == (sigma, sigma, "total")
    assert analysis.confidence_level == 0.9


def test_table_1_is_whole():
    assert list(TABLE_I) == STUDY.experiments
    assert STUDY.solar == ["Borexino"]


def test_sources():
    """Secs. 4.1 and 4.2."""
    sns = STUDY.source("sns")
    assert (sns.neutrinos_per_proton, sns.protons_on_target, sns.protons_exposure_d) == (0.08, 1.76e23, 308.1)
    reactor = STUDY.source("reactor")
    assert reactor.fission_fractions == dict(zip(FISSILE, PWR, strict=True))
    assert (reactor.spectrum_below_2MeV, reactor.spectrum_above_2MeV) == ("Kopeikin2012", "Mueller2011")
    assert reactor.E_max_MeV == 10


def test_borexino():
    """Sec. 6: arXiv:1707.09355, and theta13 of the mixing matrix."""
    borexino = STUDY.experiment("Borexino")
    assert (borexino.mu_nu_muB, borexino.confidence_level) == (2.8e-11, 0.9)
    assert (borexino.P_e1_2nu, borexino.sin2_theta13) == (0.606, 0.0216)
    low, high = (CONFIG["audit"]["inputs"][f"solar-mixing-{way}"]["sets"] for way in ("low", "high"))
    assert (low, high) == ({"solar.Borexino.P_e1_2nu": 0.599}, {"solar.Borexino.P_e1_2nu": 0.614})


# What the published numbers imply (config/readings.yaml): CsI data release, arXiv:1804.09459, and Table II.
INFERRED = {
    ("CsI", "current"): {
        "threshold_keV": 0,
        "efficiency": CSI_EFFICIENCY | {"smearing": "poisson", "window_PE": [6, 30]},
        "time_window_us": 6.0,
    },
    ("RED100", "current"): {"threshold_scale": "nuclear-recoil"},
    ("RED100", "future"): {"threshold_scale": "nuclear-recoil", "threshold_keV": 0.1},
    ("MINER", "current"): {"mass_kg": 30},
}


@pytest.mark.parametrize("setup", ["current", "future"])
@pytest.mark.parametrize("name", TABLE_I)
def test_the_inferred_reading(name, setup):
    literal, inferred = (STUDY.experiment(name, setup, r) for r in ("literal", "inferred"))
    expected = vars(literal.detector) | INFERRED.get((name, setup), {})
    if expected["threshold_scale"] == "electron-equivalent":
        expected["threshold_inversion"] = "evaluate-at-threshold"
    assert vars(inferred.detector) == expected
    assert inferred.analysis.nuisance_on == "excess"
    assert (inferred.source, inferred.analysis.data) == (literal.source, literal.analysis.data)


# Reactor fluxes at the detectors [1/cm²/s]: thermal power [GW], fissions, and the literature.
REACTORS = {
    "CONUS": (3.9, PWR, 2.4e13),  # between Phys. Rev. Lett. 133, 251802 and arXiv:1802.05171
    "CONNIE": (3.8, PWR, 7.8e12),  # arXiv:1604.01343
    "MINER": (0.001, [1, 0, 0, 0], 4.5e11),
    "TEXONO": (
        2.9,
        [0.55, 0.07, 0.32, 0.06],
        1e13,
    ),  # arXiv:2402.06416; Nucl. Phys. A844 (2010) 229, a benchmark
    "RED100": (3.0, PWR, 1.35e13),
}
# Energy per fission [MeV] of U235, U238, Pu239 and Pu241: J. Nucl. Energy 23 (1969) 517, Table A.2; hep-ph/0410100, Table 4;
# Phys. Rev. C88 (2013) 014605, Table IX.
MEV_PER_FISSION = {
    "James1969": [201.7, 205.0, 210.0, 212.4],
    "Kopeikin2004": [201.92, 205.52, 209.99, 213.60],
    "Ma2013": [202.36, 205.99, 211.12, 214.26],
}


def test_energy_per_fission():
    found = reactor_spectra.energy_per_fission()
    assert {
        name: [values[i] for i in reactor_spectra.ISOTOPES] for name, values in found.items()
    } == MEV_PER_FISSION


@pytest.mark.parametrize("name", REACTORS)
def test_reactor_fluxes(name):
    power_GW, fractions, flux = REACTORS[name]
    assert STUDY.experiment(name).detector.flux_per_cm2_s == flux
    joule = np.dot(fractions, MEV_PER_FISSION["Kopeikin2004"]) * 1.602176634e-13
    area = 4 * math.pi * (100 * float(TABLE_I[name][-1])) ** 2
    expected = power_GW * 1e9 / joule * sum(per_fission(fractions)) / area
    sets = CONFIG["audit"]["inputs"]["thermal-power-fluxes"]["sets"]
    assert sets[f"experiments.{name}.flux_per_cm2_s"] == pytest.approx(expected, rel=2e-3, abs=0)
    assert flux == pytest.approx(expected, rel=0.7 if name == "TEXONO" else 0.15, abs=0)


def test_the_other_alternatives():
    inputs = CONFIG["audit"]["inputs"]
    fractions = dict(zip(FISSILE, (0.564, 0.076, 0.304, 0.056), strict=True))  # arXiv:2210.01068
    assert inputs["daya-bay-fissions"]["sets"] == {"sources.reactor.fission_fractions": fractions}
    key, sets = "sources.reactor.spectrum_{}_2MeV", {name: block["sets"] for name, block in inputs.items()}
    assert sets["huber-spectrum"] == {key.format("above"): "Huber2011"}
    assert sets["vogel-engel-above-2MeV"] == {key.format("above"): "VogelEngel1989"}
    assert sets["vogel-engel-below-2MeV"] == {key.format("below"): "VogelEngel1989"}


# Table II and the limits of the full beam in Sec. 5, in 1e-10 mu_B; future setups in square brackets.
TABLE_II = """
prompt
CsI 69.2 [5.0] 70.2 [5.1] 89.6 [6.4]
HPGe 25.9 [5.1] 26.2 [5.2] 33.5 [6.6]
LAr 14.7 [2.9] 14.9 [2.9] 19.1 [3.7]
NaI 16.6 [2.8] 16.8 [2.8] 21.5 [3.6]
delayed
CsI 54.5 [4.2] 48.7 [3.7] 49.8 [3.7]
HPGe 21.3 [4.2] 18.9 [3.8] 19.1 [3.8]
LAr 11.3 [2.3] 10.1 [2.1] 10.4 [2.1]
NaI 10.0 [2.3] 9.1 [2.0] 9.4 [2.0]
reactor
CONUS 1.9 [0.37] 1.3 [0.26] 1.1 [0.22]
CONNIE 0.90 [0.13] 0.63 [0.09] 0.53 [0.08]
MINER 1.7 [0.58] 1.2 [0.41] 1.0 [0.34]
TEXONO 3.2 [0.46] 2.3 [0.32] 1.9 [0.27]
RED100 1.0 [0.14] 0.72 [0.10] 0.61 [0.08]
solar
Borexino 0.44 0.36 0.28
full
CsI 42.8 40.0 43.6
HPGe 16.5 15.3 16.6
LAr 8.9 8.4 9.1
NaI 8.6 8.0 8.6
"""


def printed():
    """Limits as printed, by (experiment, setup, beam, parameter)."""
    found = {}
    for line in TABLE_II.strip().splitlines():
        name, *cells = line.split()
        if not cells:
            beam = name
        for setup in ("current", "future"):
            texts = [cell.strip("[]") for cell in cells if cell.startswith("[") == (setup == "future")]
            for n, text in enumerate(texts, 1):
                found[name, setup, beam, f"Lambda{n}"] = text
    return found


def test_published_limits():
    assert table2() == printed()
    assert len(printed()) == 81 + 12


def test_later_limits():
    """90 % C.L.: arXiv:2207.05036 from LZ, arXiv:2605.22815 of CONUS."""
    assert [(row["label"], row["parameter"], float(row["limit_muB"])) for row in read_csv(LATER)] == [
        ("LZ data", "mu_nu_solar", 1.1e-11),
        ("CONUS 2026", "mu_nu_e", 5.18e-11),
    ]


# Beams and flavours.
LINE, END = 29.9, 52.8  # Eq. (28) and below, as printed [MeV]


def test_stopped_pions():
    """Sec. 4.2: 29.9 MeV within the rounding of the masses, 52.8 MeV, 26 ns and 2.2 microseconds."""
    assert pion_line_energy() / MeV == pytest.approx(LINE, abs=0.15)
    assert STUDY.source("sns").flux_tables(50)["nue"].edges[-1] / MeV == pytest.approx(END, abs=0.05)
    csi = STUDY.experiment("CsI")
    window = 6 * us
    share = {"numu": 26e-9 * s, "nue": 2.2e-6 * s, "numubar": 2.2e-6 * s}
    share = {c: 1 - math.exp(-window / lifetime) for c, lifetime in share.items()}
    full = 0.08 * 1.76e23 / (4 * math.pi * (19.3e2 * cm) ** 2)
    expected = {c: pytest.approx(full * x, rel=1e-3, abs=0) for c, x in share.items()}
    assert csi.detector.fluence(csi.source) == expected


BEAMS = {
    "prompt": {"numu": (1, "-")},
    "delayed": {"nue": (0, "-"), "numubar": (1, "+")},
    "full": {"numu": (1, "-"), "nue": (0, "-"), "numubar": (1, "+")},
    "reactor": {"nuebar": (0, "+")},
}
"""Non-zero amplitudes of Secs. 2.1 and 2.2, [flavour, helicity]: neutrinos are a-, antineutrinos a+."""

angle = st.floats(0.05, 1.5)
phase = st.floats(-3, 3)


def mixing(theta12, theta23, theta13, delta):
    """The standard parametrisation, entry by entry (PDG, Eq. 14.33)."""
    (s12, s23, s13), (c12, c23, c13) = (
        [f(a) for a in (theta12, theta23, theta13)] for f in (math.sin, math.cos)
    )
    e = np.exp(1j * delta)
    return np.array(
        [
            [c12 * c13, s12 * c13, s13 / e],
            [-s12 * c23 - c12 * s23 * s13 * e, c12 * c23 - s12 * s23 * s13 * e, s23 * c13],
            [s12 * s23 - c12 * c23 * s13 * e, -c12 * s23 - s12 * c23 * s13 * e, c23 * c13],
        ]
    )


@given(angle, angle, angle, phase, phase, phase)
def test_each_component_has_its_row_of_the_mixing_matrix(theta12, theta23, theta13, delta, xi_1, xi_2):
    """Eqs. (5)-(9): amplitudes and moments in the mass basis; numubar has the row of mu, as numu has."""
    U = mixing(theta12, theta23, theta13, delta)
    sin2 = [math.sin(a) ** 2 for a in (theta12, theta23, theta13)]
    np.testing.assert_allclose(mixing_matrix(*sin2, delta), U, rtol=0, atol=1e-14)
    Lambda = np.array([0.7 * np.exp(1j * xi_1), 1.3 * np.exp(1j * xi_2), 0.4])
    levi_civita = np.zeros((3, 3, 3))
    levi_civita[(0, 1, 2), (1, 2, 0), (2, 0, 1)], levi_civita[(0, 2, 1), (2, 1, 0), (1, 0, 2)] = 1, -1
    lam = levi_civita @ Lambda  # Eq. (6)
    for beam, components in BEAMS.items():
        for component, (flavour, helicity) in components.items():
            a = np.eye(3)[flavour]
            amplitude = lam @ U.conj().T @ a if helicity == "-" else lam.conj().T @ U.T @ a  # Eqs. (8), (9)
            expected = np.vdot(amplitude, amplitude).real
            one = Sensitivity(CountingExperiment(0.0, 1.0, 0.0, 0.0), {component: 5.0}, U)
            assert one.excess(Lambda) == pytest.approx(5 * expected, rel=1e-9, abs=1e-12), (beam, component)


@pytest.mark.parametrize("name", ["LAr", "CONUS"])
def test_beams(name):
    """Signal of a beam is that of its components, while all of the beam is measured (Sec. 2.2)."""
    experiment = STUDY.experiment(name)
    counts = experiment.counts()
    beams = {"LAr": ["prompt", "delayed", "full"], "CONUS": ["reactor"]}[name]
    assert list(experiment.beams) == beams
    assert set(counts) == set().union(*(BEAMS[beam] for beam in beams))
    for beam in beams:
        sensitivity = experiment.sensitivity(beam)
        assert sensitivity.n_em == {c: counts[c][1] for c in BEAMS[beam]}
        variance = 1.2 * sum(n_sm for n_sm, _ in counts.values())  # Eq. (35)
        assert sensitivity.chi2.variance == pytest.approx(variance, rel=1e-12, abs=0)
