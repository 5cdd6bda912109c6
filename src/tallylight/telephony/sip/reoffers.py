"""Our re-INVITEs within one call: one at a time, glare retried (RFC 3261 section 14.1)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tallylight.clock import Timer
from tallylight.telephony.sip.board import ALLOW, Board, body_headers
from tallylight.telephony.sip.bodies import SDP, session_of
from tallylight.telephony.sip.carrier import Carriage, Carrier, HeaderList, Outgoing
from tallylight.telephony.sip.codec import Response
from tallylight.telephony.sip.dialog import Dialog
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.exchange import Exchange
from tallylight.telephony.sip.network import Hop

if TYPE_CHECKING:
    from tallylight.telephony.sip.call import Call

Answered = bytes | SipError
"""The SDP of the peer's answer, or why there is none."""
GLARES = 10
"""Retries before an offer that always crosses another is given up."""


class Reoffers:
    """What waits, what is under way."""

    def __init__(self, board: Board, call: "Call") -> None:
        self._board = board
        self._call = call
        self._waiting: tuple[bytes, Callable[[Answered], None]] | None = None
        self._current: _Reoffer | None = None
        self._glares = 0
        self._pause: Timer | None = None

    @property
    def under_way(self) -> bool:
        """Whether a re-INVITE of ours waits for its final response."""
        return self._current is not None

    def offer(self, sdp: bytes, done: Callable[[Answered], None] | None) -> None:
        """Offer `sdp` as soon as it may be."""
        replaced, self._waiting = self._waiting, (sdp, done or _ignore)
        self._glares = 0
        if replaced is not None:
            self._tell(replaced[1], SipError(491))
        self.go_on()

    def go_on(self) -> None:
        """Send what waits, where nothing stands in its way."""
        if self._waiting is None or self.under_way or self._pause is not None or self._call.waits_for_ack:
            return
        if self._call.over:
            return
        (sdp, done), self._waiting = self._waiting, None
        self._current = _Reoffer(self._board, self._call, sdp, lambda answer: self._on_done(sdp, done, answer))
        self._current.start()

    def drop(self) -> None:
        """The call is over: whoever waits is told so."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        waiting, self._waiting = self._waiting, None
        current, self._current = self._current, None
        if current is not None:
            current.close(SipError(481))
        if waiting is not None:
            self._tell(waiting[1], SipError(481))

    def _on_done(self, sdp: bytes, done: Callable[[Answered], None], answer: Answered) -> None:
        self._current = None
        status = answer.status if isinstance(answer, SipError) else 200
        if status == 491 and not self._call.over and self._waiting is None and self._glares < GLARES:
            self._glares += 1
            self._waiting = (sdp, done)
            self._pause = self._board.clock.call_later(self._back_off_s(), self._on_pause_over)
            return
        self._tell(done, answer)
        if status in (408, 481):
            self._call.lost()
        self.go_on()

    def _back_off_s(self) -> float:
        """Section 14.1: 2.1 to 4 s for the side that made the Call-ID, up to 2 s for the other, in steps of 10 ms."""
        number = int.from_bytes(self._board.carrier.entropy(2), "big")
        if self._call.direction == "outbound":
            return 2.1 + (number % 191) / 100
        return (number % 201) / 100

    def _on_pause_over(self) -> None:
        self._pause = None
        self.go_on()

    def _tell(self, done: Callable[[Answered], None], answer: Answered) -> None:
        try:
            done(answer)
        except Exception as error:
            self._board.counters.observer_errors += 1
            self._board.log_fault(error, self._call.call_id)


class _Reoffer:
    """One re-INVITE. Copies of its 2xx are acknowledged for as long as the transaction lives."""

    def __init__(self, board: Board, call: "Call", sdp: bytes, done: Callable[[Answered], None]) -> None:
        self._board = board
        self._call = call
        self._sdp = sdp
        self._done: Callable[[Answered], None] | None = done
        self._ack: Carriage | None = None
        self._exchange = Exchange(
            board, self._make, credentials=call.credentials, on_response=self._on_response, on_failed=self._on_failed
        )

    def start(self) -> None:
        try:
            self._exchange.start()
        except SipError as error:
            self.close(error)

    def _make(self, signed: HeaderList) -> tuple[Outgoing, Hop]:
        return self._call.make("INVITE", signed, headers=(*ALLOW, *body_headers(SDP)), body=self._sdp)

    def close(self, answer: Answered) -> None:
        """Report once."""
        done, self._done = self._done, None
        if done is not None:
            done(answer)

    def _on_failed(self, status: int) -> None:
        self.close(SipError(status))

    def _on_response(self, response: Response) -> None:
        if response.status < 200:
            return
        if response.status >= 300:
            self.close(SipError(response.status))
            return
        if self._ack is not None:
            self._ack.send()
            return
        dialog = self._call.dialog
        if dialog is None:
            return
        self._call.refreshed(response)
        self._ack = acknowledge(self._board.carrier, dialog, response, self._exchange.authorization)
        sdp = session_of(response.headers.get_first("content-type") or "", response.body)
        if sdp is None:
            self.close(SipError(488, "The peer took our offer without an answer. End the call or offer again."))
        else:
            self._call.remote_sdp = sdp
            self.close(sdp)


def acknowledge(carrier: Carrier, dialog: Dialog, response: Response, signed: HeaderList) -> Carriage:
    """Send the ACK of a 2xx (section 13.2.2.4): end to end, a branch of its own, the INVITE's CSeq and credentials."""
    message, hop = dialog.request("ACK", cseq=response.cseq, contact="", headers=signed)
    carriage = Carriage(carrier, message, hop, branch=carrier.new_branch(), failed=_nothing, switched=_nothing)
    carriage.send()
    return carriage


def _ignore(answer: Answered) -> None:
    """Nobody asked."""


def _nothing() -> None:
    """A lost ACK is sent again when its 2xx is."""
