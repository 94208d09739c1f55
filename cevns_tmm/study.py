"""A study: its configuration checked, resolved for each reading, and given out as experiments."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import difflib
import functools
import itertools
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cevns_tmm.analysis import Analysis
from cevns_tmm.annotations import PathLike
from cevns_tmm.combination import Combination, CombinedExperiment
from cevns_tmm.config import FILES, PAPER, check_schema, keys, read_files, schema, shown
from cevns_tmm.detector import Detector
from cevns_tmm.errors import ConfigError, check_name, is_number
from cevns_tmm.experiment import Experiment
from cevns_tmm.flux import beams
from cevns_tmm.nuclei import isotope
from cevns_tmm.plausibility import doubts, unusual
from cevns_tmm.sensitivity_map import SensitivityMap
from cevns_tmm.solar import SolarExperiment
from cevns_tmm.source import Source
from cevns_tmm.tables import identified

SETUPS = ("current", "future")
"""Setups that an experiment may have, in order."""

_KINDS = {"experiments", "solar", "sources"}  # keys whose values are blocks by name

_ALIKE = 0.85  # share of letters in common that makes another name a mistyped one

LITERAL = "literal"
"""The reading without departures."""

# Keys whose values a reading's results follow; others are the same for all readings.
_MAY_DEPART = re.compile(
    r"confidence_level|(oscillation|statistics|form_factor)\..+"
    r"|quenching\.(threshold_inversion|kappa_scale)"
    r"|solar\.[^.]+\.(mu_nu_muB|P_e1_2nu|confidence_level)"
    r"|sources\.[^.]+\.(?!kind|profile_muB|plane_muB).+"
    r"|experiments\.[^.]+\.(flux_per_cm2_s|target|target_shares|threshold_scale|baseline_m|pulls|channels)(\..+)?"
    r"|experiments\.[^.]+\.quenching(_shift|\..+)?"
    r"|experiments\.[^.]+\.(current|future|\*)\..+"
)


def _parents(config, path):
    """The mappings that hold, or may hold, the last key of a dotted path; "*" stands for every key."""
    found = [config]
    for key in path[:-1]:
        found = [
            child
            for parent in found
            for name, child in parent.items()
            if key in ("*", name) and isinstance(child, dict)
        ]
    return found


def _set(parent, key, value):
    """Set a key; ``{"scale": x}`` multiplies what is there and ``{"add": x}`` adds to it, ValueError if that is no number."""
    change = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else None
    if change not in ("scale", "add"):
        parent[key] = copy.deepcopy(value)
    elif key in parent:
        x = value[change]
        if not (is_number(parent[key]) and is_number(x)):
            raise ValueError(f"{shown(parent[key])} cannot be changed by {shown(value)}")
        parent[key] = parent[key] * x if change == "scale" else parent[key] + x


def _changed(block, before):
    """What of a mapping is not as it was."""
    return {key: value for key, value in block.items() if value != before.get(key)}


def _is_absent(config, key, is_paper):
    """Whether a dotted key is about an experiment, a setup or a source that is not there.

    ValueError if it looks like a name that is there: it is mistyped, unless the paper's own file has it.
    """
    kind, name, setup = [*key.split("."), "", ""][:3]
    if kind not in ("experiments", "solar", "sources") or name in ("", "*"):
        return False
    if name in config[kind]:
        return setup in SETUPS and setup not in config[kind][name]
    if not is_paper and (like := difflib.get_close_matches(name, config[kind], 1, _ALIKE)):
        raise ValueError(f"{shown(key)} must be a key of the configuration; is {like[0]} meant?")
    return True


@functools.cache
def _names_of_keys():
    """Names of all keys of the configuration."""
    return {path.rpartition(".")[2] for name in FILES for path in keys(name)}


def from_block(cls: type, block: Mapping[str, Any], **more: Any) -> Any:
    """An instance of a dataclass from those keys of a mapping that are fields of it."""
    return cls(**_of_fields(cls, block), **more)


@functools.cache
def field_names(cls: type) -> tuple[str, ...]:
    """Names of the fields of a dataclass."""
    return tuple(field.name for field in dataclasses.fields(cls))


def _of_fields(cls, block):
    return {name: block[name] for name in field_names(cls) if name in block}


def is_table(value: Any) -> bool:
    """Whether a value of the configuration names a file."""
    return isinstance(value, str) and value.lower().endswith(".csv")


class Study:
    """Experiments, setups and readings of a configuration.

    ``config`` is the merged configuration, ``origin`` maps each top-level key to the file it is from; both
    as of :func:`cevns_tmm.config.read_files`. Tables that it names are in ``folder``. What is about an
    experiment, a setup or a source that is not there is left out, and named in ``notes``; ``given`` is the
    configuration with it. ConfigError, a ValueError of one line, for anything that is not allowed.

    >>> study = Study.paper()
    >>> study.experiments
    ['CsI', 'HPGe', 'LAr', 'NaI', 'CONUS', 'CONNIE', 'MINER', 'TEXONO', 'RED100']
    """

    def __init__(
        self, config: dict[str, Any], origin: Mapping[str, str], folder: PathLike | None = None
    ) -> None:
        self.given, self.config, self.origin = config, copy.deepcopy(config), origin
        self._folder, self._tables, self._instances, self._experiments = Path(folder or PAPER), {}, {}, {}
        for key in ("combinations", "maps"):
            self.config.setdefault(key, {})
        self._check_schemas(self.config)
        self.notes = self._leave_out()
        self.readings = list(self.config["readings"])
        self.experiments = list(self.config["experiments"])
        self.sources = list(self.config["sources"])
        self.solar = list(self.config["solar"])
        self.combinations = list(self.config["combinations"])
        self.drawn = [
            name for name, block in self.config["combinations"].items() if block.get("in_figures", True)
        ]
        self.maps = list(self.config["maps"])
        self._check_names()
        self._check_experiments(self.config)
        departures = {name: self.departures(name) for name in self.readings}
        self._resolved = {name: self._resolve(departures[name]) for name in self.readings}
        for name, block in self.config["phases"].items():
            self._check_one_of(f"phases.{name}.beam", block["beam"], self.panels(name))
        for name in self.config["departures"]:
            if not any(name in used for used in departures.values()):
                self._resolve([name])

    @classmethod
    def read(cls, folder: PathLike = "config", overrides: Mapping[str, Any] | None = None) -> Study:
        """The study of a folder of YAML files; those that are missing are the paper's.

        ``overrides`` is a mapping merged over them key by key. ConfigError naming file, key, value and
        what is allowed; a warning for what is left out, and for what is allowed but surely a slip.
        """
        config, origin = read_files(folder, overrides)
        study = cls(config, origin, folder)
        study.notes += study._doubts()
        for note in study.notes:
            warnings.warn(note, stacklevel=2)
        return study

    @classmethod
    def paper(cls) -> Study:
        """The paper's own study."""
        return cls(*read_files())

    def departures(self, reading: str) -> list[str]:
        """Departures of a reading; the name of another reading in its list stands for those of that one."""
        departures, readings = self.config["departures"], self.config["readings"]
        check_name("reading", reading, readings)
        found, done = {}, set()

        def collect(name, within):
            key, chain = f"readings.{name}", [*within, name]
            if name in within:
                self._refuse(key, " > ".join(chain), "must not lead back to itself")
            for item in readings[name] if name not in done else ():
                self._check_one_of(key, item, departures | readings)
                if item in departures:
                    found[item] = True
                else:
                    collect(item, chain)
            done.add(name)

        collect(reading, [])
        return list(found)

    def setups(self, name: str) -> list[str]:
        """Setups that an experiment has; the one of a combination."""
        check_name("experiment", name, [*self.experiments, *self.combinations, *self.solar])
        if name in self.solar:
            return ["current"]
        if name in self.combinations:
            return [self.config["combinations"][name].get("setup", "current")]
        return [setup for setup in SETUPS if setup in self.config["experiments"][name]]

    @functools.cached_property
    def counting(self) -> list[str]:
        """Experiments with Eqs. (34) or (35) and nuclear recoils alone in every setup and reading."""

        def counts(name):
            every = itertools.product([name], self.setups(name), self.readings)
            ones = itertools.starmap(self.experiment, every)
            return all(
                one.analysis.binned is None and "electron" not in one.detector.channels for one in ones
            )

        return list(filter(counts, self.experiments))

    def source_of(self, name: str) -> str:
        """Name of the source of an experiment; ValueError if there is no experiment of that name."""
        check_name("experiment", name, self.config["experiments"])
        return self.config["experiments"][name]["source"]

    def kinds(self, name: str) -> list[str]:
        """Kind of source that the flux of an experiment is like; of a combination, those of its members and "combined"."""
        if name not in self.combinations:
            return [self.source(self.source_of(name)).resembles]
        members = self.members(name) if name in self.drawn else ()
        return [*dict.fromkeys(kind for member in members for kind in self.kinds(member)), "combined"]

    def beams(self, name: str) -> Mapping[str, tuple[str, ...]]:
        """Beams of an experiment: {beam: components}."""
        source = self.config["sources"][self.source_of(name)]
        return beams(source["kind"], source.get("spectra", {}) | source.get("lines", {}))

    def panels(self, name: str) -> Mapping[str, Any]:
        """What counts as signal in the panels of the figures: {beam: components}, all of it last.

        Of a combination {beam: {member: components}}: members that have no such beam count with all they have.
        """
        if name not in self.combinations:
            return {**beams(*self.kinds(name)), **self.beams(name)}
        members = {member: self.panels(member) for member in self.members(name)}
        is_drawn = name in self.drawn
        shown = dict.fromkeys(beam for own in members.values() for beam in own if is_drawn and beam != "full")
        return {
            beam: {member: own.get(beam, own[list(own)[-1]]) for member, own in members.items()}
            for beam in [*shown, "combined"]
        }

    def members(self, name: str) -> list[str]:
        """Members of a combination that are not solar; of an experiment, itself."""
        names = self.config["combinations"].get(name, {}).get("experiments", [name])
        return [member for member in names if member not in self.solar]

    def source(self, name: str, reading: str | None = None) -> Source:
        """A source in one reading."""
        reading = self.config["figures_reading"] if reading is None else reading
        check_name("source", name, self.sources)
        check_name("reading", reading, self.readings)
        return self._made(Source, self._resolved[reading]["sources"][name])

    def experiment(
        self, name: str, setup: str = "current", reading: str | None = None
    ) -> Experiment | SolarExperiment:
        """An Experiment, or a SolarExperiment; the reading of the figures if none is named.

        ValueError that lists what there is for a name that is not there.
        """
        reading = self.config["figures_reading"] if reading is None else reading
        check_name("experiment", name, [*self.experiments, *self.solar])
        check_name("setup", setup, self.setups(name))
        check_name("reading", reading, self.readings)
        if (key := (name, setup, reading)) not in self._experiments:
            self._experiments[key] = self._experiment(self._resolved[reading], name, setup, reading)
        return self._experiments[key]

    def combination(self, name: str, reading: str | None = None) -> CombinedExperiment:
        """A CombinedExperiment; the reading of the figures if none is named."""
        reading = self.config["figures_reading"] if reading is None else reading
        check_name("combination", name, self.combinations)
        check_name("reading", reading, self.readings)
        if (key := (name, None, reading)) not in self._experiments:
            self._experiments[key] = self._combination(self._resolved[reading], name, reading)
        return self._experiments[key]

    def sensitivity_map(self, name: str, reading: str | None = None) -> tuple[SensitivityMap, Experiment]:
        """A SensitivityMap and the Experiment that it is of; the reading of the figures if none is named."""
        reading = self.config["figures_reading"] if reading is None else reading
        check_name("map", name, self.maps)
        check_name("reading", reading, self.readings)
        return self._map(self._resolved[reading], name, reading)

    def _map(self, config, name, reading):
        block = config["maps"][name]
        setup = block.get("setup", "current")
        found = from_block(SensitivityMap, block)
        experiment = self._experiment(config, block["experiment"], setup, reading)
        experiment.components(found.beam)
        found.window(experiment.detector, found.thresholds[0])
        return found, experiment

    def _combination(self, config, name, reading):
        block = config["combinations"][name]
        (setup,) = self.setups(name)
        members = {
            member: self._experiment(config, member, setup, reading) for member in block["experiments"]
        }
        level = config["confidence_level"]
        return CombinedExperiment(name, setup, reading, from_block(Combination, block), members, level)

    def _experiment(self, config, name, setup, reading):
        if name in config["solar"]:
            block = config["oscillation"] | config["solar"][name]
            return from_block(SolarExperiment, block, name=name, reading=reading)
        block, statistics = config["experiments"][name], config["statistics"]
        quenching = config["quenching"] if block["threshold_scale"] == "electron-equivalent" else {}
        detector = self._made(Detector, quenching | block | block[setup], form_factor=config["form_factor"])
        used = config | statistics | statistics[setup] | block | block[setup]
        return from_block(
            Experiment,
            config["grids"],
            name=name,
            setup=setup,
            reading=reading,
            source=self._made(Source, config["sources"][block["source"]]),
            detector=detector,
            analysis=from_block(Analysis, used, binned=detector.measurement()),
        )

    def _made(self, cls, block, **more):
        """An instance of a dataclass, with the columns of tables in place of the names of their files.

        It is made once for all readings in which it is the same.
        """
        used = _of_fields(cls, block) | more
        key = cls, repr(used)
        if key not in self._instances:
            tables = {name: read for name, read in cls.TABLES.items() if name in used}
            self._instances[key] = cls(
                **used | {n: self._table(n, read, used[n]) for n, read in tables.items()}
            )
        return self._instances[key]

    def _table(self, key, reader, value):
        """A value, or each of a mapping, with the columns of a table for the name of a file."""
        if isinstance(value, dict):
            return {name: self._table(f"{key}.{name}", reader, one) for name, one in value.items()}
        if not is_table(value):
            return value
        if not (self._folder / value).is_file():
            there = {path.name.lower(): path.name for path in self._folder.glob("*") if is_table(path.name)}
            like = [there[name] for name in difflib.get_close_matches(value.lower(), there, 1)]
            meant = f"; is {like[0]} meant?" if like else ""
            raise ValueError(f"{key}: {value!r} must be a file in {self._folder}/{meant}")
        if (reader, value) not in self._tables:
            self._tables[reader, value] = identified(self._folder / value, value, reader)
        return self._tables[reader, value]

    @functools.cached_property
    def audit(self) -> Study:
        """A study whose readings are the variants of the audit, in place of the readings.

        ``without-X`` and ``only-X`` switch one departure off in the reading shown and on in the
        literal one; ``input-X`` changes an unstated input, ``X-down`` and ``X-up`` those of the budget.
        """
        config, origin = copy.deepcopy(self.config), dict(self.origin)
        chosen = self.departures(config["figures_reading"])
        variants = {name: self.departures(name) for name in self.readings}
        for name in chosen:
            variants[f"without-{name}"] = [other for other in chosen if other != name]
            variants[f"only-{name}"] = [name]
        changes = []
        for name, block in config["audit"]["inputs"].items():
            changes.append((f"input-{name}", f"inputs.{name}.sets", block["sets"]))
        for name, block in config["audit"]["budget"].items():
            changes += [(f"{name}-{to}", f"budget.{name}.{to}", block[to]) for to in ("down", "up")]
        for name, key, sets in changes:
            if name in self.config["departures"]:
                self._refuse(f"audit.{key}", name, "must not be the name of a departure too")
            config["departures"][name] = {"sets": sets}
            origin[f"departures.{name}"] = f"{origin['audit']}: audit.{key}"
            variants[name] = [*chosen, name]
        combinations = {name: config["combinations"][name] for name in self.drawn}
        config |= {"readings": variants, "combinations": combinations, "maps": {}}
        return Study(config, origin, self._folder)

    def _leave_out(self):
        """Drop what is about experiments, setups or sources that are not there; notes that say what."""
        config, gone = self.config, {}
        audit, known = config["audit"], config["experiments"] | config["solar"]
        sources = (config["sources"].get(block["source"], {}) for block in config["experiments"].values())
        present = {*known, *(source.get("kind") for source in sources)}

        def fits(name, block):
            changes = {key: block[key] for key in ("sets", "down", "up") if key in block}
            for part, sets in changes.items():
                try:
                    absent = [key for key in sets if _is_absent(config, key, is_paper(where))]
                except ValueError as error:
                    raise ConfigError(
                        f"{self.origin[where.split('.')[0]]}: {where}.{name}.{part}: {error}"
                    ) from None
                for key in absent:
                    del sets[key]
            return all(changes.values())

        def is_paper(where):
            return self.origin[where.split(".")[0]] in {str(PAPER / f"{name}.yaml") for name in FILES}

        def are_known(key, members, allowed):
            where, name = key.split(".")[:2]
            absent = [member for member in members if member not in allowed]
            paper = read_files()[0].get(where, {}) if absent and not is_paper(where) else config[where]
            if config[where][name] != paper.get(name):  # one of the paper's in a copied file is not mistyped
                self._refuse(key, absent[0], f"must be an experiment: {', '.join(allowed)}")
            return not absent

        def are_there(key, block, members, allowed):
            setup = block.get("setup", "current")
            return are_known(key, members, allowed) and all(
                setup in config["experiments"].get(member, SETUPS) for member in members
            )

        def has_members(name, block):
            return are_there(f"combinations.{name}.experiments", block, block["experiments"], known)

        def has_phases(name, _):
            return are_known(f"phases.{name}", [name], config["experiments"] | config["combinations"])

        def has_experiment(name, block):
            return are_there(f"maps.{name}.experiment", block, [block["experiment"]], config["experiments"])

        for where, blocks, stays in (
            ("departures", config["departures"], fits),
            ("combinations", config["combinations"], has_members),
            ("phases", config["phases"], has_phases),
            ("maps", config["maps"], has_experiment),
            ("audit.inputs", audit["inputs"], fits),
            ("audit.budget", audit["budget"], fits),
            ("claims", config["claims"], lambda _, block: present.issuperset(block.get("needs", []))),
        ):
            gone[where] = [name for name, block in blocks.items() if not stays(name, block)]
            for name in gone[where]:
                del blocks[name]
        for name, items in config["readings"].items():
            config["readings"][name] = [item for item in items if item not in gone["departures"]]
        audit["misses"] = [miss for miss in audit["misses"] if miss["entry"][0] in known]
        what = [
            f"{len(names)} in {where}" if is_paper(where) else f"{where}: {', '.join(names)}"
            for where, names in gone.items()
            if names
        ]
        why = "left out, because the study has no such experiment, setup or source"
        return (f"{why}: {'; '.join(what)}",) if what else ()

    def _doubts(self):
        """What is allowed but surely a slip, in the reading of the figures."""
        found, cells = {}, self.config["grids"]["flux_cells"]
        fluxes = functools.cache(lambda source: self.source(source).flux_tables(cells))
        # what is odd about the paper's own experiments is in the readings
        paper, _ = read_files()
        is_paper = all(self.given[key] == paper[key] for key in ("confidence_level", "statistics", "sources"))
        for name in (*self.experiments, *self.solar):
            for setup in self.setups(name):
                one = self.experiment(name, setup)
                if name in self.solar:
                    texts = unusual(one)
                else:
                    is_own = not is_paper or self.given["experiments"][name] != paper["experiments"].get(name)
                    with self._located(f"experiments.{name}", setup):
                        texts = list(doubts(one, fluxes(self.source_of(name)) if is_own else None))
                for text in texts:
                    found.setdefault((name, text), []).append(setup)
        notes = [f"{name} ({', '.join(setups)}): {text}" for (name, text), setups in found.items()]
        if others := [name for name in self.experiments if name not in self.counting]:
            why = "left out of coverage by toys and limits with the spectrum, because of bins or electrons"
            notes.append(f"{why}: {', '.join(others)}")
        return tuple(notes)

    def _refuse(self, key, value, allowed):
        raise ConfigError(f"{self.origin[key.split('.')[0]]}: {key}: {shown(value)} {allowed}")

    def _check_one_of(self, key, value, allowed):
        if value not in allowed:
            self._refuse(key, value, f"must be one of {', '.join(allowed)}")

    def _check_schemas(self, config):
        """Check each file against its schema; of a reading, only what is not as without departures."""
        for name in FILES:
            block = {key: config[key] for key in schema(name)["properties"] if key in config}
            if config is self.config:
                check_schema(block, schema(name), self.origin)
            elif changed := _changed(block, self.config):
                for kind in _KINDS & set(changed):
                    changed[kind] = _changed(changed[kind], self.config[kind])
                check_schema(changed, schema(name) | {"required": []}, self.origin)

    def _check_names(self):
        """Checks of names and ranges, which no reading can change."""
        config = self.config
        ranges = {"luminosity.range": config["luminosity"]["range"]}
        for kind, parts in (("sources", ("plane_muB", "profile_muB")), ("solar", ("plane_muB",))):
            for name, block in config[kind].items():
                ranges |= {f"{kind}.{name}.{key}": block[key] for key in parts}
        for name, block in config["phases"].items():
            ranges |= {f"phases.{name}.axes_muB": block["axes_muB"]} if "axes_muB" in block else {}
        for key, (low, high) in ranges.items():
            if not low < high:
                self._refuse(key, [low, high], "must be a lower and a higher value")
        for kinds in (("experiments", "solar", "combinations"), ("sources",), ("maps",)):  # what names files
            names = {}
            for key in (f"{kind}.{name}" for kind in kinds for name in config[kind]):
                name = key.partition(".")[2]
                other = names.setdefault(name.lower(), key)
                if other != key:
                    self._refuse(key, name, f"must differ from {other} by more than case")
        for name, block in config["experiments"].items():
            self._check_one_of(f"experiments.{name}.source", block["source"], config["sources"])
        for name in config["phases"]:
            if "current" not in self.setups(name):
                self._refuse(f"phases.{name}", name, "must have the current setup, which Fig. 7 shows")
        for nuclide in config["quenching"]["nuclides"]:
            try:
                isotope(nuclide)
            except ValueError:
                self._refuse("quenching.nuclides", nuclide, "must be an isotope such as Ge72")
        for name, block in config["claims"].items():
            for key in re.findall(r"{(\w+)}", block["criterion"]):
                self._check_one_of(f"claims.{name}.criterion", key, block)
        if config["readings"].get(LITERAL) != []:
            value = config["readings"].get(LITERAL)
            self._refuse(f"readings.{LITERAL}", value, "must be there and empty")
        self._check_one_of("figures_reading", config["figures_reading"], config["readings"])

    def _check_experiments(self, config):
        """Make every source and experiment, each of which checks itself; of a reading, those that it changes."""
        others = config.keys() - _KINDS
        is_checked = config is not self.config and all(config[key] == self.config[key] for key in others)

        def is_same(kind, name):
            return is_checked and config[kind][name] == self.config[kind][name]

        for name, block in config["sources"].items():
            if is_same("sources", name):
                continue
            with self._located(f"sources.{name}"):
                self._made(Source, block)
        for name in self.experiments:
            if is_same("experiments", name) and is_same("sources", self.source_of(name)):
                continue
            for setup in self.setups(name):
                with self._located(f"experiments.{name}", setup):
                    self._experiment(config, name, setup, reading=None)
        for name in config["combinations"]:
            with self._located(f"combinations.{name}"):
                self._combination(config, name, reading=None)
        for name in config["maps"]:
            with self._located(f"maps.{name}"):
                self._map(config, name, reading=None)

    @contextlib.contextmanager
    def _located(self, block, setup=None):
        """Give the ValueError of a dataclass, which begins with the name of a field, its file and full key."""
        try:
            yield
        except ConfigError:  # of a data file
            raise
        except ValueError as error:
            file, field = self.origin[block.split(".")[0]], re.match(r"\w*", str(error)).group()
            if setup and field in schema("experiments")["$defs"]["setup"]["properties"]:
                block += f".{setup}"
            raise ConfigError(f"{file}: {block}{'.' if field in _names_of_keys() else ': '}{error}") from None

    def _resolve(self, departures):
        """The configuration with some departures applied, checked."""
        sets = [key for name in departures for key in self.config["departures"][name]["sets"]]
        changed = {key.partition(".")[0] for key in sets} & set(self.config)
        config = self.config | {key: copy.deepcopy(self.config[key]) for key in changed}
        for departure in departures:
            self._apply(config, departure)
        try:
            self._check_schemas(config)
            self._check_experiments(config)
        except ConfigError as error:
            *others, last = departures
            if others:  # one may be wrong by itself, or not go with those before it
                for departure in departures:
                    self._resolve([departure])
                self._resolve(others)
            together = f", together with {', '.join(others)}," if others else ""
            self._refuse_sets(last, f"leads{together} to {error}")
        return config

    def _apply(self, config, departure):
        """Set the keys of one departure."""
        for key, value in config["departures"][departure]["sets"].items():
            if not _MAY_DEPART.fullmatch(key):
                self._refuse_sets(departure, f"{shown(key)} is not a key that a reading may set")
            path = key.split(".")
            parents = _parents(config, path)
            if path[-1] != "*" and "*" in path and path[-1] not in _names_of_keys():
                self._refuse_sets(departure, f"{shown(key)}: no key is called {shown(path[-1])}")
            if not parents and "*" not in path:
                self._refuse_sets(departure, f"{shown(key)} must be a key of the configuration")
            for parent in parents:
                try:
                    for last in list(parent) if path[-1] == "*" else [path[-1]]:
                        _set(parent, last, value)
                except ValueError as error:
                    self._refuse_sets(departure, f"{shown(key)}: {error}")

    def _refuse_sets(self, departure, message):
        key = f"departures.{departure}"
        where = self.origin.get(key, f"{self.origin['departures']}: {key}.sets")
        raise ConfigError(f"{where}: {message}")
