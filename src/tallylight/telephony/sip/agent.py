"""The user agent: gives each message from the network to its transaction, its call, or a new call (RFC 3261)."""

import asyncio
import os
from collections.abc import Callable

from tallylight.clock import Clock
from tallylight.telephony.sip.admission import Admission, Admit, Challenge, Forbid, Judgement, Silence
from tallylight.telephony.sip.board import (
    ALLOW,
    Board,
    Credentials,
    SipOptions,
    check_extensions,
    refuse_method,
)
from tallylight.telephony.sip.bodies import SDP, session_of
from tallylight.telephony.sip.call import Call
from tallylight.telephony.sip.carrier import Carrier, HeaderList, answer_bytes, answer_hop, stamp_via
from tallylight.telephony.sip.codec import Malformed, Request, Response, parse
from tallylight.telephony.sip.counters import Counters
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.inbound import InboundCall
from tallylight.telephony.sip.network import Hop, SipNetwork
from tallylight.telephony.sip.observer import CallObserver, EndCause
from tallylight.telephony.sip.outbound import OutboundCall
from tallylight.telephony.sip.server_transaction import InviteServerTransaction, ServerTransaction
from tallylight.telephony.sip.uri import SipUri

_COUNTED = frozenset(("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "REGISTER", "UPDATE", "PRACK", "REFER"))


class UserAgent:
    """One SIP endpoint on one network. `on_call` gets each call, sets its observer, and rings, answers or rejects."""

    def __init__(
        self,
        *,
        clock: Clock,
        network: SipNetwork,
        admission: Admission,
        on_call: Callable[[Call], None],
        options: SipOptions | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.options = options or SipOptions()
        self.counters: Counters = network.counters
        self._clock = clock
        self._network = network
        self._admission = admission
        self._on_call = on_call
        self._carrier = Carrier(
            clock=clock,
            network=network,
            entropy=entropy,
            timing=self.options.timing,
            udp_limit=self.options.udp_limit,
            stay_on_udp=self.options.stay_on_udp,
        )
        self._board = Board(options=self.options, carrier=self._carrier)
        self._stopping = False

    @property
    def calls(self) -> frozenset[Call]:
        """Calls that are not over."""
        return frozenset(self._board.calls)

    @property
    def transactions_alive(self) -> int:
        """Transactions that are not over, those that only absorb copies included."""
        return len(self._board.transactions)

    async def start(self) -> None:
        """Listen. Raises SipError where the address cannot be had."""
        await self._network.start(self.receive)

    async def stop(self) -> None:
        """Answer new calls 503, end every call, wait at most `options.stop_s` for the peers, stop listening."""
        self._stopping = True
        calls = list(self._board.calls)
        for call in calls:
            call.hang_up(EndCause.STOPPED)
        quiet = asyncio.Event()
        self._board.on_quiet = quiet.set
        self._board.look_if_quiet()
        hurry = self._clock.call_later(self.options.stop_s * 3 / 4, lambda: _hurry(calls))
        limit = self._clock.call_later(self.options.stop_s, quiet.set)
        await quiet.wait()
        self._board.on_quiet = None
        hurry.cancel()
        limit.cancel()
        self._board.transactions.abandon()
        await self._network.stop()

    def call(
        self,
        target: SipUri,
        *,
        caller: SipUri,
        sdp: bytes,
        observer: CallObserver,
        credentials: Credentials | None = None,
        max_forwards: int = 70,
        languages: tuple[str, ...] = (),
    ) -> Call:
        """Place a call, for somebody who understands these languages. Raises SipError where the target cannot be called."""
        if self._stopping:
            raise SipError(503, "This user agent is stopping. Place no new call.")
        if max_forwards < 1:
            raise SipError(483)
        call = OutboundCall(
            self._board,
            target=target,
            caller=caller,
            sdp=sdp,
            observer=observer,
            credentials=credentials,
            max_forwards=max_forwards,
            languages=languages,
        )
        call.start()
        return call

    # Messages

    def receive(self, data: bytes, source: Hop) -> None:
        """One message from the network. Never raises."""
        message: Request | Response | None = None
        try:
            try:
                message = parse(data, framed=source.transport.reliable)
            except Malformed as error:
                self._receive_malformed(error, source)
                return
            if isinstance(message, Response):
                self._receive_response(message)
            else:
                self._receive_request(message, source)
        except Exception as error:
            self.counters.dropped["internal_error"] += 1
            self._board.log_fault(error, message.call_id if message is not None else "")

    def _receive_response(self, response: Response) -> None:
        self.counters.responses_received[f"{response.status // 100}xx"] += 1
        if not self._board.transactions.receive_response(response):
            self.counters.dropped["stray_response"] += 1

    def _receive_malformed(self, error: Malformed, source: Hop) -> None:
        request = error.request
        if request is None or not isinstance(self._judge(request, source), Admit):
            self.counters.dropped["malformed"] += 1
            return
        self._refuse(request, source, error.status)

    def _receive_request(self, request: Request, source: Hop) -> None:
        method = request.method
        self.counters.requests_received[method if method in _COUNTED else "OTHER"] += 1
        transactions = self._board.transactions
        if transactions.receive_again(request):
            return
        stamp_via(request, source)
        call = self._board.dialogs.get((request.call_id, request.to_tag, request.from_tag)) if request.to_tag else None
        if method == "ACK":
            if call is not None:
                call.receive_ack(request)
            else:
                self.counters.dropped["stray_ack"] += 1
        elif method == "CANCEL":
            self._receive_cancel(request, source)
        elif call is not None:
            call.receive(request, transactions.accept(request, source, request.to_tag))
        else:
            self._receive_stranger(request, source)

    def _judge(self, request: Request, source: Hop) -> Judgement:
        return self._admission.judge(
            source.host,
            method=request.method,
            uri=request.uri,
            authorization=request.headers.get_first("authorization"),
            body=request.body,
            now_ms=self._clock.monotonic_ns() // 1_000_000,
        )

    def _refuse(self, request: Request, source: Hop, status: int, headers: HeaderList = ()) -> None:
        """Answer without a transaction (section 8.2.7), so that strangers cost no memory."""
        self.counters.refused[status] += 1
        stamp_via(request, source)
        data = answer_bytes(request, status, to_tag=self._board.stable_tag(request), headers=headers)
        self._network.send(data, answer_hop(request, source), lambda: None)

    def _receive_cancel(self, request: Request, source: Hop) -> None:
        invite = self._board.transactions.invite_of(request)
        if invite is None:
            if isinstance(self._judge(request, source), Admit):
                self._refuse(request, source, 481)
            else:
                self.counters.dropped["stray_cancel"] += 1
            return
        self._board.transactions.accept(request, source, invite.to_tag).respond(200)
        call = self._board.dialogs.get((request.call_id, invite.to_tag, request.from_tag))
        if isinstance(call, InboundCall) and not invite.request.to_tag:
            call.receive_cancel()

    def _receive_stranger(self, request: Request, source: Hop) -> None:
        """A request outside every dialog (section 8.2)."""
        match self._judge(request, source):
            case Silence():
                self.counters.dropped["silence"] += 1
            case Challenge(headers=challenges):
                self._refuse(request, source, 401, tuple(("WWW-Authenticate", value) for value in challenges))
            case Forbid():
                self._refuse(request, source, 403)
            case Admit() as admit:
                merged = self._board.transactions.is_merged(request)
                transaction = self._board.transactions.accept(request, source, self._carrier.new_tag())
                status, headers = self._examine(request, merged=merged)
                if status:
                    self.counters.refused[status] += 1
                    transaction.respond(status, headers=headers)
                else:
                    self._serve(transaction, admit)

    def _examine(self, request: Request, *, merged: bool) -> tuple[int, HeaderList]:
        """The status that refuses a request outside a dialog, with its headers; 0 where nothing speaks against it."""
        if request.to_tag:
            return 481, ()
        if merged:
            return 482, ()
        if self._stopping:
            return 503, (("Retry-After", "60"),)
        if request.method not in ("INVITE", "OPTIONS"):
            return 0, ()
        if request.uri.partition(":")[0].lower() not in ("sip", "tel"):
            return 416, ()
        unsupported = check_extensions(request.headers)
        if unsupported is not None:
            return 420, unsupported
        if request.method == "INVITE" and request.headers.get_first("max-forwards") in ("0", "00", "000"):
            # A call to us is carried on to somebody else: a loop has to end here (section 16.3).
            return 483, ()
        encoding = request.headers.get_first("content-encoding")
        if request.body and encoding is not None and encoding.strip().lower() not in ("", "identity"):
            return 415, (("Accept-Encoding", "identity"),)
        return 0, ()

    def _serve(self, transaction: ServerTransaction, admit: Admit) -> None:
        request = transaction.request
        if isinstance(transaction, InviteServerTransaction):
            self._invited(transaction, admit)
        elif request.method == "OPTIONS":
            contact = self._board.contact(transaction.source.transport)
            transaction.respond(200, headers=(("Contact", contact), *self._board.capabilities()))
        elif request.method in ("BYE", "INFO"):
            transaction.respond(481)
        else:
            refuse_method(transaction)

    def _invited(self, transaction: InviteServerTransaction, admit: Admit) -> None:
        request = transaction.request
        sdp = session_of(request.headers.get_first("content-type") or "", request.body)
        optional = "handling=optional" in (request.headers.get_first("content-disposition") or "").lower()
        if sdp is None and request.body and not optional:
            transaction.respond(415, headers=(("Accept", SDP), *ALLOW))
            return
        try:
            call = InboundCall(self._board, transaction, sdp=sdp, admit=admit)
        except SipError as error:
            transaction.respond(error.status)
            return
        try:
            self._on_call(call)
        except Exception as error:
            self.counters.observer_errors += 1
            self._board.log_fault(error, request.call_id)
            call.hang_up(EndCause.FAULT)
            return
        if not call.responded:
            call.trying()


def _hurry(calls: list[Call]) -> None:
    for call in calls:
        call.hurry()
