"""Recordings given out for an agent: their own, and others' where the settings kept with the conversation say so."""

import dataclasses

import pytest

from tallylight.catalogue.errors import NotForAgentError
from tallylight.catalogue.listening import Listener
from tallylight.catalogue.versions import keep_settings
from tallylight.database.engine import read_only
from tallylight.database.events import read_stream
from tests.catalogue.house import AGENT, CUSTOMER, SETTINGS, Call, House

HEAR_OTHERS = dataclasses.replace(SETTINGS, agents_hear_others=True)
OTHER = Listener(address="sip:other@127.0.0.1")
NOBODY = "sip:anonymous@anonymous.invalid"


def actors(house: House, call: Call) -> list[str]:
    with read_only(house.engine) as connection:
        return [event.actor for event in read_stream(connection, call.id) if event.type == "RecordingAccessed"]


def test_an_agent_hears_their_own_call_and_is_the_actor(house: House) -> None:
    call = Call(house).accepted().speak(3000).sealed()
    for own in (AGENT, AGENT.upper().replace("SIP:", "sip:")):
        played = house.playback().play(call.id, "customer", actor="operator", listener=Listener(address=own))
        assert played.stored_ms > 0
    assert actors(house, call) == [call.agent, call.agent]


@pytest.mark.parametrize("listener", [OTHER, Listener(address=CUSTOMER), Listener(address=NOBODY)])
def test_nobody_else_hears_it_and_the_ledger_has_nothing(house: House, listener: Listener) -> None:
    """An address on the call that is no agent's is nobody's there."""
    call = Call(house).accepted().speak(3000).sealed()
    with pytest.raises(NotForAgentError, match="their own recordings alone") as refused:
        house.playback().play(call.id, "customer", actor="operator", listener=listener)
    assert refused.value.code == "not_for_agent"
    assert actors(house, call) == []


def test_others_hear_it_where_the_settings_of_that_call_say_so(house: House) -> None:
    house.commit(lambda work: keep_settings(work.connection, house.workspace, HEAR_OTHERS))
    call = Call(house, settings=HEAR_OTHERS).accepted().speak(3000).sealed()
    assert house.playback().play(call.id, "agent", actor="operator", listener=OTHER).stored_ms > 0
    assert actors(house, call) == ["operator"]


def test_two_withheld_agents_are_not_one_person(house: House) -> None:
    call = Call(house, agent=NOBODY).accepted().sealed()
    assert Listener(address=NOBODY).party_in(house.entry(call.id)) is None
    assert Listener(address=AGENT).party_in(house.entry(Call(house, agent=None).accepted().id)) is None
