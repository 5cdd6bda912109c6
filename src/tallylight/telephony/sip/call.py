"""A call as the upper layer holds it: one dialog of ours with one peer, from its INVITE to its BYE.

Here is what both directions have in common once they are talking; `inbound` and `outbound` are how it gets there.
"""

from collections.abc import Callable
from enum import StrEnum

from tallylight.telephony.sip.acceptance import Acceptance
from tallylight.telephony.sip.board import (
    ALLOW,
    Board,
    Credentials,
    body_headers,
    check_extensions,
    refuse_method,
)
from tallylight.telephony.sip.bodies import SDP, session_of
from tallylight.telephony.sip.carrier import HeaderList, Outgoing
from tallylight.telephony.sip.codec import Request, Response
from tallylight.telephony.sip.dialog import Dialog
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.exchange import Exchange
from tallylight.telephony.sip.network import Hop, Transport
from tallylight.telephony.sip.observer import CallObserver, EndCause
from tallylight.telephony.sip.reoffers import Answered, Reoffers
from tallylight.telephony.sip.server_transaction import InviteServerTransaction, ServerTransaction
from tallylight.telephony.sip.uri import SipUri


class Direction(StrEnum):
    """Who placed the call."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class WrongState(SipError):
    """A call was asked for what its state does not allow."""

    def __init__(self, what: str) -> None:
        super().__init__(500, f"This call cannot {what} now. Look at its direction and whether it is over.")


class Call:
    """One call. Its methods are for the event loop's thread; what they start is reported to `observer`."""

    def __init__(
        self,
        board: Board,
        *,
        direction: Direction,
        call_id: str,
        remote: SipUri,
        target: SipUri,
        observer: CallObserver,
        transport: Transport,
        credentials: Credentials | None = None,
        identity: str | None = None,
        trusted: bool = False,
        remote_sdp: bytes | None = None,
        max_forwards: int = 70,
        languages: tuple[str, ...] = (),
    ) -> None:
        self.direction = direction
        self.call_id = call_id
        self.remote = remote
        """The peer: the URI of From on a call to us, of To on a call of ours."""
        self.target = target
        """The request-URI of the INVITE."""
        self.observer = observer
        self.identity = identity
        """The user whose password the caller proved, or None."""
        self.trusted = trusted
        """Let in by address."""
        self.remote_sdp = remote_sdp
        """The peer's latest session description, None before there is one."""
        self.max_forwards = max_forwards
        """Hops the INVITE had left; a call placed because of it gets one less."""
        self.languages = languages
        """Tags of RFC 5646 that the peer's Accept-Language names, best first."""
        self.over = False
        self.answered = False
        """A 2xx to the first INVITE went or came."""
        self._board = board
        self._transport = transport
        self.credentials = credentials
        """What we answer the peer's challenges with."""
        self._dialog: Dialog | None = None
        self._acceptances: dict[int, Acceptance] = {}
        self._bye_waits = False
        self._reoffers = Reoffers(board, self)
        board.calls.add(self)

    # What the upper layer asks for

    def ring(self, sdp: bytes | None = None) -> None:
        """Tell the caller that we ring (180), or with `sdp` that there is early media (183)."""
        raise WrongState("ring")

    def answer(self, sdp: bytes) -> None:
        """Take the call (200). `sdp` answers the caller's offer; after a late offer it is the offer."""
        raise WrongState("be answered")

    def reject(self, code: int, phrase: str | None = None) -> None:
        """Refuse the call with 300 to 699. The observer hears nothing more of it."""
        raise WrongState("be rejected")

    def cancel(self) -> None:
        """Give up a call of ours that is not answered; `failed` follows, with 487 if nothing else came first."""
        raise WrongState("be cancelled")

    def bye(self) -> None:
        """End the call in whichever way its state asks for; where it was answered, `ended` comes before this returns.

        Harmless on a call that is over.
        """
        self.hang_up(EndCause.LOCAL)

    def reoffer(self, sdp: bytes, done: Callable[[Answered], None] | None = None) -> None:
        """Offer another session (re-INVITE). `done` gets the answer's SDP, or SipError where the peer refused.

        One at a time: an offer made while another is under way, or before the peer's ACK, waits; a later one replaces
        the one that waits (whose `done` gets SipError 491). Glare is retried after a random time.
        """
        if self.over or not self.answered:
            raise WrongState("be offered another session")
        self._reoffers.offer(sdp, done)

    def info(self, content_type: str, body: bytes) -> None:
        """Send an INFO (RFC 2976 style). A refusal is no news; a peer that forgot the call ends it."""
        if self.over or self._dialog is None:
            raise WrongState("carry an INFO")
        self._exchange("INFO", headers=body_headers(content_type), body=body, on_final=self._on_info_final)

    @property
    def dialog(self) -> Dialog | None:
        """The dialog, once there is one."""
        return self._dialog

    @property
    def source_host(self) -> str:
        """The address the peer's INVITE came from; of a call of ours, as `peer_host`."""
        return self.peer_host

    @property
    def peer_host(self) -> str:
        """The host our requests within this call go to."""
        return self._dialog.first_hop().host if self._dialog is not None else self.target.host

    # Ending

    def hang_up(self, cause: EndCause) -> None:
        """As `bye`, for any cause on our side."""
        if self.over:
            return
        self._send_bye_when_allowed()
        self._end(cause)

    def _send_bye_when_allowed(self) -> None:
        """A callee must not say BYE before the ACK of its 2xx (section 15)."""
        if self._acceptances and self.direction is Direction.INBOUND and self._initial_unacknowledged():
            self._bye_waits = True
        else:
            self._send_bye()

    def _initial_unacknowledged(self) -> bool:
        return False

    def hurry(self) -> None:
        """Wait no longer for an ACK with a BYE that is due."""
        if self._bye_waits:
            self._stop_acceptances()
            self._send_bye()

    def _send_bye(self) -> None:
        self._bye_waits = False
        self._stop_acceptances()
        if self._dialog is not None:
            self._exchange("BYE", on_final=lambda status: self._leave())

    def _leave(self) -> None:
        """The dialog is no more."""
        self._stop_acceptances()
        if self._dialog is not None:
            self._board.forget(self._dialog.id, self)

    def _end(self, cause: EndCause) -> None:
        if self._close():
            self._call_observer(lambda: self.observer.ended(self, cause))

    def _close(self) -> bool:
        """Mark the call as over; False where it was."""
        if self.over:
            return False
        self.over = True
        self._reoffers.drop()
        self._board.calls.discard(self)
        self._board.look_if_quiet()
        return True

    def _stop_acceptances(self) -> None:
        for acceptance in self._acceptances.values():
            acceptance.stop()
        self._acceptances.clear()

    def _call_observer(self, callback: Callable[[], None]) -> bool:
        """Run a callback of the upper layer; one that raises ends the call. False then."""
        try:
            callback()
        except Exception as error:
            self._note_fault(error)
            self.hang_up(EndCause.FAULT)
            return False
        return True

    def _note_fault(self, error: Exception) -> None:
        self._board.counters.observer_errors += 1
        self._board.log_fault(error, self.call_id)

    # Requests of ours within the dialog

    def make(
        self, method: str, signed: HeaderList, *, headers: HeaderList = (), body: bytes = b""
    ) -> tuple[Outgoing, Hop]:
        """A request within the dialog, with the next CSeq."""
        dialog = self._dialog
        if dialog is None:
            raise WrongState(f"carry a {method}")
        return dialog.request(
            method,
            cseq=dialog.next_cseq(),
            contact=self._board.contact(self._transport),
            headers=(*headers, *signed, *self._board.user_agent()),
            body=body,
        )

    def _exchange(
        self, method: str, *, on_final: Callable[[int], None], headers: HeaderList = (), body: bytes = b""
    ) -> None:
        def on_response(response: Response) -> None:
            if response.status >= 200:
                on_final(response.status)

        Exchange(
            self._board,
            lambda signed: self.make(method, signed, headers=headers, body=body),
            credentials=self.credentials,
            on_response=on_response,
            on_failed=on_final,
        ).start()

    def _on_info_final(self, status: int) -> None:
        if status in (408, 481):
            self.lost()

    def lost(self) -> None:
        """The peer no longer answers or knows the dialog (section 12.2.1.2)."""
        self.hang_up(EndCause.LOST)

    def refreshed(self, response: Response) -> None:
        """A 2xx to our re-INVITE came."""
        if self._dialog is not None:
            self._dialog.refresh(response.headers, None)

    # Requests of the peer within the dialog

    def receive_ack(self, request: Request) -> None:
        """The ACK to a 2xx of ours."""
        acceptance = self._acceptances.pop(request.cseq, None)
        if acceptance is None:
            return
        acceptance.stop()
        if self._bye_waits:
            self._send_bye()
            return
        if self.over:
            return
        sdp = session_of(request.headers.get_first("content-type") or "", request.body)
        if acceptance.is_offer and sdp is not None:
            self.remote_sdp = sdp
        if self._call_observer(lambda: self.observer.acknowledged(self, sdp)):
            self._reoffers.go_on()

    def receive(self, request: Request, transaction: ServerTransaction) -> None:
        """A request within the dialog, not an ACK."""
        dialog = self._dialog
        if dialog is None or not dialog.take_cseq(request):
            transaction.respond(500, headers=self._board.server())
            return
        unsupported = check_extensions(request.headers)
        if unsupported is not None:
            transaction.respond(420, headers=unsupported)
        elif request.method == "BYE":
            transaction.respond(200, headers=self._board.server())
            self._receive_bye()
        elif self.over:
            transaction.respond(481)
        elif request.method == "INFO":
            self._receive_info(request, transaction)
        elif request.method == "INVITE" and isinstance(transaction, InviteServerTransaction):
            self._receive_reinvite(request, transaction)
        elif request.method == "OPTIONS":
            transaction.respond(200, headers=self._board.capabilities())
        else:
            refuse_method(transaction)

    def _receive_bye(self) -> None:
        self._bye_waits = False
        self._leave()
        self._end(EndCause.REMOTE)

    def _receive_info(self, request: Request, transaction: ServerTransaction) -> None:
        content_type = request.headers.get_first("content-type") or ""
        try:
            self.observer.info(self, content_type, request.body)
        except SipError as error:
            transaction.respond(error.status)
        except Exception as error:
            self._note_fault(error)
            transaction.respond(500)
        else:
            transaction.respond(200, headers=self._board.server())

    def _receive_reinvite(self, request: Request, transaction: InviteServerTransaction) -> None:
        if not self.answered:
            # Section 14.2: the first INVITE is not answered yet.
            transaction.respond(500, headers=(("Retry-After", str(self._board.carrier.entropy(1)[0] % 11)),))
            return
        if self._reoffers.under_way or any(acceptance.is_offer for acceptance in self._acceptances.values()):
            transaction.respond(491)
            return
        sdp = session_of(request.headers.get_first("content-type") or "", request.body)
        if sdp is None and request.body:
            transaction.respond(415, headers=(("Accept", SDP),))
            return
        try:
            answer = self.observer.reoffered(self, sdp)
        except SipError as error:
            transaction.respond(error.status)
            return
        except Exception as error:
            self._note_fault(error)
            transaction.respond(500)
            return
        if self.over:
            transaction.respond(487)
            return
        if sdp is not None:
            self.remote_sdp = sdp
        if self._dialog is not None:
            self._dialog.refresh(request.headers, transaction.source.connection)
        self._accept(transaction, answer, is_offer=sdp is None)

    def _accept(self, transaction: InviteServerTransaction, sdp: bytes, *, is_offer: bool) -> None:
        """Answer an INVITE with 200 and repeat it until its ACK."""
        transaction.on_ack = self.receive_ack
        transaction.respond(
            200,
            headers=(
                *(("Record-Route", route) for route in transaction.request.headers.get("record-route")),
                ("Contact", self._board.contact(transaction.source.transport)),
                *ALLOW,
                *self._board.server(),
                *body_headers(SDP),
            ),
            body=sdp,
        )
        cseq = transaction.request.cseq
        self._acceptances[cseq] = Acceptance(
            self._board.carrier, transaction, is_offer=is_offer, on_no_ack=lambda: self._on_no_ack(cseq)
        )

    def _on_no_ack(self, cseq: int) -> None:
        """64 T1 without an ACK: the session is ended by BYE (section 13.3.1.4)."""
        self._board.counters.timeouts += 1
        acceptance = self._acceptances.pop(cseq, None)
        if acceptance is not None:
            acceptance.stop()
        self._send_bye()
        self._end(EndCause.LOST)

    @property
    def waits_for_ack(self) -> bool:
        """Whether a 2xx of ours is not acknowledged: no INVITE of ours may start (section 14.1)."""
        return bool(self._acceptances)
