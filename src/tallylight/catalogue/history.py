"""A conversation's events, read back: what is left of them, with the reasonings of their decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa

from tallylight.catalogue.versions import read_reasonings
from tallylight.conversation.codec import decode
from tallylight.conversation.events import Event
from tallylight.conversation.reasoning import JsonValue, named_reasonings
from tallylight.database.events import read_stream
from tallylight.ids import ConversationId, WorkspaceId


@dataclass(frozen=True, kw_only=True)
class History:
    """Oldest first."""

    events: Sequence[Event]
    erased: int
    """Events of which only the commitment is left; they are not among `events`."""


def read_history(connection: sa.Connection, workspace: WorkspaceId, conversation: ConversationId) -> History:
    """Everything that happened in a conversation; nothing where there is none of this id.

    Raises CodecError and CatalogueError where an event or what it names cannot be read.
    """
    stored = read_stream(connection, conversation, workspace=workspace)
    rows = [
        (row.type, row.version, cast("dict[str, JsonValue]", dict(row.payload)))
        for row in stored
        if row.payload is not None
    ]
    named = {reasoning for _, _, payload in rows for reasoning in named_reasonings(payload)}
    reasonings = read_reasonings(connection, workspace, named)
    events = [decode(name, version, payload, reasonings=reasonings.__getitem__) for name, version, payload in rows]
    return History(events=events, erased=len(stored) - len(events))
