"""Scattering on electrons against closed forms, independent quadrature and X-ray lines."""

import dataclasses
import itertools
import json
import warnings

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from cevns_tmm import ConfigError, Study, electrons, flux, tables
from cevns_tmm.config import PAPER
from cevns_tmm.constants import G_F, alpha_EM, hbar_c, m_e, m_mu, sin2_theta_W
from cevns_tmm.cross_section import T_max
from cevns_tmm.efficiency import FlatEfficiency
from cevns_tmm.electrons import electron_rates, target_atoms
from cevns_tmm.nuclei import element
from cevns_tmm.units import MeV, cm, eV, keV

LINE = {c: flux.tabulate(lines=[(3 * MeV, 1.0)]) for c in ("nue", "nuebar", "numu", "numubar")}
ONE = dict.fromkeys(LINE, 1.0)
BARE = {"H": 1.0}


def line_counts(low, high, atoms=BARE):
    """Events of 3 MeV neutrinos, one per area, on the atoms: {component: (sm, em)}."""
    rates = electron_rates(atoms, (low, high), FlatEfficiency(1.0), ONE, LINE)
    return dict(zip(rates.components, zip(*rates.counts(), strict=True), strict=True))


def test_magnetic_moment_events_in_closed_form():
    """pi alpha²/m_e² [ln(T_2/T_1) - (T_2 - T_1)/E], electrons times the area of one."""
    low, high = 1 * keV, 500 * keV
    scale = np.pi * (hbar_c * alpha_EM / m_e) ** 2
    closed = scale * (np.log(high / low) - (high - low) / (3 * MeV))
    for _, em in line_counts(low, high).values():
        assert em == pytest.approx(closed, rel=1e-12, abs=0)


def test_standard_model_events_in_closed_form():
    """2 G_F² m_e/pi Integral of g_L² + g_R² (1 - T/E)² - g_L g_R m_e T/E², g_R = sin² theta_W."""
    E, low = 3 * MeV, 1 * keV
    end = float(T_max(E, m_e))
    scale = 2 * hbar_c**2 * G_F**2 * m_e / np.pi

    def total(g_L, g_R):
        cube = E / 3 * ((1 - low / E) ** 3 - (1 - end / E) ** 3)
        return scale * (
            g_L**2 * (end - low) + g_R**2 * cube - g_L * g_R * m_e * (end**2 - low**2) / (2 * E**2)
        )

    found = line_counts(low, np.inf)
    s2 = sin2_theta_W
    for component, g_L, g_R in (
        ("nue", s2 + 1 / 2, s2),
        ("nuebar", s2, s2 + 1 / 2),
        ("numu", s2 - 1 / 2, s2),
        ("numubar", s2, s2 - 1 / 2),
    ):
        assert found[component][0] == pytest.approx(total(g_L, g_R), rel=1e-12, abs=0)


def test_size_of_the_cross_sections():
    """At E >> m_e the cross sections are 9.5, 4.0, 1.55, 1.34 e-45 cm² E/MeV (textbooks)."""
    E = 1e4 * MeV
    line = dict.fromkeys(LINE, flux.tabulate(lines=[(E, 1.0)]))
    rates = electron_rates(BARE, (1 * keV, np.inf), FlatEfficiency(1.0), ONE, line)
    found = dict(zip(rates.components, rates.counts()[0] / cm**2 / 1e4, strict=True))
    textbook = {"nue": 9.5e-45, "nuebar": 4.0e-45, "numu": 1.55e-45, "numubar": 1.34e-45}
    assert found == pytest.approx(textbook, rel=0.03, abs=0)


def test_reactor_rate_agrees_with_a_double_integral():
    study = Study.paper()
    table = study.source("reactor").flux_tables()["nuebar"]
    rates = electron_rates(
        {"Ge": 1.0}, (2 * keV, 9 * keV), FlatEfficiency(0.5), {"nuebar": 1.0}, {"nuebar": table}
    )
    g_V, g_A = 2 * sin2_theta_W + 0.5, -0.5
    edges = np.array([9e-3, 0.05, 0.1, *np.arange(0.2, 2.01, 0.1), 4, 6, 8, 10]) * MeV

    def spectrum(E):  # -dM_0/dE
        h = 1e-4 * E
        return float(table.moment(0, E - h) - table.moment(0, E + h)) / (2 * h)

    def over_T(E):
        end = min(9 * keV, float(T_max(E, m_e)))
        if end < 2 * keV:
            return 0.0, 0.0

        def sm(T):
            return (g_V + g_A) ** 2 + (g_V - g_A) ** 2 * (1 - T / E) ** 2 - (g_V**2 - g_A**2) * m_e * T / E**2

        weak = hbar_c**2 * G_F**2 * m_e / (2 * np.pi) * quad(sm, 2 * keV, end)[0]
        return weak, np.pi * (hbar_c * alpha_EM / m_e) ** 2 * (np.log(end / (2 * keV)) - (end - 2 * keV) / E)

    for i, counted in enumerate(rates.counts()):
        pairs = itertools.pairwise(edges)
        expected = sum(
            quad(lambda E, i=i: spectrum(E) * over_T(E)[i], a, b, epsrel=1e-6)[0] for a, b in pairs
        )
        # 30 of 32 electrons of germanium: 1s is bound by 11.1 keV, 2s and 2p by less than 2 keV
        assert counted[0] == pytest.approx(0.5 * 30 * expected, rel=2e-4, abs=0)


@given(st.floats(1, 1e5), st.sampled_from(["Si", "Ge", "Xe", "Cs", "W"]))
def test_effective_charge_counts_electrons(T, symbol):
    found = electrons.effective_charge(T * eV, symbol)
    shells, energies = electrons.binding_energies(symbol)
    assert 0 <= found <= element(symbol).number
    assert found == element(symbol).number - sum(
        n for n, b in zip(shells, energies, strict=True) if b > T * eV
    )
    assert electrons.effective_charge(1e6 * eV, symbol) == element(symbol).number


def test_germanium_steps():
    T = np.array([0.02, 0.1, 0.15, 1.0, 1.23, 1.3, 2.0, 11.0, 11.2]) * keV
    assert electrons.effective_charge(T, "Ge").tolist() == [4, 14, 20, 22, 26, 28, 30, 30, 32]


def test_more_electrons_see_more():
    """A target of several elements is the sum of its parts."""
    window = 0.1 * keV, 20 * keV
    both = line_counts(*window, {"Cs": 2.0, "I": 3.0})
    cs, i = (line_counts(*window, {symbol: n}) for symbol, n in (("Cs", 2.0), ("I", 3.0)))
    for c, counts in both.items():
        assert counts == pytest.approx(np.add(cs[c], i[c]), rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("name", "window", "expected"),
    [
        ("CONUS", (0.1, 1), 18.57),
        ("CONUS", (0.1, 10), 44.2),
        ("TEXONO", (0.1, 1), 18.57),
        ("CONNIE", (0.028, 1), 0.583),
    ],
)
def test_events_at_reactors_over_those_of_the_nucleus(name, window, expected, tmp_path):
    """As a study has them: the same experiment above its threshold, and both channels in a window."""
    text = (PAPER / "experiments.yaml").read_text(encoding="utf-8")
    block = yaml.safe_load(text)["experiments"][name]
    setup = {key: value for key, value in block["current"].items() if key != "threshold_keV"}
    both = {"channels": ["nucleus", "electron"], "current": setup | {"bins_keV": list(window)}}
    study = one_study(tmp_path, {"Nucleus": block, "Both": block | both})
    nucleus, both = (study.experiment(name, reading="inferred") for name in ("Nucleus", "Both"))
    inside = dataclasses.replace(both.detector, channels=["nucleus"])
    n_em = dataclasses.replace(both, detector=inside).counts()["nuebar"][1]
    ratio = (both.counts()["nuebar"][1] - n_em) / nucleus.counts()["nuebar"][1]
    assert ratio == pytest.approx(expected, rel=5e-3)
    assert both.limits()["Lambda1"] < nucleus.limits()["Lambda1"]


def one_study(folder, experiments):
    plain = json.loads(json.dumps({"experiments": experiments}))  # without aliases
    (folder / "experiments.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
    with warnings.catch_warnings(action="ignore"):
        return Study.read(folder)


GERMANIUM = {
    "source": "reactor",
    "flux_per_cm2_s": 1.0e13,
    "target": {"Ge": 1},
    "threshold_scale": "electron-equivalent",
    "channels": ["electron"],
    "current": {"mass_kg": 1.0, "threshold_keV": 0.2, "exposure_d": 365.25, "efficiency": 0.8},
}


@pytest.mark.parametrize("binned", [False, True])
def test_channels_add_up(binned, tmp_path):
    """In every bin, with a resolution or without; above a threshold with Eq. (35) too."""
    bins = {"bins_keV": [0.2, 0.5, 2.0, 12.0], "resolution": {"noise_keV": 0.01, "proportional": 0.02}}
    setup = dict(GERMANIUM["current"])
    if binned:
        setup = {key: value for key, value in setup.items() if key != "threshold_keV"} | bins
    channels = {"N": ["nucleus"], "E": ["electron"], "Both": ["nucleus", "electron"]}
    blocks = {name: GERMANIUM | {"channels": some, "current": setup} for name, some in channels.items()}
    study = one_study(tmp_path, blocks)
    nucleus, electron, both = (np.array(study.experiment(name).binned()["nuebar"]) for name in blocks)
    assert np.all(electron > 0)
    assert both == pytest.approx(nucleus + electron, rel=1e-12, abs=0)
    assert (study.experiment("E").analysis.binned is None) != binned


def test_a_window_of_electrons_is_an_integral(tmp_path):
    """Sharp edges are those of electron_rates with a window; a resolution of a thousandth changes little."""
    setup = GERMANIUM["current"] | {"bins_keV": [0.2, 2.0]}
    del setup["threshold_keV"]
    sharp, smeared = {"current": setup}, {"current": setup | {"resolution": {"noise_keV": 2e-4}}}
    study = one_study(tmp_path, {"Sharp": GERMANIUM | sharp, "Smeared": GERMANIUM | smeared})
    experiment = study.experiment("Sharp")
    rates = electron_rates(
        target_atoms(experiment.detector.nuclei()),
        (0.2 * keV, 2 * keV),
        FlatEfficiency(0.8),
        experiment.detector.fluence(experiment.source),
        experiment.fluxes,
    )
    assert experiment.counts()["nuebar"] == pytest.approx(np.ravel(rates.counts()), rel=1e-9, abs=0)
    assert study.experiment("Smeared").counts()["nuebar"] == pytest.approx(
        experiment.counts()["nuebar"], rel=1e-5, abs=0
    )


def test_a_spectrum_is_of_one_channel(tmp_path):
    """Of electrons by quadrature over the flux of nu_e from stopped muons, and over the window; of both, as asked."""
    here = {"source": "sns", "flux_per_cm2_s": None, "baseline_m": 20.0, "channels": ["nucleus", "electron"]}
    block = {key: value for key, value in (GERMANIUM | here).items() if value is not None}
    both = one_study(tmp_path, {"Mine": block}).experiment("Mine")
    with pytest.raises(ValueError, match="channel: not given, must be one of nucleus, electron for Mine"):
        both.spectrum(1.0)
    T_keV = np.array([[0.5], [100.0]])
    found, end = both.spectrum(T_keV, channel="electron"), m_mu / 2
    ((number, Z),) = [
        (n, element(symbol).number) for symbol, n in target_atoms(both.detector.nuclei()).items()
    ]
    area = number * both.detector.fluence(both.source)["nue"] * keV
    g_V, g_A = 2 * sin2_theta_W + 0.5, 0.5
    for k, electrons_of in ((0, Z - 10), (1, Z)):  # 1s and 2s, 2p are bound by 11.1 keV and above 1.2 keV
        T = T_keV[k, 0] * keV

        def weak(E, T=T):
            terms = (g_V + g_A) ** 2 + (g_V - g_A) ** 2 * (1 - T / E) ** 2
            return hbar_c**2 * G_F**2 * m_e / (2 * np.pi) * (terms - (g_V**2 - g_A**2) * m_e * T / E**2)

        def magnetic(E, T=T):
            return np.pi * (hbar_c * alpha_EM / m_e) ** 2 * (1 / T - 1 / E)

        for rate, dsigma in ((found.sm, weak), (found.em, magnetic)):
            low = (T + np.sqrt(T**2 + 2 * m_e * T)) / 2
            total = quad(
                lambda E, f=dsigma: 192 / m_mu * (E / m_mu) ** 2 * (0.5 - E / m_mu) * f(E), low, end
            )[0]
            index = found.components.index("nue"), k, 0
            assert rate[index] == pytest.approx(area * electrons_of * total, rel=1e-6, abs=0)
    alone = dataclasses.replace(both, detector=dataclasses.replace(both.detector, channels=["nucleus"]))
    assert np.array_equal(alone.spectrum(T_keV).sm, both.spectrum(T_keV, channel="nucleus").sm)
    with pytest.raises(ValueError, match="channel: 'electron', must be one of nucleus for Mine"):
        alone.spectrum(1.0, channel="electron")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": []}, "experiments.Mine.channels: [] must have at least 1 items"),
        (
            {"channels": ["electrons"]},
            "experiments.Mine.channels.0: 'electrons' must be one of nucleus, electron",
        ),
        (
            {"threshold_scale": "nuclear-recoil"},
            "channels: electron needs threshold_scale electron-equivalent",
        ),
        ({"target": {"U238": 1}}, "channels: electron has no binding energies of 'U'; known are"),
        (
            {"current": GERMANIUM["current"] | {"threshold_keV": {"Ge": 0.2}}},
            "channels: electron needs one threshold_keV",
        ),
        (
            {
                "current": GERMANIUM["current"]
                | {"efficiency": {"of": "T_keV", "k1": 0.8, "k2": 1.0, "x0": 1.0}}
            },
            "channels: electron needs efficiency and resolution of E_keVee or n_PE",
        ),
    ],
)
def test_a_wrong_channel_is_one_line(changes, message, tmp_path):
    with pytest.raises(ConfigError) as raised:
        one_study(tmp_path, {"Mine": GERMANIUM | changes})
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path / "experiments.yaml"))
    assert message in str(raised.value)


# J. A. Bearden, Rev. Mod. Phys. 39 (1967) 78: energies of X-ray lines [eV]
LINES = {
    ("K", "L3"): {"Na": 1040.98, "Al": 1486.70, "Si": 1739.98, "Ar": 2957.70, "Ca": 3691.68, "Zn": 8638.86}
    | {"Ga": 9251.74, "Ge": 9886.42, "As": 10543.72, "Kr": 12649, "Te": 27472.3, "I": 28612.0, "Xe": 29779}
    | {"Cs": 30972.8, "W": 59318.24},
    ("K", "L2"): {"Ge": 9855.32, "Zn": 8615.78, "Te": 27201.7, "I": 28317.2, "Xe": 29458, "Cs": 30625.1},
    ("L3", "M5"): {"Zn": 1011.7, "Ga": 1097.92, "Ge": 1188.00, "As": 1282.0, "Te": 3769.33, "I": 3937.65}
    | {"Xe": 4109.9, "Cs": 4286.5, "W": 8397.6},
    ("L2", "M4"): {
        "Zn": 1034.7,
        "Ge": 1218.5,
        "As": 1317.0,
        "Te": 4029.58,
        "I": 4220.72,
        "Cs": 4619.8,
        "W": 9672.35,
    },
}


def test_differences_of_binding_energies_are_xray_lines():
    rows = tables.read(electrons.BINDINGS, {"element": str, "shell": str, "binding_eV": float})
    energy = {(row["element"], row["shell"]): row["binding_eV"] for _, row in rows}
    for (inner, outer), lines in LINES.items():
        for symbol, line in lines.items():
            assert energy[symbol, inner] - energy[symbol, outer] == pytest.approx(line, rel=1e-4, abs=5), (
                symbol
            )


def test_no_element_has_more_electrons_than_its_charge():
    for symbol in electrons._bindings():
        shells, energies = electrons.binding_energies(symbol)
        assert 0 <= element(symbol).number - shells.sum() <= 7, symbol  # the valence electrons
        assert energies[0] == energies.max()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: electrons.binding_energies("Po"), "symbol: no binding energies of 'Po'; known are H, C"),
        (lambda: line_counts(0.0, 1.0), "window: .* must be two energies in order"),
        (lambda: line_counts(2.0, 1.0), "window: "),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_beyond_the_end_point_there_is_nothing():
    rates = electron_rates(BARE, (5 * MeV, 6 * MeV), FlatEfficiency(1.0), ONE, LINE)
    assert rates.counts()[0].tolist() == [0] * 4
