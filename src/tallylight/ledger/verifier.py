"""Checks an exported ledger with nothing but Python: copy this one file anywhere and run

    python verifier.py EXPORT.jsonl [--key PUBLIC] [--checkpoint NOTE ...]

It shares no code with the program that wrote the log, on purpose. It recomputes every leaf and the Merkle tree
(RFC 9162), compares each payload still present with its salted commitment, checks that leaves and each stream's
sequences have no gaps, and holds the tree against every signed checkpoint (C2SP tlog-checkpoint, Ed25519 of RFC 8032).
Since all checkpoints are held against one and the same tree, they are consistent with each other.

`--key` is the log's public key from a source of your own; without it the key in the export is used, which shows only
that the export agrees with itself. `--checkpoint` is a note you kept earlier: a log that was rewritten since fails.

Exit: 0 verified and signed to the end, 1 not verified, 2 not readable, 3 verified but the last entries are not signed.

The export is JSON lines: first {"format", "workspace", "size", "root", "key"}, then the entries in leaf order, and after
the entry that completes it each checkpoint as {"checkpoint": note}.
"""

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import struct
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

FORMAT = "tallylight-ledger-1"

_NUMBERS = ("leaf", "sequence", "version", "occurred_ms", "recorded_ms")
_TEXTS = ("stream", "type", "actor")
_FIELDS = frozenset({*_NUMBERS, *_TEXTS, "payload", "salt", "commitment"})


class VerificationError(Exception):
    """What is wrong, and where."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was verified."""

    entries: int
    erased: int
    """Entries whose payload is gone: their commitments were verified, their content cannot be."""
    streams: int
    checkpoints: int
    signed: int
    """Entries covered by the newest signed checkpoint. Later ones rest on the exporter's word alone."""
    root: bytes
    key_given: bool
    """Whether the key came from outside the export."""


# -- Ed25519, RFC 8032 section 5.1 -----------------------------------------------------------------------------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_1 = pow(2, (_P - 1) // 4, _P)

_Point = tuple[int, int, int, int]
"""Extended homogeneous coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, x*y = T/Z (section 5.1.4)."""
_NEUTRAL: _Point = (0, 1, 1, 0)


def _add(a: _Point, b: _Point) -> _Point:
    """Section 5.1.4; also right for doubling."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % _P
    f = (a[1] + a[0]) * (b[1] + b[0]) % _P
    g = 2 * a[3] * b[3] * _D % _P
    h = 2 * a[2] * b[2] % _P
    i, j, k, m = f - e, h - g, h + g, f + e
    return i * j % _P, k * m % _P, j * k % _P, i * m % _P


def _combine(a_scalar: int, a: _Point, b_scalar: int, b: _Point) -> _Point:
    """a_scalar * a + b_scalar * b, both in one pass over the bits."""
    sums = (_NEUTRAL, a, b, _add(a, b))
    result = _NEUTRAL
    for bit in range(max(a_scalar.bit_length(), b_scalar.bit_length()) - 1, -1, -1):
        result = _add(result, result)
        chosen = (a_scalar >> bit & 1) + 2 * (b_scalar >> bit & 1)
        if chosen:
            result = _add(result, sums[chosen])
    return result


def _equal(a: _Point, b: _Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % _P == 0 and (a[1] * b[2] - b[1] * a[2]) % _P == 0


def _decode_point(encoded: bytes) -> _Point | None:
    """Section 5.1.3; None where the 32 bytes are no point."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= _P:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if v * x * x % _P != u:
        x = x * _SQRT_MINUS_1 % _P
        if v * x * x % _P != u:
            return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


_BASE_Y = 4 * pow(5, -1, _P) % _P
_BASE = _decode_point(_BASE_Y.to_bytes(32, "little"))


def verify_ed25519(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Section 5.1.7, without the cofactor: whether S*B = R + k*A, computed as S*B + k*(-A) = R."""
    if len(public_key) != 32 or len(signature) != 64 or _BASE is None:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    key, commitment = _decode_point(public_key), _decode_point(signature[:32])
    if scalar >= _L or key is None or commitment is None:
        return False
    digest = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _L
    minus_key = (_P - key[0], key[1], key[2], _P - key[3])
    return _equal(_combine(scalar, _BASE, digest, minus_key), commitment)


# -- keys and checkpoints, C2SP signed-note --------------------------------------------------------------------------


def parse_key(text: str) -> tuple[str, bytes]:
    """(log name, 32-byte Ed25519 public key) of `<name>+<8 hex digits>+<base64>`."""
    name, _, rest = text.strip().partition("+")
    stated, _, encoded = rest.partition("+")
    key = _base64(encoded)
    if not name or len(key) != 33 or key[0] != 1 or stated != _key_hash(name, key[1:]).hex():
        raise VerificationError("the key is not of the form <name>+<8 hex digits>+<base64>")
    return name, key[1:]


VerifySignature = Callable[[bytes, bytes, bytes], bool]
"""(public key, message, signature) -> whether it holds."""


def verify_note(
    note: str, name: str, public_key: bytes, verify_signature: VerifySignature = verify_ed25519
) -> tuple[int, bytes]:
    """(size, root) of a checkpoint that this key signed."""
    text, _, signatures = note.rpartition("\n\n")
    lines = text.split("\n")
    if len(lines) < 3 or lines[0] != name or not lines[1].isascii() or not lines[1].isdigit() or len(lines[1]) > 20:
        raise VerificationError(f"a checkpoint is not one of the log {name}")
    size, root = int(lines[1]), _base64(lines[2])
    for line in signatures.split("\n"):
        dash, _, rest = line.partition(" ")
        signer, _, encoded = rest.partition(" ")
        value = _base64(encoded)
        if dash == "\u2014" and signer == name and value[:4] == _key_hash(name, public_key):
            if len(root) == 32 and verify_signature(public_key, (text + "\n").encode(), value[4:]):
                return size, root
            raise VerificationError(f"the signature of the checkpoint at {size} entries is wrong")
    raise VerificationError(f"the checkpoint at {size} entries is not signed by the key {name}")


def _key_hash(name: str, public_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public_key).digest()[:4]


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


# -- the log ---------------------------------------------------------------------------------------------------------


class _Tree:
    """RFC 9162 section 2.1.1: the roots of the perfect subtrees, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        node = hashlib.sha256(b"\x00" + leaf).digest()
        size = self.size
        while size % 2:
            node = hashlib.sha256(b"\x01" + self._peaks.pop() + node).digest()
            size //= 2
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = hashlib.sha256(b"\x01" + peak + node).digest()
        return node


def verify_lines(
    lines: Iterable[str],
    *,
    key: str | None = None,
    kept: Sequence[str] = (),
    verify_signature: VerifySignature = verify_ed25519,
) -> Report:
    """Verify an export, line by line. VerificationError says what is wrong.

    `key` is a public key from elsewhere, `kept` are checkpoints (notes) kept from earlier.
    """
    numbered = enumerate(lines, start=1)
    first = next(numbered, None)
    header = {} if first is None else _object(*first)
    if header.get("format") != FORMAT:
        raise VerificationError(f"line 1: this is no ledger export of the format {FORMAT}")
    name, public_key = parse_key(_text(1, header, "key") if key is None else key)
    if name != f"tallylight/{header.get('workspace')}":
        raise VerificationError(f"the key {name} is not the key of workspace {header.get('workspace')}")
    remembered = sorted((verify_note(note, name, public_key, verify_signature) for note in kept), reverse=True)

    tree = _Tree()
    streams: dict[str, int] = {}
    erased = checkpoints = signed = 0
    for number, line in numbered:
        record = _object(number, line)
        _compare_remembered(tree, remembered)
        if "checkpoint" in record:
            size, root = verify_note(_text(number, record, "checkpoint"), name, public_key, verify_signature)
            if size < signed or size != tree.size or len(record) != 1:
                raise VerificationError(
                    f"line {number}: the checkpoint at {size} entries stands after {tree.size} entries"
                )
            _compare(tree, root, "the signed checkpoint")
            signed = size
            checkpoints += 1
        else:
            erased += _verify_entry(number, record, tree, streams)
    _compare_remembered(tree, remembered)
    if remembered:
        raise VerificationError(
            f"entries are missing: a checkpoint kept from earlier has {remembered[0][0]}, the export {tree.size}"
        )
    if header.get("size") != tree.size:
        raise VerificationError(f"entries are missing: the export states {header.get('size')}, it holds {tree.size}")
    _compare(tree, _base64(_text(1, header, "root")), "the stored head")
    return Report(
        entries=tree.size,
        erased=erased,
        streams=len(streams),
        checkpoints=checkpoints,
        signed=signed,
        root=tree.root(),
        key_given=key is not None,
    )


def _compare_remembered(tree: _Tree, remembered: list[tuple[int, bytes]]) -> None:
    while remembered and remembered[-1][0] == tree.size:
        _compare(tree, remembered.pop()[1], "the checkpoint kept from earlier")


def _compare(tree: _Tree, root: bytes, what: str) -> None:
    if tree.root() != root:
        raise VerificationError(f"{what} at {tree.size} entries has another root: an entry before it was changed")


def _verify_entry(number: int, record: dict[str, object], tree: _Tree, streams: dict[str, int]) -> int:
    """Take one entry into the tree. Returns 1 where its payload is erased, else 0."""
    if record.keys() != _FIELDS:
        raise VerificationError(f"line {number}: an entry has other fields than {', '.join(sorted(_FIELDS))}")
    leaf, sequence, version, occurred, recorded = (_integer(number, record, field) for field in _NUMBERS)
    stream, kind, actor = (_text(number, record, field) for field in _TEXTS)
    if leaf != tree.size:
        raise VerificationError(f"line {number}: expected entry {tree.size}, found entry {leaf}")
    if sequence != streams.get(stream, 0):
        raise VerificationError(
            f"line {number}: stream {stream} goes on with {sequence} where {streams.get(stream, 0)} was expected"
        )
    streams[stream] = sequence + 1
    commitment = _hex(number, record, "commitment")
    payload, salt = record.get("payload"), record.get("salt")
    if payload is not None or salt is not None:
        content = _text(number, record, "payload").encode()
        if not hmac.compare_digest(hmac.digest(_hex(number, record, "salt"), content, "sha256"), commitment):
            raise VerificationError(f"line {number}: the payload of entry {leaf} is not what was committed to")
    try:
        tree.append(
            struct.pack(">BQ", 1, leaf)
            + _prefixed(stream)
            + struct.pack(">Q", sequence)
            + _prefixed(kind)
            + struct.pack(">Iqq", version, occurred, recorded)
            + _prefixed(actor)
            + commitment
        )
    except struct.error:
        raise VerificationError(f"line {number}: a number or text of entry {leaf} is out of range") from None
    return 1 if payload is None else 0


def _prefixed(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded


def _object(number: int, line: str) -> dict[str, object]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise VerificationError(f"line {number}: not a JSON object")
    return value


def _integer(number: int, record: dict[str, object], field: str) -> int:
    value = record.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise VerificationError(f"line {number}: {field} is no whole number")
    return value


def _text(number: int, record: dict[str, object], field: str) -> str:
    value = record.get(field)
    try:
        if isinstance(value, str):
            value.encode()
            return value
    except UnicodeEncodeError:
        pass
    raise VerificationError(f"line {number}: {field} is no text")


def _hex(number: int, record: dict[str, object], field: str) -> bytes:
    try:
        value = bytes.fromhex(_text(number, record, field))
    except ValueError:
        value = b""
    if len(value) != 32:
        raise VerificationError(f"line {number}: {field} is not 32 bytes in hexadecimal")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="verifier.py", description="Verify an exported Tallylight ledger.")
    parser.add_argument("export", help="the exported log, JSON lines")
    parser.add_argument("--key", help="the log's public key, <name>+<8 hex digits>+<base64>")
    parser.add_argument("--checkpoint", action="append", default=[], help="file with a checkpoint kept from earlier")
    chosen = parser.parse_args(arguments)
    try:
        kept = []
        for path in chosen.checkpoint:
            with open(path, encoding="utf-8") as file:
                kept.append(file.read())
        with open(chosen.export, encoding="utf-8") as lines:
            report = verify_lines(lines, key=chosen.key, kept=kept)
    except VerificationError as error:
        sys.stderr.write(f"NOT VERIFIED: {error}\n")
        return 1
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        return 2
    sys.stdout.write(
        f"verified: {report.entries} entries in {report.streams} streams, {report.erased} of them erased,"
        f" {report.checkpoints} signed checkpoints\nroot: {base64.b64encode(report.root).decode()}\n"
    )
    if not report.key_given:
        sys.stdout.write("the key came with the export: compare it with the one you were given\n")
    if report.signed < report.entries:
        sys.stdout.write(f"NOT SIGNED: the last {report.entries - report.signed} entries\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
