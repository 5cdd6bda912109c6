"""Events to JSON and back, all of them, and what happens to rows that do not fit."""

import hashlib
import json
import re
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.conversation.codec import EVENT_TYPES, VERSIONS, CodecError, JsonValue, decode, encode
from tallylight.conversation.events import (
    ConsentGiven,
    ConsentRequested,
    ConsentUnanswered,
    Event,
    LampsChanged,
    NoticeGiven,
    PartyLeft,
    TrackOpened,
)
from tallylight.ids import PartyId
from tallylight.law.vocabulary import Method, Purpose
from tallylight.policy.decision import Lamp
from tests.conversation.making import Talk

events: st.SearchStrategy[Event] = st.sampled_from(list(EVENT_TYPES.values())).flatmap(st.from_type)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def test_every_event_has_a_stored_name_and_a_version() -> None:
    assert set(EVENT_TYPES.values()) == set(typing.get_args(Event))
    assert VERSIONS.keys() == EVENT_TYPES.keys()


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=EVENT_TYPES)
@settings(max_examples=60)
@given(data=st.data())
def test_round_trip(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(st.from_type(kind))
    stored = encode(event)
    assert (stored.type, stored.version) == (kind.__name__, VERSIONS[kind.__name__])
    text = json.dumps(stored.payload, sort_keys=True)
    read = decode(stored.type, stored.version, json.loads(text), reasonings=dict(stored.reasonings).__getitem__)
    assert read == event
    assert encode(read) == stored


def test_a_whole_call_comes_back() -> None:
    talk = Talk().agreed()
    talk.did(talk.withdraw())
    talk.did(talk.end())
    stored = [encode(event) for event in talk.events]
    kept = {reasoning: content for row in stored for reasoning, content in row.reasonings.items()}
    assert [
        decode(row.type, row.version, json.loads(json.dumps(row.payload)), reasonings=kept.__getitem__)
        for row in stored
    ] == talk.events


def decided() -> LampsChanged:
    return next(event for event in Talk().asked().events if isinstance(event, LampsChanged))


def test_a_decision_is_stored_without_the_words_of_its_reasons() -> None:
    event = decided()
    stored = encode(event)
    (ruling,) = event.decision.rulings
    (reasoning,) = stored.reasonings
    assert stored.payload["decision"] == {
        "rulings": [{"lamp": "recording", "party": ruling.party, "reasoning": reasoning, "rule": ruling.deciding.rule}],
        "pack": event.decision.pack,
        "settings": event.decision.settings,
        "situation": event.decision.situation,
        "profile": "house",
    }
    assert reasoning == hashlib.sha256(stored.reasonings[reasoning].encode()).hexdigest()
    kept = json.loads(stored.reasonings[reasoning])
    assert [reason["text"] for reason in kept["reasons"]] == [reason.text for reason in ruling.reasons]
    assert kept["actions"] == list(ruling.actions)


def test_the_reasonings_of_many_conversations_are_few() -> None:
    """Their size is that of the rules, not of the traffic."""
    first, second = ({key for event in Talk().agreed().events for key in encode(event).reasonings} for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("lamp", "off", None),
        ("lamp", "green", "'green' is not a valid Lamp"),
        ("rule", "house.other", "does not begin with the rule 'house.other'"),
        ("reasoning", 7, "a reasoning is named by a text"),
        ("reasoning", "ab" * 32, "does not fit its form"),
        ("more", 1, "a stored ruling has the fields lamp, party, reasoning, rule"),
    ],
)
def test_a_stored_ruling_that_does_not_fit(field: str, value: JsonValue, message: str | None) -> None:
    stored = encode(decided())
    payload = json.loads(json.dumps(stored.payload))
    payload["decision"]["rulings"][0][field] = value
    if message is None:
        changed = decode(stored.type, 1, payload, reasonings=dict(stored.reasonings).__getitem__)
        assert isinstance(changed, LampsChanged)
        assert changed.decision.rulings[0].lamp is Lamp.OFF
        return
    with pytest.raises(CodecError, match=re.escape(message)):
        decode(stored.type, 1, payload, reasonings=dict(stored.reasonings).__getitem__)


def test_words_that_were_changed_are_noticed() -> None:
    stored = encode(decided())
    changed = {key: content.replace("our own", "their") for key, content in stored.reasonings.items()}
    with pytest.raises(CodecError, match="is not what it was: restore it from a backup"):
        decode(stored.type, 1, stored.payload, reasonings=changed.__getitem__)
    with pytest.raises(CodecError, match="is kept beside the events and was not given"):
        decode(stored.type, 1, stored.payload)


def test_sets_are_sorted_and_enums_are_their_values() -> None:
    event = ConsentGiven(
        party=PartyId("p"),
        purposes=frozenset({Purpose.TRAINING, Purpose.COMPLIANCE, Purpose.QUALITY_ASSURANCE}),
        method=Method.DIGIT,
        evidence="digit 1",
        notice="n",
        offset_ms=5,
    )
    assert encode(event).payload == {
        "party": "p",
        "purposes": ["compliance", "quality_assurance", "training"],
        "method": "digit",
        "evidence": "digit 1",
        "notice": "n",
        "standing": None,
        "offset_ms": 5,
    }


@pytest.mark.parametrize(
    ("name", "version", "payload", "message"),
    [
        ("PartyVanished", 1, {}, "PartyVanished version 1 was written by a newer Tallylight: upgrade"),
        ("PartyLeft", 2, {}, "PartyLeft version 2 was written by a newer Tallylight: upgrade"),
        ("PartyLeft", 0, {}, "PartyLeft version 0 cannot be read any more"),
        ("PartyLeft", 1, {"party": "p"}, "PartyLeft has the fields party, offset_ms"),
        ("PartyLeft", 1, {"party": "p", "offset_ms": 1, "more": 1}, "PartyLeft has the fields party, offset_ms"),
        ("PartyLeft", 1, {"party": 7, "offset_ms": 1}, "7 is no str"),
        ("PartyLeft", 1, {"party": "p", "offset_ms": "1"}, "'1' is no int"),
        ("PartyLeft", 1, {"party": "p", "offset_ms": True}, "True is no int"),
        ("PartyLeft", 1, {"party": None, "offset_ms": 1}, "None is no str"),
        (
            "ConsentRefused",
            1,
            {"party": "p", "method": "nod", "evidence": "", "offset_ms": 1},
            "'nod' is not a valid Method",
        ),
        (
            "ConversationEnded",
            1,
            {"outcome": "completed", "talked_ms": [], "offset_ms": 1},
            "[] is no object",
        ),
        (
            "ConsentRequested",
            1,
            {"party": "p", "purposes": "training", "notice": "", "offset_ms": 1},
            "'training' is no list",
        ),
    ],
)
def test_a_row_that_does_not_fit_says_what_is_wrong(
    name: str, version: int, payload: dict[str, JsonValue], message: str
) -> None:
    with pytest.raises(CodecError, match=re.escape(message)) as raised:
        decode(name, version, payload)
    assert raised.value.code == "event_unreadable"


@settings(max_examples=1_000)
@given(st.sampled_from(list(EVENT_TYPES)), st.integers(-1, 3), st.dictionaries(st.text(max_size=8), values, max_size=4))
def test_nothing_but_a_codec_error_comes_of_any_row(name: str, version: int, payload: dict[str, JsonValue]) -> None:
    try:
        event = decode(name, version, payload)
    except CodecError:
        return
    assert encode(event).payload == payload


@settings(max_examples=1_000)
@given(events, st.data())
def test_a_row_with_one_field_changed_is_read_or_refused(event: Event, data: st.DataObject) -> None:
    stored = encode(event)
    field = data.draw(st.sampled_from(sorted(stored.payload)))
    changed = {**stored.payload, field: data.draw(values)}
    try:
        read = decode(stored.type, stored.version, changed, reasonings=dict(stored.reasonings).__getitem__)
    except CodecError:
        return
    again = encode(read)
    assert decode(again.type, again.version, again.payload, reasonings=dict(again.reasonings).__getitem__) == read


def test_older_versions_are_brought_up_to_date_step_by_step() -> None:
    """Version 1 had no time, version 2 had seconds, version 3 has ms."""

    def to_seconds(payload: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return {**payload, "offset_s": 0}

    def to_ms(payload: dict[str, JsonValue]) -> dict[str, JsonValue]:
        seconds = payload.pop("offset_s")
        assert isinstance(seconds, int)
        return {**payload, "offset_ms": seconds * 1000}

    steps = {("PartyLeft", 1): to_seconds, ("PartyLeft", 2): to_ms}
    versions = {**VERSIONS, "PartyLeft": 3}
    row: dict[str, JsonValue] = {"party": "p"}
    assert decode("PartyLeft", 1, row, upcasters=steps, versions=versions) == PartyLeft(party=PartyId("p"), offset_ms=0)
    assert row == {"party": "p"}
    later: dict[str, JsonValue] = {"party": "p", "offset_s": 7}
    assert decode("PartyLeft", 2, later, upcasters=steps, versions=versions) == PartyLeft(
        party=PartyId("p"), offset_ms=7000
    )
    with pytest.raises(CodecError, match="PartyLeft version 1 cannot be read any more"):
        decode("PartyLeft", 1, row, upcasters={("PartyLeft", 2): to_ms}, versions=versions)


def test_an_unanswered_question_of_the_first_version_names_no_method() -> None:
    read = decode("ConsentUnanswered", 1, {"party": "p", "offset_ms": 7})
    assert read == ConsentUnanswered(party=PartyId("p"), method=None, evidence="", offset_ms=7)


def test_what_an_earlier_version_did_not_keep_is_none() -> None:
    told: dict[str, JsonValue] = {"party": "p", "notice": "a", "text": "We record.", "language": "en", "offset_ms": 5}
    notice = decode("NoticeGiven", 1, told)
    assert isinstance(notice, NoticeGiven)
    assert notice.purposes is None
    track: dict[str, JsonValue] = {
        "track": "t",
        "party": "p",
        "purpose": "training",
        "epoch": "e",
        "deadline_ms": 9,
        "offset_ms": 5,
    }
    opened = decode("TrackOpened", 1, track)
    assert isinstance(opened, TrackOpened)
    assert (opened.floor_ms, opened.receipt) == (None, None)
    asked = decode("ConsentRequested", 1, {"party": "p", "purposes": ["training"], "notice": "a", "offset_ms": 5})
    assert isinstance(asked, ConsentRequested)
    assert (asked.text, asked.language) == (None, None)
    yes: dict[str, JsonValue] = {"party": "p", "purposes": ["training"], "method": "digit", "evidence": "digit 1"}
    given = decode("ConsentGiven", 1, {**yes, "notice": "a", "offset_ms": 5})
    assert isinstance(given, ConsentGiven)
    assert given.standing is None
