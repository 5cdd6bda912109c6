"""A call to us until it is answered or given up (RFC 3261 sections 13.3 and 9.2)."""

from tallylight.telephony.sip.admission import Admit
from tallylight.telephony.sip.board import ALLOW, Board, body_headers
from tallylight.telephony.sip.bodies import SDP
from tallylight.telephony.sip.call import Call, Direction, WrongState
from tallylight.telephony.sip.carrier import HeaderList
from tallylight.telephony.sip.dialog import Dialog
from tallylight.telephony.sip.languages import parse_languages
from tallylight.telephony.sip.observer import EndCause, NoObserver
from tallylight.telephony.sip.server_transaction import InviteServerTransaction
from tallylight.telephony.sip.uri import NameAddress, SipUri


class InboundCall(Call):
    """Made by the user agent from an INVITE; raises SipError where that INVITE cannot make a call."""

    def __init__(self, board: Board, transaction: InviteServerTransaction, *, sdp: bytes | None, admit: Admit) -> None:
        request = transaction.request
        remote = NameAddress.parse(request.headers.get("from")[0]).uri
        target = SipUri.parse(request.uri)
        dialog = Dialog.of_request(request, transaction.to_tag, transaction.source)
        hops = request.headers.get_first("max-forwards")
        super().__init__(
            board,
            direction=Direction.INBOUND,
            call_id=request.call_id,
            remote=remote,
            target=target,
            observer=NoObserver(),
            transport=transaction.source.transport,
            identity=admit.identity,
            trusted=admit.trusted,
            remote_sdp=sdp,
            max_forwards=int(hops) if hops else 70,
            languages=parse_languages(transaction.request.headers.get("accept-language")),
        )
        self._invite = transaction
        self._dialog = dialog
        self._offered = sdp is not None
        self._acknowledged = False
        self._rejected = False
        board.dialogs[dialog.id] = self
        board.counters.calls_in += 1

    @property
    def responded(self) -> bool:
        """Whether the caller has heard anything yet."""
        return self._invite.state != "trying"

    @property
    def source_host(self) -> str:
        return self._invite.source.host

    def trying(self) -> None:
        """Say 100, so that the caller stops repeating its INVITE."""
        self._invite.respond(100)

    def ring(self, sdp: bytes | None = None) -> None:
        if self.over or self.answered:
            raise WrongState("ring")
        headers: HeaderList = (
            *(("Record-Route", route) for route in self._invite.request.headers.get("record-route")),
            ("Contact", self._board.contact(self._transport)),
            *ALLOW,
            *self._board.server(),
        )
        if sdp is None:
            self._invite.respond(180, headers=headers)
        else:
            self._invite.respond(183, headers=(*headers, *body_headers(SDP)), body=sdp)

    def answer(self, sdp: bytes) -> None:
        if self.over or self.answered:
            raise WrongState("be answered")
        self.answered = True
        self._accept(self._invite, sdp, is_offer=not self._offered)

    def reject(self, code: int, phrase: str | None = None) -> None:
        if self.over or self.answered or not 300 <= code < 700:
            raise WrongState(f"be rejected with {code}")
        self._invite.respond(code, phrase=phrase, headers=self._board.server())
        self._leave()
        self._close()

    def receive_cancel(self) -> None:
        """The caller gave up; without effect once answered (section 9.2)."""
        if self.over or self.answered:
            return
        self._give_up()

    def _give_up(self) -> None:
        self._invite.respond(487)
        self._leave()
        if self._close():
            self._call_observer(lambda: self.observer.cancelled(self))

    def _receive_bye(self) -> None:
        if self.answered:
            super()._receive_bye()
        elif not self.over:
            self._give_up()

    def hang_up(self, cause: EndCause) -> None:
        if self.over:
            return
        if self.answered:
            super().hang_up(cause)
        else:
            code = {EndCause.STOPPED: 503, EndCause.FAULT: 500}.get(cause, 480)
            self.reject(code)

    def _initial_unacknowledged(self) -> bool:
        return self._invite.request.cseq in self._acceptances
