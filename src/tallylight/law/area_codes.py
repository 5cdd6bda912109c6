"""Where the area codes of the United States and Canada were given to: our own dated table, `area_codes.toml`."""

import functools
import importlib.resources
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AreaCodes:
    """A code tells where a number was issued; people take numbers with them."""

    as_of: str
    """ISO date."""
    source: str
    regions: Mapping[str, tuple[str, ...]]
    """Area code, three digits, to every place it serves (`US-CA`). What is not here is unknown."""


@functools.cache
def area_codes() -> AreaCodes:
    """The shipped table, read once."""
    file = importlib.resources.files("tallylight.law").joinpath("area_codes.toml")
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    regions: dict[str, tuple[str, ...]] = {}
    for place, codes in sorted(table["regions"].items()):
        for code in codes:
            regions[str(code)] = (*regions.get(str(code), ()), place)
    return AreaCodes(as_of=table["as_of"], source=table["source"], regions=regions)
