"""Every command, by name."""

from typing import Annotated

import typer

from tallylight.cli.bench import bench
from tallylight.cli.call import call
from tallylight.cli.command import house_command, new_group
from tallylight.cli.consent import consent
from tallylight.cli.erase import erase, retention
from tallylight.cli.explain import explain
from tallylight.cli.law import law
from tallylight.cli.ledger import ledger
from tallylight.cli.may_i_record import may_i_record
from tallylight.cli.notice import notice
from tallylight.cli.objection import objection
from tallylight.cli.output import print_bytes
from tallylight.cli.recordings import recordings
from tallylight.cli.serve import init, serve
from tallylight.cli.settings import settings

app = new_group(
    "Tallylight records conversations only as far as the law, the settings and the people on the call allow; proves it;"
    " forgets."
)
house_command(app, "serve")(serve)
house_command(app, "init")(init)
house_command(app, "may-i-record")(may_i_record)
app.add_typer(recordings, name="recordings")
house_command(app, "explain")(explain)
house_command(app, "erase")(erase)
app.add_typer(retention, name="retention")
app.add_typer(ledger, name="ledger")
app.add_typer(notice, name="notice")
app.add_typer(consent, name="consent")
app.add_typer(objection, name="objection")
app.add_typer(law, name="law")
app.add_typer(settings, name="settings")
app.add_typer(call, name="call")
app.add_typer(bench, name="bench")


def _version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        print_bytes(importlib.metadata.version("tallylight").encode() + b"\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
    ] = False,
) -> None:
    """What stands before a command's name."""


def main() -> None:
    """The entry point."""
    app()
