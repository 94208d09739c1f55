"""Errors in what the user writes, and checks of single arguments."""

import math
import numbers


class ConfigError(ValueError):
    """A value of the configuration or of a data file that is not allowed; the message is one line."""


def is_number(value):
    """Whether ``value`` is a finite number that a float can hold; truth values are not."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 10**300


def check_number(what, value, low=-math.inf, high=math.inf):
    """ValueError unless an argument is a finite number between two others, or anything if these are infinite."""
    if not (is_number(value) and low < value < high):
        between = f" between {low:g} and {high:g}" if math.isfinite(low) else ""
        raise ValueError(f"{what}: {value!r} must be a finite number{between}")


def check_name(what, value, allowed):
    """ValueError unless an argument is one of the names ``allowed``."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{what}: {value!r} must be one of {', '.join(allowed) or 'none: there is none'}")
