"""From what has happened to what a decision may depend on."""

import dataclasses
import functools

from tallylight.consent.answer import Consent, ConsentState
from tallylight.conversation.errors import ConversationError
from tallylight.conversation.state import ConversationState, PartyState
from tallylight.ids import PartyId
from tallylight.law.vocabulary import Conference, Purpose, Sector
from tallylight.policy.settings import Settings
from tallylight.policy.situation import (
    ORDINARY,
    PAUSED_BY_SETTINGS,
    Circumstances,
    PartySituation,
    Segment,
    Situation,
)
from tallylight.policy.view import OWN_GROUND


@functools.lru_cache(maxsize=256)
def _circumstances(
    balanced: bool, necessary: bool, conference: Conference, sector: Sector | None, segment: Segment
) -> Circumstances:
    """What a project has on file and has chosen, and what goes on; made once, as decisions are frequent."""
    made = Circumstances(
        balancing_test=balanced,
        necessity_documented=necessary,
        conference=conference,
        sector=sector,
        segment=segment,
    )
    return ORDINARY if made == ORDINARY else made


def situation(state: ConversationState, settings: Settings) -> Situation:
    """The situation at the latest act of the conversation.

    Its instant is the wall anchor plus media time, so that a history alone can be replayed.
    """
    if state.conversation is None:
        raise ConversationError("A conversation has no situation before it has started: apply ConversationStarted.")
    at_ms = state.started_ms + state.latest_ms
    purpose = settings.purpose_with(state.receipt)
    return Situation(
        at_ms=at_ms,
        channel=state.channel,
        direction=state.direction,
        settings=settings,
        parties=tuple(_party(party, state, settings, purpose) for party in state.parties.values()),
        paused_by=paused_by(state, settings),
        on_hold=bool(state.held_by),
        purpose=None if purpose is settings.purpose else purpose,
        customer_on=state.customer_on,
        circumstances=_circumstances(
            settings.balanced_at(at_ms),
            settings.necessity is not None,
            settings.conference,
            settings.sector,
            Segment.NORMAL if state.receipt is None else Segment.VOICE_RECEIPT,
        ),
    )


def paused_by(state: ConversationState, settings: Settings) -> PartyId | str | None:
    """Who paused the recording: a party, `operator`, or `settings` while a start that was paused is not over.

    A voice receipt is switched on by the agent's own act, so such a start does not pause it.
    """
    if state.paused_by is None and settings.start_paused and not state.resumed and state.receipt is None:
        return PAUSED_BY_SETTINGS
    return state.paused_by


def is_minor(party: PartyState, settings: Settings) -> bool:
    """Whether the person is known to be a child, by what was said on the call or because the project's callers are."""
    return party.minor or settings.knows_minor(party.role)


def _party(party: PartyState, state: ConversationState, settings: Settings, purpose: Purpose) -> PartySituation:
    receipt = state.receipt is not None and party.role not in OWN_GROUND
    consent = _answer(party, purpose)
    return PartySituation(
        party=party.party,
        role=party.role,
        places=party.places,
        basis=settings.receipt_basis if receipt else party.basis,
        notice_heard=party.notice_heard,
        told_of=party.told_of,
        employee_notice=party.employee_notice,
        consent=consent,
        consent_on_recording=not consent.in_advance,
        minor=is_minor(party, settings),
        present=party.present,
    )


def _answer(party: PartyState, purpose: Purpose) -> Consent:
    """What the person says to being recorded for this: their yes to it, else whatever they said last.

    While they are being asked, nobody else's word stands for their answer.
    """
    if party.consent.state is not ConsentState.GIVEN:
        return party.consent
    given = party.given.get(purpose, party.consent)
    if given.flagged and party.question is not None:
        return dataclasses.replace(given, state=ConsentState.REQUESTED)
    return given
