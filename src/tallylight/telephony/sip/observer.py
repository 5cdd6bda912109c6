"""What the upper layer hears from a call."""

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from tallylight.telephony.sip.errors import SipError

if TYPE_CHECKING:
    from tallylight.telephony.sip.call import Call


class EndCause(StrEnum):
    """Why a call that was answered is over."""

    REMOTE = "remote"
    """The peer said BYE."""
    LOCAL = "local"
    """We did, by `bye`."""
    LOST = "lost"
    """The peer no longer answers, or never acknowledged, or no longer knows the call."""
    STOPPED = "stopped"
    """This user agent is stopping."""
    FAULT = "fault"
    """A callback of ours raised."""


class CallObserver(Protocol):
    """Callbacks on the event loop; SDP is bytes, None where a message had none. They must not block.

    Of `failed`, `cancelled` and `ended` exactly one comes, and nothing after it. A call that we reject ourselves ends
    without any. A callback that raises ends its call.
    """

    def ringing(self, call: "Call", code: int, sdp: bytes | None) -> None:
        """Our call got a provisional response (180 to 199); `sdp` is early media."""

    def answered(self, call: "Call", sdp: bytes) -> None:
        """Our call was answered and the ACK is out; `sdp` is the answer to our offer."""

    def acknowledged(self, call: "Call", sdp: bytes | None) -> None:
        """The ACK to an answer of ours came; `sdp` is the answer to an offer that our answer made (late offer)."""

    def failed(self, call: "Call", code: int, phrase: str) -> None:
        """Our call was not answered: refused by the peer, 408 without an answer, 487 cancelled, 503 not sendable."""

    def cancelled(self, call: "Call") -> None:
        """A caller gave up before we answered."""

    def reoffered(self, call: "Call", sdp: bytes | None) -> bytes:
        """The peer changes the session: return the answer, or for None (late offer) an offer; SipError(488) refuses."""

    def info(self, call: "Call", content_type: str, body: bytes) -> None:
        """An INFO came; it is answered 200 unless SipError is raised."""

    def ended(self, call: "Call", cause: EndCause) -> None:
        """A call that was answered is over, or one that we answered was never acknowledged."""


class NoObserver:
    """Stands in until somebody observes the call."""

    def ringing(self, call: "Call", code: int, sdp: bytes | None) -> None:
        pass

    def answered(self, call: "Call", sdp: bytes) -> None:
        pass

    def acknowledged(self, call: "Call", sdp: bytes | None) -> None:
        pass

    def failed(self, call: "Call", code: int, phrase: str) -> None:
        pass

    def cancelled(self, call: "Call") -> None:
        pass

    def reoffered(self, call: "Call", sdp: bytes | None) -> bytes:
        raise SipError(488)

    def info(self, call: "Call", content_type: str, body: bytes) -> None:
        raise SipError(415)

    def ended(self, call: "Call", cause: EndCause) -> None:
        pass
