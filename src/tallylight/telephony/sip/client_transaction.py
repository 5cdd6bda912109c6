"""Client transactions (RFC 3261 sections 17.1.1, 17.1.2, RFC 6026 section 7.2): a request until its answer is final."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum

from tallylight.clock import Timer
from tallylight.telephony.sip.carrier import Carriage, Carrier, Outgoing
from tallylight.telephony.sip.codec import Response
from tallylight.telephony.sip.network import Hop


class State(StrEnum):
    """Where a transaction stands; CALLING and ACCEPTED belong to INVITE, TRYING to every other method."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class ClientTransaction(ABC):
    """One request. `on_response` gets every response once (an INVITE's 2xx each time it comes), `on_failed` a 408 where
    nobody answered or a 503 where the request could not be sent; `on_terminated` comes last.
    """

    __slots__ = (
        "_carrier",
        "_interval_s",
        "_on_failed",
        "_on_response",
        "_on_terminated",
        "_repeat",
        "_timeout",
        "carriage",
        "message",
        "state",
    )

    def __init__(
        self,
        carrier: Carrier,
        message: Outgoing,
        hop: Hop,
        *,
        on_response: Callable[[Response], None],
        on_failed: Callable[[int], None],
        on_terminated: Callable[["ClientTransaction"], None],
        branch: str | None = None,
    ) -> None:
        self._carrier = carrier
        self.message = message
        self._on_response = on_response
        self._on_failed = on_failed
        self._on_terminated = on_terminated
        self.carriage = Carriage(
            carrier,
            message,
            hop,
            branch=branch or carrier.new_branch(),
            failed=self._transport_failed,
            switched=self._start_repeating,
        )
        self._interval_s = 0.0
        self._repeat: Timer | None = None
        self._timeout: Timer | None = None
        self.state = State.CALLING if message.method == "INVITE" else State.TRYING

    @property
    def key(self) -> tuple[str, str]:
        """What a response is matched by (section 17.1.3): branch and method of CSeq."""
        return self.carriage.branch, self.message.method

    def start(self) -> None:
        """Send the request; timers A and B, or E and F, run."""
        self._timeout = self._later(self._carrier.timing.give_up_s, self._on_timeout)
        self._start_repeating()
        self.carriage.send()

    @abstractmethod
    def receive(self, response: Response) -> None:
        """A response with our key came."""

    def abandon(self) -> None:
        """Wait no longer (a cancelled INVITE nobody ends, section 9.1)."""
        if self.state is not State.TERMINATED:
            self._terminate()

    def _later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return self._carrier.clock.call_later(seconds, callback)

    def _start_repeating(self) -> None:
        if self.carriage.reliable or self.state not in (State.CALLING, State.TRYING, State.PROCEEDING):
            return
        self._interval_s = self._carrier.timing.t1_s
        self._repeat = self._later(self._interval_s, self._on_repeat)

    @abstractmethod
    def _on_repeat(self) -> None:
        """Timer A or E fired."""

    def _send_again(self) -> None:
        self._carrier.counters.retransmissions_sent += 1
        self.carriage.send()

    def _on_timeout(self) -> None:
        self._carrier.counters.timeouts += 1
        self._terminate()
        self._on_failed(408)

    def _transport_failed(self) -> None:
        if self.state in (State.CALLING, State.TRYING, State.PROCEEDING):
            self._terminate()
            self._on_failed(503)

    def _stop_timers(self) -> None:
        for timer in (self._repeat, self._timeout):
            if timer is not None:
                timer.cancel()
        self._repeat = self._timeout = None

    def _linger(self, state: State, seconds: float) -> None:
        """Stay to absorb what is repeated (timers D, K and M), then end."""
        self._stop_timers()
        self.state = state
        if seconds <= 0:
            self._terminate()
        else:
            self._timeout = self._later(seconds, self._terminate)

    def _terminate(self) -> None:
        self._stop_timers()
        self.state = State.TERMINATED
        self._on_terminated(self)


class InviteClientTransaction(ClientTransaction):
    """INVITE: acknowledges refusals itself (17.1.1.3); a 2xx and all its copies go up, whose ACK is the dialog's."""

    __slots__ = ("_ack",)

    def __init__(
        self,
        carrier: Carrier,
        message: Outgoing,
        hop: Hop,
        *,
        on_response: Callable[[Response], None],
        on_failed: Callable[[int], None],
        on_terminated: Callable[[ClientTransaction], None],
    ) -> None:
        super().__init__(
            carrier, message, hop, on_response=on_response, on_failed=on_failed, on_terminated=on_terminated
        )
        self._ack: Outgoing | None = None

    def _on_repeat(self) -> None:
        """Timer A: doubles without a limit, in CALLING only."""
        self._send_again()
        self._interval_s *= 2
        self._repeat = self._later(self._interval_s, self._on_repeat)

    def receive(self, response: Response) -> None:
        status = response.status
        match self.state:
            case State.CALLING | State.PROCEEDING:
                if status < 200:
                    # Timers A and B stop: how long it may ring is for the caller to say.
                    self._stop_timers()
                    self.state = State.PROCEEDING
                elif status < 300:
                    self._linger(State.ACCEPTED, self._carrier.timing.give_up_s)
                else:
                    self._acknowledge(response)
                    # Timer D: at least 32 s on UDP.
                    self._linger(State.COMPLETED, 0 if self.carriage.reliable else self._carrier.timing.give_up_s)
                self._on_response(response)
            case State.COMPLETED:
                self._carrier.counters.retransmissions_received += 1
                if status >= 300 and self._ack is not None:
                    self.carriage.send_along(self._ack)
            case State.ACCEPTED:
                if 200 <= status < 300:
                    self._on_response(response)

    def _acknowledge(self, response: Response) -> None:
        headers = [(name, value) for name, value in self.message.headers if name in _KEPT_IN_ACK]
        headers.append(("To", response.headers.get("to")[0]))
        headers.append(("CSeq", f"{response.cseq} ACK"))
        self._ack = Outgoing(method="ACK", uri=self.message.uri, headers=tuple(headers))
        self.carriage.send_along(self._ack)


_KEPT_IN_ACK = ("Max-Forwards", "From", "Call-ID", "Route")


class OtherClientTransaction(ClientTransaction):
    """Every method but INVITE and ACK."""

    __slots__ = ()

    def _on_repeat(self) -> None:
        """Timer E: doubles up to T2, and is T2 once a provisional response came."""
        self._send_again()
        t2_s = self._carrier.timing.t2_s
        self._interval_s = t2_s if self.state is State.PROCEEDING else min(self._interval_s * 2, t2_s)
        self._repeat = self._later(self._interval_s, self._on_repeat)

    def receive(self, response: Response) -> None:
        if self.state not in (State.TRYING, State.PROCEEDING):
            self._carrier.counters.retransmissions_received += 1
            return
        if response.status < 200:
            self.state = State.PROCEEDING
        else:
            self._linger(State.COMPLETED, 0 if self.carriage.reliable else self._carrier.timing.t4_s)
        self._on_response(response)
