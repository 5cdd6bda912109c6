"""From what has happened to what a decision may depend on."""

import functools

from tallylight.conversation.errors import ConversationError
from tallylight.conversation.state import ConversationState, PartyState
from tallylight.ids import PartyId
from tallylight.policy.settings import Settings
from tallylight.policy.situation import PAUSED_BY_SETTINGS, Circumstances, PartySituation, Situation


def situation(state: ConversationState, settings: Settings) -> Situation:
    """The situation at the latest act of the conversation.

    Its instant is the wall anchor plus media time, so that a history alone can be replayed.
    """
    if state.conversation is None:
        raise ConversationError("A conversation has no situation before it has started: apply ConversationStarted.")
    return Situation(
        at_ms=state.started_ms + state.latest_ms,
        channel=state.channel,
        direction=state.direction,
        settings=settings,
        parties=tuple(_party(party) for party in state.parties.values()),
        paused_by=paused_by(state, settings),
        on_hold=bool(state.held_by),
        circumstances=_circumstances(settings, balanced=settings.balanced_at(state.started_ms + state.latest_ms)),
    )


@functools.lru_cache(maxsize=256)
def _circumstances(settings: Settings, *, balanced: bool) -> Circumstances:
    """What the project has on file. Each leg is captured apart, and nobody takes samples: every call is asked."""
    return Circumstances(
        balancing_test=balanced,
        necessity_documented=settings.necessity is not None,
        sampled=False,
        per_leg=True,
    )


def paused_by(state: ConversationState, settings: Settings) -> PartyId | str | None:
    """Who paused the recording: a party, `operator`, or `settings` while a start that was paused is not over."""
    if state.paused_by is None and settings.start_paused and not state.resumed:
        return PAUSED_BY_SETTINGS
    return state.paused_by


def _party(party: PartyState) -> PartySituation:
    return PartySituation(
        party=party.party,
        role=party.role,
        places=party.places,
        basis=party.basis,
        notice_heard=party.notice_heard,
        employee_notice=party.employee_notice,
        consent=party.consent,
        present=party.present,
    )
