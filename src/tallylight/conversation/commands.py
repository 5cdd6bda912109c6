"""What somebody or something asks of a conversation. Imperative values; `handle` answers with events or a refusal.

`offset_ms` is media time: ms since the conversation's start on its own clock.
"""

from dataclasses import dataclass

from tallylight.consent.standing_yes import StandingYes
from tallylight.ids import PartyId
from tallylight.law.vocabulary import LawfulBasis, Method, Purpose, Role
from tallylight.policy.situation import Place

ENGINE = "engine"
"""The actor of what the program does by itself; people act under their party id."""

OPERATOR = "operator"
"""Who acts at the machine itself."""


@dataclass(frozen=True, kw_only=True)
class JoinParty:
    party: PartyId
    role: Role
    places: tuple[Place, ...]
    basis: LawfulBasis
    employee_notice: bool = False
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class LeaveParty:
    party: PartyId
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class GiveNotice:
    """The notice has been heard (or read) to its end by this party."""

    party: PartyId
    notice: str
    """SHA-256 of the exact text."""
    text: str
    language: str
    purposes: frozenset[Purpose]
    """What the party's own voice is recorded for, as the notice says; empty: not at all."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class RequestConsent:
    """The question has begun; `heard` false until `QuestionHeard`."""

    party: PartyId
    purposes: frozenset[Purpose]
    notice: str
    """SHA-256 of the exact text."""
    text: str | None = None
    language: str | None = None
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class HearQuestion:
    """The question has been heard to its end: from now on a yes counts."""

    party: PartyId
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class GiveConsent:
    party: PartyId
    method: Method
    evidence: str
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class RelyOnStandingYes:
    """Somebody has said yes in advance: they are told, and not asked."""

    party: PartyId
    standing: StandingYes
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class RefuseConsent:
    party: PartyId
    method: Method
    evidence: str
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class LeaveUnanswered:
    """Nobody answered the question, after its last repetition, or not clearly."""

    party: PartyId
    method: Method | None = None
    evidence: str = ""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class WithdrawConsent:
    party: PartyId
    method: Method
    evidence: str
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class AttestConsent:
    """A member of staff says that this person agreed, e.g. aloud before the line was recorded."""

    by: PartyId | str
    """An agent, or `operator`."""
    party: PartyId
    evidence: str
    """How they know. Never who the person is."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class KnowMinor:
    """This person is a child: nothing more is asked of them. It cannot be taken back."""

    by: PartyId | str
    """An agent, or `operator`."""
    party: PartyId
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class PauseRecording:
    by: PartyId | str
    """A party, or `operator`."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class ResumeRecording:
    by: PartyId | str
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class SwitchCustomer:
    """Record the customer too, or no longer, where the project's mode leaves that to the agent."""

    by: PartyId | str
    """An agent, or `operator`."""
    on: bool
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class OpenReceipt:
    """A voice receipt begins: what is said from now on proves an order."""

    by: PartyId | str
    order: str
    """The order's reference, as the house's own books have it; empty: the call's only one."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class CloseReceipt:
    by: PartyId | str
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class HoldConversation:
    by: PartyId
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class UnholdConversation:
    by: PartyId
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class EndConversation:
    outcome: str
    """`completed`, `abandoned`, `agent_busy`, `agent_declined`, `agent_unreachable`, `agent_no_answer`, `no_media`,
    `too_long`, `interrupted`, `shutdown`."""
    offset_ms: int


Command = (
    JoinParty
    | LeaveParty
    | GiveNotice
    | RequestConsent
    | HearQuestion
    | GiveConsent
    | RelyOnStandingYes
    | RefuseConsent
    | LeaveUnanswered
    | WithdrawConsent
    | AttestConsent
    | KnowMinor
    | PauseRecording
    | ResumeRecording
    | SwitchCustomer
    | OpenReceipt
    | CloseReceipt
    | HoldConversation
    | UnholdConversation
    | EndConversation
)
