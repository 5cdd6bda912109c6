"""The whole of what was chosen, as the other rooms get it."""

import datetime
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

import phonenumbers

from tallylight.config.endpoint import Endpoint

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_SEPARATORS = str.maketrans("", "", " -.()/")


@dataclass(frozen=True, kw_only=True)
class Controller:
    """Who answers for the recordings (Art. 4(7) GDPR)."""

    name: str
    country: str
    """Its establishment: ISO 3166-1 alpha-2, with the region where law differs by it (`US-TX`)."""
    policy_address: str
    """Where the privacy policy is, as it is spoken."""
    terms_acknowledged_by: str | None
    """Who accepted the controller's responsibility; None: nothing may be recorded."""


@dataclass(frozen=True, kw_only=True)
class Agents:
    """The people who answer the calls."""

    country: str
    """Where they sit, as `Controller.country`."""
    employee_notice: bool
    """Whether their employer has told them that calls are recorded, in the form the law there asks."""


@dataclass(frozen=True, kw_only=True)
class BalancingTest:
    """Where a legitimate-interests assessment is on file, and when it holds (Art. 6(1)(f) GDPR)."""

    id: str
    approved_by: str
    approved_on: datetime.date
    review_by: datetime.date
    """The first day on which it no longer holds, unless it was approved anew."""


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """What is chosen for the whole house, or by one project; None: whatever the next level says."""

    mode: str | None = None
    conference: str | None = None
    start_paused: bool | None = None
    agents_hear_others: bool | None = None
    several_receipts: bool | None = None
    attested_consent: bool | None = None
    retention_months: int | None = None
    receipt_months: int | None = None


@dataclass(frozen=True, kw_only=True)
class OwnPurpose:
    """A purpose that the operator names, judged as one of ours."""

    name: str
    judged_as: str
    term: str
    """Of the Data Privacy Vocabulary."""
    words: Mapping[str, str]
    """By language: what joins it to "records this call ..."."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """One line of business: what is recorded, for what, and for how long."""

    name: str
    kind: str = "omni"
    """omni (customer service) or outbound (contact centre)."""
    language: str
    preferences: Preferences = Preferences()
    purpose: str
    basis: str
    """The lawful basis for the customer's voice."""
    agent_basis: str
    receipt_basis: str = "consent"
    """The lawful basis for the customer's voice in a voice receipt."""
    proof_ground: str | None
    """Why proof of consent outlives an erasure; None: it does not."""
    proof_months: int
    balancing_test: BalancingTest | None = None
    """For the basis legitimate_interests; None: there is none, and where law asks for one the customer is not recorded."""
    necessity: str | None = None
    """Why what is said cannot practically be documented another way; None: nobody has stated it, and nothing is recorded."""
    sector: str | None = None
    """Whose duties to record or keep hold as well; None: no regulated one."""
    prompts: bool = True
    """False: no prompt ever delays a call (emergency and relay lines), and nobody is recorded who was not told otherwise."""
    minors: bool = False
    """Whether the callers of this line are children: no prompt ever delays them, and nothing is asked of them."""
    spoken_answers: bool = False
    """Whether callers may also answer aloud, where their language can be recognised (the extra `speech`)."""
    numbers: tuple[str, ...]
    """Dialled numbers (E.164) and SIP users that reach this project; empty: every one that no other project has."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Lengths in seconds, and codes that people key in."""

    repeat_wait_s: float = 4.0
    agent_ring_s: float = 30.0
    no_media_s: float = 60.0
    max_call_s: float = 14_400.0
    withdraw_code: str = "*2"
    pause_code: str = "*3"
    customer_code: str = "*4"
    receipt_code: str = "*5"
    minor_code: str = "*6"
    code_wait_s: float = 2.0
    proof_after_s: float = 3.0
    """How long the proof-of-consent track goes on after our acknowledgement."""
    prompt_seconds: float | None = None
    """Cut every prompt to this length, for tests and benchmarks on loopback; None: as spoken."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """A user and a password."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Sip:
    """Who may call, where we listen, and how we call."""

    listen: Endpoint | None = None
    advertise: str | None = None
    """The address peers reach us at, where it differs from the one we listen on."""
    connect: str | None = None
    """The agent's SIP URI, which every inbound call reaches."""
    transports: tuple[str, ...] = ("udp", "tcp")
    allowed: tuple[IpNetwork, ...] = ()
    """Peers let in by address; nobody is, unless listed."""
    realm: str = "tallylight"
    credentials: tuple[Login, ...] = ()
    """Peers let in by password."""
    outbound: Login | None = None
    """What we answer the agent's server with when it asks who we are."""
    stay_on_udp: tuple[str, ...] = ()
    """Peers, as `host` or `host:port`, that take requests above 1,300 bytes by UDP all the same."""
    rtp_ports: tuple[int, int] = (10_000, 19_999)
    """First and last, both included."""


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How often the running server looks for what is due."""

    sweep_minutes: int = 60


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One installation."""

    source: str
    """The file it came from, or `trial`."""
    controller: Controller
    agents: Agents
    recording: Preferences = Preferences()
    """What holds in every project that does not say otherwise."""
    projects: tuple[Project, ...]
    purposes: tuple[OwnPurpose, ...] = ()
    wording_files: Mapping[str, str] = field(default_factory=dict)
    """The operator's own wordings by language, as paths in the data directory."""
    wordings: Mapping[str, str] = field(default_factory=dict)
    """What these files hold."""
    flow: Flow
    sip: Sip
    http: Endpoint | None
    retention: Retention
    database: str | None
    """A postgresql:// URL; None: SQLite in the data directory."""
    trial: bool
    """The built-in profile, marked TRIAL in every explanation."""

    def project(self, name: str) -> Project | None:
        return next((project for project in self.projects if project.name == name), None)

    def project_for(self, dialled: str) -> Project | None:
        """The project a number or SIP user reaches; None: no project has it, and none takes the rest."""
        wanted = dialled_form(dialled, self.controller.country)
        for project in self.projects:
            if wanted in project.numbers:
                return project
        return next((project for project in self.projects if not project.numbers), None)


def dialled_form(text: str, country: str) -> str:
    """The one spelling of a dialled number or SIP user: E.164 where it is a number in `country`, else without case."""
    bare = text.strip().translate(_SEPARATORS)
    try:
        number = phonenumbers.parse(bare, country.partition("-")[0])
    except phonenumbers.NumberParseException:
        return text.strip().casefold()
    if bare.removeprefix("+").isdecimal() and phonenumbers.is_possible_number(number):
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return text.strip().casefold()
