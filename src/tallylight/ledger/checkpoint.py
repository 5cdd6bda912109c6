"""Signed checkpoints: C2SP tlog-checkpoint, a signed note over origin, size and root (https://c2sp.org/tlog-checkpoint).

    <origin>\\n<size>\\n<base64 root>\\n\\n— <key name> <base64(key hash (4 B) || Ed25519 signature (64 B))>\\n

The key's name is the log's origin. Signing and verification come in as callables: this room knows no crypto library.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from tallylight.ledger.errors import CheckpointError
from tallylight.ledger.merkle import HASH_SIZE

ED25519 = b"\x01"
"""The signature type of C2SP signed-note."""

Sign = Callable[[bytes], bytes]
"""Ed25519 signature (64 B) of a message."""

VerifySignature = Callable[[bytes, bytes, bytes], bool]
"""(public key 32 B, message, signature 64 B) -> whether it holds."""

_DASH = "— "


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A log's state at `size` entries."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The part that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One signature line of a note."""

    name: str
    key_hash: bytes
    value: bytes


@dataclass(frozen=True, kw_only=True)
class Note:
    """A parsed checkpoint with its signatures, not yet verified."""

    checkpoint: Checkpoint
    text: str
    signatures: tuple[Signature, ...]


def key_hash(name: str, public_key: bytes) -> bytes:
    """The first 4 bytes of SHA-256(name || 0x0A || 0x01 || public key)."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4]


def verification_key(name: str, public_key: bytes) -> str:
    """The public key as text, C2SP vkey: `<name>+<key hash in hex>+<base64(0x01 || key)>`."""
    return f"{name}+{key_hash(name, public_key).hex()}+{base64.b64encode(ED25519 + public_key).decode()}"


def parse_verification_key(text: str) -> tuple[str, bytes]:
    """(name, 32-byte public key) of a vkey."""
    name, _, rest = text.strip().partition("+")
    stated, _, encoded = rest.partition("+")
    key = _decode(encoded)
    if not name or len(key) != 33 or key[:1] != ED25519 or stated != key_hash(name, key[1:]).hex():
        raise CheckpointError("This is no ledger key. Give the whole text `<name>+<8 hex digits>+<base64>`.")
    return name, key[1:]


def sign(checkpoint: Checkpoint, public_key: bytes, signer: Sign) -> str:
    """The signed note."""
    if not checkpoint.origin or any(character.isspace() or character == "+" for character in checkpoint.origin):
        raise CheckpointError("A ledger's origin is one word without spaces and without a plus sign.")
    text = checkpoint.text()
    signature = base64.b64encode(key_hash(checkpoint.origin, public_key) + signer(text.encode())).decode()
    return f"{text}\n{_DASH}{checkpoint.origin} {signature}\n"


def parse(note: str) -> Note:
    """A note's parts; CheckpointError where it is not well-formed."""
    text, separator, block = note.rpartition("\n\n")
    lines = text.split("\n")
    if not separator or len(lines) < 3 or not block.endswith("\n"):
        raise CheckpointError("The checkpoint is no signed note: three lines, an empty one, then signatures.")
    origin, size, encoded = lines[:3]
    root = _decode(encoded)
    number = int(size) if size.isascii() and size.isdigit() and len(size) <= 20 else -1
    if not origin or str(number) != size or len(root) != HASH_SIZE:
        raise CheckpointError("The checkpoint's origin, size or root is not well-formed.")
    signatures = tuple(_parse_signature(line) for line in block[:-1].split("\n"))
    return Note(checkpoint=Checkpoint(origin=origin, size=number, root=root), text=text + "\n", signatures=signatures)


def verify(note: str, *, name: str, public_key: bytes, verify_signature: VerifySignature) -> Checkpoint:
    """The checkpoint, once a signature of that key holds and the origin is the key's name."""
    parsed = parse(note)
    if parsed.checkpoint.origin != name:
        raise CheckpointError(f"The checkpoint is of the log {parsed.checkpoint.origin!r}, not of {name!r}.")
    expected = key_hash(name, public_key)
    for signature in parsed.signatures:
        if signature.name == name and signature.key_hash == expected:
            if verify_signature(public_key, parsed.text.encode(), signature.value):
                return parsed.checkpoint
            raise CheckpointError(f"The signature of the checkpoint at {parsed.checkpoint.size} entries is wrong.")
    raise CheckpointError(f"The checkpoint at {parsed.checkpoint.size} entries is not signed by the key given.")


def _parse_signature(line: str) -> Signature:
    name, separator, encoded = line.removeprefix(_DASH).partition(" ")
    value = _decode(encoded)
    if not line.startswith(_DASH) or not separator or not name or len(value) <= 4:
        raise CheckpointError("A signature line of the checkpoint is not well-formed.")
    return Signature(name=name, key_hash=value[:4], value=value[4:])


def _decode(text: str) -> bytes:
    """Standard base64 in its one canonical spelling; empty where it is not."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return value if base64.b64encode(value).decode() == text else b""
