"""Two softphones that nobody here wrote (baresip) on one call: agree, talk, hold the recording, withdraw."""

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest

from tests import needs
from tests.peers.baresip import Baresip
from tests.peers.evening import ONCE, Checks, examine
from tests.peers.house import NOTHING_STORED, Conversation, House, served
from tests.peers.ports import LOOPBACK, Ports
from tests.peers.sound import LOUD, RATE, Samples, compare, find, loudness, speech
from tests.peers.wire import Wire, keys, voice

FIGURES = logging.getLogger(__name__)
"""What was measured: shown by --log-cli-level INFO."""

pytestmark = [needs.baresip]

FLOW = "prompt_seconds = 0.6\nrepeat_wait_s = 3\nproof_after_s = 0.5"
LONG_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Evening:
    """One call, looked at while it went on and afterwards."""

    house: House
    call: Conversation
    paused_s: tuple[float, float]
    """When the agent paused and went on, since our 200 OK."""
    before: Samples
    """The customer's track while the call went on, before the withdrawal."""
    before_agent: Samples
    said: dict[str, Samples]
    heard: dict[str, Samples]
    wire: Wire | None
    """What went over the wire, where we may look."""


@pytest.fixture(scope="module")
def evening(ports: Ports, prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    folder = tmp_path_factory.mktemp("softphones")
    with ExitStack() as stack:
        wire = stack.enter_context(Wire(ports)) if os.geteuid() == 0 else None
        agent = stack.enter_context(
            Baresip(folder / "agent", "agent", ports, 6, speech=speech(LONG_S, voice=1), answers=True)
        )
        caller = stack.enter_context(
            Baresip(folder / "caller", "+4520600001", ports, 7, speech=speech(LONG_S, voice=0))
        )
        house = stack.enter_context(
            served(folder, ports, prompts=prompts, agent=f"sip:agent@{LOOPBACK}:{agent.port}", flow=FLOW)
        )
        caller.dial(house.address)
        caller.until("CALL_ESTABLISHED")
        conversation = str(house.until(lambda: house.status(), "call")[0]["conversation"])
        house.until(lambda: _offset_s(house) > 1.5, "end of the question")
        caller.press("1")
        house.until(lambda: _lamp(house, "customer") == "recording", "red lamp")
        agent.until("CALL_ESTABLISHED")
        house.until(lambda: _lamp(house, "agent") == "recording", "red lamp")
        talk_s = _offset_s(house)
        house.until(lambda: _offset_s(house) > talk_s + 4, "4 s of talk")
        agent.press("*3")
        house.until(lambda: _lamp(house, "customer") == _lamp(house, "agent") == "paused", "amber lamps")
        paused_s = _offset_s(house)
        house.until(lambda: _offset_s(house) > paused_s + 2, "2 s of pause")
        resumed_s = _offset_s(house)
        agent.press("*3")
        house.until(lambda: _lamp(house, "customer") == _lamp(house, "agent") == "recording", "red lamps")
        again_s = _offset_s(house)
        house.until(lambda: _offset_s(house) > again_s + 3.5, "3.5 s of talk")
        before = house.export(conversation, "customer")
        before_agent = house.export(conversation, "agent")
        caller.press("*2")
        house.until(lambda: _lamp(house, "customer") == "off", "dark lamp")
        withdrawn_s = _offset_s(house)
        house.until(lambda: _offset_s(house) > withdrawn_s + 1.5, "1.5 s of talk")
        caller.hang_up()
        house.until_idle()
        (call,) = house.recordings()
        yield Evening(
            house=house, call=call, paused_s=(paused_s, resumed_s), before=before, before_agent=before_agent,
            said={"caller": caller.said(), "agent": agent.said()},
            heard={"caller": caller.heard(), "agent": agent.heard()}, wire=wire,
        )  # fmt: skip


def check_the_customer_agreed_and_withdrew(evening: Evening) -> None:
    customer = evening.call.party("customer")
    assert (customer.address, customer.consent, customer.stored_s) == ("+4520600001", "withdrawn", 0)
    assert evening.call.outcome == "completed"
    done = evening.house.command(
        "recordings", "export", evening.call.id, "--party", "customer", "--out", evening.house.data.parent / "no.wav"
    )
    assert done.returncode == NOTHING_STORED
    evening.house.verify_ledger()


def check_each_hears_what_the_other_says(evening: Evening) -> None:
    """Pieces of what each said, found in what the other heard: always at the same distance."""
    for speaks, hears in (("caller", "agent"), ("agent", "caller")):
        said, heard = evening.said[speaks], evening.heard[hears]
        matches = [
            (find(said[at : at + RATE // 2], heard), at)
            for at in range(5 * RATE, 10 * RATE, RATE // 2)
            if loudness(said[at : at + RATE // 2]) > 300
        ]
        good = [match for match, _ in matches if match.correlation > 0.9]
        FIGURES.info(f"{speaks} to {hears}: {[round(match.correlation, 3) for match, _ in matches]}")
        assert len(good) >= len(matches) * 0.6, "it heard something else"


def check_what_was_stored_is_what_was_said(evening: Evening) -> None:
    """Before the withdrawal, which erases it: the export of a running call, piece by piece found in what was said."""
    for role, stored in (("caller", evening.before), ("agent", evening.before_agent)):
        pieces = [stored[at : at + RATE // 10] for at in range(3 * RATE, 7 * RATE, RATE // 10)]
        matches = [find(piece, evening.said[role]).correlation for piece in pieces if loudness(piece) > LOUD]
        FIGURES.info(f"{role}: {len(matches)} stored pieces found in what was said: {median(matches):.4f}")
        assert len(matches) > 3
        assert median(matches) > 0.99


def check_what_was_stored_lies_where_it_was_said(evening: Evening) -> None:
    if evening.wire is None:
        pytest.skip("needs root: the wire is listened to through a packet socket")
    caller, agent = evening.wire.caller("+4520600001"), evening.wire.agent("+4520600001")
    until_s = len(evening.before) / RATE - 0.5
    for leg, role, stored in ((caller, "customer", evening.before), (agent, "agent", evening.before_agent)):
        sent = voice(evening.wire.to_house(leg), caller.ok_ns)
        likeness = compare(sent, stored, (2.5, evening.paused_s[0] - 1), (evening.paused_s[1] + 1, until_s))
        FIGURES.info(f"{role}: {likeness}")
        assert likeness.correlation > 0.99
        assert abs(likeness.offset_ms) <= 40


def check_no_code_reached_the_other_side(evening: Evening) -> None:
    if evening.wire is None:
        pytest.skip("needs root: the wire is listened to through a packet socket")
    caller, agent = evening.wire.caller("+4520600001"), evening.wire.agent("+4520600001")
    assert keys(evening.wire.to_house(caller)) == "1*2"
    assert keys(evening.wire.to_house(agent)) == "*3*3"
    assert keys(evening.wire.from_house(caller)) == keys(evening.wire.from_house(agent)) == ""


def check_nothing_of_the_pause_is_stored_of_anybody(evening: Evening) -> None:
    from_s, until_s = evening.paused_s
    for stored in (evening.before, evening.before_agent, evening.house.export(evening.call.id, "agent")):
        assert not stored[int((from_s + 0.1) * RATE) : int(until_s * RATE)].any()
        assert loudness(stored[int((until_s + 0.5) * RATE) : int((until_s + 3) * RATE)]) > 100


def check_the_agents_track_goes_on_after_the_withdrawal(evening: Evening) -> None:
    assert len(evening.house.export(evening.call.id, "agent")) > len(evening.before_agent) + RATE


CHECKS: Checks = [
    (check_the_customer_agreed_and_withdrew, ONCE),
    (check_each_hears_what_the_other_says, ONCE),
    (check_what_was_stored_is_what_was_said, ONCE),
    (check_what_was_stored_lies_where_it_was_said, ONCE),
    (check_no_code_reached_the_other_side, ONCE),
    (check_nothing_of_the_pause_is_stored_of_anybody, ONCE),
    (check_the_agents_track_goes_on_after_the_withdrawal, ONCE),
]


def test_two_softphones_on_one_call(evening: Evening, subtests: pytest.Subtests) -> None:
    examine(evening, CHECKS, subtests)


def _offset_s(house: House) -> float:
    (call,) = house.status()
    offset_ms = call["offset_ms"]
    assert isinstance(offset_ms, int)
    return offset_ms / 1000


def _lamp(house: House, role: str) -> str:
    (call,) = house.status()
    parties = call["parties"]
    assert isinstance(parties, list)
    return next((str(party["lamp"]) for party in parties if party["role"] == role), "")
