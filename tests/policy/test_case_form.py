"""The closed form of a case: what is not in it is an error that names the nearest, and never permission."""

import contextlib
import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.policy.case_answer import unread_answer
from tallylight.policy.cases import case_id, read_case
from tallylight.policy.fields import CaseError
from tests.policy.casework import PACK, PRESSED, Table, case, party, read


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"purpose": "qualty"}, "purpose knows no \"qualty\""),
        ({"purpose": "qualty"}, "did you mean quality?"),
        ({"purpose": None}, "purpose knows no null"),
        ({"legal_basis": "consnt"}, "did you mean consent?"),
        ({"sector": "health"}, "sector knows no \"health\""),
        ({"channel": "fax"}, "only in_person, phone, video"),
        ({"colour": "red"}, "the case has no colour"),
        ({"featurs": []}, "the case has no featurs. Did you mean features?"),
        ({"features": ["emotion"]}, "features knows no \"emotion\""),
        ({"features": "emotion_agent"}, "features must be a list"),
        ({"facts": {"lai": True}}, "facts has no lai. Did you mean lia?"),
        ({"facts": {"lia": "yes"}}, "facts: lia knows no \"yes\", only false, true"),
        ({"facts": {"lia": 1}}, "facts: lia knows no 1"),
        ({"facts": []}, "facts: this must be an object"),
        ({"config": {"project_mode": "all"}}, "project_mode knows no \"all\""),
        ({"config": {"conference": "inherit"}}, "conference knows no \"inherit\""),
        ({"segment": "hold"}, "did you mean on_hold?"),
        ({"event": "erased"}, "event knows no \"erased\""),
        ({"age": "7 months"}, "age must be an ISO 8601 duration"),
        ({"age": "P"}, "age must be an ISO 8601 duration"),
        ({"at": "23.11.2026"}, "at must be a date such as 2026-11-23"),
        ({"confidence": "low"}, "confidence knows no \"low\""),
        ({"parties": []}, "parties must be a list of at least one"),
        ({"parties": ["agent"]}, "party 1: this must be an object"),
        ({"parties": [party("boss", "DK")]}, "role knows no \"boss\""),
        ({"parties": [party("agent", "UK")]}, "party 1: country knows no \"UK\""),
        ({"parties": [party("agent", "US-XX")]}, "party 1: region knows no \"XX\""),
        ({"parties": [party("agent", "DK-kbh")]}, "region must be the suffix of an ISO 3166-2 code"),
        ({"parties": [{**party("agent", None), "region": "NY"}]}, "a region needs its country"),
        ({"parties": [party("agent", "DK", None, location_source="gps")]}, "location_source knows no \"gps\""),
        ({"parties": [party("agent", "DK", None, biometric_release="oral")]}, "biometric_release knows no \"oral\""),
        ({"parties": [party("agent", "DK", {"method": "nod"})]}, "party 1, consent: method knows no \"nod\""),
        ({"parties": [party("agent", "DK", {"given": True})]}, "method must be a text"),
        ({"parties": [party("agent", "DK", {"method": "dtmf", "given": "yes"})]}, "given knows no \"yes\""),
        ({"parties": [party("agent", "DK", {"method": "beep", "interval_s": "15"})]}, "interval_s must be a number"),
        ({"parties": [party("agent", "DK", {"method": "dtmf", "purposes": ["fun"]})]}, "purposes knows no \"fun\""),
        ({"parties": [party("agent", "DK", "yes")]}, "party 1, consent: this must be an object"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_form_is_named(change: Table, message: str) -> None:
    with pytest.raises(CaseError, match=re.escape(message)):
        read({**case("DK", "DK", PRESSED), **change})


@pytest.mark.parametrize("line", [b"", b"[]", b"{", b"\xff", b'{"id": "C", "id": "C"}', b'{"id": NaN}', b"[" * 5000])
def test_what_is_no_object_is_an_error(line: bytes) -> None:
    with pytest.raises(CaseError, match="This line is no JSON object"):
        read_case(line, PACK.places)


def test_a_case_that_cannot_be_read_closes_everything() -> None:
    line = json.dumps({**case("DK", "DK", PRESSED), "colour": "red"})
    closed = unread_answer(case_id(line), "why")
    assert (closed["id"], closed["error"]) == ("C", "why")
    assert [closed[name] for name in closed if name.startswith(("record", "voice", "emotion"))] == [False] * 5
    assert case_id("{") is None
    assert case_id("[]") is None
    assert case_id('{"id": 7}') is None


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.text(max_size=3), max_size=2)


def anywhere(table: Table, word: str, value: object) -> list[Table]:
    """The case with a name put in at each of its levels."""
    people = table["parties"]
    assert isinstance(people, list)
    consenting = {**people[1], "consent": {**PRESSED, word: value}}
    return [
        {**table, word: value},
        {**table, "facts": {word: value}},
        {**table, "config": {word: value}},
        {**table, "parties": [{**people[0], word: value}, people[1]]},
        {**table, "parties": [people[0], consenting]},
    ]


@given(st.text(min_size=1, max_size=12), LEAVES)
def test_a_name_that_is_not_in_the_form_is_refused_at_every_level(word: str, value: object) -> None:
    for table in anywhere(case("DK", "DK", PRESSED), f"x_{word}", value):
        with pytest.raises(CaseError):
            read(table)


NAMES = ("purpose", "legal_basis", "sector", "channel", "direction", "recorder", "at", "mode", "segment", "event", "age",
         "config", "facts", "features", "call_type", "parties", "id", "confidence")  # fmt: skip


@given(st.sampled_from(NAMES), LEAVES)
def test_a_value_is_read_or_refused_and_nothing_else(name: str, value: object) -> None:
    refused_or_read(lambda: read({**case("DK", "DK", PRESSED), name: value}))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(line: bytes) -> None:
    refused_or_read(lambda: read_case(line, PACK.places))


def refused_or_read(act: Callable[[], object]) -> None:
    with contextlib.suppress(CaseError):
        act()
