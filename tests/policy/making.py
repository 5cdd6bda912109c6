"""Situations for tests: a Danish project with a caller and an agent, and whatever hypothesis makes of it."""

import dataclasses
import itertools
import typing
from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from hypothesis import strategies as st

from tallylight.ids import PartyId
from tallylight.law.pack import default_pack
from tallylight.law.vocabulary import (
    Channel,
    Direction,
    EmployeeForm,
    LawfulBasis,
    Method,
    Mode,
    Purpose,
    Role,
)
from tallylight.policy.decide import decide
from tallylight.policy.decision import Lamp, PartyRuling
from tallylight.policy.profile import Profile
from tallylight.policy.settings import Settings
from tallylight.policy.situation import (
    ORDINARY,
    Circumstances,
    Consent,
    ConsentState,
    PartySituation,
    Place,
    PlaceEvidence,
    Situation,
)

AT_MS = 1_790_000_000_000
PACK = default_pack()
CUSTOMER, AGENT, SYSTEM = PartyId("customer"), PartyId("agent"), PartyId("system")
KNOWN = (*PACK.places[::6], "DK", "DE", "FR", "US-CA", "US-CT", "US-NY", "US-TX", "US-WA")
"""Places whose law is in the pack: the ones tests name, and every sixth of the rest."""
UNKNOWN = Place(code=None, evidence=PlaceEvidence.UNKNOWN)

SETTINGS = Settings(
    project="support",
    controller="Example Ltd",
    country="DK",
    policy_address="example.com/privacy",
    language="en",
    mode=Mode.BOTH,
    purpose=Purpose.QUALITY_ASSURANCE,
    customer_basis=LawfulBasis.CONSENT,
    terms_acknowledged_by="A. Person",
)

YES = Consent(
    state=ConsentState.GIVEN,
    purposes=frozenset({Purpose.QUALITY_ASSURANCE}),
    method=Method.DIGIT,
    notice="0" * 64,
    evidence="digit 1 at 18420 ms",
    question_heard=True,
    at_ms=AT_MS - 1,
)


def at(code: str, evidence: PlaceEvidence = PlaceEvidence.DECLARED) -> tuple[Place, ...]:
    return (Place(code=code, evidence=evidence),)


def customer(consent: Consent = YES, **changes: object) -> PartySituation:
    party = PartySituation(
        party=CUSTOMER,
        role=Role.CUSTOMER,
        places=at("DK"),
        basis=LawfulBasis.CONSENT,
        notice_heard=True,
        consent=consent,
    )
    return dataclasses.replace(party, **changes)  # type: ignore[arg-type]


def agent(**changes: object) -> PartySituation:
    party = PartySituation(
        party=AGENT,
        role=Role.AGENT,
        places=at("DK", PlaceEvidence.SITE),
        basis=LawfulBasis.CONTRACT,
        employee_notice=True,
    )
    return dataclasses.replace(party, **changes)  # type: ignore[arg-type]


SYSTEM_PARTY = PartySituation(party=SYSTEM, role=Role.SYSTEM, places=(), basis=LawfulBasis.CONTRACT)


def situation(
    *parties: PartySituation,
    settings: Settings = SETTINGS,
    paused_by: str | None = None,
    on_hold: bool = False,
    at_ms: int = AT_MS,
) -> Situation:
    return Situation(
        at_ms=at_ms,
        channel=Channel.PHONE,
        direction=Direction.INBOUND,
        settings=settings,
        parties=parties or (customer(), agent()),
        paused_by=paused_by,
        on_hold=on_hold,
    )


def ruling(of: Situation, party: PartyId = CUSTOMER, profile: Profile = Profile.HOUSE) -> PartyRuling:
    found = decide(of, PACK, profile).ruling(party)
    assert found is not None
    return found


def lamps(of: Situation, profile: Profile = Profile.HOUSE) -> dict[PartyId, Lamp]:
    return {each.party: each.lamp for each in decide(of, PACK, profile).rulings}


OPENNESS = {Lamp.OFF: 0, Lamp.PAUSED: 1, Lamp.RECORDING: 2}

CODES = (*KNOWN, "US", "SE", "US-OR", "ZZ", None)
PLACES = tuple(
    Place(code=code, evidence=evidence)
    for evidence in (PlaceEvidence.DECLARED, PlaceEvidence.MOBILE_NUMBER, PlaceEvidence.UNKNOWN)
    for code in CODES
)
CANDIDATES = ((), *((place,) for place in PLACES), *itertools.permutations(PLACES[: len(CODES)], 2))
CONSENTS = (
    YES,
    *(Consent(state=state) for state in ConsentState),
    *(dataclasses.replace(YES, state=state) for state in ConsentState),
    *(dataclasses.replace(YES, method=method) for method in Method),
    dataclasses.replace(YES, purposes=frozenset()),
    dataclasses.replace(YES, purposes=frozenset({Purpose.MARKETING})),
    dataclasses.replace(YES, notice=None),
    dataclasses.replace(YES, evidence=""),
    dataclasses.replace(YES, question_heard=False),
    dataclasses.replace(YES, conditional=True),
    dataclasses.replace(YES, at_ms=AT_MS + 1),
    dataclasses.replace(YES, at_ms=None),
    dataclasses.replace(YES, expires_at_ms=AT_MS),
    dataclasses.replace(YES, expires_at_ms=AT_MS + 1),
)
FORMS = tuple(
    frozenset(forms) for size in range(len(EmployeeForm) + 1) for forms in itertools.combinations(EmployeeForm, size)
)


def values(kind: object) -> tuple[object, ...]:
    """Every value of a flag, an enumeration, or one of those or None."""
    if kind is bool:
        return (False, True)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return tuple(kind)
    return (
        None,
        *itertools.chain.from_iterable(values(each) for each in typing.get_args(kind) if each is not type(None)),
    )


FACTS = {
    name: (getattr(ORDINARY, name), tuple(value for value in values(kind) if value != getattr(ORDINARY, name)))
    for name, kind in typing.get_type_hints(Circumstances).items()
}
"""Of each circumstance the usual value, and the others."""

Choice = TypeVar("Choice")


class Digits:
    """One drawn number, read as a choice from each of several lists: quick to draw, and it shrinks to the first of each."""

    def __init__(self, number: int) -> None:
        self._number = number

    @property
    def left(self) -> int:
        """What nothing was chosen from yet."""
        return self._number

    def choose(self, choices: Sequence[Choice]) -> Choice:
        self._number, index = divmod(self._number, len(choices))
        return choices[index]

    def mostly(self, usual: Choice, *others: Choice) -> Choice:
        """Three times in four the usual."""
        return self.choose((usual, usual, usual, self.choose((usual, *others))))


def make_party(number: int, name: str) -> PartySituation:
    digits = Digits(number)
    return PartySituation(
        party=PartyId(name),
        role=digits.choose((Role.CUSTOMER, Role.AGENT, *Role)),
        places=digits.choose(CANDIDATES),
        basis=digits.choose((LawfulBasis.CONSENT, LawfulBasis.CONTRACT, *LawfulBasis)),
        notice_heard=digits.mostly(True, False),
        employee_notice=digits.mostly(True, False),
        consent=digits.choose(CONSENTS),
        present=digits.mostly(True, False),
        employee_forms=digits.mostly(None, *FORMS),
        works_council=digits.mostly(True, False),
        consent_on_recording=digits.mostly(True, False),
        tone_interval_s=digits.mostly(None, 15, 60),
        minor=digits.mostly(False, True),
    )


def make_settings(number: int) -> Settings:
    digits = Digits(number)
    return dataclasses.replace(
        SETTINGS,
        country=digits.choose((*KNOWN, "FR", "US", "ZZ")),
        mode=digits.mostly(Mode.BOTH, Mode.AGENT_ONLY, Mode.NONE),
        purpose=digits.mostly(Purpose.QUALITY_ASSURANCE, *Purpose),
        customer_basis=digits.choose(tuple(LawfulBasis)),
        agent_basis=digits.mostly(LawfulBasis.CONTRACT, *LawfulBasis),
        start_paused=digits.mostly(False, True),
        terms_acknowledged_by=digits.mostly("A. Person", None),
        trial=digits.mostly(False, True),
    )


def make_circumstances(number: int) -> Circumstances:
    """Half of them ordinary; in the others each field is mostly as usual."""
    digits = Digits(number)
    if digits.choose((True, False)):
        return ORDINARY
    unusual = {name: digits.mostly(usual, *others) for name, (usual, others) in FACTS.items()}
    return dataclasses.replace(ORDINARY, **unusual)


def make_situation(number: int, several: list[PartySituation], chosen: Settings) -> Situation:
    digits = Digits(number)
    return Situation(
        at_ms=AT_MS,
        channel=digits.choose(tuple(Channel)),
        direction=digits.choose(tuple(Direction)),
        settings=chosen,
        parties=tuple(several),
        paused_by=digits.mostly(None, "party 0", "operator", "settings"),
        on_hold=digits.mostly(False, True),
        circumstances=make_circumstances(digits.left),
    )


numbers = st.binary(min_size=20, max_size=20).map(int.from_bytes)
"""Drawn as bytes, which are as likely to be large as any: an integer strategy prefers the small ones."""


def parties(name: str) -> st.SearchStrategy[PartySituation]:
    return numbers.map(lambda number: make_party(number, name))


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """One to three parties under any settings."""
    several = [make_party(draw(numbers), f"party {index}") for index in range(draw(st.integers(1, 3)))]
    number = draw(numbers)
    return make_situation(number, several, make_settings(draw(numbers)))
