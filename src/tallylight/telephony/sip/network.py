"""The port below the SIP layer: whole messages out to a hop, whole messages in from one (RFC 3261 section 18)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tallylight.telephony.sip.counters import Counters


class Transport(StrEnum):
    """How a message travels; the value is the word in Via."""

    UDP = "UDP"
    TCP = "TCP"

    @property
    def reliable(self) -> bool:
        """Whether the transport itself repeats what was lost."""
        return self is not Transport.UDP


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One neighbour: where a message came from or goes to. `host` is an address or a name, without brackets.

    `connection` names the stream to prefer while it lives; `port` is where a new one would be made.
    """

    transport: Transport
    host: str
    port: int
    connection: int | None = None


Receiver = Callable[[bytes, Hop], None]
"""Takes one whole message, or what a broken stream held in its place, and the hop it came from. Must not raise."""


class SipNetwork(Protocol):
    """Sockets, or their simulation. All methods and callbacks run on one thread."""

    counters: Counters
    """What is counted below and above this port, together."""

    @property
    def transports(self) -> frozenset[Transport]:
        """What can be sent and received."""

    def advertised(self, transport: Transport) -> tuple[str, int]:
        """Host and port for Via and Contact, valid once started; the host without brackets."""

    async def start(self, receiver: Receiver) -> None:
        """Begin to receive. Raises SipError when an address cannot be had."""

    async def stop(self) -> None:
        """Stop receiving, close every stream."""

    def send(self, data: bytes, hop: Hop, failed: Callable[[], None]) -> None:
        """Send one message; `failed` is called later, at most once, when it certainly did not leave."""
