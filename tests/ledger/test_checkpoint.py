"""Signed checkpoints, C2SP signed-note and tlog-checkpoint."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tallylight.database.checkpoints import verify_signature
from tallylight.ledger.checkpoint import (
    Checkpoint,
    key_hash,
    parse,
    parse_verification_key,
    sign,
    verification_key,
    verify,
)
from tallylight.ledger.errors import CheckpointError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
ORIGIN = "tallylight/test"
CHECKPOINT = Checkpoint(origin=ORIGIN, size=7, root=bytes(range(32)))
NOTE = sign(CHECKPOINT, PUBLIC, KEY.sign)

# The worked example in the documentation of golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def test_keys_and_signatures_are_those_of_go_notes() -> None:
    name, public = parse_verification_key(GO_KEY)
    assert name == "PeterNeumann"
    assert verification_key(name, public) == GO_KEY
    value = base64.b64decode(GO_SIGNATURE)
    assert value[:4] == key_hash(name, public)
    assert verify_signature(public, GO_TEXT.encode(), value[4:])


def test_the_note_is_laid_out_as_documented() -> None:
    lines = NOTE.split("\n")
    assert lines[:4] == [ORIGIN, "7", base64.b64encode(bytes(range(32))).decode(), ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]
    value = base64.b64decode(lines[4].split(" ")[2])
    assert value[:4] == key_hash(ORIGIN, PUBLIC)
    assert verify_signature(PUBLIC, NOTE.partition("\n\n")[0].encode() + b"\n", value[4:])


def test_a_signed_checkpoint_verifies() -> None:
    assert verify(NOTE, name=ORIGIN, public_key=PUBLIC, verify_signature=verify_signature) == CHECKPOINT


def test_a_cosigned_checkpoint_verifies_by_its_own_line() -> None:
    witness = Ed25519PrivateKey.generate()
    text = CHECKPOINT.text()
    value = key_hash("witness", witness.public_key().public_bytes_raw()) + witness.sign(text.encode())
    cosigned = NOTE.replace("\n\n", f"\n\n— witness {base64.b64encode(value).decode()}\n")
    assert [signature.name for signature in parse(cosigned).signatures] == ["witness", ORIGIN]
    assert verify(cosigned, name=ORIGIN, public_key=PUBLIC, verify_signature=verify_signature) == CHECKPOINT


@given(st.integers(0, len(NOTE) - 1), st.characters(exclude_categories=["Cs"]))
def test_every_change_of_one_character_is_refused(at: int, character: str) -> None:
    changed = NOTE[:at] + character + NOTE[at + 1 :]
    if changed == NOTE:
        return
    with pytest.raises(CheckpointError):
        verify(changed, name=ORIGIN, public_key=PUBLIC, verify_signature=verify_signature)


@given(st.text())
def test_any_text_is_a_note_or_refused(text: str) -> None:
    for candidate in (text, NOTE + text, text + NOTE):
        try:
            parsed = parse(candidate)
        except CheckpointError:
            continue
        assert candidate.startswith(parsed.text)


def test_another_key_or_another_log_is_refused_in_words() -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(CheckpointError, match="not signed by the key given"):
        verify(NOTE, name=ORIGIN, public_key=other, verify_signature=verify_signature)
    with pytest.raises(CheckpointError, match="of the log 'tallylight/test', not of 'elsewhere'"):
        verify(NOTE, name="elsewhere", public_key=PUBLIC, verify_signature=verify_signature)


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nbreak"])
def test_an_origin_is_one_word(origin: str) -> None:
    with pytest.raises(CheckpointError, match="one word"):
        sign(Checkpoint(origin=origin, size=0, root=bytes(32)), PUBLIC, KEY.sign)


@pytest.mark.parametrize(
    "text", ["", "name", "name+00000000+AAAA", GO_KEY.replace("c74f20a3", "c74f20a4"), GO_KEY[:-4]]
)
def test_a_damaged_key_is_refused_in_words(text: str) -> None:
    with pytest.raises(CheckpointError, match="Give the whole text"):
        parse_verification_key(text)
