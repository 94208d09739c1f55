"""Expected limits against threshold and exposure: what a detector must reach to matter."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cevns_tmm.annotations import Numbers
from cevns_tmm.experiment import Experiment
from cevns_tmm.likelihood import deviance
from cevns_tmm.limits import Sensitivity
from cevns_tmm.magnetic_moment import PARAMETERS

if TYPE_CHECKING:
    from cevns_tmm.detector import Detector

DOUBLINGS = 40
"""A limit is looked for up to 2^40 times the statistical uncertainty."""


def expected_limit(level: float, n_sm: Numbers, n_background: Numbers, sigma_sys: Numbers) -> np.ndarray:
    """Excess n >= 0 (events) at Delta chi² = ``level`` if the expected events are measured, any broadcastable shapes.

    Poisson statistics, minimised over a normalisation of all neutrino events, 1 + sigma_sys theta. For many events
    n² = level (N_SM + N_bkg + sigma_sys² (N_SM + n)²); for none, n = level/2. ``inf`` if chi² stays below.
    """
    n_sm, n_background, sigma_sys = np.broadcast_arrays(n_sm, n_background, sigma_sys)

    def above(n, n_sm, n_background, sigma_sys):
        d, m, s = n_sm + n_background, n_sm + n_background + n, sigma_sys * (n_sm + n)
        # the root of theta + s (1 - d/(m + s theta)) = 0 with no events below 0
        theta = 2 * s * (d - m) / (m + s**2 + np.hypot(m - s**2, 2 * s * np.sqrt(d)))
        return deviance(d, m + s * theta) + theta**2 - level

    events = n_sm, n_background, sigma_sys
    high = level + np.sqrt(level * (n_sm + n_background))  # and n > level/4, as chi² <= 2 n
    for _ in range(DOUBLINGS):
        high = np.where(above(high, *events) < 0, 2 * high, high)
    from scipy.optimize import elementwise  # when it is needed: it takes long

    n = elementwise.find_root(  # type: ignore[call-overload]
        above, (level / 4, high), args=events, tolerances={"xrtol": 1e-14}
    )
    return np.where(n.success, n.x, np.inf)


@dataclass(frozen=True)
class SensitivityMap:
    """A block of ``maps``: ranges of threshold and exposure, ``points`` of each, and the background.

    ``thresholds_keV`` and ``exposures_kg_d`` are (lowest, highest); ``window_end_keV`` ends the window of all
    thresholds, on the scale of the experiment's own threshold; ``background_per_keV_kg_d`` is flat on that scale;
    ``sigma_sys`` is the fractional uncertainty of all neutrino events; ``beam`` as in :meth:`Experiment.components`.
    """

    thresholds_keV: Sequence
    exposures_kg_d: Sequence
    window_end_keV: float
    background_per_keV_kg_d: float = 0.0
    sigma_sys: float = 0.0
    points: int = 60
    beam: str | None = None

    def __post_init__(self) -> None:
        for name in ("thresholds_keV", "exposures_kg_d"):
            row = getattr(self, name)
            if not (np.shape(row) == (2,) and 0 < row[0] <= row[1] < np.inf):
                raise ValueError(f"{name}: {row!r} must be two numbers greater than 0, in order")
            if self.points > 1 and row[0] == row[1]:
                raise ValueError(f"{name}: {row!r} must differ for more than one of points")
        if not self.thresholds_keV[1] < self.window_end_keV < np.inf:
            raise ValueError(f"window_end_keV: {self.window_end_keV!r} must be greater than all thresholds")
        for name in ("background_per_keV_kg_d", "sigma_sys"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name}: {getattr(self, name)!r} must be 0 or more")
        if not self.points >= 1:
            raise ValueError(f"points: {self.points!r} must be at least 1")

    @property
    def thresholds(self) -> np.ndarray:
        """Thresholds, shape (t,) [keV]."""
        return np.geomspace(self.thresholds_keV[0], self.thresholds_keV[1], self.points)

    @property
    def exposures(self) -> np.ndarray:
        """Exposures, shape (e,) [kg d]."""
        return np.geomspace(self.exposures_kg_d[0], self.exposures_kg_d[1], self.points)

    def window(self, detector: Detector, threshold_keV: float) -> Detector:
        """A Detector with the window of the map from a threshold on. ValueError if its bins cannot be in keV."""
        if detector.bins_PE is not None or "bin1" in (detector.resolution or {}):
            raise ValueError(
                "experiment: must have neither bins_PE nor a matrix, as the map has windows in keV"
            )
        window = [float(threshold_keV), self.window_end_keV]
        return dataclasses.replace(
            detector, threshold_keV=None, bins_keV=window, background=None, observed=None
        )

    def limits(self, experiment: Experiment, confidence_level: float | None = None) -> dict[str, np.ndarray]:
        """Expected limits with target, flux, efficiency and quenching of an Experiment: {parameter: (t, e)} [mu_B].

        Parameters are Lambda1 to Lambda3 one at a time, and mu_nu of each flavour, e.g. ``mu_nu_e``.
        """
        if not isinstance(experiment, Experiment):
            raise ValueError(f"experiment: {experiment!r} must be an Experiment")
        components = experiment.components(self.beam)

        def rates(threshold):
            detector = self.window(experiment.detector, threshold)
            found = detector.rates(experiment.source, experiment.fluxes, experiment.recoil_nodes)
            return np.array(found.counts()) / (detector.mass_kg * detector.exposure_d)

        n_sm, n_em = np.stack([rates(threshold) for threshold in self.thresholds], axis=-1)  # each (c, t)
        n_background = self.background_per_keV_kg_d * (self.window_end_keV - self.thresholds)
        level = experiment.analysis.level(1, confidence_level)
        expected = np.multiply.outer(n_sm.sum(axis=0), self.exposures)
        background = np.multiply.outer(n_background, self.exposures)
        n = expected_limit(level, expected, background, self.sigma_sys)
        n_em = dict(zip(experiment.source.components, n_em, strict=True))
        sensitivity = Sensitivity(None, {c: n_em[c] for c in components}, experiment.analysis.mixing())
        strengths: dict[str, Any] = dict(zip(PARAMETERS, map(sensitivity.excess, np.eye(3)), strict=True))
        strengths |= {f"mu_nu_{flavour}": rate for flavour, rate in sensitivity.per_flavour.items()}
        with np.errstate(divide="ignore"):
            return {p: np.sqrt(n / np.multiply.outer(rate, self.exposures)) for p, rate in strengths.items()}
