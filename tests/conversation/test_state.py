"""The reducer: total over the events, and strict about what is none."""

import typing

import pytest

from tallylight.conversation.errors import ConversationError
from tallylight.conversation.events import (
    ConversationEnded,
    ConversationStarted,
    Event,
    NoticeGiven,
    PartyJoined,
    QuestionHeard,
    TrackSealed,
)
from tallylight.conversation.state import ConversationState, apply, fold
from tallylight.ids import TrackId
from tallylight.law.vocabulary import LawfulBasis, Role
from tests.conversation.making import NOTICE, Talk, started
from tests.policy.making import CUSTOMER

JOINED = PartyJoined(
    party=CUSTOMER, role=Role.CUSTOMER, places=(), basis=LawfulBasis.CONSENT, employee_notice=False, offset_ms=0
)
TOLD = NoticeGiven(party=CUSTOMER, notice=NOTICE, text="We record.", language="en", purposes=None, offset_ms=500)


def test_what_is_no_event_is_named() -> None:
    class SomethingElse:
        offset_ms = 0

    with pytest.raises(ConversationError, match="SomethingElse is no event of a conversation: upgrade"):
        apply(ConversationState(), typing.cast("Event", SomethingElse()))


def test_nothing_happens_before_the_start_and_nothing_starts_twice() -> None:
    with pytest.raises(ConversationError, match="PartyJoined came before its start"):
        apply(ConversationState(), JOINED)
    with pytest.raises(ConversationError, match="it started twice"):
        fold([started(), started()])


def test_events_of_somebody_who_never_joined() -> None:
    with pytest.raises(ConversationError, match="Party customer never joined"):
        fold([started(), TOLD])


def test_a_question_is_not_heard_before_it_is_put() -> None:
    with pytest.raises(ConversationError, match="heard a question nobody put"):
        fold([started(), JOINED, QuestionHeard(party=CUSTOMER, offset_ms=1)])


def test_folding_changes_no_earlier_state() -> None:
    before = fold([started(), JOINED])
    after = apply(before, TOLD)
    assert not before.parties[CUSTOMER].notice_heard
    assert after.parties[CUSTOMER].notice_heard
    assert (before.latest_ms, after.latest_ms) == (0, 500)


def test_what_happens_to_tracks_decides_nothing() -> None:
    state = fold([started(), JOINED, TOLD])
    sealed = TrackSealed(track=TrackId("t"), stored_ms=1, expected_ms=1, size=1, offset_ms=100)
    assert apply(state, sealed) == state


def test_the_end_leaves_nobody_and_no_decision() -> None:
    state = apply(Talk().agreed().state, ConversationEnded(outcome="completed", talked_ms={}, offset_ms=60_000))
    assert (state.ended, state.outcome, state.decision, state.decision_id) == (True, "completed", None, None)
    assert not any(party.present for party in state.parties.values())


def test_every_event_has_a_place_in_the_reducer() -> None:
    assert ConversationStarted in typing.get_args(Event)
    assert len(typing.get_args(Event)) == 28
