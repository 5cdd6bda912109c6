"""Every instant is explained from the events alone, and each decision made again from them."""

import dataclasses
import itertools
import json

import pytest
import sqlalchemy as sa

from tallylight.catalogue.errors import CatalogueError, ConversationUnknownError
from tallylight.catalogue.explanation import Explanation, explain
from tallylight.catalogue.failures import NOT_WRITTEN, STOPPED
from tallylight.catalogue.tables import reasoning as reasonings
from tallylight.catalogue.tables import settings_version
from tallylight.conversation.commands import PauseRecording, ResumeRecording
from tallylight.conversation.errors import CodecError
from tallylight.conversation.events import LampsChanged, OpeningMissed, RecordingFailed
from tallylight.database.engine import read_only
from tallylight.database.events import empty_payload, read_stream
from tallylight.ids import ConversationId, new_id
from tallylight.law.pack import default_pack
from tallylight.policy.decision import Lamp
from tallylight.policy.situation import ConsentState
from tests.catalogue.house import NOTICE_TEXT, SETTINGS, Call, House

PACK = default_pack()


def explained(house: House, call: Call, at_ms: int | None = None) -> Explanation:
    with read_only(house.engine) as connection:
        return explain(connection, workspace=house.workspace, conversation=call.id, today=PACK, at_ms=at_ms)


def lamps(explanation: Explanation, call: Call) -> list[tuple[int, int | None, Lamp]]:
    return [
        (segment.from_ms, segment.until_ms, segment.lamp)
        for segment in explanation.segments
        if segment.party == call.customer
    ]


def test_a_pause_is_amber_from_to_and_why(house: House) -> None:
    call = Call(house).accepted().speak(2000)
    paused_ms = call.now_ms
    call.do(PauseRecording(by=call.agent, offset_ms=call.now_ms))
    call.speak(1000)
    resumed_ms = call.now_ms
    call.do(ResumeRecording(by=call.agent, offset_ms=call.now_ms))
    call.speak(1000).end()
    explanation = explained(house, call)
    assert (paused_ms, resumed_ms, Lamp.PAUSED) in lamps(explanation, call)
    assert (resumed_ms, call.now_ms, Lamp.RECORDING) in lamps(explanation, call)
    (segment,) = [each for each in explained(house, call, paused_ms + 500).segments if each.party == call.customer]
    assert segment.lamp is Lamp.PAUSED
    assert segment.deciding == segment.reasons[0]
    assert all(reason.cite and reason.text for reason in segment.reasons)
    assert any(reason.verdict.value == "allows" for reason in segment.passed_over), "the consent that was outweighed"


def test_the_timeline_covers_the_whole_call_without_overlap(house: House) -> None:
    call = Call(house).accepted().speak(1000).withdrawn().speak(1000).end()
    explanation = explained(house, call)
    for party in (call.system, call.customer):
        line = [segment for segment in explanation.segments if segment.party == party]
        assert line[0].from_ms == 0
        assert line[-1].until_ms == call.now_ms
        assert all(before.until_ms == after.from_ms for before, after in itertools.pairwise(line))


def test_a_recording_that_failed_is_dark_from_then_on(house: House) -> None:
    call = Call(house).accepted().speak(2000)
    failed_ms = call.now_ms
    call.write([RecordingFailed(party=None, track=None, why="the disk is full", missing_ms=0, offset_ms=failed_ms)])
    call.speak(1000)
    call.do(PauseRecording(by=call.agent, offset_ms=call.now_ms))
    call.speak(1000).end()
    explanation = explained(house, call)
    for party in (call.system, call.agent, call.customer):
        line = [segment for segment in explanation.segments if segment.party == party]
        assert line[-1].until_ms == call.now_ms
        assert all(before.until_ms == after.from_ms for before, after in itertools.pairwise(line))
        assert all(segment.lamp is Lamp.OFF for segment in line if segment.from_ms >= failed_ms)
        assert line[-1].deciding == STOPPED
    assert Lamp.RECORDING in {lamp for _, until_ms, lamp in lamps(explanation, call) if until_ms == failed_ms}
    (failure,) = explanation.failures
    assert (failure.kind, failure.at_ms, failure.why) == ("recording_failed", failed_ms, "the disk is full")
    assert explained(house, call, failed_ms - 1).failures == ()
    assert explanation.replay.agrees, "what was decided stands; only the recording of it failed"


def test_a_gate_whose_decision_was_written_late_was_dark_until_then(house: House) -> None:
    call = Call(house).accepted().speak(3000)
    opened_ms = next(from_ms for from_ms, _, lamp in lamps(explained(house, call), call) if lamp is Lamp.RECORDING)
    for from_ms, until_ms in ((opened_ms, opened_ms + 1000), (opened_ms + 1000, opened_ms + 1400)):
        call.write([OpeningMissed(party=call.customer, from_ms=from_ms, until_ms=until_ms, offset_ms=until_ms)])
    explanation = explained(house, call.end())
    told = [segment for segment in explanation.segments if segment.party == call.customer]
    dark = [(each.from_ms, each.until_ms) for each in told if each.deciding == NOT_WRITTEN]
    assert dark == [(opened_ms, opened_ms + 1000), (opened_ms + 1000, opened_ms + 1400)]
    lit = [(from_ms, until_ms) for from_ms, until_ms, lamp in lamps(explanation, call) if lamp is Lamp.RECORDING]
    assert lit[0][0] == opened_ms + 1400
    assert lit[-1][1] == call.now_ms
    assert [failure.missing_ms for failure in explanation.failures] == [1000, 400]
    assert all(segment.deciding != NOT_WRITTEN for segment in explanation.segments if segment.party != call.customer)


def test_consent_and_its_evidence_stand_beside_the_lamp(house: House) -> None:
    call = Call(house).accepted().speak(1000)
    for segment in explained(house, call).segments:
        if segment.party == call.customer and segment.lamp is Lamp.RECORDING:
            assert segment.consent.state is ConsentState.GIVEN
            assert segment.consent.evidence == "digit 1 at 7500 ms"
            assert segment.consent.question_heard
            assert segment.until_ms is None or segment.until_ms > segment.from_ms
    withdrawn = explained(house, call.withdrawn()).segments
    assert [each for each in withdrawn if each.party == call.customer][-1].consent.state is ConsentState.WITHDRAWN


def test_notices_are_told_word_for_word(house: House) -> None:
    call = Call(house).accepted()
    (notice,) = explained(house, call).notices
    assert (notice.party, notice.text, notice.heard_ms) == (call.customer, NOTICE_TEXT, 4000)
    assert explained(house, call, 3999).notices == ()


def test_the_history_replays(house: House) -> None:
    call = Call(house).accepted().speak(1000).withdrawn().end()
    replay = explained(house, call).replay
    assert (replay.agrees, replay.differences, replay.unavailable) == (True, (), None)
    assert replay.checked >= 4


def test_a_decision_that_would_be_another_is_reported(house: House) -> None:
    call = Call(house).refused().speak(1000)
    assert call.state.decision is not None
    wrong = tuple(
        dataclasses.replace(ruling, lamp=Lamp.RECORDING) if ruling.party == call.customer else ruling
        for ruling in call.state.decision.rulings
    )
    forged = LampsChanged(
        decision_id=call.state.decision_id or pytest.fail("no decision"),
        decision=dataclasses.replace(call.state.decision, rulings=wrong),
        offset_ms=call.now_ms,
    )
    call.write([forged])
    replay = explained(house, call).replay
    assert replay.agrees is False
    (difference,) = replay.differences
    assert (call.customer, Lamp.RECORDING) in difference.stored
    assert (call.customer, Lamp.OFF) in difference.replayed


def test_settings_that_are_lost_make_the_replay_unavailable(house: House) -> None:
    call = Call(house).accepted()
    house.commit(
        lambda transaction: (
            transaction.connection.execute(
                sa.delete(settings_version).where(settings_version.c.hash == SETTINGS.version)
            ).rowcount
        )
    )
    explanation = explained(house, call)
    assert explanation.replay.agrees is None
    assert explanation.replay.unavailable is not None
    assert "settings" in explanation.replay.unavailable
    assert explanation.segments


def test_words_that_were_lost_or_changed_are_not_made_up(house: House) -> None:
    call = Call(house).accepted().end()
    changed = sa.update(reasonings).values(content=sa.func.replace(reasonings.c.content, "customer", "caller"))
    house.commit(lambda transaction: transaction.connection.execute(changed).rowcount)
    with pytest.raises(CodecError, match="is not what it was: restore it from a backup"):
        explained(house, call)
    house.commit(lambda transaction: transaction.connection.execute(sa.delete(reasonings)).rowcount)
    with pytest.raises(CatalogueError, match=r"No reasoning [0-9a-f]{12} is kept here: restore it from a backup"):
        explained(house, call)


def test_an_erased_act_leaves_how_it_was_listed(house: House) -> None:
    call = Call(house).accepted().end()
    with read_only(house.engine) as connection:
        (given,) = [event for event in read_stream(connection, call.id) if event.type == "ConsentGiven"]
    house.commit(lambda transaction: empty_payload(transaction.connection, given.leaf))
    explanation = explained(house, call)
    assert explanation.erased_payloads == 1
    assert explanation.replay.agrees is None
    mine = [segment for segment in explanation.segments if segment.party == call.customer]
    assert all(segment.consent_erased and segment.consent.evidence is None for segment in mine)
    assert mine[-1].consent.state is ConsentState.GIVEN
    assert not any(segment.consent_erased for segment in explanation.segments if segment.party == call.agent)


def test_the_json_says_trial_and_is_json(house: House) -> None:
    call = Call(house).accepted().speak(1000).end()
    printed = json.loads(json.dumps(explained(house, call, call.now_ms - 1).to_json()))
    assert printed["marker"] == "TRIAL"
    assert printed["settings"] == SETTINGS.version
    assert printed["at_s"] == (call.now_ms - 1) / 1000
    assert {segment["role"] for segment in printed["timeline"]} == {"system", "customer", "agent"}
    assert printed["replay"]["agrees"] is True
    for segment in printed["timeline"]:
        assert segment["reasons"][0] == segment["deciding"]
        assert {"rule", "cite", "verdict", "text", "confidence", "effective_from", "checked_at"} == set(
            segment["deciding"]
        )


def test_an_unknown_conversation_says_where_ids_are(house: House) -> None:
    with (
        read_only(house.engine) as connection,
        pytest.raises(ConversationUnknownError, match="recordings list"),
    ):
        explain(connection, workspace=house.workspace, conversation=ConversationId(new_id(1)), today=PACK)
