"""Where in a TOML text a key stands, so that an error can name its line. Only for messages: the reading is tomllib's."""

import re
import tomllib

Path = tuple[str, ...]

_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?")


def key_lines(text: str) -> dict[Path, int]:
    """The line (1 is the first) of every table header and key."""
    found: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            table = _path(f"[{header[1]}]")
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault(table + _path(f"{key[1]} = 0"), number)
    return found


def _path(line: str) -> Path:
    """The keys that one header or assignment leads through."""
    try:
        value: object = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(value, dict) and value:
        key, value = next(iter(value.items()))
        path.append(str(key))
    return tuple(path)


def line_of(path: Path, lines: dict[Path, int]) -> int | None:
    """The line of `path`, or of the nearest table above it that has one."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None
