"""Every file of the vault in a data directory: what a raw search or a backup has to know."""

from collections.abc import Iterator
from pathlib import Path

KEYS = "keys"
LIVE = "live"
OBJECTS = "objects"


def files(directory: Path) -> Iterator[Path]:
    """The master key's folder, the live log and the objects, by path. Files may vanish while this is read."""
    for name in (KEYS, LIVE, OBJECTS):
        for path in sorted((directory / name).rglob("*")):
            if path.is_file():
                yield path
