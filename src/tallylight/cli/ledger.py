"""`tallylight ledger`: verified where it lies, or exported for somebody else to verify."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallylight.cli.command import house_command, new_group
from tallylight.cli.options import Data, Json
from tallylight.cli.output import print_bytes, print_json, say

if TYPE_CHECKING:
    from tallylight.app.store import Store

ledger = new_group("The verifiable history of every event, decision, consent, access and erasure.")


@house_command(ledger, "verify")
def verify(
    data: Data,
    key: Annotated[
        str | None,
        typer.Option(metavar="PUBLIC", help="The log's public key as you were given it. [default: the folder's]"),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A checkpoint kept from earlier; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify every entry, and every signed checkpoint against them."""
    from tallylight.cli.folder import opened
    from tallylight.database.export import verify_ledger

    kept = [path.read_text(encoding="utf-8") for path in checkpoint or ()]
    with opened(data) as store:
        _sign(store)
        own_key = store.ledger_key.verification_key(store.workspace)
        report = verify_ledger(store.engine, store.ledger_key, workspace=store.workspace, against=key, kept=kept)
    root = base64.b64encode(report.root).decode()
    if as_json:
        print_json(
            {
                "verified": True,
                "entries": report.entries,
                "erased": report.erased,
                "streams": report.streams,
                "checkpoints": report.checkpoints,
                "signed": report.signed,
                "root": root,
                "key": own_key if key is None else key,
            }
        )
        return
    say(
        f"Verified: {report.entries} entries in {report.streams} streams, {report.erased} of them erased;"
        f" {report.checkpoints} signed checkpoints, the newest over {report.signed} entries. Root {root}."
    )


@house_command(ledger, "export")
def export(
    data: Data,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it. [default: stdout]")] = None,
) -> None:
    """The whole log as JSON lines, for the stand-alone verifier (`tallylight ledger verifier`)."""
    from tallylight.cli.folder import opened
    from tallylight.database.export import export_lines

    with opened(data) as store:
        _sign(store)
        lines = export_lines(
            store.engine, store.ledger_key.verification_key(store.workspace), workspace=store.workspace
        )
        if out is None:
            for line in lines:
                print_bytes(line.encode() + b"\n")
            return
        with out.open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
    say(f"Wrote {out}.")


@house_command(ledger, "checkpoint")
def checkpoint(data: Data, as_json: Json = False) -> None:
    """Sign the log as it stands and print the checkpoint: keep it elsewhere, and a log rewritten later is found out."""
    from tallylight.cli.folder import opened
    from tallylight.database.checkpoints import last_signed_size, read_checkpoints
    from tallylight.database.engine import read_only

    with opened(data) as store:
        _sign(store)
        with read_only(store.engine) as connection:
            size = last_signed_size(connection, store.workspace)
            notes = read_checkpoints(connection, workspace=store.workspace, after=size - 1, limit=1)
        public_key = store.ledger_key.verification_key(store.workspace)
    note = notes[0][1] if notes else ""
    if as_json:
        print_json({"size": size, "note": note, "key": public_key})
    elif note:
        print_bytes(note.encode())
        say(f"The log's public key is {public_key}")
    else:
        say("The log is empty: there is nothing to sign yet.")


@house_command(ledger, "verifier")
def verifier() -> None:
    """The stand-alone verifier's source: `tallylight ledger verifier > verifier.py`; it needs only Python."""
    import importlib.resources

    print_bytes(importlib.resources.files("tallylight.ledger").joinpath("verifier.py").read_bytes())


def _sign(store: "Store") -> None:
    """Have what was appended since the last checkpoint signed."""
    from tallylight.database.checkpoints import sign_head

    sign_head(store.engine, store.ledger_key, store.clock.wall_ms(), workspace=store.workspace)
