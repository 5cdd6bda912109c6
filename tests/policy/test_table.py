"""The whole table of the Danish project: mode, answer, notice, pause, hold and start paused, party by party."""

import dataclasses
import itertools

import pytest

from tallylight.law.vocabulary import Mode
from tallylight.policy.decision import Lamp
from tallylight.policy.situation import PAUSED_BY_SETTINGS, Consent, ConsentState
from tests.policy.making import AGENT, CUSTOMER, SETTINGS, SYSTEM, SYSTEM_PARTY, YES, agent, customer, lamps, situation

ANSWERS = {state: YES if state is ConsentState.GIVEN else Consent(state=state) for state in ConsentState}
PAUSES = {"running": None, "paused": "operator", "start paused": PAUSED_BY_SETTINGS}


def expected(mode: Mode, answer: ConsentState, *, told: bool, pause: str, on_hold: bool) -> tuple[Lamp, Lamp, Lamp]:
    """Customer, agent, our own announcement: read from the issue, not from the code."""
    customer_may = mode is Mode.BOTH and told and answer is ConsentState.GIVEN
    agent_may = mode is not Mode.NONE and told
    people_pause = pause != "running" or on_hold
    person = Lamp.PAUSED if people_pause else Lamp.RECORDING
    ours = Lamp.PAUSED if pause == "paused" else Lamp.RECORDING
    return (
        person if customer_may else Lamp.OFF,
        person if agent_may else Lamp.OFF,
        ours if mode is not Mode.NONE else Lamp.OFF,
    )


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("answer", ConsentState)
def test_lamps(mode: Mode, answer: ConsentState) -> None:
    for told, pause, on_hold in itertools.product((True, False), PAUSES, (False, True)):
        now = situation(
            SYSTEM_PARTY,
            customer(ANSWERS[answer], notice_heard=told),
            agent(),
            settings=dataclasses.replace(SETTINGS, mode=mode, start_paused=pause == "start paused"),
            paused_by=PAUSES[pause],
            on_hold=on_hold,
        )
        found = lamps(now)
        wanted = expected(mode, answer, told=told, pause=pause, on_hold=on_hold)
        assert (found[CUSTOMER], found[AGENT], found[SYSTEM]) == wanted, (told, pause, on_hold)
