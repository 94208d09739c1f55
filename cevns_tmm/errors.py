"""Errors in what the user writes, and checks of single arguments."""

import math
import numbers
from collections.abc import Iterable
from typing import Any


class ConfigError(ValueError):
    """A value of the configuration or of a data file that is not allowed; the message is one line."""


def is_number(value: Any) -> bool:
    """Whether ``value`` is a finite number that a float can hold; truth values are not."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def check_number(what: str, value: Any, low: float = -math.inf, high: float = math.inf) -> None:
    """ValueError unless an argument is a finite number between two others, or anything if these are infinite."""
    if not (is_number(value) and low < value < high):
        between = f" between {low:g} and {high:g}" if math.isfinite(low) else ""
        raise ValueError(f"{what}: {value!r} must be a finite number{between}")


def check_name(what: str, value: Any, allowed: Iterable[str]) -> None:
    """ValueError unless an argument is one of the names ``allowed``."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{what}: {value!r} must be one of {', '.join(allowed) or 'none: there is none'}")
