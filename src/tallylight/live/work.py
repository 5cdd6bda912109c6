"""One unit of work of a conversation on its way to the database: events, keys and projections, all or nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tallylight.capture.recorder import TrackRecorder
from tallylight.catalogue.projections import Chronicle
from tallylight.conversation.events import Event, TrackOpened
from tallylight.database.writer import Transaction
from tallylight.ids import ConversationId, DecisionId, PartyId
from tallylight.vault.tables import delete_epochs, insert_epoch

SaidNo = Callable[[Transaction, str], None]
"""What follows from the no of somebody with this canonical address, in the unit of work that holds it."""


@dataclass(slots=True)
class Opening:
    """One gate's wait for its commit."""

    party: PartyId
    recorder: TrackRecorder
    decision: DecisionId
    missed_ms: int | None = None
    """Since when it is known that what is said meanwhile will never pass; None while it is held in memory."""


@dataclass(slots=True, kw_only=True)
class Work:
    """What one command led to."""

    number: int
    """Its place among the conversation's units, in the order in which things happened."""
    conversation: ConversationId
    actor: str
    events: list[Event]
    identities: dict[PartyId, str]
    opened: list[TrackRecorder] = field(default_factory=list)
    """Tracks whose first key is in this unit."""
    erased: list[TrackRecorder] = field(default_factory=list)
    """Tracks whose keys this unit destroys."""
    openings: list[Opening] = field(default_factory=list)
    noes: list[str] = field(default_factory=list)
    """Canonical addresses of people whose own no is among the events."""

    earlier: list[tuple[str, list[Event]]] = field(default_factory=list)
    """Actor and events of units before it that were refused and are still owed."""

    def absorb_refused(self, refused: "Work") -> None:
        """Take over what a refused unit still owes: its events and erasures, but no track was opened by it."""
        events: list[Event] = [event for event in refused.events if not isinstance(event, TrackOpened)]
        self.earlier += [*refused.earlier, (refused.actor, events)]
        self.identities.update(refused.identities)
        self.erased.extend(refused.erased)
        self.noes.extend(refused.noes)

    def unit(self, chronicle: Chronicle, said_no: SaidNo) -> Callable[[Transaction], None]:
        """The unit of work for the database's writer."""

        def write(transaction: Transaction) -> None:
            for recorder in self.opened:
                insert_epoch(transaction.connection, recorder.epoch.row)
            for recorder in self.erased:
                delete_epochs(transaction.connection, recorder.track, workspace=chronicle.workspace)
            for actor, events in (*self.earlier, (self.actor, self.events)):
                chronicle.record(transaction, self.conversation, events, identities=self.identities, actor=actor)
            for address in self.noes:
                said_no(transaction, address)

        return write
