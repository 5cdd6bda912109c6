"""The built-in flow of a call that comes in: told, asked, and connected to the same agent whatever the answer."""

from collections.abc import Sequence

from tallylight.telephony.flow.verbs import Answer, Consent, Dial, HangUp, Verb


def inbound(*, target: str, ring_s: float, prompts: bool = True) -> Sequence[Verb]:
    """`prompts`: false where nothing may delay the call: nobody is told on it, and who was not told is not recorded."""
    told = (Consent(),) if prompts else ()
    return (Answer(), *told, Dial(target=target, ring_s=ring_s), HangUp())
