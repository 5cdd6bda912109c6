"""The closed words that a configuration may use. A test holds them equal to the rooms that give them their meaning."""

from collections.abc import Iterable
from types import MappingProxyType

from tallylight.errors import near

GLOBAL = "global"
"""What a project writes for a choice that it leaves to `[recording]`."""
MODES_OF = MappingProxyType(
    {
        "omni": ("both", "agent_only_allow_customer", "agent_only", "none"),
        "outbound": (
            "both",
            "agent_only_allow_customer",
            "agent_only",
            "voice_receipts_allow_customer",
            "voice_receipts",
            "none",
        ),
    }
)
"""The record modes of each kind of project."""
KINDS = tuple(MODES_OF)
MODES = MODES_OF["outbound"]
UNRECORDED = "none"
"""The mode that holds where nobody has chosen one, and the only one that needs no statement of necessity."""
CONFERENCES = ("all", "none", "agent_and_customer", "stop_on_third_party")
ONLY_IN = MappingProxyType(
    {
        "conference": "omni",
        "agents_hear_others": "outbound",
        "several_receipts": "outbound",
        "receipt_basis": "outbound",
        "receipt_months": "outbound",
    }
)
"""Choices that one kind of project alone can make for itself."""
SECTORS = (
    "card_payment",
    "commodity_futures",
    "healthcare",
    "investment_services",
    "medicare_marketing",
    "payments",
    "public_administration",
    "public_utility_service",
    "telemarketing",
)
PURPOSES = (
    "quality_assurance",
    "training",
    "service_improvement",
    "documentation",
    "voice_receipt",
    "compliance",
    "security",
    "marketing",
    "dispute_evidence",
)
"""Every purpose of a talk track; proof of consent is no purpose of a project's own."""
BASES = ("consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests")
LANGUAGES = ("da", "de", "en", "es", "fr")
TRANSPORTS = ("udp", "tcp")


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean x?`, or nothing where no known word is near."""
    close = near(word.casefold(), known, 2)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def one_of(word: str, known: Iterable[str]) -> str:
    """What to say of a word that is none of the known ones."""
    known = tuple(known)
    return f"{word!r} is none of {', '.join(known)}{nearest(word, known)}"
