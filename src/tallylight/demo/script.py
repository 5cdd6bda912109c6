"""What the people of the demo say and do. Times are theirs: they listen, and act when the other side falls silent."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tallylight.demo.phone import PhoneCall
from tallylight.speech.synthesis import Synthesiser

GREETING = "Example Limited, this is Anna speaking. How can I help you?"
ASIDE = "One moment, I will stop the recording while you read me your card number."
CARD = "Four zero zero zero, one two three four, five six seven eight, nine zero one zero."
THANKS = "Thank you, the recording is on again. Your order is placed."
PROBLEM = "Good morning. My last invoice names a parcel that has never reached me."
ANSWER = "I am sorry to hear that. I will send it again today, at no cost to you."
GOODBYE = "Thank you very much. Goodbye."
SECOND_THOUGHTS = "On second thoughts, I would rather not be recorded from here on."

VOICES = (GREETING, ASIDE, CARD, THANKS, PROBLEM, ANSWER, GOODBYE, SECOND_THOUGHTS)


class Speech:
    """Every sentence of the demo, spoken beforehand."""

    def __init__(self) -> None:
        self._sounds: dict[str, bytes] = {}

    async def prepare(self, synthesiser: Synthesiser) -> None:
        for text in VOICES:
            self._sounds[text] = await synthesiser.speak(text, language="en")

    def __getitem__(self, text: str) -> bytes:
        return self._sounds[text]


class Meeting:
    """What one person waits for the other to have done. Real people hear it; these are told."""

    def __init__(self) -> None:
        self.greeted = asyncio.Event()
        self.asked = asyncio.Event()
        self.answered = asyncio.Event()
        self.paused = asyncio.Event()
        self.read_out = asyncio.Event()


Act = Callable[[PhoneCall, Meeting, Speech], Awaitable[None]]

QUESTION_OVER_S = 1.4
"""Of silence: a speaker's breath is shorter, the wait for an answer longer."""
PICKS_UP_AFTER_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One call: who calls, and what both sides do."""

    title: str
    number: str
    caller: Act
    agent: Act


async def _talk(call: PhoneCall, meeting: Meeting, speech: Speech) -> None:
    await call.unless_over(meeting.greeted.wait())
    await call.say(speech[PROBLEM])
    meeting.asked.set()
    await call.unless_over(meeting.answered.wait())


async def _end(call: PhoneCall, speech: Speech) -> None:
    await call.say(speech[GOODBYE])
    call.hang_up()


def _answering(keys: str) -> Act:
    """A caller who presses these keys when the question is over, and then has an ordinary talk."""

    async def act(call: PhoneCall, meeting: Meeting, speech: Speech) -> None:
        if keys:
            await call.until_quiet(QUESTION_OVER_S)
            call.press(keys)
        await _talk(call, meeting, speech)
        await _end(call, speech)

    return act


async def _withdrawing(call: PhoneCall, meeting: Meeting, speech: Speech) -> None:
    await call.until_quiet(QUESTION_OVER_S)
    call.press("1")
    await _talk(call, meeting, speech)
    await call.say(speech[SECOND_THOUGHTS])
    call.press("*2")
    await call.for_seconds(2)
    await _end(call, speech)


async def _paying(call: PhoneCall, meeting: Meeting, speech: Speech) -> None:
    await call.until_quiet(QUESTION_OVER_S)
    call.press("1")
    await _talk(call, meeting, speech)
    await call.unless_over(meeting.paused.wait())
    await call.say(speech[CARD])
    meeting.read_out.set()
    await call.for_seconds(5)
    await _end(call, speech)


async def _agent(call: PhoneCall, meeting: Meeting, speech: Speech) -> None:
    await call.say(speech[GREETING])
    meeting.greeted.set()
    await call.unless_over(meeting.asked.wait())
    await call.say(speech[ANSWER])
    meeting.answered.set()
    await call.until_over()


async def _agent_who_pauses(call: PhoneCall, meeting: Meeting, speech: Speech) -> None:
    await call.say(speech[GREETING])
    meeting.greeted.set()
    await call.unless_over(meeting.asked.wait())
    meeting.answered.set()
    await call.say(speech[ASIDE])
    call.press("*3")
    await call.for_seconds(1)
    meeting.paused.set()
    await call.unless_over(meeting.read_out.wait())
    call.press("*3")
    await call.for_seconds(1)
    await call.say(speech[THANKS])
    await call.until_over()


SCENES = (
    Scene(title="says yes", number="+4520123451", caller=_answering("1"), agent=_agent),
    Scene(title="says no", number="+4520123452", caller=_answering("2"), agent=_agent),
    Scene(title="says nothing", number="+4520123453", caller=_answering(""), agent=_agent),
    Scene(title="says yes, withdraws", number="+4520123454", caller=_withdrawing, agent=_agent),
    Scene(title="reads out a card", number="+4520123455", caller=_paying, agent=_agent_who_pauses),
)
