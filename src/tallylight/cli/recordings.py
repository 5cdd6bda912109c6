"""`tallylight recordings list` and `export`."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallylight.cli.command import house_command, new_group
from tallylight.cli.options import Conversation, Data, Json
from tallylight.cli.output import print_bytes, print_json, print_rich, say

if TYPE_CHECKING:
    from tallylight.app.store import Store
    from tallylight.catalogue.listening import Listener
    from tallylight.catalogue.queries import ConversationEntry, TrackEntry

recordings = new_group("What was said, and what was stored of it.")

OPERATOR = "operator"
"""Who acts, as the ledger names anybody at this machine."""


Agent = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="For this agent, a number or SIP address: only what they may hear."),
]


@house_command(recordings, "list")
def list_(data: Data, agent: Agent = None, as_json: Json = False) -> None:
    """Every conversation, oldest first, running ones included: who, which consent, seconds talked and stored, and why."""
    from tallylight.catalogue.queries import to_json
    from tallylight.cli.folder import opened

    with opened(data) as store:
        entries = _all_conversations(store, _listener(store, agent))
    if as_json:
        print_json([to_json(entry) for entry in entries])
        return
    if not entries:
        say("No conversations yet." if agent is None else "No conversation that this agent may hear.")
    for entry in entries:
        _print_entry(entry)


@house_command(recordings, "export")
def export(
    conversation: Conversation,
    party: Annotated[str, typer.Option(metavar="ROLE|ID", help="customer, agent, system, or a party's id.")],
    out: Annotated[Path, typer.Option(metavar="FILE.wav", help="Where to write the sound; - is stdout.")],
    data: Data,
    purpose: Annotated[
        str | None,
        typer.Option(
            metavar="PURPOSE", help="Tracks of this purpose alone, e.g. proof_of_consent. [default: the talk]"
        ),
    ] = None,
    agent: Agent = None,
    as_json: Json = False,
) -> None:
    """One party's track as WAV: mono, 16 bit, 8 kHz, gaps as silence. Exits with 3 where nothing of it is stored."""
    from tallylight.catalogue.playback import Playback, from_folder
    from tallylight.cli.folder import naming_what_exists, opened
    from tallylight.config.words import one_of
    from tallylight.ids import ConversationId
    from tallylight.law.vocabulary import Purpose

    purposes = [known.value for known in Purpose]
    if purpose is not None and purpose not in purposes:
        raise typer.BadParameter(one_of(purpose, purposes))
    to_stdout = str(out) == "-"
    if not to_stdout and not out.absolute().parent.is_dir():
        raise FileNotFoundError(2, "There is no such folder", str(out.absolute().parent))
    # An agent is not told of calls that they may not hear.
    with opened(data) as store, naming_what_exists(store) if agent is None else nullcontext():
        playback = Playback(
            workspace=store.workspace,
            engine=store.engine,
            writer=store.writer,
            keys=store.keyring,
            objects=store.objects,
            read_live=from_folder(store.live_folder),
            clock=store.clock,
        )
        recording = playback.play(
            ConversationId(conversation),
            party,
            actor=OPERATOR,
            purpose=None if purpose is None else Purpose(purpose),
            listener=_listener(store, agent),
        )
    if to_stdout:
        print_bytes(recording.wav)
        return
    _write_whole(out, recording.wav)
    if as_json:
        print_json(
            {
                "conversation": recording.conversation,
                "party": recording.party,
                "path": str(out),
                "duration_s": recording.duration_ms / 1000,
                "stored_s": recording.stored_ms / 1000,
            }
        )
    else:
        say(
            f"Wrote {out}: {recording.duration_ms / 1000:.1f} s, {recording.stored_ms / 1000:.1f} s of them stored sound."
        )


def _listener(store: "Store", agent: str | None) -> "Listener | None":
    from tallylight.catalogue.addresses import canonical_address
    from tallylight.catalogue.listening import Listener

    if agent is None:
        return None
    return Listener(address=canonical_address(agent, country=store.configuration.controller.country))


def _all_conversations(store: "Store", listener: "Listener | None") -> list["ConversationEntry"]:
    """Page by page, each a short look of its own, so that no erasure has to wait."""
    from tallylight.catalogue.queries import Cursor, list_conversations
    from tallylight.cli.running import running_figures
    from tallylight.database.engine import read_only

    running = running_figures(store)
    entries: list[ConversationEntry] = []
    after: Cursor | None = None
    while True:
        with read_only(store.engine) as connection:
            page = list_conversations(
                connection, workspace=store.workspace, keys=store.keyring, after=after, running=running
            )
            entries += [
                entry
                for entry in page.conversations
                if listener is None or listener.hearing(connection, store.workspace, entry).allowed
            ]
        after = page.following
        if after is None:
            return entries


def _print_entry(entry: "ConversationEntry") -> None:
    from rich.table import Table
    from rich.text import Text

    from tallylight.law.iso8601 import iso_utc

    state = (
        "running" if entry.ended_ms is None else f"{(entry.ended_ms - entry.started_ms) / 1000:.0f} s, {entry.outcome}"
    )
    trial = ", TRIAL" if entry.trial else ""
    heading = Text(
        f"{entry.conversation}  {iso_utc(entry.started_ms)}  {entry.direction}, {entry.project}, {state}{trial}"
    )
    heading.stylize("bold", 0, len(entry.conversation))
    table = Table(
        "role", "address", "consent", "talked", "stored", "why", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for party in entry.people:
        table.add_row(
            party.role.value,
            party.address or "(erased or unknown)",
            party.consent + (", flagged" if party.flagged else ""),
            f"{party.talked_ms / 1000:.1f} s",
            f"{party.stored_ms / 1000:.1f} s",
            party.reason,
        )
    lawful = [
        Text(
            f"kept by law until {iso_utc(track.floor_ms)}: {party.role.value}'s {track.purpose.value}{_receipt(track)}"
        )
        for party in entry.people
        for track in party.tracks
        if track.floor_ms is not None and track.state != "erased"
    ]
    flagged = [
        Text(f"FLAGGED {party.role.value}: {why}", "bold yellow") for party in entry.people for why in party.flagged
    ]
    alarms = [
        Text(
            f"ALARM {alarm.kind}" + (f": {alarm.missing_ms / 1000:.1f} s missing" if alarm.missing_ms else ""),
            "bold red",
        )
        for alarm in entry.alarms
    ]
    print_rich(heading, table, *lawful, *flagged, *alarms, Text(""))


def _receipt(track: "TrackEntry") -> str:
    return "" if track.receipt is None else f", voice receipt {track.receipt}"


def _write_whole(path: Path, data: bytes) -> None:
    """The file, readable by its owner alone, or nothing."""
    import os

    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
