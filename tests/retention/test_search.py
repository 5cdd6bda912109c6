"""What counts as found: every byte of what was stored, and a number unless it is part of an id, a hash or a time."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.ids import ConversationId, PartyId, TrackId
from tallylight.law.vocabulary import Purpose
from tallylight.retention.draft import (
    ConversationInScope,
    Draft,
    KeptTrack,
    PartyInScope,
    TrackInScope,
    parse,
    serialise,
)
from tallylight.retention.search import Needle, NeedleKind, RawSearch, sealed_fragments
from tests.catalogue.house import House

NUMBER = b"31415926"


def search(
    house: House, log: Path, kind: NeedleKind = NeedleKind.PLAIN_IDENTIFIER, value: bytes = NUMBER
) -> Sequence[str]:
    return RawSearch(house.engine, logs=lambda: (log,)).search((Needle(kind=kind, value=value),)).remains


@pytest.mark.parametrize(
    "text",
    [
        b"call 31415926 back",
        b"004531415926",
        b"inbound31415926sip",
        b"a314159260",
        b'"at_ms":9931415926123',
        b"\x0031415926\xff" * 3,
    ],
)
def test_a_number_is_found(house: House, tmp_path: Path, text: bytes) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(text)
    assert search(house, log) == ("plain identifier in a.log",)


@pytest.mark.parametrize(
    "text",
    [
        b'{"started_ms":1793141592600}',
        b"01890000-0000-7000-8000-331415926000 ended",
        b"31415926-0000-7000-8000-000000000000",
        b'"pack":"' + b"ab31415926" + b"0" * 54 + b'"',
        b"3141592",
    ],
)
def test_digits_of_an_id_a_hash_or_a_time_are_no_number(house: House, tmp_path: Path, text: bytes) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(text)
    assert search(house, log) == ()


def test_stored_bytes_are_found_wherever_they_stand(house: House, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"01890000-0000-7000-8000-331415926000")
    assert search(house, log, NeedleKind.WRAPPED_KEY) == ("wrapped key in a.log",)


def test_a_log_that_was_rotated_away_holds_nothing(house: House, tmp_path: Path) -> None:
    assert search(house, tmp_path / "none.log") == ()


def test_fragments_are_what_surrounds_the_ciphertext() -> None:
    sealed = bytes(range(60))
    nonce, tag = sealed_fragments(NeedleKind.WRAPPED_KEY, sealed)
    assert nonce.value + sealed[12:-16] + tag.value == sealed


ids = st.uuids().map(str)


tracks = st.builds(
    TrackInScope,
    track=ids.map(TrackId),
    conversation=ids.map(ConversationId),
    party=ids.map(PartyId),
    purpose=st.sampled_from(Purpose),
    paths=st.lists(ids, max_size=2).map(tuple),
    keys_destroyed=st.integers(0, 9),
    shredded=st.booleans(),
    copies=st.dictionaries(st.sampled_from(["live", "objects"]), st.sampled_from(["gone", "unreadable"])),
    confirmed=st.booleans(),
)
people = st.builds(
    PartyInScope,
    conversation=ids.map(ConversationId),
    party=ids.map(PartyId),
    emptied=st.booleans(),
    kept=st.booleans(),
)
kept_tracks = st.builds(
    KeptTrack,
    track=ids.map(TrackId),
    conversation=ids.map(ConversationId),
    party=ids.map(PartyId),
    purpose=st.sampled_from(Purpose),
    ground=st.none() | st.text(),
    deadline_ms=st.integers(0, 1 << 50),
    by_law=st.booleans(),
)
over = st.builds(ConversationInScope, conversation=ids.map(ConversationId), forgotten=st.booleans())
drafts = st.builds(
    Draft,
    conversations=st.lists(over).map(lambda found: {each.conversation: each for each in found}),
    project=st.none() | st.text(),
    parties=st.lists(people).map(lambda found: {each.party: each for each in found}),
    tracks=st.lists(tracks).map(lambda found: {each.track: each for each in found}),
    kept=st.lists(kept_tracks).map(lambda found: {each.track: each for each in found}),
    leaves=st.lists(st.tuples(st.text(), st.integers(0, 1 << 40))).map(tuple),
)


@given(drafts)
def test_a_draft_comes_back_as_it_was(draft: Draft) -> None:
    assert parse(serialise(draft)) == draft
