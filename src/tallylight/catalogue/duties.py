"""Which duties have a conversation's recordings kept, out of its stored decisions and the law of then."""

import sqlalchemy as sa

from tallylight.catalogue.errors import CatalogueError
from tallylight.catalogue.history import read_history
from tallylight.catalogue.versions import read_pack
from tallylight.conversation.errors import CodecError
from tallylight.conversation.events import LampsChanged
from tallylight.ids import ConversationId, WorkspaceId


def duties_to_keep(
    connection: sa.Connection, *, workspace: WorkspaceId, conversation: ConversationId
) -> tuple[str, ...]:
    """The citations of the duties that its decisions rest on; none where decisions or law of then cannot be read."""
    try:
        events = read_history(connection, workspace, conversation).events
        decisions = [event.decision for event in events if isinstance(event, LampsChanged)]
        duties = {
            rule.id
            for pack in dict.fromkeys(decision.pack for decision in decisions)
            for rule in read_pack(connection, workspace, pack).rules
            if rule.retain_min is not None
        }
    except (CatalogueError, CodecError):
        return ()
    reasons = (reason for decision in decisions for ruling in decision.rulings for reason in ruling.reasons)
    return tuple(dict.fromkeys(reason.cite for reason in reasons if reason.rule in duties))
