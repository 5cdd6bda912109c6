"""Where datagrams come from: the machine's UDP sockets behind one epoll, or a network in memory for simulations."""

import ctypes
import errno
import os
import select
import socket
from collections import deque
from typing import TYPE_CHECKING, Protocol

from tallylight.telephony.rtp.negotiated import Address

if TYPE_CHECKING:
    from typing_extensions import Buffer

RECEIVE_BUFFER = 64 * 1024
"""Bytes asked of the kernel for each socket (it grants double): over a second of packets of 20 ms."""


WILDCARD = "0.0.0.0"


class DatagramSocket(Protocol):
    """One bound port. Never blocks: BlockingIOError where nothing is there, OSError where the peer's port is shut."""

    def fileno(self) -> int:
        """The number by which `MediaNetwork.poll` names this socket."""

    def recv(self, size: int, /) -> bytes:
        """The next datagram, cut to `size`."""

    def recvfrom(self, size: int, /) -> tuple[bytes, Address]:
        """The next datagram and its source."""

    def send(self, data: bytes, /) -> int:
        """Send to the address the socket is locked to."""

    def sendto(self, data: bytes, address: Address, /) -> int:
        """Send to an address."""

    def lock(self, address: Address) -> None:
        """Take datagrams from `address` alone from now on. Those queued before are still delivered."""

    def unlock(self) -> None:
        """Take datagrams from anywhere again."""

    def hurry(self, hurried: bool, /) -> None:
        """Whether somebody waits for what arrives here, as `MediaNetwork.poll` asks."""

    def close(self) -> None:
        """Give the port back."""


class MediaNetwork(Protocol):
    """Opens ports and tells which have datagrams waiting."""

    def bind(self, address: Address) -> DatagramSocket:
        """Bind a port, in a hurry at first. Raises OSError where it is taken."""

    def poll(self, hurried: bool, /) -> list[tuple[int, int]]:
        """(fileno, flags) of each open socket in a hurry, or each other one, with something to receive. Never waits."""

    def close(self) -> None:
        """No more polling."""


class UdpSocket(socket.socket):
    """A UDP port. Locking is `connect(2)`: the kernel drops strangers and finds the route once."""

    def __init__(self, polls: tuple[select.epoll, select.epoll]) -> None:
        """`polls`: of those in no hurry, and of those in a hurry."""
        super().__init__(socket.AF_INET, socket.SOCK_DGRAM)
        self._polls = polls
        self._poll: select.epoll | None = None
        self.setblocking(False)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)

    def lock(self, address: Address) -> None:
        self.connect(address)

    def unlock(self) -> None:
        # connect(2) with AF_UNSPEC dissolves the association; the socket module cannot spell that family.
        if _libc.connect(self.fileno(), bytes(16), 16) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def hurry(self, hurried: bool, /) -> None:
        wanted = self._polls[hurried]
        if wanted is not self._poll and self.fileno() >= 0:
            self._leave()
            wanted.register(self.fileno(), select.EPOLLIN)
            self._poll = wanted

    def _leave(self) -> None:
        poll, self._poll = self._poll, None
        if poll is not None and not poll.closed and self.fileno() >= 0:
            poll.unregister(self.fileno())

    def close(self) -> None:
        self._leave()
        super().close()


class WildcardSocket(UdpSocket):
    """A UDP port on every address of the machine. `connect(2)` would also fix which of them it listens on, and not
    always to the one the party was told; so strangers are turned away here, at about 1 µs a packet."""

    def __init__(self, polls: tuple[select.epoll, select.epoll]) -> None:
        super().__init__(polls)
        self._locked: Address | None = None

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        while True:
            data, source = self.recvfrom(size, flags)
            if self._locked in (None, source):
                return data

    def send(self, data: "Buffer", flags: int = 0, /) -> int:
        if self._locked is None:
            raise OSError(errno.EDESTADDRREQ, "the socket is not locked to an address")
        return self.sendto(data, flags, self._locked)

    def lock(self, address: Address) -> None:
        self._locked = address

    def unlock(self) -> None:
        self._locked = None


_libc = ctypes.CDLL(None, use_errno=True)


class UdpNetwork:
    """The machine's own sockets: one epoll for those in no hurry, one for the others."""

    def __init__(self) -> None:
        self._polls = select.epoll(), select.epoll()

    def bind(self, address: Address) -> UdpSocket:
        made = WildcardSocket(self._polls) if address[0] == WILDCARD else UdpSocket(self._polls)
        try:
            made.bind(address)
            made.hurry(True)
        except OSError:
            made.close()
            raise
        return made

    def poll(self, hurried: bool, /) -> list[tuple[int, int]]:
        return self._polls[hurried].poll(0, 65536)

    def close(self) -> None:
        for poll in self._polls:
            poll.close()


class MemorySocket:
    """A port of a `MemoryNetwork`."""

    def __init__(self, network: "MemoryNetwork", address: Address, number: int) -> None:
        self._network = network
        self._number = number
        self.address = address
        self.locked: Address | None = None
        self.hurried = True
        self.queue: deque[tuple[bytes, Address]] = deque()

    def fileno(self) -> int:
        return self._number

    def recv(self, size: int, /) -> bytes:
        return self.recvfrom(size)[0]

    def recvfrom(self, size: int, /) -> tuple[bytes, Address]:
        if not self.queue:
            raise BlockingIOError(errno.EAGAIN, "nothing has arrived")
        data, source = self.queue.popleft()
        return data[:size], source

    def send(self, data: bytes, /) -> int:
        if self.locked is None:
            raise OSError(errno.EDESTADDRREQ, "the socket is not locked to an address")
        return self.sendto(data, self.locked)

    def sendto(self, data: bytes, address: Address, /) -> int:
        self._network.deliver(data, self.address, address)
        return len(data)

    def lock(self, address: Address) -> None:
        self.locked = address

    def unlock(self) -> None:
        self.locked = None

    def hurry(self, hurried: bool, /) -> None:
        self.hurried = hurried

    def close(self) -> None:
        self._network.sockets.pop(self.address, None)


class MemoryNetwork:
    """A network in memory: datagrams arrive at once, in order, unless they are taken out of `sockets`."""

    def __init__(self) -> None:
        self.sockets: dict[Address, MemorySocket] = {}
        self._numbers = 0

    def bind(self, address: Address) -> MemorySocket:
        if address in self.sockets:
            raise OSError(errno.EADDRINUSE, "the port is taken")
        self._numbers += 1
        made = MemorySocket(self, address, self._numbers)
        self.sockets[address] = made
        return made

    def deliver(self, data: bytes, source: Address, target: Address) -> None:
        """Put one datagram into the target's queue, if the target exists and takes it."""
        found = self.sockets.get(target)
        if found is not None and found.locked in (None, source):
            found.queue.append((data, source))

    def poll(self, hurried: bool, /) -> list[tuple[int, int]]:
        return [(found.fileno(), 1) for found in self.sockets.values() if found.queue and found.hurried is hurried]

    def close(self) -> None:
        self.sockets.clear()
