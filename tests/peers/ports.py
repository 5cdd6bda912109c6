"""Ports of one test: a block that no other test on this machine holds, whatever process runs it."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
FIRST, LAST, SIZE = 20_000, 32_000, 1_000
"""Below the ports that the kernel hands out by itself."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """`SIZE` ports from `first` on; the first is the guard's."""

    first: int

    def sip(self, n: int) -> int:
        """The n-th SIP port, 0 to 9; the port after it is free (baresip's TLS listener takes it)."""
        return self.first + 10 + 2 * n

    def media(self, n: int) -> tuple[int, int]:
        """The n-th range for sound, 0 to 7: a hundred ports, the first of them even."""
        return self.first + 100 + 100 * n, self.first + 199 + 100 * n


def _taken() -> list[int]:
    """The UDP ports somebody has, whoever it is."""
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return [int(line.split()[1].rpartition(":")[2], 16) for line in lines]


@contextlib.contextmanager
def reserved() -> Iterator[Ports]:
    """A block for as long as the context lasts: whoever listens on its first port has it."""
    for first in range(FIRST, LAST, SIZE):
        if any(first <= port < first + SIZE for port in _taken()):
            continue
        guard = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            guard.bind((LOOPBACK, first))
            guard.listen(1)
        except OSError:
            guard.close()
            continue
        try:
            yield Ports(first=first)
        finally:
            guard.close()
        return
    raise RuntimeError("Every block of test ports is taken: look for tests that were left running.")
