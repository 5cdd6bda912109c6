"""From what has happened to what a decision may depend on."""

from tallylight.conversation.errors import ConversationError
from tallylight.conversation.state import ConversationState, PartyState
from tallylight.ids import PartyId
from tallylight.policy.settings import Settings
from tallylight.policy.situation import ORDINARY, PAUSED_BY_SETTINGS, Circumstances, PartySituation, Situation

_ON_FILE = {
    (balanced, necessary): Circumstances(balancing_test=balanced, necessity_documented=necessary)
    if balanced or necessary
    else ORDINARY
    for balanced in (False, True)
    for necessary in (False, True)
}
"""What a project has on file: a balancing test that holds, a statement of necessity."""


def situation(state: ConversationState, settings: Settings) -> Situation:
    """The situation at the latest act of the conversation.

    Its instant is the wall anchor plus media time, so that a history alone can be replayed.
    """
    if state.conversation is None:
        raise ConversationError("A conversation has no situation before it has started: apply ConversationStarted.")
    at_ms = state.started_ms + state.latest_ms
    return Situation(
        at_ms=at_ms,
        channel=state.channel,
        direction=state.direction,
        settings=settings,
        parties=tuple(_party(party) for party in state.parties.values()),
        paused_by=paused_by(state, settings),
        on_hold=bool(state.held_by),
        circumstances=_ON_FILE[settings.balanced_at(at_ms), settings.necessity is not None],
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
