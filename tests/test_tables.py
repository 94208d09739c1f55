"""Every table of results, cell by cell, against values of the front door."""

import base64
import dataclasses
import functools
import html
import itertools
import json
import math
import re
import shutil
from importlib.metadata import version

import h5py
import numpy as np
import pytest
import yaml
from scipy.integrate import quad

from cevns_tmm import Study, storage
from cevns_tmm.nuclei import isotope
from cevns_tmm.storage import read_csv
from cevns_tmm.units import keV
from pipeline import jobs, reference
from pipeline.published import one_at_a_time
from tests.checkout import NEW, ROOT
from tests.test_figures import COARSE, Made
from tests.test_sources import INVERTED, OSCILLATION, mixing, printed

SNS, REACTORS = ("CsI", "LAr", "NaI"), ("CONNIE", "RED100", "NEW-1")
LABELS = {"CsI": "CsI[Na]", "NaI": "NaI[Tl]", "NEW-1": "New detector"}
READINGS = ("literal", "inferred")
LAMBDA = ("Lambda1", "Lambda2", "Lambda3")
PLANES = {"12": (0, 1), "13": (0, 2), "23": (1, 2)}
BEAMS = {"prompt": ("numu",), "delayed": ("nue", "numubar"), "full": ("numu", "nue", "numubar")}


def mixing_of(delta):
    """The mixing matrix of the paper with another Dirac phase."""
    return mixing(*(math.asin(math.sqrt(best)) for best, _, _ in OSCILLATION.values()), delta)


U = mixing_of(0.0)


class Tables(Made):
    """A study with its tables and its audit; jobs run in this process."""

    def compute(self):
        """All that is no figure."""
        super().compute()
        study = self.study
        plans = jobs.chain(study) | jobs.scans(study) | jobs.tables(study) | jobs.judgements(study, None)
        for job, stage, names in (
            ("chi2", "planes", study.experiments),
            ("phases", "phases", study.config["phases"]),
        ):
            for name in names:
                counts = {"counts": [self.file(f"counts/{name}.h5")]}
                self.run(plans[f"{job}/{name}"], counts, planes=self.file(f"{stage}/{name}.h5"))
        self.tabulate_limits(plans)
        limits = {"limits": self.file("limits.csv")}
        self.run(plans["counts"], {"counts": self.each("counts")}, self.file("counts.csv"))
        kinds = dict(csv="table2.csv", md="table2.md", tex="table2.tex")
        kinds |= dict(comparison="comparison.csv", verdict="comparison.md")
        self.run(plans["table2"], limits, **{kind: self.file(name) for kind, name in kinds.items()})
        inputs = limits | {stage: self.each(stage) for stage in ("rates", "counts", "luminosity")}
        self.run(plans["claims"], inputs, csv=self.file("claims.csv"), md=self.file("claims.md"))

        audit = jobs.chain(study.audit, audit=True)
        self.file("audit/limits.csv")
        for source in study.sources:
            self.run(audit[f"fluxes/{source}"], {}, self.file(f"audit/fluxes/{source}.h5"))
        for name in study.experiments:
            flux = {"flux": self.file(f"audit/fluxes/{study.source_of(name)}.h5")}
            counts = self.file(f"audit/counts/{name}.h5")
            self.run(audit[f"rates/{name}"], flux, counts=counts)
            profiles = self.file(f"audit/profiles/{name}.h5")
            self.run(audit[f"profiles/{name}"], {"counts": [counts]}, profiles=profiles)
        self.tabulate_limits(audit, "audit/")
        outputs = {name: self.file(f"audit/{name}.csv") for name in ("ablation", "inputs", "budget")}
        self.run(plans["audit/tables"], {"limits": self.file("audit/limits.csv")}, **outputs)
        results = sorted(str(path) for path in self.path.glob("*/*.h5"))
        self.run(
            plans["samples"], {"results": [*results, self.file("contours.csv")]}, self.file("samples.csv")
        )
        return self

    def tabulate_limits(self, plans, where=""):
        solar = self.file(f"{where}solar/Borexino.h5")
        self.run(plans["solar/Borexino"], {}, solar)
        inputs = {"profiles": self.each(f"{where}profiles"), "solar": [solar]}
        self.run(plans["limits"], inputs, self.file(f"{where}limits.csv"))

    def rows(self, name):
        return read_csv(self.path / name)

    def read(self, name, group, **units):
        return storage.read(self.path / f"{name}.h5", group, units)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study of six experiments, one of them new and without future setup."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "config").mkdir()
    blocks = yaml.safe_load((ROOT / "config/experiments.yaml").read_text(encoding="utf-8"))["experiments"]
    blocks = {name: blocks[name] for name in (*SNS, *REACTORS[:2])} | yaml.safe_load(NEW)
    text = yaml.safe_dump({"experiments": blocks}, sort_keys=False)
    (folder / "config/experiments.yaml").write_text(text, encoding="utf-8")
    with pytest.warns(UserWarning, match="left out"):
        return Tables(folder, grids=COARSE | dict(luminosity_points=41, plane_points=12)).compute()


@pytest.fixture(scope="module")
def limit(made):
    """A limit of the front door [mu_B], by reading or variant of the audit."""

    @functools.cache
    def limits(name, setup, beam, reading):
        study = made.study if reading in READINGS else made.study.audit
        return study.experiment(name, setup, reading).limits(beam)

    return lambda name, setup, beam, parameter, reading="inferred": limits(name, setup, beam, reading)[
        parameter
    ]


def blocks():
    """(experiment, setup, beam) of every limit, in the order of the experiments."""
    for name in (*SNS, *REACTORS, "Borexino"):
        beams = tuple(BEAMS) if name in SNS else ("solar" if name == "Borexino" else "reactor",)
        setups = ("current",) if name in ("NEW-1", "Borexino") else ("current", "future")
        yield from itertools.product([name], setups, beams)


KEYS = [(*block, parameter) for block in blocks() for parameter in LAMBDA]


def key_of(row):
    return tuple(row[column] for column in ("experiment", "setup", "beam", "parameter"))


# Limits and counts.


def test_limits(made, limit):
    rows = made.rows("limits.csv")
    head = "reading,experiment,setup,beam,method,parameter,limit_muB,confidence_level"
    assert list(rows[0]) == head.split(",")
    rows = one_at_a_time(rows)  # the others: tests/test_profiled.py
    assert [(row["reading"], key_of(row)) for row in rows] == list(itertools.product(READINGS, KEYS))
    for row in rows:
        expected = limit(*key_of(row), row["reading"])
        assert float(row["limit_muB"]) == pytest.approx(expected, rel=1e-9, abs=0)
        assert (row["method"], row["confidence_level"]) == ("one-at-a-time", "0.9")


def test_counts(made):
    rows = made.rows("counts.csv")
    head = "reading,experiment,setup,component,n_sm,n_em_per_muB2"
    assert list(rows[0]) == head.split(",")
    found = {tuple(row.values())[:4]: (float(row["n_sm"]), float(row["n_em_per_muB2"])) for row in rows}
    expected = {}
    for reading, (name, setup) in itertools.product(READINGS, dict.fromkeys(block[:2] for block in blocks())):
        if name != "Borexino":
            counts = made.study.experiment(name, setup, reading).counts()
            expected |= {(reading, name, setup, component): n for component, n in counts.items()}
    assert list(found) == list(expected)
    for key, counts in expected.items():
        assert found[key] == pytest.approx(counts, rel=1e-9, abs=0)


# Table II in its forms.


def figures(text, number, digits):
    """Whether a text is a number to so many significant digits."""
    if math.isinf(number):
        return text == "inf"
    is_near = abs(float(text) / number - 1) <= 0.5001 * 10 ** (1 - digits)
    return is_near and len(text.replace(".", "").lstrip("0")) == digits


def in_blocks():
    """Keys in the order of the table: by beam."""
    order = ("prompt", "delayed", "full", "reactor", "solar")
    return sorted(KEYS, key=lambda key: order.index(key[2]))


def check_cells(cells, key, limit):
    """A limit, the published one, their ratio and the literal limit, as texts."""
    inferred, published, ratio, literal = cells
    assert figures(inferred, limit(*key) / 1e-10, 4)
    assert figures(literal, limit(*key, "literal") / 1e-10, 4)
    assert published == printed().get(key, "")
    expected = f"{limit(*key) / 1e-10 / float(published):.3f}" if published else ""
    assert ratio == expected


def test_table2_csv(made, limit):
    rows = made.rows("table2.csv")
    head = "experiment,setup,beam,parameter,inferred,published,ratio,literal,confidence_level"
    assert list(rows[0]) == head.split(",")
    assert list(map(key_of, rows)) == in_blocks()
    for row in rows:
        check_cells(list(row.values())[4:8], key_of(row), limit)
        assert row["confidence_level"] == "0.9"


def markdown(text):
    """Tables of a Markdown page: [[cells of a row, ...], ...]; the second row, of dashes, is left out."""
    found = []
    for part in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines()]
        found.append([rows[0], *rows[2:]])
    return found


def like_the_paper(limit):
    """Rows of Table II: beam, label, and per moment the limits [mu_B] of the setups."""
    for beam, name in dict.fromkeys((key[2], key[0]) for key in in_blocks()):
        setups = [setup for block, setup, found in blocks() if (block, found) == (name, beam)]
        cells = [[limit(name, setup, beam, parameter) for setup in setups] for parameter in LAMBDA]
        yield beam, LABELS.get(name, name), cells


def check_short(rows, limit):
    """Rows as the paper has them: current limits, and in square brackets future ones."""
    expected = list(like_the_paper(limit))
    assert [tuple(row[:2]) for row in rows] == [row[:2] for row in expected]
    for row, (_, _, cells) in zip(rows, expected, strict=True):
        for text, numbers in zip(row[2:], cells, strict=True):
            now, *later = text.split()
            assert figures(now, numbers[0] / 1e-10, 3)
            assert len(later) == len(numbers) - 1
            for one, number in zip(later, numbers[1:], strict=True):
                assert one[0] + one[-1] == "[]"
                assert figures(one[1:-1], number / 1e-10, 3)


def test_table2_md(made, limit):
    text = (made.path / "table2.md").read_text(encoding="utf-8")
    assert text.startswith(
        "Limits at 90 % C.L. in units of 1e-10 μ_B, one moment at a time, in square brackets"
    )
    assert "reading inferred" in text
    short, wide = markdown(text)
    assert short[0] == ["beam", "experiment", "Λ1", "Λ2", "Λ3"]
    check_short(short[1:], limit)
    kinds = ("inferred", "published", "ratio", "literal")
    assert wide[0] == ["beam", "experiment", "setup", *(f"Λ{i} {kind}" for i in (1, 2, 3) for kind in kinds)]
    rows = list(dict.fromkeys(key[:3] for key in in_blocks()))
    assert [tuple(row[:3]) for row in wide[1:]] == [(b, LABELS.get(n, n), s) for n, s, b in rows]
    for row, key in zip(wide[1:], rows, strict=True):
        for i, parameter in enumerate(LAMBDA):
            check_cells(row[3 + 4 * i : 7 + 4 * i], (*key, parameter), limit)


def test_table2_tex(made, limit):
    text = (made.path / "table2.tex").read_text(encoding="utf-8")
    assert r"\caption{Limits at 90 \% C.L. in units of $10^{-10}\,\mu_B$, one moment at a time" in text
    short, wide = (
        [line.removesuffix(r" \\").split(" & ") for line in part.splitlines() if line.endswith(r"\\")]
        for part in re.findall(r"\\toprule\n(.*?)\\bottomrule", text, flags=re.DOTALL)
    )
    moments = [rf"$|\Lambda_{i}|$" for i in (1, 2, 3)]
    assert short[0] == ["beam", "experiment", *moments]
    check_short(short[1:], limit)
    assert re.findall(r"\$.*?\$", " ".join(wide[0])) == moments
    here, published = r"\head{here}", r"\head{pub.}"
    assert wide[1] == ["beam", "experiment", "setup", *3 * [here, published]]
    for row, cells in zip(wide[2:], made_cells(made), strict=True):
        assert row == cells


def made_cells(made):
    """Rows of the wide table as table2.csv has them, whose cells another test checks."""
    found = {}
    for row in made.rows("table2.csv"):
        name = LABELS.get(row["experiment"], row["experiment"])
        cells = found.setdefault((row["beam"], name, row["setup"]), [])
        cells += [row["inferred"], row["published"]]
    return [[*key, *cells] for key, cells in found.items()]


def test_infinite_limits_are_written(made):
    """RED100 sees nothing in the literal reading."""
    literal = {r["experiment"] for r in made.rows("table2.csv") if r["literal"] == "inf"}
    assert literal == {"RED100"}


def test_comparison(made, limit):
    rows = made.rows("comparison.csv")
    head = "reading,experiment,setup,beam,parameter,reproduced,published,ratio,tolerance,within"
    assert list(rows[0]) == head.split(",")
    keys = [key for key in in_blocks() if key in printed()]
    assert [(row["reading"], key_of(row)) for row in rows] == list(itertools.product(READINGS, keys))
    for row in rows:
        key, published = key_of(row), printed()[key_of(row)]
        value = limit(*key, row["reading"]) / 1e-10
        half_a_digit = 0.5 * 10.0 ** -len(published.partition(".")[2])
        tolerance = max(0.03 * float(published), half_a_digit)
        assert row["published"] == published
        numbers = [float(row[column]) for column in ("reproduced", "ratio", "tolerance")]
        assert numbers == pytest.approx([value, value / float(published), tolerance], rel=1e-3, abs=0)
        assert row["within"] == ("yes" if abs(value - float(published)) <= tolerance else "no")
    ((head, *summaries),) = markdown((made.path / "comparison.md").read_text(encoding="utf-8"))
    columns = ["published limits within tolerance", "mean finite ratio", "worst ratio", "worst entry"]
    assert head == ["reading", *columns]
    assert [row[0] for row in summaries] == list(READINGS)
    for reading, *cells in summaries:
        assert cells == summary(limit, keys, reading)


def summary(limit, keys, variant):
    """How many limits are within the tolerance, the mean and the worst ratio, and what has it."""
    ratios = {key: limit(*key, variant) / 1e-10 / float(printed()[key]) for key in keys}
    within = 0
    for key, ratio in ratios.items():
        text = printed()[key]
        tolerance = max(0.03, 0.5 * 10.0 ** -len(text.partition(".")[2]) / float(text))
        within += abs(ratio - 1) <= tolerance
    finite = [ratio for ratio in ratios.values() if math.isfinite(ratio)]
    mean = math.prod(ratio ** (1 / len(finite)) for ratio in finite)
    worst = max(ratios, key=lambda key: abs(math.log(ratios[key])))
    return [f"{within} of {len(ratios)}", f"{mean:.3f}", f"{ratios[worst]:.3f}", " ".join(worst)]


# The audit.

ANGLES = ("theta12", "theta23", "theta13")
VARIED = (*ANGLES, "quenching", "radius", "diffuseness", "flux", "sigma-sys", "threshold")


def part(experiment, name, **values):
    """An experiment with other values of its source, detector or analysis."""
    return dataclasses.replace(experiment, **{name: dataclasses.replace(getattr(experiment, name), **values)})


def varied(experiment, key, sign):
    """An experiment with one input of the budget moved down (-1) or up (+1)."""
    if key in ANGLES:
        best, plus, minus = OSCILLATION[f"sin2_{key}"]
        value = {f"sin2_{key}": best + plus if sign > 0 else best - minus}
        if experiment.name == "Borexino":
            return dataclasses.replace(experiment, **value) if key == "theta13" else experiment
        return part(experiment, "analysis", oscillation=experiment.analysis.oscillation | value)
    if experiment.name == "Borexino":
        return experiment
    source, detector, analysis = experiment.source, experiment.detector, experiment.analysis
    if key == "quenching":
        return part(experiment, "detector", kappa_scale=1 + 0.1 * sign)
    if key in ("radius", "diffuseness"):
        shape = detector.form_factor | {f"{key}_scale": 1 + 0.03 * sign}
        return part(experiment, "detector", form_factor=shape)
    if key == "flux":
        if experiment.name in SNS:
            yields = source.neutrinos_per_proton * (1 + 0.05 * sign)
            return part(experiment, "source", neutrinos_per_proton=yields)
        return part(experiment, "detector", flux_per_cm2_s=detector.flux_per_cm2_s * (1 + 0.05 * sign))
    if key == "sigma-sys":
        if analysis.data:
            sigma = analysis.data["sigma_signal"] * (1 + 0.25 * sign)
            return part(experiment, "analysis", data=analysis.data | {"sigma_signal": sigma})
        return part(experiment, "analysis", sigma_sys=analysis.sigma_sys * (1 + 0.25 * sign))
    if isinstance(detector.efficiency, dict):  # more light is a lower threshold
        light = detector.efficiency["photoelectrons_per_keV"] * (1 - 0.1 * sign)
        efficiency = detector.efficiency | {"photoelectrons_per_keV": light}
        return part(experiment, "detector", efficiency=efficiency)
    return part(experiment, "detector", threshold_keV=detector.threshold_keV * (1 + 0.1 * sign))


def test_budget(made, limit):
    rows = made.rows("audit/budget.csv")
    assert list(rows[0]) == ["experiment", "setup", "beam", "parameter", "input", "down [%]", "up [%]"]
    assert [(row["input"], key_of(row)) for row in rows] == list(itertools.product(VARIED, KEYS))
    found = {(row["input"], key_of(row)): row for row in rows}
    for key, (name, setup, beam) in itertools.product(VARIED, blocks()):
        for way, sign in (("down", -1), ("up", 1)):
            limits = varied(made.study.experiment(name, setup), key, sign).limits(beam)
            for parameter, value in limits.items():
                one = (name, setup, beam, parameter)
                change = 100 * (value / limit(*one) - 1)
                text = found[key, one][f"{way} [%]"]
                assert float(text) == pytest.approx(change, rel=0, abs=6e-5), (key, way, one)
                assert re.fullmatch(r"[+-]\d+\.\d{4}", text)


ALTERNATIVES = {
    "Huber 2011 instead of Mueller 2011 above 2 MeV": "huber-spectrum",
    "Vogel-Engel 1989 (fission products only) instead of Kopeikin 2012 below 2 MeV": "vogel-engel-below-2MeV",
    "Vogel-Engel 1989 instead of Mueller 2011 above 2 MeV": "vogel-engel-above-2MeV",
    "Fission fractions of Daya Bay, arXiv:2210.01068": "daya-bay-fissions",
    "Reactor fluxes from thermal power and the spectrum's own neutrinos per fission": "thermal-power-fluxes",
    "Inverted ordering, arXiv:1708.01186": "inverted-ordering",
    "delta = 1.32 pi instead of 0": "best-fit-delta",
    "P_e1 = 0.599": "solar-mixing-low",
    "P_e1 = 0.614": "solar-mixing-high",
}


def test_alternatives(made, limit):
    rows = made.rows("audit/inputs.csv")
    assert list(rows[0]) == ["alternative", "limits moved", "largest change [%]", "of", "limits lost"]
    assert [row["alternative"] for row in rows] == list(ALTERNATIVES)
    for row in rows:
        variant = f"input-{ALTERNATIVES[row['alternative']]}"
        changes = {key: 100 * (limit(*key, variant) / limit(*key) - 1) for key in KEYS}
        moved = sum(abs(change) > 1e-7 for change in changes.values())
        most = changes[tuple(row["of"].split())]  # the three moments of a reactor change alike
        assert abs(most) == pytest.approx(max(map(abs, changes.values())), rel=1e-9, abs=0)
        assert list(row.values())[1:3] == [str(moved), f"{most:+.2f}"]
        assert row["limits lost"] == "0"


def test_alternatives_are_what_they_say(made):
    variants = {
        name: made.study.audit.experiment("CONNIE", "current", f"input-{name}")
        for name in ALTERNATIVES.values()
    }
    base = made.study.experiment("CONNIE")
    spectra = {n: (v.source.spectrum_below_2MeV, v.source.spectrum_above_2MeV) for n, v in variants.items()}
    ours = ("Kopeikin2012", "Mueller2011")
    others = {"huber-spectrum": (ours[0], "Huber2011"), "vogel-engel-above-2MeV": (ours[0], "VogelEngel1989")}
    others["vogel-engel-below-2MeV"] = ("VogelEngel1989", ours[1])
    assert spectra == dict.fromkeys(variants, ours) | others
    fluxes = {name for name, v in variants.items() if v.detector != base.detector}
    assert fluxes == {"thermal-power-fluxes"}
    oscillation = {n: v.analysis.oscillation for n, v in variants.items() if v.analysis != base.analysis}
    inverted = {key.removeprefix("oscillation."): value for key, value in INVERTED.items()}
    changes = {"inverted-ordering": inverted, "best-fit-delta": {"delta_CP_over_pi": 1.32}}
    assert oscillation == {name: base.analysis.oscillation | change for name, change in changes.items()}


DEPARTURES = (
    *("nuisance-on-signal", "csi-pe-smearing", "csi-time-window", "threshold-at-q-of-threshold"),
    *("red100-nuclear-recoil", "red100-future-threshold"),
)


def test_ablation(made, limit):
    rows = made.rows("audit/ablation.csv")
    columns = "switched,departure,published limits within tolerance,mean finite ratio,worst ratio,worst entry"
    assert list(rows[0]) == [*columns.split(","), "entries lost", "limits moved"]
    keys = [key for key in KEYS if key in printed()]
    expected = []
    for switched, base, prefix in (
        ("off in inferred", "inferred", "without"),
        ("on in literal", "literal", "only"),
    ):
        for name in (None, *DEPARTURES):
            variant = f"{prefix}-{name}" if name else base
            cells, of_base = summary(limit, keys, variant), summary(limit, keys, base)
            lost = int(of_base[0].split()[0]) - int(cells[0].split()[0])
            moved = sum(
                not math.isclose(limit(*key, variant), limit(*key, base), rel_tol=1e-9) for key in KEYS
            )
            expected.append([switched, name or "-", *cells, str(lost), str(moved)])
    assert [list(row.values()) for row in rows] == expected
    for name in DEPARTURES:
        assert made.study.audit.departures(f"only-{name}") == [name]
        assert made.study.audit.departures(f"without-{name}") == [d for d in DEPARTURES if d != name]


# Claims.

NUMBER = r"(?<![A-Z\d])-?\d+(?:\.\d+)?(?:e[-+]\d+)?"


def moment_matrix(flavour):
    """M of mu_nu² = L M L for real moments L, Eqs. (12) and (17) with delta = 0."""
    row = U[("e", "mu").index(flavour)].real
    return np.eye(3) - np.outer(row, row)


def interference(made, name, beam, reading):
    """M_ij / sqrt(M_ii M_jj) of the excess in the three planes."""
    counts = made.study.experiment(name, "current", reading).counts()
    components = BEAMS.get(beam, ("nuebar",))
    M = sum(counts[c][1] * moment_matrix("mu" if "mu" in c else "e") for c in components)
    return [M[i, j] / math.sqrt(M[i, i] * M[j, j]) for i, j in PLANES.values()]


def areas(flavour, phases):
    """Areas of mu_nu² < 1 in the quadrant of two moduli, for (xi, delta) / pi, relative to the first, by plane."""
    found = {}
    for plane, (i, j) in PLANES.items():
        each = []
        for xi, delta in phases:
            row = mixing_of(math.pi * delta)[("e", "mu").index(flavour)]
            a, b = row[i], row[j] * np.exp(1j * math.pi * xi)

            def radius_sq(angle, a=a, b=b):
                return 1 / (1 - abs(a * math.cos(angle) + b * math.sin(angle)) ** 2)

            each.append(quad(radius_sq, 0, math.pi / 2, epsabs=0, epsrel=1e-8, limit=200)[0])
        found[plane] = [area / each[0] for area in each]
    return found


def luminosity(experiment, factor):
    """An experiment with more luminosity: what is measured grows with it."""
    more = part(experiment, "detector", exposure_d=factor * experiment.detector.exposure_d)
    data = experiment.analysis.data
    if not data:
        return more
    events = {key: factor * data[key] for key in ("n_measured", "beam_neutrons", "steady_state")}
    return part(more, "analysis", data=data | events)


def ends(values):
    return [min(values), max(values)]


def measured(made, limit, reading):
    """Each claim judged anew: {claim: (whether it holds, the numbers that say so, and words beside them)}."""
    sns, reactors = SNS, REACTORS[:2]  # of Table II
    published = {key: float(text) for key, text in printed().items() if key[2] != "full"}
    limits = {key: limit(*key, reading) for key in KEYS if key[0] != "NEW-1"}
    finite = {key: value for key, value in limits.items() if math.isfinite(value)}
    found = {}

    blind = np.abs(U[0])
    aside = [blind * (1 + 0.1 * e) for e in np.eye(3)]
    found["degenerate-direction"] = True, [10, *ends([v @ moment_matrix("e") @ v / (v @ v) for v in aside])]

    single = ("prompt", "delayed")
    gains = [
        limits["CsI", "current", beam, p] / limits[name, "current", beam, p]
        for name, beam, p in itertools.product(("LAr", "NaI"), single, LAMBDA)
    ]
    found["lar-nai-beat-csi"] = min(gains) > 10**0.5, ends(gains)

    counted = []
    for table in (finite, published):
        later = [key for key in table if key[1] == "future" and key[2] != "full"]
        gains = [table[key[0], "current", *key[2:]] / table[key] for key in later]
        counted.append((ends(gains), sum(gain >= 10 for gain in gains), len(gains)))
    (ours, n, of), (theirs, m, total) = counted
    lost = len([key for key in limits if key not in finite and key[1] == "future"])
    numbers = [*ours, 10, n, of, *theirs, m, total]
    found["future-order-of-magnitude"] = n == of, numbers + [lost] * bool(lost)

    gains, before, beyond = [], [], []
    for name, _, beam in (
        block for block in blocks() if block[1] == "current" and block[0] in sns + reactors
    ):
        one = made.study.experiment(name, "current", reading)
        at = [luminosity(one, factor).limits(beam) for factor in (1, 40, 80)]
        for a, b, c in ([math.log(x[p]) for x in at] for p in LAMBDA if math.isfinite(at[0][p])):
            gains.append(math.exp(a - b))
            before.append((a - b) / math.log(40))
            beyond.append((b - c) / math.log(2))
    is_weaker = all(y <= 0.9 * x for x, y in zip(before, beyond, strict=True))
    numbers = [40, *ends(gains), *ends(before), *ends(beyond)]
    found["luminosity-40"] = min(gains) >= 1.5 and is_weaker, numbers

    now = {key: value for key, value in finite.items() if key[1] == "current"}
    weakest = max(value for key, value in now.items() if key[0] in reactors)
    strongest = min(value for key, value in now.items() if key[2] in single)
    lost = len([key for key in limits if key not in finite and key[1] == "current"])
    found["reactors-beat-sns"] = weakest < strongest, [weakest, strongest, *[lost] * bool(lost)]

    gaps, closed = [], []
    for p in LAMBDA:
        best = {
            beam: min(v for key, v in now.items() if key[2:] == (beam, p)) for beam in (*BEAMS, "reactor")
        }
        sns_alone = min(best[beam] for beam in single)
        gaps.append(sns_alone / best["reactor"])
        closed.append(math.log(sns_alone / best["full"]) / math.log(gaps[-1]))
    found["full-beam-narrows-the-gap"] = min(closed) >= 0.25, [*ends(gaps), *ends(closed)]

    of_sns = np.array([interference(made, *key, reading) for key in itertools.product(sns, single)])
    of_reactors = np.array([interference(made, "CONNIE", "reactor", reading)])
    by_plane = [
        [x for p, v in zip(PLANES, of.T, strict=True) for x in (int(p), *ends(v))]
        for of in (of_sns, of_reactors)
    ]
    found["sns-23-plane"] = set(of_sns.argmin(axis=1)) == {2}, by_plane[0]
    holds = of_reactors.argmin() == 0 and of_reactors.min() < of_sns.min()
    found["reactor-12-plane"] = holds, [*by_plane[1], of_sns.min()]

    phases = areas("mu", [(0, 0), (1, 0), (0, 1)])
    holds = all(v[1] == min(v) and v[2] == max(v) for v in phases.values())
    found["phases-sns"] = holds, [0, 0, 0, 0, *(x for p, v in phases.items() for x in (int(p), *v))]
    phases = areas("e", [(0, 0), (1, 0)])
    holds = all(v[1] < v[0] for v in phases.values())
    found["phases-reactor"] = holds, [x for p, v in phases.items() for x in (int(p), *v)]

    found["borexino-no-phase"] = True, []
    future = {key: v for key, v in finite.items() if key[0] in reactors and key[1] == "future"}
    better = [k[0] for k, v in future.items() if v < limits["Borexino", "current", "solar", k[3]]]
    lost = len([key for key in limits if key not in finite and key[1] == "future"])
    names = ", ".join(sorted(set(better))) or "none"
    found["future-beats-borexino"] = bool(better), [len(better), len(future), *[lost] * bool(lost)], names

    equal = {}
    for name in reactors:
        one = made.study.experiment(name, "current", reading)
        spectrum = one.spectrum(min(one.detector.thresholds()) / keV)
        if spectrum.em.sum() > 0:
            equal[name] = math.sqrt(spectrum.sm.sum() / spectrum.em.sum())
    least = min(equal, key=equal.get)
    found["em-dominates"] = equal[least] < 2.8e-11, [equal[least], 2.8e-11], f"({least})"
    return found


def test_claims(made, limit):
    rows = made.rows("claims.csv")
    head = "claim,place,text,criterion,criterion from,verdict,measured literal,measured inferred"
    assert list(rows[0]) == head.split(",")
    literal, inferred = (measured(made, limit, reading) for reading in READINGS)
    assert [row["claim"] for row in rows] == list(literal)
    verdicts = {(True, True): "holds", (True, False): "holds only under literal"}
    verdicts |= {(False, True): "holds only under inferred", (False, False): "does not hold"}
    for row in rows:
        claim = row["claim"]
        assert row["verdict"] == verdicts[literal[claim][0], inferred[claim][0]], claim
        for reading, (_, numbers, *words) in (("literal", literal[claim]), ("inferred", inferred[claim])):
            text = row[f"measured {reading}"].replace("π", "").replace("|Λ|²", "").replace("μ²", "")
            rel = {"luminosity-40": 0.02, "em-dominates": 0.05}.get(claim, 6e-3)
            assert all(word in text for word in words)
            found = [float(number) for number in re.findall(NUMBER, text)]
            assert found == pytest.approx(numbers, rel=rel, abs=0), (claim, reading, text)
        block = made.study.config["claims"][claim]
        words = [block["place"], block["text"], block["criterion"].format(**block), block["criterion_from"]]
        assert list(row.values())[1:5] == words
    ((head, *lines),) = markdown((made.path / "claims.md").read_text(encoding="utf-8").replace("\\|", "¦"))
    assert head == list(rows[0])
    assert [[cell.replace("¦", "|") for cell in line] for line in lines] == [
        list(row.values()) for row in rows
    ]


def test_the_order_of_the_readings_changes_no_verdict(made):
    script, parameters, *_ = jobs.judgements(made.study, None)["claims"]
    inputs = {stage: made.each(stage) for stage in ("rates", "counts", "luminosity")}
    inputs["limits"] = made.file("limits.csv")
    plan = script, parameters | {"readings": READINGS[::-1]}
    made.run(plan, inputs, csv=made.file("reversed.csv"), md=made.file("reversed.md"))
    verdicts = {row["claim"]: row["verdict"] for row in made.rows("reversed.csv")}
    assert verdicts == {row["claim"]: row["verdict"] for row in made.rows("claims.csv")}
    assert "holds only under inferred" in verdicts.values()


# What the tables and figures are made from.


def plane_range(name):
    """Profiles and planes [mu_B], as in Figs. 2 and 4 to 6."""
    return ((1e-10, 1e-7), (1e-11, 1e-7)) if name in SNS else ((1e-12, 1e-8), (1e-12, 1e-8))


def check_plane(data, sensitivity, plane, xi=0.0):
    """Rows are the second moment, columns the first."""
    i, j = PLANES[plane]
    x = data["Lambda"]
    Lambda = np.zeros((3, len(x), len(x)), complex)
    Lambda[i], Lambda[j] = x[np.newaxis, :], x[:, np.newaxis] * np.exp(1j * math.pi * xi)
    expected = sensitivity.delta_chi2(Lambda)
    assert data[f"delta_chi2_{plane}"] == pytest.approx(expected, rel=1e-6, abs=1e-20)
    assert data["level"] == pytest.approx(-2 * math.log(0.1), rel=1e-9)  # two parameters, 90 %


def test_profiles_and_planes(made, limit):
    for name, setup, beam in blocks():
        if name == "Borexino":
            continue
        wide, plane_wide = plane_range(name)
        for reading in READINGS:
            one, group = made.study.experiment(name, setup, reading), f"{setup}/{reading}/{beam}"
            units = dict(
                parameter="1", Lambda="mu_B", delta_chi2="1", limit="mu_B", level="1", confidence_level="1"
            )
            data = made.read(f"profiles/{name}", group, **units)
            assert list(data["parameter"]) == list(LAMBDA)
            assert data["Lambda"] == pytest.approx(np.geomspace(*wide, 40), rel=1e-12, abs=0)
            for n, curve in enumerate(data["delta_chi2"]):
                assert curve == pytest.approx(
                    one.delta_chi2(np.outer(np.eye(3)[n], data["Lambda"]), beam), rel=1e-9, abs=1e-20
                )
            expected = [limit(name, setup, beam, parameter, reading) for parameter in LAMBDA]
            assert data["limit"] == pytest.approx(expected, rel=1e-12, abs=0)
            assert (data["level"], data["confidence_level"]) == (
                pytest.approx(2.705543454095404, rel=1e-12),
                0.9,
            )
        one = made.study.experiment(name, setup)
        units = dict(Lambda="mu_B", level="1") | {f"delta_chi2_{plane}": "1" for plane in PLANES}
        data = made.read(f"planes/{name}", f"{setup}/inferred/{beam}", **units)
        assert data["Lambda"] == pytest.approx(np.geomspace(*plane_wide, 12), rel=1e-12, abs=0)
        for plane in PLANES:
            check_plane(data, one.sensitivity(beam), plane)


def test_phases(made):
    cases = {("CsI", "prompt"): [(0, 0), (1, 0), (0, 1)], ("CONNIE", "reactor"): [(0, 0), (1, 0)]}
    for (name, beam), phases in cases.items():
        one = made.study.experiment(name)
        for n, (xi, delta) in enumerate(phases, 1):
            units = dict(Lambda="mu_B", level="1") | {f"delta_chi2_{plane}": "1" for plane in PLANES}
            data = made.read(f"phases/{name}", f"current/inferred/{beam}/case{n}", **units)
            for plane in PLANES:
                check_plane(data, one.sensitivity(beam, delta), plane, xi)


def test_luminosity(made):
    for name, setup, beam in blocks():
        if setup == "future" or name == "Borexino":
            continue
        for reading in READINGS:
            group = f"current/{reading}/{beam}"
            data = made.read(f"luminosity/{name}", group, parameter="1", luminosity="1", limit="mu_B")
            assert list(data["parameter"]) == list(LAMBDA)
            assert data["luminosity"] == pytest.approx(np.geomspace(1, 80, 41), rel=1e-12)
            one = made.study.experiment(name, setup, reading)
            for n in (0, 17, 40):
                limits = list(luminosity(one, data["luminosity"][n]).limits(beam).values())
                assert data["limit"][:, n] == pytest.approx(limits, rel=1e-9, abs=0)


def test_solar(made):
    """Eqs. (38) and (39)."""
    P = np.array([0.606, 1 - 0.606, 0]) * (1 - 0.0216) + [0, 0, 0.0216]
    units = dict(parameter="1", limit="mu_B", Lambda="mu_B", mu_nu_limit="mu_B", confidence_level="1")
    data = made.read(
        "solar/Borexino", "current/inferred/solar", **units | {f"mu_nu_{p}": "mu_B" for p in PLANES}
    )
    assert list(data["parameter"]) == list(LAMBDA)
    assert data["limit"] == pytest.approx(2.8e-11 / np.sqrt(1 - P), rel=1e-12, abs=0)
    assert (data["mu_nu_limit"], data["confidence_level"]) == (2.8e-11, 0.9)
    x = data["Lambda"]
    assert x == pytest.approx(np.geomspace(1e-12, 1e-10, 12), rel=1e-12, abs=0)
    for plane, (i, j) in PLANES.items():
        expected = np.sqrt((1 - P[i]) * x[np.newaxis, :] ** 2 + (1 - P[j]) * x[:, np.newaxis] ** 2)
        assert data[f"mu_nu_{plane}"] == pytest.approx(expected, rel=1e-6, abs=0)


def test_quenching(made):
    """Eq. (27)."""
    data = made.read("quenching", "quenching", isotope="1", T="keV", Q="1")
    assert list(data["isotope"]) == ["Si28", "Ar40", "Ge72", "I127", "Xe132", "Cs133"]
    T = data["T"]
    assert pytest.approx(np.linspace(0, 300, 30)) == T
    for name, Q in zip(data["isotope"], data["Q"], strict=True):
        Z, A = isotope(name).Z, isotope(name).A
        gamma = 11.5 * T * Z ** (-7 / 3)
        kg = 0.133 * Z ** (2 / 3) * A**-0.5 * (3 * gamma**0.15 + 0.7 * gamma**0.6 + gamma)
        assert pytest.approx(kg / (1 + kg), rel=1e-12, abs=0) == Q


def test_fluxes_and_rates(made):
    for name, setup, reading in itertools.product((*SNS, *REACTORS), ("current", "future"), READINGS):
        if (name, setup) == ("NEW-1", "future"):
            continue
        one = made.study.experiment(name, setup, reading)
        source = made.study.source_of(name)
        for component, table in one.fluxes.items():
            found = storage.read_flux(made.path / f"fluxes/{source}.h5", f"{reading}/{component}")
            E = np.array([0.3, 1.7, 5.0, 29.0, 40.0])
            for k in range(3):
                assert found.moment(k, E) == pytest.approx(table.moment(k, E), rel=1e-12, abs=0)
        units = dict(component="1", isotope="1", T="keV", weight="keV", acceptance="1")
        units |= dict(dNdT_sm="1/keV", dNdT_em="1/keV/mu_B^2")
        data = made.read(f"rates/{name}", f"{setup}/{reading}", **units)
        spectrum = one.spectrum(data["T"])
        assert tuple(data["component"]) == spectrum.components
        assert list(data["isotope"]) == [i.name for i, _ in one.detector.nuclei()]
        for part_of in ("sm", "em"):
            expected = getattr(spectrum, part_of)
            assert data[f"dNdT_{part_of}"].sum(axis=1) == pytest.approx(expected, rel=1e-9, abs=0)
            accepted = np.einsum("cit,it,t->c", data[f"dNdT_{part_of}"], data["acceptance"], data["weight"])
            counts = dict(zip(data["component"], accepted, strict=True))
            n = {"sm": 0, "em": 1}[part_of]
            assert counts == pytest.approx({c: both[n] for c, both in one.counts().items()}, rel=1e-9, abs=0)


def test_samples(made):
    """Each dataset once, with its unit, its shape and some of its values."""
    rows = made.rows("samples.csv")
    found = {(row["file"], row["part"]): row["values"] for row in rows}
    assert len(found) == len(rows)
    expected = {}

    def visit(path, name, item):
        if hasattr(item, "shape"):
            expected[path, name] = item.attrs["unit"], item[()]

    for path in made.path.glob("*/*.h5"):
        with h5py.File(path, locking=False) as file:
            file.visititems(functools.partial(visit, path.relative_to(made.path).as_posix()))
    lines = (made.path / "contours.csv").read_text(encoding="utf-8").splitlines()
    for (file, name), text in found.items():
        if file == "contours.csv":
            number = int(re.fullmatch(rf"line (\d+) of {len(lines)}", name)[1])
            assert text == lines[number - 1].replace(",", " ")
            continue
        unit, values = expected.pop((file, name))
        shape = "x".join(map(str, values.shape)) or "scalar"
        assert text.startswith(f"{unit} {shape} ")
        words = text.removeprefix(f"{unit} {shape} ").split()
        if values.dtype.kind == "S":
            assert words == [value.decode() for value in values]
        elif not values.size:
            assert words == ["none"]
        else:
            digits = 6 if values.dtype == np.float32 else 11
            assert set(words) <= {f"{value:.{digits}g}" for value in values.ravel()}
            if "delta_chi2_" in name:  # a plane that is transposed has others
                assert not set(words) <= {f"{value:.{digits}g}" for value in values.diagonal()}
            assert len(words) == (4 if values.size > 9 else len(words))
    assert expected == {}


@pytest.mark.parametrize(
    ("changes", "says_so"),
    [
        ({}, False),
        ({"confidence_level": 0.95}, True),
        ({"confidence_level": 0.95, "figures_reading": "literal"}, False),
    ],
)
@pytest.mark.filterwarnings("ignore:RED100 .current, future.")
def test_table_of_another_study_says_that_the_rate_is_taken_as_exact(changes, says_so):
    _, parameters, *_ = jobs.tables(Study.read(None, changes))["table2"]
    words = "The reading inferred takes the Standard Model rate of the projections as exactly known"
    assert any(note.startswith(words) for note in parameters["notes"]) == says_so


# The checks, the provenance and the report.


@pytest.fixture
def check(tmp_path):
    """Run compare_results on the reference itself after ``change`` has edited the copy; its rows and its page."""
    plan = jobs.judgements(Study.paper(), None)["check"]
    folder = shutil.copytree(reference.FOLDER, tmp_path / "reference")
    files = {name: folder / reference.reference_file(name).name for name in reference.TABLES}

    def run(name=None, change=None):
        if name:
            files[name].write_text(change(files[name].read_text(encoding="utf-8")), encoding="utf-8")
        inputs = dict(limits=str(files["limits.csv"]), claims=str(files["claims.csv"]))
        inputs |= dict(tables=[str(path) for path in files.values()])
        outputs = dict(csv=str(tmp_path / "check.csv"), md=str(tmp_path / "check.md"))
        Made.run(None, plan, inputs, **outputs)
        return read_csv(outputs["csv"]), (tmp_path / "check.md").read_text(encoding="utf-8")

    return run


def test_the_reference_agrees_with_itself(check):
    rows, page = check()
    assert {row["passed"] for row in rows} == {"yes"}
    assert [row["name"] for row in rows if row["check"] == "published"] == [
        " ".join(key) for key in printed()
    ]
    assert "92 of 93 published limits within tolerance; 8 of 13 claims hold." in page
    assert f"All {len(rows)} checks pass" in page
    ((_, *kinds),) = markdown(page)
    total = {kind: int(of) for kind, passed, of in kinds if passed == of}
    assert sum(total.values()) == len(rows)


@pytest.mark.parametrize("name", reference.TABLES)
def test_a_changed_digit_fails_its_row(check, name):
    """The last number of the last line but one, in its third digit."""

    def change(text):
        *_, number = re.finditer(r"\d\.\d\d", text[: text.rstrip().rindex("\n")])
        return text[: number.end() - 1] + str((int(number[0][-1]) + 1) % 10) + text[number.end() :]

    rows, page = check(name, change)
    failed = [row for row in rows if row["passed"] == "no" and row["check"] != "published"]
    assert [row["check"] for row in failed] == [name.rpartition("/")[2]]
    assert failed[0]["name"] in page
    assert "checks failed" in page


@pytest.mark.parametrize(
    ("column", "value", "other", "same"),
    [
        # 5 deviations of a difference: 5 sqrt(2 x 0.09 / 40,000) = 0.0106
        ("interval_exact", "0.9", "0.9102", True),
        ("interval_exact", "0.9", "0.911", False),
        ("coverage_upper", "1.000000", "0.9999", True),
        ("coverage_upper", "1.000000", "0.998", False),
        ("toys_without_limit", "30", "66", True),
        ("toys_without_limit", "30", "90", False),
        ("critical_value", "2.7", "2.9", True),
        ("critical_value", "2.7", "3.1", False),
        ("median_muB", "1e-10", "1.02e-10", True),
        ("median_muB", "1e-10", "1.03e-10", False),
        ("profiled_muB", "1e-10", "1.0001e-10", False),
        ("covering_muB", "1e-10", "1.0001e-10", False),
        ("observed_muB", "1e-10", "1.0001e-10", False),
        ("interval_exact", "0.9", "", False),
    ],
)
def test_numbers_of_toys_are_compared_within_their_deviation(column, value, other, same):
    assert reference.agrees(column, {column: other}, {column: value}) == same
    covering = {"covering_method": "feldman-cousins", "covering_muB": "1e-10", "reproduced_muB": "1e-10"}
    assert reference.agrees("covering_muB", covering | {"covering_muB": "1.01e-10"}, covering)
    assert not reference.agrees("reproduced_muB", covering | {"reproduced_muB": "1.01e-10"}, covering)


@pytest.mark.parametrize(
    ("name", "beam", "limit_muB", "found"),
    [
        ("LAr", "full", 9e-10, "9 for 8.4, ratio 1.0714"),
        ("LAr", "full", 8e-10, "8 for 8.4, ratio 0.9524"),
        ("MINER", "reactor", 1.3e-10, "1.3 for 1.2, ratio 1.0833"),
        ("HPGe", "prompt", 27e-10, "27 for 26.2, ratio 1.0305"),
    ],
)
def test_published_limits_are_checked(check, name, beam, limit_muB, found):
    row = f"inferred,{name},current,{beam},one-at-a-time,Lambda2,"
    rows, _ = check("limits.csv", lambda text: re.sub(rf"(?<={row})[^,]+", f"{limit_muB:.10e}", text))
    failed = [row for row in rows if row["passed"] == "no" and row["check"] == "published"]
    assert [(row["name"], row["found"]) for row in failed] == [(f"{name} current {beam} Lambda2", found)]


def test_a_known_miss_that_is_met_fails(check):
    row = "inferred,MINER,current,reactor,one-at-a-time,Lambda1,"
    rows, _ = check("limits.csv", lambda text: re.sub(rf"(?<={row})[^,]+", "1.7e-10", text))
    failed = [row for row in rows if row["passed"] == "no" and row["check"] == "published"]
    assert [row["found"] for row in failed] == ["1.7 for 1.7, ratio 1.0000, a known miss"]


def test_the_verdict_names_what_failed(made):
    path = made.file("failed.csv")
    path_of = dict(csv=path, md="check.md")
    rows = [["limits.csv", "a row", "no", "1 for 2"], ["limits.csv", "another", "yes", ""]]
    storage.write_csv(path, ["check", "name", "passed", "found"], rows)
    plan = jobs.judgements(made.study, None)["verdict"]
    with pytest.raises(
        ValueError, match=r"^1 checks failed, all in check\.md:\n  limits\.csv: a row: 1 for 2\n$"
    ):
        made.run(plan, path_of)
    storage.write_csv(path, ["check", "name", "passed", "found"], rows[1:])
    made.run(plan, path_of)


def said(path, **texts):
    storage.write(path, {}, "a result", {name: json.dumps(text) for name, text in texts.items()})
    return str(path)


def test_provenance(made, tmp_path):
    """The commit, the configuration, and what the results say of themselves."""
    one = said(tmp_path / "one.h5", versions={"numpy": "2.0"}, data={"a.csv": "12"})
    two = said(tmp_path / "two.h5", versions={"numpy": "2.0", "scipy": "1.9"}, data={})
    plan = jobs.judgements(made.study, None)["provenance"]
    made.run(plan, {"files": [one, two]}, made.file("provenance.csv"))
    rows = [list(row.values()) for row in made.rows("provenance.csv")]
    parameters = plan[1]
    assert rows[:2] == [
        ["git commit", parameters["commit"]],
        ["configuration", f"sha256 {parameters['configuration']}"],
    ]
    assert rows[2:4] == [["numpy", "2.0"], ["scipy", "1.9"]]
    assert rows[4:-1] == [
        [name, version(name)]
        for name in ("Jinja2", "jsonschema", "pygments", "PyYAML", "snakemake", "tabulate")
    ]
    assert rows[-1] == ["a.csv", "sha256 12"]
    three = said(tmp_path / "three.h5", versions={"numpy": "2.1"}, data={})
    with pytest.raises(ValueError, match="results differ in versions of numpy"):
        made.run(plan, {"files": [one, three]}, made.file("other.csv"))


def test_report(made, limit, tmp_path):
    """Each section has its own table and figure."""
    names = [*(f"fig{n}" for n in range(1, 9)), "ablation", "budget", "limits", "coverage", "profiled"]
    figures_of = [tmp_path / f"{name}.png" for name in names]
    for path in figures_of:
        path.write_bytes(path.stem.encode())
    (tmp_path / "check.md").write_text("table\n\nThe verdict.\n", encoding="utf-8")
    provenance = tmp_path / "provenance.csv"
    storage.write_csv(provenance, ["what", "version"], [["git commit", "0123abc"]])
    tables = [
        "limits",
        "table2",
        "comparison",
        "claims",
        *(f"audit/{n}" for n in ("ablation", "inputs", "budget")),
    ]
    inputs = dict(verdict=str(tmp_path / "check.md"), figures=list(map(str, figures_of)))
    worth = ROOT / "resources/reference/honest_limits.csv"  # of the paper's study
    inputs |= dict(tables=[str(provenance), str(worth), *(made.file(f"{name}.csv") for name in tables)])
    made.run(jobs.judgements(made.study, None)["report"], inputs, str(tmp_path / "report.html"))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for name in names:
        address = f"data:image/png;base64,{base64.b64encode(name.encode()).decode()}"
        assert f'<figure id="{name}"><img src="{address}"' in text
    captions = dict(
        re.findall(r'<figure id="(\w+)">.*?<figcaption>(.*?)</figcaption>', text, flags=re.DOTALL)
    )
    assert [captions[f"fig{n}"].startswith(f"Fig. {n}. ") for n in range(1, 9)] == 8 * [True]
    found = []
    for body in re.findall(r"<table>(.*?)</table>", text, flags=re.DOTALL):
        lines = re.findall(r"<tr>(.*?)</tr>", body, flags=re.DOTALL)
        found.append(
            [[html.unescape(c) for c in re.findall(r"<t[hd]>(.*?)</t[hd]>", line)] for line in lines]
        )
    summaries, short, table2, blocks, honest, *folded = found
    together = 2  # combinations
    assert (len(blocks), len(honest)) == (1 + 17 + together, 1 + len(read_csv(worth)))
    folded = [table2, *folded]
    assert summaries[1:] == markdown((made.path / "comparison.md").read_text(encoding="utf-8"))[0][1:]
    assert short[0] == ["beam", "experiment", "Λ1", "Λ2", "Λ3"]
    for row, (beam, label, cells) in zip(short[1:], like_the_paper(limit), strict=True):
        name = {label: name for name, label in LABELS.items()}.get(label, label)
        assert row[:2] == [beam, name]
        for words, numbers in zip(row[2:], cells, strict=True):
            assert [
                figures(w.strip("[]"), n / 1e-10, 4) for w, n in zip(words.split(), numbers, strict=True)
            ] == len(numbers) * [True]
            assert [w[0] == "[" for w in words.split()] == [False, True][: len(numbers)]
    assert folded.pop(1)[0] == ["statement, and how it is judged", "verdict"]
    for row in made.rows("claims.csv"):
        words = f"<summary>{row['text']} ({row['place']})</summary>"
        assert words in html.unescape(text)
    verdicts = re.findall(r'<td class="verdict">(.*?)</td>', text)
    assert verdicts == [row["verdict"] for row in made.rows("claims.csv")]
    order = ["table2", "audit/ablation", "audit/inputs", "audit/budget", "comparison"]
    for name, rows in zip(order, folded[:-1], strict=True):
        expected = made.rows(f"{name}.csv")
        assert rows == [
            [head.replace("_", " ") for head in expected[0]],
            *(list(row.values()) for row in expected),
        ]
    assert folded[-1] == [["what", "version"], ["git commit", "0123abc"]]
    assert "The verdict." in text
    assert "git commit 0123abc" in text
