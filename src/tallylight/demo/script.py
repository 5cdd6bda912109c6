"""What the people of the demo say and do. Times are theirs: they listen, and act when the other side falls silent."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tallylight.demo.phone import LOOPBACK, PhoneCall
from tallylight.speech.synthesis import Synthesiser

GREETING = "Example Limited, this is Anna speaking. How can I help you?"
ASIDE = "One moment, I will stop the recording while you read me your card number."
CARD = "Four zero zero zero, one two three four, five six seven eight, nine zero one zero."
THANKS = "Thank you, the recording is on again. Your order is placed."
PROBLEM = "Good morning. My last invoice names a parcel that has never reached me."
ANSWER = "I am sorry to hear that. I will send it again today, at no cost to you."
GOODBYE = "Thank you very much. Goodbye."
SECOND_THOUGHTS = "On second thoughts, I would rather not be recorded from here on."

GREETING_DA = "Example Limited, du taler med Anna. Hvad kan jeg hjælpe med?"
ORDER_DA = "Godmorgen. Jeg vil gerne bestille to pakker mere."
ANSWER_DA = "Det er noteret. De sendes i dag."
GOODBYE_DA = "Mange tak. Farvel."
ORDER = "Good morning. I would like to order two more parcels, please."
NOTED = "I have noted that. They will be sent today."

ENGLISH = (GREETING, ASIDE, CARD, THANKS, PROBLEM, ANSWER, GOODBYE, SECOND_THOUGHTS, ORDER, NOTED)
DANISH = (GREETING_DA, ORDER_DA, ANSWER_DA, GOODBYE_DA)


class Speech:
    """Every sentence of the demo, spoken beforehand."""

    def __init__(self) -> None:
        self._sounds: dict[str, bytes] = {}

    async def prepare(self, synthesiser: Synthesiser) -> None:
        for language, texts in (("en", ENGLISH), ("da", DANISH)):
            for text in texts:
                self._sounds[text] = await synthesiser.speak(text, language=language)

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
    """Who calls: a number, or `anonymous`."""
    caller: Act
    agent: Act
    dials: str = "service"

    @property
    def address(self) -> str:
        """The caller as the list shows them."""
        return self.number if self.number.startswith("+") else f"sip:{self.number}@{LOOPBACK}"


async def _talk(call: PhoneCall, meeting: Meeting, speech: Speech, matter: str = PROBLEM) -> None:
    await call.unless_over(meeting.greeted.wait())
    await call.say(speech[matter])
    meeting.asked.set()
    await call.unless_over(meeting.answered.wait())


async def _end(call: PhoneCall, speech: Speech, goodbye: str = GOODBYE) -> None:
    await call.say(speech[goodbye])
    call.hang_up()


def _answering(keys: str, matter: str = PROBLEM, goodbye: str = GOODBYE) -> Act:
    """A caller who presses these keys when the question is over, and then has an ordinary talk about this."""

    async def act(call: PhoneCall, meeting: Meeting, speech: Speech) -> None:
        if keys:
            await call.until_quiet(QUESTION_OVER_S)
            call.press(keys)
        await _talk(call, meeting, speech, matter)
        await _end(call, speech, goodbye)

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


def _agent(greeting: str = GREETING, answer: str = ANSWER) -> Act:
    """An agent who greets, listens and answers."""

    async def act(call: PhoneCall, meeting: Meeting, speech: Speech) -> None:
        await call.say(speech[greeting])
        meeting.greeted.set()
        await call.unless_over(meeting.asked.wait())
        await call.say(speech[answer])
        meeting.answered.set()
        await call.until_over()

    return act


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
    Scene(title="says yes", number="+4520123451", caller=_answering("1"), agent=_agent()),
    Scene(title="says no", number="+4520123452", caller=_answering("2"), agent=_agent()),
    Scene(title="says nothing", number="+4520123453", caller=_answering(""), agent=_agent()),
    Scene(title="says yes, withdraws", number="+4520123454", caller=_withdrawing, agent=_agent()),
    Scene(title="reads out a card", number="+4520123455", caller=_paying, agent=_agent_who_pauses),
    Scene(
        title="orders, from Denmark",
        number="+4520123456",
        caller=_answering("", ORDER_DA, GOODBYE_DA),
        agent=_agent(GREETING_DA, ANSWER_DA),
        dials="ordrer",
    ),
    Scene(
        title="orders, California",
        number="+14155550132",
        caller=_answering("1", ORDER),
        agent=_agent(answer=NOTED),
        dials="orders",
    ),
    Scene(
        title="orders, withheld",
        number="anonymous",
        caller=_answering("", ORDER),
        agent=_agent(answer=NOTED),
        dials="orders",
    ),
)

RULED = ("orders, from Denmark", "orders, California", "orders, withheld")
"""Scenes of one line of business and three rulings."""
