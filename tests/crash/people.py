"""People with telephones: callers who say yes, no, nothing or too much, and an agent who answers everybody."""

import asyncio
import contextlib
import random
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable

from tallylight.clock import SystemClock
from tallylight.demo.phone import CallFailed, Phone, PhoneCall, PhoneRing
from tallylight.telephony.rtp.prompt import Prompt
from tallylight.telephony.sip.uri import SipUri
from tests.peers.ports import LOOPBACK, Ports

TALK_S = 40
PRESS_AGAIN_S = 0.25


def babble(seed: int, seconds: float = TALK_S) -> Prompt:
    """Loud noise without end: what a microphone that is open delivers."""
    source = random.Random(seed)
    noise = array("h", (source.randrange(-6000, 6000) for _ in range(8000)))
    return Prompt(noise.tobytes() * round(seconds))


class Agent:
    """Answers every call at once and talks."""

    def __init__(self, port: int, media: tuple[int, int], *, talk: Prompt, answers: bool = True) -> None:
        self.talk = talk
        self._answers = answers
        self._waiting: dict[str, asyncio.Event] = {}
        self.calls: dict[str, PhoneCall] = {}
        """By the caller's user part."""
        self.phone = Phone(SystemClock(), user="agent", port=port, ports=media, on_ring=self._rung)

    @property
    def uri(self) -> str:
        return f"sip:agent@{LOOPBACK}:{self.phone.uri.port}"

    def rung_for(self, caller: str) -> asyncio.Event:
        """Set once a call in this caller's name has come."""
        return self._waiting.setdefault(caller, asyncio.Event())

    def _rung(self, ring: PhoneRing) -> None:
        caller = ring.caller.user or ""
        ring.ring()
        if self._answers:
            call = self.calls[caller] = ring.answer()
            call.leg.play(self.talk)
        self.rung_for(caller).set()

    def hang_up_all(self) -> None:
        for call in self.calls.values():
            leave(call)
        self.calls.clear()


def leave(call: PhoneCall) -> None:
    """Hang up, however far the call has come."""
    if not call.is_over.is_set():
        call.hang_up()


class Caller:
    """One call, placed under a number of its own. `acts` is what the person does once it is answered."""

    def __init__(self, phone: Phone, agent: Agent, number: str, *, talk: Prompt) -> None:
        self.number = number
        self.agent = agent
        self._phone = phone
        self._talk = talk
        self.call: PhoneCall | None = None
        self.consented_s: float | None = None

    async def dial(self, sip_port: int) -> PhoneCall:
        """Call, be answered, and talk from then on. Raises CallFailed."""
        self._phone.user = self.number
        call = self.call = self._phone.call(SipUri(user="service", host=LOOPBACK, port=sip_port))
        await call.until_answered()
        call.leg.play(self._talk)
        return call

    async def press_until_connected(self, key: str) -> None:
        """Press a key again and again until it has counted: the agent rings."""
        call, rung = self.call, self.agent.rung_for(self.number)
        assert call is not None
        while not rung.is_set() and not call.is_over.is_set():
            call.press(key)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(call.unless_over(rung.wait()), PRESS_AGAIN_S)

    # -- kinds of people ----------------------------------------------------------------------------------------------

    async def agrees(self, sip_port: int) -> None:
        """Says yes and talks on."""
        await self.dial(sip_port)
        await self.press_until_connected("1")

    async def refuses(self, sip_port: int) -> None:
        """Says no and talks on."""
        await self.dial(sip_port)
        await self.press_until_connected("2")

    async def stays_silent(self, sip_port: int) -> None:
        """Says nothing to the question."""
        await self.dial(sip_port)

    async def withdraws(self, sip_port: int) -> None:
        """Says yes, talks a second, and takes it back."""
        await self.agrees(sip_port)
        assert self.call is not None
        await self.call.for_seconds(1.0)
        if not self.call.is_over.is_set():
            self.call.press("*2")

    async def is_brief(self, sip_port: int) -> None:
        """Says yes, talks half a second, and hangs up."""
        await self.agrees(sip_port)
        assert self.call is not None
        await self.call.for_seconds(0.5)
        leave(self.call)

    async def runs_away(self, sip_port: int) -> None:
        """Hangs up in the announcement."""
        call = await self.dial(sip_port)
        await call.for_seconds(0.15)
        leave(call)

    def leave(self) -> None:
        if self.call is not None:
            leave(self.call)


async def until_cut(act: Awaitable[None]) -> None:
    """A person whose call is cut by a dying server has nothing to add."""
    with contextlib.suppress(CallFailed):
        await act


@contextlib.asynccontextmanager
async def phones(ports: Ports, count: int) -> AsyncIterator[tuple[Agent, list[Phone]]]:
    """An agent on SIP port 1 who answers, and `count` other phones."""
    async with contextlib.AsyncExitStack() as stack:
        agent = Agent(ports.sip(1), ports.media(4), talk=babble(1))
        await stack.enter_async_context(agent.phone)
        others = []
        for n in range(count):
            low, high = ports.media(5 + n // 2)
            half = (low, low + 49) if n % 2 == 0 else (low + 50, high)
            others.append(await stack.enter_async_context(Phone(SystemClock(), ports=half)))
        yield agent, others


Act = Callable[[Caller, int], Awaitable[None]]
