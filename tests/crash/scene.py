"""A server of this process with real phones around it, its disk, its commits and its clock in the test's hands."""

import asyncio
import contextlib
import http.client
import threading
import time
from array import array
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tallylight.app.server import ServeOptions, Server
from tallylight.clock import Clock
from tallylight.config.endpoint import Endpoint
from tallylight.database.faults import FaultyCommits
from tallylight.demo.phone import Phone, PhoneCall
from tallylight.health.alarms import AlarmKind
from tallylight.ids import PartyId
from tallylight.law.vocabulary import Role
from tallylight.live.runner import ConversationRunner
from tallylight.policy.decision import Lamp
from tallylight.telephony.rtp.outgoing import AudioSink
from tallylight.vault.disk import FaultyDisk, RealDisk
from tallylight.vault.recovery import scan
from tests.crash.evidence import House, look_inside
from tests.crash.people import Agent, Caller, babble, phones
from tests.crash.serving import SHORT_PROMPTS, furnish, spoken_once
from tests.peers.ports import LOOPBACK, Ports

T = TypeVar("T")

POLL_S = 0.02
PULL_S = 0.005
PATIENCE_S = 20.0


async def until(found: Callable[[], T | None], what: str, *, seconds: float = PATIENCE_S) -> T:
    """Look again and again until there is something."""
    deadline = time.monotonic() + seconds
    while True:
        result = found()
        if result:
            return result
        assert time.monotonic() < deadline, f"no {what} within {seconds} s"
        await asyncio.sleep(POLL_S)


@contextlib.asynccontextmanager
async def as_it_comes(*calls: PhoneCall) -> AsyncIterator[None]:
    """A leg hands its voice on five times a second; within this context these do at once, so that packets can be timed."""

    async def pull() -> None:
        while True:
            for call in calls:
                call.leg.hand_over()
            await asyncio.sleep(PULL_S)

    pulling = asyncio.ensure_future(pull())
    try:
        yield
    finally:
        pulling.cancel()


class Arrivals:
    """When each packet reached a phone, `as_it_comes`: an `AudioSink` in front of the phone's ear."""

    def __init__(self, inner: AudioSink) -> None:
        self._inner = inner
        self.times = array("d")

    def accept(self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes) -> None:
        self.times.append(time.monotonic())
        self._inner.accept(start_ms, duration_ms, payload_type, payload)

    def longest_gap_s(self, from_s: float, until_s: float) -> float:
        """Between two packets, the ends of the stretch included; times on the monotonic clock."""
        within = [at for at in self.times if from_s <= at <= until_s]
        return max(after - before for before, after in zip([from_s, *within], [*within, until_s], strict=True))


class Watch:
    """How long this machine kept even an idle thread from running: no fault of the program's."""

    TICK_S = 0.005

    def __init__(self) -> None:
        self.worst_s = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            before = time.monotonic()
            if self._over.wait(self.TICK_S):
                return
            self.worst_s = max(self.worst_s, time.monotonic() - before - self.TICK_S)


@dataclass(kw_only=True)
class Scene:
    """A running server and the people around it."""

    data: Path
    server: Server
    agent: Agent
    disk: FaultyDisk
    commits: FaultyCommits
    _phones: list[Phone]
    _numbers: list[str] = field(default_factory=list)

    @property
    def sip_port(self) -> int:
        return self.server.sip_endpoint.port

    def caller(self) -> Caller:
        """The next person with a phone and a number of their own."""
        n = len(self._numbers)
        self._numbers.append(f"+45201001{n:02d}")
        return Caller(self._phones[n % len(self._phones)], self.agent, self._numbers[-1], talk=babble(n + 2))

    async def conversation(self, caller: Caller) -> ConversationRunner:
        """The caller's conversation in the server, once there is one."""

        def find() -> ConversationRunner | None:
            for call in self.server.switchboard.calls:
                if call.address == caller.number and call.runner is not None:
                    return call.runner
            return None

        return await until(find, f"conversation of {caller.number}")

    async def connected(self, caller: Caller, key: str = "1") -> tuple[ConversationRunner, PhoneCall, PhoneCall]:
        """The caller has answered with `key` and talks with the agent: the conversation, the two phones' calls."""
        call = await caller.dial(self.sip_port)
        runner = await self.conversation(caller)
        await caller.press_until_connected(key)
        agents = await until(lambda: self.agent.calls.get(caller.number), "agent's call")
        await until(lambda: party_of(runner, Role.AGENT), "agent's party")
        return runner, call, agents

    async def recording(self, caller: Caller, *, ms: int = 400) -> tuple[ConversationRunner, PhoneCall, PhoneCall]:
        """As `connected`, with a yes, and so much of the caller is durable."""
        runner, call, agents = await self.connected(caller)
        customer = party_of(runner, Role.CUSTOMER)
        assert customer is not None
        await until(lambda: runner.tracks.stored_ms(customer) >= ms, "durable media of the caller")
        return runner, call, agents

    async def idle(self) -> None:
        """Every call has ended and is sealed."""
        await until(lambda: not self.server.switchboard.running, "end of all calls")

    async def alarm(self, kind: AlarmKind) -> None:
        """An alarm of this kind was raised; it is in the metrics too."""
        await until(lambda: self.server.store.alarms.counts().get(kind), f"alarm {kind.value}")
        assert f'tallylight_alarms_total{{kind="{kind.value}"}}' in await self.get("/metrics")

    async def get(self, path: str) -> str:
        """A page of the server's HTTP side."""
        endpoint = self.server.http_endpoint
        assert endpoint is not None

        def fetch() -> str:
            connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=10)
            try:
                connection.request("GET", path)
                return connection.getresponse().read().decode()
            finally:
                connection.close()

        return await asyncio.to_thread(fetch)

    @contextlib.asynccontextmanager
    async def inside(self) -> AsyncIterator[House]:
        """A look into the folder, as the commands have it."""
        house = await asyncio.to_thread(look_inside, self.data)
        try:
            yield house
        finally:
            await asyncio.to_thread(house.store.close)

    def logged_tracks(self) -> set[str]:
        """The tracks with a record in the live log's files."""
        return {str(records.track) for records in scan(self.data / "live").epochs.values()}

    async def both_hear(self, *calls: PhoneCall, seconds: float = 0.4) -> None:
        """From now on each of these phones hears `seconds` of sound that is no silence."""
        for call in calls:
            from_ms = call.leg.media_ms

            def heard(call: PhoneCall = call, from_ms: int = from_ms) -> bool:
                loud_ms = call.ear.last_loud_ms
                return loud_ms is not None and loud_ms >= from_ms + seconds * 1000

            await until(heard, "sound from the other side")


def party_of(runner: ConversationRunner, role: Role) -> PartyId | None:
    """The only party in this role, if it has joined."""
    found = [party.party for party in runner.state.parties.values() if party.role is role]
    return found[0] if found else None


def lamp_of(runner: ConversationRunner, role: Role) -> Lamp:
    """The lamp of the only party in this role, as it burns."""
    party = party_of(runner, role)
    assert party is not None
    return runner.lamps()[party]


@contextlib.asynccontextmanager
async def serving(
    data: Path,
    ports: Ports,
    prompts: Path,
    *,
    flow: str = SHORT_PROMPTS,
    project: str = "",
    clock: Clock | None = None,
    people: int = 2,
    agent_answers: bool = True,
) -> AsyncIterator[Scene]:
    """A server on `data`, until the context ends: then every call is ended and sealed as at SIGTERM."""
    furnish(data, ports, flow=flow, project=project)
    disk, commits = FaultyDisk(RealDisk()), FaultyCommits()
    async with phones(ports, people) as (agent, others), contextlib.AsyncExitStack() as stack:
        options = ServeOptions(
            data=data,
            sip=Endpoint(host=LOOPBACK, port=ports.sip(0)),
            http=Endpoint(host=LOOPBACK, port=0),
            connect=agent.uri,
        )
        with spoken_once(data, prompts):
            server = await Server.start(options, stack, clock=clock, disk=disk, faults=commits)
        yield Scene(data=data, server=server, agent=agent, disk=disk, commits=commits, _phones=others)
        disk.heal()
        commits.recover()
        await server.end_calls()
