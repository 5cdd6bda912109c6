"""The agent's leg: rung, joined to the conversation when it answers, bridged with the caller at once."""

import asyncio
import logging
from collections.abc import Callable

from tallylight.clock import Timer
from tallylight.conversation.commands import JoinParty
from tallylight.ids import PartyId, new_id
from tallylight.law.vocabulary import Role
from tallylight.live.runner import ConversationRunner
from tallylight.telephony.b2bua.desk import Desk
from tallylight.telephony.b2bua.outcomes import Outcome, outcome_of
from tallylight.telephony.b2bua.side import Side
from tallylight.telephony.flow.codes import Digit
from tallylight.telephony.sip.call import Call
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.uri import SipUri

logger = logging.getLogger(__name__)


class AgentLeg(Side):
    """Rings `target`; `failure` resolves to None on an answer, else to why there is none."""

    def __init__(
        self,
        desk: Desk,
        runner: ConversationRunner,
        *,
        target: SipUri,
        caller: Side,
        on_digit: Callable[[Digit], None],
        on_hold: Callable[[Side, bool], None],
        on_gone: Callable[[Side], None],
    ) -> None:
        super().__init__(desk, on_digit=on_digit, on_hold=on_hold, on_gone=on_gone)
        self._desk = desk
        self._runner = runner
        self._target = target
        self._caller = caller
        self._timer: Timer | None = None
        self._is_ringing = False
        self.party = PartyId(new_id(desk.clock.wall_ms()))
        self.talked = False
        """Whether the agent answered."""
        self.failure: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()

    def ring(self, inbound: Call, ring_s: float) -> None:
        """Call the agent in the caller's name; an answer is awaited for at most `ring_s`."""
        try:
            self.attach(
                self._desk.user_agent.call(
                    self._target,
                    caller=self._desk.caller_uri(inbound.remote),
                    sdp=self.offer(),
                    observer=self,
                    credentials=self._desk.outbound_credentials,
                    max_forwards=inbound.max_forwards - 1,
                    languages=inbound.languages,
                )
            )
        except SipError as error:
            self._fail(outcome_of(error.status))
            return
        self._timer = self._desk.clock.call_later(ring_s, self._give_up)

    def caller_is_free(self) -> None:
        """Nothing is being said to the caller any more: it may hear the ringing."""
        if self._is_ringing and not self._caller.speaking and not self.failure.done():
            self._caller.leg.ringback()

    def ringing(self, call: Call, code: int, sdp: bytes | None) -> None:
        if not self._is_ringing:
            self._is_ringing = True
            self.caller_is_free()

    def answered(self, call: Call, sdp: bytes) -> None:
        if self.failure.done():
            return
        self._stop_timer()
        try:
            self.take_answer(sdp)
        except SipError as error:
            logger.info("the agent's answer cannot be used: %s", error.code)
            self._fail(Outcome.AGENT_UNREACHABLE)
            self.close()
            return
        self.talked = True
        runner, desk = self._runner, self._desk
        refusal = runner.command(
            JoinParty(
                party=self.party,
                role=Role.AGENT,
                places=(desk.agent_place,),
                basis=runner.settings.agent_basis,
                employee_notice=desk.agent_employee_notice,
                offset_ms=runner.offset_ms(),
            ),
            address=desk.canonical(str(self._target)),
        )
        if refusal is not None:
            logger.error("the agent could not join: %s", refusal.code)
        self.begin(runner.anchor_ns, runner.tracks.capture(self.party), None)
        if not self._caller.speaking:
            self._caller.leg.stop_playing()
        self.leg.peer, self._caller.leg.peer = self._caller.leg, self.leg
        self.failure.set_result(None)

    def failed(self, call: Call, code: int, phrase: str) -> None:
        self.gone = True
        self._fail(outcome_of(code))

    def close(self) -> None:
        self._stop_timer()
        super().close()

    def _give_up(self) -> None:
        self._timer = None
        if self._call is not None and not self.failure.done():
            self._call.cancel()
            self._fail(Outcome.AGENT_NO_ANSWER)

    def _fail(self, outcome: Outcome) -> None:
        self._stop_timer()
        if not self.failure.done():
            self.failure.set_result(outcome)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
