"""What goes wrong by the user's hand."""


class ConfigError(ValueError):
    """A value of the configuration or of a data file that is not allowed; the message is one line."""
