"""The closed words that a configuration may use. A test holds them equal to the rooms that give them their meaning."""

from collections.abc import Iterable

from tallylight.errors import near

MODES = ("both", "agent_only", "none")
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
