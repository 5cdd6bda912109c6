"""Whole calls at random, seeded: whatever people and networks do, the promises hold and nothing is left open."""

import asyncio
import random
from pathlib import Path

import pytest

from tallylight.catalogue.explanation import explain
from tallylight.catalogue.queries import ConversationEntry
from tallylight.conversation.events import ConsentGiven, NoticeGiven, QuestionHeard
from tallylight.database.engine import read_only
from tallylight.demo.phone import CallFailed, PhoneCall
from tallylight.law.pack import default_pack
from tallylight.law.vocabulary import Role
from tallylight.telephony.sip.simulated import Weather
from tests.telephony.b2bua.world import World, in_world, tone

SEEDS = range(6)
CALLS = 4
ACTS = 14


class Person:
    """Does this and that with one call."""

    def __init__(self, dice: random.Random, call: PhoneCall) -> None:
        self._dice = dice
        self._call = call

    def act(self, keys: str) -> None:
        call, dice = self._call, self._dice
        if call.is_over.is_set():
            return
        match dice.randrange(12):
            case 0 | 1 | 2 | 3:
                call.press(dice.choice(keys))
            case 4:
                call.press(dice.choice(("*2", "*3", "*", "12", "21", "9")))
            case 5:
                call.send_info("application/dtmf-relay", f"Signal={dice.choice(keys)}\r\n".encode())
            case 6:
                call.hold()
            case 7:
                call.unhold()
            case 8:
                call.leg.outgoing.forbid()
            case 9 if dice.random() < 0.4:
                call.hang_up()
            case _:
                call.leg.play(tone(dice.randrange(2, 9)))


async def one_call(world: World, dice: random.Random) -> None:
    agent = world.agent
    agent.answer_s = dice.choice((0.05, 0.5, 3.0, None))
    agent.refuse = dice.choice((None, None, None, 486, 503))
    taken = len(agent.calls)
    try:
        call = await world.dial(talk=tone(5))
    except CallFailed:
        return
    caller = Person(dice, call)
    keys = dice.choice(("1", "2", "129*", "1239*#0"))
    for _ in range(ACTS):
        await asyncio.sleep(dice.choice((0.013, 0.11, 0.4, 1.7)))
        caller.act(keys)
        for taken_call in agent.calls[taken:]:
            if dice.random() < 0.5:
                Person(dice, taken_call).act("3*5")
    if not call.is_over.is_set():
        call.hang_up()
    await world.until(lambda: not world.server.switchboard.calls, 200)


def check(world: World, entry: ConversationEntry) -> None:
    """Promises 1 to 4 for one conversation."""
    assert entry.state == "ended"
    assert world.opened_decisions(entry)
    events = world.events(entry)
    told = [event.offset_ms for event in events if isinstance(event, NoticeGiven)]
    heard = [event.offset_ms for event in events if isinstance(event, QuestionHeard)]
    given = [event.offset_ms for event in events if isinstance(event, ConsentGiven)]
    customer, agent = world.talk(Role.CUSTOMER, entry), world.talk(Role.AGENT, entry)
    if customer:
        assert world.consent(entry) == "given"
        assert customer[0].start_ms >= max(given[0], heard[0], told[0])
    if agent:
        assert agent[0].start_ms >= told[0]
    with read_only(world.server.store.engine) as connection:
        explained = explain(
            connection,
            workspace=world.server.store.workspace,
            conversation=entry.conversation,
            today=default_pack(),
        )
    assert explained.replay.checked > 0
    assert explained.replay.differences == ()
    assert all(step.held for person in explained.steps for step in person.steps)


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_at_random(seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dice = random.Random(seed)

    @in_world(seed=seed, flow="agent_ring_s = 4.0\nno_media_s = 10.0\nrepeat_wait_s = 1.0", ports=(10_000, 10_019))
    async def scene(world: World) -> None:
        world.internet.weather = Weather(
            loss=dice.choice((0.0, 0.0, 0.1)),
            duplication=dice.choice((0.0, 0.1)),
            delay_min_s=0.001,
            delay_max_s=dice.choice((0.001, 0.02, 0.2)),
        )
        for _ in range(CALLS):
            await one_call(world, dice)
        world.internet.weather = Weather()
        await world.until_quiet()
        for entry in world.listed():
            check(world, entry)

    scene(tmp_path, caplog)
