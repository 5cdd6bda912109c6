"""What can go wrong with voice packets and the ports they use."""

from tallylight.errors import TallylightError


class RtpError(TallylightError):
    """The root of this room's errors."""

    code = "rtp"


class PacketMalformed(RtpError):
    """The datagram is not what its header says; it is dropped and counted."""

    code = "rtp.malformed"


class PortsExhausted(RtpError):
    """No free pair of ports is left in the configured range."""

    code = "rtp.no_ports"
