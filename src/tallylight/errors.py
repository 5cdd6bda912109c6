"""The root of every room's error family, and the near words that a message may name."""

import difflib
from collections.abc import Iterable


class TallylightError(Exception):
    """Something a person has to know: a stable `code` for programs and a message that says what to do."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


def near(word: str, known: Iterable[str], count: int = 1) -> list[str]:
    """Those of the known words that are spelt most like this one, the nearest first; none where none is like it."""
    return difflib.get_close_matches(word, list(known), count)
