"""A situation, prepared for judging every party of it."""

import functools
from dataclasses import dataclass

from tallylight.consent.answer import ConsentState
from tallylight.law.pack import Pack
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import EmployeeForm, Exemption, Purpose, Recorder, Role
from tallylight.policy.applicable import DAY_MS, Applicable, Matter, applicable, candidate_codes
from tallylight.policy.modes import wanted
from tallylight.policy.profile import Profile
from tallylight.policy.settings import Settings
from tallylight.policy.situation import (
    ORDINARY,
    Circumstances,
    PartySituation,
    Place,
    PlaceEvidence,
    Segment,
    Situation,
)

_NONE = frozenset[Exemption]()
_NOWHERE = frozenset[str]()
EMPLOYED = frozenset({Role.AGENT, Role.SUPERVISOR})
OWN_GROUND = EMPLOYED | {Role.SYSTEM}
"""Roles that no notice on the call is for: told by their employer, or nobody's voice."""
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

    @property
    def purpose(self) -> Purpose:
        """What is recorded now is for this."""
        return self.situation.recorded_for

    def wants(self, party: PartySituation) -> bool:
        """Whether the project's mode asks for this party's voice now."""
        return wanted(
            self.settings.mode,
            party.role,
            customer_on=self.situation.customer_on,
            receipt=self.circumstances.segment is Segment.VOICE_RECEIPT,
        )

    def untold_purpose(self, party: PartySituation) -> bool:
        """Whether the mode asks for the voice of somebody who was told of the recording, but not of this one of theirs."""
        return (
            party.told_of is not None
            and self.purpose not in party.told_of
            and party.role not in OWN_GROUND
            and self.wants(party)
        )

    def knows(self, party: PartySituation) -> bool:
        """Whether an employee was told, if only in the form that the law of every place of work is content with."""
        if party.employee_notice:
            return True
        law = self.own_law[party.party]
        return law.employee_settled and all(meets(rule, party) for rule in law.employee)

    def capable(self, party: PartySituation) -> bool:
        """Whether the person can agree for themselves: in the house no known minor can (Art. 8, recital 38 GDPR; national
        law on capacity), and nobody on a call of ours shows a parent's leave.
        """
        return self.profile is Profile.LAW or not party.minor

    def records(self, party: PartySituation) -> bool:
        """Whether this person is on the side that makes the recording."""
        if self.circumstances.recorded_by_customer:
            return party.role is Role.CUSTOMER
        return party.role in EMPLOYED


def is_told(party: PartySituation) -> bool:
    """Employees are told by their employer, everybody else by the notice."""
    return party.employee_notice if party.role in EMPLOYED else party.notice_heard


def forms_given(party: PartySituation) -> frozenset[EmployeeForm]:
    """In which forms, as far as they are on file, the employer has told an employee."""
    others = (party.employee_forms or frozenset()) - {EmployeeForm.TOLD}
    return others | {EmployeeForm.TOLD} if party.employee_notice else others


def meets(rule: Rule, party: PartySituation) -> bool:
    """Whether an employee has been told as a rule of the employee layer asks."""
    if party.employee_forms is None:
        return party.employee_notice
    given = forms_given(party)
    return any(form <= given for form in rule.forms)


def objects(party: PartySituation) -> bool:
    """Said no, or took a yes back."""
    return party.consent.state in (ConsentState.REFUSED, ConsentState.WITHDRAWN)


@functools.lru_cache(maxsize=256)
def _established(country: str) -> frozenset[str]:
    """The candidate places of an establishment; a case names none beyond the places of its people."""
    return candidate_codes((Place(code=country, evidence=PlaceEvidence.DECLARED),)) if country else frozenset()


def _matter(situation: Situation) -> Matter:
    facts = situation.circumstances
    if facts is ORDINARY:
        exempt = _NONE
    else:
        cases = (
            (facts.threat_call, Exemption.THREAT_CALL),
            (facts.order_call, Exemption.ORDER_CALL),
            (not facts.private_place, Exemption.PUBLIC_PLACE),
        )
        exempt = frozenset(exemption for is_case, exemption in cases if is_case)
    return Matter(
        purpose=situation.recorded_for,
        channel=situation.channel,
        direction=situation.direction,
        sector=facts.sector,
        call_type=facts.call_type,
        recorder=Recorder.CUSTOMER if facts.recorded_by_customer else Recorder.EMPLOYER,
        exempt=exempt,
    )


def view(situation: Situation, pack: Pack, profile: Profile) -> View:
    settings = situation.settings
    day, matter = situation.at_ms // DAY_MS, _matter(situation)
    people = tuple([party for party in situation.parties if party.present and party.role is not Role.SYSTEM])
    establishment = _established(settings.country)
    employed = [candidate_codes(party.places) for party in people if party.role in EMPLOYED]
    theirs = _NOWHERE.union(*[candidate_codes(party.places) for party in people if party.role not in EMPLOYED])
    codes = establishment.union(theirs, *employed)
    areas = GDPR if situation.circumstances.targets_eu else frozenset[str]()
    return View(
        situation=situation,
        settings=settings,
        profile=profile,
        circumstances=situation.circumstances,
        law=applicable(pack, codes, day, matter, areas, theirs),
        own_law={
            party.party: applicable(pack, establishment | candidate_codes(party.places), day, matter)
            for party in situation.parties
            if party.role in EMPLOYED
        },
        people=people,
        untold=tuple([party for party in people if not is_told(party)]),
    )
