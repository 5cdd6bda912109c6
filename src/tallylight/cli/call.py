"""`tallylight call`: orders to the server that has the call."""

from typing import Annotated

import typer

from tallylight.cli.command import house_command, new_group
from tallylight.cli.options import Conversation, Data, Json
from tallylight.cli.output import print_json, say

call = new_group("Running calls.")


@house_command(call, "pause")
def pause(conversation: Conversation, data: Data, as_json: Json = False) -> None:
    """Pause the recording for everybody: every lamp goes amber."""
    from tallylight.cli.folder import order

    order(data, "pause", conversation=conversation)
    _done(conversation, "paused", as_json=as_json)


@house_command(call, "resume")
def resume(conversation: Conversation, data: Data, as_json: Json = False) -> None:
    """Take the pause back: each lamp as law, settings and the people on the call have it."""
    from tallylight.cli.folder import order

    order(data, "resume", conversation=conversation)
    _done(conversation, "resumed", as_json=as_json)


@house_command(call, "customer")
def customer(
    conversation: Conversation,
    data: Data,
    off: Annotated[bool, typer.Option("--off", help="Record the customer no longer.")] = False,
    as_json: Json = False,
) -> None:
    """Record the customer too, where the project's mode leaves it to the agent: they are told and asked first."""
    from tallylight.cli.folder import order

    order(data, "customer", conversation=conversation, on=not off)
    _done(conversation, "customer off" if off else "customer on", as_json=as_json)


@house_command(call, "receipt")
def receipt(
    conversation: Conversation,
    data: Data,
    close: Annotated[bool, typer.Option("--close", help="End the voice receipt that is open.")] = False,
    order_reference: Annotated[
        str, typer.Option("--order", metavar="ORDER", help="The order it is for; without: the call's only one.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Begin a voice receipt of an order, or end it: who belongs on it is told and asked first."""
    from tallylight.cli.folder import order

    order(data, "receipt", conversation=conversation, open=not close, order=order_reference)
    _done(conversation, "receipt closed" if close else "receipt open", as_json=as_json)


@house_command(call, "attest")
def attest(
    conversation: Conversation,
    evidence: Annotated[
        str, typer.Option("--evidence", metavar="TEXT", help="How you know, e.g. said aloud at 14:02. Never who it is.")
    ],
    data: Data,
    as_json: Json = False,
) -> None:
    """Say that the customer agreed, where the project lets staff: flagged, and never in place of their own answer."""
    from tallylight.cli.folder import order

    order(data, "attest", conversation=conversation, evidence=evidence)
    _done(conversation, "consent attested", as_json=as_json)


@house_command(call, "minor")
def minor(conversation: Conversation, data: Data, as_json: Json = False) -> None:
    """Say that the customer is a child: nothing more is asked of them on this call, and it cannot be taken back."""
    from tallylight.cli.folder import order

    order(data, "minor", conversation=conversation)
    _done(conversation, "known to be a minor", as_json=as_json)


def _done(conversation: str, state: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"conversation": conversation, "state": state})
    else:
        say(f"Conversation {conversation}: {state}.")
