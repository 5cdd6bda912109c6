"""`tallylight call pause` and `resume`: orders to the server that has the call."""

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


def _done(conversation: str, state: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"conversation": conversation, "state": state})
    else:
        say(f"Conversation {conversation}: {state}.")
