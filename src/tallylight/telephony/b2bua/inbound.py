"""One call that came in, on stage: the caller's leg, the words spoken to it, and the agent's leg once there is one.

People come first: nothing here waits for the database or the disk, and a recording that fails ends no call.
"""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import replace

from tallylight.consent.notices import NoticeKind, choose_language
from tallylight.consent.objection import StandingObjection
from tallylight.conversation.commands import (
    ENGINE,
    AttestConsent,
    CloseReceipt,
    Command,
    HoldConversation,
    JoinParty,
    KnowMinor,
    LeaveParty,
    OpenReceipt,
    PauseRecording,
    RefuseConsent,
    ResumeRecording,
    SwitchCustomer,
    UnholdConversation,
    WithdrawConsent,
)
from tallylight.conversation.handle import Refusal
from tallylight.conversation.situation import paused_by
from tallylight.errors import TallylightError
from tallylight.ids import PartyId, new_id
from tallylight.law.vocabulary import Direction, Method, Role
from tallylight.live.runner import ConversationRunner
from tallylight.policy.settings import Settings
from tallylight.telephony.b2bua.agent import AgentLeg
from tallylight.telephony.b2bua.asking import Asking
from tallylight.telephony.b2bua.beforehand import Beforehand
from tallylight.telephony.b2bua.desk import Desk
from tallylight.telephony.b2bua.outcomes import Outcome
from tallylight.telephony.b2bua.side import CallerLeg, Side, SideCodes
from tallylight.telephony.b2bua.waiting import Waiting
from tallylight.telephony.flow.codes import Digit, StarCodes
from tallylight.telephony.flow.inbound import inbound
from tallylight.telephony.flow.interpreter import perform
from tallylight.telephony.flow.verbs import Dial, Gather, Play, Say
from tallylight.telephony.rtp.errors import RtpError
from tallylight.telephony.rtp.prompt import Prompt
from tallylight.telephony.sip.call import Call
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.uri import SipUri

logger = logging.getLogger(__name__)

OBJECTION_S = 2.0
"""How long the announcement waits to hear whether the caller objects to every recording."""
WATCH_S = 1.0
"""How often a call is looked at for media that has stopped."""


class InboundCall:
    """A `Stage`: performs the built-in flow for one caller."""

    def __init__(self, desk: Desk, call: Call, *, target: SipUri) -> None:
        self._desk = desk
        self._call = call
        self._target = target
        self._settings = desk.settings_for(call.target)
        self._language = choose_language(
            call.languages, self._settings.language, desk.prompts.languages(self._settings)
        )
        self._spoken = self._settings
        if self._language.language != self._settings.language:
            self._spoken = replace(self._settings, language=self._language.language)
        """The settings as they are told to this caller."""
        self._waiting = Waiting(desk.clock)
        self._outcome: Outcome | None = None
        self._acknowledged = asyncio.Event()
        self._gathering: asyncio.Queue[str] | None = None
        self._asking: Asking | None = None
        self._agent: AgentLeg | None = None
        self._opening: Asking | None = None
        """The dialogue before anybody is rung."""
        self._objection: asyncio.Task[StandingObjection | None] | None = None
        self._beforehand: Beforehand | None = None
        self.runner: ConversationRunner | None = None
        self.address = desk.canonical(str(call.remote))
        self.customer = PartyId(new_id(desk.clock.wall_ms()))
        self.caller = CallerLeg(
            desk,
            on_digit=self._pressed,
            on_hold=self._held,
            on_gone=self._caller_gone,
            on_acknowledged=self._acknowledged.set,
        )
        self.caller.attach(call)
        call.observer = self.caller
        flow = desk.flow
        self._caller_codes = StarCodes(
            codes={flow.withdraw_code: "withdraw"},
            clock=desk.clock,
            wait_s=flow.code_wait_s,
            listener=SideCodes(self.caller, lambda _, digit: self._withdraw(digit)),
        )

    # -- life -------------------------------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        return self._waiting.over

    @property
    def timers(self) -> int:
        """Timers that the call has running."""
        return self._waiting.timers

    async def run(self) -> None:
        """Perform the flow to its end, whatever happens, and leave nothing open. Never raises."""
        try:
            flow = inbound(target=str(self._target), ring_s=self._desk.flow.ring_s, prompts=self._settings.prompted)
            await perform(flow, self)
        except SipError as error:
            logger.info("a call was refused with %d", error.status)
            self._refuse(error.status)
        except Exception:
            logger.exception("a flow failed; its call is ended")
            self._refuse(500)
        finally:
            self.finish(Outcome.COMPLETED if self._agent is not None and self._agent.talked else Outcome.ABANDONED)
            try:
                await self._close()
            except Exception:
                logger.exception("a call was not closed in good order")

    def _refuse(self, status: int) -> None:
        if not self._call.answered and not self._call.over:
            self.caller.gone = True
            self._call.reject(status)

    def finish(self, outcome: Outcome) -> None:
        """The call is over; the first reason given stands."""
        if self._outcome is None:
            self._outcome = outcome
        self._waiting.end()

    async def _close(self) -> None:
        self._caller_codes.close()
        if self._objection is not None:
            self._objection.cancel()
        if self._beforehand is not None:
            self._beforehand.close()
        if self._agent is not None:
            self._agent_codes.close()
            self._agent.close()
        self.caller.close()
        runner = self.runner
        if runner is not None and self._outcome is not None:
            settled = not self._settings.prompted or (self._opening is not None and self._opening.settled)
            await self._desk.close_conversation(runner, str(self._outcome), not settled)

    def _command(self, command: Command, *, actor: str | None = None, address: str | None = None) -> bool:
        """Tell the conversation; False where it refuses."""
        assert self.runner is not None
        refusal = self.runner.command(command, actor=actor or ENGINE, address=address)
        if refusal is not None:
            logger.info("%s refused: %s", type(command).__name__, refusal.code)
        return refusal is None

    def _offset_ms(self) -> int:
        assert self.runner is not None
        return self.runner.offset_ms()

    # -- verbs ------------------------------------------------------------------------------------------------------

    async def answer(self) -> None:
        desk, caller, call = self._desk, self.caller, self._call
        body = caller.offer() if call.remote_sdp is None else caller.take_offer(call.remote_sdp)
        runner = self.runner = ConversationRunner(
            desk.live, settings=self._settings, pack=desk.pack, direction=Direction.INBOUND
        )
        desk.register(runner)
        self._command(
            JoinParty(
                party=self.customer,
                role=Role.CUSTOMER,
                places=desk.places_of(self.address),
                basis=self._settings.customer_basis,
                offset_ms=0,
            ),
            address=self.address,
        )
        self._objection = asyncio.get_running_loop().create_task(desk.objection_of(self.address))
        self._beforehand = Beforehand(desk, runner, self.customer, self.address)
        if not self._settings.prompted:
            self._waiting.beside(self._heed_objection())
        caller.begin(runner.anchor_ns, runner.tracks.capture(self.customer), runner.tracks.own_voice)
        call.answer(body)
        self._waiting.later(desk.flow.max_call_s, lambda: self.finish(Outcome.TOO_LONG))
        self._waiting.later(WATCH_S, self._watch)
        await self._waiting.unless_over(self._acknowledged.wait())

    async def say(self, verb: Say) -> None:
        prompt = await self._desk.prompts.spoken(verb.text, verb.language)
        for _ in range(verb.loop):
            await self._speak(prompt)

    async def play(self, verb: Play) -> None:
        for _ in range(verb.loop):
            await self._speak(Prompt(verb.pcm))

    async def gather(self, verb: Gather) -> str:
        keys: asyncio.Queue[str] = asyncio.Queue()
        self._gathering = keys
        gathered = ""
        try:
            speaking = verb.prompt is not None
            if verb.prompt is not None:
                prompt = await self._desk.prompts.spoken(verb.prompt.text, verb.prompt.language)
                self.caller.speak(prompt, lambda: keys.put_nowait(""))
            while len(gathered) < verb.keys:
                if speaking:
                    key = await self._waiting.unless_over(keys.get())
                    speaking = False
                    if key == "":
                        continue  # heard to its end: only now the time runs
                    self.caller.hush()
                else:
                    key = await self._waiting.within(verb.timeout_s, keys.get())
                if key is None or key == verb.finish_key:
                    break
                gathered += key
        finally:
            self._gathering = None
        return gathered

    async def pause(self, seconds: float) -> None:
        await self._waiting.within(seconds, asyncio.Event().wait())

    async def hang_up(self) -> None:
        self.finish(Outcome.COMPLETED)

    async def consent(self) -> None:
        assert self.runner is not None
        assert self._beforehand is not None
        await self._heed_objection()
        if self._language.informed:
            await self._beforehand.rely()
        await self._prepare_language()
        # Who understands none of our languages is told in the project's, and no yes of theirs would be an informed one.
        self._opening = self._ask_about(self._spoken if self._language.informed else self._spoken.for_agent)
        await self._opening.perform()

    async def _prepare_language(self) -> None:
        """Have everything spoken in the caller's language; what cannot be is said in the project's."""
        if self._spoken is not self._settings:
            try:
                await self._desk.prompts.prepare((self._spoken,))
            except TallylightError as error:
                logger.error("nothing can be said in %s: %s", self._spoken.language, error.message)
                self._spoken = self._settings

    async def _heed_objection(self) -> None:
        """A standing objection is a no in advance; where it cannot be looked up, it is taken for one."""
        assert self._objection is not None
        done, _ = await asyncio.wait({self._objection}, timeout=OBJECTION_S)
        if done and (error := self._objection.exception()) is not None:
            logger.error("standing objections could not be looked up", exc_info=error)
        if not done or error is not None:
            self._object("standing objections could not be looked up", actor=ENGINE)
        elif (objection := self._objection.result()) is not None:
            self.heed(objection)

    def heed(self, objection: StandingObjection) -> None:
        """The caller is never to be recorded."""
        self._object(f"standing objection {objection.id}", actor=self.customer)

    def end_standing_yes(self, over: Collection[str]) -> None:
        """These standing yeses, by their ids, were taken back."""
        if self._beforehand is not None:
            self._beforehand.end(over)

    def _object(self, evidence: str, *, actor: str) -> None:
        if self.runner is not None:
            no = RefuseConsent(
                party=self.customer, method=Method.WRITTEN, evidence=evidence, offset_ms=self._offset_ms()
            )
            self._command(no, actor=actor)

    def _ask_about(self, terms: Settings, *, in_talk: bool = False) -> Asking:
        """A dialogue about these terms, in place of any other."""
        assert self.runner is not None
        if self._asking is not None:
            self._asking.stop()
        self._asking = Asking(
            self._desk,
            self.runner,
            terms=terms,
            caller=self.caller,
            customer=self.customer,
            waiting=self._waiting,
            in_talk=in_talk,
        )
        return self._asking

    # -- connecting ---------------------------------------------------------------------------------------------------

    async def dial(self, verb: Dial) -> None:
        assert self.runner is not None
        try:
            agent = self._agent = AgentLeg(
                self._desk,
                self.runner,
                target=SipUri.parse(verb.target),
                caller=self.caller,
                on_digit=self._agent_pressed,
                on_hold=self._held,
                on_gone=self._agent_gone,
            )
        except RtpError as error:
            logger.warning("an agent could not be called: %s", error.code)
            await self._apologise(Outcome.AGENT_UNREACHABLE)
            return
        flow = self._desk.flow
        self._agent_codes = StarCodes(
            codes={
                flow.pause_code: "pause",
                flow.customer_code: "customer",
                flow.receipt_code: "receipt",
                flow.minor_code: "minor",
            },
            clock=self._desk.clock,
            wait_s=flow.code_wait_s,
            listener=SideCodes(agent, self._agent_code),
        )
        agent.ring(self._call, verb.ring_s)
        if self._asking is not None:
            self._asking.afterword(self._caller_is_free)
        failure = await self._waiting.unless_over(agent.failure)
        if failure is None:
            await self._waiting.ended()
        else:
            await self._apologise(failure)

    async def _apologise(self, failure: Outcome) -> None:
        """Nobody answers: say so, and end the call."""
        self._asking = None
        self.caller.hush()
        _, apology = self._desk.prompts.notice(NoticeKind.APOLOGY, self._spoken)
        await self._speak(apology)
        self.finish(failure)

    def _caller_is_free(self) -> None:
        if self._agent is not None:
            self._agent.caller_is_free()

    async def _speak(self, prompt: Prompt) -> None:
        spoken = asyncio.Event()
        self.caller.speak(prompt, spoken.set)
        await self._waiting.unless_over(spoken.wait())

    # -- what people do -----------------------------------------------------------------------------------------------

    def _pressed(self, digit: Digit) -> None:
        """The caller pressed a key."""
        if self._gathering is not None:
            self._gathering.put_nowait(digit.key)
        elif self._asking is not None and self._asking.listens:
            self._asking.press(digit)
        else:
            self._caller_codes.press(digit)

    def _agent_pressed(self, digit: Digit) -> None:
        self._agent_codes.press(digit)

    def _withdraw(self, digit: Digit) -> None:
        evidence = f"digits {self._desk.flow.withdraw_code} at {digit.start_ms} ms"
        at_ms = min(digit.start_ms, self._offset_ms())
        command = WithdrawConsent(party=self.customer, method=Method.DIGIT, evidence=evidence, offset_ms=at_ms)
        if self._command(command, actor=self.customer) and self._asking is not None:
            self._asking.confirm_withdrawal(self._caller_is_free)

    def pause_or_resume(self, by: PartyId, at_ms: int) -> None:
        """The agent's code: pause where it records, resume where it is paused."""
        assert self.runner is not None
        if paused_by(self.runner.state, self._settings) is None:
            self._command(PauseRecording(by=by, offset_ms=at_ms), actor=by)
        else:
            self._command(ResumeRecording(by=by, offset_ms=self._offset_ms()), actor=by)

    # -- what the agent or the operator asks for ----------------------------------------------------------------------

    def switch_customer(self, by: PartyId | str, *, on: bool) -> Refusal | None:
        """Record the customer too, told and asked first; or no longer."""
        return self._change(SwitchCustomer(by=by, on=on, offset_ms=self._offset_ms()), self._spoken.for_customer)

    def open_receipt(self, by: PartyId | str, order: str) -> Refusal | None:
        """A voice receipt begins; whoever belongs on it is told and asked first."""
        return self._change(OpenReceipt(by=by, order=order, offset_ms=self._offset_ms()), self._spoken.for_receipts)

    def close_receipt(self, by: PartyId | str) -> Refusal | None:
        return self._change(CloseReceipt(by=by, offset_ms=self._offset_ms()), self._spoken.for_customer)

    def attest(self, by: PartyId | str, evidence: str) -> Refusal | None:
        """Somebody says that the caller agreed. A question that is being put to the caller goes on."""
        assert self.runner is not None
        command = AttestConsent(by=by, party=self.customer, evidence=evidence, offset_ms=self._offset_ms())
        return self.runner.command(command, actor=by)

    def know_minor(self, by: PartyId | str, at_ms: int | None = None) -> Refusal | None:
        """Somebody says that the caller is a child: what is being told or asked stops, and nothing more is."""
        assert self.runner is not None
        offset_ms = self._offset_ms() if at_ms is None else at_ms
        refusal = self.runner.command(KnowMinor(by=by, party=self.customer, offset_ms=offset_ms), actor=by)
        if refusal is None and self._asking is not None:
            self._asking.silence()
            self._caller_is_free()
        return refusal

    def _change(self, command: SwitchCustomer | OpenReceipt | CloseReceipt, terms: Settings) -> Refusal | None:
        """Do it, end what was being asked for the state before, and ask what is to be asked now."""
        assert self.runner is not None
        refusal = self.runner.command(command, actor=command.by)
        if refusal is None:
            asking = self._ask_about(terms, in_talk=True)
            if asking.has_something_to_say and self._language.informed:
                self._waiting.beside(self._ask_in_talk(asking))
        return refusal

    async def _ask_in_talk(self, asking: Asking) -> None:
        await asking.perform()
        asking.afterword(lambda: None)

    def _agent_code(self, name: str, digit: Digit) -> None:
        agent, runner = self._agent, self.runner
        if agent is None or runner is None:
            return
        refusal: Refusal | None = None
        match name:
            case "pause":
                self.pause_or_resume(agent.party, min(digit.start_ms, self._offset_ms()))
            case "customer":
                refusal = self.switch_customer(agent.party, on=not runner.state.customer_on)
            case "receipt":
                opens = runner.state.receipt is None
                refusal = self.open_receipt(agent.party, "") if opens else self.close_receipt(agent.party)
            case "minor":
                refusal = self.know_minor(agent.party, min(digit.start_ms, self._offset_ms()))
        if refusal is not None:
            logger.info("the agent's code was refused: %s", refusal.code)

    def _held(self, side: Side, held: bool) -> None:
        if self.runner is None:
            return
        party = self.customer if side is self.caller or self._agent is None else self._agent.party
        if held:
            self._command(HoldConversation(by=party, offset_ms=self._offset_ms()), actor=party)
        else:
            self._command(UnholdConversation(by=party, offset_ms=self._offset_ms()), actor=party)

    def _caller_gone(self, side: Side) -> None:
        if self.runner is not None:
            self._command(LeaveParty(party=self.customer, offset_ms=self._offset_ms()), actor=self.customer)
        talked = self._agent is not None and self._agent.talked
        self.finish(Outcome.COMPLETED if talked else Outcome.ABANDONED)

    def _agent_gone(self, side: Side) -> None:
        if self.runner is not None and self._agent is not None:
            self._command(LeaveParty(party=self._agent.party, offset_ms=self._offset_ms()), actor=self._agent.party)
        self.finish(Outcome.COMPLETED)

    def _watch(self) -> None:
        """End a talk in which neither side's media has come for a while, unless somebody is on hold.

        Before it, everything is bounded without: a caller may listen and wait in silence.
        """
        assert self.runner is not None
        now_ms = self._offset_ms()
        limit_ms = self._desk.flow.no_media_s * 1000
        agent = self._agent
        if agent is not None and agent.talked and not self.runner.state.held_by:
            newest_ms = max(self.caller.last_media_ms, agent.last_media_ms)
            if now_ms - newest_ms > limit_ms:
                self.finish(Outcome.NO_MEDIA)
                return
        self._waiting.later(WATCH_S, self._watch)
