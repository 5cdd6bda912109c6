"""Every call of this process: taken, remembered, reachable by its conversation, and closed in good order."""

import asyncio
import logging
from collections.abc import Callable, Collection

from tallylight.catalogue.addresses import comparable
from tallylight.consent.objection import StandingObjection
from tallylight.conversation.commands import OPERATOR, PauseRecording, ResumeRecording
from tallylight.conversation.handle import Refusal
from tallylight.errors import TallylightError
from tallylight.ids import ConversationId
from tallylight.live.runner import ConversationRunner
from tallylight.telephony.b2bua.desk import Desk
from tallylight.telephony.b2bua.inbound import InboundCall
from tallylight.telephony.b2bua.outcomes import Outcome
from tallylight.telephony.rtp.errors import RtpError
from tallylight.telephony.sip.call import Call
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.uri import SipUri

logger = logging.getLogger(__name__)


class NoSuchCall(TallylightError):
    """No running conversation has this id."""

    code = "no_such_call"


def _done(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise TallylightError(refusal.message, code=refusal.code)


class Switchboard:
    """Takes calls (`on_call`) and finds them again. Media loop only."""

    def __init__(self, *, desk: Callable[[], Desk], target: SipUri, is_ours: Callable[[SipUri], bool]) -> None:
        self._desk = desk
        self._target = target
        self._is_ours = is_ours
        self._tasks: dict[asyncio.Task[None], InboundCall] = {}
        self._closing = False
        self._running: dict[ConversationId, ConversationRunner] = {}

    @property
    def calls(self) -> tuple[InboundCall, ...]:
        """Every call that is not put away yet."""
        return tuple(self._tasks.values())

    @property
    def running(self) -> tuple[ConversationRunner, ...]:
        """Conversations that have begun and are not sealed yet."""
        return tuple(self._running.values())

    def on_call(self, call: Call) -> None:
        """A call came in. It reaches the configured agent; only proven credentials may name another target.

        A peer let in by its address alone is never challenged and never gets another target, whatever host its
        request names: trunks write names of ours that we do not know.
        """
        if self._closing:
            call.reject(503)
            return
        target = self._target
        if call.identity is not None and not self._is_ours(call.target):
            target = call.target
        try:
            inbound = InboundCall(self._desk(), call, target=target)
        except RtpError as error:
            logger.warning("a call was refused: %s", error.code)
            call.reject(503)
            return
        except SipError as error:
            call.reject(error.status)
            return
        task = asyncio.get_running_loop().create_task(inbound.run())
        self._tasks[task] = inbound
        task.add_done_callback(self._tasks.pop)

    def register(self, runner: ConversationRunner) -> None:
        """A conversation has begun: commands reach it from now on."""
        self._running[runner.conversation] = runner

    def forget(self, conversation: ConversationId) -> None:
        self._running.pop(conversation, None)

    def find(self, conversation: str) -> ConversationRunner:
        """The running conversation. Raises NoSuchCall."""
        runner = self._running.get(ConversationId(conversation))
        if runner is None:
            raise NoSuchCall(
                f"No call with the conversation {conversation} is running. `tallylight recordings list` shows the ids."
            )
        return runner

    def call_of(self, conversation: str) -> InboundCall:
        """The call of a running conversation. Raises NoSuchCall."""
        runner = self.find(conversation)
        return next(call for call in self._tasks.values() if call.runner is runner)

    def switch_customer(self, conversation: str, *, on: bool) -> None:
        """Record the customer too, or no longer. Raises as `pause`."""
        _done(self.call_of(conversation).switch_customer(OPERATOR, on=on))

    def open_receipt(self, conversation: str, order: str) -> None:
        """A voice receipt begins. Raises as `pause`."""
        _done(self.call_of(conversation).open_receipt(OPERATOR, order))

    def close_receipt(self, conversation: str) -> None:
        """The voice receipt ends. Raises as `pause`."""
        _done(self.call_of(conversation).close_receipt(OPERATOR))

    def attest(self, conversation: str, evidence: str) -> None:
        """The operator says that the customer agreed. Raises as `pause`."""
        _done(self.call_of(conversation).attest(OPERATOR, evidence))

    def know_minor(self, conversation: str) -> None:
        """The operator says that the customer is a child. Raises as `pause`."""
        _done(self.call_of(conversation).know_minor(OPERATOR))

    def heed(self, objection: StandingObjection, address: str) -> None:
        """Somebody with this canonical address is never to be recorded: not on the calls they are on either."""
        for call in self._tasks.values():
            if comparable(call.address) == comparable(address):
                call.heed(objection)

    def end_standing_yes(self, over: Collection[str]) -> None:
        """Standing yeses, by their ids, were taken back: no running call rests on them any more."""
        for call in self._tasks.values():
            call.end_standing_yes(over)

    def pause(self, conversation: str) -> None:
        """Every lamp goes amber. Raises NoSuchCall, or TallylightError where the conversation refuses."""
        self._order(conversation, PauseRecording)

    def resume(self, conversation: str) -> None:
        self._order(conversation, ResumeRecording)

    def _order(self, conversation: str, command: type[PauseRecording] | type[ResumeRecording]) -> None:
        runner = self.find(conversation)
        _done(runner.command(command(by=OPERATOR, offset_ms=runner.offset_ms()), actor=OPERATOR))

    async def close(self) -> None:
        """End every call, take no more, and wait until each is closed."""
        self._closing = True
        for call in self._tasks.values():
            call.finish(Outcome.SHUTDOWN)
        if self._tasks:
            await asyncio.wait(self._tasks)
