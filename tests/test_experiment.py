"""Sources, detectors, analyses and the experiments made of them."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.integrate import quad

from cevns_tmm import Study
from cevns_tmm.analysis import Analysis
from cevns_tmm.constants import m_mu
from cevns_tmm.cross_section import E_min, dsigma_dT_em, dsigma_dT_sm
from cevns_tmm.detector import Detector
from cevns_tmm.efficiency import FlatEfficiency, PhotoelectronEfficiency
from cevns_tmm.source import Source
from cevns_tmm.statistics import CountingExperiment
from cevns_tmm.units import MeV, cm, day, keV, m, s

STUDY = Study.paper()
SNS = Source("pion-decay-at-rest", 1.76e23, 308.1, 0.08)
REACTOR = STUDY.source("reactor")
CSI = Detector(
    target={"Cs": 1, "I": 1},
    mass_kg=14.57,
    threshold_keV=5,
    threshold_scale="nuclear-recoil",
    exposure_d=308.1,
    efficiency=0.5,
    baseline_m=19.3,
)


def changed(**values):
    return dataclasses.replace(CSI, **values)


def test_fluence_of_the_first_run():
    """Section 4.2: r N_POT / (4 pi L²)."""
    expected = 0.08 * 1.76e23 / (4 * np.pi * (19.3 * m) ** 2)
    assert CSI.fluence(SNS) == pytest.approx(
        dict.fromkeys(("numu", "nue", "numubar"), expected), rel=1e-14, abs=0
    )


def test_a_year_has_the_protons_the_text_says():
    year = changed(exposure_d=365.25).fluence(SNS)["numu"]
    assert year / CSI.fluence(SNS)["numu"] * 1.76 == pytest.approx(2.09, abs=0.005)


def test_time_window_cuts_the_delayed_flux():
    full, cut = CSI.fluence(SNS), changed(time_window_us=6.0).fluence(SNS)
    assert cut["nue"] / full["nue"] == pytest.approx(1 - np.exp(-6 / 2.1969811), rel=1e-9, abs=0)
    assert cut["numubar"] == cut["nue"]
    assert cut["numu"] == full["numu"]


def test_reactor_fluence_and_thresholds():
    detector = changed(
        flux_per_cm2_s=1e13,
        exposure_d=2.0,
        threshold_keV=0.1,
        threshold_scale="electron-equivalent",
    )
    assert detector.fluence(REACTOR) == {"nuebar": pytest.approx(1e13 / cm**2 / s * 2 * day)}
    recoils = detector.thresholds()
    assert len(recoils) == 2
    assert min(recoils) > 0.1 * keV
    assert CSI.thresholds() == [5 * keV, 5 * keV]


def test_efficiencies():
    block = {"photoelectrons_per_keV": 1.17, "k1": 0.6, "k2": 0.5, "x0": 11, "smearing": "none"}
    assert CSI.efficiency_curve() == FlatEfficiency(0.5)
    assert changed(efficiency=block).efficiency_curve() == PhotoelectronEfficiency(0.6, 0.5, 11, 1.17)
    poisson = {**block, "smearing": "poisson", "window_PE": [6, 30]}
    assert changed(efficiency=poisson).efficiency_curve().window == (6, 30)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: changed(target={"Gx": 1}), "target: 'Gx'"),
        (lambda: changed(mass_kg=0), "mass_kg: 0 must be greater than 0"),
        (lambda: changed(exposure_d=-1), "exposure_d: -1 must be greater than 0"),
        (lambda: changed(threshold_scale="recoil"), "threshold_scale: 'recoil' must be one of nuc"),
        (lambda: Source("reactr"), "kind: 'reactr' must be one of pion-decay-at-rest"),
        (lambda: Source("reactor"), "fission_fractions: missing"),
        (lambda: STUDY.setups("Conus"), "experiment: 'Conus' must be one of"),
        (lambda: STUDY.beams("Borexino"), "experiment: 'Borexino' must be one of"),
        (lambda: STUDY.source("reacto"), "source: 'reacto' must be one of"),
        (lambda: STUDY.departures("x"), "reading: 'x' must be one of"),
        (lambda: STUDY.experiment("CONUS").limits(confidence_level=0), "confidence_level: 0 must"),
        (lambda: changed(threshold_keV=0), "threshold_keV: 0 must be greater than 0"),
        (lambda: changed(efficiency=1.5), r"efficiency.value: 1.5 must lie in \(0, 1\]"),
        (lambda: changed(baseline_m=None).check(SNS), "baseline_m: missing"),
        (lambda: changed(flux_per_cm2_s=1e13).check(SNS), "flux_per_cm2_s: 1.+ reactors only"),
        (lambda: CSI.check(REACTOR), "flux_per_cm2_s: missing"),
        (
            lambda: dataclasses.replace(REACTOR, fission_fractions={"U235": 0.9}),
            "fission_fractions: 0.9 must be a sum of 1",
        ),
        (
            lambda: dataclasses.replace(REACTOR, spectrum_above_2MeV="Mine"),
            "spectrum_above_2MeV: 'Mine' must be one of Mueller2011",
        ),
        (
            lambda: STUDY.experiment("CsI").limits(),
            "beam: not given, must be one of prompt, delayed, full for CsI",
        ),
        (lambda: STUDY.experiment("CONUS").limits("prompt"), "beam: 'prompt', must be .*reactor"),
        (lambda: STUDY.experiment("CONUS").limits(method="best"), "method: 'best' must be one of"),
        (lambda: STUDY.experiment("CONUS").contour("21"), "plane: '21' must be one of 12, 13, 23"),
        (lambda: STUDY.experiment("Conus"), "experiment: 'Conus' must be one of CsI, HPGe"),
        (lambda: STUDY.experiment("CsI", "past"), "setup: 'past' must be one of current, future"),
        (lambda: STUDY.experiment("CsI", reading="mine"), "reading: 'mine' must be one of literal"),
        (lambda: STUDY.experiment("Borexino").limits("reactor"), "beam: 'reactor' must be one of solar"),
        (lambda: STUDY.experiment("Borexino").limits(confidence_level=0.95), "must be 0.9, the"),
    ],
)
def test_what_is_wrong_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_chi2_of_data_and_of_projections():
    common = {"oscillation": {}, "confidence_level": 0.9}
    asimov = Analysis(**common, sigma_stat=0.2, sigma_sys=0.1, nuisance_on="total")
    assert asimov.chi2(50.0) == CountingExperiment(0, 60, 0.1, 50)
    assert asimov.scaled(7) == asimov
    data = {
        "n_measured": 142,
        "beam_neutrons": 6,
        "steady_state": 405,
        "sigma_signal": 0.28,
        "sigma_background": 0.25,
    }
    measured = Analysis(**common, data=data)
    assert measured.chi2(173.0) == CountingExperiment.from_data(173.0, **data)
    assert measured.scaled(2).data == {
        **data,
        "n_measured": 284,
        "beam_neutrons": 12,
        "steady_state": 810,
    }


def test_spectrum_is_the_integral_over_the_flux():
    """dN/dT of nu_e from decay at rest on CsI, one isotope after the other, by quadrature."""
    experiment = STUDY.experiment("CsI", reading="literal")
    T_keV = np.array([[1.0, 8.0], [20.0, 40.0]])
    found = experiment.spectrum(T_keV)
    assert found.components == ("numu", "nue", "numubar")
    assert found.sm.shape == found.em.shape == (3, 2, 2)
    fluence = experiment.detector.fluence(experiment.source)["nue"]
    end = m_mu / 2
    for index in np.ndindex(T_keV.shape):
        T = T_keV[index] * keV
        for rate, dsigma in ((found.sm, dsigma_dT_sm), (found.em, dsigma_dT_em)):
            expected = 0.0
            for isotope, number in experiment.detector.nuclei():
                low = float(E_min(T, isotope.mass))

                def integrand(E, T=T, isotope=isotope, dsigma=dsigma):
                    x = E / m_mu
                    return 192 / m_mu * x**2 * (0.5 - x) * float(dsigma(T, E, isotope))

                if low < end:
                    part, _ = quad(integrand, low, end, epsabs=0, epsrel=1e-11, limit=200)
                    expected += number * fluence * part
            assert rate[(1, *index)] == pytest.approx(expected * keV, rel=1e-8, abs=0)


def test_counts_are_the_accepted_spectrum():
    """A flat efficiency above one threshold: counts by quadrature of the public spectrum."""
    experiment = STUDY.experiment("RED100", reading="inferred")
    (component,) = experiment.counts()
    end = 2 * (10 * MeV) ** 2 / (123.9 * 931.0 * MeV) / keV  # beyond the last recoil

    def accepted(T):
        return 0.5 * float(experiment.spectrum(T).sm[0])

    edges = np.geomspace(0.5, end, 40)
    total = sum(
        quad(accepted, low, high, epsabs=0, epsrel=1e-6)[0] for low, high in itertools.pairwise(edges)
    )
    assert experiment.counts()[component][0] == pytest.approx(total, rel=1e-5, abs=0)


def test_a_limit_is_where_delta_chi2_is_the_quantile():
    csi = STUDY.experiment("CsI")
    for beam in csi.beams:
        for i, limit in enumerate(csi.limits(beam).values()):
            Lambda = limit * np.eye(3)[i]
            assert float(csi.delta_chi2(Lambda, beam)) == pytest.approx(2.705543, rel=1e-6)


def test_limits_of_all_components_add_in_quadrature():
    csi = STUDY.experiment("CsI", "future")
    prompt, delayed, full = (csi.limits(beam) for beam in ("prompt", "delayed", "full"))
    for name in full:
        total = prompt[name] ** -2 + delayed[name] ** -2
        assert full[name] ** -2 == pytest.approx(total, rel=1e-12, abs=0)


def test_limits_at_another_confidence_level():
    conus = STUDY.experiment("CONUS")
    ratio = conus.limits(confidence_level=0.99)["Lambda1"] / conus.limits()["Lambda1"]
    assert ratio > 1
    assert conus.limits(confidence_level=0.9) == conus.limits()


def test_no_sensitivity_is_infinite():
    assert set(STUDY.experiment("RED100", reading="literal").limits().values()) == {np.inf}
    assert STUDY.experiment("RED100", reading="literal").contour("12") == []


def test_the_solar_limit_is_a_circle_of_the_effective_moment():
    borexino = STUDY.experiment("Borexino")
    ((x, y),) = borexino.contour("12")
    moments = np.sqrt(borexino.mu_nu_sq(np.array([x, y, 0 * x])))
    assert moments == pytest.approx(np.full(len(x), 2.8e-11), rel=1e-12, abs=0)
    assert borexino.limits()["Lambda1"] == pytest.approx(x.max(), rel=1e-6, abs=0)
