"""A legal case in the closed form of `tallylight law check`, read into a situation. What is not in the form is an error."""

import datetime
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tallylight.consent.answer import NO_ANSWER, Consent, ConsentState
from tallylight.ids import PartyId
from tallylight.law.countries import COUNTRIES
from tallylight.law.iso8601 import is_duration
from tallylight.law.vocabulary import (
    CallType,
    Channel,
    Conference,
    Direction,
    EmployeeForm,
    LawfulBasis,
    Method,
    Mode,
    Purpose,
    Release,
    Role,
    Sector,
)
from tallylight.policy.features import Feature
from tallylight.policy.fields import CaseError, Fields, named
from tallylight.policy.settings import Settings
from tallylight.policy.situation import (
    Circumstances,
    PartySituation,
    Place,
    PlaceEvidence,
    Segment,
    Situation,
)

DAY = "2026-11-23"
"""The day on which a case that names none is judged: that of the law data."""


class Event(StrEnum):
    """Something that happens to a stored recording."""

    NONE = "none"
    ERASURE_REQUEST = "erasure_request"
    OVERLAP_FOUND = "overlap_found"
    RETENTION_EXPIRED = "retention_expired"
    STORED_REVIEW = "stored_review"


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is asked: a situation, the features wanted, and what happens to the recording."""

    id: str
    situation: Situation
    features: tuple[Feature, ...]
    event: Event
    age: str | None
    """Since the recording was made, as an ISO 8601 duration."""
    card_code_stored: bool


_PURPOSES = {
    "quality": Purpose.QUALITY_ASSURANCE,
    "training": Purpose.TRAINING,
    "documentation": Purpose.DOCUMENTATION,
    "compliance": Purpose.COMPLIANCE,
    "dispute": Purpose.DISPUTE_EVIDENCE,
    "security": Purpose.SECURITY,
    "marketing": Purpose.MARKETING,
}
_UNLAWFUL = "criminal_or_tortious"
_METHODS = {
    "written": Method.WRITTEN,
    "verbal_yes": Method.SPOKEN,
    "verbal_on_recording": Method.SPOKEN,
    "dtmf": Method.DIGIT,
    "web_form": Method.WEB_FORM,
    "notice_continue": Method.CONTINUED_AFTER_NOTICE,
    "announcement_on_recording": Method.ANNOUNCEMENT_ON_RECORDING,
    "beep": Method.TONE,
    "none": None,
}
_EVIDENCE = {
    "declared": PlaceEvidence.DECLARED,
    "verified": PlaceEvidence.VERIFIED_ADDRESS,
    "number_fixed": PlaceEvidence.FIXED_NUMBER,
    "number_mobile": PlaceEvidence.MOBILE_NUMBER,
    "voip": PlaceEvidence.UNKNOWN,
    "toll_free": PlaceEvidence.UNKNOWN,
    "unknown": PlaceEvidence.UNKNOWN,
}
_ROLES = {"agent": Role.AGENT, "customer": Role.CUSTOMER, "third_party": Role.THIRD_PARTY}
_PROJECT_MODES = {
    "both": Mode.BOTH,
    "agent_only_allow_customer": Mode.AGENT_ONLY_ALLOW_CUSTOMER,
    "agent_only_forbid_customer": Mode.AGENT_ONLY,
    "agent_only_voice_receipts": Mode.VOICE_RECEIPTS,
    "none": Mode.NONE,
}
_SEGMENTS = {**named(Segment), "before_consent": None}
_TEXTS = ("description", "why", "source")
_WITHOUT_EFFECT = ("authorised", "confidential", "dtmf_masked")
"""Facts on which nothing is ever made lenient: not relying on confidentiality (Cal. Penal Code 632.7), for one."""
_REGION = re.compile(r"[A-Z0-9]{1,3}")


def read_case(line: bytes | str, regions: Iterable[str]) -> Case:
    """One line of a case file. `regions` are the known `US-..` places. Raises CaseError."""
    try:
        table = json.loads(line, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise CaseError(f"This line is no JSON object: {error}.") from None
    if not isinstance(table, dict):
        raise CaseError("This line is no JSON object.")
    return _Reader(Fields("the case", table), frozenset(regions)).case()


def case_id(line: bytes | str) -> str | None:
    """The id of a case that cannot be read, if that much can."""
    try:
        table = json.loads(line)
    except (ValueError, RecursionError):
        return None
    identifier = table.get("id") if isinstance(table, dict) else None
    return identifier if isinstance(identifier, str) else None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return table


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is no JSON value")


class _Reader:
    def __init__(self, fields: Fields, regions: frozenset[str]) -> None:
        self._fields = fields
        self._recorded_by_customer = False
        """One of the parties says so of itself."""
        self._states = {region.removeprefix("US-") for region in regions if region.startswith("US-")}

    def case(self) -> Case:
        fields = self._fields
        identifier = fields.text("id")
        for name in _TEXTS:
            fields.text(name, "")
        fields.one("confidence", {"high": None, "medium": None}, "high")
        fields.take("expected")
        purpose = fields.one("purpose", {**_PURPOSES, _UNLAWFUL: None})
        basis = fields.maybe("legal_basis", LawfulBasis) or LawfulBasis.CONSENT
        at_ms = _noon(fields.text("at", DAY))
        segment = fields.one("segment", _SEGMENTS, "normal")
        facts = Fields("facts", fields.take("facts", {}))
        art13 = facts.maybe_flag("art13_notice")
        card_code = facts.flag("cvv_in_recording")
        config = Fields("config", fields.take("config", {}))
        project_mode = config.one("project_mode", _PROJECT_MODES, "both")
        capture = fields.one("mode", {word: word for word in ("both", "agent_only", _ISOLATED)}, "both")
        per_leg = facts.flag("per_leg")
        parties = self._parties(purpose, basis, at_ms, art13, before_consent=segment is None)
        usual = "customer" if self._recorded_by_customer else "employer"
        circumstances = Circumstances(
            recorded_by_customer=fields.one("recorder", {"employer": False, "customer": True}, usual),
            sector=fields.maybe("sector", Sector),
            call_type=fields.maybe("call_type", CallType),
            segment=segment or Segment.NORMAL,
            conference=config.one("conference", named(Conference), "all"),
            agent_isolated_from_mix=capture == _ISOLATED and not per_leg,
            per_leg=per_leg,
            unlawful_aim=purpose is None,
            targets_eu=facts.flag("targets_eu"),
            public_body=facts.flag("public_body"),
            balancing_test=facts.flag("lia"),
            necessity_documented=facts.flag("necessity_documented"),
            other_proof_exists=facts.flag("other_proof_exists"),
            sampled=facts.flag("sampled"),
            systematic=facts.flag("systematic"),
            special_category=facts.flag("special_category"),
            art13_notice=art13 is not False,
            reuse=facts.flag("reuse"),
            card_data_spoken=facts.flag("card_data_spoken"),
            threat_call=facts.flag("threat_call"),
            order_call="call_content" in facts and facts.one("call_content", {"order": True, "reservation": True}),
            private_place=facts.flag("private_place"),
            biometric_policy_public=facts.flag("biometric_policy_public"),
        )
        for name in _WITHOUT_EFFECT:
            facts.flag(name)
        if "customer_line" in facts:
            facts.one("customer_line", {"mobile": None})
        if capture != "both" and project_mode is not Mode.NONE:
            project_mode = Mode.AGENT_ONLY
        case = Case(
            id=identifier,
            situation=Situation(
                at_ms=at_ms,
                channel=fields.one("channel", named(Channel), "phone"),
                direction=fields.one("direction", named(Direction), "inbound"),
                settings=_settings(project_mode, purpose),
                parties=parties,
                circumstances=circumstances,
            ),
            features=fields.several("features", named(Feature)),
            event=fields.maybe("event", Event) or Event.NONE,
            age=self._age(),
            card_code_stored=card_code,
        )
        for part in (fields, facts, config):
            part.end()
        return case

    def _age(self) -> str | None:
        value = self._fields.take("age")
        if value is None or (isinstance(value, str) and is_duration(value)):
            return value
        raise CaseError(f"the case: age must be an ISO 8601 duration such as P7M, not {json.dumps(value)}.")

    def _parties(
        self, purpose: Purpose | None, basis: LawfulBasis, at_ms: int, art13: bool | None, *, before_consent: bool
    ) -> tuple[PartySituation, ...]:
        tables = self._fields.take("parties")
        if not isinstance(tables, list) or not tables:
            raise CaseError("the case: parties must be a list of at least one.")
        return tuple(
            self._party(Fields(f"party {number}", table), number, purpose, basis, at_ms, art13, before_consent)
            for number, table in enumerate(tables, start=1)
        )

    def _party(
        self,
        fields: Fields,
        number: int,
        purpose: Purpose | None,
        basis: LawfulBasis,
        at_ms: int,
        art13: bool | None,
        before_consent: bool,
    ) -> PartySituation:
        role = fields.one("role", _ROLES)
        agent = role is Role.AGENT
        places = self._places(fields)
        self._recorded_by_customer |= fields.flag("recorder") and role is Role.CUSTOMER
        said = fields.take("consent")
        if before_consent and not agent:
            if said is not None:
                _consent(Fields(f"party {number}, consent", said), purpose, at_ms)
            said = None
        answer = _NOTHING if said is None else _consent(Fields(f"party {number}, consent", said), purpose, at_ms)
        forms = {EmployeeForm.ACKNOWLEDGED: "employee_ack", EmployeeForm.POSTED: "employee_posting"}
        given = {form for form, name in forms.items() if fields.flag(name)}
        daily = fields.maybe("employee_notice_form", _DailyForm)
        party = PartySituation(
            party=PartyId(f"party {number}"),
            role=role,
            places=places,
            # The agent's ground is the employment.
            basis=LawfulBasis.CONTRACT if agent else basis,
            notice_heard=answer.informed or bool(art13),
            employee_notice=fields.flag("employee_notice", True),
            employee_forms=frozenset(given | ({EmployeeForm.DAILY_ELECTRONIC} if daily else set())),
            works_council=fields.flag("works_council_agreement", True),
            release=fields.maybe("biometric_release", Release),
            consent=answer.consent,
            consent_on_recording=answer.on_recording,
            tone_interval_s=answer.interval_s,
        )
        fields.end()
        return party

    def _places(self, fields: Fields) -> tuple[Place, ...]:
        country, region = fields.take("country"), fields.take("region")
        evidence = fields.one("location_source", _EVIDENCE, "declared")
        certain = fields.flag("location_certain", True)
        if country is None:
            if region is not None:
                raise CaseError(f"{fields.where}: a region needs its country.")
            return (_NOWHERE,)
        if not isinstance(country, str) or country not in COUNTRIES:
            raise fields.wrong("country", country, COUNTRIES)
        code = country
        if region is not None:
            code = f"{country}-{region}"
            if not isinstance(region, str) or not _REGION.fullmatch(region):
                raise CaseError(f"{fields.where}: region must be the suffix of an ISO 3166-2 code, such as NY.")
            if country == "US" and region not in self._states:
                raise fields.wrong("region", region, self._states)
        place = Place(code=code, evidence=evidence)
        return (place,) if certain else (place, _NOWHERE)


_NOWHERE = Place(code=None, evidence=PlaceEvidence.UNKNOWN)
_ISOLATED = "agent_isolated_from_mix"


class _DailyForm(StrEnum):
    DAILY_ELECTRONIC = "daily_electronic"


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What somebody said, and how it was put to them."""

    consent: Consent = NO_ANSWER
    informed: bool = False
    on_recording: bool = False
    interval_s: float | None = None


_NOTHING = _Said()


def _consent(fields: Fields, purpose: Purpose | None, at_ms: int) -> _Said:
    word = fields.text("method")
    method = fields.check("method", word, _METHODS)
    given = fields.take("given", True)
    if given is not None and not isinstance(given, bool):
        raise fields.wrong("given", given, ("true", "false", "null"))
    prior, conditional = fields.flag("prior", True), fields.flag("conditional")
    informed, withdrawn = fields.flag("informed", True), fields.flag("withdrawn")
    here = () if purpose is None else (purpose,)
    purposes = fields.several("purposes", {**_PURPOSES, _UNLAWFUL: None}) if "purposes" in fields else here
    on_recording = fields.maybe_flag("on_recording")
    interval_s = fields.seconds("interval_s")
    fields.end()
    if method is Method.CONTINUED_AFTER_NOTICE and on_recording:
        method = Method.ANNOUNCEMENT_ON_RECORDING
    elif method is Method.ANNOUNCEMENT_ON_RECORDING and on_recording is False:
        method = Method.CONTINUED_AFTER_NOTICE
    elif word == "verbal_on_recording" and on_recording is None:
        on_recording = True
    state = {None: ConsentState.UNKNOWN, True: ConsentState.GIVEN, False: ConsentState.REFUSED}[given]
    if withdrawn:
        state = ConsentState.WITHDRAWN
    elif method is None and given:
        # Nobody said anything: no method is no yes.
        state = ConsentState.UNKNOWN
    return _Said(
        consent=Consent(
            state=state,
            purposes=frozenset(each for each in purposes if each is not None),
            method=method,
            notice="case" if informed else None,
            evidence="case",
            question_heard=True,
            conditional=conditional,
            at_ms=at_ms if prior else at_ms + 1,
        ),
        # A tone says nothing of who records and what for.
        informed=informed and method is not Method.TONE,
        on_recording=bool(on_recording),
        interval_s=interval_s,
    )


def _noon(text: str) -> int:
    """ms UTC of a date."""
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise CaseError(f"the case: at must be a date such as {DAY}, not {json.dumps(text)}.") from None
    return (day - datetime.date(1970, 1, 1)).days * 86_400_000 + 43_200_000


def _settings(mode: Mode, purpose: Purpose | None) -> Settings:
    """Those of a case, which names no establishment beyond the places of its people."""
    return Settings(
        project="case",
        controller="case",
        country="",
        policy_address="",
        language="en",
        mode=mode,
        # An unlawful aim closes everything; which purpose it is dressed as is no matter.
        purpose=purpose or Purpose.SECURITY,
        customer_basis=LawfulBasis.CONSENT,
        terms_acknowledged_by="case",
    )
