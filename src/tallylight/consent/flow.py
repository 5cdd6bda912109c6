"""Whether a no costs anything: a call flow as steps, and what its refusal branch must not do (Art. 7(4) GDPR). Pure."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tallylight.config.words import one_of
from tallylight.consent.errors import FlowError


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


BRANCHES = ("granted", "refused", "unanswered")
_FIELDS: Mapping[str, tuple[type, ...]] = {"verb": (str,), "target": (str,), "priority": (int,), "wait_s": (int, float)}


def is_flow(text: str) -> bool:
    """Whether a TOML text has a flow's branches, and so is no wording."""
    try:
        return any(branch in tomllib.loads(text) for branch in BRANCHES)
    except tomllib.TOMLDecodeError:
        return False


def parse_flow(text: str, *, source: str) -> ConsentFlow:
    """A flow from TOML: each branch a list of steps, such as `refused = [{ verb = "dial", target = "support" }]`.

    Raises FlowError with one line for everything that is wrong.
    """
    content = tomllib.loads(text)
    wrong = [f"{branch} is missing; add what follows it" for branch in BRANCHES if branch not in content]
    wrong += [one_of(key, BRANCHES) for key in content if key not in BRANCHES]
    steps = {branch: content[branch] for branch in BRANCHES if branch in content}
    for branch, listed in steps.items():
        if isinstance(listed, list):
            for number, step in enumerate(listed, 1):
                wrong += [f"{branch}, step {number}: {why}" for why in _wrong(step)]
        else:
            wrong.append(f"{branch} must be a list of steps")
    if wrong:
        raise FlowError("\n".join(f"{source}: {line}." for line in wrong))
    return ConsentFlow(
        **{branch: tuple(Step(**{**step, "verb": Verb(step["verb"])}) for step in steps[branch]) for branch in BRANCHES}
    )


def _wrong(step: object) -> Iterator[str]:
    if not isinstance(step, Mapping):
        yield "it must be a table"
        return
    for key, value in step.items():
        if key not in _FIELDS:
            yield one_of(key, tuple(_FIELDS))
        elif not isinstance(value, _FIELDS[key]) or isinstance(value, bool):
            yield f"{key} is no {'text' if str in _FIELDS[key] else 'number'}"
        elif key == "wait_s" and isinstance(value, int | float) and not 0 <= value < float("inf"):
            yield "wait_s must be seconds, 0 or more"
    verb = step.get("verb")
    if verb is None:
        yield "verb is missing"
    elif isinstance(verb, str) and verb not in {known.value for known in Verb}:
        yield one_of(verb, tuple(known.value for known in Verb))
    elif verb in {known.value for known in CONNECTING} and not step.get("target"):
        yield "target is missing: the queue or the agent"


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
