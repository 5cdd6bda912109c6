"""A whole house in virtual time: the real server, two or more real phones, SIP and RTP networks in memory."""

import asyncio
import contextlib
import gc
import logging
from array import array
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

from tallylight.app.server import ServeOptions, Server
from tallylight.catalogue.history import read_history
from tallylight.catalogue.queries import ConversationEntry, list_conversations
from tallylight.config.endpoint import Endpoint
from tallylight.conversation.events import Event, LampsChanged
from tallylight.database.engine import read_only
from tallylight.database.faults import FaultyCommits
from tallylight.demo.phone import Phone, PhoneCall, PhoneRing
from tallylight.ids import PartyId
from tallylight.law.vocabulary import Purpose, Role
from tallylight.live.runner import ConversationRunner
from tallylight.policy.decision import Lamp
from tallylight.speech.synthesis import ToneSynthesiser
from tallylight.telephony.b2bua.inbound import InboundCall
from tallylight.telephony.rtp.negotiated import Address
from tallylight.telephony.rtp.network import MemoryNetwork, MemorySocket
from tallylight.telephony.rtp.prompt import Prompt
from tallylight.telephony.sip.codec import Request, Response, parse
from tallylight.telephony.sip.network import Hop, Transport
from tallylight.telephony.sip.simulated import SimulatedInternet, SimulatedNetwork
from tallylight.telephony.sip.uri import SipUri
from tallylight.vault.errors import RecordError
from tallylight.vault.frame import SOURCE_OURS, Frame
from tallylight.vault.keys import EpochKind
from tallylight.vault.seal import read_object
from tallylight.vault.tables import read_epochs
from tests.telephony.b2bua.virtual import LoopClock, VirtualLoop, run
from tests.telephony.sip.making import request

SERVER = "127.0.0.1"
AGENT = "127.0.0.2"
CALLER = "127.0.0.3"
NUMBER = "+4520123456"
PROMPT_S = 0.4

CONFIGURATION = """\
[controller]
name = "Example Ltd"
country = "DK"
policy_address = "example.com/privacy"
terms_acknowledged_by = "tests"

[agents]
country = "DK"
employee_notice = true

[project.main]
language = "en"
mode = "{mode}"
necessity = "tests"
purpose = "quality_assurance"
basis = "{basis}"
retention_months = 3
{project}

[flow]
{flow}

[sip]
allowed = ["127.0.0.0/8"]
rtp_ports = [{first}, {last}]
{sip}
"""


class Remembering(ToneSynthesiser):
    """Makes each tone once for all tests."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[str, str, int | None], bytes] = {}

    async def speak(self, text: str, *, language: str, words_per_minute: int | None = None) -> bytes:
        key = (text, language, words_per_minute)
        if key not in self._known:
            self._known[key] = await super().speak(text, language=language, words_per_minute=words_per_minute)
        return self._known[key]


VOICE = Remembering()


class Wire:
    """One machine's part of a network in memory."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network
        self._sockets: list[MemorySocket] = []

    def bind(self, address: Address) -> MemorySocket:
        self._sockets = [known for known in self._sockets if self._network.sockets.get(known.address) is known]
        made = self._network.bind(address)
        self._sockets.append(made)
        return made

    def poll(self, hurried: bool, /) -> list[tuple[int, int]]:
        return [(found.fileno(), 1) for found in self._sockets if found.queue and found.hurried is hurried]

    def close(self) -> None:
        for open_port in self._sockets:
            open_port.close()


class Routed(SimulatedNetwork):
    """A machine that sends everything to the house, whatever host it is meant for."""

    def send(self, data: bytes, hop: Hop, failed: Callable[[], None]) -> None:
        super().send(data, replace(hop, host=SERVER, port=5060), failed)


def tone(seed: int, seconds: float = 3600.0) -> Prompt:
    """Somebody who talks without end, told apart by level."""
    return Prompt(array("h", [1000 * seed, -1000 * seed] * 4000).tobytes() * max(1, round(seconds)))


@dataclass
class Agent:
    """What the agent's phone does when it rings. Every call it took is in `calls`, every ring in `rings`."""

    answer_s: float | None = 0.5
    """None: rings for ever."""
    refuse: int | None = None
    rings_at_all: bool = True
    answer_sdp: bytes | None = None
    """Answers with this instead of a session."""
    rings: list[PhoneRing] = field(default_factory=list)
    calls: list[PhoneCall] = field(default_factory=list)
    talk: Prompt | None = None
    loop: VirtualLoop | None = None

    def rung(self, ring: PhoneRing) -> None:
        self.rings.append(ring)
        if self.refuse is not None:
            ring.refuse(self.refuse)
            return
        if self.rings_at_all:
            ring.ring()
        if self.answer_s is not None:
            assert self.loop is not None
            self.loop.call_later(self.answer_s, self.take, ring)

    def take(self, ring: PhoneRing) -> PhoneCall | None:
        if ring.over:
            return None
        if self.answer_sdp is not None:
            ring.answer_with(self.answer_sdp)
            return None
        call = ring.answer()
        self.calls.append(call)
        if self.talk is not None:
            call.leg.play(self.talk)
        return call


class Raw:
    """A peer that sends what it is told to and keeps what it gets."""

    def __init__(self, world: "World", host: str) -> None:
        self._world = world
        self._host = host
        self._network = world.internet.node(host)
        self.got: list[Request | Response] = []
        starting = self._network.start(lambda data, source: self.got.append(parse(data)))
        with contextlib.suppress(StopIteration):
            starting.send(None)

    def open_port(self, port: int) -> MemorySocket:
        return self._world.media.bind((self._host, port))

    def send(self, data: bytes) -> None:
        self._network.send(data, Hop(transport=Transport.UDP, host=SERVER, port=5060), lambda: None)

    def final(self, method: str) -> Response:
        """The last final answer to a method."""
        return [
            message
            for message in self.got
            if isinstance(message, Response) and message.status >= 200 and message.method == method
        ][-1]

    def acknowledge(self, answer: Response, body: bytes = b"") -> None:
        self.send(self._within("ACK", answer, cseq=1, body=body))

    def bye(self, answer: Response) -> None:
        self.send(self._within("BYE", answer, cseq=2))

    def _within(self, method: str, answer: Response, *, cseq: int, body: bytes = b"") -> bytes:
        uri = answer.headers.get("to")[0].split("<")[1].split(">")[0]
        return request(
            method,
            host=self._host,
            uri=uri,
            cseq=cseq,
            branch=f"z9hG4bK{method}{cseq}",
            to_tag=answer.to_tag,
            body=body,
        )

    def ok(self, received: Request) -> None:
        """200 to a request."""
        lines = [f"Via: {via}" for via in received.headers.get("via")]
        lines += [f"{name.title()}: {received.headers.get(name)[0]}" for name in ("from", "to", "call-id", "cseq")]
        self.send(("SIP/2.0 200 OK\r\n" + "\r\n".join(lines) + "\r\nContent-Length: 0\r\n\r\n").encode())


class World:
    """The house, its phones, and what can be seen of them from outside."""

    def __init__(
        self,
        loop: VirtualLoop,
        server: Server,
        internet: SimulatedInternet,
        media: MemoryNetwork,
        agent: Agent,
        phone: Phone,
        commits: FaultyCommits,
    ) -> None:
        self.loop = loop
        self.server = server
        self.internet = internet
        self.media = media
        self.agent = agent
        self.phone = phone
        self.commits = commits
        self.clock = LoopClock(loop)
        self.stalled = False
        """Let time go on while a commit stands still."""

    # -- acting -------------------------------------------------------------------------------------------------------

    async def dial(self, user: str = NUMBER, *, talk: Prompt | None = None, host: str = CALLER) -> PhoneCall:
        """Call the house and be answered; `talk` from then on."""
        self.phone.user, self.phone.host = user, host
        return await self.dial_from(self.phone, talk=talk)

    async def dial_from(self, phone: Phone, *, talk: Prompt | None = None) -> PhoneCall:
        """As `dial`, from another phone."""
        call = phone.call(SipUri(user="service", host=SERVER, port=5060))
        await call.until_answered()
        if talk is not None:
            call.leg.play(talk)
        return call

    async def until(self, true: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until something is so."""
        deadline = self.loop.time() + seconds
        while not true():
            assert self.loop.time() < deadline, "it never came to be"
            await asyncio.sleep(0.01)

    async def until_asked(self, call: InboundCall | None = None) -> None:
        """Wait until the question has been heard to its end."""
        runner = self.runner(call)
        customer = self.party(Role.CUSTOMER, runner)

        def heard() -> bool:
            question = runner.state.parties[customer].question
            return question is not None and question.heard

        await self.until(heard)

    async def until_talking(self, calls: int = 1) -> PhoneCall:
        """Wait until the agent has taken so many calls; the latest."""
        await self.until(lambda: len(self.agent.calls) >= calls)
        await asyncio.sleep(0.1)
        return self.agent.calls[-1]

    async def until_quiet(self) -> None:
        """Wait until every call is over and everything of it written, sealed and put away."""
        await self.until(lambda: not self.server.switchboard.calls, 120)
        await asyncio.sleep(40)
        with contextlib.suppress(RecordError):  # closed by the test
            await asyncio.to_thread(self.server.log.sync)
        gc.collect()

    async def add_phone(
        self,
        host: str,
        *,
        number: str = NUMBER,
        on_ring: Callable[[PhoneRing], object] | None = None,
        routed: bool = False,
    ) -> Phone:
        """Another phone, started; `leave` takes it away again. `routed`: the house is its outbound proxy."""
        phone = Phone(
            self.clock,
            user=number,
            ports=(30_000, 30_099),
            on_ring=on_ring,
            host=host,
            network=Routed(self.internet, host, 5060, frozenset(Transport)) if routed else self.internet.node(host),
            media=Wire(self.media),
        )
        await phone.__aenter__()
        return phone

    async def leave(self, phone: Phone) -> None:
        await phone.__aexit__()

    def raw(self, host: str) -> "Raw":
        """A peer that does only what the test writes."""
        return Raw(self, host)

    def sent_ms(self, method: bytes, host: str) -> int:
        """When a request of this method first went to a host."""
        return next(
            sent.at_ms for sent in self.internet.sent if sent.data.startswith(method + b" ") and sent.target[0] == host
        )

    # -- looking ------------------------------------------------------------------------------------------------------

    @property
    def inbound(self) -> InboundCall:
        """The only running call."""
        (call,) = self.server.switchboard.calls
        return call

    def runner(self, call: InboundCall | None = None) -> ConversationRunner:
        runner = (call or self.inbound).runner
        assert runner is not None
        return runner

    @staticmethod
    def party(role: Role, runner: ConversationRunner) -> PartyId:
        return next(party.party for party in runner.state.parties.values() if party.role is role)

    def lamp(self, role: Role, call: InboundCall | None = None) -> Lamp:
        """The lamp as it burns."""
        runner = self.runner(call)
        return runner.lamps()[self.party(role, runner)]

    def listed(self) -> list[ConversationEntry]:
        """Every conversation in the catalogue, oldest first."""
        store = self.server.store
        with read_only(store.engine) as connection:
            page = list_conversations(connection, workspace=store.workspace, keys=store.keyring)
        return list(page.conversations)

    @property
    def last(self) -> ConversationEntry:
        return self.listed()[-1]

    def track(self, role: Role, purpose: Purpose, entry: ConversationEntry | None = None) -> list[Frame]:
        """The frames of a sealed track, in order; none where there is none."""
        store, entry = self.server.store, entry or self.last
        frames: list[Frame] = []
        for party in entry.parties:
            for track in party.tracks:
                if party.role is role and track.purpose is purpose and track.state == "sealed":
                    with read_only(store.engine) as connection:
                        (row,) = read_epochs(connection, track.track, workspace=store.workspace)
                    assert track.path is not None
                    frames += read_object(store.objects, track.path, store.keyring.open_epoch(row))
        return sorted(frames, key=lambda frame: frame.start_ms)

    def events(self, entry: ConversationEntry | None = None) -> list[Event]:
        """A conversation's history."""
        store = self.server.store
        with read_only(store.engine) as connection:
            return list(read_history(connection, store.workspace, (entry or self.last).conversation).events)

    def opened_decisions(self, entry: ConversationEntry) -> bool:
        """Whether each stored frame names a decision under which that party's lamp was red at that time (promise 1)."""
        decided = [event for event in self.events(entry) if isinstance(event, LampsChanged)]
        for party in entry.parties:
            for purpose in Purpose:
                for frame in self.track(party.role, purpose, entry):
                    if party.role is not Role.SYSTEM and frame.source == SOURCE_OURS:
                        continue
                    change = next(event for event in decided if event.decision_id == frame.decision)
                    assert change.decision.lamp(party.party) is Lamp.RECORDING
                    assert frame.start_ms >= change.offset_ms
                    for later in decided[decided.index(change) + 1 :]:
                        if later.decision.lamp(party.party) is not Lamp.RECORDING:
                            assert frame.start_ms + frame.duration_ms <= later.offset_ms
        return True

    def talk(self, role: Role, entry: ConversationEntry | None = None) -> list[Frame]:
        return self.track(role, Purpose.QUALITY_ASSURANCE, entry)

    def consent(self, entry: ConversationEntry | None = None) -> str:
        return next(party.consent for party in (entry or self.last).parties if party.role is Role.CUSTOMER)

    def open_things(self) -> dict[str, int]:
        """What a call may hold on to."""
        server = self.server
        return {
            "timers": self.loop.timers,
            "tasks": len(asyncio.all_tasks()),
            "legs": server.desk.engine.legs,
            "ports": sum(host == SERVER for host, _ in self.media.sockets),
            "sip calls": len(server.desk.user_agent.calls),
            "transactions": server.desk.user_agent.transactions_alive,
            "calls": len(server.switchboard.running),
            "live keys": sum(
                epoch.kind is EpochKind.LIVE and not epoch.forgotten
                for epoch in getattr(server.store.keyring, "_epochs").values()  # noqa: B009
            ),
            "log streams": len(getattr(server.log, "_streams")) + len(getattr(server.log, "_epochs")),  # noqa: B009
        }

    def faults(self) -> dict[str, int]:
        """What must never happen."""
        return {
            "sip": self.server.desk.user_agent.counters.observer_errors,
            "dropped": self.server.desk.user_agent.counters.dropped["internal_error"],
            "rtp": self.server.desk.engine.faults,
            "loop": len(self.loop.faults),
        }


class Options(TypedDict, total=False):
    """What a house may be like: words of its `tallylight.toml`."""

    mode: str
    basis: str
    project: str
    flow: str
    sip: str
    prompt_s: float | None
    """Every prompt is cut to this; None: as spoken."""
    ports: tuple[int, int]
    seed: int


@asynccontextmanager
async def open_world(
    loop: VirtualLoop,
    data: Path,
    **options: Unpack[Options],
) -> AsyncIterator[World]:
    """A house with an agent's and a caller's phone."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    first, last = options.get("ports", (10_000, 10_199))
    cut = options.get("prompt_s", PROMPT_S)
    path = data / "tallylight.toml"
    path.write_text(
        CONFIGURATION.format(
            mode=options.get("mode", "both"),
            basis=options.get("basis", "consent"),
            project=options.get("project", ""),
            flow=options.get("flow", "") + ("" if cut is None else f"\nprompt_seconds = {cut}"),
            sip=options.get("sip", ""),
            first=first,
            last=last,
        )
    )
    path.chmod(0o600)
    clock = LoopClock(loop)
    internet, media, commits = SimulatedInternet(clock, seed=options.get("seed", 1)), MemoryNetwork(), FaultyCommits()
    agent = Agent(loop=loop)
    async with AsyncExitStack() as stack:
        server = await Server.start(
            ServeOptions(data=data, sip=Endpoint(host=SERVER, port=5060), connect=f"sip:agent@{AGENT}:5060"),
            stack,
            clock=clock,
            faults=commits,
            network=internet.node(SERVER),
            media=Wire(media),
            synthesiser=VOICE,
        )
        phones = [
            await stack.enter_async_context(
                Phone(
                    clock,
                    user=user,
                    ports=(20_000, 20_199),
                    on_ring=on_ring,
                    host=host,
                    network=internet.node(host),
                    media=Wire(media),
                )
            )
            for user, host, on_ring in (("agent", AGENT, agent.rung), (NUMBER, CALLER, None))
        ]
        world = World(loop, server, internet, media, agent, phones[1], commits)
        loop.busy = lambda: world_is_writing(world)
        await asyncio.sleep(0.05)
        yield world
        await server.end_calls()


def world_is_writing(world: World) -> bool:
    """Whether a commit is on its way, unless it is made to stand still."""
    if world.stalled:
        return False
    return any(runner.in_flight for runner in world.server.switchboard.running)


Scene = Callable[[World], Coroutine[object, object, None]]


def in_world(
    *, errors: int = 0, unsealed: bool = False, **options: Unpack[Options]
) -> Callable[[Scene], Callable[[Path, pytest.LogCaptureFixture], None]]:
    """A test that plays `scene` in a house of its own: afterwards nothing is open and nothing went wrong.

    `errors`: how many lines of the log may say that something failed. `unsealed`: tracks may wait for another try.
    """

    def decorate(scene: Scene) -> Callable[[Path, pytest.LogCaptureFixture], None]:
        def test(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
            async def main(loop: VirtualLoop) -> None:
                async with open_world(loop, tmp_path, **options) as world:
                    before = world.open_things()
                    await scene(world)
                    await world.until_quiet()
                    after = world.open_things()
                    left = {name: (before[name], count) for name, count in after.items() if count != before[name]}
                    assert not left.keys() - ({"live keys", "log streams", "timers"} if unsealed else set()), left
                    assert set(world.faults().values()) == {0}

            caplog.set_level(logging.INFO)
            run(main)
            failed = [record for record in caplog.records if record.levelno >= logging.ERROR]
            assert len(failed) <= errors, [record.getMessage() for record in failed]
            said = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("tallylight"))
            assert NUMBER not in said
            assert NUMBER.removeprefix("+") not in said

        test.__name__, test.__doc__, test.__module__ = scene.__name__, scene.__doc__, scene.__module__
        return test

    return decorate
