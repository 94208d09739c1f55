"""The figures, read back from what is drawn and compared with values of the front door."""

import copy
import dataclasses
import itertools
import math
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import yaml
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from scipy.stats import chi2

import pipeline.job
from cevns_tmm import Study, plotting
from cevns_tmm.nuclei import isotope
from cevns_tmm.quenching import quenching_factor
from cevns_tmm.storage import read_csv
from cevns_tmm.units import keV
from pipeline import jobs
from pipeline.job import Job
from tests.checkout import NEW, ROOT

FEW = ("CsI", "HPGe", "CONNIE", "RED100")
LABELS = {"CsI": "CsI[Na]", "HPGe": "HPGe", "CONNIE": "CONNIE", "RED100": "RED100", "NEW-1": "New detector"}
SNS, REACTORS = ("CsI", "HPGe"), ("CONNIE", "RED100", "NEW-1")
COARSE = {"flux_cells": 200, "profile_points": 40, "luminosity_points": 5, "quenching_points": 30}
PLANES = {"12": (0, 1), "13": (0, 2), "23": (1, 2)}
MODULUS = [rf"$|\Lambda_{i}|$" for i in (1, 2, 3)]


def script(name):
    """The ``main`` of a script, which ends in ``run(snakemake, main)``."""
    path, found = ROOT / f"scripts/{name}.py", []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline.job, "run", lambda _, main: found.append(main))
        exec(compile(path.read_text(encoding="utf-8"), path, "exec"), {"snakemake": None})
    return found[0]


class Files(list):
    """Files of a job, by position and by name."""

    def __init__(self, *files, **named):
        super().__init__([*files, *named.values()])
        self.__dict__ |= named

    def __getitem__(self, key):
        return vars(self)[key] if isinstance(key, str) else super().__getitem__(key)

    def items(self):
        return vars(self).items()


class Made:
    """A study whose jobs run in this process; ``overrides`` are laid over the configuration in ``folder``."""

    def __init__(self, folder, **overrides):
        self.folder, self.path = folder, folder / "results"
        self.study = Study.read(folder / "config", {"grids": COARSE} | overrides)
        self.path.mkdir(exist_ok=True)
        self.shown = {}

    def run(self, plan, inputs, /, *outputs, **named):
        """Run the script of a plan."""
        name, parameters, *_ = plan
        script(name)(Job(Files(**inputs), Files(*outputs, **named), parameters, {}))

    def file(self, name):
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        return str(path)

    def each(self, stage):
        more = {"profiles": self.study.combinations, "luminosity": self.study.drawn}.get(stage, [])
        return [self.file(f"{stage}/{name}.h5") for name in (*self.study.experiments, *more)]

    def compute(self):
        """All that the figures draw."""
        study, plans = self.study, jobs.chain(self.study) | jobs.scans(self.study)
        for source in dict.fromkeys(map(study.source_of, study.experiments)):
            self.run(plans[f"fluxes/{source}"], {}, self.file(f"fluxes/{source}.h5"))
        for name in study.experiments:
            flux = {"flux": self.file(f"fluxes/{study.source_of(name)}.h5")}
            outputs = {stage: self.file(f"{stage}/{name}.h5") for stage in ("rates", "counts")}
            self.run(plans[f"rates/{name}"], flux, **outputs)
        for path in self.each("profiles") + self.each("luminosity"):
            stage, name = Path(path).parts[-2], Path(path).stem
            counts = {"counts": [self.file(f"counts/{member}.h5") for member in study.members(name)]}
            plan = plans.get(f"chi2/{name}") or plans[f"profiles/{name}"]
            self.run(plan, counts, **{stage: path})
        self.run(plans["quenching"], {}, self.file("quenching.h5"))
        inputs = {"counts": self.each("counts")}
        self.run(plans["contours"], inputs, self.file("contours.csv"))
        for name in study.solar:
            self.run(plans[f"solar/{name}"], {}, self.file(f"solar/{name}.h5"))
        solar = [self.file(f"solar/{name}.h5") for name in study.solar]
        inputs = {"profiles": self.each("profiles"), "solar": solar}
        self.run(plans["limits"], inputs, self.file("limits.csv"))
        return self

    def draw(self, figure):
        """What a script hands over to be saved, drawn once; ``figure`` is the number or the name."""
        if figure in self.shown:
            return self.shown[figure]
        inputs = {stage: self.each(stage) for stage in ("profiles", "luminosity")}
        inputs |= {name: self.file(f"{name}.csv") for name in ("contours", "limits", "coverage")}
        inputs |= {"quenching": self.file("quenching.h5")}
        return self.shown.setdefault(figure, self.drawn(self.plan(figure), inputs))

    def plan(self, figure):
        """Script and parameters of a figure."""
        plans = jobs.figures(self.study, self.folder / "config")
        figure = f"fig{figure}" if isinstance(figure, int) else figure
        if f"figures/{figure}" in plans:
            return plans[f"figures/{figure}"]
        for job in ("curves", "planes"):
            name, parameters = plans[f"figures/{job}"]
            if figure in parameters["figures"]:
                return name, parameters | {"figures": {figure: parameters["figures"][figure]}}
        raise ValueError(f"no job draws {figure}")

    def drawn(self, plan, inputs):
        found = []
        with pytest.MonkeyPatch.context() as patch, plt.rc_context():
            patch.setattr(plotting, "save", lambda fig, title, *files: found.append((fig, title, files)))
            names = plan[1].get("figures", ["a"])
            self.run(plan, inputs, *(f"{name}.{kind}" for name in names for kind in ("pdf", "png")))
            assert [files for *_, files in found] == [(f"{name}.pdf", f"{name}.png") for name in names]
            fig, title, _ = found[0]
            fig.canvas.draw()
        return SimpleNamespace(fig=fig, title=title, axes={ax.get_title(): ax for ax in fig.axes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study of four of the experiments and a new one without colour and without future setup."""
    path = tmp_path_factory.mktemp("figures")
    (path / "config").mkdir()
    blocks = yaml.safe_load((ROOT / "config/experiments.yaml").read_text(encoding="utf-8"))["experiments"]
    blocks = {name: blocks[name] for name in FEW} | yaml.safe_load(NEW)
    text = yaml.safe_dump({"experiments": blocks}, sort_keys=False)
    (path / "config/experiments.yaml").write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(folder):
    with pytest.warns(UserWarning, match="left out"):
        return Made(folder).compute()


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def look(line):
    """Colour and dashes."""
    return to_hex(line.get_color()), str(line._unscaled_dash_pattern)


def entries(legend):
    """{label: handle}."""
    return {text.get_text(): h for text, h in zip(legend.get_texts(), legend.legend_handles, strict=True)}


def regions(legend):
    """{label: (patch, line)} of a legend of contours."""
    handles = zip(legend.findobj(Rectangle), legend.findobj(Line2D), strict=True)
    return dict(zip((text.get_text() for text in legend.get_texts()), handles, strict=True))


def curve(ax, colour, dashes):
    """x and y of the one line of a look."""
    (line,) = [line for line in ax.lines if look(line) == (colour, dashes)]
    return np.array(line.get_data(), float)


def looks(legends, kind):
    """{(label of experiment, moment): look} of a row of Figs. 2 and 3, as its legend has it."""
    found = entries(legends[kind == "reactor"])
    if kind == "reactor":
        return {(label, i): look(h) for label, h in found.items() for i in range(3)}
    styles = [look(found[symbol])[1] for symbol in MODULUS]
    return {
        (label, i): (look(handle)[0], styles[i])
        for label, handle in found.items()
        if label not in MODULUS
        for i in range(3)
    }


PANELS = [("pion-decay-at-rest", f"SNS, {beam}", beam, SNS, (0, 1, 2)) for beam in ("prompt", "delayed")] + [
    ("reactor", f"reactors, {MODULUS[i]}", "reactor", REACTORS, (i,)) for i in range(3)
]


def check_frame(made, number, expected, x_label, y_label):
    """Panels, legends and curves of Fig. 2 or 3; ``expected(experiment, beam, i, x)`` is a curve."""
    shown = made.draw(number)
    assert list(shown.axes) == [title for _, title, *_ in PANELS]
    above, below = (legend.get_window_extent() for legend in shown.fig.legends)
    for ax in shown.fig.axes:  # each legend beside its row
        assert below.y0 < ax.get_window_extent().y0 < ax.get_window_extent().y1 < above.y1
    for kind, title, beam, names, moments in PANELS:
        ax, found = shown.axes[title], looks(shown.fig.legends, kind)
        assert {label for label, _ in found} == {LABELS[name] for name in names}
        assert len(set(found.values())) == (len(found) if kind != "reactor" else len(names))
        for name, i in itertools.product(names, moments):
            look = found[LABELS[name], i]
            assert look[0] == jobs.colours(made.study)[name]
            x, y = curve(ax, *look)
            experiment = made.study.experiment(name)
            assert y == pytest.approx(expected(experiment, beam, i, x), rel=1e-9, abs=1e-12)
        assert ax.get_xlabel() == x_label
        assert ax.get_ylabel() == (y_label if title in (PANELS[0][1], PANELS[2][1]) else "")
    return shown


def test_fig1(made):
    shown = made.draw(1)
    (ax,) = shown.fig.axes
    assert shown.title == "Quenching factors"
    names = {"Si28": "$^{28}$Si", "Ar40": "$^{40}$Ar", "Ge72": "$^{72}$Ge"}
    names |= {"I127": "$^{127}$I", "Xe132": "$^{132}$Xe", "Cs133": "$^{133}$Cs"}
    handles = entries(ax.get_legend())
    assert list(handles) == list(names.values())
    assert len({look(h)[1] for h in handles.values()}) == len({look(h)[0] for h in handles.values()}) == 6
    for name, label in names.items():
        x, y = curve(ax, *look(handles[label]))
        one = isotope(name)
        assert x == pytest.approx(np.linspace(0, 300, 30))
        assert y == pytest.approx(quenching_factor(x * keV, one.Z, one.A), rel=1e-12, abs=0)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$T_A$ [keV]", "$Q(T_A)$")
    assert ax.get_xlim() == (0, 300)
    assert ax.get_ylim()[0] == 0 < 0.67 < ax.get_ylim()[1]


def alone(i, x):
    """Moments of which one is not zero, shape (3, ...)."""
    return np.eye(3)[i][:, None] * x


def test_fig2(made):
    def expected(experiment, beam, i, x):
        return experiment.delta_chi2(alone(i, x), beam)

    shown = check_frame(made, 2, expected, r"$|\Lambda_i|$ [$\mu_B$]", r"$\Delta\chi^2$")
    assert shown.title == "Profiles of the transition moments"
    for _, title, beam, names, moments in PANELS:
        ax = shown.axes[title]
        (level,) = [line for line in ax.lines if look(line)[0] == to_hex("0.5")]
        assert list(level.get_ydata()) == pytest.approx([chi2.ppf(0.9, 1)] * 2)
        named = [(text.get_text(), text.xy[1]) for text in ax.texts]
        first = title in (PANELS[0][1], PANELS[2][1])
        assert named == ([("90 % C.L.", pytest.approx(chi2.ppf(0.9, 1)))] if first else [])
        low, high = ax.get_xlim()
        for name, i in itertools.product(names, moments):
            assert low < made.study.experiment(name).limits(beam)[f"Lambda{i + 1}"] < high
        assert (ax.get_xscale(), ax.get_ylim()) == ("log", (0, 10))


def test_fig3(made):
    def expected(experiment, beam, i, x):
        found = []
        for factor in x:
            detector = dataclasses.replace(experiment.detector, mass_kg=factor * experiment.detector.mass_kg)
            larger = {"detector": detector, "analysis": experiment.analysis.scaled(factor)}
            limits = dataclasses.replace(experiment, **larger).limits(beam)
            found.append(limits[f"Lambda{i + 1}"] / 1e-10)
        return np.array(found)

    label = r"$|\Lambda_i|$ at 90 % C.L. [$10^{-10}\,\mu_B$]"
    shown = check_frame(made, 3, expected, "$F$′/$F$", label)
    assert shown.title == "Limits against luminosity"
    for ax in shown.axes.values():
        assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlim()) == ("linear", "log", (1, 80))


def check_contours(ax, line, patch, experiment, plane, beam, filled=True, **options):
    """Lines and region of one experiment in one panel."""
    expected = experiment.contour(plane, beam, **options)
    found = [np.array(drawn.get_data()) for drawn in ax.lines if look(drawn) == look(line)]
    assert len(found) == len(expected)
    for (x, y), (X, Y) in zip(found, expected, strict=True):
        assert x == pytest.approx(X, rel=1e-9, abs=0)
        assert y == pytest.approx(Y, rel=1e-9, abs=0)
    faces = [p for p in ax.patches if to_hex(p.get_facecolor()) == to_hex(patch.get_facecolor())]
    assert len(faces) == filled
    return faces[0] if faces else None


def check_region(ax, face, is_allowed):
    """A fill against ``is_allowed`` at points all over the axes."""
    low, high = np.log10(ax.get_xlim())
    points = np.random.default_rng(1).uniform(low, high, (400, 2))
    outline = face.get_path().vertices
    inside = type(face.get_path())(np.log10(outline)).contains_points(points)
    assert 20 < inside.sum() < 380
    expected = np.array([is_allowed(*10**point) for point in points])
    # a contour is a polyline: points within its steps may fall on either side
    assert (inside != expected).sum() <= 2


def moments(plane, x, y):
    Lambda = np.zeros(3)
    Lambda[list(PLANES[plane])] = x, y
    return Lambda


def check_axes(axes, limits):
    """Names, scales, ranges and ticks of a row of planes."""
    for ax, (i, j) in zip(axes, PLANES, strict=True):
        assert ax.get_xlabel() == rf"$|\Lambda_{i}|$ [$\mu_B$]"
        assert ax.get_ylabel() == rf"$|\Lambda_{j}|$ [$\mu_B$]"
        assert ax.get_xscale() == ax.get_yscale() == "log"
        assert (*ax.get_xlim(), *ax.get_ylim()) == pytest.approx((*limits, *limits), rel=1e-12, abs=0)
        for axis in (ax.xaxis, ax.yaxis):
            assert len(axis.get_minorticklocs()) > len(axis.get_majorticklocs())


@pytest.mark.parametrize(
    ("number", "names", "rows", "limits", "where"),
    [
        (
            4,
            SNS,
            [("current", "delayed"), ("current", "prompt")],
            (1e-11, 1e-7),
            "at the SNS, current setups",
        ),
        (5, SNS, [("future", "delayed"), ("future", "prompt")], (1e-11, 1e-7), "at the SNS, future setups"),
        (6, REACTORS, [("current", "reactor"), ("future", "reactor")], (1e-12, 1e-8), "at reactors"),
    ],
)
def test_planes(made, number, names, rows, limits, where):
    shown = made.draw(number)
    assert shown.title == f"Allowed regions {where}"
    (legend,) = shown.fig.legends
    handles = regions(legend)
    assert list(handles) == [LABELS[name] for name in names]
    assert len({look(line)[1] for _, line in handles.values()}) == len(names)
    assert len(shown.fig.axes) == 6
    for axes, (setup, beam) in zip(np.reshape(shown.fig.axes, (2, 3)), rows, strict=True):
        place = "reactors" if beam == "reactor" else f"SNS, {beam}"
        assert [ax.get_title() for ax in axes] == ["", f"{place}, {setup} setup, 90 % C.L.", ""]
        check_axes(axes, limits)
        for ax, plane in zip(axes, PLANES, strict=True):
            there = [name for name in names if setup in made.study.setups(name)]
            assert len(ax.lines) == len(ax.patches) == len(there)
            for name in there:
                patch, line = handles[LABELS[name]]
                assert look(line)[0] == jobs.colours(made.study)[name]
                experiment = made.study.experiment(name, setup)
                face = check_contours(ax, line, patch, experiment, plane, beam)
                level = chi2.ppf(0.9, 2)
                check_region(
                    ax,
                    face,
                    lambda x, y: experiment.delta_chi2(moments(plane, x, y), beam) < level,  # noqa: B023
                )
            sizes = [np.prod(patch.get_path().vertices.max(axis=0)) for patch in ax.patches]
            assert sizes == sorted(sizes, reverse=True)  # no region hides a smaller one


def test_the_legend_has_the_experiments_of_its_setups(made):
    name, parameters = made.plan(5)
    parameters["figures"]["fig5"]["experiments"]["HPGe"]["setups"] = ["current"]
    shown = made.drawn((name, parameters), {"contours": made.file("contours.csv")})
    assert list(regions(shown.fig.legends[0])) == ["CsI[Na]"]


def test_fig7(made):
    shown = made.draw(7)
    assert shown.title == "Allowed regions for different phases"
    rows = [
        ("CsI", "prompt", "CsI[Na], prompt", (1e-9, 1e-7)),
        ("CONNIE", "reactor", "CONNIE", (1e-11, 1e-9)),
    ]
    for axes, (name, beam, title, limits) in zip(np.reshape(shown.fig.axes, (2, 3)), rows, strict=True):
        assert [ax.get_title() for ax in axes] == ["", f"{title}, 90 % C.L.", ""]
        check_axes(axes, limits)
        cases = [(0, 0, "0", "0"), (1, 0, r"\pi", "0"), (0, 1, "0", r"\pi")][: 3 if name == "CsI" else 2]
        for ax, plane, k in zip(axes, PLANES, (3, 2, 1), strict=True):
            handles = regions(ax.get_legend())
            labels = [rf"$\xi_{k}={xi},\ \delta_\mathrm{{CP}}={delta}$" for *_, xi, delta in cases]
            assert list(handles) == labels
            for n, (label, (xi, delta, *_)) in enumerate(zip(labels, cases, strict=True)):
                patch, line = handles[label]
                assert look(line)[0] == jobs.colours(made.study)[name]
                experiment = made.study.experiment(name)
                oscillation = {**experiment.analysis.oscillation, "delta_CP_over_pi": delta}
                analysis = dataclasses.replace(experiment.analysis, oscillation=oscillation)
                experiment = dataclasses.replace(experiment, analysis=analysis)
                check_contours(ax, line, patch, experiment, plane, beam, n == 0, xi_over_pi=xi)
            assert len({look(line) for _, line in handles.values()}) == len(cases)


def test_fig8(made):
    shown = made.draw(8)
    assert shown.title == "Region allowed by solar neutrinos"
    ((label, (patch, line)),) = regions(shown.fig.legends[0]).items()
    assert label == "Borexino, 90 % C.L."
    check_axes(shown.fig.axes, (1e-12, 1e-10))
    solar = made.study.experiment("Borexino")
    for ax, plane in zip(shown.fig.axes, PLANES, strict=True):
        face = check_contours(ax, line, patch, solar, plane, "solar")
        check_region(
            ax,
            face,
            lambda x, y: solar.mu_nu_sq(moments(plane, x, y)) < 2.8e-11**2,  # noqa: B023
        )


def test_the_table_of_contours(made):
    """Its columns, the figures it has, and the phases that a solar limit does not depend on."""
    rows = read_csv(made.file("contours.csv"))
    columns = "figure,reading,experiment,setup,beam,plane,xi_over_pi,delta_CP_over_pi,curve,x_muB,y_muB"
    assert list(rows[0]) == columns.split(",")
    assert {row["figure"] for row in rows} == {*"45678", "profiled"}
    assert {row["reading"] for row in rows} == {"inferred"}
    keys = {tuple(row[c] for c in ("figure", "experiment", "xi_over_pi", "delta_CP_over_pi")) for row in rows}
    assert {key for key in keys if key[0] in "78"} == {
        *(("7", "CsI", xi, delta) for xi, delta in (("0.0", "0.0"), ("1.0", "0.0"), ("0.0", "1.0"))),
        *(("7", "CONNIE", xi, "0.0") for xi in ("0.0", "1.0")),
        ("8", "Borexino", "", ""),
    }
    assert {key[1] for key in keys if key[0] == "6"} == set(REACTORS)
    profiled = {
        (row["setup"], *key[1:])
        for row, key in (
            (r, tuple(r[c] for c in ("figure", "experiment", "beam", "xi_over_pi", "delta_CP_over_pi")))
            for r in rows
        )
        if key[0] == "profiled"
    }
    beams = [(name, beam) for name in (*SNS, *REACTORS) for beam in made.study.beams(name)]
    assert profiled == {("current", name, beam, "", "") for name, beam in beams}


# What the limits are worth.


def test_profiled_planes(made):
    """Lines: the profiled contours; below them the regions of Figs. 4 and 6."""
    shown = made.draw("profiled")
    assert shown.title == "Profiled planes"
    assert "lines: third moment and all phases free; shaded: third moment and phases 0" in written(shown)
    rows = [(SNS, "delayed", "SNS, delayed beam"), (REACTORS, "reactor", "reactors")]
    assert len(shown.fig.legends) == len(rows)
    for axes, legend, (names, beam, title) in zip(
        np.reshape(shown.fig.axes, (2, 3)), shown.fig.legends, rows, strict=True
    ):
        assert [ax.get_title() for ax in axes] == ["", f"{title}, current setups, 90 % C.L.", ""]
        handles = entries(legend)
        assert list(handles) == [LABELS[name] for name in names]
        assert len({look(handle)[1] for handle in handles.values()}) == len(names)
        for ax, plane in zip(axes, PLANES, strict=True):
            assert len(ax.patches) == len(names)
            for name in names:
                experiment, handle = made.study.experiment(name), handles[LABELS[name]]
                assert look(handle)[0] == jobs.colours(made.study)[name]
                wanted = experiment.contour(plane, beam, method="profiled")
                found = [
                    line.get_data()
                    for line in ax.lines
                    if look(line) == look(handle) and line.get_linestyle() != "None"
                ]
                assert len(found) == len(wanted) == (1 if beam == "delayed" else 2)  # an open strip
                for one, other in zip(found, wanted, strict=True):
                    assert np.array(one) == pytest.approx(np.array(other), rel=1e-9, abs=0)
                face = to_hex(plotting.tint(handle.get_color()))
                (region,) = [patch for patch in ax.patches if to_hex(patch.get_facecolor()) == face]
                check_region(
                    ax,
                    region,
                    lambda x, y: experiment.delta_chi2(moments(plane, x, y), beam) < chi2.ppf(0.9, 2),  # noqa: B023
                )


def test_all_limits(made):
    """Every point against the front door, unbounded ones at the edge, and published ones as printed."""
    shown = made.draw("limits")
    assert shown.title == "All limits"
    *planes, effective = shown.fig.axes
    assert [ax.get_title() for ax in planes] == MODULUS
    assert {ax.get_xscale() for ax in shown.fig.axes} == {"log"}
    names = [text.get_text() for text in planes[0].get_yticklabels()]
    later = read_csv(ROOT / "resources/later_limits.csv")
    assert names == [*LABELS.values(), "Borexino", *(row["label"] for row in later)]
    heights = dict(zip(names, planes[0].get_yticks(), strict=True))

    def points(ax, name, colour):
        near = [
            line
            for line in ax.lines
            if len(line.get_xdata()) == 1 and abs(line.get_ydata()[0] - heights[name]) < 0.5
        ]
        assert {to_hex(line.get_color()) for line in near} == {colour}
        return {
            (round(line.get_ydata()[0] - heights[name], 1), line.get_marker(), line.get_fillstyle()): line
            for line in near
        }

    shifts, symbols = {"current": (-0.2, "o"), "future": (0.2, "s")}, (r"$\mathrm{e}$", r"$\mu$")
    apart = dict(zip(symbols, (-0.1, 0.1), strict=True))
    for name, label in LABELS.items():
        colour, beam = jobs.colours(made.study)[name], "full" if name in SNS else "reactor"
        for i, ax in enumerate(planes, 1):
            found = points(ax, label, colour)
            for setup in made.study.setups(name):
                shift, marker = shifts[setup]
                experiment = made.study.experiment(name, setup)
                alone = found.pop((shift, marker, "full"))
                assert alone.get_xdata()[0] == pytest.approx(
                    experiment.limits(beam)[f"Lambda{i}"], rel=1e-9, abs=0
                )
                free = experiment.limits(beam, method="profiled")[f"Lambda{i}"]
                assert math.isinf(free) == (beam == "reactor")
                line = found.pop((shift, ">" if math.isinf(free) else marker, "none"))
                if math.isinf(free):
                    assert line.get_transform() == ax.get_yaxis_transform()
                    assert 0.9 < line.get_xdata()[0] < 1
                else:
                    assert line.get_xdata()[0] == pytest.approx(free, rel=1e-9, abs=0)
            assert not found
        found = points(effective, label, colour)
        for setup in made.study.setups(name):
            experiment = made.study.experiment(name, setup)
            analysis, level = experiment.sensitivity(beam), experiment.analysis.level(1)
            for symbol, limit in zip(symbols, analysis.flavour_limits(level)[3:], strict=True):
                height = round(shifts[setup][0] + apart[symbol], 1)
                line = found.pop((height, symbol, "full"), None)
                assert (line is None) == math.isinf(limit)
                assert line is None or line.get_xdata()[0] == pytest.approx(limit, rel=1e-9, abs=0)
        assert not found
    borexino, blue = made.study.experiment("Borexino"), jobs.colours(made.study)["Borexino"]
    for i, ax in enumerate(planes, 1):
        limit = pytest.approx(borexino.limits()[f"Lambda{i}"], rel=1e-9, abs=0)
        assert [line.get_xdata()[0] for line in points(ax, "Borexino", blue).values()] == [limit] * 2
        (line,) = [line for line in ax.lines if len(line.get_xdata()) == 2]
        assert list(line.get_xdata()) == [limit] * 2
    ((key, line),) = points(effective, "Borexino", blue).items()
    assert (key[1], line.get_xdata()[0]) == (r"$\odot$", 2.8e-11)
    for row in later:
        ((key, line),) = points(effective, row["label"], to_hex("0")).items()
        assert key[1] == {"mu_nu_e": symbols[0], "mu_nu_solar": r"$\odot$"}[row["parameter"]]
        assert line.get_xdata()[0] == float(row["limit_muB"])
        assert "arXiv:" in row["source"]
    assert list(entries(shown.fig.legends[0]))[2:4] == ["others and all phases free", "unbounded"]


def test_a_limit_that_does_not_exist_is_marked(other):
    """At this level CsI excludes no number of events; reactors stay unbounded."""
    shown = other.draw("limits")
    markers = {line.get_marker() for line in shown.fig.axes[0].lines}
    assert {"x", ">"} <= markers
    assert {"no sensitivity", "unbounded"} <= set(entries(shown.fig.legends[0]))
    labels = [text.get_text() for text in shown.fig.axes[0].get_yticklabels()]
    assert {"Borexino, 90 % C.L.", "CsI[Na]"} <= set(labels)  # published limits have a level of their own


def test_coverage(made):
    """Lines of every truth, from a table made up here; the data and a projection at each source."""
    truths = {
        "CsI": ("0.28", ["data"]),
        "HPGe": ("0.2", ["excess", "total"]),
        "CONNIE": ("0.2", ["excess", "total"]),
    }
    rows, values = [], itertools.count(1)
    for name, (sigma, forms) in truths.items():
        keys = itertools.product(
            ("literal", "inferred"),
            ("current", "future"),
            forms,
            ("fixed", f"excess-{sigma}", "total-0.03", f"total-{sigma}"),
            (0, 50, 100),
        )
        for reading, setup, form, truth, n_em in keys:
            row = {
                "reading": reading,
                "experiment": name,
                "setup": setup,
                "nuisance_on": form,
                "truth": truth,
                "n_em": n_em,
            }
            rows.append(row | {f"coverage_{kind}": 1 - next(values) / 1e3 for kind in ("interval", "upper")})
    write(made.file("coverage.csv"), rows)
    shown = made.draw("coverage")
    assert shown.title == "Coverage"
    titles = {"data": "data", "excess": r"$\chi^2$: excess ± $\sigma$", "total": r"$\chi^2$: rate ± $\sigma$"}
    assert len(shown.axes) == 6 == 1 + sum(len(forms) for _, forms in truths.values())
    handles = entries(shown.fig.axes[-1].get_legend())
    assert list(handles) == [
        "truth: exact",
        r"truth: excess ± $\sigma$",
        "truth: rate ± 3 %",
        r"truth: rate ± $\sigma$",
        "interval, 90 % C.L.",
        "its upper limit",
    ]
    *of_truth, interval, upper = handles.values()
    for name, (sigma, forms) in truths.items():
        for form in forms:
            ax = shown.axes[f"{LABELS[name]}, {titles[form]}"]
            wanted = [
                r
                for r in rows
                if (r["reading"], r["setup"], r["experiment"], r["nuisance_on"])
                == ("inferred", "current", name, form)
            ]
            for truth, handle in zip(
                ("fixed", f"excess-{sigma}", "total-0.03", f"total-{sigma}"), of_truth, strict=True
            ):
                points = [row for row in wanted if row["truth"] == truth]
                for kind, dashes in (("interval", interval), ("upper", upper)):
                    x, y = curve(ax, look(handle)[0], look(dashes)[1])
                    assert list(x) == [0, 50, 100]
                    assert list(y) == pytest.approx([row[f"coverage_{kind}"] for row in points])
            (level,) = [line for line in ax.lines if look(line)[0] == to_hex("0.5")]
            assert list(level.get_ydata()) == [0.9, 0.9]
            assert ax.get_ylim()[0] < min(line.get_ydata().min() for line in ax.lines[:-1])


# What is not as in the paper's figures.


def written(shown):
    """All text of a figure."""
    return [text.get_text() for text in shown.fig.findobj(plt.Text) if text.get_text()]


def test_nothing_is_written_for_the_paper_s_own(made):
    for number in range(1, 9):
        assert not any("reading" in text or r"$\delta" in text for text in written(made.draw(number)))


@pytest.fixture(scope="module")
def other(folder):
    """Another reading, Dirac phase and level."""
    changes = {
        "figures_reading": "literal",
        "oscillation": {"delta_CP_over_pi": 1.5},
        "confidence_level": 0.99999,
    }
    with pytest.warns(UserWarning, match="left out|RED100.*no events|no sensitivity"):
        return Made(folder, **changes).compute()


@pytest.mark.parametrize("number", range(2, 9))
def test_another_reading_phase_and_level_are_written(other, number):
    shown = other.draw(number)
    text = written(shown)
    note = "literal reading" if number in (7, 8) else r"$\delta_\mathrm{CP}=1.5\pi$, literal reading"
    assert text.count(note) == 1
    level = "90 % C.L." if number == 8 else "99.999 % C.L."  # the level of the solar limit is its own
    assert any(level in part for part in text)
    assert not any("90 % C.L." in part for part in text if number != 8)


def test_an_experiment_without_contours_says_so(other):
    """1 / σ² bounds chi²: no excess is excluded at this level by 28 % of CsI."""
    assert other.study.experiment("CsI").contour("12", "prompt") == []
    assert "CsI[Na]: no limit" in written(other.draw(4))
    assert "HPGe" in written(other.draw(4))
    assert "CsI[Na], prompt, 99.999 % C.L., no limit" in written(other.draw(7))


def test_axes_of_planes_hold_the_ends_of_the_contours(other):
    """At this level those of CONNIE lie beyond the range given for Fig. 7."""
    ((x, _),) = other.study.experiment("CONNIE").contour("12")
    assert x[0] > 1e-9
    for ax in other.draw(7).fig.axes[3:]:
        for x, y in (line.get_data() for line in ax.lines):
            assert ax.get_xlim()[0] < x[0] < ax.get_xlim()[1]
            assert ax.get_ylim()[0] < y[-1] < ax.get_ylim()[1]


def test_the_axis_holds_any_level(other):
    shown, level = other.draw(2), chi2.ppf(0.99999, 1)
    for ax in shown.fig.axes:
        low, high = ax.get_window_extent().intervaly
        assert level < ax.get_ylim()[1]
        for text in ax.texts:
            assert low < text.get_window_extent().y0 < text.get_window_extent().y1 < high


# Any number of experiments.


def many(path, count):
    """A study of ``count`` new reactor experiments without colours, and nothing else."""
    (path / "config").mkdir()
    block = yaml.safe_load(NEW)["NEW-1"]
    blocks = {
        f"Reactor-{n}": copy.deepcopy(block)
        | {"label": f"Reactor experiment {n}", "flux_per_cm2_s": n * 1e12}
        for n in range(1, count + 1)
    }
    text = yaml.safe_dump({"experiments": blocks}, sort_keys=False)
    (path / "config/experiments.yaml").write_text(text, encoding="utf-8")
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    (path / "config/config.yaml").write_text(yaml.safe_dump(config | {"solar": {}}), encoding="utf-8")
    with pytest.warns(UserWarning, match="left out"):
        return Made(path).compute()


@pytest.mark.parametrize("count", [1, 20])
def test_any_number_of_experiments(tmp_path, count):
    made = many(tmp_path, count)
    for number, panels in ((2, 3), (6, 3)):
        shown = made.draw(number)
        assert len(shown.fig.axes) == panels
        (legend,) = shown.fig.legends
        found = {look(line) for line in legend.findobj(Line2D)}
        assert len(found) == len({colour for colour, _ in found}) == count
        page, box = shown.fig.bbox, legend.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= page.x1
        axes = [ax.get_tightbbox() for ax in shown.fig.axes]
        for text in legend.get_texts():
            assert not any(text.get_window_extent().overlaps(box) for box in axes)
        assert min(ax.get_window_extent().height for ax in shown.fig.axes) > 100
    for name, panels, height in (("profiled", 3, 100), ("limits", 4, 15 * (count + 1))):
        shown = made.draw(name)
        assert len(shown.fig.axes) == panels
        (legend,) = shown.fig.legends
        assert legend.get_window_extent().x1 <= shown.fig.bbox.x1
        assert len({to_hex(line.get_color()) for line in shown.fig.axes[0].lines}) == count
        assert min(ax.get_window_extent().height for ax in shown.fig.axes) > height
    for number in (4, 5, 7, 8):
        (reason,) = written(made.draw(number))
        assert "this study" in reason.lower()


def test_equal_labels_and_colours_are_told_apart(tmp_path):
    block = yaml.safe_load(NEW)["NEW-1"] | {"colour": "#332288"}
    blocks = {name: copy.deepcopy(block) for name in ("One", "Two")}
    blocks["Three"] = copy.deepcopy(block) | {"label": "Third", "colour": "#CC6677"}
    (tmp_path / "experiments.yaml").write_text(yaml.safe_dump({"experiments": blocks}), encoding="utf-8")
    with pytest.warns(UserWarning, match="left out"):
        found = jobs.style(Study.read(tmp_path))
    assert {name: one["label"] for name, one in found.items()} == {
        "One": "New detector (One)",
        "Two": "New detector (Two)",
        "Three": "Third",
    }
    assert found["One"]["colour"] == "#332288"
    assert found["Three"]["colour"] == "#cc6677"
    assert found["Two"]["colour"] not in ("#332288", "#cc6677")


# The audit's figures, from tables made up here.


def write(path, rows):
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_budget(made):
    parameters = jobs.judgements(made.study, made.folder / "config")["figures/budget"]
    inputs, values, rows = list(made.study.config["audit"]["budget"]), itertools.count(1), []
    keys = itertools.product(LABELS, ("current", "future"), (1, 2), inputs)
    for name, setup, i, key in keys:
        for beam in ("prompt", "full") if name in SNS else ("reactor",):
            value = next(values)
            row = {"experiment": name, "setup": setup, "beam": beam, "parameter": f"Lambda{i}", "input": key}
            rows.append(row | {"down [%]": f"-{value / 3:.4f}", "up [%]": f"+{value / 7:.4f}"})
    write(made.file("budget.csv"), rows)
    shown = made.drawn(parameters, {"budget": made.file("budget.csv")})
    assert shown.title == "Sensitivity to the inputs"
    handles = entries(shown.fig.legends[0])
    assert [(label, patch.get_fill()) for label, patch in handles.items()] == [("up", True), ("down", False)]
    titles = {label: name for name, label in LABELS.items()}
    visible = [ax for ax in shown.fig.axes if ax.get_visible()]
    assert len({ax.get_xlim() for ax in visible}) == 1
    assert len(visible) == len(LABELS)
    for ax in visible:
        label, _, beam = ax.get_title().rpartition(", ")
        name = titles[label]
        assert beam == ("full" if name in SNS else "reactor")
        for key, tick in zip(inputs, ax.get_yticks(), strict=True):
            (row,) = [
                row
                for row in rows
                if (row["experiment"], row["beam"], row["input"]) == (name, beam, key)
                and (row["setup"], row["parameter"]) == ("current", "Lambda1")
            ]
            near = [p for p in ax.patches if abs(p.get_y() + p.get_height() / 2 - tick) < 0.5]
            drawn = {p.get_fill(): p.get_width() for p in near}
            assert drawn == {True: float(row["up [%]"]), False: float(row["down [%]"])}
            assert {to_hex(p.get_facecolor() if p.get_fill() else p.get_edgecolor()) for p in near} == {
                jobs.colours(made.study)[name]
            }
    ticks = [text.get_text() for text in visible[0].get_yticklabels()]
    assert ticks[:3] == [rf"sin²$θ_{{\mathrm{{{i}}}}}$ ± 1$σ$" for i in (12, 23, 13)]
    rest = ["nuclear radius ± 3 %", "diffuseness ± 3 %", "flux ± 5 %", r"$σ_{\mathrm{sys}}$ ± 25 %"]
    assert ticks[3:] == ["quenching $κ$ ± 10 %", *rest, "threshold ± 10 %"]
    first, last = (visible[0].transData.transform((0, y))[1] for y in (0, len(ticks)))
    assert first > last  # the first input is at the top
    assert visible[-1].get_xlabel() == r"change of $|\Lambda_1|$ [%]"


def test_ablation(made):
    plan = jobs.judgements(made.study, made.folder / "config")["figures/ablation"]
    published = pipeline.published.table2()
    names = [*LABELS, "Borexino"]
    variants = {"inferred": "inferred", "without-red100-nuclear-recoil": "without RED100 recoil energy"}
    factors, rows = {}, []
    for n, (reading, key) in enumerate(itertools.product(made.study.audit.readings, published)):
        if key[0] in names:
            factor = math.inf if key[0] == "RED100" and "recoil" in reading else 0.5 + 0.01 * n
            factors[reading, key] = factor
            limit = float(published[key]) * 1e-10 * factor
            row = dict(zip(("experiment", "setup", "beam", "parameter"), key, strict=True))
            row |= {"limit_muB": limit, "confidence_level": 0.9}
            rows.append({"reading": reading, "method": "one-at-a-time"} | row)
    write(made.file("audit.csv"), rows)
    shown = made.drawn(plan, {"limits": made.file("audit.csv")})
    assert shown.title == "Departures, switched off one at a time"
    ax, bar = shown.fig.axes
    columns = [text.get_text() for text in ax.get_xticklabels()]
    blocks = [text.get_text() for text in ax.get_yticklabels()]
    assert columns[0] == "inferred"
    assert columns[-1] == "literal"
    assert "CsI[Na], current, prompt" in blocks
    assert "Borexino, current, solar" in blocks
    cells = {(round(t.get_position()[1]), round(t.get_position()[0])): t for t in ax.texts}
    shades = ax.images[0].to_rgba(ax.images[0].get_array())
    labels = LABELS | {"Borexino": "Borexino"}
    for (reading, title), block in itertools.product(variants.items(), {key[:3] for _, key in factors}):
        place = blocks.index(", ".join([labels[block[0]], *block[1:]])), columns.index(title)
        found = [f for (r, key), f in factors.items() if (r, key[:3]) == (reading, block)]
        mean = math.prod(found) ** (1 / 3)
        assert cells[place].get_text() == ("∞" if math.isinf(mean) else f"{mean:.{2 if mean < 10 else 0}f}")
        is_dark = to_hex(shades[place]) == to_hex("0.15")
        assert is_dark == math.isinf(mean)
        if not is_dark and abs(math.log10(mean)) > 0.05:
            assert (shades[place][0] > shades[place][2]) == (mean > 1)  # red is weaker than published
    assert bar.get_xlabel() == "reproduced / published limit; ∞: no limit"
