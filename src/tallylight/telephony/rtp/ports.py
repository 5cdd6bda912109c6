"""Pairs of ports: even for RTP, the next for RTCP (RFC 3550 section 11)."""

import errno
from collections import deque

from tallylight.telephony.rtp.errors import PortsExhausted, RtpError
from tallylight.telephony.rtp.network import DatagramSocket, MediaNetwork

DEFAULT_PORTS = (10_000, 19_999)
"""First and last port, both included."""


class PortPairs:
    """Hands out pairs in turn, so that a pair given back rests as long as the range allows before it serves again."""

    def __init__(self, first: int, last: int, *, skip: int = 0) -> None:
        """`skip` pairs are left for last: a restarted process begins elsewhere than the one before."""
        evens = range(first + first % 2, last, 2)
        if not evens or not 0 < first <= last < 65536:
            raise RtpError(
                f"The port range {first} to {last} holds no pair: give at least an even port and the one after it.",
                code="rtp.bad_range",
            )
        self._free = deque(evens)
        self._free.rotate(-skip)

    @property
    def free(self) -> int:
        """Pairs not in use."""
        return len(self._free)

    def open(self, network: MediaNetwork, host: str) -> tuple[int, DatagramSocket, DatagramSocket]:
        """(even port, RTP socket, RTCP socket) on `host`. Pairs another program holds are passed over."""
        for _ in range(len(self._free)):
            port = self._free.popleft()
            voice = self._bind(network, host, port)
            reports = self._bind(network, host, port + 1) if voice is not None else None
            if voice is not None and reports is not None:
                return port, voice, reports
            if voice is not None:
                voice.close()
            self._free.append(port)
        raise PortsExhausted(
            f"No pair of UDP ports on {host} is free: end calls, widen the range, or stop what holds its ports."
        )

    def give_back(self, port: int) -> None:
        """The pair is closed; it serves again after all others."""
        self._free.append(port)

    @staticmethod
    def _bind(network: MediaNetwork, host: str, port: int) -> DatagramSocket | None:
        try:
            return network.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return None
            raise RtpError(f"Cannot open UDP port {port} on {host}: {error.strerror}.", code="rtp.bind") from error
