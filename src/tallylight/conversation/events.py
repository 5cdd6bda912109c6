"""What has happened, in the past tense. Payloads carry party ids, never numbers or names.

`offset_ms` is media time: ms since the conversation's start. Wall time is the event row's.
"""

from dataclasses import dataclass

from tallylight.consent.standing_yes import StandingYes
from tallylight.ids import ConversationId, DecisionId, EpochId, PartyId, TrackId
from tallylight.law.vocabulary import Channel, Direction, LawfulBasis, Method, Purpose, Role
from tallylight.policy.decision import Decision
from tallylight.policy.situation import Place


@dataclass(frozen=True, kw_only=True)
class ConversationStarted:
    conversation: ConversationId
    project: str
    channel: Channel
    direction: Direction
    settings: str
    """SHA-256 of the settings version kept to the end."""
    pack: str
    """SHA-256 of the law pack kept to the end."""
    started_ms: int
    """The wall anchor of media time: ms UTC of our 200 OK."""
    trial: bool
    offset_ms: int = 0


@dataclass(frozen=True, kw_only=True)
class PartyJoined:
    party: PartyId
    role: Role
    places: tuple[Place, ...]
    basis: LawfulBasis
    employee_notice: bool
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class PartyLeft:
    party: PartyId
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class NoticeGiven:
    party: PartyId
    notice: str
    text: str
    language: str
    purposes: frozenset[Purpose] | None
    """What the party's own voice is recorded for, as the notice said; None: version 1, which did not keep it."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class ConsentRequested:
    party: PartyId
    purposes: frozenset[Purpose]
    notice: str
    text: str | None
    language: str | None
    """The exact words, and in which language; None: version 1, which kept their hash alone."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class QuestionHeard:
    party: PartyId
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class ConsentGiven:
    party: PartyId
    purposes: frozenset[Purpose]
    method: Method
    evidence: str
    notice: str
    standing: StandingYes | None = None
    """The yes in advance that this rests on, with its text and its end; None: an answer on this conversation."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class ConsentRefused:
    party: PartyId
    method: Method
    evidence: str
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class ConsentUnanswered:
    party: PartyId
    method: Method | None = None
    """How they tried to answer; None: not at all."""
    evidence: str = ""
    """Of what was said but was no clear answer: time and score alone."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class ConsentWithdrawn:
    party: PartyId
    method: Method
    evidence: str
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class MinorKnown:
    """From now on it is known that this person is a child."""

    party: PartyId
    by: PartyId | str
    """Who said so: an agent, or `operator`."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class RecordingPaused:
    by: PartyId | str
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class RecordingResumed:
    by: PartyId | str
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class CustomerSwitched:
    """The agent asked for the customer to be recorded, or no longer."""

    by: PartyId | str
    on: bool
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class ReceiptOpened:
    """What is said from now on is a voice receipt."""

    number: int
    """1 is the conversation's first."""
    order: str
    by: PartyId | str
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class ReceiptClosed:
    number: int
    replaces: tuple[int, ...]
    """Earlier receipts of the same order, whose place it takes."""
    by: PartyId | str
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class ConversationHeld:
    by: PartyId
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class ConversationUnheld:
    by: PartyId
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class LampsChanged:
    """A decision came into force: the lamps of everybody change at once."""

    decision_id: DecisionId
    decision: Decision
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class TrackOpened:
    track: TrackId
    party: PartyId
    purpose: Purpose
    epoch: EpochId
    deadline_ms: int
    """When the track must be gone: ms UTC."""
    floor_ms: int | None
    """Until when a law has it kept, whatever else is asked: ms UTC."""
    receipt: int | None
    """The number of the voice receipt it belongs to."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class TermMoved:
    """A track goes on under a decision with stricter bounds: somebody joined whose law has it kept longer, or less long."""

    track: TrackId
    deadline_ms: int
    floor_ms: int | None
    """As of `TrackOpened`: ms UTC."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class TrackKept:
    """A track was to be erased, but a law has it kept: it is shut for good, and goes as soon as that law lets it."""

    track: TrackId
    why: str
    """Why it was to go: `withdrawn`, `replaced`, `abandoned`, `erasure`."""
    floor_ms: int
    """Until when it is kept: ms UTC."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class OpeningMissed:
    """The commit of an opening took longer than a second or failed: what was said before it is a gap."""

    party: PartyId
    from_ms: int
    until_ms: int
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class TrackSealed:
    track: TrackId
    stored_ms: int
    expected_ms: int
    """Admitted media time that arrived at the gate."""
    size: int
    """Bytes of the sealed object."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class TrackErased:
    track: TrackId
    why: str
    """`withdrawn`, `replaced`, `abandoned`, `erasure`, `retention`, `undecided`."""
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class RecordingFailed:
    """Recording stopped while the call went on, or a track got less than was admitted: an alarm."""

    party: PartyId | None
    track: TrackId | None
    why: str
    missing_ms: int
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class RecordingAccessed:
    party: PartyId
    track: TrackId | None
    how: str
    offset_ms: int


@dataclass(frozen=True, kw_only=True)
class ConversationEnded:
    outcome: str
    talked_ms: dict[PartyId, int]
    """Speech by voice activity detection, stored or not."""
    offset_ms: int


Event = (
    ConversationStarted
    | PartyJoined
    | PartyLeft
    | NoticeGiven
    | ConsentRequested
    | QuestionHeard
    | ConsentGiven
    | ConsentRefused
    | ConsentUnanswered
    | ConsentWithdrawn
    | MinorKnown
    | RecordingPaused
    | RecordingResumed
    | CustomerSwitched
    | ReceiptOpened
    | ReceiptClosed
    | ConversationHeld
    | ConversationUnheld
    | LampsChanged
    | TrackOpened
    | TermMoved
    | TrackKept
    | OpeningMissed
    | TrackSealed
    | TrackErased
    | RecordingFailed
    | RecordingAccessed
    | ConversationEnded
)
