"""A situation, prepared for judging every party of it."""

from dataclasses import dataclass

from tallylight.consent.answer import ConsentState
from tallylight.law.pack import Pack
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import Exemption, Role
from tallylight.policy.applicable import DAY_MS, Applicable, applicable, candidate_codes
from tallylight.policy.profile import Profile
from tallylight.policy.settings import Settings
from tallylight.policy.situation import Circumstances, PartySituation, Place, PlaceEvidence, Situation

EMPLOYED = frozenset({Role.AGENT, Role.SUPERVISOR})
GDPR = frozenset({"EEA"})

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
    circumstances: Circumstances
    law: Applicable
    """The rules of every candidate place of every present person, and of the controller's establishment."""
    own_law: dict[str, Applicable]
    """For each employee: the rules of their own candidate places and of the establishment."""
    people: tuple[PartySituation, ...]
    """Everybody present; our own announcement is nobody."""
    untold: tuple[PartySituation, ...]
    """Those present who have not been told."""

    def holds(self, rule: Rule) -> bool:
        """Whether a rule speaks about this call at all: its purpose, sector, direction, kind, and no exception to it."""
        now, facts = self.situation, self.circumstances
        if not rule.covers(self.settings.purpose):
            return False
        if rule.sectors is not None and facts.sector not in rule.sectors:
            return False
        if rule.directions is not None and now.direction not in rule.directions:
            return False
        if rule.call_types is not None and facts.call_type not in rule.call_types:
            return False
        return not rule.exceptions or not self._excepted(rule)

    def _excepted(self, rule: Rule) -> bool:
        facts = self.circumstances
        return (
            (facts.threat_call and Exemption.THREAT_CALL in rule.exceptions)
            or (facts.order_call and Exemption.ORDER_CALL in rule.exceptions)
            or (not facts.private_place and Exemption.PUBLIC_PLACE in rule.exceptions)
        )

    def records(self, party: PartySituation) -> bool:
        """Whether this person is on the side that makes the recording."""
        if self.circumstances.recorded_by_customer:
            return party.role is Role.CUSTOMER
        return party.role in EMPLOYED


def is_told(party: PartySituation) -> bool:
    """Employees are told by their employer, everybody else by the notice."""
    return party.employee_notice if party.role in EMPLOYED else party.notice_heard


def objects(party: PartySituation) -> bool:
    """Said no, or took a yes back."""
    return party.consent.state in (ConsentState.REFUSED, ConsentState.WITHDRAWN)


def view(situation: Situation, pack: Pack, profile: Profile) -> View:
    settings = situation.settings
    day, channel = situation.at_ms // DAY_MS, situation.channel
    people = tuple(party for party in situation.parties if party.present and party.role is not Role.SYSTEM)
    establishment = (
        candidate_codes((Place(code=settings.country, evidence=PlaceEvidence.DECLARED),))
        if settings.country
        else frozenset[str]()
    )
    codes = establishment.union(*(candidate_codes(party.places) for party in people))
    areas = GDPR if situation.circumstances.targets_eu else frozenset[str]()
    return View(
        situation=situation,
        settings=settings,
        profile=profile,
        circumstances=situation.circumstances,
        law=applicable(pack, codes, day, channel, areas),
        own_law={
            party.party: applicable(pack, establishment | candidate_codes(party.places), day, channel)
            for party in situation.parties
            if party.role in EMPLOYED
        },
        people=people,
        untold=tuple(party for party in people if not is_told(party)),
    )
