"""A data folder in which two calls were recorded, and the command run on copies of it."""

import dataclasses
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tallylight.app.store import open_store
from tallylight.catalogue.versions import keep_pack, keep_settings
from tallylight.cli.commands import app
from tallylight.clock import VirtualClock
from tallylight.conversation.commands import RefuseConsent
from tallylight.conversation.events import ConversationStarted, Event, LampsChanged
from tallylight.conversation.situation import situation
from tallylight.conversation.state import ConversationState, apply
from tallylight.database.writer import Transaction
from tallylight.ids import ConversationId, new_id
from tallylight.law.pack import default_files, load
from tallylight.law.vocabulary import Method, Role
from tallylight.policy.decide import decide
from tests.conversation.making import Talk as Conversation
from tests.live.conftest import Talk, open_house
from tests.policy.making import SETTINGS

Run = Callable[..., Result]

CUSTOMER = "+4520123456"
AGENT = "sip:agent@127.0.0.1"


@dataclass(frozen=True)
class Recorded:
    """A folder and what is in it: a customer who said yes, and one who said no."""

    directory: Path
    accepted: str
    refused: str
    customer: str
    """The party id of the one who said yes."""


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    directory = tmp_path_factory.mktemp("recorded")
    with open_house(directory, VirtualClock(time.time_ns() // 1_000_000 - 3_600_000)) as house:
        yes = Talk(house)
        yes.ask()
        house.clock.advance(1)
        yes.say_yes()
        house.settle()
        house.clock.advance(0.5)
        agent = yes.join(Role.AGENT, AGENT)
        yes.speak(yes.customer, 2_000)
        yes.speak(agent, 1_000)
        yes.end()
        no = Talk(house)
        no.ask()
        house.clock.advance(1)
        at = no.runner.offset_ms()
        refusal = RefuseConsent(party=no.customer, method=Method.DIGIT, evidence=f"digit 2 at {at} ms", offset_ms=at)
        assert no.runner.command(refusal) is None
        house.settle()
        house.clock.advance(0.5)
        agent = no.join(Role.AGENT, AGENT)
        no.speak(no.customer, 1_000)
        no.speak(agent, 1_000)
        no.end()
    return Recorded(
        directory=directory,
        accepted=str(yes.runner.conversation),
        refused=str(no.runner.conversation),
        customer=str(yes.customer),
    )


@pytest.fixture
def recorded(original: Recorded, tmp_path: Path) -> Recorded:
    """A copy of one's own."""
    directory = tmp_path / "data"
    shutil.copytree(original.directory, directory)
    return Recorded(
        directory=directory, accepted=original.accepted, refused=original.refused, customer=original.customer
    )


@dataclass(frozen=True)
class OldLaw:
    """A folder with a conversation that was judged by other law data than those that ship."""

    directory: Path
    conversation: ConversationId
    pack: str


@pytest.fixture
def old_law(recorded: Recorded) -> OldLaw:
    """Denmark's rule on employees had another name then."""
    danish = default_files()["dk.toml"].replace(b'"DK.employee"', b'"DK.employee.2018"')
    files = {**default_files(), "dk.toml": danish}
    pack = load(files)
    conversation = ConversationId(new_id(time.time_ns() // 1_000_000))
    events: list[Event] = []
    state = ConversationState()
    for event in Conversation().agreed().events:
        if isinstance(event, ConversationStarted):
            event = dataclasses.replace(event, conversation=conversation, pack=pack.hash)
        elif isinstance(event, LampsChanged):
            event = dataclasses.replace(event, decision=decide(situation(state, SETTINGS), pack))
        events.append(event)
        state = apply(state, event)
    store = open_store(recorded.directory, owner=True)

    def write(transaction: Transaction) -> None:
        keep_settings(transaction.connection, store.workspace, SETTINGS)
        keep_pack(transaction.connection, store.workspace, files)
        store.chronicle.record(transaction, conversation, events, actor="engine")

    store.writer.submit(write, workspace=store.workspace).result(30)
    store.close()
    return OldLaw(directory=recorded.directory, conversation=conversation, pack=pack.hash)


@pytest.fixture
def run() -> Run:
    """Run the command; a bug is raised, not swallowed."""

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)

    return invoke


def error(result: Result) -> dict[str, str]:
    """The error a command with --json put on stderr."""
    found: dict[str, dict[str, str]] = json.loads(result.stderr)
    return found["error"]
