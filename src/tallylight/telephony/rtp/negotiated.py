"""What offer and answer settled for one leg: where its voice goes, in which coding, and in which direction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum

Address = tuple[str, int]
"""Numeric IPv4 address and port."""


class Codec(IntEnum):
    """G.711 by its static payload type (RFC 3551 section 6). 8,000 samples a second, one byte each."""

    PCMU = 0
    PCMA = 8


class Direction(Enum):
    """The stream's direction as this house sees it (RFC 8866 section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether we may send to the party."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether what the party sends is taken."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)


class Latch(Enum):
    """Whose first valid packet fixes where the leg's voice goes to and comes from."""

    ADDRESS = "address"
    """Only one from the signalled IP address, whatever its port."""
    ANY = "any"
    """One from anywhere: for parties behind NAT that signal a private address."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Negotiated:
    """One leg's media after offer and answer. `remote` (0.0.0.0, n) is the old spelling of hold: nothing is sent."""

    remote: Address
    codec: Codec
    """What we send."""
    payload_types: Mapping[int, Codec] = field(default_factory=lambda: {0: Codec.PCMU, 8: Codec.PCMA})
    """What we take."""
    send_type: int | None = None
    """The payload type of `codec` in what we send; None is the static one."""
    telephone_event: int | None = None
    """The payload type of RFC 4733 digits; None where they were not negotiated (digits are then tones in the sound)."""
    comfort_noise: int | None = 13
    """The payload type of RFC 3389 comfort noise: taken as silence."""
    ptime_ms: int = 20
    """Milliseconds of sound in each packet we make ourselves, 10 to 60."""
    direction: Direction = Direction.SENDRECV
    latch: Latch = Latch.ADDRESS
    remote_rtcp: Address | None = None
    """Where RTCP goes if not to the port after `remote` (RFC 3605)."""
