"""The jobs of a study: the parameters of each, as its plan file has them.

Jobs that others need come first. A parameter is here if, and only if, the results of the job depend on it.
"""

import itertools
import subprocess
from collections import Counter
from functools import cache
from importlib.metadata import version
from pathlib import Path

from cevns_tmm import electrons, reactor_spectra
from cevns_tmm.colours import farthest
from cevns_tmm.combination import CombinedExperiment
from cevns_tmm.config import PAPER, load_yaml, read_files
from cevns_tmm.detector import BINNED
from cevns_tmm.solar import SolarExperiment
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

EXACT_RATE = (
    "The reading {} takes the Standard Model rate of the projections as exactly known, as Table II does; limits that hold "
    "otherwise: results/honest_limits.md."
)

PLANE_FIGURES = {
    4: (SNS, ["current"], ["delayed", "prompt"], "Allowed regions at the SNS, current setups"),
    5: (SNS, ["future"], ["delayed", "prompt"], "Allowed regions at the SNS, future setups"),
    6: (REACTOR, SETUPS, ["reactor"], "Allowed regions at reactors"),
    "other-fluxes": ("table", SETUPS, ["full"], "Allowed regions with other fluxes"),
    "combined": ("combined", SETUPS, ["combined"], "Regions allowed by experiments together"),
}
"""What Figs. 4 to 6, and two that the paper has not, show: kind of flux, setups and beams, a row for each, and title."""

PAGES_OF_PLANES = {
    "planes": {f"fig{n}": n for n in range(4, 9)},
    "other-fluxes": {"other-fluxes": "other-fluxes"},
    "combinations": {"combinations": "combined"},
}
"""Jobs that draw figures of planes: the name of each figure, and what contours.csv calls it."""


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


def _groups(study, name, part, readings=None):
    """``part`` of an experiment, or of a combination, which has one setup, a function of it, by "setup/reading"."""

    def one(setup, reading):
        is_combined = name in study.combinations
        return study.combination(name, reading) if is_combined else study.experiment(name, setup, reading)

    return {
        f"{setup}/{reading}": part(one(setup, reading))
        for setup in study.setups(name)
        for reading in readings or study.readings
    }


def _analysis(one):
    """The analysis of an experiment, or those of the members of a combination."""
    if isinstance(one, CombinedExperiment):
        members = {name: _analysis(member) for name, member in one.members.items()}
        return _fields(one.combination) | dict(members=members, confidence_level=one.confidence_level)
    return _fields(one if isinstance(one, SolarExperiment) else one.analysis)


def _setup(experiment):
    detector = {k: v for k, v in _fields(experiment.detector).items() if k not in BINNED}
    return dict(source=_fields(experiment.source), detector=detector)


def _range(study, names, key):
    """Range that holds those of some experiments and combinations [mu_B]; empty without any."""
    combined, found = study.config["combinations"], []
    members = [combined.get(name, {}).get("experiments", [name]) for name in names]
    for name in itertools.chain(*members):
        is_solar = name in study.solar
        block = study.config["solar"][name] if is_solar else study.config["sources"][study.source_of(name)]
        found.append(block["plane_muB" if is_solar else key])
    return [min(low for low, _ in found), max(high for _, high in found)] if found else []


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
    for name in (*study.experiments, *study.combinations):
        free = [] if audit else limited(study)[name][1]  # the audit keeps only the limits of Table II
        muB = dict(range_muB=_range(study, [name], "profile_muB"), points=profile)
        parameters = dict(experiment=name, analyses=_groups(study, name, _analysis))
        parameters |= dict(profiles=dict(beams=study.panels(name), free=free) | muB)
        if audit or not (name in study.experiments or name in study.drawn):
            found[f"profiles/{name}"] = "compute_chi2", parameters
            continue
        scan = dict(beams=study.panels(name), range=study.config["luminosity"]["range"])
        parameters |= dict(planes=_planes(study, name, plane_contours(study, name)))
        parameters |= dict(luminosity=scan | dict(points=grids["luminosity_points"]))
        found[f"chi2/{name}"] = "compute_chi2", parameters
    for name in study.solar:
        muB, readings = study.config["solar"][name]["plane_muB"], _by_reading(study, name)
        parameters = dict(experiment=name, readings=readings, range_muB=muB, points=plane, free=not audit)
        found[f"solar/{name}"] = "compute_solar", parameters
    parameters = dict(experiments=limited(study), solar=study.solar, readings=study.readings)
    return found | {"limits": ("write_limits", parameters | dict(free=not audit))}


def limited(study):
    """Setups and beams that tables have of each experiment and combination."""
    beams = {name: list(study.beams(name)) for name in study.experiments}
    names = *study.experiments, *study.combinations
    return {name: [study.setups(name), beams.get(name, ["combined"])] for name in names}


def scans(study):
    """Planes with the phases of Fig. 7, the lines of all planes, and the quenching factor of Fig. 1."""
    config, grids, found = study.config, study.config["grids"], {}
    for name in config["phases"]:
        parameters = dict(experiment=name, analyses=_groups(study, name, _analysis))
        parameters |= dict(planes=_planes(study, name, phase_contours(study, name)))
        found[f"phases/{name}"] = "compute_chi2", parameters
    parameters = {key: config["quenching"][key] for key in ("nuclides", "kappa_scale", "T_max_keV")}
    found["quenching"] = "compute_quenching", parameters | dict(points=grids["quenching_points"])
    return found | {"contours": ("write_contours", contour_lines(study))}


def _planes(study, name, contours):
    muB = _range(study, [name], "plane_muB")
    return dict(contours=contours, range_muB=muB, points=study.config["grids"]["plane_points"])


def plane_contours(study, name):
    """Planes of an experiment, by "setup/reading/beam": all setups and beams at the phases of the study."""
    reading = study.config["figures_reading"]
    phases = dict(xi_over_pi=0.0, delta_CP_over_pi=_delta(study))
    return {
        f"{setup}/{reading}/{beam}": dict(counts=f"{setup}/{reading}", beam=signal) | phases
        for setup in study.setups(name)
        for beam, signal in study.panels(name).items()
    }


def _delta(study):
    """The Dirac phase of the study, in units of pi."""
    return study.experiment(study.experiments[0]).analysis.oscillation["delta_CP_over_pi"]


def phase_contours(study, name):
    """Planes of an experiment with the phases of Fig. 7, by group."""
    reading, block = study.config["figures_reading"], study.config["phases"][name]
    beam = dict(counts=f"current/{reading}", beam=study.panels(name)[block["beam"]])
    group = f"current/{reading}/{block['beam']}"
    return {f"{group}/case{n}": beam | case for n, case in enumerate(block["cases"], 1)}


def contour_lines(study):
    """The lines of the planes, Figs. 4 to 8: figure, experiment, setup, beam, its components and the phases of each.

    Profiled planes have no phases: those of the current setups, and of combinations without bins and solar limits, which take long.
    """
    reading, found = study.config["figures_reading"], []
    for figure, (kind, setups, beams, _) in PLANE_FIGURES.items():
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
        ["profiled", name, "current", beam, components, None, None]
        for name in study.experiments
        for beam, components in study.panels(name).items()
    ]
    lines += [
        ["profiled", name, setup, "combined", study.panels(name)["combined"], None, None]
        for name in study.combinations
        if {*study.config["combinations"][name]["experiments"]} <= {*study.counting}
        for setup in study.setups(name)
    ]
    named = dict.fromkeys(line[1] for line in lines)
    return dict(
        reading=reading,
        lines=sorted(lines, key=lambda line: (str(line[0]), line[1])),  # the same for blocks in any order
        analyses={name: _groups(study, name, _analysis, readings=[reading]) for name in named},
        solar={name: _fields(study.experiment(name)) for name in study.solar},
    )


def contour_figures(study):
    """Figures, and other groups, of the table of contours."""
    found = [str(figure) for figure, *_ in contour_lines(study)["lines"]] + ["8" for _ in study.solar]
    return list(dict.fromkeys(found))


def hepdata_tables(study):
    """Tables of the submission to HEPData."""
    profiles = [f"profiles-{name}" for name in limited(study)]
    contours = [f"contours-{figure}" for figure in contour_figures(study)]
    return ["table2", "profiled", "flavour", *profiles, *contours, "coverage"]


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
    """Label of every experiment and combination; those that have the same one are told apart by their names."""
    blocks = study.config["experiments"] | study.config["combinations"]
    found = {name: block.get("label", name) for name, block in blocks.items()}
    shared = [label for label, n in Counter(found.values()).items() if n > 1]
    return {name: f"{label} ({name})" if label in shared else label for name, label in found.items()}


def style(study, kind=None):
    """Label, colour, setups and kinds of flux of every experiment and combination, or of those of one kind."""
    label, colour = labels(study), colours(study)
    return {
        name: dict(label=label[name], colour=colour[name], kinds=kinds, setups=study.setups(name))
        for name in (*study.experiments, *study.combinations)
        if (kinds := study.kinds(name)) and kind in (None, *kinds)
    }


def drawn(study):
    """The same, without combinations that the figures of the paper do not show."""
    shown = *study.experiments, *study.drawn
    return {name: block for name, block in style(study).items() if name in shown}


def tables(study):
    """The tables of results."""
    setups = {e: study.setups(e) for e in study.experiments}
    shown = study.config["figures_reading"]
    analyses = (study.experiment(e, s, shown).analysis for e in study.counting for s in setups[e])
    words = [*notes(study)]
    if words and any(forms(one).get("excess") == one for one in analyses):
        words.append(EXACT_RATE.format(shown))
    hidden = [name for name in study.combinations if name not in study.drawn]
    table2 = dict(labels=labels(study), hidden=hidden, reading=shown, notes=words)
    hepdata = dict(profiles=limited(study), figures=contour_figures(study), reading=shown, notes=notes(study))
    return {
        "counts": ("write_counts", dict(setups=setups, readings=study.readings)),
        "table2": ("write_table2", table2, [published.TABLE]),
        "hepdata": ("write_hepdata", hepdata),
    }


def _drawing(folder):
    """The style of the figures, the study's own or the paper's: its settings as text."""
    own = Path(folder or PAPER) / STYLE
    text = (own if own.is_file() else PAPER / STYLE).read_text(encoding="utf-8")
    return "".join(f"{line}\n" for line in text.splitlines() if line.strip() and line[0] != "#")


def figures(study, folder):
    """Figs. 1 to 8, planes with other fluxes and of combinations."""
    reading, phases = study.config["figures_reading"], study.config["phases"]
    analysis, delta = study.experiment(study.experiments[0]).analysis, _delta(study)
    # what is not as in the paper's figures is written in the figure
    follows = f"{reading} reading" if reading != PAPERS_OWN else ""
    phase = rf"$\delta_\mathrm{{CP}}={delta:g}\pi$" if delta else ""
    drawing, note = dict(style=_drawing(folder)), ", ".join(filter(None, [phase, follows]))
    words = dict(confidence_level=analysis.confidence_level, note=note)
    common, planes = drawing | words, {}
    found = {"fig1": ("plot_fig1", drawing | dict(title="Quenching factors"))}
    experiments = {e: block for e, block in drawn(study).items() if "current" in block["setups"]}
    shown = dict(
        fig2=["profiles", "Profiles of the transition moments"],
        fig3=["luminosity", "Limits against luminosity"],
    )
    found["curves"] = "plot_curves", common | dict(experiments=experiments, reading=reading, figures=shown)
    for n, (kind, setups, beams, title) in PLANE_FIGURES.items():
        experiments = style(study, kind)
        shown = [s for s in setups if any(s in block["setups"] for block in experiments.values())]
        planes[n] = words | dict(
            figure=n,
            title=title,
            experiments=experiments,
            rows=[[setup, beam] for setup in shown for beam in beams],
            range_muB=_range(study, experiments, "plane_muB"),
        )
    experiments = {
        name: style(study)[name]
        | dict(
            beam=block["beam"],
            cases=[line[-2:] for line in contour_lines(study)["lines"] if line[:2] == [7, name]],
            axes_muB=block.get("axes_muB", _range(study, [name], "plane_muB")),
        )
        for name, block in phases.items()
    }
    title = "Allowed regions for different phases"
    planes[7] = words | dict(figure=7, title=title, experiments=experiments, note=follows)
    levels = {name: study.experiment(name).confidence_level for name in study.solar}
    solar = {name: dict(colour=colours(study)[name], confidence_level=levels[name]) for name in study.solar}
    muB = _range(study, solar, "plane_muB")
    title = "Region allowed by solar neutrinos"
    planes[8] = dict(figure=8, title=title, solar=solar, range_muB=muB, note=follows)
    for job, names in PAGES_OF_PLANES.items():
        shown = {name: planes[called] for name, called in names.items()}
        found[job] = "plot_contours", drawing | dict(figures=shown)
    return {f"figures/{name}": content for name, content in found.items()} | limit_figures(study, common)


def limit_figures(study, common):
    """Profiled planes, all limits, and coverage: of data and of a projection at each kind of source."""
    reading, experiments, rows = study.config["figures_reading"], style(study), []
    for figure, beam, kind in ((4, "delayed", SNS), (6, "reactor", REACTOR)):
        shown = {e: block for e, block in style(study, kind).items() if e in study.experiments}
        rows += [dict(figure=figure, beam=beam, experiments=shown)] if shown else []
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
        found.setdefault("data" if has_data else study.kinds(name)[0], name)
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
    blocks = dict(blocks=toys["blocks"])  # results say which inputs they are of, plans which there must be
    honest = dict(labels=labels, shown=shown, beams=common["beams"], notes=notes(study)) | blocks
    honest |= {key: toys[key] for key in ("toys_per_block", "seed", "error_on_total")}
    honest |= dict(confidence_level=study.experiment(study.experiments[0]).analysis.confidence_level)
    honest |= dict(combinations=study.combinations, reading=reading)
    return found | {
        "coverage": ("write_coverage", common | blocks),
        "spectrum_limits": ("write_spectrum_limits", common | spectrum),
        "spectrum_coverage": ("write_spectrum_coverage", binned),
        "honest_limits": ("write_honest_limits", honest, [published.TABLE]),
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
        drawing |= dict(scale=scale, heading=_heading(block, one), marked=_marked(study, one, reading))
        drawing |= dict(confidence_level=one.analysis.confidence_level)
        found[f"figures/map-{name}"] = "plot_map", drawing
    return found | {"maps": ("write_maps", {"maps": list(study.maps)})}


def _heading(block, one):
    """Target, background and normalisation of a map, as Matplotlib has it."""
    parts = one.detector.target.items()
    target = "".join(name if share == 1 else rf"{name}$_{{{share:g}}}$" for name, share in parts)
    background = f"background {block.background_per_keV_kg_d:g} per keV kg d"
    return f"{target}, {background}\nnormalisation ± {100 * block.sigma_sys:g} %"


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
    titles = {key: {n: block["title"] for n, block in audit[key].items()} for key in ("inputs", "budget")}
    claims = dict(
        claims=study.config["claims"],
        readings=both,
        kinds={e: study.kinds(e)[0] for e in experiments},
        beams={e: study.beams(e) for e in experiments},
        analyses={r: {e: _analysis(study.experiment(e, reading=r)) for e in experiments} for r in both},
        solar={name: _by_reading(study, name) for name in study.solar},
    )
    variants = dict(shown=shown, literal=LITERAL, departures=study.departures(shown))
    beams = {name: last for name, (_, (*_, last)) in limited(study).items()}
    shown_now = {e: block for e, block in drawn(study).items() if "current" in block["setups"]}
    shown_now = {e: block | {"beam": beams[e]} for e, block in shown_now.items()}
    budget = dict(
        style=drawing, experiments=shown_now, budget=titles["budget"], title="Sensitivity to the inputs"
    )
    departures = study.config["departures"]
    without = {f"without-{d}": "without " + departures[d].get("title", d) for d in variants["departures"]}
    ablation = dict(style=drawing, title="Departures, switched off one at a time")
    ablation |= dict(variants={shown: shown} | without | {LITERAL: LITERAL})
    ablation |= dict(labels=labels(study) | {name: name for name in study.solar})
    sampled = sorted([*experiments, *study.solar, *study.combinations, *study.config["phases"]])
    check = dict(misses=audit["misses"], reading=shown, notes=notes(study))
    provenance = dict(configuration=digest(study.config), commit=commit())
    provenance |= dict(packages={name: version(name) for name in AROUND})
    report = dict(notes=notes(study), reading=shown, error_on_total=toys["error_on_total"])
    report |= dict(toys=toys["toys_per_block"] * toys["blocks"])
    report |= dict(left_out=[labels(study)[name] for name in experiments if name not in study.counting])
    table = [published.TABLE]
    return {
        "claims": ("check_claims", claims, table),
        "audit/tables": ("write_audit", variants | titles, table),
        "figures/ablation": ("plot_ablation", ablation, table),
        "figures/budget": ("plot_budget", budget),
        "samples": ("sample_results", {"of": sampled}),
        "check": ("compare_results", check, table + sorted(reference.FOLDER.iterdir())),
        "verdict": ("check", {}),
        "provenance": ("write_provenance", provenance),
        "report": ("write_report", report, [*table, *map(code.ROOT.joinpath, REPORT)]),
    }


@cache
def notes(study):
    """What a reader must know of a study that is not the paper's."""
    if not (differences := list(_differences(study.given, read_files()[0]))):
        return ()
    more = f" and {len(differences) - 8} more" if len(differences) > 8 else ""
    return (f"This study is not the paper's: it differs in {', '.join(differences[:8])}{more}.",)


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
    if not (code.ROOT / ".git").exists():
        return "unknown"
    describe = "describe --always --abbrev=40 --exclude=* --dirty"
    command = ["git", "-C", str(code.ROOT), *describe.split()]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip().replace("-dirty", " dirty")
