"""Telling one caller about the recording, asking, and what follows the answer."""

import asyncio
import logging
from collections.abc import Callable

from tallylight.capture.utterance import Utterance
from tallylight.clock import Timer
from tallylight.consent.notices import NoticeKind
from tallylight.conversation.commands import (
    ENGINE,
    Command,
    GiveConsent,
    GiveNotice,
    HearQuestion,
    LeaveUnanswered,
    RefuseConsent,
    RequestConsent,
)
from tallylight.conversation.situation import is_minor
from tallylight.conversation.state import NO_MORE
from tallylight.ids import PartyId
from tallylight.law.vocabulary import Action, Method, Mode
from tallylight.live.runner import ConversationRunner
from tallylight.policy.decision import Lamp, PartyRuling
from tallylight.policy.settings import Settings
from tallylight.policy.situation import ConsentState
from tallylight.speech.errors import SpeechError
from tallylight.speech.recognition import Answered, Heard
from tallylight.telephony.b2bua.desk import Desk
from tallylight.telephony.b2bua.side import Side
from tallylight.telephony.b2bua.waiting import Waiting
from tallylight.telephony.flow.codes import Digit
from tallylight.telephony.flow.question import (
    YES,
    Answer,
    Asked,
    Finished,
    Listen,
    Noticed,
    Part,
    QuestionDialogue,
    Said,
    Speak,
    Step,
    TooEarly,
)
from tallylight.telephony.flow.question import Heard as QuestionHeard
from tallylight.telephony.rtp.outgoing import AudioSink
from tallylight.telephony.rtp.prompt import Prompt

logger = logging.getLogger(__name__)

_PARTS = {
    Part.NOTICE: NoticeKind.FIRST_LAYER,
    Part.QUESTION: NoticeKind.QUESTION,
    Part.QUESTION_AGAIN: NoticeKind.QUESTION_AGAIN,
    Part.DETAILS: NoticeKind.DETAILS,
    Part.CONFIRM: NoticeKind.CONFIRM,
}
_SPOKEN_PARTS = {
    **_PARTS,
    Part.QUESTION: NoticeKind.QUESTION_SPOKEN,
    Part.QUESTION_AGAIN: NoticeKind.QUESTION_SPOKEN_AGAIN,
}
LOOK_S = 0.1
"""How often a caller who may answer aloud is listened for. Not while we speak: our own question says yes and no, and
its echo must answer nothing."""
_SAID = {Answered.YES: Said.YES, Answered.NO: Said.NO}
OPENING_S = 3.0
"""How long the acknowledgement waits for the gate: later than that it would break into the talk."""


class Asking:
    """Drives a `QuestionDialogue` with one caller's ears and keys. Every step is taken at once, on the media loop."""

    def __init__(
        self,
        desk: Desk,
        runner: ConversationRunner,
        *,
        terms: Settings,
        caller: Side,
        customer: PartyId,
        waiting: Waiting,
        in_talk: bool = False,
    ) -> None:
        """`terms`: what there is to tell, of the project's own or derived from them (`Settings.notices`).

        `in_talk`: the caller also hears the agent, so a word may be meant for them: keys alone are answers.
        """
        self._desk = desk
        self._runner = runner
        self._terms = terms
        self._caller = caller
        self._customer = customer
        self._waiting = waiting
        self._dialogue: QuestionDialogue | None = None
        self._silence: Timer | None = None
        self._ear: Utterance | None = None
        """What the caller is saying, while an answer is awaited."""
        self._turn = 0
        """Counts what is said and listened to: a yes that is judged later than its turn opens nothing."""
        self._spoken: list[str] = []
        """Each spoken answer as evidence: time and score alone."""
        self._hears = (
            not in_talk
            and terms.spoken_answers
            and desk.recogniser is not None
            and desk.recogniser.understands(terms.language)
        )
        self._acknowledgement = NoticeKind.ACKNOWLEDGEMENT
        self._answered = asyncio.Event()
        self._noticed = False
        self._tells = False
        """A notice that asks nothing is being spoken."""
        self._no_meanwhile = False
        """They said no to it: they hear it to its end, and then what has become of the recording."""
        self._asked = False
        self._heard_ms: int | None = None
        """Media time at which the question had been heard to its end."""
        self._patience: Timer | None = None
        self._speaks = False
        """What follows the answer is being spoken."""
        self.answer: Answer | None = None
        self.settled = False
        """The question is behind the caller: from here on even our own announcement is worth keeping."""

    @property
    def listens(self) -> bool:
        """Whether keys are answers now."""
        return self._dialogue is not None

    async def perform(self) -> None:
        """Tell and ask, to the answer, `stop` or the end of the call."""
        if self._is_minor:
            self.settled = True
            return
        if self._says_no:
            self._terms = self._terms.for_agent
        kind = self._notice_without_question()
        if kind is None:
            self._dialogue = QuestionDialogue(repeat_wait_s=self._desk.flow.repeat_wait_s)
            self._take(self._dialogue.start())
            await self._waiting.unless_over(self._answered.wait())
            self._dialogue = None
            return

        def told() -> None:
            self._tells = False
            self._tell(kind)
            self.settled = True
            self._answered.set()

        self._tells = True
        self._caller.speak(self._prompt(kind), told)
        await self._waiting.unless_over(self._answered.wait())

    def _notice_without_question(self) -> NoticeKind | None:
        """What is said where nobody has to be asked; None: the question is asked."""
        if self._terms.terms_acknowledged_by is None:
            return NoticeKind.NOTHING_RECORDED
        if self._terms.mode is not Mode.BOTH:
            return NoticeKind.FIRST_LAYER
        told = self._runner.foresee(self._telling(NoticeKind.FIRST_LAYER_INFORMED))
        ruling = None if told is None else told.ruling(self._customer)
        return None if ruling is None or ruling.wants_answer else NoticeKind.FIRST_LAYER_INFORMED

    @property
    def _says_no(self) -> bool:
        """Whether they have said no already: nobody is asked twice."""
        return self._runner.state.parties[self._customer].consent.state in NO_MORE

    @property
    def _is_minor(self) -> bool:
        """Whether they are known to be a child: nothing more is told or asked of them on this call."""
        return is_minor(self._runner.state.parties[self._customer], self._terms)

    @property
    def _ruling(self) -> PartyRuling | None:
        decision = self._runner.state.decision
        return None if decision is None else decision.ruling(self._customer)

    @property
    def has_something_to_say(self) -> bool:
        """Whether telling or asking would open the caller's gate; never after their no."""
        ruling = self._ruling
        return (
            not self._says_no
            and not self._is_minor
            and ruling is not None
            and ruling.lamp is Lamp.OFF
            and (ruling.wants_answer or Action.ANNOUNCE_RECORDING in ruling.actions)
        )

    def stop(self) -> None:
        """What was to be told or asked does not matter any more."""
        if self.answer is None and not self._answered.is_set():
            if self._asked:
                self._command(self._unanswered(self._now_ms()))
            self._hush()
            self._dialogue = None
            self._tells = False
            self.settled = True
            self._answered.set()
        self._drop_acknowledgement()
        self._runner.tracks.end_proof(self._customer, self._now_ms())

    def silence(self) -> None:
        """Stop, and say nothing more: not even what follows the answer."""
        self.stop()
        if self._speaks:
            self._speaks = False
            self._hush()

    def press(self, digit: Digit) -> None:
        """The caller pressed a key while being told or asked."""
        if self._dialogue is None:
            return
        if digit.key == YES and self._heard_ms is not None and digit.start_ms < self._heard_ms:
            # Pressed before the question's end, recognised after it.
            self._take([TooEarly()])
            return
        self._take(self._dialogue.pressed(digit.key), digit)

    def afterword(self, free: Callable[[], None]) -> None:
        """What follows the answer; the call does not wait for it. `free` when nothing more is said."""
        if self.answer is Answer.GIVEN:
            self._acknowledge_once_open(free)
        elif self.answer is not None:
            self._say_truth(free)
        elif self._no_meanwhile:
            self.confirm_withdrawal(free)
        else:
            free()

    def confirm_withdrawal(self, free: Callable[[], None]) -> None:
        """A no without a question: say what has become of the recording. `free` when nothing more is said."""
        if self._tells:
            self._no_meanwhile = True
            return
        self._drop_acknowledgement()
        consent = self._runner.state.parties[self._customer].consent.state
        if consent is ConsentState.WITHDRAWN:
            self._say_then(NoticeKind.WITHDRAWN, lambda: None, free)
        elif not self._caller.speaking:
            self._say_truth(free)

    def _acknowledge_once_open(self, free: Callable[[], None]) -> None:
        """Say that they are being recorded when it is so: behind the commit, never instead of it.

        Where the recording is paused that is once somebody resumes it, however much later; nobody waits for that.
        """

        def look() -> None:
            if self._runner.tracks.is_open(self._customer):
                self._drop_acknowledgement()
                self._say_then(self._acknowledgement, self._end_proof_soon, free)

        def give_up() -> None:
            self._drop_acknowledgement()
            free()

        lamp = None if self._ruling is None else self._ruling.lamp
        if lamp is Lamp.RECORDING:
            self._patience = self._waiting.later(OPENING_S, give_up)
        else:
            free()
            free = lambda: None  # noqa: E731
        if lamp in (Lamp.RECORDING, Lamp.PAUSED):
            self._runner.on_change = look
            look()

    def _drop_acknowledgement(self) -> None:
        self._runner.on_change = None
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _say_truth(self, free: Callable[[], None]) -> None:
        """After a no: what is recorded nevertheless."""
        nothing = self._terms.mode is Mode.NONE or not self._desk.agent_employee_notice
        truth = NoticeKind.NOTHING_RECORDED if nothing else NoticeKind.NOT_RECORDED
        self._say_then(truth, lambda: self._tell_once(truth), free)

    def _say_then(self, kind: NoticeKind, act: Callable[[], None], free: Callable[[], None]) -> None:
        def heard() -> None:
            self._speaks = False
            act()
            free()

        self._speaks = True
        self._caller.speak(self._prompt(kind), heard)

    def _tell_once(self, kind: NoticeKind) -> None:
        if not self._noticed:
            self._tell(kind)

    def _end_proof_soon(self) -> None:
        self._runner.tracks.end_proof_after(self._customer, self._desk.flow.proof_after_s)

    def _take(self, steps: list[Step], digit: Digit | None = None) -> None:
        dialogue = self._dialogue
        if dialogue is None or self._waiting.over:
            return
        for step in steps:
            match step:
                case Speak(part):
                    self._hush()
                    self._caller.speak(self._prompt(self._kind(part)), lambda: self._take(dialogue.spoken()))
                case Listen(seconds) if self._hears and self._caller.leg.sink is not None:
                    self._listen(seconds, self._caller.leg.sink)
                case Listen(seconds):
                    self._silence = self._waiting.later(seconds, lambda: self._take(dialogue.waited()))
                case Noticed():
                    self._tell(NoticeKind.FIRST_LAYER)
                case Asked():
                    self._asked = True
                    question, _ = self._desk.prompts.notice(self._kind(Part.QUESTION), self._terms)
                    purposes = frozenset({self._terms.purpose})
                    self._command(
                        RequestConsent(
                            party=self._customer,
                            purposes=purposes,
                            notice=question.sha256,
                            text=question.text,
                            language=question.language,
                            offset_ms=self._now_ms(),
                        )
                    )
                case QuestionHeard():
                    self._heard_ms = self._now_ms()
                    self._command(HearQuestion(party=self._customer, offset_ms=self._now_ms()))
                case TooEarly():
                    logger.info("a yes before the question was heard opens nothing")
                case Finished(answer):
                    self._finish(answer, digit)

    def _finish(self, answer: Answer, digit: Digit | None) -> None:
        """Act on the answer before anything else is said."""
        now_ms = self._now_ms()
        at_ms = now_ms if digit is None else min(now_ms, digit.start_ms)
        method, evidence = Method.SPOKEN, "; ".join(self._spoken)
        if answer is Answer.GIVEN and digit is None:
            # What was judged was judged in memory: the clip holds what they say to this.
            self._acknowledgement = NoticeKind.ACKNOWLEDGEMENT_SPOKEN
        if digit is not None:
            method, evidence = Method.DIGIT, f"digit {digit.key} at {digit.start_ms} ms"
        command: Command
        if answer is Answer.GIVEN:
            command = GiveConsent(party=self._customer, method=method, evidence=evidence, offset_ms=now_ms)
        elif answer is Answer.REFUSED:
            command = RefuseConsent(party=self._customer, method=method, evidence=evidence, offset_ms=at_ms)
        else:
            command = self._unanswered(now_ms)
        self._command(command, actor=self._customer)
        self._hush()
        self.answer = answer
        self.settled = True
        self._answered.set()

    def _unanswered(self, now_ms: int) -> LeaveUnanswered:
        """Of what was said but answered nothing only that it was, when, and how it scored."""
        method, evidence = Method.SPOKEN if self._spoken else None, "; ".join(self._spoken)
        return LeaveUnanswered(party=self._customer, method=method, evidence=evidence, offset_ms=now_ms)

    def _kind(self, part: Part) -> NoticeKind:
        return _SPOKEN_PARTS[part] if self._hears else _PARTS[part]

    def _listen(self, seconds: float, voice: AudioSink) -> None:
        """Wait for a key or a word; somebody who speaks as the time runs out is heard to their end."""
        leg, until_ms = self._caller.leg, self._now_ms() + round(seconds * 1000)
        ear = self._ear = Utterance(voice)
        leg.sink = ear
        self._turn += 1

        def look() -> None:
            leg.hand_over()
            dialogue, now_ms = self._dialogue, self._now_ms()
            if dialogue is None:
                return
            if ear.is_over(now_ms):
                self._silence = None
                start_ms, turn = ear.start_ms, self._turn
                ear.judge(lambda sound: self._waiting.beside(self._judge(dialogue, sound, start_ms, turn)))
                self._stop_listening()
            elif now_ms >= until_ms and not ear.begun:
                self._take(dialogue.waited())
            else:
                self._silence = self._waiting.later(LOOK_S, look)

        self._silence = self._waiting.later(LOOK_S, look)

    async def _judge(self, dialogue: QuestionDialogue, sound: bytes, start_ms: int, turn: int) -> None:
        """Hear an answer; whatever is not clear, and whatever fails, is no answer."""
        recogniser = self._desk.recogniser
        assert recogniser is not None
        try:
            heard = await recogniser.hear(sound, language=self._terms.language)
        except SpeechError as error:
            logger.warning("an answer could not be heard: %s", error.code)
            heard = Heard(answer=Answered.NOTHING, score=0)
        said = _SAID.get(heard.answer, Said.UNCLEAR)
        if self._dialogue is dialogue and (said is Said.NO or self._turn == turn):
            self._spoken.append(f"spoken {said} at {start_ms} ms, score {heard.score}")
            self._take(dialogue.said(said))

    def _stop_listening(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.wipe()
            if self._caller.leg.sink is ear:
                self._caller.leg.sink = ear.then

    def _hush(self) -> None:
        self._turn += 1
        self._stop_listening()
        self._caller.hush()
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _tell(self, kind: NoticeKind) -> None:
        """The caller has heard this notice to its end."""
        self._noticed = True
        self._command(self._telling(kind))

    def _telling(self, kind: NoticeKind) -> GiveNotice:
        notice, _ = self._desk.prompts.notice(kind, self._terms)
        return GiveNotice(
            party=self._customer,
            notice=notice.sha256,
            text=notice.text,
            language=notice.language,
            purposes=notice.purposes,
            offset_ms=self._now_ms(),
        )

    def _prompt(self, kind: NoticeKind) -> Prompt:
        return self._desk.prompts.notice(kind, self._terms)[1]

    def _command(self, command: Command, *, actor: str = ENGINE) -> None:
        refusal = self._runner.command(command, actor=actor)
        if refusal is not None:
            logger.info("%s refused: %s", type(command).__name__, refusal.code)

    def _now_ms(self) -> int:
        return self._runner.offset_ms()
