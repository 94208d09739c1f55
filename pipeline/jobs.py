"""The jobs of a study: the parameters of each, as its plan file has them.

Jobs that others need come first. A parameter is here if, and only if, the results of the job depend on it.
"""

import dataclasses
import itertools
import subprocess
from importlib.metadata import version
from pathlib import Path

from cevns_tmm import reactor_spectra
from cevns_tmm.config import PAPER
from cevns_tmm.detector import BINNED
from cevns_tmm.study import LITERAL, SETUPS
from pipeline import code, published
from pipeline.plan import digest

AROUND = ("jsonschema", "pygments", "PyYAML", "snakemake", "tabulate")
"""Packages that no number depends on: they plan, check and lay out."""

SNS, REACTOR = "pion-decay-at-rest", "reactor"
STYLE = "paper.mplstyle"

REPORTED = {
    "table2": "table2",
    "comparison": "comparison",
    "claims": "claims",
    "ablation": "audit/ablation",
    "inputs": "audit/inputs",
    "budget": "audit/budget",
    "check": "check",
    "provenance": "provenance",
}
"""Tables of the report and their CSV files in results/."""


def plans(study, folder=None):
    """{job: plan} of a study whose files are in ``folder``; where it has none they are the paper's."""
    found = chain(study) | scans(study) | tables(study) | figures(study, folder)
    found |= {f"audit/{job}": content for job, content in chain(study.audit, audit=True).items()}
    found |= judgements(study, folder)
    return {job: planned(*content) for job, content in found.items()}


def planned(script, parameters, data=()):
    """The plan of a job: its parameters and the identity of its code, data files and packages."""
    return dict(
        script=script,
        parameters=parameters,
        code=code.watched(script),
        data={path.name: code.sha256(path) for path in data} | _files(parameters),
        versions=code.versions(),
        attempt=0,
    )


def _files(parameters):
    """Files whose tables are among the parameters of a job: {name: SHA-256}."""
    if not isinstance(parameters, dict):
        return {}
    if "sha256" in parameters:
        return {parameters["file"]: parameters["sha256"]}
    return {name: value for part in parameters.values() for name, value in _files(part).items()}


def _fields(instance):
    """Fields of a dataclass that have a value."""
    return {k: v for k, v in dataclasses.asdict(instance).items() if v is not None}


def _groups(study, name, part, setups=SETUPS):
    """``part`` of an experiment, a function of it, by "setup/reading"."""
    return {
        f"{setup}/{reading}": part(study.experiment(name, setup, reading))
        for setup in study.setups(name)
        if setup in setups
        for reading in study.readings
    }


def _analysis(experiment):
    return _fields(experiment.analysis)


def _setup(experiment):
    detector = {k: v for k, v in _fields(experiment.detector).items() if k not in BINNED}
    return dict(source=_fields(experiment.source), detector=detector)


def _range(study, name, key):
    return study.config["sources"][study.source_of(name)][key]


def _by_reading(study, name):
    return {reading: _fields(study.experiment(name, reading=reading)) for reading in study.readings}


def _spectra(study, source):
    """Data files of the library that the spectrum of a source is from."""
    reactor = study.config["sources"][source]["kind"] == REACTOR
    return (reactor_spectra.BELOW, reactor_spectra.ABOVE) if reactor else ()


def chain(study, audit=False):
    """From spectra to limits; the audit computes the same of all its variants, without grids."""
    grids, found = study.config["grids"], {}
    profile, plane = (2 if audit else grids[f"{key}_points"] for key in ("profile", "plane"))
    for source in dict.fromkeys(map(study.source_of, study.experiments)):
        spectra = {reading: study.source(source, reading).spectrum for reading in study.readings}
        parameters = dict(source=source, spectra=spectra, cells=grids["flux_cells"])
        found[f"fluxes/{source}"] = "tabulate_flux", parameters, _spectra(study, source)
    for name in study.experiments:
        setups, source = _groups(study, name, _setup), study.source_of(name)
        parameters = dict(experiment=name, setups=setups, nodes=grids["recoil_nodes"])
        by_power = "thermal_power_MW" in study.config["sources"][source]
        data = (*_spectra(study, source), reactor_spectra.ENERGY) if by_power else ()
        found[f"rates/{name}"] = "compute_rates", parameters, data
    for name in study.experiments:
        analyses, muB = _groups(study, name, _analysis), _range(study, name, "profile_muB")
        parameters = dict(experiment=name, analyses=analyses, beams=study.beams(name))
        found[f"profiles/{name}"] = ("compute_profiles", parameters | dict(range_muB=muB, points=profile))
    for name in study.solar:
        muB, readings = study.config["solar"][name]["plane_muB"], _by_reading(study, name)
        parameters = dict(experiment=name, readings=readings, range_muB=muB, points=plane)
        found[f"solar/{name}"] = "compute_solar", parameters
    experiments = {e: [study.setups(e), list(study.beams(e))] for e in study.experiments}
    parameters = dict(experiments=experiments, solar=study.solar, readings=study.readings)
    return found | {"limits": ("write_limits", parameters)}


def scans(study):
    """Planes, phases and luminosity; the quenching factor of Fig. 1."""
    config, grids, found = study.config, study.config["grids"], {}
    contours = {name: plane_contours(study, name) for name in study.experiments}
    phases = {name: phase_contours(study, name) for name in config["phases"]}
    for stage, shown in (("planes", contours), ("phases", phases)):
        for name, groups in shown.items():
            analyses, muB = _groups(study, name, _analysis), _range(study, name, "plane_muB")
            parameters = dict(experiment=name, analyses=analyses, contours=groups)
            parameters |= dict(range_muB=muB, points=grids["plane_points"])
            found[f"{stage}/{name}"] = "compute_planes", parameters
    for name in study.experiments:
        analyses = _groups(study, name, _analysis, ["current"])
        parameters = dict(experiment=name, analyses=analyses, beams=study.beams(name))
        parameters |= dict(range=config["luminosity"]["range"], points=grids["luminosity_points"])
        found[f"luminosity/{name}"] = "compute_luminosity", parameters
    parameters = {key: config["quenching"][key] for key in ("nuclides", "kappa_scale", "T_max_keV")}
    found["quenching"] = "compute_quenching", parameters | dict(points=grids["quenching_points"])
    return found


def plane_contours(study, name):
    """Planes of an experiment, by "setup/reading/beam": all setups and beams at the phases of the study."""
    reading, found = study.config["figures_reading"], {}
    for setup in study.setups(name):
        delta = study.experiment(name, setup).analysis.oscillation["delta_CP_over_pi"]
        for beam, components in study.beams(name).items():
            found[f"{setup}/{reading}/{beam}"] = dict(
                counts=f"{setup}/{reading}", beam=list(components), xi_over_pi=0.0, delta_CP_over_pi=delta
            )
    return found


def phase_contours(study, name):
    """Planes of an experiment with the phases of Fig. 7, by group."""
    reading, block = study.config["figures_reading"], study.config["phases"][name]
    beam = dict(counts=f"current/{reading}", beam=list(study.beams(name)[block["beam"]]))
    group = f"current/{reading}/{block['beam']}"
    return {f"{group}/case{n}": beam | case for n, case in enumerate(block["cases"], 1)}


def style(study, kind=None):
    """Label, colour, setups and source kind of every experiment, or of those at one kind of source."""
    cycle = itertools.cycle(["#000000", "#56B4E9", "#661100", "#6699CC", "#888888"])
    blocks = {
        name: dict(
            label=block.get("label", name),
            colour=block.get("colour") or next(cycle),
            kind=study.source_kind(name),
            setups=study.setups(name),
        )
        for name, block in study.config["experiments"].items()
    }
    return {name: block for name, block in blocks.items() if kind in (None, block["kind"])}


def tables(study):
    """The tables of results."""
    setups = {e: study.setups(e) for e in study.experiments}
    labels = {name: block["label"] for name, block in style(study).items()}
    shown, level = study.config["figures_reading"], study.config["confidence_level"]
    table2 = dict(labels=labels, reading=shown, confidence_level=level)
    return {
        "counts": ("write_counts", dict(setups=setups, readings=study.readings)),
        "table2": ("write_table2", table2, [published.TABLE]),
    }


def _drawing(folder):
    """The style of the figures, the study's own or the paper's: its settings as text."""
    own = Path(folder or PAPER) / STYLE
    text = (own if own.is_file() else PAPER / STYLE).read_text(encoding="utf-8")
    return "".join(f"{line}\n" for line in text.splitlines() if line.strip() and line[0] != "#")


def _plane_range(study, kind):
    """Range that holds the planes of all sources of one kind [mu_B]."""
    sources = [s for s in study.config["sources"].values() if s["kind"] == kind]
    ranges = [source["plane_muB"] for source in sources] or [[1e-12, 1e-7]]
    return [min(low for low, _ in ranges), max(high for _, high in ranges)]


def figures(study, folder):
    """Figs. 1 to 8."""
    shown, level = study.config["figures_reading"], study.config["confidence_level"]
    drawing = _drawing(folder)
    common = dict(style=drawing, reading=shown, confidence_level=level)
    found = {1: ("plot_fig1", dict(style=drawing))}
    for n in (2, 3):
        found[n] = f"plot_fig{n}", common | dict(experiments=style(study))
    for n, kind, setup, beams in (
        (4, SNS, ["current"], ["delayed", "prompt"]),
        (5, SNS, ["future"], ["delayed", "prompt"]),
        (6, REACTOR, SETUPS, ["reactor"]),
    ):
        rows = [[f"{s}/{shown}/{beam}", s, beam] for s in setup for beam in beams]
        parameters = dict(experiments=style(study, kind), range_muB=_plane_range(study, kind))
        found[n] = "plot_planes", common | parameters | dict(rows=rows)
    phases = study.config["phases"]
    parameters = dict(
        experiments={name: style(study)[name] for name in phases},
        contours={name: phase_contours(study, name) for name in phases},
    )
    found[7] = "plot_fig7", common | parameters
    levels = {name: study.experiment(name).confidence_level for name in study.solar}
    found[8] = "plot_fig8", common | dict(levels=levels)
    return {f"figures/fig{n}": content for n, content in found.items()}


def judgements(study, folder):
    """Comparison, claims, audit, checks and provenance."""
    shown, audit = study.config["figures_reading"], study.config["audit"]
    drawing = _drawing(folder)
    both, experiments = list(dict.fromkeys([LITERAL, shown])), study.experiments
    titles = {
        key: {name: block["title"] for name, block in audit[key].items()} for key in ("inputs", "budget")
    }
    claims = dict(
        claims=study.config["claims"],
        readings=both,
        kinds={e: study.source_kind(e) for e in experiments},
        beams={e: study.beams(e) for e in experiments},
        analyses={r: {e: _analysis(study.experiment(e, reading=r)) for e in experiments} for r in both},
        solar={name: _by_reading(study, name) for name in study.solar},
    )
    variants = dict(shown=shown, literal=LITERAL, departures=study.departures(shown))
    budget = dict(style=drawing, experiments=style(study), budget=titles["budget"])
    names = [*experiments, *study.solar]
    check = dict(misses=audit["misses"], reading=shown, experiments=names)
    provenance = dict(
        configuration=digest(study.config), commit=commit(), packages={name: version(name) for name in AROUND}
    )
    table = [published.TABLE]
    return {
        "claims": ("check_claims", claims, table),
        "audit/tables": ("write_audit", variants | titles, table),
        "figures/ablation": ("plot_ablation", dict(style=drawing) | variants, table),
        "figures/budget": ("plot_budget", budget),
        "check": ("write_check", check, table + sorted(published.REFERENCE.glob("*.csv"))),
        "verdict": ("check", {}),
        "provenance": ("write_provenance", provenance),
        **{f"report/{name}": ("write_html", dict(title=name)) for name in REPORTED},
    }


def commit():
    """The git commit of this code; "dirty" is added for changes since, "unknown" stands for no git."""

    def git(*arguments):
        command = ["git", "-C", str(code.ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        top = Path(git("rev-parse", "--show-toplevel"))
        if top.resolve() != code.ROOT.resolve():
            return "unknown"
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + (" dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
