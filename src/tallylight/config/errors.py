"""What can be wrong with a configuration."""

from tallylight.errors import TallylightError


class ConfigError(TallylightError):
    """The configuration cannot be used as it stands; the message names file, line and key of everything that is wrong."""

    code = "config_invalid"
