"""What moves a track's term, as its events have it."""

from tallylight.catalogue.terms import MOVED, Change, terms
from tallylight.conversation.events import Event, TermMoved, TrackErased, TrackKept, TrackOpened
from tallylight.ids import EpochId, PartyId, TrackId
from tallylight.law.vocabulary import Purpose

FIRST, SECOND = TrackId("first"), TrackId("second")


def opened(track: TrackId, offset_ms: int, receipt: int | None = None, floor_ms: int | None = None) -> TrackOpened:
    return TrackOpened(
        track=track,
        party=PartyId("customer"),
        purpose=Purpose.TRAINING if receipt is None else Purpose.VOICE_RECEIPT,
        epoch=EpochId("epoch"),
        deadline_ms=90_000_000,
        floor_ms=floor_ms,
        receipt=receipt,
        offset_ms=offset_ms,
    )


HISTORY: tuple[Event, ...] = (
    opened(FIRST, 1000),
    opened(SECOND, 2000, receipt=1, floor_ms=60_000_000),
    TermMoved(track=FIRST, deadline_ms=200_000_000, floor_ms=150_000_000, offset_ms=3000),
    TrackKept(track=FIRST, why="withdrawn", floor_ms=150_000_000, offset_ms=4000),
    TrackErased(track=SECOND, why="replaced", offset_ms=5000),
)


def test_every_change_is_told_in_its_order() -> None:
    first, second = terms(HISTORY)
    assert (first.deadline_ms, first.floor_ms) == (150_000_000, 150_000_000)
    assert first.changes == (
        Change(at_ms=3000, kind="moved", why=MOVED),
        Change(at_ms=4000, kind="kept", why="withdrawn"),
    )
    assert (second.deadline_ms, second.floor_ms, second.receipt) == (None, None, 1)
    assert second.changes == (Change(at_ms=5000, kind="erased", why="replaced"),)


def test_as_it_is_printed() -> None:
    first, second = (term.to_json() for term in terms(HISTORY[:4]))
    assert first["until"] == first["kept_by_law_until"] == "1970-01-02T17:40:00.000Z"
    assert first["changes"] == [
        {"at_s": 3.0, "kind": "moved", "why": MOVED},
        {"at_s": 4.0, "kind": "kept", "why": "withdrawn"},
    ]
    assert (second["opened_s"], second["receipt"], second["purpose"]) == (2.0, 1, "voice_receipt")


def test_a_change_of_a_track_whose_opening_was_never_written_tells_nothing() -> None:
    assert terms(HISTORY[2:]) == ()
