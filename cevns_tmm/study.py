"""A study: its configuration checked, resolved for each reading, and given out as experiments."""

import copy
import dataclasses
import functools
import re
import warnings

from cevns_tmm.analysis import Analysis
from cevns_tmm.config import FILES as CONFIG_FILES
from cevns_tmm.config import check_schema, is_number, read_files, schema, shown
from cevns_tmm.detector import Detector
from cevns_tmm.errors import ConfigError
from cevns_tmm.experiment import Experiment
from cevns_tmm.flux import BEAMS
from cevns_tmm.nuclei import isotope
from cevns_tmm.solar import SolarExperiment
from cevns_tmm.source import Source

SETUPS = ("current", "future")
"""Setups that an experiment may have, in order."""

LITERAL = "literal"
"""The reading without departures."""

# Keys whose values a reading's results follow; others are the same for all readings.
_MAY_DEPART = re.compile(
    r"confidence_level|(oscillation|statistics|form_factor)\..+"
    r"|quenching\.(threshold_inversion|kappa_scale)"
    r"|solar\.[^.]+\.(mu_nu_muB|P_e1_2nu|confidence_level)"
    r"|sources\.[^.]+\.(?!kind|profile_muB|plane_muB).+"
    r"|experiments\.[^.]+\.(flux_per_cm2_s|target|target_shares|threshold_scale|baseline_m)(\..+)?"
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


def _is_scale(value):
    return isinstance(value, dict) and set(value) == {"scale"}


def _set(parent, key, value):
    """Set a key, or multiply what is there by ``value["scale"]``; ConfigError if that is no number."""
    if not _is_scale(value):
        parent[key] = copy.deepcopy(value)
    elif key in parent:
        if not (is_number(parent[key]) and is_number(value["scale"])):
            raise ConfigError(f"{shown(parent[key])} cannot be scaled by {shown(value['scale'])}")
        parent[key] = parent[key] * value["scale"]


def _fitting(config, sets):
    """Those keys of ``sets`` that are not about an experiment or a setup that is not there."""
    return {
        key: value
        for key, value in sets.items()
        if not key.startswith("experiments.") or _parents(config, key.split("."))
    }


def from_block(cls, block, **more):
    """An instance of a dataclass from those keys of a mapping that are fields of it."""
    names = {field.name for field in dataclasses.fields(cls)}
    return cls(**{key: value for key, value in block.items() if key in names}, **more)


class Study:
    """Experiments, setups and readings of a configuration.

    ``config`` is the merged configuration, ``origin`` maps each top-level key to the file it is from; both
    as of :func:`cevns_tmm.config.read_files`. What is about an experiment that is not there is left out,
    and named in ``notes``. ConfigError, a ValueError of one line, for anything that is not allowed.

    >>> study = Study.paper()
    >>> study.experiments
    ['CsI', 'HPGe', 'LAr', 'NaI', 'CONUS', 'CONNIE', 'MINER', 'TEXONO', 'RED100']
    """

    def __init__(self, config, origin):
        self.config = copy.deepcopy(config)
        self.origin = origin
        self._valid = {}
        self._built = {}
        self._check_schemas(self.config)
        self.notes = self._leave_out()
        self.readings = list(self.config["readings"])
        self.experiments = list(self.config["experiments"])
        self.sources = list(self.config["sources"])
        self.solar = list(self.config["solar"])
        self._check_names()
        used = {name for reading in self.readings for name in self.departures(reading)}
        for departure in set(self.config["departures"]) - used:
            self._resolve([departure])
        self._resolved = {name: self._resolve(self.departures(name)) for name in self.readings}

    @classmethod
    def read(cls, folder="config", overrides=None):
        """The study of a folder of YAML files; those that are missing are the paper's.

        ``overrides`` is a mapping merged over them key by key. ConfigError naming file, key, value and
        what is allowed; a warning for what is left out.
        """
        study = cls(*read_files(folder, overrides))
        for note in study.notes:
            warnings.warn(note, stacklevel=2)
        return study

    @classmethod
    def paper(cls):
        """The paper's own study."""
        return cls(*read_files())

    def departures(self, reading):
        """Departures of a reading; the name of another reading in its list stands for those of that one."""
        found, open_readings = [], []

        def collect(name):
            if name in open_readings:
                self._refuse(f"readings.{name}", open_readings, "must not contain itself")
            open_readings.append(name)
            for item in self.config["readings"][name]:
                if item in self.config["departures"]:
                    found.append(item)
                elif item in self.config["readings"]:
                    collect(item)
                else:
                    known = ", ".join([*self.config["departures"], *self.config["readings"]])
                    self._refuse(
                        f"readings.{name}", item, f"must be departures or readings: {known}"
                    )
            open_readings.pop()

        collect(reading)
        return list(dict.fromkeys(found))

    def setups(self, name):
        """Setups that an experiment has."""
        if name in self.solar:
            return ["current"]
        return [setup for setup in SETUPS if setup in self.config["experiments"][name]]

    def source_of(self, name):
        """Name of the source of an experiment."""
        return self.config["experiments"][name]["source"]

    def source_kind(self, name):
        """Kind of the source of an experiment."""
        return self.config["sources"][self.source_of(name)]["kind"]

    def beams(self, name):
        """Beams of an experiment: {beam: components}."""
        return BEAMS[self.source_kind(name)]

    def source(self, name, reading=None):
        """A source in one reading."""
        config = self._resolved[reading or self.config["figures_reading"]]
        return from_block(Source, config["sources"][name])

    def experiment(self, name, setup="current", reading=None):
        """An Experiment, or a SolarExperiment; the reading of the figures if none is named.

        ValueError that lists what there is for a name that is not there.
        """
        reading = reading or self.config["figures_reading"]
        known = [*self.experiments, *self.solar]
        for what, value, allowed in (
            ("experiment", name, known),
            ("setup", setup, self.setups(name) if name in known else [setup]),
            ("reading", reading, self.readings),
        ):
            if value not in allowed:
                raise ValueError(f"{what}: {value!r} must be one of {', '.join(allowed)}")
        return self._experiment(self._resolved[reading], name, setup, reading)

    def _experiment(self, config, name, setup, reading):
        if name in config["solar"]:
            block = config["solar"][name] | {"sin2_theta13": config["oscillation"]["sin2_theta13"]}
            return from_block(SolarExperiment, block, name=name, reading=reading)
        block = config["experiments"][name]
        quenching = config["quenching"] if block["threshold_scale"] == "electron-equivalent" else {}
        parts = {
            "source": (Source, config["sources"][block["source"]]),
            "detector": (
                Detector,
                quenching | block | block[setup] | {"form_factor": config["form_factor"]},
            ),
            "analysis": (
                Analysis,
                config["statistics"][setup]
                | {"nuisance_on": config["statistics"]["nuisance_on"]}
                | {"oscillation": config["oscillation"]}
                | {"confidence_level": config["confidence_level"]}
                | {"data": block[setup].get("data")},
            ),
        }
        grids = {key: config["grids"][key] for key in ("flux_cells", "recoil_nodes")}
        built = {part: from_block(cls, content) for part, (cls, content) in parts.items()}
        return Experiment(name=name, setup=setup, reading=reading, **built, **grids)

    @functools.cached_property
    def audit(self):
        """A study whose readings are the variants of the audit, in place of the readings.

        ``without-X`` and ``only-X`` switch one departure off in the reading shown and on in the
        literal one; ``input-X`` changes an unstated input, ``X-down`` and ``X-up`` those of the budget.
        """
        config = copy.deepcopy(self.config)
        audit, shown_reading = config["audit"], config["figures_reading"]
        chosen = self.departures(shown_reading)
        variants = {name: self.departures(name) for name in self.readings}
        for name in chosen:
            variants[f"without-{name}"] = [other for other in chosen if other != name]
            variants[f"only-{name}"] = [name]
        changes = {f"input-{name}": block["sets"] for name, block in audit["inputs"].items()}
        for name, block in audit["budget"].items():
            changes |= {f"{name}-down": block["down"], f"{name}-up": block["up"]}
        for name, sets in changes.items():
            config["departures"][name] = {"sets": sets}
            variants[name] = [*chosen, name]
        config["readings"] = variants
        origin = self.origin | {f"departures.{name}": self.origin["audit"] for name in changes}
        return Study(config, origin)

    def _leave_out(self):
        """Drop what is about experiments and setups that are not there; notes that say what."""
        config, gone = self.config, {}
        known = {*config["experiments"], *config["solar"]}

        def keep(where, blocks, fits):
            for name in [name for name, block in blocks.items() if not fits(name, block)]:
                del blocks[name]
                gone.setdefault(where, []).append(name)

        def fitting(name, block):
            for key in {"sets", "down", "up"} & set(block):
                block[key] = _fitting(config, block[key])
            return all(block[key] for key in {"sets", "down", "up"} & set(block))

        departures = set(config["departures"])
        keep("departures", config["departures"], fitting)
        departures -= set(config["departures"])
        for name, items in config["readings"].items():
            config["readings"][name] = [item for item in items if item not in departures]
        keep("phases", config["phases"], lambda name, _: name in known)
        keep("audit.inputs", config["audit"]["inputs"], fitting)
        keep("audit.budget", config["audit"]["budget"], fitting)
        keep("claims", config["claims"], lambda _, block: known.issuperset(block.get("needs", [])))
        config["audit"]["misses"] = [
            miss for miss in config["audit"]["misses"] if miss["entry"][0] in known
        ]
        if not gone:
            return ()
        what = "; ".join(f"{where}: {', '.join(names)}" for where, names in gone.items())
        return (f"left out, being about experiments or setups that are not there: {what}",)

    def _file(self, key):
        return self.origin.get(key) or self.origin[key.split(".")[0]]

    def _refuse(self, key, value, allowed):
        raise ConfigError(f"{self._file(key)}: {key}: {shown(value)} {allowed}")

    def _check_schemas(self, config):
        for name in CONFIG_FILES:
            keys = schema(name)["properties"]
            block = {key: config[key] for key in keys if key in config}
            if block != self._valid.get(name):  # most departures change a file or none
                check_schema(block, schema(name), self.origin[next(iter(keys))])
                self._valid.setdefault(name, copy.deepcopy(block))

    def _check_names(self):
        """Checks that no reading can change."""
        config = self.config
        for key in ("plane_muB", "profile_muB"):
            for name, source in config["sources"].items():
                self._check_range(f"sources.{name}.{key}", source[key])
        for name, block in config["solar"].items():
            if name in config["experiments"]:
                self._refuse(f"solar.{name}", name, "must not be the name of an experiment")
            self._check_range(f"solar.{name}.plane_muB", block["plane_muB"])
        self._check_range("luminosity.range", config["luminosity"]["range"])
        for name, block in config["experiments"].items():
            if block["source"] not in config["sources"]:
                known = ", ".join(config["sources"])
                self._refuse(
                    f"experiments.{name}.source", block["source"], f"must be one of {known}"
                )
        folded = {}
        for name in [*config["experiments"], *config["solar"]]:
            other = folded.setdefault(name.lower(), name)
            if other != name:
                self._refuse(
                    f"experiments.{name}", name, f"must differ from {other} by more than case"
                )
        for nuclide in config["quenching"]["nuclides"]:
            try:
                isotope(nuclide)
            except ValueError:
                self._refuse("quenching.nuclides", nuclide, "must be isotopes such as Ge72")
        for name, block in config["phases"].items():
            beams = self.beams(name) if name in config["experiments"] else ()
            if block["beam"] not in beams:
                known = ", ".join(beams) or "missing: a solar limit has no phases"
                self._refuse(f"phases.{name}.beam", block["beam"], f"must be one of {known}")
        if config["readings"].get(LITERAL) != []:
            self._refuse(
                f"readings.{LITERAL}", config["readings"].get(LITERAL), "must be there and empty"
            )
        if config["figures_reading"] not in config["readings"]:
            known = ", ".join(config["readings"])
            self._refuse("figures_reading", config["figures_reading"], f"must be one of {known}")

    def _check_range(self, key, limits):
        if not limits[0] < limits[1]:
            self._refuse(key, limits, "must be a lower and a higher value")

    def _check_experiments(self, config):
        """Build what a reading may change; each distinct experiment once."""
        for name, source in config["sources"].items():
            self._build((name, source), lambda s=source: from_block(Source, s), f"sources.{name}")
        common = [config[key] for key in ("statistics", "oscillation", "quenching", "form_factor")]
        common.append(config["confidence_level"])
        for name, block in config["experiments"].items():
            for setup in (setup for setup in SETUPS if setup in block):
                inputs = name, setup, block, config["sources"][block["source"]], common
                where = f"experiments.{name}"
                make = functools.partial(self._experiment, config, name, setup, "")
                self._build(inputs, make, where, setup)

    def _build(self, inputs, make, where, setup=None):
        seen = self._built.setdefault((where, setup), [])
        if inputs in seen:
            return
        try:
            make()
        except ConfigError:  # of a data file
            raise
        except ValueError as error:
            key = str(error).partition(":")[0].partition(".")[0]
            block = self.config["experiments"].get(where.partition(".")[2], {})
            inside = f".{setup}" if setup and key not in block and key != "baseline_m" else ""
            inside = "" if key in ("flux_per_cm2_s", "baseline_m") else inside
            raise ConfigError(f"{self._file(where)}: {where}{inside}.{error}") from None
        seen.append(copy.deepcopy(inputs))

    def _resolve(self, departures):
        """The configuration with some departures applied, checked."""
        config = copy.deepcopy(self.config)
        for departure in departures:
            self._apply(config, departure)
        try:
            self._check_schemas(config)
            self._check_experiments(config)
        except ConfigError as error:
            if not departures:
                raise
            for departure in departures:
                if len(departures) > 1:
                    self._resolve([departure])  # names the one that is wrong by itself
            self._refuse_departure(" + ".join(departures), f"leads to {error}")
        return config

    def _apply(self, config, departure):
        """Set the keys of one departure."""
        for key, value in config["departures"][departure]["sets"].items():
            if not _MAY_DEPART.fullmatch(key):
                self._refuse_departure(departure, f"{key!r} is not a key that a reading may set")
            path = key.split(".")
            parents = _parents(config, path)
            if not parents:
                self._refuse_departure(departure, f"{key!r} must be a key of the configuration")
            for parent in parents:
                try:
                    for last in list(parent) if path[-1] == "*" else [path[-1]]:
                        _set(parent, last, value)
                except ConfigError as error:
                    self._refuse_departure(departure, f"{key!r}: {error}")

    def _refuse_departure(self, departure, message):
        key = f"departures.{departure}"
        where = f"audit: {departure}" if key in self.origin else f"{key}.sets"
        raise ConfigError(f"{self._file(key)}: {where}: {message}")
