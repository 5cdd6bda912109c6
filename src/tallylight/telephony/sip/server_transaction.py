"""Server transactions (RFC 3261 sections 17.2.1, 17.2.2, RFC 6026 section 7.1): a request until nobody repeats it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum

from tallylight.clock import Timer
from tallylight.telephony.sip.carrier import COOKIE, Carrier, HeaderList, answer_bytes, answer_hop
from tallylight.telephony.sip.codec import Request
from tallylight.telephony.sip.network import Hop


class State(StrEnum):
    """Where a transaction stands; ACCEPTED and CONFIRMED belong to INVITE, TRYING to every other method."""

    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


Key = tuple[str, ...]


def key_of(request: Request) -> Key:
    """What a request is matched by (section 17.2.3): branch, sent-by and method, where an ACK counts as its INVITE.

    Without the magic cookie (RFC 2543): Call-ID, CSeq number, From tag and the whole topmost Via.
    """
    method = "INVITE" if request.method == "ACK" else request.method
    via = request.via
    if via.branch.startswith(COOKIE):
        return via.branch, via.host, str(via.port), method
    return request.call_id, str(request.cseq), request.from_tag, via.host, str(via.port), via.branch, method


class ServerTransaction(ABC):
    """One request we answer. `to_tag` is ours in every response but 100."""

    __slots__ = (
        "_carrier",
        "_hop",
        "_last",
        "_on_terminated",
        "_timeout",
        "key",
        "request",
        "source",
        "state",
        "to_tag",
    )

    def __init__(
        self,
        carrier: Carrier,
        request: Request,
        source: Hop,
        *,
        key: Key,
        to_tag: str,
        on_terminated: Callable[["ServerTransaction"], None],
    ) -> None:
        self._carrier = carrier
        self.request = request
        self.source = source
        self.key = key
        self.to_tag = to_tag
        self._on_terminated = on_terminated
        self._hop = answer_hop(request, source)
        self._last: bytes | None = None
        self._timeout: Timer | None = None
        self.state = State.TRYING

    @property
    def answered(self) -> bool:
        """Whether the final response is out."""
        return self.state not in (State.TRYING, State.PROCEEDING)

    @abstractmethod
    def receive_again(self, request: Request) -> None:
        """The request, or an ACK, came with our key."""

    def respond(self, status: int, *, phrase: str | None = None, headers: HeaderList = (), body: bytes = b"") -> None:
        """Send a response. After the final one, nothing happens."""
        if self.answered:
            return
        self._last = answer_bytes(
            self.request,
            status,
            to_tag="" if status == 100 else self.to_tag,
            phrase=phrase,
            headers=headers,
            body=body,
        )
        if status < 200:
            self.state = State.PROCEEDING
        else:
            self._finish(status)
        self._send()

    @abstractmethod
    def _finish(self, status: int) -> None:
        """A final answer was sent."""

    def _send(self) -> None:
        if self._last is not None:
            self._carrier.network.send(self._last, self._hop, _ignore)

    def send_again(self) -> None:
        """Repeat the last response, where there is one."""
        if self._last is not None:
            self._carrier.counters.retransmissions_sent += 1
            self._send()

    def abandon(self) -> None:
        """Absorb no copies any more."""
        if self.state is not State.TERMINATED:
            self._terminate()

    def _later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return self._carrier.clock.call_later(seconds, callback)

    def _terminate(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
        self.state = State.TERMINATED
        self._on_terminated(self)


class InviteServerTransaction(ServerTransaction):
    """INVITE. A refusal is repeated here until its ACK (timers G, H, I); a 2xx is repeated by the call that owns it,
    while this stays (timer L) so that copies of the INVITE make no second call. `on_ack` gets the ACK to a 2xx that
    wrongly bears our branch.
    """

    __slots__ = ("_interval_s", "_repeat", "on_ack")

    def __init__(
        self,
        carrier: Carrier,
        request: Request,
        source: Hop,
        *,
        key: Key,
        to_tag: str,
        on_terminated: Callable[[ServerTransaction], None],
    ) -> None:
        super().__init__(carrier, request, source, key=key, to_tag=to_tag, on_terminated=on_terminated)
        self._interval_s = 0.0
        self._repeat: Timer | None = None
        self.on_ack: Callable[[Request], None] | None = None

    def _finish(self, status: int) -> None:
        timing = self._carrier.timing
        if status < 300:
            self.state = State.ACCEPTED
            self._timeout = self._later(timing.give_up_s, self._terminate)
            return
        self.state = State.COMPLETED
        self._timeout = self._later(timing.give_up_s, self._on_no_ack)
        if not self._hop.transport.reliable:
            self._interval_s = timing.t1_s
            self._repeat = self._later(self._interval_s, self._on_repeat)

    def _on_repeat(self) -> None:
        """Timer G: doubles up to T2."""
        self.send_again()
        self._interval_s = min(self._interval_s * 2, self._carrier.timing.t2_s)
        self._repeat = self._later(self._interval_s, self._on_repeat)

    def _on_no_ack(self) -> None:
        """Timer H: nobody acknowledged the refusal; that is the peer's loss alone."""
        self._carrier.counters.timeouts += 1
        self._terminate()

    def receive_again(self, request: Request) -> None:
        if request.method == "ACK":
            match self.state:
                case State.COMPLETED:
                    self._confirm()
                case State.ACCEPTED if self.on_ack is not None:
                    self.on_ack(request)
            return
        self._carrier.counters.retransmissions_received += 1
        if self.state in (State.PROCEEDING, State.COMPLETED):
            self.send_again()

    def _confirm(self) -> None:
        """The refusal is acknowledged; timer I absorbs more ACKs."""
        self._stop_repeating()
        if self._timeout is not None:
            self._timeout.cancel()
        self.state = State.CONFIRMED
        if self._hop.transport.reliable:
            self._terminate()
        else:
            self._timeout = self._later(self._carrier.timing.t4_s, self._terminate)

    def _stop_repeating(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None

    def _terminate(self) -> None:
        self._stop_repeating()
        super()._terminate()


class OtherServerTransaction(ServerTransaction):
    """Every method but INVITE and ACK."""

    __slots__ = ()

    def _finish(self, status: int) -> None:
        self.state = State.COMPLETED
        # Timer J. On a stream nothing is repeated; ended a turn later so that the answer leaves first.
        self._timeout = self._later(
            0 if self._hop.transport.reliable else self._carrier.timing.give_up_s, self._terminate
        )

    def receive_again(self, request: Request) -> None:
        self._carrier.counters.retransmissions_received += 1
        self.send_again()


def _ignore() -> None:
    """A response that cannot be sent is asked for again, or missed by nobody."""
