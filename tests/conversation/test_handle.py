"""Commands, one by one: what follows, and what is refused."""

import dataclasses

import pytest

from tallylight.conversation.commands import OPERATOR, GiveConsent, PauseRecording, ResumeRecording, WithdrawConsent
from tallylight.conversation.errors import ConversationError
from tallylight.conversation.events import (
    ConsentGiven,
    ConsentRefused,
    ConsentUnanswered,
    ConsentWithdrawn,
    ConversationEnded,
    LampsChanged,
    QuestionHeard,
    RecordingPaused,
    RecordingResumed,
)
from tallylight.conversation.handle import Context, handle
from tallylight.conversation.situation import paused_by, situation
from tallylight.conversation.state import ConversationState
from tallylight.ids import DecisionId, PartyId
from tallylight.law.vocabulary import LawfulBasis, Method, Mode, Purpose
from tallylight.policy.decision import Lamp
from tallylight.policy.situation import ConsentState
from tests.conversation.making import NOTICE, QUESTION, Talk
from tests.policy.making import AGENT, AT_MS, CUSTOMER, PACK, SETTINGS, SYSTEM, at

STRANGER = PartyId("stranger")


def kinds(events: tuple[object, ...]) -> list[type]:
    return [type(event) for event in events]


def test_a_call_that_is_agreed_to() -> None:
    talk = Talk()
    talk.did(talk.system())
    assert talk.lamp(SYSTEM) is Lamp.RECORDING
    talk.did(talk.caller())
    talk.did(talk.notice())
    talk.did(talk.ask())
    assert talk.did(talk.heard()) == (QuestionHeard(party=CUSTOMER, offset_ms=talk.now_ms),)
    given, changed = talk.did(talk.yes())
    assert given == ConsentGiven(
        party=CUSTOMER,
        purposes=frozenset({SETTINGS.purpose}),
        method=Method.DIGIT,
        evidence="digit 1",
        notice=QUESTION,
        offset_ms=talk.now_ms,
    )
    assert isinstance(changed, LampsChanged)
    assert changed.offset_ms == talk.now_ms
    assert changed.decision.lamp(CUSTOMER) is Lamp.RECORDING
    consent = talk.state.parties[CUSTOMER].consent
    assert (consent.state, consent.at_ms) == (ConsentState.GIVEN, AT_MS + talk.now_ms)
    talk.did(talk.agent())
    assert talk.lamp(AGENT) is Lamp.RECORDING
    assert kinds(talk.did(talk.end())) == [ConversationEnded]
    assert talk.state.ended
    assert talk.state.decision is None
    assert talk.replayed_as_stored()


def test_a_decision_that_does_not_change_is_not_repeated() -> None:
    talk = Talk().asked()
    before = talk.state.decision_id
    talk.did(talk.notice())
    assert talk.state.decision_id == before


def test_a_yes_before_the_question_has_been_heard_opens_nothing() -> None:
    talk = Talk()
    talk.did(talk.caller())
    assert talk.refused(talk.yes()) == "too_early"
    talk.did(talk.notice())
    assert talk.refused(talk.yes()) == "too_early"
    talk.did(talk.ask())
    assert talk.refused(talk.yes()) == "too_early"
    talk.did(talk.heard())
    talk.did(talk.yes())
    assert talk.lamp() is Lamp.RECORDING
    assert talk.refused(talk.yes()) == "already_given"


def test_a_question_that_starts_anew_must_be_heard_anew() -> None:
    talk = Talk().asked()
    talk.did(talk.ask())
    assert talk.refused(talk.yes()) == "too_early"


def test_a_no_counts_at_any_moment() -> None:
    for step in range(5):
        talk = Talk()
        talk.did(talk.caller())
        for command in (talk.notice, talk.ask, talk.heard, talk.silence)[:step]:
            talk.did(command())
        refused, *_ = talk.did(talk.no())
        assert isinstance(refused, ConsentRefused)
        assert talk.state.parties[CUSTOMER].consent.state is ConsentState.REFUSED
        assert talk.lamp() is Lamp.OFF
        assert talk.did(talk.no()) == ()
        assert talk.refused(talk.yes()) == "already_refused"


def test_after_a_no_only_a_new_question_and_the_persons_own_clear_yes_open() -> None:
    talk = Talk().asked()
    talk.did(talk.no())
    assert talk.refused(talk.yes()) == "already_refused"
    talk.did(talk.ask())
    assert talk.state.parties[CUSTOMER].consent.state is ConsentState.REFUSED
    assert talk.refused(talk.yes()) == "too_early"
    talk.did(talk.heard())
    for method in (
        Method.ATTESTED,
        Method.IMPORTED,
        Method.CONTRACT,
        Method.CONTINUED_AFTER_NOTICE,
        Method.ANNOUNCEMENT,
    ):
        assert talk.refused(talk.yes(method=method)) == "already_refused"
    assert talk.lamp() is Lamp.OFF
    talk.did(talk.yes())
    assert talk.lamp() is Lamp.RECORDING


def test_silence_at_a_new_question_leaves_the_no_standing() -> None:
    talk = Talk().asked()
    talk.did(talk.no())
    talk.did(talk.ask())
    talk.did(talk.heard())
    talk.did(talk.silence())
    assert talk.state.parties[CUSTOMER].consent.state is ConsentState.REFUSED
    assert talk.refused(talk.yes()) == "already_refused"


def test_silence_is_no_yes() -> None:
    talk = Talk().asked()
    unanswered, *_ = talk.did(talk.silence())
    assert isinstance(unanswered, ConsentUnanswered)
    assert talk.state.parties[CUSTOMER].consent.state is ConsentState.UNKNOWN
    assert talk.refused(talk.yes()) == "too_late"
    assert talk.refused(talk.silence()) == "not_asked"
    assert talk.refused(talk.heard()) == "not_asked"
    talk.did(talk.agent())
    assert (talk.lamp(), talk.lamp(AGENT)) == (Lamp.OFF, Lamp.RECORDING)


def test_a_withdrawal_closes_at_the_media_time_of_the_act() -> None:
    talk = Talk().agreed()
    pressed_ms = talk.now_ms - 300
    withdrawn, changed = talk.did(
        WithdrawConsent(party=CUSTOMER, method=Method.DIGIT, evidence="digits *2", offset_ms=pressed_ms)
    )
    assert isinstance(withdrawn, ConsentWithdrawn)
    assert isinstance(changed, LampsChanged)
    assert withdrawn.offset_ms == changed.offset_ms == pressed_ms
    assert (talk.lamp(), talk.lamp(AGENT)) == (Lamp.OFF, Lamp.RECORDING)
    consent = talk.state.parties[CUSTOMER].consent
    assert (consent.state, consent.notice) == (ConsentState.WITHDRAWN, QUESTION)
    assert talk.did(talk.withdraw()) == ()
    assert talk.refused(talk.yes()) == "already_refused"
    assert talk.replayed_as_stored()


def test_nothing_opens_behind_a_later_act() -> None:
    talk = Talk().agreed()
    talk.did(talk.pause())
    paused_ms = talk.now_ms
    _, changed = talk.did(ResumeRecording(by=AGENT, offset_ms=paused_ms - 300))
    assert isinstance(changed, LampsChanged)
    assert changed.offset_ms == paused_ms
    assert talk.lamp() is Lamp.RECORDING
    assert talk.replayed_as_stored()


def test_a_yes_that_arrives_with_an_earlier_time_is_still_prior() -> None:
    talk = Talk().asked()
    talk.did(GiveConsent(party=CUSTOMER, method=Method.DIGIT, evidence="digit 1", offset_ms=talk.now_ms - 20))
    assert talk.lamp() is Lamp.RECORDING


def test_two_after_one_is_a_withdrawal() -> None:
    talk = Talk().agreed()
    withdrawn, *_ = talk.did(talk.no())
    assert isinstance(withdrawn, ConsentWithdrawn)
    assert talk.lamp() is Lamp.OFF


def test_the_withdrawal_code_before_any_yes_is_a_no() -> None:
    talk = Talk().asked()
    refused, *_ = talk.did(talk.withdraw())
    assert isinstance(refused, ConsentRefused)
    assert talk.lamp() is Lamp.OFF


def test_only_the_person_withdraws_their_own() -> None:
    talk = Talk().agreed()
    talk.did(talk.withdraw(AGENT))
    assert (talk.lamp(), talk.lamp(AGENT)) == (Lamp.RECORDING, Lamp.OFF)


def test_agent_and_operator_pause_and_resume() -> None:
    talk = Talk().agreed()
    paused, *_ = talk.did(talk.pause())
    assert paused == RecordingPaused(by=AGENT, offset_ms=talk.now_ms)
    assert talk.lamp() is talk.lamp(AGENT) is talk.lamp(SYSTEM) is Lamp.PAUSED
    assert talk.refused(talk.pause(OPERATOR)) == "already_paused"
    resumed, *_ = talk.did(talk.resume(OPERATOR))
    assert resumed == RecordingResumed(by=OPERATOR, offset_ms=talk.now_ms)
    assert talk.lamp() is Lamp.RECORDING
    assert talk.refused(talk.resume()) == "not_paused"


@pytest.mark.parametrize("by", [CUSTOMER, SYSTEM, STRANGER, "settings", ""])
def test_nobody_else_pauses_or_resumes(by: str) -> None:
    talk = Talk().agreed()
    assert talk.refused(PauseRecording(by=by, offset_ms=talk.now_ms)) == "not_allowed"
    talk.did(talk.pause())
    assert talk.refused(ResumeRecording(by=by, offset_ms=talk.now_ms)) == "not_allowed"


def test_an_agent_who_left_no_longer_resumes() -> None:
    talk = Talk().agreed()
    talk.did(talk.pause())
    talk.did(talk.leave(AGENT))
    assert talk.refused(talk.resume()) == "not_allowed"


def test_a_resume_does_not_open_the_gate_of_who_withdrew() -> None:
    talk = Talk().agreed()
    talk.did(talk.pause())
    talk.did(talk.withdraw())
    talk.did(talk.resume())
    assert (talk.lamp(), talk.lamp(AGENT)) == (Lamp.OFF, Lamp.RECORDING)


def test_a_start_that_is_paused_is_over_once_somebody_resumes() -> None:
    settings = dataclasses.replace(SETTINGS, start_paused=True)
    talk = Talk(settings).agreed()
    assert (talk.lamp(), talk.lamp(AGENT), talk.lamp(SYSTEM)) == (Lamp.PAUSED, Lamp.PAUSED, Lamp.RECORDING)
    assert paused_by(talk.state, settings) == "settings"
    talk.did(talk.resume())
    assert talk.lamp() is talk.lamp(AGENT) is Lamp.RECORDING
    talk.did(talk.pause())
    talk.did(talk.resume())
    assert talk.lamp() is Lamp.RECORDING
    assert paused_by(talk.state, settings) is None
    assert talk.replayed_as_stored()


def test_each_side_holds_for_itself() -> None:
    talk = Talk().agreed()
    talk.did(talk.hold(AGENT))
    talk.did(talk.hold(CUSTOMER))
    assert talk.did(talk.hold(AGENT)) == ()
    assert talk.lamp() is talk.lamp(AGENT) is Lamp.PAUSED
    talk.did(talk.unhold(AGENT))
    assert talk.lamp() is Lamp.PAUSED
    talk.did(talk.unhold(CUSTOMER))
    assert talk.lamp() is Lamp.RECORDING
    assert talk.did(talk.unhold(CUSTOMER)) == ()
    assert talk.refused(talk.hold(STRANGER)) == "not_present"


def test_who_leaves_takes_their_hold_and_their_question_along() -> None:
    talk = Talk().asked()
    talk.did(talk.agent())
    talk.did(talk.hold(AGENT))
    talk.did(talk.leave(AGENT))
    assert not talk.state.held_by
    talk.did(talk.leave())
    assert talk.refused(talk.yes()) == "not_present"
    assert talk.refused(talk.leave()) == "not_present"
    assert talk.lamp() is Lamp.OFF


def test_a_no_counts_even_from_who_has_left() -> None:
    talk = Talk().agreed()
    talk.did(talk.leave())
    withdrawn, *_ = talk.did(talk.withdraw())
    assert isinstance(withdrawn, ConsentWithdrawn)


def test_a_party_joins_once() -> None:
    talk = Talk().agreed()
    assert talk.refused(talk.caller()) == "already_joined"
    talk.did(talk.leave())
    assert talk.refused(talk.caller()) == "already_joined"


def test_strangers_are_unknown() -> None:
    talk = Talk().agreed()
    for command in (talk.notice, talk.ask, talk.heard, talk.yes, talk.no, talk.silence, talk.withdraw, talk.leave):
        assert talk.refused(command(STRANGER)) == "unknown_party"


def test_a_joiner_who_was_not_told_darkens_everybody_until_told() -> None:
    talk = Talk().agreed()
    talk.did(talk.caller(STRANGER))
    assert talk.lamp() is talk.lamp(AGENT) is Lamp.OFF
    talk.did(talk.notice(STRANGER))
    assert talk.lamp() is talk.lamp(AGENT) is Lamp.RECORDING
    assert talk.lamp(STRANGER) is Lamp.OFF


def test_after_the_end_everything_is_refused() -> None:
    talk = Talk().agreed()
    talk.did(talk.end())
    for command in (talk.end, talk.agent, talk.pause, talk.no, talk.withdraw, talk.hold, talk.leave, talk.ask):
        assert talk.refused(command()) == "ended"


def test_an_agent_agrees_in_writing_beforehand_and_a_caller_does_not() -> None:
    talk = Talk(dataclasses.replace(SETTINGS, country="DE"))
    talk.did(talk.caller(places=at("DE")))
    talk.did(talk.notice())
    talk.did(talk.agent())
    assert talk.lamp(AGENT) is Lamp.OFF
    assert talk.refused(talk.yes(method=Method.WRITTEN)) == "too_early"
    assert talk.refused(talk.yes(AGENT, method=Method.DIGIT)) == "too_early"
    talk.did(talk.yes(AGENT, method=Method.WRITTEN))
    assert talk.lamp(AGENT) is Lamp.RECORDING
    talk.did(talk.withdraw(AGENT))
    assert talk.refused(talk.yes(AGENT, method=Method.WRITTEN)) == "already_refused"
    talk.did(talk.ask(AGENT))
    assert talk.refused(talk.yes(AGENT, method=Method.WRITTEN)) == "too_early"


def test_a_conversation_keeps_its_settings_and_its_law() -> None:
    talk = Talk().asked()
    other = dataclasses.replace(SETTINGS, mode=Mode.NONE)
    changed = Context(pack=PACK, settings=other, new_decision_id=lambda: DecisionId("x"))
    with pytest.raises(ConversationError, match="keeps the settings and the law it started with"):
        handle(talk.state, talk.yes(), changed)


def test_a_conversation_that_has_not_started_has_no_situation() -> None:
    with pytest.raises(ConversationError, match="apply ConversationStarted"):
        situation(ConversationState(), SETTINGS)


def test_an_objection_where_nobody_was_asked() -> None:
    settings = dataclasses.replace(SETTINGS, country="US-TX", customer_basis=LawfulBasis.LEGITIMATE_INTERESTS)
    talk = Talk(settings)
    talk.did(talk.caller(places=at("US-TX")))
    talk.did(talk.notice())
    assert talk.lamp() is Lamp.RECORDING
    refused, *_ = talk.did(talk.withdraw())
    assert isinstance(refused, ConsentRefused)
    assert talk.lamp() is Lamp.OFF


DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("from_days", "until_days", "lamp"),
    [(None, None, Lamp.OFF), (-1, 1, Lamp.RECORDING), (-2, -1, Lamp.OFF), (1, 2, Lamp.OFF), (0, 1, Lamp.RECORDING)],
)
def test_legitimate_interests_need_a_balancing_test_that_holds(
    from_days: int | None, until_days: int | None, lamp: Lamp
) -> None:
    """Documentation in Denmark may rest on them (Art. 6(1)(f) GDPR), once everything asked for is on file."""
    started_ms = Talk().state.started_ms
    settings = dataclasses.replace(
        SETTINGS,
        customer_basis=LawfulBasis.LEGITIMATE_INTERESTS,
        purpose=Purpose.DOCUMENTATION,
        necessity="orders are only ever spoken",
        balancing_test=None if from_days is None else "LIA-1",
        balancing_test_from_ms=None if from_days is None else started_ms + from_days * DAY_MS,
        balancing_test_until_ms=None if until_days is None else started_ms + until_days * DAY_MS,
    )
    talk = Talk(settings)
    talk.did(talk.caller(places=at("DK")))
    talk.did(talk.notice())
    assert talk.lamp() is lamp
    unstated = Talk(dataclasses.replace(settings, necessity=None))
    unstated.did(unstated.caller(places=at("DK")))
    unstated.did(unstated.notice())
    assert unstated.lamp() is Lamp.OFF


def test_what_is_not_on_file_changes_no_version() -> None:
    assert "balancing_test" in {field.name for field in dataclasses.fields(SETTINGS)}
    assert dataclasses.replace(SETTINGS, necessity=None).version == SETTINGS.version
    assert dataclasses.replace(SETTINGS, necessity="because").version != SETTINGS.version


def test_the_notice_is_kept_word_for_word() -> None:
    talk = Talk().asked()
    told = [event for event in talk.events if type(event).__name__ == "NoticeGiven"]
    assert [(event.notice, event.text, event.language) for event in told] == [(NOTICE, "We record.", "en")]  # type: ignore[union-attr]
