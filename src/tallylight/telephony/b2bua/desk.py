"""What every call of this process shares, seen from a call."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from tallylight.clock import Clock
from tallylight.consent.objection import StandingObjection
from tallylight.consent.standing_yes import StandingYes
from tallylight.law.pack import Pack
from tallylight.live.runner import ConversationRunner
from tallylight.live.services import LiveServices
from tallylight.policy.settings import Settings
from tallylight.policy.situation import Place
from tallylight.speech.recognition import AnswerRecogniser
from tallylight.telephony.flow.prompts import Prompts
from tallylight.telephony.flow.settings import FlowSettings
from tallylight.telephony.rtp.engine import MediaEngine
from tallylight.telephony.sip.agent import UserAgent
from tallylight.telephony.sip.board import Credentials
from tallylight.telephony.sip.uri import SipUri


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Joined once by the composition root."""

    clock: Clock
    live: LiveServices
    pack: Pack
    flow: FlowSettings
    prompts: Prompts
    engine: MediaEngine
    user_agent: UserAgent
    agent_place: Place
    """Where the agents sit."""
    agent_employee_notice: bool
    """Whether the agents have been given the employee notice."""
    outbound_credentials: Credentials | None
    places_of: Callable[[str], tuple[Place, ...]]
    """Where somebody with this canonical address may be."""
    objection_of: Callable[[str], Coroutine[object, object, StandingObjection | None]]
    """The standing objection of somebody with this canonical address."""
    standing_yes_of: Callable[[str, Settings], Coroutine[object, object, StandingYes | None]]
    """The standing yes of somebody with this canonical address that carries a whole call under these settings."""
    canonical: Callable[[str], str]
    """Any spelling of an address to its canonical one."""
    caller_uri: Callable[[SipUri], SipUri]
    """In whose name the agent is called: the caller's user part at our host."""
    register: Callable[[ConversationRunner], None]
    """The conversation has begun: commands may reach it."""
    close_conversation: Callable[[ConversationRunner, str, bool], Awaitable[None]]
    """End a conversation with an outcome (and whether it was abandoned) and see its tracks sealed."""
    settings_for: Callable[[SipUri], Settings]
    """The project that a called number belongs to."""
    recogniser: AnswerRecogniser | None = None
    """Hears answers, in projects that let people speak them; None: people press keys."""
