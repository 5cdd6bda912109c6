"""What commands print: data to stdout, at once and whole, messages to stderr."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

JsonLike = object
"""Anything `json.dumps` takes."""

PIPE_WIDTH = 160
"""Columns where stdout is no terminal."""


def print_json(value: JsonLike) -> None:
    """One JSON document, in UTF-8 whatever the terminal."""
    print_bytes(json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n")


def print_bytes(data: bytes) -> None:
    """Bytes as they are."""
    sys.stdout.buffer.write(data)
    # A reader that has gone is noticed here, not when Python shuts down.
    sys.stdout.buffer.flush()


def print_rich(*parts: "RenderableType") -> None:
    """Tables and text for people. Nothing in it is read as markup."""
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    console.print(*parts, sep="\n")
    sys.stdout.flush()


def say(message: str) -> None:
    """A message for the person at the terminal."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()
