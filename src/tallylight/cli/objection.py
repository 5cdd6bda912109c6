"""`tallylight objection`: "never record me", kept across projects."""

from typing import TYPE_CHECKING, Annotated

import typer

from tallylight.cli.command import house_command, new_group
from tallylight.cli.options import Data, Json
from tallylight.cli.output import print_json, print_rich, say

if TYPE_CHECKING:
    from tallylight.app.store import Store
    from tallylight.consent.objection import StandingObjection
    from tallylight.rights.objections import Objections

objection = new_group("People who are never to be recorded, by a keyed hash of their address alone.")

Person = Annotated[str, typer.Option(metavar="ADDRESS", help="A number or SIP address, in any spelling.")]
Evidence = Annotated[str, typer.Option(metavar="TEXT", help="How the person said so; never who they are.")]


@house_command(objection, "add")
def add(data: Data, person: Person, evidence: Evidence, as_json: Json = False) -> None:
    """Keep that a person is never to be recorded, in any project; it outlives their erasure."""
    from tallylight.cli.folder import opened
    from tallylight.cli.recordings import OPERATOR

    with opened(data) as store:
        raised = _objections(store).raise_objection(person, evidence=evidence, actor=OPERATOR)
    _done(raised, "stands", as_json=as_json)


@house_command(objection, "remove")
def remove(data: Data, person: Person, evidence: Evidence, as_json: Json = False) -> None:
    """Forget a person's objection, on their own word."""
    from tallylight.cli.folder import opened
    from tallylight.cli.recordings import OPERATOR

    with opened(data) as store:
        lifted = _objections(store).lift(person, evidence=evidence, actor=OPERATOR)
    _done(lifted, "lifted", as_json=as_json)


@house_command(objection, "list")
def show(
    data: Data,
    person: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Only this person's.")] = None,
    as_json: Json = False,
) -> None:
    """Every standing objection, or one person's; whose they are, none of them says."""
    from tallylight.catalogue.queries import iso_utc
    from tallylight.cli.folder import opened

    with opened(data) as store:
        objections = _objections(store)
        if person is None:
            found = objections.all()
        else:
            theirs = objections.find(person)
            found = () if theirs is None else (theirs,)
    if as_json:
        print_json([_json(each) for each in found])
        return
    if not found:
        say("Nobody has a standing objection." if person is None else "This person has no standing objection.")
        return
    from rich.text import Text

    print_rich(*(Text(f"{each.id}  {iso_utc(each.raised_ms)}  {each.evidence}") for each in found))


def _objections(store: "Store") -> "Objections":
    from tallylight.rights.objections import Objections

    return Objections(
        workspace=store.workspace,
        engine=store.engine,
        writer=store.writer,
        keys=store.keyring,
        clock=store.clock,
        country=store.configuration.controller.country,
    )


def _done(objection: "StandingObjection", state: str, *, as_json: bool) -> None:
    if as_json:
        print_json({**_json(objection), "state": state})
    else:
        say(f"Objection {objection.id}: {state}.")


def _json(objection: "StandingObjection") -> dict[str, str]:
    from tallylight.catalogue.queries import iso_utc

    return {"objection": objection.id, "raised": iso_utc(objection.raised_ms), "evidence": objection.evidence}
