"""The verbs of a flow: what a call is to do next. Plain values, the same for every dialect that will write them.

Every verb is performed to its end before the next one; a call that ends stops its flow at once.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Take the call: our 200 OK, second 0 of the conversation."""


@dataclass(frozen=True, kw_only=True)
class Say:
    """Speak a text in a language, at that language's set rate."""

    text: str
    language: str
    loop: int = 1


@dataclass(frozen=True, kw_only=True)
class Play:
    """Play mono 16-bit linear PCM at 8 kHz."""

    pcm: bytes
    loop: int = 1


@dataclass(frozen=True, kw_only=True)
class Gather:
    """Collect keys: until `keys` of them, the `finish_key`, or `timeout_s` without one after `prompt`, which the first
    key cuts short."""

    keys: int = 1
    timeout_s: float = 5.0
    finish_key: str = "#"
    prompt: Say | None = None


@dataclass(frozen=True, kw_only=True)
class Consent:
    """Tell the caller about the recording and ask, as the project's settings have it. Never hangs up on a no."""


@dataclass(frozen=True, kw_only=True)
class Dial:
    """Ring `target` (a SIP URI) for at most `ring_s` and talk until either side hangs up; an apology where nobody answers."""

    target: str
    ring_s: float = 30.0


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Stay silent for this long."""

    seconds: float


@dataclass(frozen=True, kw_only=True)
class HangUp:
    """End the call."""


Verb = Answer | Say | Play | Gather | Consent | Dial | Pause | HangUp
