"""The jobs of a study: the parameters of each, as its plan file has them.

Jobs that others need come first. A parameter is here if, and only if, the results of the job depend on it.
"""

import subprocess
from collections import Counter
from functools import cache
from importlib.metadata import version
from pathlib import Path

from cevns_tmm import electrons, reactor_spectra
from cevns_tmm.colours import farthest
from cevns_tmm.config import PAPER, load_yaml, read_files
from cevns_tmm.detector import BINNED
from cevns_tmm.study import LITERAL, SETUPS, field_names
from cevns_tmm.toys import forms, truths
from pipeline import code, published, reference
from pipeline.plan import digest

AROUND = ("Jinja2", "jsonschema", "pygments", "PyYAML", "snakemake", "tabulate")
"""Packages that no number depends on: they plan, check and lay out."""

SNS, REACTOR = "pion-decay-at-rest", "reactor"
STYLE = "paper.mplstyle"
REPORT = "workflow/report/report.html", "CITATION.cff"
PAPERS_OWN = "inferred"
"""The reading that the paper's figures follow; a figure of another one says so."""

PLANE_FIGURES = {
    4: (SNS, ["current"], ["delayed", "prompt"]),
    5: (SNS, ["future"], ["delayed", "prompt"]),
    6: (REACTOR, SETUPS, ["reactor"]),
}
"""What Figs. 4 to 6 show: kind of source, setups and beams, a row for each."""


def plans(study, folder=None):
    """{job: plan} of a study whose files are in ``folder``; where it has none they are the paper's."""
    found = chain(study) | scans(study) | tables(study) | figures(study, folder)
    found |= {f"audit/{job}": content for job, content in chain(study.audit, audit=True).items()}
    found |= statistics(study) | maps(study, folder) | judgements(study, folder)
    versions = code.versions()
    return {job: planned(versions, *content) for job, content in found.items()}


def planned(versions, script, parameters, data=()):
    """The plan of a job: its parameters and the identity of its code, data files and packages."""
    return dict(
        script=script,
        parameters=parameters,
        code=code.watched(script),
        data={path.name: code.sha256(path) for path in data} | _files(parameters),
        versions=versions,
        attempt=0,
    )


def _files(parameters):
    """Files whose tables are among the parameters of a job: {name: SHA-256}."""
    found = {}
    for part in parameters.values():
        if isinstance(part, dict):
            found |= {part["file"]: part["sha256"]} if "sha256" in part else _files(part)
    return found


def _fields(instance):
    """Fields of a dataclass that have a value."""
    values = {name: getattr(instance, name) for name in field_names(type(instance))}
    return {name: value for name, value in values.items() if value is not None}


def _groups(study, name, part, setups=SETUPS, readings=None):
    """``part`` of an experiment, a function of it, by "setup/reading"."""
    return {
        f"{setup}/{reading}": part(study.experiment(name, setup, reading))
        for setup in study.setups(name)
        if setup in setups
        for reading in readings or study.readings
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
        if any("electron" in setup["detector"]["channels"] for setup in setups.values()):
            data += (electrons.BINDINGS,)
        found[f"rates/{name}"] = "compute_rates", parameters, data
    for name in study.experiments:
        analyses, muB = _groups(study, name, _analysis), _range(study, name, "profile_muB")
        parameters = dict(experiment=name, analyses=analyses, beams=study.beams(name), free=not audit)
        found[f"profiles/{name}"] = ("compute_profiles", parameters | dict(range_muB=muB, points=profile))
    for name in study.solar:
        muB, readings = study.config["solar"][name]["plane_muB"], _by_reading(study, name)
        parameters = dict(experiment=name, readings=readings, range_muB=muB, points=plane, free=not audit)
        found[f"solar/{name}"] = "compute_solar", parameters
    experiments = {e: [study.setups(e), list(study.beams(e))] for e in study.experiments}
    parameters = dict(experiments=experiments, solar=study.solar, readings=study.readings)
    parameters |= dict(free=not audit)
    for name in study.combinations:
        found[f"combinations/{name}"] = "compute_combination", _combination(study, name)
    parameters |= dict(combinations={name: _combination_setup(study, name) for name in study.combinations})
    return found | {"limits": ("write_limits", parameters)}


def _combination_setup(study, name):
    return study.config["combinations"][name].get("setup", "current")


def _combination(study, name):
    """Members of a combination by reading: analyses, counts and components, or solar limits."""
    block = study.config["combinations"][name]
    readings = {}
    for reading in study.readings:
        combined = study.combination(name, reading)
        readings[reading] = {
            member: dict(solar=_fields(one))
            if member in study.solar
            else dict(
                analysis=_analysis(one), counts=f"{combined.setup}/{reading}", beam=one.source.components
            )
            for member, one in combined.members.items()
        }
    return dict(
        name=name,
        setup=combined.setup,
        experiments=block["experiments"],
        shared=block.get("shared", {}),
        confidence_level=combined.confidence_level,
        readings=readings,
        drawn=study.config["figures_reading"],
    )


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
    return found | {"contours": ("write_contours", contour_lines(study))}


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


def contour_lines(study):
    """The lines of Figs. 4 to 8: figure, experiment, setup, beam, its components and the phases of each.

    Profiled planes of the current setups have no phases.
    """
    reading, found = study.config["figures_reading"], []
    for figure, (kind, setups, beams) in PLANE_FIGURES.items():
        wanted = [f"{setup}/{reading}/{beam}" for setup in setups for beam in beams]
        for name in style(study, kind):
            planes = plane_contours(study, name)
            found.append((figure, name, {group: planes[group] for group in wanted if group in planes}))
    found += [(7, name, phase_contours(study, name)) for name in study.config["phases"]]
    lines = [
        [figure, name, setup, beam, line["beam"], float(line["xi_over_pi"]), float(line["delta_CP_over_pi"])]
        for figure, name, groups in found
        for group, line in groups.items()
        for setup, _, beam in [group.split("/")[:3]]
    ]
    lines += [
        ["profiled", name, "current", beam, list(components), None, None]
        for name in study.experiments
        for beam, components in study.beams(name).items()
    ]
    return dict(
        reading=reading,
        lines=sorted(lines, key=lambda line: (str(line[0]), line[1])),  # the same for blocks in any order
        analyses={name: _groups(study, name, _analysis, readings=[reading]) for name in study.experiments},
        solar={name: _fields(study.experiment(name)) for name in study.solar},
        combinations={name: _combination_setup(study, name) for name in study.combinations},
    )


@cache
def colours(study):
    """Colour of every experiment, solar ones and combinations too: its own, or one far from the others'."""
    names = [*study.experiments, *study.solar, *study.combinations]
    blocks = study.config["experiments"]
    own = {name: block["colour"].lower() for name, block in blocks.items() if "colour" in block}
    found = {colour: name for name, colour in reversed(own.items())}  # the first of two equal ones keeps it
    for name in names:
        if name not in found.values():
            found[farthest(list(found))] = name
    return {name: colour for colour, name in found.items()}


def labels(study):
    """Label of every experiment; those that have the same one are told apart by their names."""
    found = {name: block.get("label", name) for name, block in study.config["experiments"].items()}
    shared = [label for label, n in Counter(found.values()).items() if n > 1]
    return {name: f"{label} ({name})" if label in shared else label for name, label in found.items()}


def style(study, kind=None):
    """Label, colour, setups and source kind of every experiment, or of those at one kind of source."""
    label, colour = labels(study), colours(study)
    return {
        name: dict(
            label=label[name], colour=colour[name], kind=study.source_kind(name), setups=study.setups(name)
        )
        for name in study.experiments
        if kind in (None, study.source_kind(name))
    }


def tables(study):
    """The tables of results."""
    setups = {e: study.setups(e) for e in study.experiments}
    shown = study.config["figures_reading"]
    table2 = dict(labels=labels(study), reading=shown, notes=notes(study))
    return {
        "counts": ("write_counts", dict(setups=setups, readings=study.readings)),
        "table2": ("write_table2", table2, [published.TABLE]),
    }


def _drawing(folder):
    """The style of the figures, the study's own or the paper's: its settings as text."""
    own = Path(folder or PAPER) / STYLE
    text = (own if own.is_file() else PAPER / STYLE).read_text(encoding="utf-8")
    return "".join(f"{line}\n" for line in text.splitlines() if line.strip() and line[0] != "#")


def _plane_range(study, names):
    """Range that holds the planes of some experiments [mu_B]; empty without any."""
    blocks = study.config["solar"]
    ranges = [blocks[e]["plane_muB"] if e in blocks else _range(study, e, "plane_muB") for e in names]
    return [min(low for low, _ in ranges), max(high for _, high in ranges)] if ranges else []


def figures(study, folder):
    """Figs. 1 to 8."""
    reading, phases = study.config["figures_reading"], study.config["phases"]
    analysis = study.experiment(study.experiments[0]).analysis
    delta = analysis.oscillation["delta_CP_over_pi"]
    # what is not as in the paper's figures is written in the figure
    follows = f"{reading} reading" if reading != PAPERS_OWN else ""
    phase = rf"$\delta_\mathrm{{CP}}={delta:g}\pi$" if delta else ""
    drawing, note = dict(style=_drawing(folder)), ", ".join(filter(None, [phase, follows]))
    common = drawing | dict(confidence_level=analysis.confidence_level, note=note)
    found = {1: ("plot_fig1", drawing | dict(title="Quenching factors"))}
    for n, title in ((2, "Profiles of the transition moments"), (3, "Limits against luminosity")):
        found[n] = f"plot_fig{n}", common | dict(experiments=style(study), reading=reading, title=title)
    for n, (kind, setups, beams) in PLANE_FIGURES.items():
        experiments = style(study, kind)
        shown = [s for s in setups if any(s in block["setups"] for block in experiments.values())]
        where = "at reactors" if kind == REACTOR else f"at the SNS, {setups[0]} setups"
        parameters = dict(
            figure=n,
            title=f"Allowed regions {where}",
            experiments=experiments,
            rows=[[setup, beam] for setup in shown for beam in beams],
            range_muB=_plane_range(study, experiments),
        )
        found[n] = "plot_planes", common | parameters
    experiments = {
        name: style(study)[name]
        | dict(
            beam=block["beam"],
            cases=[line[-2:] for line in contour_lines(study)["lines"] if line[:2] == [7, name]],
            axes_muB=block.get("axes_muB", _range(study, name, "plane_muB")),
        )
        for name, block in phases.items()
    }
    combined = {
        name: dict(label=name, colour=colours(study)[name], setups=[_combination_setup(study, name)])
        for name in study.combinations
    }
    if combined:
        setups = [setup for setup in SETUPS if any(setup in block["setups"] for block in combined.values())]
        members = {e for block in study.config["combinations"].values() for e in block["experiments"]}
        found["combinations"] = (
            "plot_planes",
            common
            | dict(
                figure="combined",
                title="Regions allowed by experiments together",
                experiments=combined,
                rows=[[setup, "combined"] for setup in setups],
                range_muB=_plane_range(study, sorted(members)),
            ),
        )
    parameters = dict(experiments=experiments, title="Allowed regions for different phases", note=follows)
    found[7] = "plot_fig7", common | parameters
    levels = {name: study.experiment(name).confidence_level for name in study.solar}
    solar = {name: dict(colour=colours(study)[name], confidence_level=levels[name]) for name in study.solar}
    parameters = dict(solar=solar, range_muB=_plane_range(study, solar), note=follows)
    found[8] = "plot_fig8", drawing | parameters | dict(title="Region allowed by solar neutrinos")
    named = {f"figures/{f'fig{n}' if isinstance(n, int) else n}": content for n, content in found.items()}
    return named | limit_figures(study, common)


def limit_figures(study, common):
    """Profiled planes, all limits, and coverage: of data and of a projection at each kind of source."""
    reading, experiments = study.config["figures_reading"], style(study)
    rows = [
        dict(figure=figure, beam=beam, experiments=style(study, kind))
        for figure, beam, kind in ((4, "delayed", SNS), (6, "reactor", REACTOR))
        if style(study, kind)
    ]
    solar = {name: dict(colour=colours(study)[name]) for name in study.solar}
    for name, block in solar.items():
        fields = _fields(study.experiment(name))
        block |= {key: fields[key] for key in ("mu_nu_muB", "confidence_level")}
    error, covered = toy_parameters(study)["error_on_total"], []
    for name in examples(study).values():
        analysis = study.experiment(name, reading=reading).analysis
        found = dict(experiment=name, label=experiments[name]["label"], forms=list(forms(analysis)))
        covered.append(found | dict(truths=list(map(str, truths(analysis, error)))))
    limits = dict(reading=reading, experiments=experiments, solar=solar, title="All limits")
    coverage = dict(reading=reading, shown=covered, error_on_total=error, title="Coverage")
    return {
        "figures/profiled": ("plot_profiled", common | dict(rows=rows, title="Profiled planes")),
        "figures/limits": ("plot_limits", common | limits, [published.LATER]),
        "figures/coverage": ("plot_coverage", common | coverage),
    }


def examples(study):
    """The first experiment with data, and the first without at each kind of source: {"data" or kind: name}."""
    found = {}
    for name in study.counting:
        has_data = study.experiment(name).analysis.data is not None
        found.setdefault("data" if has_data else study.source_kind(name), name)
    return found


def toy_parameters(study):
    """The key ``coverage`` of a study, the paper's if it has none."""
    return study.config.get("coverage") or load_yaml(PAPER / "config.yaml")["coverage"]


def statistics(study):
    """Coverage by toys, and limits with the spectrum."""
    toys, found = toy_parameters(study), {}
    analyses = {name: _groups(study, name, _analysis) for name in study.counting}
    used = dict(toys=toys["toys_per_block"], seed=toys["seed"])
    used |= {key: toys[key] for key in ("true_events", "error_on_total")}
    for name in study.counting:
        for block in range(1, toys["blocks"] + 1):
            parameters = dict(experiment=name, analyses=analyses[name], block=block)
            found[f"toys/{name}/{block}"] = "compute_toys", parameters | used
    common = dict(analyses=analyses, beams={name: study.beams(name) for name in study.counting})
    spectrum = dict(bins=toys["spectrum_bins"], nodes=study.config["grids"]["recoil_nodes"])
    labels = {name: block["label"] for name, block in style(study).items()}
    reading = study.config["figures_reading"]
    projected = [name for kind, name in examples(study).items() if kind != "data"]
    binned = spectrum | dict(toys=toys["toys_per_block"], seed=toys["seed"])
    binned |= dict(
        error_on_total=toys["error_on_total"],
        analyses={name: _groups(study, name, _analysis, readings=[reading]) for name in projected},
        beams={name: list(study.beams(name).items())[-1] for name in projected},
    )
    shown = [
        [name, setup, f"{setup}/{reading}", analyses[name][f"{setup}/{reading}"]]
        for name in study.counting
        for setup in study.setups(name)
    ]
    honest = dict(labels=labels, shown=shown, beams=common["beams"], error_on_total=toys["error_on_total"])
    blocks = dict(blocks=toys["blocks"])  # results say which inputs they are of, plans which there must be
    honest |= dict(toys=toys["toys_per_block"] * toys["blocks"])
    honest |= dict(confidence_level=study.experiment(study.experiments[0]).analysis.confidence_level)
    return found | {
        "coverage": ("write_coverage", common | blocks),
        "spectrum_limits": ("write_spectrum_limits", common | spectrum),
        "spectrum_coverage": ("write_spectrum_coverage", binned),
        "honest_limits": (
            "write_honest_limits",
            honest | blocks | dict(notes=notes(study)),
            [published.TABLE],
        ),
    }


def maps(study, folder):
    """Maps of limits against threshold and exposure: each with its figure, and one table."""
    found, reading = {}, study.config["figures_reading"]
    for name in study.maps:
        block, one = study.sensitivity_map(name)
        parameters = dict(name=name, map=_fields(block), analysis=_analysis(one), nodes=one.recoil_nodes)
        parameters |= dict(_setup(one), experiment=one.name, cells=one.flux_cells)
        tables = [reactor_spectra.ENERGY, electrons.BINDINGS, *_spectra(study, study.source_of(one.name))]
        found[f"maps/{name}"] = "compute_map", parameters, tables
        drawing = dict(style=_drawing(folder), title=f"Expected limits, {labels(study)[one.name]}")
        scale = "recoil" if one.detector.scale == "T_keV" else "ionisation"
        drawing |= dict(scale=scale, marked=_marked(study, one, reading))
        drawing |= dict(confidence_level=one.analysis.confidence_level)
        found[f"figures/map-{name}"] = "plot_map", drawing
    return found | {"maps": ("write_maps", {"maps": list(study.maps)})}


def _marked(study, like, reading):
    """Thresholds [keV] and exposures [kg d] of experiments with the source, target and scale of one: [label, x, y]."""
    found = []
    for name in study.experiments:
        for setup in study.setups(name):
            one = study.experiment(name, setup, reading).detector
            same = study.source_of(name) == study.source_of(like.name) and all(
                getattr(one, key) == getattr(like.detector, key) for key in ("target", "scale")
            )
            low = one.bins_keV[0] if one.bins_keV else one.threshold_keV
            if same and not isinstance(low, dict):
                found.append([f"{labels(study)[name]}, {setup}", low, one.mass_kg * one.exposure_d])
    return found


def judgements(study, folder):
    """Comparison, claims, audit, checks and provenance."""
    shown, audit, toys = study.config["figures_reading"], study.config["audit"], toy_parameters(study)
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
    departures = study.config["departures"]
    ablation = dict(
        variants={shown: shown}
        | {f"without-{d}": "without " + departures[d].get("title", d) for d in variants["departures"]}
        | {LITERAL: LITERAL},
        labels=labels(study) | {name: name for name in study.solar},
    )
    check = dict(misses=audit["misses"], reading=shown, notes=notes(study))
    provenance = dict(
        configuration=digest(study.config), commit=commit(), packages={name: version(name) for name in AROUND}
    )
    table = [published.TABLE]
    return {
        "claims": ("check_claims", claims, table),
        "audit/tables": ("write_audit", variants | titles, table),
        "figures/ablation": (
            "plot_ablation",
            dict(style=drawing, title="Departures, switched off one at a time") | ablation,
            table,
        ),
        "figures/budget": ("plot_budget", dict(title="Sensitivity to the inputs") | budget),
        "samples": ("sample_results", {"of": sorted([*experiments, *study.solar, *study.config["phases"]])}),
        "check": ("compare_results", check, table + sorted(reference.FOLDER.iterdir())),
        "verdict": ("check", {}),
        "provenance": ("write_provenance", provenance),
        "report": (
            "write_report",
            dict(notes=notes(study), reading=shown, error_on_total=toys["error_on_total"])
            | dict(toys=toys["toys_per_block"] * toys["blocks"]),
            [*table, *map(code.ROOT.joinpath, REPORT)],
        ),
    }


def notes(study):
    """What a reader must know of a study that is not the paper's."""
    if not (differences := list(_differences(study.given, read_files()[0]))):
        return []
    more = f" and {len(differences) - 8} more" if len(differences) > 8 else ""
    return [f"This study is not the paper's: it differs in {', '.join(differences[:8])}{more}."]


def _differences(config, paper):
    """Keys, two levels deep, in which two configurations differ; what follows from others comes last, if at all."""
    following = ("readings", "departures", "phases", "audit", "claims")
    for keys in ([key for key in paper | config if key not in following], following):
        found = [key for key in keys if config.get(key, paper.get(key)) != paper.get(key)]
        for key in found:
            mine, theirs = config[key], paper.get(key, {})
            names = mine | theirs if isinstance(mine, dict) else ()
            yield from [f"{key}.{n}" for n in names if mine.get(n) != theirs.get(n)] or [key]
        if found:
            return


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
