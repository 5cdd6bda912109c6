"""A no costs nothing: what a flow's refusal branch must not do (F011, F012)."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.consent.errors import FlowError
from tallylight.consent.flow import ConsentFlow, FlowElement, Step, Verb, is_flow, lint_flow, parse_flow
from tallylight.telephony.flow.inbound import inbound
from tallylight.telephony.flow.verbs import Answer, Consent, Dial, HangUp

SAY = Step(verb=Verb.SAY)
QUEUE = Step(verb=Verb.QUEUE, target="support", priority=3)
HANGUP = Step(verb=Verb.HANGUP)
RECORD = Step(verb=Verb.RECORD)
GOOD = ConsentFlow(granted=(SAY, RECORD, QUEUE, HANGUP), refused=(SAY, QUEUE, HANGUP), unanswered=(QUEUE,))


def test_a_fair_flow() -> None:
    assert lint_flow(GOOD) == ()


@pytest.mark.parametrize("branch", ["refused", "unanswered"])
@pytest.mark.parametrize(
    ("steps", "elements"),
    [
        ((SAY, HANGUP), [FlowElement.ENDS]),
        ((Step(verb=Verb.REJECT),), [FlowElement.ENDS]),
        ((HANGUP, QUEUE), [FlowElement.ENDS]),
        ((SAY,), [FlowElement.NOT_CONNECTED]),
        ((), [FlowElement.NOT_CONNECTED]),
        ((dataclasses.replace(QUEUE, target="voicemail"),), [FlowElement.ELSEWHERE]),
        ((Step(verb=Verb.DIAL, target="support", priority=3),), [FlowElement.ELSEWHERE]),
        ((dataclasses.replace(QUEUE, priority=2),), [FlowElement.LOWER_PRIORITY]),
        ((Step(verb=Verb.PAUSE, wait_s=1), QUEUE), [FlowElement.WAITS_LONGER]),
        ((dataclasses.replace(QUEUE, wait_s=0.5),), [FlowElement.WAITS_LONGER]),
        ((RECORD, QUEUE), [FlowElement.RECORDS]),
        (
            (dataclasses.replace(QUEUE, target="other", priority=0, wait_s=9), RECORD),
            [FlowElement.ELSEWHERE, FlowElement.LOWER_PRIORITY, FlowElement.WAITS_LONGER, FlowElement.RECORDS],
        ),
    ],
)
def test_what_a_no_must_not_cost(branch: str, steps: tuple[Step, ...], elements: list[FlowElement]) -> None:
    findings = lint_flow(dataclasses.replace(GOOD, **{branch: steps}))
    assert [(finding.branch, finding.element) for finding in findings] == [(branch, element) for element in elements]
    start = "After a no: " if branch == "refused" else "After silence: "
    assert all(finding.message.startswith(start) for finding in findings)


def test_findings_say_what_to_do() -> None:
    flow = dataclasses.replace(GOOD, refused=(dataclasses.replace(QUEUE, target="other", wait_s=30),))
    assert [finding.message for finding in lint_flow(flow)] == [
        "After a no: it leads to other, a yes to support; lead both there.",
        "After a no: 30 s are waited, after a yes 0 s; wait no longer.",
    ]


steps = st.builds(
    Step,
    verb=st.sampled_from(Verb),
    target=st.sampled_from(["a", "b"]),
    priority=st.integers(0, 2),
    wait_s=st.sampled_from([0.0, 1.0]),
)


@given(st.lists(steps.filter(lambda step: step.verb is not Verb.RECORD), max_size=5).map(tuple))
def test_the_same_steps_for_everybody_cost_nothing_but_an_end(branch: tuple[Step, ...]) -> None:
    findings = lint_flow(ConsentFlow(granted=branch, refused=branch, unanswered=branch))
    assert {finding.element for finding in findings} <= {FlowElement.ENDS}


FILE = """
granted = [{ verb = "say" }, { verb = "record" }, { verb = "queue", target = "support", priority = 3 }, { verb = "hangup" }]
refused = [{ verb = "say" }, { verb = "queue", target = "support", priority = 3 }, { verb = "hangup" }]
unanswered = [{ verb = "queue", target = "support", priority = 3 }]
"""


def test_a_flow_is_read_from_a_file() -> None:
    assert is_flow(FILE)
    assert not is_flow('language = "nb"')
    assert not is_flow("granted = [")
    assert parse_flow(FILE, source="flow.toml") == GOOD


def test_everything_wrong_with_a_file_is_named_at_once() -> None:
    text = """
    granted = [{ verb = "dail", target = "x" }, { target = "x" }, { verb = "dial" }, 3]
    refused = "dial"
    refusd = []
    [[unanswered]]
    verb = "pause"
    wait_s = -1
    priority = true
    targt = "x"
    """
    with pytest.raises(FlowError) as caught:
        parse_flow(text, source="flow.toml")
    lines = caught.value.message.splitlines()
    for part in (
        "'refusd' is none of granted, refused, unanswered; did you mean refused?",
        "granted, step 1: 'dail' is none of",
        "did you mean dial?",
        "granted, step 2: verb is missing",
        "granted, step 3: target is missing",
        "granted, step 4: it must be a table",
        "refused must be a list of steps",
        "unanswered, step 1: wait_s must be seconds",
        "unanswered, step 1: priority is no number",
        "unanswered, step 1: 'targt' is none of",
    ):
        assert any(part in line for line in lines), (part, lines)
    assert all(line.startswith("flow.toml: ") for line in lines)


def test_the_built_in_flow_makes_no_difference() -> None:
    """Whatever the answer, the verbs that follow the question are the same."""
    answer, consent, dial, hang_up = inbound(target="sip:agent@example.com", ring_s=30)
    assert isinstance(answer, Answer)
    assert isinstance(consent, Consent)
    assert isinstance(dial, Dial)
    assert isinstance(hang_up, HangUp)
    after = (Step(verb=Verb.DIAL, target=dial.target), Step(verb=Verb.HANGUP))
    assert lint_flow(ConsentFlow(granted=after, refused=after, unanswered=after)) == ()
