"""What is to be computed: the configuration checked, and resolved for each reading.

No physics and no files are touched here, so that a mistake is found before any job starts.
"""

import copy
import functools
import itertools
import math
import numbers
import re
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError, best_match

from cevns_tmm.flux import BEAMS, COMPONENTS
from cevns_tmm.nuclei import element, isotope

SETUPS = ("current", "future")


CONFIG_FILES = ("config", "experiments", "readings", "audit", "claims")

_VARIATION = "a variation of config/audit.yaml"

_LARGEST_FILE = 1_000_000  # characters
_DEEPEST = 50  # lists and mappings in each other


class ConfigError(Exception):
    """A value of the configuration that is not allowed; the message is one line."""


def _is_finite_number(checker, value):
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 10**300


def _is_integer(checker, value):
    return isinstance(value, int) and not isinstance(value, bool)  # 50.0 is not


class _StrictLoader(yaml.CSafeLoader):
    """Safe YAML that refuses a mapping with the same key twice."""

    def construct_mapping(self, node, deep=False):
        """As SafeLoader's, for unique keys."""
        seen = set()
        for key_node, _ in node.value:
            key = str(self.construct_object(key_node, deep=True))
            if key in seen:
                problem = f"key {key!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _check_events(text):
    """YAMLError if a text has aliases, a few of which can stand for gigabytes, or is nested too deeply."""
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.events.CollectionStartEvent)
        depth -= isinstance(event, yaml.events.CollectionEndEvent)
        alias = isinstance(event, yaml.events.AliasEvent)
        if alias or depth > _DEEPEST:
            problem = "aliases are not allowed" if alias else "nested too deeply"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)


def load_yaml(path, name=None):
    """A YAML file that is one mapping without repeated keys.

    ConfigError naming the file (by ``name`` if one is given) and the line.
    """
    name = name or path
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_LARGEST_FILE + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: not readable as UTF-8 text ({error})") from None
    if len(text) > _LARGEST_FILE:
        raise ConfigError(f"{name}: must not be larger than {_LARGEST_FILE} characters")
    try:
        _check_events(text)
        data = yaml.load(text, _StrictLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise ConfigError(f"{name}:{where} not valid YAML: {problem}") from None
    except ValueError as error:  # a date or number that Python cannot hold
        raise ConfigError(f"{name}: not valid YAML: {_shown(str(error))}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{name}: must be keys and their values")
    return data


def load_files(schemas, folder="."):
    """The configuration files below ``folder`` after a strict look at each; ``schemas`` has theirs.

    Returns {file: (schema, top-level keys)}, as :class:`Study` takes it, and the merged configuration.
    """
    files, config = {}, {}
    for name in CONFIG_FILES:
        schema = load_yaml(Path(schemas) / f"{name}.schema.yaml")
        file, keys = f"config/{name}.yaml", list(schema["properties"])
        data = load_yaml(Path(folder) / file, file)
        unknown = [key for key in data if key not in keys]
        if unknown:
            raise ConfigError(
                f"{file}: unknown key {_shown(unknown[0])}; allowed are {', '.join(keys)}"
            )
        files[file] = (schema, keys)
        config |= data
    return files, config


def _pattern(validator, pattern, instance, schema):
    """As JSON Schema's, but "$" is the end and not a newline before it."""
    if isinstance(instance, str) and not re.fullmatch(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator = validators.extend(
    Draft202012Validator,
    {"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_finite_number, "integer": _is_integer}
    ),
)


def _shown(value):
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _allowed(error):
    """What the violated rule of the schema allows, in words."""
    rule, limit = error.validator, error.validator_value
    if not isinstance(error.schema, dict):
        return "is not allowed here"
    known = ", ".join(sorted(error.schema.get("properties", {})))
    words = {
        "type": f"must be {limit}",
        "enum": "must be one of " + ", ".join(map(str, limit)) if rule == "enum" else "",
        "const": f"must be {limit}",
        "exclusiveMinimum": f"must be greater than {limit}",
        "minimum": f"must be at least {limit}",
        "exclusiveMaximum": f"must be less than {limit}",
        "maximum": f"must be at most {limit}",
        "minItems": f"must have at least {limit} items",
        "maxItems": f"must have at most {limit} items",
        "minProperties": "must not be empty",
        "minLength": "must not be empty",
        "uniqueItems": "must not repeat an item",
        "pattern": f"must match {limit}",
        "additionalProperties": f"allowed are {known}",
    }.get(rule, "is not allowed here")
    if rule == "type" and isinstance(error.instance, str):
        try:
            float(error.instance)
        except ValueError:
            return words
        words += (
            f"; YAML reads it as text, write {float(error.instance)!r} in YAML's form, e.g. 1.0e-9"
        )
    return words


def check_schema(data, schema, file):
    """Check ``data`` against a JSON schema; ConfigError naming file, key, value and what is allowed."""
    error = best_match(_Validator(schema).iter_errors(data))
    if error is None:
        return
    path, value = list(error.absolute_path), error.instance
    if error.validator == "additionalProperties":
        unknown = sorted(set(map(str, value)) - set(error.schema.get("properties", {})))
        raise ConfigError(
            f"{file}: {_key(path)}: unknown key {_shown(unknown[0])}; {_allowed(error)}"
        )
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in value]
        raise ConfigError(f"{file}: {_key(path)}: key {missing[0]!r} is missing")
    raise ConfigError(f"{file}: {_key(path)}: {_shown(value)} {_allowed(error)}")


def _key(path):
    return ".".join(_shown(str(key))[1:-1] for key in path) or "top level"


def _set(target, path, value):
    """Set a key, or multiply the number there by ``value["scale"]``; "*" stands for every key.

    Says whether anything was set. With a scale only what exists is; ConfigError if it is no number.
    """
    if not isinstance(target, dict):
        return False
    key, *rest = path
    if rest:
        keys = list(target) if key == "*" else [key] if key in target else []
        done = [_set(target[k], rest, value) for k in keys]  # all of them, not the first
        return any(done)
    if not (isinstance(value, dict) and set(value) == {"scale"}):
        target[key] = copy.deepcopy(value)
        return True
    if key not in target:
        return False
    if not all(_is_finite_number(None, x) for x in (target[key], value["scale"])):
        raise ConfigError(f"{_shown(target[key])} cannot be scaled by {_shown(value['scale'])}")
    target[key] = target[key] * value["scale"]
    return True


# Keys whose values a reading's results follow; others are the same for all readings.
_MAY_DEPART = re.compile(
    r"(oscillation|statistics|form_factor)\..+"
    r"|quenching\.(threshold_inversion|kappa_scale)"
    r"|solar\.[^.]+\.(mu_nu_muB|P_e1_2nu)"
    r"|sources\.[^.]+\.(?!kind|profile_muB|plane_muB).+"
    r"|experiments\.[^.]+\.(flux_per_cm2_s|target|target_shares|threshold_scale|baseline_m)(\..+)?"
    r"|experiments\.[^.]+\.(current|future|\*)\..+"
)


class Study:
    """The configuration of a run: experiments, setups and readings, and what each stage needs of them.

    ``config`` is the merged configuration, ``files`` maps each file name to the (schema, top-level
    keys) it answers for. Raises ConfigError.
    """

    def __init__(self, config, files):
        self.config = config
        self.files = files
        self._valid = {}
        self._check(config)
        self.readings = list(config["readings"])
        self.experiments = list(config["experiments"])
        self.sources = list(config["sources"])
        self.solar = list(config["solar"])
        used = {name for departures in config["readings"].values() for name in departures}
        for departure in set(config["departures"]) - used:
            self._resolve([departure])
        self._resolved = {name: self._resolve(config["readings"][name]) for name in self.readings}

    def _file(self, key):
        return next(file for file, (_, keys) in self.files.items() if key in keys)

    def _check(self, config):
        unknown = sorted(set(config) - {key for _, keys in self.files.values() for key in keys})
        if unknown:
            known = sorted(key for _, keys in self.files.values() for key in keys)
            raise ConfigError(
                f"configuration: top level: unknown key {unknown[0]!r}; allowed are {', '.join(known)}"
            )
        for file, (schema, keys) in self.files.items():
            block = {key: config[key] for key in keys if key in config}
            if block != self._valid.get(file):  # most departures change a file or none
                check_schema(block, schema, file)
                self._valid.setdefault(file, block)
        for name, source in config["sources"].items():
            self._check_source(name, source)
        for name, block in config["experiments"].items():
            self._check_experiment(config, name, block)
        for name, block in config["solar"].items():
            if name in config["experiments"]:
                self._refuse(f"solar.{name}", name, "must not be the name of an experiment")
            self._check_range(f"solar.{name}.plane_muB", block["plane_muB"])
        self._check_range("luminosity.range", config["luminosity"]["range"])
        for nuclide in config["quenching"]["nuclides"]:
            try:
                isotope(nuclide)
            except ValueError:
                self._refuse("quenching.nuclides", nuclide, "must be isotopes such as Ge72")
        for name, block in config["phases"].items():
            if name not in config["experiments"]:
                known = ", ".join(config["experiments"])
                self._refuse(f"phases.{name}", name, f"must be an experiment: {known}")
            beams = BEAMS[config["sources"][config["experiments"][name]["source"]]["kind"]]
            if block["beam"] not in beams:
                self._refuse(
                    f"phases.{name}.beam", block["beam"], f"must be one of {', '.join(beams)}"
                )
        if config["readings"].get("literal") != []:
            self._refuse(
                "readings.literal", config["readings"].get("literal"), "must be there and empty"
            )
        if config["figures_reading"] not in config["readings"]:
            known = ", ".join(config["readings"])
            self._refuse("figures_reading", config["figures_reading"], f"must be one of {known}")
        for name, departures in config["readings"].items():
            for departure in departures:
                if departure not in config["departures"]:
                    known = ", ".join(config["departures"])
                    self._refuse(f"readings.{name}", departure, f"must be departures: {known}")

    def _refuse(self, key, value, allowed):
        file = self._file(key.split(".")[0])
        raise ConfigError(f"{file}: {key}: {_shown(value)} {allowed}")

    def _check_range(self, key, limits):
        if not limits[0] < limits[1]:
            self._refuse(key, limits, "must be a lower and a higher value")

    def _check_source(self, name, source):
        for key in ("profile_muB", "plane_muB"):
            self._check_range(f"sources.{name}.{key}", source[key])
        if source["kind"] == "reactor":
            total = sum(source["fission_fractions"].values())
            if abs(total - 1) > 1e-9:
                self._refuse(
                    f"sources.{name}.fission_fractions", round(total, 9), "must be a sum of 1"
                )

    def _check_experiment(self, config, name, block):
        key = f"experiments.{name}"
        if block["source"] not in config["sources"]:
            known = ", ".join(config["sources"])
            self._refuse(f"{key}.source", block["source"], f"must be one of {known}")
        is_reactor = config["sources"][block["source"]]["kind"] == "reactor"
        if is_reactor and "flux_per_cm2_s" not in block:
            self._refuse(
                key, block["source"], "must have the key flux_per_cm2_s, being a reactor's"
            )
        if not is_reactor and "baseline_m" not in block:
            self._refuse(
                key, block["source"], "must have the key baseline_m, not being a reactor's"
            )
        if not is_reactor and "flux_per_cm2_s" in block:
            self._refuse(f"{key}.flux_per_cm2_s", block["flux_per_cm2_s"], "is for reactors only")
        for symbol in block["target"]:
            try:
                element(symbol)
            except ValueError:
                self._refuse(f"{key}.target", symbol, "must be elements with natural isotopes")
        for setup in SETUPS:
            if setup not in block:
                continue
            values, where = block[setup], f"{key}.{setup}"
            flat = not isinstance(values["efficiency"], dict)
            if values["threshold_keV"] == 0 and (
                flat or block["threshold_scale"] == "electron-equivalent"
            ):
                allowed = "must be greater than 0: the magnetic-moment rate diverges there"
                self._refuse(f"{where}.threshold_keV", 0, allowed)
            window = None if flat else values["efficiency"].get("window_PE")
            if not flat and (values["efficiency"]["smearing"] == "poisson") != bool(window):
                allowed = "must come with smearing: poisson, and smearing: poisson with it"
                self._refuse(f"{where}.efficiency.window_PE", window, allowed)
            if window and window[0] > window[1]:
                self._refuse(f"{where}.efficiency.window_PE", window, "must be first and last")
            if "time_window_us" in values and is_reactor:
                self._refuse(
                    f"{where}.time_window_us", values["time_window_us"], "needs a pulsed source"
                )

    def _resolve(self, departures):
        """The configuration with some departures applied, checked again."""
        config = copy.deepcopy(self.config)
        for departure in departures:
            self._apply(config, departure)
        try:
            self._check(config)
        except ConfigError as error:
            for departure in departures:
                if len(departures) > 1:
                    self._resolve([departure])  # names the one that is wrong by itself
            self._refuse_departure(" + ".join(departures), f"leads to {error}")
        return config

    def _apply(self, config, departure):
        """Set the keys of one departure; at least one of them must be there."""
        anything = False
        for key, value in config["departures"][departure]["sets"].items():
            if not _MAY_DEPART.fullmatch(key):
                self._refuse_departure(departure, f"{key!r} is not a key that a reading may set")
            try:
                done = _set(config, key.split("."), value)
            except ConfigError as error:
                self._refuse_departure(departure, f"{key!r}: {error}")
            if not done and "*" not in key:
                self._refuse_departure(departure, f"{key!r} must be a key of the configuration")
            anything = anything or done
        if not anything:
            self._refuse_departure(departure, "no key of the configuration matches")

    def _refuse_departure(self, departure, message):
        variation = self.config["departures"].get(departure, {}).get("paper") == _VARIATION
        where = f"audit: {departure}" if variation else f"departures.{departure}.sets"
        raise ConfigError(f"config/{'audit' if variation else 'readings'}.yaml: {where}: {message}")

    def source_kind(self, experiment):
        """Kind of the source of an experiment."""
        source = self.config["experiments"][experiment]["source"]
        return self.config["sources"][source]["kind"]

    def beams(self, experiment):
        """Beams of an experiment: {name: components}."""
        return BEAMS[self.source_kind(experiment)]

    def components(self, source):
        """Flux components of a source."""
        return COMPONENTS[self.config["sources"][source]["kind"]]

    def setups(self, experiment):
        """Setups that an experiment has."""
        return [setup for setup in SETUPS if setup in self.config["experiments"][experiment]]

    def _each(self, experiment, block):
        return {
            f"{setup}/{reading}": block(self._resolved[reading], setup)
            for setup in self.setups(experiment)
            for reading in self.readings
        }

    def flux_blocks(self, source):
        """What the flux tables of a source depend on, by reading."""
        spectrum = (
            "kind",
            "fission_fractions",
            "spectrum_below_2MeV",
            "spectrum_above_2MeV",
            "E_max_MeV",
        )
        return {
            reading: {key: block[key] for key in spectrum if key in block}
            for reading in self.readings
            for block in [self._resolved[reading]["sources"][source]]
        }

    def rate_blocks(self, experiment):
        """What the rates of an experiment depend on, by "setup/reading"."""

        def block(config, setup):
            common = {
                key: value
                for key, value in config["experiments"][experiment].items()
                if key not in ("label", "colour", *SETUPS)
            }
            specific = dict(config["experiments"][experiment][setup])
            specific.pop("data", None)
            source = {
                key: value
                for key, value in config["sources"][common["source"]].items()
                if key not in ("profile_muB", "plane_muB")
            }
            quenched = common["threshold_scale"] == "electron-equivalent"
            inversion = {
                key: config["quenching"][key] for key in ("threshold_inversion", "kappa_scale")
            }
            return {
                "target_shares": "mole",
                **(inversion if quenched else {}),
                **common,
                **specific,
                "source": source,
                "form_factor": config["form_factor"],
            }

        return self._each(experiment, block)

    def statistics_blocks(self, experiment):
        """What turns the counts of an experiment into limits, by "setup/reading"."""

        def block(config, setup):
            data = config["experiments"][experiment][setup].get("data")
            if data is None:
                nuisance_on = config["statistics"]["nuisance_on"]
                chi2 = {"asimov": {**config["statistics"][setup], "nuisance_on": nuisance_on}}
            else:
                chi2 = {"data": data}
            return {
                **chi2,
                "confidence_level": config["confidence_level"],
                "oscillation": config["oscillation"],
            }

        return self._each(experiment, block)

    def oscillation(self):
        """Oscillation parameters, by reading."""
        return {reading: config["oscillation"] for reading, config in self._resolved.items()}

    def solar_blocks(self, name):
        """What the limits of a solar experiment depend on, by reading."""
        return {
            reading: {
                **config["solar"][name],
                "sin2_theta13": config["oscillation"]["sin2_theta13"],
            }
            for reading, config in self._resolved.items()
        }

    def source_of(self, experiment):
        """Name of the source of an experiment."""
        return self.config["experiments"][experiment]["source"]

    def ranges(self, experiment):
        """Ranges of the profiles and planes of an experiment [mu_B]."""
        source = self.config["sources"][self.source_of(experiment)]
        return {"profile": source["profile_muB"], "plane": source["plane_muB"]}

    def plane_contours(self, experiment):
        """Planes to compute for an experiment, by group: setup, reading, beam and phases."""
        reading = self.config["figures_reading"]
        delta = self._resolved[reading]["oscillation"]["delta_CP_over_pi"]
        return {
            f"{setup}/{reading}/{beam}": {
                "counts": f"{setup}/{reading}",
                "beam": list(components),
                "xi_over_pi": 0.0,
                "delta_CP_over_pi": delta,
            }
            for setup in self.setups(experiment)
            for beam, components in self.beams(experiment).items()
        }

    def phase_contours(self, experiment):
        """Planes of an experiment with the phases of Fig. 7, by group, like :meth:`plane_contours`."""
        reading, block = self.config["figures_reading"], self.config["phases"][experiment]
        components = self.beams(experiment)[block["beam"]]
        return {
            f"current/{reading}/{block['beam']}/case{number}": {
                "counts": f"current/{reading}",
                "beam": list(components),
                **case,
            }
            for number, case in enumerate(block["cases"], 1)
        }

    def plane_rows(self, rows):
        """Rows of a figure of planes: [(group, setup, beam), ...] for (setup, beam) pairs."""
        reading = self.config["figures_reading"]
        return [(f"{setup}/{reading}/{beam}", setup, beam) for setup, beam in rows]

    def plane_range(self, kind):
        """Range that holds the planes of all sources of one kind [mu_B]."""
        ranges = [s["plane_muB"] for s in self.config["sources"].values() if s["kind"] == kind]
        return (
            [min(low for low, _ in ranges), max(high for _, high in ranges)]
            if ranges
            else [1e-12, 1e-7]
        )

    def style_of(self, kind):
        """:meth:`style` of the experiments at one kind of source, with their setups."""
        return {
            name: {**block, "setups": self.setups(name)}
            for name, block in self.style().items()
            if block["kind"] == kind
        }

    def style(self):
        """Label, colour and source kind of every experiment, in order, for figures and tables."""
        cycle = itertools.cycle(["#000000", "#56B4E9", "#661100", "#6699CC", "#888888"])
        return {
            name: {
                "label": block.get("label", name),
                "colour": block.get("colour") or next(cycle),
                "kind": self.source_kind(name),
            }
            for name, block in self.config["experiments"].items()
        }

    @functools.cached_property
    def audit(self):
        """A study whose readings are the variants of the audit, in place of the readings.

        ``without-X`` and ``only-X`` switch one departure off in the reading shown and on in the
        literal one; ``input-X`` changes an unstated input, ``X-down`` and ``X-up`` those of the budget.
        """
        config = copy.deepcopy(self.config)
        audit, shown = config["audit"], config["figures_reading"]
        chosen, departures = config["readings"][shown], config["departures"]
        variants = dict(config["readings"])
        for name in chosen:
            variants[f"without-{name}"] = [other for other in chosen if other != name]
            variants[f"only-{name}"] = [name]
        changes = {f"input-{name}": block["sets"] for name, block in audit["inputs"].items()}
        for name, block in audit["budget"].items():
            changes |= {f"{name}-down": block["down"], f"{name}-up": block["up"]}
        for name, sets in changes.items():
            text = dict.fromkeys(("paper", "used", "evidence"), _VARIATION)
            departures[name] = {**text, "sets": sets}
            variants[name] = [*chosen, name]
        config["readings"] = variants
        return Study(config, self.files)
