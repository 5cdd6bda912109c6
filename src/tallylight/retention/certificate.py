"""The certificate of an erasure: what was destroyed, what is kept on which ground, and who signed that.

It is JSON, signed with Ed25519 by the ledger's key over the line `tallylight erasure certificate 1`, a line feed and the
canonical JSON (keys sorted, no white space, UTF-8) of everything but `signature`. It names ledger leaves by number, so
that each step can be shown to have been recorded when it says. It names no person.
"""

import base64
from collections.abc import Mapping
from typing import Protocol

from tallylight.database.checkpoints import verify_signature
from tallylight.database.events import JsonValue
from tallylight.ids import WorkspaceId
from tallylight.ledger.commitment import canonical_json
from tallylight.retention.errors import CertificateError

FIRST_LINE = b"tallylight erasure certificate 1\n"


class Signer(Protocol):
    """The ledger's key (`database.checkpoints.LedgerKey`)."""

    def sign_statement(self, statement: bytes) -> bytes:
        """Ed25519, 64 bytes."""

    def verification_key(self, workspace: WorkspaceId) -> str:
        """The public key as text."""


def sign_certificate(content: Mapping[str, JsonValue], signer: Signer, workspace: WorkspaceId) -> dict[str, JsonValue]:
    """`content` with its signature."""
    signature = signer.sign_statement(FIRST_LINE + canonical_json(content).encode())
    return {
        **content,
        "signature": {
            "algorithm": "Ed25519",
            "key": signer.verification_key(workspace),
            "value": base64.b64encode(signature).decode(),
        },
    }


def verify_certificate(certificate: Mapping[str, JsonValue], public_key: bytes) -> None:
    """Raises CertificateError unless `public_key` (32 bytes) signed exactly this."""
    signature = certificate.get("signature")
    content = {name: value for name, value in certificate.items() if name != "signature"}
    value = signature.get("value") if isinstance(signature, Mapping) else None
    try:
        decoded = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:
        decoded = b""
    if not verify_signature(public_key, FIRST_LINE + canonical_json(content).encode(), decoded):
        raise CertificateError(CertificateError.__doc__ or "")
