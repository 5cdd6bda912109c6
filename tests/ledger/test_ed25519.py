"""The verifier's own Ed25519 against RFC 8032 section 7.1 and against `cryptography`."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.ledger.verifier import verify_ed25519

ORDER = 2**252 + 27742317777372353535851937790883648493

VECTORS = [  # public key, message, signature: tests 1, 2 and 3
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_the_vectors_of_the_rfc(public: str, message: str, signature: str) -> None:
    key, content, value = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert verify_ed25519(key, content, value)
    assert not verify_ed25519(key, content + b"\x00", value)
    for at in range(0, 512, 37):
        changed = bytearray(value)
        changed[at // 8] ^= 1 << at % 8
        assert not verify_ed25519(key, content, bytes(changed))


@settings(max_examples=25)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_what_cryptography_signs_is_verified(seed: bytes, message: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    signature = key.sign(message)
    public = key.public_key().public_bytes_raw()
    assert verify_ed25519(public, message, signature)
    assert not verify_ed25519(public, message + b"!", signature)


def test_a_signature_has_one_spelling() -> None:
    """S + L satisfies the equation too, and is refused (section 5.1.7, step 1)."""
    key, content, value = (bytes.fromhex(part) for part in VECTORS[1])
    scalar = int.from_bytes(value[32:], "little") + ORDER
    assert not verify_ed25519(key, content, value[:32] + scalar.to_bytes(32, "little"))


@settings(max_examples=50)
@given(st.binary(max_size=40), st.binary(max_size=70))
def test_bytes_that_are_no_key_or_signature_verify_nothing(key: bytes, signature: bytes) -> None:
    assert not verify_ed25519(key, b"message", signature)


@pytest.mark.parametrize("encoded", [b"\xff" * 32, (2**255 - 19).to_bytes(32, "little"), b"\x01" + bytes(30) + b"\x80"])
def test_points_that_are_not_canonical_are_refused(encoded: bytes) -> None:
    """y of p or more, and x = 0 with a sign (section 5.1.3)."""
    _, content, value = (bytes.fromhex(part) for part in VECTORS[1])
    assert not verify_ed25519(encoded, content, value)
    assert not verify_ed25519(bytes.fromhex(VECTORS[1][0]), content, encoded + value[32:])
