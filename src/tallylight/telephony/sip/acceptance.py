"""A 2xx of ours to an INVITE, repeated until its ACK comes (RFC 3261 section 13.3.1.4)."""

from collections.abc import Callable

from tallylight.clock import Timer
from tallylight.telephony.sip.carrier import Carrier
from tallylight.telephony.sip.server_transaction import ServerTransaction


class Acceptance:
    """Repeats on every transport, because a proxy may lose the 2xx further on; after 64 T1 `on_no_ack` is called."""

    __slots__ = ("_carrier", "_give_up", "_interval_s", "_repeat", "_transaction", "is_offer")

    def __init__(
        self, carrier: Carrier, transaction: ServerTransaction, *, is_offer: bool, on_no_ack: Callable[[], None]
    ) -> None:
        self._carrier = carrier
        self._transaction = transaction
        self.is_offer = is_offer
        """The 2xx bears an offer, so that the ACK has to bear the answer."""
        self._interval_s = carrier.timing.t1_s
        self._repeat: Timer = carrier.clock.call_later(self._interval_s, self._send_again)
        self._give_up: Timer = carrier.clock.call_later(carrier.timing.give_up_s, on_no_ack)

    def _send_again(self) -> None:
        self._transaction.send_again()
        self._interval_s = min(self._interval_s * 2, self._carrier.timing.t2_s)
        self._repeat = self._carrier.clock.call_later(self._interval_s, self._send_again)

    def stop(self) -> None:
        """The ACK came, or nobody waits for it any more."""
        self._repeat.cancel()
        self._give_up.cancel()
