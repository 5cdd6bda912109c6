"""`tallylight erase` and `tallylight retention sweep`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, cast

import typer

from tallylight.cli.command import FAILED, house_command, new_group
from tallylight.cli.options import Data, Json
from tallylight.cli.output import print_json, print_rich, say

if TYPE_CHECKING:
    from tallylight.app.store import Store

retention = new_group("What has reached its deadline is erased.")

Answer = Mapping[str, object]


def erase(
    person: Annotated[str, typer.Option(metavar="ADDRESS", help="A number or SIP address, in any spelling.")],
    data: Data,
    as_json: Json = False,
) -> None:
    """Erase a person's tracks and identifiers, and print the certificate. Exits with 1 while something remains."""
    from tallylight.cli.folder import by_server_or_here, order

    answer = by_server_or_here(
        data,
        lambda: cast("Answer", order(data, "erase", person=person)),
        lambda store: _erase_here(store, person),
    )
    outcome = cast("Answer", answer["outcome"])
    if as_json:
        print_json(outcome)
    else:
        _print_outcome(outcome)
    if answer["state"] != "complete":
        say("Something remains: repeat the command.")
        raise typer.Exit(FAILED)
    if not answer["found"]:
        say("Nothing was stored of this person.")


@house_command(retention, "sweep")
def sweep(
    data: Data,
    confirm: Annotated[bool, typer.Option("--confirm", help="Erase even unusually much at once.")] = False,
    as_json: Json = False,
) -> None:
    """Erase what has reached its deadline: tracks, and who took part. Exits with 1 where something due is left."""
    from tallylight.cli.folder import by_server_or_here, order

    report = by_server_or_here(
        data,
        lambda: cast("Answer", order(data, "sweep", confirmed=confirm)),
        lambda store: _sweep_here(store, confirm=confirm),
    )
    if as_json:
        print_json(report)
    else:
        people = f", and who took part in {report['conversations']} conversations" if report["conversations"] else ""
        yeses = f", and {report['standing_yeses']} standing yeses" if report["standing_yeses"] else ""
        say(f"{report['due']} of {report['stored']} stored tracks were due{people}{yeses}: {report['state']}.")
    if report["state"] == "unconfirmed":
        say(f"Nothing was erased, for {report['reason']}. If that is right, repeat with --confirm.")
    elif report["state"] == "pending":
        say("Something remains: repeat the command.")
    if report["state"] not in ("erased", "nothing_due"):
        raise typer.Exit(FAILED)


def _erase_here(store: "Store", person: str) -> Answer:
    from tallylight.app.erasing import eraser_of
    from tallylight.cli.recordings import OPERATOR
    from tallylight.retention.erasure import NothingLive

    country = store.configuration.controller.country.partition("-")[0]
    outcome = eraser_of(store, NothingLive()).erase_person(person, country=country, actor=OPERATOR)
    return {"state": outcome.state.value, "outcome": outcome.to_json(), "found": outcome.found}


def _sweep_here(store: "Store", *, confirm: bool) -> Answer:
    from tallylight.app.erasing import eraser_of, sweep_json, sweeper_of
    from tallylight.cli.recordings import OPERATOR
    from tallylight.retention.erasure import NothingLive
    from tallylight.retention.sweep import Confirmation

    confirmation = Confirmation.CONFIRMED if confirm else Confirmation.NOBODY
    sweeper = sweeper_of(store, eraser_of(store, NothingLive()))
    return sweep_json(sweeper.sweep(confirmation, actor=OPERATOR))


def _print_outcome(outcome: Answer) -> None:
    from rich.text import Text

    lines = [f"Erasure {outcome['erasure']}: {outcome['state']}."]
    for remains in cast("list[str]", outcome.get("remains", [])):
        lines.append(f"remains: {remains}")
    for track in cast("list[Answer]", outcome.get("tracks", [])):
        lines.append(f"erased: {track['purpose']} track {track['track']} of conversation {track['conversation']}")
    for standing in cast("list[str]", outcome.get("standing_yeses", [])):
        lines.append(f"erased: standing yes {standing}")
    for kept in cast("list[Answer]", outcome.get("kept", [])):
        who = ", and whose it is" if kept.get("identity") == "kept" else ""
        lines.append(
            f"kept until {kept['until']}: {kept['purpose']} track {kept['track']}"
            f" of conversation {kept['conversation']}{who} ({kept['ground']})"
        )
    for other in cast("list[Answer]", outcome.get("stays", [])):
        lines.append(f"stays, another person's: {other['role']}'s {other['purpose']} track {other['track']}")
    for method in cast("list[str]", outcome.get("method", [])):
        lines.append(f"proof: {method}")
    print_rich(*(Text(line) for line in lines))
