"""The options that many commands share."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path,
    typer.Option("--data", envvar="TALLYLIGHT_DATA", metavar="DIR", help="The data folder of `tallylight serve`."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON; errors too, on stderr.")]
Conversation = Annotated[str, typer.Argument(metavar="CONVERSATION", help="An id from `tallylight recordings list`.")]
