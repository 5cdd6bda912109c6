"""Whether a no costs anything: a call flow as steps, and what its refusal branch must not do (Art. 7(4) GDPR). Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    """What one step does with the caller."""

    SAY = "say"
    QUEUE = "queue"
    DIAL = "dial"
    PAUSE = "pause"
    RECORD = "record"
    HANGUP = "hangup"
    REJECT = "reject"


CONNECTING = frozenset({Verb.QUEUE, Verb.DIAL})
ENDING = frozenset({Verb.HANGUP, Verb.REJECT})


@dataclass(frozen=True, kw_only=True)
class Step:
    verb: Verb
    target: str | None = None
    """The queue or the agent."""
    priority: int = 0
    """In the queue; a higher one is served first."""
    wait_s: float = 0.0
    """That it lets pass before it goes on, on top of what people of the same priority wait."""


@dataclass(frozen=True, kw_only=True)
class ConsentFlow:
    """What follows each answer."""

    granted: tuple[Step, ...]
    refused: tuple[Step, ...]
    unanswered: tuple[Step, ...]
    """After silence, which is no yes (recital 32)."""


class FlowElement(StrEnum):
    ENDS = "ends"
    NOT_CONNECTED = "not_connected"
    ELSEWHERE = "elsewhere"
    LOWER_PRIORITY = "lower_priority"
    WAITS_LONGER = "waits_longer"
    RECORDS = "records"


@dataclass(frozen=True, kw_only=True)
class FlowFinding:
    """How one branch is worse for the caller than a yes."""

    branch: str
    element: FlowElement
    message: str


def lint_flow(flow: ConsentFlow) -> tuple[FlowFinding, ...]:
    """What a no, or silence, costs in this flow; empty: nothing."""
    return tuple(
        FlowFinding(branch=branch, element=element, message=f"{answer}: {message}")
        for branch, answer, steps in (
            ("refused", "After a no", flow.refused),
            ("unanswered", "After silence", flow.unanswered),
        )
        for element, message in _costs(flow.granted, steps)
    )


def _costs(granted: tuple[Step, ...], other: tuple[Step, ...]) -> Iterator[tuple[FlowElement, str]]:
    yes, no = _connection(granted), _connection(other)
    reached = other if no is None else other[: other.index(no)]
    if any(step.verb in ENDING for step in reached):
        yield FlowElement.ENDS, "the call is ended; lead it where a yes leads."
    elif yes is not None and no is None:
        yield FlowElement.NOT_CONNECTED, f"nobody is reached; lead it to {yes.target}."
    if yes is not None and no is not None:
        if (no.verb, no.target) != (yes.verb, yes.target):
            yield FlowElement.ELSEWHERE, f"it leads to {no.target}, a yes to {yes.target}; lead both there."
        if no.priority < yes.priority:
            yield FlowElement.LOWER_PRIORITY, f"priority {no.priority}, after a yes {yes.priority}; give both the same."
    waits, after_yes = _wait_s(other), _wait_s(granted)
    if waits > after_yes:
        yield FlowElement.WAITS_LONGER, f"{waits:g} s are waited, after a yes {after_yes:g} s; wait no longer."
    if any(step.verb is Verb.RECORD for step in other):
        yield FlowElement.RECORDS, "the caller is recorded; take the step out."


def _connection(steps: tuple[Step, ...]) -> Step | None:
    return next((step for step in steps if step.verb in CONNECTING), None)


def _wait_s(steps: tuple[Step, ...]) -> float:
    return sum(step.wait_s for step in steps)
