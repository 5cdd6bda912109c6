"""A host and a port, as `127.0.0.1:5070`, `[::1]:5070` or `name:5070`."""

import re
from dataclasses import dataclass

from tallylight.config.errors import ConfigError

_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where something listens."""

    host: str
    """Without the brackets of an IPv6 address."""
    port: int
    """0: any that is free."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(text: str) -> Endpoint:
    """Raises ConfigError where `text` is no host with a port."""
    match = _HOST_PORT.fullmatch(text.strip())
    if match is None or int(match[3]) > 65535:
        raise ConfigError(f"{text!r} is no host with a port: write it as 127.0.0.1:5070 or [::1]:5070.")
    return Endpoint(host=match[1] or match[2], port=int(match[3]))
