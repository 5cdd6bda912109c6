"""One conversation on virtual media time, over a real database, a real ledger, real keys and a real live log."""

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tallylight.app.store import Store, open_store, prepare_projects
from tallylight.clock import VirtualClock
from tallylight.conversation.commands import (
    GiveConsent,
    GiveNotice,
    HearQuestion,
    JoinParty,
    RequestConsent,
)
from tallylight.database.faults import FaultyCommits
from tallylight.ids import PartyId, new_id
from tallylight.law.vocabulary import Direction, Method, Role
from tallylight.live.runner import ConversationRunner
from tallylight.live.sealing import Sealer
from tallylight.live.services import LiveServices
from tallylight.policy.settings import Settings
from tallylight.policy.situation import Place, PlaceEvidence
from tallylight.vault.disk import FaultyDisk, RealDisk
from tallylight.vault.live_log import LiveLog

DENMARK = (Place(code="DK", evidence=PlaceEvidence.DECLARED),)
PACKET_MS = 20


@dataclass
class House:
    """Everything below a conversation, and the hands to drive it."""

    clock: VirtualClock
    store: Store
    log: LiveLog
    disk: FaultyDisk
    commits: FaultyCommits
    services: LiveServices
    sealer: Sealer
    settings: Settings
    posted: "queue.SimpleQueue[Callable[[], None]]"

    def start(self) -> ConversationRunner:
        from tallylight.law.pack import default_pack

        return ConversationRunner(
            self.services, settings=self.settings, pack=default_pack(), direction=Direction.INBOUND
        )

    def settle(self, commits: int = 1) -> None:
        """Wait for so many commits to be reported back, and act on them."""
        for _ in range(commits):
            self.posted.get(timeout=20)()

    def drain(self) -> None:
        """Act on whatever has been reported back by now."""
        while True:
            try:
                self.posted.get_nowait()()
            except queue.Empty:
                return


class Talk:
    """A conversation with its two people."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.runner = house.start()
        house.settle()
        self.customer = self.join(Role.CUSTOMER, "+4520123456")
        self.agent: PartyId | None = None

    def join(self, role: Role, address: str) -> PartyId:
        party = PartyId(new_id(self.house.clock.wall_ms()))
        refusal = self.runner.command(
            JoinParty(
                party=party,
                role=role,
                places=DENMARK,
                basis=self.house.settings.customer_basis if role is Role.CUSTOMER else self.house.settings.agent_basis,
                employee_notice=role is Role.AGENT,
                offset_ms=self.runner.offset_ms(),
            ),
            address=address,
        )
        assert refusal is None
        self.house.settle()
        return party

    def ask(self) -> None:
        """Told and asked, to the end of the question."""
        at = self.runner.offset_ms()
        for command in (
            GiveNotice(
                party=self.customer,
                notice="0" * 64,
                text="We record.",
                language="en",
                purposes=frozenset({self.house.settings.purpose}),
                offset_ms=at,
            ),
            RequestConsent(
                party=self.customer,
                purposes=frozenset({self.house.settings.purpose}),
                notice="1" * 64,
                offset_ms=at,
            ),
            HearQuestion(party=self.customer, offset_ms=at),
        ):
            assert self.runner.command(command) is None
            self.house.settle()

    def say_yes(self) -> None:
        at = self.runner.offset_ms()
        yes = GiveConsent(party=self.customer, method=Method.DIGIT, evidence=f"digit 1 at {at} ms", offset_ms=at)
        assert self.runner.command(yes) is None

    def speak(self, party: PartyId, ms: int, level: int = 0x20) -> None:
        """`ms` of sound from a party, packet by packet, as time goes by."""
        for _ in range(ms // PACKET_MS):
            start = self.runner.offset_ms()
            self.house.clock.advance(PACKET_MS / 1000)
            self.runner.tracks.capture(party).accept(start, PACKET_MS, 0, bytes([level]) * (PACKET_MS * 8))

    def end(self, outcome: str = "completed", *, abandoned: bool = False) -> None:
        """End it and seal it, as the server does."""
        done: list[bool] = []
        self.runner.end(outcome, abandoned=abandoned, done=lambda: done.append(True))
        while not done:
            try:
                self.house.posted.get(timeout=0.05)()
            except queue.Empty:
                self.house.clock.advance(0.1)
        assert self.house.sealer.seal_conversation(
            self.runner.conversation,
            self.house.settings.project,
            self.runner.tracks.expected_ms(),
            self.runner.offset_ms(),
        )


@contextmanager
def open_house(directory: Path, clock: VirtualClock) -> Iterator[House]:
    """A data folder as a server has it open, on a clock of its own."""
    commits, disk = FaultyCommits(), FaultyDisk(RealDisk())
    store = open_store(directory, owner=True, clock=clock, faults=commits)
    _, settings = prepare_projects(store)
    alarms: list[object] = []
    log = LiveLog(store.live_folder, on_alarm=alarms.append, disk=disk)
    posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    services = LiveServices(
        clock=clock,
        writer=store.writer,
        keyring=store.keyring,
        log=log,
        chronicle=store.chronicle,
        alarms=store.alarms,
        post=posted.put,
    )
    sealer = Sealer(
        workspace=store.workspace,
        clock=clock,
        engine=store.engine,
        writer=store.writer,
        keyring=store.keyring,
        objects=store.objects,
        chronicle=store.chronicle,
        alarms=store.alarms,
        metrics=store.metrics,
        read=log.read,
        release=log.release,
    )
    yield House(
        clock=clock,
        store=store,
        log=log,
        disk=disk,
        commits=commits,
        services=services,
        sealer=sealer,
        settings=settings["trial"],
        posted=posted,
    )
    log.close(2.0)
    store.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, VirtualClock()) as opened:
        yield opened


@pytest.fixture
def talk(house: House) -> Talk:
    return Talk(house)
