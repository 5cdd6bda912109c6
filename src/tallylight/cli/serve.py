"""`tallylight serve` and `tallylight init`."""

from pathlib import Path
from typing import Annotated

import typer

from tallylight.cli.options import Data, Json
from tallylight.cli.output import print_json, say


def serve(
    data: Data,
    sip: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where to answer SIP, UDP and TCP. [default: 127.0.0.1:5060]"),
    ] = None,
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve /healthz, /readyz and /metrics here.")
    ] = None,
    connect: Annotated[str | None, typer.Option(metavar="SIP-URI", help="The agent whom every call reaches.")] = None,
    advertise: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address peers reach us at, where --sip is 0.0.0.0.")
    ] = None,
) -> None:
    """Answer calls until SIGTERM. What is given here goes before DIR/tallylight.toml."""
    from tallylight.config.endpoint import parse_endpoint

    sip_endpoint = None if sip is None else parse_endpoint(sip)
    http_endpoint = None if http is None else parse_endpoint(http)

    from tallylight.app.server import ServeOptions
    from tallylight.app.server import serve as run

    raise typer.Exit(
        run(ServeOptions(data=data, sip=sip_endpoint, http=http_endpoint, connect=connect, advertise=advertise))
    )


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The data folder; made where it is missing.")],
    as_json: Json = False,
) -> None:
    """Write a commented DIR/tallylight.toml, to be filled in before the first real call."""
    import os

    from tallylight.config.errors import ConfigError
    from tallylight.config.file import FILE_NAME
    from tallylight.config.template import TEMPLATE

    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / FILE_NAME
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path} is there already and was left as it is.", code="config_exists") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(TEMPLATE)
    if as_json:
        print_json({"path": str(path)})
    else:
        say(f"Wrote {path}. Nothing is recorded until `terms_acknowledged_by` names somebody.")
