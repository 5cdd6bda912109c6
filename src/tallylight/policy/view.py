"""A situation, prepared for judging every party of it."""

from dataclasses import dataclass

from tallylight.law.pack import Pack
from tallylight.law.vocabulary import Role
from tallylight.policy.applicable import DAY_MS, Applicable, applicable, candidate_codes
from tallylight.policy.profile import Profile
from tallylight.policy.settings import Settings
from tallylight.policy.situation import PartySituation, Place, PlaceEvidence, Situation

EMPLOYED = frozenset({Role.AGENT, Role.SUPERVISOR})

NAMES = {
    Role.AGENT: "The employee",
    Role.CUSTOMER: "The customer",
    Role.THIRD_PARTY: "The third person",
    Role.SUPERVISOR: "The supervisor",
    Role.SYSTEM: "The announcement",
}


@dataclass(frozen=True, slots=True)
class View:
    """What every layer needs to know about the conversation as a whole."""

    situation: Situation
    settings: Settings
    profile: Profile
    law: Applicable
    """The rules of every candidate place of every present person, and of the controller's establishment."""
    own_law: dict[str, Applicable]
    """For each employee: the rules of their own candidate places and of the establishment."""
    people: tuple[PartySituation, ...]
    """Everybody present; our own announcement is nobody."""
    untold: tuple[PartySituation, ...]
    """Those present who have not been told."""


def is_told(party: PartySituation) -> bool:
    """Employees are told by their employer, everybody else by the notice."""
    return party.employee_notice if party.role in EMPLOYED else party.notice_heard


def view(situation: Situation, pack: Pack, profile: Profile) -> View:
    settings = situation.settings
    day = situation.at_ms // DAY_MS
    people = tuple(party for party in situation.parties if party.present and party.role is not Role.SYSTEM)
    establishment = candidate_codes((Place(code=settings.country, evidence=PlaceEvidence.DECLARED),))
    codes = establishment.union(*(candidate_codes(party.places) for party in people))
    return View(
        situation=situation,
        settings=settings,
        profile=profile,
        law=applicable(pack, codes, day),
        own_law={
            party.party: applicable(pack, establishment | candidate_codes(party.places), day)
            for party in situation.parties
            if party.role in EMPLOYED
        },
        people=people,
        untold=tuple(party for party in people if not is_told(party)),
    )
