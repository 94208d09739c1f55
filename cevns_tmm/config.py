"""The YAML files of a study: read strictly, laid over the paper's, checked against their schemas."""

import os
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError, best_match

from cevns_tmm.annotations import PathLike
from cevns_tmm.errors import ConfigError, is_number

FILES = ("config", "experiments", "readings", "audit", "claims")
"""Names of the files of a study, without ``.yaml``; each has a schema of the same name."""

_HERE = Path(__file__).parent
_INSTALLED = _HERE / "paper"
PAPER = _INSTALLED if _INSTALLED.is_dir() else _HERE.parent / "config"
"""Folder of the paper's own study: part of the installed package, or config/ of the repository."""

_LARGEST_FILE = 1_000_000  # characters
_DEEPEST = 50  # lists and mappings in each other


class _StrictLoader(yaml.CSafeLoader):
    """Safe YAML that refuses a duplicate key."""

    def construct_mapping(self, node, deep=False):
        """As SafeLoader's, for unique keys."""
        seen = set()
        for key_node, _ in node.value:
            key = str(self.construct_object(key_node, deep=True))
            if key in seen:
                problem = f"duplicate key {key!r}"
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


def load_yaml(path: PathLike) -> dict[str, Any]:
    """A YAML file that is one mapping without duplicate keys; ConfigError naming file and line."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_LARGEST_FILE + 1)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text ({error})") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if len(text) > _LARGEST_FILE:
        raise ConfigError(f"{path}: must not be larger than {_LARGEST_FILE} characters")
    try:
        _check_events(text)
        data = yaml.load(text, _StrictLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise ConfigError(f"{path}:{where} not valid YAML: {problem}") from None
    except ValueError as error:  # a date or number that Python cannot hold
        raise ConfigError(f"{path}: not valid YAML: {shown(str(error))}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must be keys and their values")
    return data


@cache
def schema(name: str) -> dict[str, Any]:
    """JSON schema of one file of a study."""
    return load_yaml(_HERE / f"schemas/{name}.yaml")


def read_files(
    folder: PathLike | None = None, overrides: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """The configuration of a study: its files laid over the paper's, then ``overrides``.

    A file in ``folder`` replaces the paper's file of that name whole; ``overrides`` are merged key by
    key. Returns the merged configuration and {top-level key: the file it is from}, as messages name it.
    ConfigError for what is not readable or has no meaning.
    """
    paths = {f"{name}.yaml": PAPER / f"{name}.yaml" for name in FILES}
    if not isinstance(overrides, Mapping | None):
        raise ConfigError(f"overrides: {shown(overrides)} must be a mapping of keys to values")
    if folder is not None:
        if not isinstance(folder, str | os.PathLike):
            raise ConfigError(f"folder: {shown(folder)} must be the path of a folder")
        if not Path(folder).is_dir():
            raise ConfigError(f"{folder}: no such folder")
        for path in sorted(Path(folder).iterdir()):
            if path.suffix.lower() in (".yaml", ".yml") and not path.name.startswith("."):
                if path.name not in paths:
                    raise ConfigError(f"{path}: not a file of a study; allowed are {', '.join(paths)}")
                paths[path.name] = path
    config, origin = {}, {}
    for name, path in zip(FILES, paths.values(), strict=True):
        data, keys = load_yaml(path), schema(name)["properties"]
        _check_keys(path, data, keys)
        config |= data
        origin |= dict.fromkeys(keys, str(path))
    _check_keys("--config", overrides or {}, origin)
    for key, value in (overrides or {}).items():
        config[key] = _overlaid(config.get(key), value)
        origin[key] += " with --config"
    return config, origin


@cache
def keys(name: str) -> dict[str, Any]:
    """Keys of a file of a study with their blocks, {dotted path: block}; NAME stands for a name of one's own.

    Keys of a definition are given once. A key that its mapping must have is "needed".
    """
    return _keys(schema(name), schema(name).get("$defs", {}), "", set())


def _keys(block, definitions, path, seen):
    name = block.get("$ref", "").rpartition("/")[2]
    block = {**definitions.get(name, {}), **block}
    found = {path: block} if "description" in block else {}
    if name in seen:
        return found
    seen |= {name} - {""}
    places = (("additionalProperties", ".NAME"), ("items", "[]"), ("then", ""), ("else", ""))
    parts = [(block.get(part), path + of) for part, of in places]
    for key, inner in block.get("properties", {}).items():
        if isinstance(inner, dict):
            parts.append((inner | {"needed": key in block.get("required", ())}, f"{path}.{key}".lstrip(".")))
    for inner, place in parts + [(inner, path) for inner in block.get("allOf", ())]:
        if isinstance(inner, dict):  # what comes first stays, if alternatives have the same keys
            found |= _keys(inner, definitions, place, seen) | found
    return found


def _place(key):
    """Where a key is, as a dotted path with its file; None if nowhere."""
    found = [
        (path.count("."), f"{path} of {name}.yaml")
        for name in FILES
        for path in keys(name)
        if path.rpartition(".")[2] == key
    ]
    return min(found)[1] if found else None


def _check_keys(where, data, known):
    unknown = [key for key in data if key not in known]
    if unknown:
        place = _place(unknown[0])
        allowed = f"it is {place}" if place else f"allowed are {', '.join(known)}"
        raise ConfigError(f"{where}: unknown key {shown(unknown[0])}; {allowed}")


def _overlaid(below, value):
    """``value`` over what is there, mappings key by key; text that is a number is taken as one.

    Snakemake hands over nested values of ``--config`` as text.
    """
    if isinstance(value, dict):
        below = below if isinstance(below, dict) else {}
        return below | {key: _overlaid(below.get(key), v) for key, v in value.items()}
    if isinstance(value, list):
        return [_overlaid(None, item) for item in value]
    return value if isinstance(below, str) else _number(value)


def _number(value):
    """The number that a text stands for; any other value as it is."""
    if isinstance(value, str):
        for number in (int, float):
            try:
                return number(value)
            except ValueError:
                continue
    return value


def _pattern(validator, pattern, instance, schema):
    """As JSON Schema's, but "$" is the end and not a newline before it."""
    if isinstance(instance, str) and not re.fullmatch(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_NUMBERS = {
    "number": lambda checker, value: is_number(value),
    "integer": lambda checker, value: isinstance(value, int) and not isinstance(value, bool),
}
_CHECKER = Draft202012Validator.TYPE_CHECKER.redefine_many(_NUMBERS)
_Validator = validators.extend(Draft202012Validator, {"pattern": _pattern}, type_checker=_CHECKER)


def shown(value: Any) -> str:
    """A value in a message, cut if it is long."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


_TYPES = {
    "object": "keys and their values",
    "array": "a list",
    "string": "text",
    "number": "a finite number",
    "integer": "a whole number",
}

_LIMITS = {
    "exclusiveMinimum": "greater than",
    "minimum": "at least",
    "exclusiveMaximum": "less than",
    "maximum": "at most",
}


def _allowed(rule, limit, block):
    """What a rule of a schema, and those that go with it, allow, in words."""
    if rule == "enum":
        return "must be one of " + ", ".join(limit)
    if rule in _LIMITS:
        return "must be " + " and ".join(f"{_LIMITS[key]} {block[key]:g}" for key in _LIMITS if key in block)
    return {
        "type": f"must be {_TYPES.get(str(limit))}",
        "minItems": f"must have at least {limit} items",
        "maxItems": f"must have at most {limit} items",
        "minProperties": "must not be empty",
        "maxProperties": f"must have at most {limit} key{'s' * (limit != 1)}",
        "minLength": "must not be empty",
        "uniqueItems": "must not repeat an item",
        "pattern": f"must match {limit}",
    }.get(rule, "is not allowed here")


_OF_LISTS = {
    "baseline_m": "cores of equal power at several distances L are one core of that power at 1/sqrt(sum of 1/L²)",
    "source": "two sources are two experiments, together in a block of combinations",
}
"""What to give in place of a list."""


def _remedy(key, value, wanted):
    """How a value of another type than its key wants is written."""
    if isinstance(value, list) and key in _OF_LISTS:
        return f"; {_OF_LISTS[key]}"
    if key == "target" and isinstance(value, str) and re.fullmatch(r"([A-Z][a-z]?\d*)+", value):
        parts = re.findall(r"([A-Z][a-z]?)(\d*)", value)
        return f"; give {{{', '.join(f'{symbol}: {n or 1}' for symbol, n in parts)}}}"
    if wanted == "string" and not isinstance(value, dict | list):
        if value is None:
            return "; quote it: YAML reads an unquoted # as a comment"
        if isinstance(value, bool):
            return "; quote it: YAML reads yes, no, on and off as truth values"
        return "; quote it"
    if isinstance(value, str) and wanted in ("number", "integer") and is_number(_number(value)):
        return "; YAML reads it as text: write numbers without quotes, as in 100, 1.0e-9 or 2.4e+13"
    return ""


def check_schema(data: Mapping[str, Any], schema: Mapping[str, Any], origin: Mapping[str, str]) -> None:
    """Check ``data`` against the JSON schema of a file of a study; ``origin`` as of :func:`read_files`.

    ConfigError naming file, key, value and what is allowed.
    """
    error = best_match(_Validator(schema).iter_errors(data))
    if error is None:
        return
    path, value = error.absolute_path, error.instance
    rule, limit = error.validator, error.validator_value
    where = f"{origin[path[0] if path else next(iter(schema['properties']))]}: {dotted(path)}"
    if rule == "additionalProperties":
        _check_keys(where, value, sorted(error.schema["properties"]))
    if rule == "required":
        missing = next(key for key in limit if key not in value)
        raise ConfigError(f"{where}: key {missing!r} is missing")
    remedy = _remedy(path[-1] if path else "", value, limit) if rule == "type" else ""
    raise ConfigError(f"{where}: {shown(value)} {_allowed(rule, limit, error.schema)}{remedy}")


def dotted(path: Iterable[Any]) -> str:
    """Keys of nested mappings as one."""
    return ".".join(shown(str(key))[1:-1] for key in path) or "top level"
