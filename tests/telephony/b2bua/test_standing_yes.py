"""A caller who has agreed in advance, in whole calls: told, not asked, recorded from then on, and free to say no."""

import asyncio
import dataclasses
from typing import Any

import pytest

from tallylight.app.standing import agreed_to, standing_yes_json
from tallylight.catalogue.explanation import explain
from tallylight.catalogue.receipts import receipt_facts
from tallylight.catalogue.steps import StepName
from tallylight.consent.receipts import dpv
from tallylight.consent.standing_yes import StandingYes
from tallylight.conversation.events import (
    ConsentGiven,
    ConsentRefused,
    ConsentRequested,
    ConsentWithdrawn,
    NoticeGiven,
)
from tallylight.database.engine import read_only
from tallylight.ids import new_id
from tallylight.law.pack import default_pack
from tallylight.law.vocabulary import Method, Purpose, Role
from tallylight.live.control import CommandRefused, request
from tallylight.policy.decision import Lamp
from tallylight.policy.retention import add_months
from tallylight.policy.settings import Settings
from tallylight.policy.standing_yes import day_of
from tests.telephony.b2bua.world import NUMBER, World, in_world, tone

ON, OFF = Lamp.RECORDING, Lamp.OFF


def text(until: str, purpose: str = "for quality assurance") -> str:
    return (
        f"Example Ltd records and stores my calls {purpose}, for three months each, until {until}. Our service is the same"
        " without. To withdraw: *2 during the call, afterwards at example.com/privacy."
    )


def agree(world: World, *, months: int = 12, until: str | None = None) -> StandingYes:
    store = world.server.store
    until = until or day_of(add_months(store.clock.wall_ms(), months))
    agreed = agreed_to(
        store,
        purpose="quality_assurance",
        until=until,
        text=text(until),
        language="en",
        evidence="form signed at the counter",
    )
    return world.server.standing_yeses.give(NUMBER, agreed, actor="operator")


def lamps(world: World) -> tuple[Lamp, Lamp]:
    return world.lamp(Role.CUSTOMER), world.lamp(Role.AGENT)


def asked(world: World) -> bool:
    return any(isinstance(event, ConsentRequested) for event in world.events())


@in_world(prompt_s=2.0)
async def test_told_not_asked_and_recorded_from_then_on(world: World) -> None:
    standing = agree(world)
    call = await world.dial(talk=tone(5))
    await asyncio.sleep(1.5)
    assert world.lamp(Role.CUSTOMER) is OFF, "not before they are told"
    await world.until_talking()
    await asyncio.sleep(3)
    assert lamps(world) == (ON, ON)
    call.hang_up()
    await world.until_quiet()
    events = world.events()
    (given,) = [event for event in events if isinstance(event, ConsentGiven)]
    assert (given.method, given.evidence, given.standing) == (Method.WRITTEN, f"standing yes {standing.id}", standing)
    assert not asked(world)
    (told,) = [event for event in events if isinstance(event, NoticeGiven)]
    assert told.text.startswith("Example Ltd records and stores this call and your voice for quality assurance")
    assert "press star two at any time" in told.text
    talk = world.talk(Role.CUSTOMER)
    assert 0 <= talk[0].start_ms - told.offset_ms <= 250
    assert world.opened_decisions(world.last)
    assert world.track(Role.CUSTOMER, Purpose.PROOF_OF_CONSENT) == [], "what proves it is the text"
    assert world.consent() == "given"
    assert world.server.standing_yeses.all() == (standing,)
    the_history_tells_it(world, standing)


def the_history_tells_it(world: World, standing: StandingYes) -> None:
    store, entry = world.server.store, world.last
    with read_only(store.engine) as connection:
        told: dict[str, Any] = explain(
            connection, workspace=store.workspace, conversation=entry.conversation, today=default_pack()
        ).to_json()
        facts, _ = receipt_facts(
            connection,
            workspace=store.workspace,
            keys=store.keyring,
            conversation=entry.conversation,
            who="customer",
            withdraw_code="*2",
            issued_ms=store.clock.wall_ms(),
        )
    expires = standing_yes_json(standing)["expires"]
    (consent,) = {  # one answer from its giving on
        tuple(segment["consent"].items())
        for segment in told["timeline"]
        if segment["role"] == "customer" and segment["lamp"] == "recording"
    }
    assert dict(consent)["method"] == "written"
    assert (dict(consent)["notice"], dict(consent)["expires"]) == (standing.notice, expires)
    assert told["replay"]["agrees"] is True
    (steps,) = (each["steps"] for each in told["steps"] if each["role"] == "customer")
    held = {step["step"]: step["held"] for step in steps}
    assert held == {name: name is not StepName.CONSENT_ON_RECORDING for name in StepName}
    said = {step["step"]: step["sentence"] for step in steps}
    assert f"until {expires}), to the text with the SHA-256 {standing.notice}" in said[StepName.CONSENT]
    assert "the yes was given in advance and is not on the recording" in said[StepName.CONSENT_ON_RECORDING]
    record: dict[str, Any] = dpv.record(facts)
    (status,) = record["dpv:hasConsentStatus"]
    assert status["dpv:hasDuration"] == {"@type": "dpv:UntilTimeDuration", "rdf:value": expires}
    assert status["dpv:hasNotice"] == f"urn:sha256:{standing.notice}"
    assert standing.text in [notice["rdf:value"] for notice in record["dpv:hasNotice"]]


@in_world()
async def test_the_code_ends_the_recording_and_the_standing_yes_and_the_next_call_asks(world: World) -> None:
    agree(world)
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    await asyncio.sleep(2)
    assert lamps(world) == (ON, ON)
    call.press("*2")
    await world.until(lambda: world.lamp(Role.CUSTOMER) is OFF, 1.5)
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "withdrawn"
    assert world.talk(Role.CUSTOMER) == []
    assert world.server.standing_yeses.all() == ()
    again = await world.dial(talk=tone(5))
    await world.until_asked()
    again.press("2")
    await world.until_talking(2)
    again.hang_up()
    await world.until_quiet()


@in_world(prompt_s=2.0)
async def test_a_no_while_they_are_told_ends_it_and_they_hear_what_became_of_it(world: World) -> None:
    agree(world)
    call = await world.dial(talk=tone(5))
    await asyncio.sleep(0.5)
    call.press("*2")
    await world.until_talking()
    from_sample = len(call.ear.samples)
    await asyncio.sleep(4)
    assert max(call.ear.samples[from_sample:]) > 1000, "the notice is over, and the agent is silent"
    assert lamps(world) == (OFF, ON)
    call.hang_up()
    await world.until_quiet()
    assert world.talk(Role.CUSTOMER) == []
    assert world.server.standing_yeses.all() == ()


@in_world(errors=4)
async def test_a_no_that_the_database_takes_late_ends_it_all_the_same(world: World) -> None:
    agree(world)
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    await asyncio.sleep(1)
    world.commits.fail(world.commits.next)
    call.press("*2")
    await world.until(lambda: world.lamp(Role.CUSTOMER) is OFF, 1.5)
    await asyncio.sleep(5)
    assert world.server.standing_yeses.all() == ()
    call.hang_up()
    await world.until_quiet()
    assert [type(event) for event in world.events() if isinstance(event, ConsentWithdrawn)] == [ConsentWithdrawn]


@in_world(flow="max_call_s = 7200")
async def test_one_that_could_run_out_during_the_call_asks(world: World) -> None:
    store = world.server.store
    tomorrow = day_of(store.clock.wall_ms() + 86_400_000)
    standing = agree(world, until=tomorrow)
    left_s = (standing.expires_ms - store.clock.wall_ms()) / 1000
    await asyncio.sleep(left_s - 7201)
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    call.hang_up()
    await world.until_quiet()
    assert not asked(world), "a second more than the longest call"
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("2")
    await world.until_talking(2)
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "refused"


@in_world()
async def test_taken_back_in_writing_it_ends_on_a_running_call(world: World) -> None:
    standing = agree(world)
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    await asyncio.sleep(2)
    assert lamps(world) == (ON, ON)
    directory = world.server.store.directory
    now_ms = world.server.store.clock.wall_ms()
    other = dataclasses.replace(standing, id=new_id(now_ms), purpose="training", given_ms=now_ms)
    world.server.standing_yeses.give(NUMBER, other, actor="operator")
    back: dict[str, Any] = {"person": "20 12 34 56", "purpose": "quality_assurance", "evidence": "mail"}
    await asyncio.to_thread(lambda: request(directory, "take_back", **back))
    assert lamps(world) == (OFF, ON)
    call.hang_up()
    await world.until_quiet()
    (withdrawn,) = [event for event in world.events() if isinstance(event, ConsentWithdrawn)]
    assert (withdrawn.method, withdrawn.evidence.endswith(" taken back")) == (Method.WRITTEN, True)
    assert world.server.standing_yeses.all() == (other,), "to that purpose alone"
    assert world.talk(Role.CUSTOMER) == []


@in_world()
async def test_an_objection_goes_before_it_and_ends_it(world: World) -> None:
    agree(world)
    directory = world.server.store.directory
    await asyncio.to_thread(request, directory, "object", person=NUMBER, evidence="letter")
    assert world.server.standing_yeses.all() == ()
    until = day_of(add_months(world.server.store.clock.wall_ms(), 3))
    said: dict[str, Any] = {"purpose": "quality_assurance", "until": until, "text": text(until), "language": "en"}
    with pytest.raises(CommandRefused) as refused:
        await asyncio.to_thread(request, directory, "agree", person=NUMBER, evidence="form", **said)
    assert refused.value.code == "objection_stands"
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    await asyncio.sleep(1)
    assert lamps(world) == (OFF, ON)
    call.hang_up()
    await world.until_quiet()
    assert not any(isinstance(event, ConsentGiven) for event in world.events())


@in_world(errors=1)
async def test_one_that_cannot_be_looked_up_is_none(world: World) -> None:
    agree(world)

    async def unknown(address: str, settings: Settings) -> None:
        raise OSError("the disk is gone")

    object.__setattr__(world.server.desk, "standing_yes_of", unknown)
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    await world.until_talking()
    call.hang_up()
    await world.until_quiet()
    (given,) = [event for event in world.events() if isinstance(event, ConsentGiven)]
    assert given.standing is None
    assert len(world.server.standing_yeses.all()) == 1


@in_world(errors=1)
async def test_a_no_that_is_not_theirs_leaves_it(world: World) -> None:
    """Where objections cannot be looked up nobody is recorded, and nobody has taken anything back."""
    standing = agree(world)

    async def unknown(address: str) -> None:
        raise OSError("the disk is gone")

    object.__setattr__(world.server.desk, "objection_of", unknown)
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    await asyncio.sleep(1)
    assert lamps(world) == (OFF, ON)
    call.hang_up()
    await world.until_quiet()
    assert any(isinstance(event, ConsentRefused) for event in world.events())
    assert world.server.standing_yeses.all() == (standing,)


@in_world()
async def test_a_project_that_has_changed_since_asks(world: World) -> None:
    agree(world)
    in_force = world.server.in_force
    in_force.settings = {
        name: dataclasses.replace(each, retention_months=6) for name, each in in_force.settings.items()
    }
    await world.server.desk.prompts.prepare(in_force.settings.values())
    await asyncio.to_thread(keep, world)
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("2")
    await world.until_talking()
    call.hang_up()
    await world.until_quiet()


def keep(world: World) -> None:
    from tallylight.app.store import keep_projects

    keep_projects(world.server.store, world.server.in_force.settings)


@in_world(mode="agent_only_allow_customer")
async def test_where_the_agent_decides_they_are_told_when_it_comes_to_them(world: World) -> None:
    agree(world)
    call = await world.dial(talk=tone(5))
    agent = await world.until_talking()
    await asyncio.sleep(1)
    assert lamps(world) == (OFF, ON)
    agent.press("*4")
    await world.until(lambda: lamps(world) == (ON, ON), 10)
    call.hang_up()
    await world.until_quiet()
    texts = [event.text for event in world.events() if isinstance(event, NoticeGiven)]
    assert "Your own voice is not recorded unless we tell you first." in texts[0]
    assert "this call and your voice" in texts[1]
    assert not asked(world)


@in_world()
async def test_a_hidden_caller_and_another_number_are_asked(world: World) -> None:
    agree(world)
    for number, user in enumerate(("anonymous", "+4520123457"), start=1):
        call = await world.dial(user, talk=tone(5))
        await world.until_asked()
        call.press("2")
        await world.until_talking(number)
        call.hang_up()
        await world.until_quiet()
        assert world.consent() == "refused"
    assert len(world.server.standing_yeses.all()) == 1


@in_world()
async def test_who_understands_no_language_of_ours_is_not_recorded_on_it(world: World) -> None:
    world.phone.languages = ("fi", "sv")
    agree(world)
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    await asyncio.sleep(1)
    assert lamps(world) == (OFF, ON)
    call.hang_up()
    await world.until_quiet()


@in_world()
async def test_one_that_takes_too_long_to_find_is_none(world: World) -> None:
    agree(world)

    async def slow(address: str, settings: Settings) -> None:
        await asyncio.sleep(10)

    object.__setattr__(world.server.desk, "standing_yes_of", slow)
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    # 2 s, the notice, the question.
    assert 2.8 <= world.runner().offset_ms() / 1000 <= 3.2
    call.press("2")
    await world.until_talking()
    call.hang_up()
    await world.until_quiet()


@in_world()
async def test_an_erasure_in_mid_call_takes_it_and_what_rests_on_it(world: World) -> None:
    standing = agree(world)
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    await asyncio.sleep(2)
    assert lamps(world) == (ON, ON)
    store = world.server.store
    answer: Any = await asyncio.to_thread(request, store.directory, "erase", person="20 12 34 56")
    assert (answer["state"], answer["found"]) == ("complete", True)
    assert answer["outcome"]["standing_yeses"] == [standing.id]
    assert lamps(world) == (OFF, ON)
    call.hang_up()
    await world.until_quiet()
    assert world.server.standing_yeses.all() == ()
    assert not any(isinstance(event, ConsentGiven) for event in world.events()), "the text went with the act"
    again = await world.dial(talk=tone(5))
    await world.until_asked()
    again.press("2")
    await world.until_talking(2)
    again.hang_up()
    await world.until_quiet()
