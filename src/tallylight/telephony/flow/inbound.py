"""The built-in flow of a call that comes in: told, asked, and connected to the same agent whatever the answer."""

from collections.abc import Sequence

from tallylight.telephony.flow.verbs import Answer, Consent, Dial, HangUp, Verb


def inbound(*, target: str, ring_s: float) -> Sequence[Verb]:
    return (Answer(), Consent(), Dial(target=target, ring_s=ring_s), HangUp())
