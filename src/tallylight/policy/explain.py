"""What was considered and passed over: recomputed from the situation, never stored."""

from dataclasses import dataclass

from tallylight.ids import PartyId
from tallylight.law.pack import Pack
from tallylight.policy.decide import STRICTEST_FIRST, findings, in_order, reasons
from tallylight.policy.decision import Reason
from tallylight.policy.profile import Profile
from tallylight.policy.situation import Situation
from tallylight.policy.view import view


@dataclass(frozen=True, kw_only=True)
class Considered:
    """Everything that had something to say about one party's track: what decided first, what was passed over last."""

    party: PartyId
    reasons: tuple[Reason, ...]


def considered(situation: Situation, pack: Pack, profile: Profile = Profile.HOUSE) -> tuple[Considered, ...]:
    """For every party, every rule and setting that was looked at, with its verdict."""
    seen = view(situation, pack, profile)
    found = {party.party: list(findings(party, seen)) for party in situation.parties}
    return tuple(
        Considered(
            party=party,
            reasons=reasons([finding for verdict in STRICTEST_FIRST for finding in in_order(each, verdict)], seen),
        )
        for party, each in found.items()
    )
