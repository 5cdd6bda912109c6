"""`tallylight objection`: "never record me", kept across projects."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, cast

import typer

from tallylight.cli.command import house_command, new_group
from tallylight.cli.options import Data, Json
from tallylight.cli.output import print_json, print_rich, say

if TYPE_CHECKING:
    from tallylight.app.store import Store

Answer = Mapping[str, object]

objection = new_group("People who are never to be recorded, by a keyed hash of their address alone.")

Person = Annotated[str, typer.Option(metavar="ADDRESS", help="A number or SIP address, in any spelling.")]
Evidence = Annotated[str, typer.Option(metavar="TEXT", help="How the person said so; never who they are.")]


@house_command(objection, "add")
def add(data: Data, person: Person, evidence: Evidence, as_json: Json = False) -> None:
    """Keep that a person is never to be recorded, in any project; it outlives their erasure, and ends it on a running call."""
    from tallylight.cli.folder import by_server_or_here, order

    raised = by_server_or_here(
        data,
        lambda: cast("Answer", order(data, "object", person=person, evidence=evidence)),
        lambda store: _raise_here(store, person, evidence),
    )
    _done(raised, "stands", as_json=as_json)


@house_command(objection, "remove")
def remove(data: Data, person: Person, evidence: Evidence, as_json: Json = False) -> None:
    """Forget a person's objection, on their own word."""
    from tallylight.app.objecting import objection_json, objections_of
    from tallylight.cli.folder import opened
    from tallylight.cli.recordings import OPERATOR

    with opened(data) as store:
        lifted = objections_of(store).lift(person, evidence=evidence, actor=OPERATOR)
    _done(objection_json(lifted), "lifted", as_json=as_json)


@house_command(objection, "list")
def show(
    data: Data,
    person: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Only this person's.")] = None,
    as_json: Json = False,
) -> None:
    """Every standing objection, or one person's; whose they are, none of them says."""
    from tallylight.app.objecting import objection_json, objections_of
    from tallylight.cli.folder import opened
    from tallylight.law.iso8601 import iso_utc

    with opened(data) as store:
        objections = objections_of(store)
        if person is None:
            found = objections.all()
        else:
            theirs = objections.find(person)
            found = () if theirs is None else (theirs,)
    if as_json:
        print_json([objection_json(each) for each in found])
        return
    if not found:
        say("Nobody has a standing objection." if person is None else "This person has no standing objection.")
        return
    from rich.text import Text

    print_rich(*(Text(f"{each.id}  {iso_utc(each.raised_ms)}  {each.evidence}") for each in found))


def _raise_here(store: "Store", person: str, evidence: str) -> Answer:
    from tallylight.app.objecting import objection_json, objections_of
    from tallylight.cli.recordings import OPERATOR

    return objection_json(objections_of(store).raise_objection(person, evidence=evidence, actor=OPERATOR))


def _done(objection: Answer, state: str, *, as_json: bool) -> None:
    if as_json:
        print_json({**objection, "state": state})
    else:
        say(f"Objection {objection['objection']}: {state}.")
