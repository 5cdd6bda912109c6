"""Exported logs made from the ledger's own parts, for the verifier's tests."""

import base64
import json
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallylight.ledger.checkpoint import Checkpoint, sign, verification_key
from tallylight.ledger.commitment import canonical_json, commit, encode_leaf
from tallylight.ledger.merkle import Frontier, leaf_hash
from tallylight.ledger.verifier import FORMAT

ORIGIN = "tallylight/w"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

Record = dict[str, object]


@dataclass(kw_only=True)
class Log:
    """A log being written, and its export. Change `records` to tamper with it."""

    key: Ed25519PrivateKey = KEY
    records: list[Record] = field(default_factory=list)
    frontier: Frontier = field(default_factory=Frontier)

    @property
    def public(self) -> str:
        return verification_key(ORIGIN, self.key.public_key().public_bytes_raw())

    def append(self, stream: str, sequence: int, *, content: str = "", occurred_ms: int = 5) -> None:
        leaf = self.frontier.size
        payload = canonical_json({"content": content or f"entry {leaf}"})
        salt = leaf.to_bytes(2, "big") * 16
        commitment = commit(salt, payload.encode())
        encoded = encode_leaf(
            leaf=leaf,
            stream=stream,
            sequence=sequence,
            type="Noted",
            version=1,
            occurred_ms=occurred_ms,
            recorded_ms=6,
            actor="engine",
            commitment=commitment,
        )
        self.frontier = self.frontier.append(leaf_hash(encoded))
        self.records.append(
            {
                "leaf": leaf,
                "stream": stream,
                "sequence": sequence,
                "type": "Noted",
                "version": 1,
                "occurred_ms": occurred_ms,
                "recorded_ms": 6,
                "actor": "engine",
                "payload": payload,
                "salt": salt.hex(),
                "commitment": commitment.hex(),
            }
        )

    def note(self) -> str:
        state = Checkpoint(origin=ORIGIN, size=self.frontier.size, root=self.frontier.root())
        return sign(state, self.key.public_key().public_bytes_raw(), self.key.sign)

    def checkpoint(self) -> None:
        self.records.append({"checkpoint": self.note()})

    def lines(self) -> list[str]:
        header = {
            "format": FORMAT,
            "workspace": "w",
            "size": self.frontier.size,
            "root": base64.b64encode(self.frontier.root()).decode(),
            "key": self.public,
        }
        return [json.dumps(record) for record in (header, *self.records)]


def honest(entries: int = 12) -> Log:
    """Three streams turn by turn, a checkpoint after every fifth entry and at the end."""
    log = Log()
    for number in range(entries):
        log.append(f"stream-{number % 3}", number // 3)
        if number % 5 == 4 and number + 1 < entries:
            log.checkpoint()
    log.checkpoint()
    return log
