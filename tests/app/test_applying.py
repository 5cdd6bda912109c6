"""`tallylight.toml` read anew while calls run: F110, F116."""

import asyncio
import dataclasses

import pytest

from tallylight.app.applying import UNTIL_RESTART
from tallylight.config.configuration import Configuration
from tallylight.live.control import CommandRefused, request
from tests.consent.test_wording import shipped
from tests.telephony.b2bua.world import World, in_world, tone

NEW_PROJECT = """
[project.second]
language = "en"
purpose = "training"
basis = "consent"
numbers = ["second"]
"""


def rewrite(world: World, *changes: tuple[str, str]) -> None:
    path = world.server.store.directory / "tallylight.toml"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


async def ordered(world: World) -> dict[str, list[dict[str, str | None]]]:
    found = await asyncio.to_thread(request, world.server.store.directory, "apply")
    assert isinstance(found, dict)
    return found


@in_world(mode="both")
async def test_a_call_keeps_its_settings_while_the_next_has_the_new_ones(world: World) -> None:
    old = world.server.in_force.settings["main"]
    first = await world.dial(talk=tone(5))
    await world.until_asked()
    runner = world.runner()
    rewrite(
        world,
        ("retention_months = 3", "retention_months = 2"),
        ("rtp_ports = [10000", "rtp_ports = [10002"),
        ("[flow]", NEW_PROJECT + "[flow]\nproof_after_s = 5"),
    )
    applied = await ordered(world)
    new = world.server.in_force.settings["main"]
    second = world.server.in_force.settings["second"]
    assert applied == {
        "projects": [
            {"project": "main", "old": old.version, "new": new.version},
            {"project": "second", "old": None, "new": second.version},
        ],
        "restart": ["flow", "sip"],
    }
    assert world.server.store.keyring.has_project("second")
    assert world.server.in_force.settings_for("second") == second
    assert runner.settings == old
    first.press("1")
    await world.until_talking()
    await asyncio.sleep(1)
    first.hang_up()
    await world.until_quiet()
    assert (world.last.settings, world.last.state) == (old.version, "ended")
    later = await world.dial(talk=tone(5))
    await world.until_talking(2)
    later.hang_up()
    await world.until_quiet()
    assert world.last.settings == new.version
    assert (new.retention_months, old.retention_months) == (2, 3)


@in_world(mode="both")
async def test_what_has_not_changed_is_said_and_a_project_may_go(world: World) -> None:
    version = world.server.in_force.settings["main"].version
    assert (await ordered(world)) == {
        "projects": [{"project": "main", "old": version, "new": version}],
        "restart": [],
    }
    rewrite(world, ("[project.main]", "[project.renamed]"))
    changes = {str(each["project"]): each for each in (await ordered(world))["projects"]}
    assert changes["main"] == {"project": "main", "old": version, "new": None}
    assert changes["renamed"]["old"] is None
    rewrite(world, ('purpose = "quality_assurance"', 'numbers = ["elsewhere"]\npurpose = "quality_assurance"'))
    await ordered(world)
    assert world.server.in_force.settings_for("service") is None
    assert world.server.in_force.settings_for("elsewhere") is not None


@in_world(mode="both")
async def test_a_bad_file_changes_nothing(world: World) -> None:
    before = world.server.in_force.settings
    rewrite(world, ("retention_months = 3", "retention_months = 0"))
    with pytest.raises(CommandRefused, match=r"line \d+: project\.main\.retention_months") as refused:
        await ordered(world)
    assert refused.value.code == "config_invalid"
    assert world.server.in_force.settings is before
    rewrite(
        world, ("retention_months = 0", "retention_months = 2"), ('country = "DK"\npolicy', 'country = "SE"\npolicy')
    )
    with pytest.raises(
        CommandRefused, match=r"controller\.country is SE now, and the server started with DK"
    ) as refused:
        await ordered(world)
    assert refused.value.code == "restart_needed"
    assert world.server.in_force.settings is before
    assert world.server.in_force.settings_for("service") == before["main"]
    rewrite(world, ('country = "SE"\npolicy', 'country = "DK"\npolicy'), ("[sip]", '[wording]\nen = "en.toml"\n[sip]'))
    world.server.store.directory.joinpath("en.toml").write_text(shipped("en"), encoding="utf-8")
    with pytest.raises(CommandRefused, match="wordings of your own are others now") as refused:
        await ordered(world)
    assert refused.value.code == "restart_needed"
    assert world.server.in_force.settings is before


@in_world(mode="both")
async def test_a_file_that_is_gone_puts_no_trial_in_its_place(world: World) -> None:
    before = world.server.in_force.settings
    world.server.store.directory.joinpath("tallylight.toml").unlink()
    with pytest.raises(CommandRefused, match=r"tallylight\.toml is gone"):
        await ordered(world)
    assert world.server.in_force.settings is before


def test_every_part_of_the_file_is_applied_or_named() -> None:
    parts = {field.name for field in dataclasses.fields(Configuration)}
    assert parts - set(UNTIL_RESTART.values()) == {
        *("source", "controller", "recording", "projects", "purposes", "trial"),
        *("wording_files", "wordings"),
    }
