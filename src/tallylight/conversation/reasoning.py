"""Why a ruling is as it is, kept once: the same few dozen reasonings recur in every conversation, in the same words.

A stored ruling names its lamp, the rule that decided, and by SHA-256 its reasoning: every deciding reason in full and
the actions. What is kept under that hash is in the words of the day, whatever a later version would say.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias, cast

from tallylight.conversation.errors import CodecError
from tallylight.policy.decision import PartyRuling, Reason

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

FindReasoning = Callable[[str], str]
"""The reasoning that is kept under a hash."""


def condense(ruling: PartyRuling) -> tuple[dict[str, JsonValue], str, str]:
    """A ruling as it is stored, the hash of its reasoning, and the reasoning that is to be kept under it."""
    reasoning, content = _reasoning(ruling.reasons, ruling.actions)
    stored: dict[str, JsonValue] = {
        "lamp": ruling.lamp.value,
        "party": ruling.party,
        "reasoning": reasoning,
        "rule": ruling.reasons[0].rule if ruling.reasons else None,
    }
    return stored, reasoning, content


def expand(stored: Mapping[str, JsonValue], find: FindReasoning) -> dict[str, JsonValue]:
    """The whole ruling as JSON. Raises CodecError, KeyError, TypeError."""
    reasoning = stored["reasoning"]
    if not isinstance(reasoning, str):
        raise TypeError("a reasoning is named by a text")
    content = find(reasoning)
    if hashlib.sha256(content.encode()).hexdigest() != reasoning:
        raise CodecError(f"Reasoning {reasoning[:12]} is not what it was: restore it from a backup.")
    kept = json.loads(content)
    if stored["rule"] != (kept["reasons"][0]["rule"] if kept["reasons"] else None):
        raise CodecError(f"Reasoning {reasoning[:12]} does not begin with the rule {stored['rule']!r}.")
    return {
        "party": stored["party"],
        "lamp": stored["lamp"],
        "reasons": cast("JsonValue", kept["reasons"]),
        "actions": cast("JsonValue", kept["actions"]),
    }


def named_reasonings(payload: Mapping[str, JsonValue]) -> Iterator[str]:
    """The hashes that a stored event names, so that they can be looked up at once."""
    decision = payload.get("decision")
    rulings = decision.get("rulings") if isinstance(decision, dict) else None
    for stored in rulings if isinstance(rulings, list) else ():
        reasoning = stored.get("reasoning") if isinstance(stored, dict) else None
        if isinstance(reasoning, str):
            yield reasoning


@functools.lru_cache(maxsize=4096)
def _reasoning(reasons: tuple[Reason, ...], actions: tuple[str, ...]) -> tuple[str, str]:
    """Its hash and its canonical JSON."""
    content = json.dumps(
        {
            "actions": [str(action) for action in actions],
            "reasons": [
                {
                    "rule": reason.rule,
                    "cite": reason.cite,
                    "verdict": reason.verdict.value,
                    "text": reason.text,
                    "confidence": reason.confidence.value,
                    "effective_from": reason.effective_from,
                    "checked_at": reason.checked_at,
                }
                for reason in reasons
            ],
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(content.encode()).hexdigest(), content
