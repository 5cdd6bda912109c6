"""The four steps of a recording that is neither secret nor unlawful, shown from the events alone. Pure.

The law of both places, the consent, the consent on the recording, and never covertly: `consent/advice` tells people to
take them, this tells for each person recorded whether they were taken. Times are media time, ms since the start.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tallylight.catalogue.segments import said_in_advance
from tallylight.consent.answer import ConsentState
from tallylight.conversation.events import (
    ConsentGiven,
    Event,
    LampsChanged,
    NoticeGiven,
    OpeningMissed,
    PartyJoined,
    QuestionHeard,
    TrackOpened,
)
from tallylight.conversation.state import ConversationState, PartyState, apply
from tallylight.database.events import JsonValue
from tallylight.ids import PartyId
from tallylight.law.vocabulary import LawfulBasis, Method, Purpose, Role
from tallylight.policy.decision import Lamp, PartyRuling
from tallylight.policy.situation import Place, PlaceEvidence
from tallylight.policy.view import EMPLOYED, NAMES

_UNKNOWN = "a place nobody knows, judged strictly"
_KNOWN_BY = {
    PlaceEvidence.DECLARED: "as declared",
    PlaceEvidence.VERIFIED_ADDRESS: "by a verified address",
    PlaceEvidence.FIXED_NUMBER: "by a fixed number",
    PlaceEvidence.MOBILE_NUMBER: "by a mobile number",
    PlaceEvidence.SITE: "the controller's site",
    PlaceEvidence.UNKNOWN: "unverified, so judged strictly",
}


class StepName(StrEnum):
    """In the order they are taken."""

    LAW = "law"
    CONSENT = "consent"
    CONSENT_ON_RECORDING = "consent_on_recording"
    NEVER_COVERTLY = "never_covertly"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An event that shows a step."""

    kind: str
    """The event's type."""
    party: PartyId | None
    """None: it is about everybody."""
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class Step:
    name: StepName
    held: bool
    """False too where it cannot be shown any more."""
    sentence: str
    events: tuple[Shown, ...]


@dataclass(frozen=True, kw_only=True)
class PartySteps:
    """The four steps for one person."""

    party: PartyId
    role: Role
    recorded_from_ms: int | None
    """When the gate first opened; None: the person was never recorded, and nothing had to be done for it."""
    steps: tuple[Step, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """Seconds with ms."""
        return {
            "party": self.party,
            "role": self.role.value,
            "recorded_from_s": None if self.recorded_from_ms is None else self.recorded_from_ms / 1000,
            "steps": [
                {
                    "step": step.name.value,
                    "held": step.held,
                    "sentence": step.sentence,
                    "events": [
                        {"kind": shown.kind, "party": shown.party, "at_s": shown.at_ms / 1000} for shown in step.events
                    ],
                }
                for step in self.steps
            ],
        }


def four_steps(events: Iterable[Event], *, erased: Collection[PartyId] = ()) -> tuple[PartySteps, ...]:
    """For every person of a conversation, in the order they joined. Raises ConversationError as `state.apply` does.

    `erased`: whose acts are not among the events any more.
    """
    history = _History(erased=erased)
    for event in events:
        history.take(event)
    return tuple(_steps(party, history) for party in history.state.parties.values() if party.role is not Role.SYSTEM)


@dataclass(frozen=True, kw_only=True)
class _Opening:
    """The first time a person's gate opened."""

    at_ms: int
    person: PartyState
    question_ms: int | None
    answered_ms: int | None
    """When their yes came into the conversation."""
    decided: bool
    """The decision in force said *record*."""


@dataclass(frozen=True, kw_only=True)
class _Lit:
    """A decision by which a person was recorded."""

    at_ms: int
    changed_ms: int
    """The instant of its event."""
    ruling: PartyRuling
    person: PartyState
    present: tuple[PartyState, ...]
    judged: bool
    """Everybody present has a lamp by it."""


@dataclass(kw_only=True)
class _History:
    """What the events say about each person, gathered while they are folded."""

    erased: Collection[PartyId]
    state: ConversationState = field(default_factory=ConversationState)
    joined: dict[PartyId, int] = field(default_factory=dict)
    told: dict[PartyId, Shown] = field(default_factory=dict)
    """How each person first knew: the notice, or for an employee what the employer had told them before they joined."""
    questions: dict[PartyId, int] = field(default_factory=dict)
    """When each person last heard a question to its end."""
    answers: dict[PartyId, int] = field(default_factory=dict)
    """When each person's last yes came into the conversation, said on it or in advance."""
    openings: dict[PartyId, _Opening] = field(default_factory=dict)
    proofs: dict[PartyId, int] = field(default_factory=dict)
    """When the track opened that holds a person's answer and our acknowledgement."""
    lit: dict[PartyId, list[_Lit]] = field(default_factory=dict)
    missed: dict[PartyId, list[OpeningMissed]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        self.state = apply(self.state, event)
        match event:
            case PartyJoined(party=party, offset_ms=at_ms):
                self.joined[party] = at_ms
                if event.role in EMPLOYED and event.employee_notice:
                    self.told[party] = Shown(kind=PartyJoined.__name__, party=party, at_ms=at_ms)
            case NoticeGiven(party=party, offset_ms=at_ms):
                self.told.setdefault(party, Shown(kind=NoticeGiven.__name__, party=party, at_ms=at_ms))
            case QuestionHeard(party=party, offset_ms=at_ms):
                self.questions[party] = at_ms
            case ConsentGiven(party=party, offset_ms=at_ms):
                self.answers[party] = at_ms
            case LampsChanged():
                self._lamps(event)
            case TrackOpened(party=party, offset_ms=at_ms):
                if event.purpose is Purpose.PROOF_OF_CONSENT:
                    self.proofs.setdefault(party, at_ms)
                self.openings.setdefault(party, self._opening(party, at_ms))
            case OpeningMissed(party=party):
                self.missed.setdefault(party, []).append(event)

    def _opening(self, party: PartyId, at_ms: int) -> _Opening:
        decision = self.state.decision
        return _Opening(
            at_ms=at_ms,
            person=self.state.parties[party],
            question_ms=self.questions.get(party),
            answered_ms=self.answers.get(party),
            decided=decision is not None and decision.lamp(party) is Lamp.RECORDING,
        )

    def _lamps(self, event: LampsChanged) -> None:
        present = tuple(
            party for party in self.state.parties.values() if party.present and party.role is not Role.SYSTEM
        )
        judged = {ruling.party for ruling in event.decision.rulings} >= {party.party for party in present}
        for ruling in event.decision.rulings:
            if ruling.lamp is Lamp.RECORDING:
                # The first opens the gate at its own instant; one that opens nothing may reach back.
                first = ruling.party not in self.lit
                lit = _Lit(
                    at_ms=event.offset_ms if first else self.state.latest_ms,
                    changed_ms=event.offset_ms,
                    ruling=ruling,
                    person=self.state.parties[ruling.party],
                    present=present,
                    judged=judged,
                )
                self.lit.setdefault(ruling.party, []).append(lit)

    def recorded_from_ms(self, opening: _Opening) -> int:
        """When the first of it can have been stored: a gate whose decision was written late opened late."""
        at_ms = opening.at_ms
        for missed in self.missed.get(opening.person.party, ()):
            if missed.from_ms <= at_ms < missed.until_ms:
                at_ms = missed.until_ms
        return at_ms


def _steps(party: PartyState, history: _History) -> PartySteps:
    opening = history.openings.get(party.party)
    if opening is None:
        return PartySteps(party=party.party, role=party.role, recorded_from_ms=None)
    lit = history.lit.get(party.party, [])
    return PartySteps(
        party=party.party,
        role=party.role,
        recorded_from_ms=history.recorded_from_ms(opening),
        steps=(
            _law(opening, lit, history),
            _consent(opening, lit, history),
            _on_recording(opening, history),
            _openly(opening, lit, history),
        ),
    )


def _law(opening: _Opening, lit: Sequence[_Lit], history: _History) -> Step:
    """The law of both places, known and judged."""
    people = _everybody(opening, lit)
    rules = dict.fromkeys(
        f"{reason.rule} ({reason.cite})"
        for each in lit
        for reason in each.ruling.reasons
        if reason.checked_at is not None or reason == each.ruling.deciding
    )
    if not opening.decided:
        sentence = f"No decision to record was in force when the gate opened at {_s(opening.at_ms)}."
    elif not all(each.judged for each in lit):
        sentence = "A decision left out somebody who was there."
    else:
        where = "; ".join(
            f"{_the(person)} in {' or '.join(map(_place, person.places)) or _UNKNOWN}" for person in people
        )
        sentence = f"The law of every place was judged: {where}. It rests on {', '.join(rules)}."
    return Step(
        name=StepName.LAW,
        held=opening.decided and all(each.judged for each in lit),
        sentence=sentence,
        events=(
            *(Shown(kind=PartyJoined.__name__, party=each.party, at_ms=history.joined[each.party]) for each in people),
            *(Shown(kind=LampsChanged.__name__, party=None, at_ms=each.changed_ms) for each in lit),
        ),
    )


def _consent(opening: _Opening, lit: Sequence[_Lit], history: _History) -> Step:
    """The consent, or the ground in its place."""
    person = opening.person
    lacking = next((each for each in (person, *(each.person for each in lit)) if not _may_be_recorded(each)), None)
    name, consent = NAMES[person.role], person.consent
    answered_ms = opening.answered_ms if consent.state is ConsentState.GIVEN else None
    late = answered_ms is not None and answered_ms > opening.at_ms
    shown = list(_question(opening))
    if answered_ms is not None:
        shown.append(Shown(kind=ConsentGiven.__name__, party=person.party, at_ms=answered_ms))
    else:
        shown.append(Shown(kind=PartyJoined.__name__, party=person.party, at_ms=history.joined[person.party]))
    if lacking is not None:
        sentence = f"{name} was recorded while the answer stood at `{lacking.consent.state.value}`."
        if person.party in history.erased:
            sentence = f"How {_the(person)} answered was erased with the person: it cannot be shown any more."
    elif consent.flagged:
        sentence = (
            f"Staff attest that {_the(person)} agreed ({consent.evidence}); the ground is {_ground(person.basis)}."
        )
    elif answered_ms is not None and late:
        sentence = f"{name} said yes at {_s(answered_ms)}, after the gate had opened at {_s(opening.at_ms)}."
    elif consent.in_advance:
        sentence = f"{name} said yes in advance, {said_in_advance(consent)}."
    elif answered_ms is not None:
        heard = ", after the question had been heard to its end" if consent.question_heard else ""
        sentence = f"{name} said yes at {_s(answered_ms)} ({consent.method}: {consent.evidence}){heard}."
    else:
        sentence = f"{name} was not asked: the ground is {_ground(person.basis)}."
    return Step(name=StepName.CONSENT, held=lacking is None and not late, sentence=sentence, events=tuple(shown))


def _on_recording(opening: _Opening, history: _History) -> Step:
    """The consent on the recording: told, asked, recorded, confirmed, in this order."""
    person, told = opening.person, history.told.get(opening.person.party)
    proof_ms = history.proofs.get(person.party)
    confirmed = proof_ms is not None and proof_ms <= opening.at_ms
    answered = person.consent.state is ConsentState.GIVEN and not (person.consent.flagged or _written(person))
    informed = told is not None and told.at_ms <= opening.at_ms
    heard = opening.question_ms is not None and opening.question_ms <= opening.at_ms and person.consent.question_heard
    opened = f"the gate opened at {_s(history.recorded_from_ms(opening))}"
    if told is None or not informed:
        sentence = f"{NAMES[person.role]} had not been told: {opened}."
    else:
        question = "" if opening.question_ms is None else f" and had heard the question by {_s(opening.question_ms)}"
        answer = f"the answer is {'' if confirmed else 'not '}on the recording"
        if not answered and not confirmed:
            answer = "no answer was asked for" if opening.question_ms is None else "no answer of theirs came"
        elif person.consent.in_advance:
            answer = "the yes was given in advance and is not on the recording"
        sentence = f"{NAMES[person.role]} had been told {_when(told)}{question}; {opened}; {answer}."
    tracks = [opening.at_ms, *([proof_ms] if proof_ms is not None and confirmed else [])]
    return Step(
        name=StepName.CONSENT_ON_RECORDING,
        held=informed and (not answered or (heard and confirmed)),
        sentence=sentence,
        events=(
            *([] if told is None else [told]),
            *_question(opening),
            *(Shown(kind=TrackOpened.__name__, party=person.party, at_ms=at_ms) for at_ms in tracks),
        ),
    )


def _openly(opening: _Opening, lit: Sequence[_Lit], history: _History) -> Step:
    """Never covertly: told first, and every lamp changes at once."""
    people = _everybody(opening, lit)
    knew = [told for person in people if (told := history.told.get(person.party)) is not None]
    dark = next((person for each in lit for person in each.present if not _knew(person, each.at_ms, history)), None)
    if not opening.decided:
        sentence = f"No lamp showed that the gate opened at {_s(opening.at_ms)}."
    elif dark is not None:
        sentence = f"{NAMES[dark.role]} had not been told while {_the(opening.person)} was recorded."
    else:
        how = "; ".join(f"{_the(person)} {_when(history.told[person.party])}" for person in people)
        sentence = f"Everybody there had been told ({how}), and every lamp changed at {_s(lit[0].changed_ms)}."
    return Step(
        name=StepName.NEVER_COVERTLY,
        held=opening.decided and dark is None,
        sentence=sentence,
        events=(
            *knew,
            *(Shown(kind=LampsChanged.__name__, party=None, at_ms=each.changed_ms) for each in lit[:1]),
        ),
    )


def _question(opening: _Opening) -> tuple[Shown, ...]:
    """The question that was last heard to its end before the gate opened, if any was."""
    if opening.question_ms is None:
        return ()
    return (Shown(kind=QuestionHeard.__name__, party=opening.person.party, at_ms=opening.question_ms),)


def _everybody(opening: _Opening, lit: Sequence[_Lit]) -> list[PartyState]:
    """Whoever was there at any time while the person was recorded."""
    return list({person.party: person for each in lit for person in each.present}.values()) or [opening.person]


def _may_be_recorded(person: PartyState) -> bool:
    """A yes to a question that was heard, or an employee's on paper; or no answer where another ground needs none, and
    then others may say what they like.
    """
    consent = person.consent
    if consent.state is ConsentState.GIVEN and not consent.flagged:
        return consent.question_heard or _written(person)
    return (consent.state is ConsentState.NONE or consent.flagged) and person.basis is not LawfulBasis.CONSENT


def _written(person: PartyState) -> bool:
    return person.role in EMPLOYED and person.consent.method is Method.WRITTEN


def _knew(person: PartyState, at_ms: int, history: _History) -> bool:
    told = history.told.get(person.party)
    return told is not None and told.at_ms <= at_ms


def _place(place: Place) -> str:
    return _UNKNOWN if place.code is None else f"{place.code} ({_KNOWN_BY[place.evidence]})"


def _the(person: PartyState) -> str:
    """Within a sentence."""
    name = NAMES[person.role]
    return name[0].lower() + name[1:]


def _when(told: Shown) -> str:
    if told.kind == NoticeGiven.__name__:
        return f"by {_s(told.at_ms)}"
    return f"by the employer before joining at {_s(told.at_ms)}"


def _ground(basis: LawfulBasis) -> str:
    letter = "abcdef"[list(LawfulBasis).index(basis)]
    return f"{basis.value.replace('_', ' ')} (Art. 6(1)({letter}) GDPR)"


def _s(ms: int) -> str:
    return f"{ms / 1000:.1f} s"
