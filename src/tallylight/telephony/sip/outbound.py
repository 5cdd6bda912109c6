"""A call of ours until it is answered, refused or given up (RFC 3261 sections 13.2 and 9.1), forks included."""

from dataclasses import replace

from tallylight.clock import Timer
from tallylight.telephony.sip.board import ALLOW, Board, Credentials, body_headers
from tallylight.telephony.sip.bodies import SDP, session_of
from tallylight.telephony.sip.call import Call, Direction
from tallylight.telephony.sip.carrier import Carriage, HeaderList, Outgoing, next_hop
from tallylight.telephony.sip.codec import Response
from tallylight.telephony.sip.dialog import Dialog
from tallylight.telephony.sip.errors import SipError, phrase_of
from tallylight.telephony.sip.exchange import Exchange
from tallylight.telephony.sip.network import Hop
from tallylight.telephony.sip.observer import CallObserver, EndCause
from tallylight.telephony.sip.reoffers import acknowledge
from tallylight.telephony.sip.uri import SipUri


class OutboundCall(Call):
    """An INVITE that always offers. The first 2xx wins; every other fork's 2xx is acknowledged, then ended."""

    def __init__(
        self,
        board: Board,
        *,
        target: SipUri,
        caller: SipUri,
        sdp: bytes,
        observer: CallObserver,
        credentials: Credentials | None,
        max_forwards: int,
        languages: tuple[str, ...] = (),
    ) -> None:
        hop = next_hop(target)
        super().__init__(
            board,
            direction=Direction.OUTBOUND,
            call_id=board.carrier.entropy(16).hex(),
            remote=target,
            target=target,
            observer=observer,
            transport=hop.transport,
            credentials=credentials,
            max_forwards=max_forwards,
        )
        self._hop = hop
        self._spoken: HeaderList = (("Accept-Language", ", ".join(languages)),) if languages else ()
        self._from = f"<{replace(caller, parameters=())}>;tag={board.carrier.new_tag()}"
        # Section 19.1.1: no transport, maddr or ttl in To and From.
        self._to = replace(target, parameters=())
        self._sdp = sdp
        self._cseq = 0
        self._early: dict[str, Dialog] = {}
        self._early_sdp: dict[str, bytes] = {}
        self._acks: dict[str, Carriage] = {}
        self._heard = False
        self._cancelled = False
        self._cancel_timer: Timer | None = None
        self._exchange_invite = Exchange(
            board,
            self._make_invite,
            credentials=credentials,
            on_response=self._on_response,
            on_failed=self._on_failed,
        )
        board.counters.calls_out += 1

    def start(self) -> None:
        """Send the INVITE. Raises SipError where it cannot be built; the call is then none."""
        try:
            self._exchange_invite.start()
        except SipError:
            self._close()
            raise

    def _make_invite(self, signed: HeaderList) -> tuple[Outgoing, Hop]:
        self._cseq += 1
        # A new INVITE after a challenge starts with no provisional response of its own.
        self._heard = False
        headers = (
            ("Max-Forwards", str(self.max_forwards)),
            ("From", self._from),
            ("To", f"<{self._to}>"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self._cseq} INVITE"),
            ("Contact", self._board.contact(self._transport)),
            *ALLOW,
            *self._spoken,
            *self._board.user_agent(),
            *signed,
            *body_headers(SDP),
        )
        return Outgoing(method="INVITE", uri=str(self.target), headers=headers, body=self._sdp), self._hop

    # Responses

    def _on_response(self, response: Response) -> None:
        if response.status < 200:
            self._on_provisional(response)
        elif response.status < 300:
            self._on_success(response)
        else:
            self._fail(487 if self._cancelled else response.status, None if self._cancelled else response.phrase)

    def _on_failed(self, status: int) -> None:
        self._fail(status, None)

    def _on_provisional(self, response: Response) -> None:
        self._heard = True
        if self._cancelled:
            self._send_cancel()
            return
        if self.over or response.status == 100:
            return
        tag = response.to_tag
        if tag and tag not in self._early and response.headers.get("contact"):
            dialog = Dialog.of_response(response, self._cseq, self.target)
            self._early[tag] = dialog
            self._board.dialogs[dialog.id] = self
            if self._dialog is None:
                self._dialog = dialog
        sdp = session_of(response.headers.get_first("content-type") or "", response.body)
        if sdp is not None:
            self._early_sdp[tag] = sdp
        self._call_observer(lambda: self.observer.ringing(self, response.status, sdp))

    def _on_success(self, response: Response) -> None:
        tag = response.to_tag
        known = self._acks.get(tag)
        if known is not None:
            self._board.counters.retransmissions_received += 1
            known.send()
            return
        dialog = Dialog.of_response(response, self._cseq, self.target)
        signed = self._exchange_invite.authorization
        self._acks[tag] = acknowledge(self._board.carrier, dialog, response, signed)
        if self.answered or self.over or self._cancelled:
            # Another fork was first, or our CANCEL crossed this 2xx (section 9.1).
            self._end_fork(dialog)
            self._fail(487, None)
            return
        self._establish(dialog, tag, response)

    def _establish(self, dialog: Dialog, tag: str, response: Response) -> None:
        sdp = session_of(response.headers.get_first("content-type") or "", response.body) or self._early_sdp.get(tag)
        if sdp is None:
            # We always offer: an answer without SDP leaves nothing to talk over.
            self._end_fork(dialog)
            self._fail(488, None)
            return
        self._drop_early()
        self._dialog = dialog
        self._board.dialogs[dialog.id] = self
        self.answered = True
        self.remote_sdp = sdp
        self._call_observer(lambda: self.observer.answered(self, sdp))

    def _end_fork(self, dialog: Dialog) -> None:
        message, hop = dialog.request("BYE", cseq=dialog.next_cseq(), contact="", headers=self._board.user_agent())
        self._board.transactions.request(message, hop, on_response=lambda response: None, on_failed=lambda status: None)

    def _fail(self, status: int, phrase: str | None) -> None:
        """The INVITE is over without a session."""
        if self.answered:
            return
        self._stop_waiting()
        self._drop_early()
        if self._close():
            self._call_observer(lambda: self.observer.failed(self, status, phrase or phrase_of(status)))

    def _drop_early(self) -> None:
        early, self._early = self._early, {}
        self._early_sdp.clear()
        self._dialog = None
        for dialog in early.values():
            self._board.forget(dialog.id, self)

    # Giving up

    def cancel(self) -> None:
        if self.answered:
            self.bye()
            return
        if self.over or self._cancelled:
            return
        self._cancelled = True
        self._exchange_invite.given_up = True
        if self._heard:
            self._send_cancel()

    def _send_cancel(self) -> None:
        """Only after a provisional response (section 9.1); then 64 T1 for the INVITE to end."""
        invite = self._exchange_invite.transaction
        if invite is None or self._cancel_timer is not None or self.over:
            return
        self._cancel_timer = self._board.clock.call_later(
            self._board.options.timing.give_up_s, self._on_cancel_unanswered
        )
        self._board.transactions.cancel(invite, on_response=lambda response: None)

    def _on_cancel_unanswered(self) -> None:
        self._cancel_timer = None
        invite = self._exchange_invite.transaction
        if invite is not None:
            invite.abandon()
        self._fail(487, None)

    def _stop_waiting(self) -> None:
        if self._cancel_timer is not None:
            self._cancel_timer.cancel()
            self._cancel_timer = None

    def hang_up(self, cause: EndCause) -> None:
        if self.answered:
            super().hang_up(cause)
        else:
            self.cancel()

    def _receive_bye(self) -> None:
        """A BYE of the callee in an early dialog is not allowed (section 15): the INVITE's final response decides."""
        if self.answered:
            super()._receive_bye()
