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
    return {
        "script": script,
        "parameters": parameters,
        "code": code.digest(script),
        "data": {path.name: code.sha256(path) for path in data},
        "versions": code.versions(),
        "attempt": 0,
    }


def _fields(instance):
    """Fields of a dataclass that have a value."""
    return {k: v for k, v in dataclasses.asdict(instance).items() if v is not None}


def _groups(study, name, setups=SETUPS):
    """Experiments by "setup/reading"."""
    return {
        f"{setup}/{reading}": study.experiment(name, setup, reading)
        for setup in study.setups(name)
        if setup in setups
        for reading in study.readings
    }


def _analyses(study, name, setups=SETUPS):
    return {group: _fields(e.analysis) for group, e in _groups(study, name, setups).items()}


def _range(study, name, key):
    return study.config["sources"][study.source_of(name)][key]


def chain(study, audit=False):
    """From spectra to limits; the audit computes the same of all its variants, without grids."""
    grids = study.config["grids"]
    points = {key: 2 if audit else grids[key] for key in ("profile_points", "plane_points")}
    found = {}
    for source in dict.fromkeys(map(study.source_of, study.experiments)):
        spectra = {reading: study.source(source, reading).spectrum for reading in study.readings}
        reactor = study.config["sources"][source]["kind"] == REACTOR
        data = (reactor_spectra.BELOW, reactor_spectra.ABOVE) if reactor else ()
        parameters = {"source": source, "spectra": spectra, "cells": grids["flux_cells"]}
        found[f"fluxes/{source}"] = "tabulate_flux", parameters, data
    for name in study.experiments:
        setups = {
            group: {"source": _fields(e.source), "detector": _fields(e.detector)}
            for group, e in _groups(study, name).items()
        }
        parameters = {"experiment": name, "setups": setups, "nodes": grids["recoil_nodes"]}
        found[f"rates/{name}"] = "compute_rates", parameters
    for name in study.experiments:
        parameters = {
            "experiment": name,
            "analyses": _analyses(study, name),
            "beams": study.beams(name),
            "range_muB": _range(study, name, "profile_muB"),
            "points": points["profile_points"],
        }
        found[f"profiles/{name}"] = "compute_profiles", parameters
    for name in study.solar:
        parameters = {
            "experiment": name,
            "readings": {r: _fields(study.experiment(name, reading=r)) for r in study.readings},
            "range_muB": study.config["solar"][name]["plane_muB"],
            "points": points["plane_points"],
        }
        found[f"solar/{name}"] = "compute_solar", parameters
    parameters = {
        "experiments": {e: [study.setups(e), list(study.beams(e))] for e in study.experiments},
        "solar": study.solar,
        "readings": study.readings,
    }
    found["limits"] = "write_limits", parameters
    return found


def scans(study):
    """Planes, phases and luminosity; the quenching factor of Fig. 1."""
    config, reading, found = study.config, study.config["figures_reading"], {}
    grids = config["grids"]
    for name in study.experiments:
        contours = {
            f"{setup}/{reading}/{beam}": {
                "counts": f"{setup}/{reading}",
                "beam": list(components),
                "xi_over_pi": 0.0,
                "delta_CP_over_pi": study.experiment(name, setup).analysis.oscillation[
                    "delta_CP_over_pi"
                ],
            }
            for setup in study.setups(name)
            for beam, components in study.beams(name).items()
        }
        found[f"planes/{name}"] = "compute_planes", _planes(study, name, contours)
    for name in config["phases"]:
        found[f"phases/{name}"] = (
            "compute_planes",
            _planes(study, name, phase_contours(study, name)),
        )
    for name in study.experiments:
        parameters = {
            "experiment": name,
            "analyses": _analyses(study, name, ["current"]),
            "beams": study.beams(name),
            "range": config["luminosity"]["range"],
            "points": grids["luminosity_points"],
        }
        found[f"luminosity/{name}"] = "compute_luminosity", parameters
    parameters = {key: config["quenching"][key] for key in ("nuclides", "kappa_scale", "T_max_keV")}
    found["quenching"] = "compute_quenching", parameters | {"points": grids["quenching_points"]}
    return found


def _planes(study, name, contours):
    return {
        "experiment": name,
        "analyses": _analyses(study, name),
        "contours": contours,
        "range_muB": _range(study, name, "plane_muB"),
        "points": study.config["grids"]["plane_points"],
    }


def phase_contours(study, name):
    """Planes with the phases of Fig. 7, by group."""
    reading, block = study.config["figures_reading"], study.config["phases"][name]
    components = study.beams(name)[block["beam"]]
    return {
        f"current/{reading}/{block['beam']}/case{number}": {
            "counts": f"current/{reading}",
            "beam": list(components),
            **case,
        }
        for number, case in enumerate(block["cases"], 1)
    }


def style(study, kind=None):
    """Label, colour, setups and source kind of every experiment, or of those at one kind of source."""
    cycle = itertools.cycle(["#000000", "#56B4E9", "#661100", "#6699CC", "#888888"])
    blocks = {
        name: {
            "label": block.get("label", name),
            "colour": block.get("colour") or next(cycle),
            "kind": study.source_kind(name),
            "setups": study.setups(name),
        }
        for name, block in study.config["experiments"].items()
    }
    return {name: block for name, block in blocks.items() if kind in (None, block["kind"])}


def tables(study):
    """The tables of results."""
    shown = study.config["figures_reading"]
    labels = {name: block["label"] for name, block in style(study).items()}
    return {
        "counts": (
            "write_counts",
            {
                "setups": {e: study.setups(e) for e in study.experiments},
                "readings": study.readings,
            },
        ),
        "table2": (
            "write_table2",
            {
                "labels": labels,
                "reading": shown,
                "confidence_level": study.config["confidence_level"],
            },
            [published.TABLE],
        ),
    }


def style_file(folder):
    """The study's own style of figures, relative to where it runs, or None for the paper's."""
    own = Path(folder) / STYLE if folder is not None else None
    return own if own is not None and own.is_file() else None


def _drawing(folder):
    own = style_file(folder)
    return str(own) if own else None, [own.absolute() if own else PAPER / STYLE]


def _plane_range(study, kind):
    """Range that holds the planes of all sources of one kind [mu_B]."""
    sources = [s for s in study.config["sources"].values() if s["kind"] == kind]
    ranges = [source["plane_muB"] for source in sources] or [[1e-12, 1e-7]]
    return [min(low for low, _ in ranges), max(high for _, high in ranges)]


def figures(study, folder):
    """Figs. 1 to 8."""
    shown, level = study.config["figures_reading"], study.config["confidence_level"]
    file, data = _drawing(folder)
    common = {"style": file, "reading": shown, "confidence_level": level}
    planes = {
        4: (SNS, [("current", "delayed"), ("current", "prompt")]),
        5: (SNS, [("future", "delayed"), ("future", "prompt")]),
        6: (REACTOR, [("current", "reactor"), ("future", "reactor")]),
    }
    parameters = {1: {"style": file}}
    parameters |= {n: common | {"experiments": style(study)} for n in (2, 3)}
    parameters |= {
        n: common
        | {
            "experiments": style(study, kind),
            "range_muB": _plane_range(study, kind),
            "rows": [[f"{setup}/{shown}/{beam}", setup, beam] for setup, beam in rows],
        }
        for n, (kind, rows) in planes.items()
    }
    parameters[7] = common | {
        "experiments": {e: style(study)[e] for e in study.config["phases"]},
        "contours": {e: phase_contours(study, e) for e in study.config["phases"]},
    }
    parameters[8] = common | {
        "levels": {n: study.experiment(n).confidence_level for n in study.solar}
    }
    scripts = dict.fromkeys(parameters, "plot_planes")
    scripts |= {n: f"plot_fig{n}" for n in (1, 2, 3, 7, 8)}
    return {f"figures/fig{n}": (scripts[n], parameters[n], data) for n in parameters}


def judgements(study, folder):
    """Comparison, claims, audit, checks and provenance."""
    shown, audit = study.config["figures_reading"], study.config["audit"]
    departures = study.departures(shown)
    file, data = _drawing(folder)
    both = [LITERAL, shown]
    titles = {
        key: {name: block["title"] for name, block in audit[key].items()}
        for key in ("inputs", "budget")
    }
    found = {
        "comparison": ("write_comparison", {}, [published.TABLE]),
        "claims": (
            "check_claims",
            {
                "claims": study.config["claims"],
                "readings": both,
                "kinds": {e: study.source_kind(e) for e in study.experiments},
                "beams": {e: study.beams(e) for e in study.experiments},
                "analyses": {
                    r: {
                        e: _fields(study.experiment(e, reading=r).analysis)
                        for e in study.experiments
                    }
                    for r in both
                },
                "solar": {
                    name: {r: _fields(study.experiment(name, reading=r)) for r in both}
                    for name in study.solar
                },
            },
            [published.TABLE],
        ),
        "audit/tables": (
            "write_audit",
            {"shown": shown, "literal": LITERAL, "departures": departures} | titles,
            [published.TABLE],
        ),
        "figures/ablation": (
            "plot_ablation",
            {"style": file, "shown": shown, "literal": LITERAL, "departures": departures},
            [*data, published.TABLE],
        ),
        "figures/budget": (
            "plot_budget",
            {"style": file, "experiments": style(study), "budget": titles["budget"]},
            data,
        ),
        "check": (
            "write_check",
            {
                "misses": audit["misses"],
                "reading": shown,
                "experiments": [*study.experiments, *study.solar],
            },
            [published.TABLE, *sorted(published.REFERENCE.iterdir())],
        ),
        "verdict": ("check", {}),
        "provenance": (
            "write_provenance",
            {
                "configuration": digest(study.config),
                "commit": commit(),
                "packages": {name: version(name) for name in AROUND},
            },
        ),
    }
    tables = {f"report/{name}": ("write_html", {"title": name}) for name in REPORTED}
    return found | tables


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
