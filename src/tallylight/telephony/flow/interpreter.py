"""Performing a flow's verbs, one after the other, on the stage of one call."""

from collections.abc import Sequence
from typing import Protocol, assert_never

from tallylight.telephony.flow.verbs import Answer, Consent, Dial, Gather, HangUp, Pause, Play, Say, Verb


class Stage(Protocol):
    """The caller's side of a call, as a flow sees it. Every method returns when its act is over."""

    @property
    def over(self) -> bool:
        """Whether the call has ended: nothing more is performed."""

    async def answer(self) -> None:
        """Take the call."""

    async def say(self, verb: Say) -> None:
        """Speak."""

    async def play(self, verb: Play) -> None:
        """Play a sound."""

    async def gather(self, verb: Gather) -> str:
        """The keys pressed."""

    async def consent(self) -> None:
        """Tell and ask."""

    async def dial(self, verb: Dial) -> None:
        """Connect to somebody until either side hangs up."""

    async def pause(self, seconds: float) -> None:
        """Stay silent."""

    async def hang_up(self) -> None:
        """End the call."""


async def perform(flow: Sequence[Verb], stage: Stage) -> str:
    """Perform the verbs in order until the call is over. Returns the keys gathered last."""
    keys = ""
    for verb in flow:
        if stage.over:
            break
        match verb:
            case Answer():
                await stage.answer()
            case Say():
                await stage.say(verb)
            case Play():
                await stage.play(verb)
            case Gather():
                keys = await stage.gather(verb)
            case Consent():
                await stage.consent()
            case Dial():
                await stage.dial(verb)
            case Pause():
                await stage.pause(verb.seconds)
            case HangUp():
                await stage.hang_up()
            case _:
                assert_never(verb)
    return keys
