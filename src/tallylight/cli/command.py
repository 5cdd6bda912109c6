"""How every command behaves: what can go wrong is one message on stderr and an exit status, with `--json` a JSON object."""

import functools
import json
import sys
from collections.abc import Callable

import typer

from tallylight.errors import TallylightError

FAILED = 1
NOTHING_STORED = 3

_STATUS = {"nothing_stored": NOTHING_STORED}
"""Exit statuses of errors that a script wants to tell from all others, by their code."""

Function = Callable[..., None]


def house_command(group: typer.Typer, name: str) -> Callable[[Function], Function]:
    """Register a command whose errors are said and not thrown."""

    def register(function: Function) -> Function:
        @functools.wraps(function)
        def spoken(*arguments: object, as_json: bool = False, **options: object) -> None:
            if "as_json" in function.__annotations__:
                options["as_json"] = as_json
            try:
                function(*arguments, **options)
            except Exception as error:
                found = _words(error)
                if found is None:
                    raise
                report_error(*found, as_json=as_json)
                raise typer.Exit(_STATUS.get(found[0], FAILED)) from None

        group.command(name)(spoken)
        return function

    return register


def _words(error: Exception) -> tuple[str, str] | None:
    """Code and message of an error a person can do something about; None for a bug, and for a reader that has gone."""
    if isinstance(error, TallylightError):
        return error.code, error.message
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        words = error.strerror or str(error)
        return "os", f"{words}: {error.filename}" if error.filename else words
    # Named without importing it: a command that failed there has it loaded.
    if type(error).__module__.startswith("sqlalchemy."):
        return "database", f"The database failed: {str(error).splitlines()[0]}. Look at its disk and its server."
    return None


def report_error(code: str, message: str, *, as_json: bool) -> None:
    """One message for a person, or for a program."""
    error = {"error": {"code": code, "message": message}}
    sys.stderr.write((json.dumps(error, ensure_ascii=False) if as_json else message) + "\n")
    sys.stderr.flush()


def new_group(help_text: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
