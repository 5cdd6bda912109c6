"""What the ledger refuses."""

from tallylight.errors import TallylightError


class LedgerError(TallylightError):
    """Bytes that do not prove what they should."""

    code = "ledger_invalid"


class ProofError(LedgerError):
    """An inclusion or consistency proof that does not lead to the root."""

    code = "proof_invalid"


class CheckpointError(LedgerError):
    """A checkpoint that is no well-formed signed note, or not signed by the key expected."""

    code = "checkpoint_invalid"


class PayloadError(LedgerError):
    """A payload that has no canonical JSON text."""

    code = "payload_invalid"
