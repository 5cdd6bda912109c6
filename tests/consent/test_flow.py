"""A no costs nothing: what a flow's refusal branch must not do (F011, F012)."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.consent.flow import ConsentFlow, FlowElement, Step, Verb, lint_flow

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
