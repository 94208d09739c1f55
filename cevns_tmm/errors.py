"""Errors in what the user writes."""


class ConfigError(ValueError):
    """A value of the configuration or of a data file that is not allowed; the message is one line."""
