"""Commitments and the bytes of a leaf."""

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.ledger.commitment import JsonValue, canonical_json, commit, encode_leaf
from tallylight.ledger.errors import PayloadError

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)
payloads = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner), max_leaves=10),
)


def test_the_canonical_text_is_one_and_compact() -> None:
    assert (
        canonical_json({"b": [1, None, True], "a": {"z": "ü", "y": 1.5}}) == '{"a":{"y":1.5,"z":"ü"},"b":[1,null,true]}'
    )


@given(payloads)
def test_the_canonical_text_is_read_back_and_stays(payload: dict[str, JsonValue]) -> None:
    content = canonical_json(payload)
    assert json.loads(content) == payload
    assert canonical_json(json.loads(content)) == content
    assert canonical_json(dict(reversed(payload.items()))) == content


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", b"bytes", {1, 2}, object()])
def test_what_has_no_json_is_refused_in_words(value: object) -> None:
    with pytest.raises(PayloadError, match="cannot be written as JSON"):
        canonical_json({"value": value})  # type: ignore[dict-item]  # on purpose


def test_a_payload_that_contains_itself_is_refused() -> None:
    payload: dict[str, JsonValue] = {}
    payload["self"] = payload
    with pytest.raises(PayloadError):
        canonical_json(payload)


def test_the_commitment_is_hmac_sha256() -> None:
    # RFC 4231, test case 2.
    assert commit(b"Jefe", b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    assert commit(b"s" * 32, b"{}") == hmac.new(b"s" * 32, b"{}", hashlib.sha256).digest()


def test_the_leaf_is_laid_out_as_documented() -> None:
    assert encode_leaf(
        leaf=1,
        stream="ab",
        sequence=2,
        type="T",
        version=3,
        occurred_ms=4,
        recorded_ms=-5,
        actor="ü",
        commitment=b"\xcc" * 32,
    ) == bytes.fromhex(
        "010000000000000001000261620000000000000002000154000000030000000000000004fffffffffffffffb0002c3bc" + "cc" * 32
    )


names = st.text(max_size=20)
numbers = st.integers(0, 2**31)
fields = st.tuples(names, numbers, names, numbers, numbers, names)


@given(fields, fields)
def test_no_two_entries_share_a_leaf(
    one: tuple[str, int, str, int, int, str], two: tuple[str, int, str, int, int, str]
) -> None:
    def encode(stream: str, sequence: int, type: str, version: int, occurred_ms: int, actor: str) -> bytes | None:
        try:
            return encode_leaf(
                leaf=7,
                stream=stream,
                sequence=sequence,
                type=type,
                version=version,
                occurred_ms=occurred_ms,
                recorded_ms=0,
                actor=actor,
                commitment=bytes(32),
            )
        except PayloadError:
            return None

    first, second = encode(*one), encode(*two)
    assert first is None or (first == second) == (one == two)


@pytest.mark.parametrize("stream", ["x" * 65_536, "\ud800"])
def test_a_text_that_does_not_fit_is_refused_in_words(stream: str) -> None:
    with pytest.raises(PayloadError, match="Shorten"):
        encode_leaf(
            leaf=0,
            stream=stream,
            sequence=0,
            type="T",
            version=1,
            occurred_ms=0,
            recorded_ms=0,
            actor="",
            commitment=bytes(32),
        )
