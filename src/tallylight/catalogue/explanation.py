"""Why every lamp was as it was, from the event stream alone: what was decided, by which rules, on which consent.

Each stored decision is also made again from the same history, under the law it was made under and under today's; where
one of them comes out differently, that is said.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from tallylight.catalogue.errors import CatalogueError, ConversationUnknownError
from tallylight.catalogue.failures import Failure, Trouble, darkened, failure
from tallylight.catalogue.flags import Flag, flags
from tallylight.catalogue.history import read_history
from tallylight.catalogue.segments import Segment, in_time
from tallylight.catalogue.steps import PartySteps, four_steps
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.terms import Term, terms
from tallylight.catalogue.today import Today, otherwise
from tallylight.catalogue.versions import read_pack, read_settings
from tallylight.consent.answer import Consent, ConsentState
from tallylight.consent.notices import recall
from tallylight.conversation.events import (
    ConversationEnded,
    ConversationStarted,
    Event,
    LampsChanged,
    NoticeGiven,
    QuestionHeard,
)
from tallylight.conversation.situation import situation
from tallylight.conversation.state import ConversationState, apply
from tallylight.database.events import JsonValue
from tallylight.ids import ConversationId, DecisionId, PartyId, WorkspaceId
from tallylight.law.iso8601 import iso_utc
from tallylight.law.pack import Pack
from tallylight.policy.decide import decide
from tallylight.policy.decision import Decision, Lamp, Reason
from tallylight.policy.explain import considered
from tallylight.policy.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What a party was told or asked, word for word."""

    party: PartyId
    heard_ms: int
    language: str
    text: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class ReplayDifference:
    """A decision that the same history would not lead to now."""

    decision: DecisionId
    stored: tuple[tuple[PartyId, Lamp], ...]
    replayed: tuple[tuple[PartyId, Lamp], ...]


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Whether the stored decisions follow from the stored history."""

    checked: int
    differences: tuple[ReplayDifference, ...] = ()
    unavailable: str | None = None
    """Why it could not be checked; None where it was."""

    @property
    def agrees(self) -> bool | None:
        """None where it could not be checked."""
        return None if self.unavailable is not None else not self.differences


@dataclass(frozen=True, kw_only=True)
class Explanation:
    conversation: ConversationId
    project: str
    started_ms: int
    ended_ms: int | None
    outcome: str | None
    trial: bool
    settings: str
    pack: str
    at_ms: int | None
    """The instant asked for, ms since the start; None: the whole conversation."""
    segments: tuple[Segment, ...]
    notices: tuple[Notice, ...]
    failures: tuple[Failure, ...]
    terms: tuple[Term, ...]
    steps: tuple[PartySteps, ...]
    flags: tuple[Flag, ...]
    """Whatever instant is asked for."""
    replay: Replay
    today: Today
    erased_payloads: int
    """Events of which only the commitment is left."""

    def to_json(self) -> dict[str, JsonValue]:
        """As `tallylight explain --json` prints it; seconds with ms."""
        return {
            "conversation": self.conversation,
            "project": self.project,
            "started": iso_utc(self.started_ms),
            "ended": None if self.ended_ms is None else iso_utc(self.ended_ms),
            "outcome": self.outcome,
            "marker": "TRIAL" if self.trial else None,
            "settings": self.settings,
            "pack": self.pack,
            "at_s": None if self.at_ms is None else self.at_ms / 1000,
            "timeline": [segment.to_json() for segment in self.segments],
            "notices": [
                {
                    "party": notice.party,
                    "heard_s": notice.heard_ms / 1000,
                    "language": notice.language,
                    "text": notice.text,
                    "hash": notice.hash,
                }
                for notice in self.notices
            ],
            "failures": [
                {
                    "at_s": failure.at_ms / 1000,
                    "party": failure.party,
                    "kind": failure.kind,
                    "why": failure.why,
                    "missing_s": None if failure.missing_ms is None else failure.missing_ms / 1000,
                }
                for failure in self.failures
            ],
            "tracks": [term.to_json() for term in self.terms],
            "steps": [each.to_json() for each in self.steps],
            "flagged": [flag.to_json() for flag in self.flags],
            "replay": {
                "agrees": self.replay.agrees,
                "checked": self.replay.checked,
                "unavailable": self.replay.unavailable,
                "differences": [
                    {
                        "decision": difference.decision,
                        "stored": {party: lamp.value for party, lamp in difference.stored},
                        "replayed": {party: lamp.value for party, lamp in difference.replayed},
                    }
                    for difference in self.replay.differences
                ],
            },
            "today": self.today.to_json(),
            "erased_payloads": self.erased_payloads,
        }


def explain(
    connection: sa.Connection,
    *,
    workspace: WorkspaceId,
    conversation: ConversationId,
    today: Pack,
    at_ms: int | None = None,
) -> Explanation:
    """Explain a conversation, or the instant `at_ms` (ms since its start). Raises ConversationUnknownError.

    `today` is the law pack that would judge a conversation that begins now.
    """
    history = read_history(connection, workspace, conversation)
    events, erased = history.events, history.erased
    started = events[0] if events else None
    if not isinstance(started, ConversationStarted):
        raise ConversationUnknownError(f"There is no conversation {conversation}: take an id from `recordings list`.")
    law = _law_of_then(connection, workspace, started, today)
    acts_gone = "a person's acts were erased: their part of the history is only committed to" if erased else None
    unavailable = law.unavailable or acts_gone
    unjudged = None
    if law.today is not None:
        unjudged = law.unavailable if law.settings is None else acts_gone
    listed = _listed_consents(connection, workspace, conversation) if erased else {}
    story = _tell(events, law, listed)
    ended = next((event for event in events if isinstance(event, ConversationEnded)), None)
    ended_ms = None if ended is None else ended.offset_ms
    decided = in_time(story.segments, ended_ms)

    def shown(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
        return segments if at_ms is None else tuple(segment for segment in segments if segment.covers(at_ms))

    return Explanation(
        conversation=conversation,
        project=started.project,
        started_ms=started.started_ms,
        ended_ms=None if ended_ms is None else started.started_ms + ended_ms,
        outcome=None if ended is None else ended.outcome,
        trial=started.trial,
        settings=started.settings,
        pack=started.pack,
        at_ms=at_ms,
        segments=shown(darkened(decided, story.troubles)),
        notices=tuple(notice for notice in story.notices if at_ms is None or notice.heard_ms <= at_ms),
        failures=tuple(each for each in map(failure, story.troubles) if at_ms is None or each.at_ms <= at_ms),
        terms=tuple(term for term in terms(events) if at_ms is None or term.opened_ms <= at_ms),
        steps=tuple(
            each
            for each in four_steps(events, erased=story.erased)
            if at_ms is None or each.recorded_from_ms is None or each.recorded_from_ms <= at_ms
        ),
        flags=flags(events, law.settings),
        replay=Replay(
            checked=0 if unavailable is not None else story.decisions,
            differences=() if unavailable is not None else tuple(story.differences),
            unavailable=unavailable,
        ),
        today=Today(
            pack=today.hash,
            same_pack=law.today is None,
            differences=() if unjudged is not None else otherwise(shown(decided), story.today),
            unavailable=unjudged,
        ),
        erased_payloads=erased,
    )


@dataclass(frozen=True, kw_only=True)
class _Law:
    """What the decisions are made again under; None for what is not kept."""

    settings: Settings | None
    pack: Pack | None
    unavailable: str | None
    """Why one of them is not kept."""
    today: Pack | None
    """None where it is the same pack."""


def _law_of_then(connection: sa.Connection, workspace: WorkspaceId, started: ConversationStarted, today: Pack) -> _Law:
    settings, pack, unavailable = None, None, None
    try:
        settings = read_settings(connection, workspace, started.settings)
        pack = read_pack(connection, workspace, started.pack)
    except CatalogueError as error:
        unavailable = error.message
    return _Law(
        settings=settings, pack=pack, unavailable=unavailable, today=None if today.hash == started.pack else today
    )


def _listed_consents(
    connection: sa.Connection, workspace: WorkspaceId, conversation: ConversationId
) -> dict[PartyId, ConsentState]:
    rows = connection.execute(
        sa.select(parties.c.party, parties.c.consent).where(
            parties.c.workspace == workspace, parties.c.conversation == conversation
        )
    )
    return {PartyId(row.party): ConsentState(row.consent) for row in rows}


@dataclass(kw_only=True)
class _Story:
    segments: list[Segment]
    notices: list[Notice]
    differences: list[ReplayDifference]
    troubles: list[Trouble]
    today: dict[DecisionId, Decision]
    """Each decision as the law of today would make it, where that is another."""
    erased: Collection[PartyId] = ()
    """Whose answer is only listed: the act is erased."""
    decisions: int = 0


def _tell(events: Sequence[Event], law: _Law, listed: dict[PartyId, ConsentState]) -> _Story:
    story = _Story(segments=[], notices=[], differences=[], troubles=[], today={})
    state = ConversationState()
    for event in events:
        if isinstance(event, LampsChanged):
            _decided(story, state, event, law)
        elif isinstance(event, NoticeGiven):
            story.notices.append(
                Notice(
                    party=event.party,
                    heard_ms=event.offset_ms,
                    language=event.language,
                    text=event.text,
                    hash=event.notice,
                )
            )
        elif isinstance(event, Trouble):
            story.troubles.append(event)
        elif isinstance(event, QuestionHeard) and law.settings is not None:
            story.notices += _question(state, event, law.settings)
        state = apply(state, event)
    story.erased = {
        party
        for party, consent in listed.items()
        if consent is not ConsentState.NONE and party in state.parties and state.parties[party].consent.state != consent
    }
    story.segments = [
        replace(segment, consent=Consent(state=listed[segment.party]), consent_erased=True)
        if segment.party in story.erased
        else segment
        for segment in story.segments
    ]
    return story


def _question(state: ConversationState, event: QuestionHeard, settings: Settings) -> list[Notice]:
    """What the person was asked, word for word; nothing where only its hash was kept and the wording has changed since."""
    question = state.parties[event.party].question
    if question is None:
        return []
    text, language = question.text, question.language
    if text is None or language is None:
        known = recall(question.notice, *settings.notices)
        if known is None:
            return []
        text, language = known.text, known.language
    return [Notice(party=event.party, heard_ms=event.offset_ms, language=language, text=text, hash=question.notice)]


def _decided(story: _Story, state: ConversationState, event: LampsChanged, law: _Law) -> None:
    story.decisions += 1
    everything: dict[PartyId, tuple[Reason, ...]] = {}
    then = None if law.settings is None else situation(state, law.settings)
    if then is not None and law.today is not None:
        story.today[event.decision_id] = decide(then, law.today)
    if then is not None and law.pack is not None:
        everything = {each.party: each.reasons for each in considered(then, law.pack)}
        replayed = decide(then, law.pack)
        if replayed != event.decision:
            story.differences.append(
                ReplayDifference(
                    decision=event.decision_id,
                    stored=tuple((ruling.party, ruling.lamp) for ruling in event.decision.rulings),
                    replayed=tuple((ruling.party, ruling.lamp) for ruling in replayed.rulings),
                )
            )
    for ruling in event.decision.rulings:
        party = state.parties[ruling.party]
        story.segments.append(
            Segment(
                from_ms=event.offset_ms,
                until_ms=None,
                party=ruling.party,
                role=party.role,
                lamp=ruling.lamp,
                decision=event.decision_id,
                deciding=ruling.deciding,
                reasons=ruling.reasons,
                passed_over=tuple(
                    reason for reason in everything.get(ruling.party, ()) if reason not in ruling.reasons
                ),
                actions=ruling.actions,
                consent=party.consent,
            )
        )
