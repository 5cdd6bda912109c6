"""The `tallylight` command. Data on stdout, messages on stderr, nothing ever asks a question.

Start with `commands`, which lists them; each module holds one group. Commands import their rooms inside the function, so
that `--help` loads neither FastAPI nor SQLAlchemy. Beside a running server, what changes something goes through its
control socket.
"""

from tallylight.cli.commands import main

__all__ = ["main"]
