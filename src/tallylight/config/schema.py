"""The shape of `tallylight.toml`, checked by Pydantic at the edge. Nothing is guessed: an unknown key or value is an error."""

import datetime
import ipaddress
import math
import re
from collections.abc import Callable
from typing import Annotated

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tallylight.config.endpoint import parse_endpoint
from tallylight.config.errors import ConfigError
from tallylight.config.words import (
    BASES,
    CONFERENCES,
    GLOBAL,
    KINDS,
    MODES,
    PURPOSES,
    SECTORS,
    TRANSPORTS,
    one_of,
)

_COUNTRY = re.compile(r"([A-Z]{2})(-[A-Z0-9]{1,3})?")
_SIP_URI = re.compile(r"sip:(?:[^\s@:;<>\"]+@)?[^\s@;<>\"]+", re.IGNORECASE)
_CODE = re.compile(r"\*[0-9]{1,4}")


def _one_of(known: tuple[str, ...]) -> AfterValidator:
    def check(word: str) -> str:
        if word not in known:
            raise ValueError(one_of(word, known))
        return word

    return AfterValidator(check)


def _checked(parse: Callable[[str], object], advice: str) -> AfterValidator:
    def check(text: str) -> str:
        try:
            parse(text)
        except (ValueError, ConfigError):
            raise ValueError(f"{text!r} {advice}") from None
        return text

    return AfterValidator(check)


def _matching(pattern: re.Pattern[str], advice: str) -> AfterValidator:
    def check(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise ValueError(f"{text!r} {advice}")
        return text

    return AfterValidator(check)


def _country(code: str) -> str:
    match = _COUNTRY.fullmatch(code)
    if match is None or match[1] not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(
            f"{code!r} is no country: write its two letters (DK), with the region where law differs (US-CA)"
        )
    return code


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    return text.strip()


def _ports(ports: list[int]) -> list[int]:
    if len(ports) != 2 or not 1024 <= ports[0] < ports[1] <= 65535:
        raise ValueError("write the first and the last port, such as [10000, 19999]")
    return ports


Text = Annotated[str, AfterValidator(_said)]
Country = Annotated[str, AfterValidator(_country)]
ListenAddress = Annotated[str, _checked(parse_endpoint, "is no host with a port, such as 127.0.0.1:5070")]
Network = Annotated[str, _checked(ipaddress.ip_network, "is no network, such as 192.0.2.0/24 or 192.0.2.7")]
Code = Annotated[str, _matching(_CODE, "is no code: a star and one to four digits, such as *2")]
Seconds = Annotated[float, Field(gt=0, le=86_400), AfterValidator(lambda value: _finite(value))]
Months = Annotated[int, Field(ge=1, le=1_200)]


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("it is no number of seconds")
    return value


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ControllerTable(_Table):
    name: Text
    country: Country
    policy_address: Text
    terms_acknowledged_by: Text | None = None


class AgentsTable(_Table):
    country: Country
    employee_notice: bool = False


class BalancingTestTable(_Table):
    id: Text
    approved_by: Text
    approved_on: datetime.date
    review_by: datetime.date


class _PreferencesTable(_Table):
    start_paused: bool | None = None
    agents_hear_others: bool | None = None
    several_receipts: bool | None = None
    attested_consent: bool | None = None
    retention_months: Months | None = None
    receipt_months: Months | None = None


class RecordingTable(_PreferencesTable):
    mode: Annotated[str, _one_of(MODES)] | None = None
    conference: Annotated[str, _one_of(CONFERENCES)] | None = None


class ProjectTable(_PreferencesTable):
    kind: Annotated[str, _one_of(KINDS)] = "omni"
    language: Text
    mode: Annotated[str, _one_of((*MODES, GLOBAL))] | None = None
    conference: Annotated[str, _one_of((*CONFERENCES, GLOBAL))] | None = None
    purpose: Text
    basis: Annotated[str, _one_of(BASES)]
    agent_basis: Annotated[str, _one_of(BASES)] = "contract"
    receipt_basis: Annotated[str, _one_of(BASES)] = "consent"
    proof_ground: Text | None = None
    proof_months: Months = 36
    balancing_test: BalancingTestTable | None = None
    necessity: Text | None = None
    sector: Annotated[str, _one_of(SECTORS)] | None = None
    prompts: bool = True
    minors: bool = False
    spoken_answers: bool = False
    numbers: list[Text] = []


class PurposeTable(_Table):
    judged_as: Annotated[str, _one_of(PURPOSES)]
    term: Text
    words: Annotated[dict[Text, Text], Field(min_length=1)]


class FlowTable(_Table):
    repeat_wait_s: Seconds = 4.0
    agent_ring_s: Seconds = 30.0
    no_media_s: Seconds = 60.0
    max_call_s: Seconds = 14_400.0
    withdraw_code: Code = "*2"
    pause_code: Code = "*3"
    customer_code: Code = "*4"
    receipt_code: Code = "*5"
    minor_code: Code = "*6"
    code_wait_s: Seconds = 2.0
    proof_after_s: Annotated[float, Field(ge=0, le=10)] = 3.0
    prompt_seconds: Annotated[float, Field(ge=0, le=60)] | None = None


class SipTable(_Table):
    listen: ListenAddress | None = None
    advertise: Text | None = None
    connect: Annotated[str, _matching(_SIP_URI, "is no SIP URI, such as sip:agent@192.0.2.7:5060")] | None = None
    transports: Annotated[list[Annotated[str, _one_of(TRANSPORTS)]], Field(min_length=1)] = ["udp", "tcp"]
    allowed: list[Network] = []
    realm: Text = "tallylight"
    credentials: dict[Text, Text] = {}
    outbound_user: Text | None = None
    outbound_password: Text | None = None
    stay_on_udp: list[Text] = []
    rtp_ports: Annotated[list[int], AfterValidator(_ports)] = [10_000, 19_999]


class HttpTable(_Table):
    listen: ListenAddress


class RetentionTable(_Table):
    sweep_minutes: Annotated[int, Field(ge=1, le=1_440)] = 60


class StorageTable(_Table):
    database: (
        Annotated[str, _matching(re.compile(r"postgresql(\+psycopg)?://\S+"), "is no postgresql:// URL")] | None
    ) = None


class FileTable(_Table):
    controller: ControllerTable
    agents: AgentsTable
    recording: RecordingTable = RecordingTable()
    project: Annotated[dict[Text, ProjectTable], Field(min_length=1)]
    purpose: dict[Text, PurposeTable] = {}
    wording: dict[Text, Text] = {}
    flow: FlowTable = FlowTable()
    sip: SipTable = SipTable()
    http: HttpTable | None = None
    retention: RetentionTable = RetentionTable()
    storage: StorageTable = StorageTable()
