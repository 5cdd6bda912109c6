"""UDP and TCP sockets on the event loop (RFC 3261 section 18, RFC 3581).

UDP is read with `recvfrom_into` under `loop.add_reader`: asyncio's own datagram endpoint allocates 256 KiB per packet.
"""

import asyncio
import ipaddress
import logging
import socket
import time
from collections.abc import Callable

from tallylight.telephony.sip.counters import Counters
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.framing import PONG, Framer
from tallylight.telephony.sip.network import Hop, Receiver, Transport

log = logging.getLogger(__name__)

CONNECT_S = 2.0
"""How long a TCP connection may take to come up before its messages count as failed."""
IDLE_S = 1800.0
PARTIAL_S = 32.0
"""How long a peer may leave a message half sent."""
MAX_CONNECTIONS = 1000
MAX_UNSENT = 1 << 20
"""Bytes a peer may leave unread before its connection is dropped."""
_DATAGRAMS_PER_TURN = 64
_NAMES_KEPT_S = 60.0


class SocketNetwork:
    """UDP and TCP on one host and port. `advertise` is the host peers reach us at, where it differs from `host`."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        advertise: str | None = None,
        transports: frozenset[Transport] = frozenset(Transport),
    ) -> None:
        self._host = host.strip("[]")
        self._port = port
        self._advertise = (advertise or host).strip("[]")
        self._transports = transports
        self.counters = Counters()
        self._udp: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._receiver: Receiver = _nowhere
        self._buffer = memoryview(bytearray(65536))
        self._connections: dict[int, _Connection] = {}
        self._by_peer: dict[tuple[str, int], _Connection] = {}
        self._connecting: dict[tuple[str, int], list[tuple[bytes, Callable[[], None]]]] = {}
        self._names: dict[str, tuple[str, float]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next_connection = 1
        self._stopped = False

    @property
    def transports(self) -> frozenset[Transport]:
        return self._transports

    @property
    def port(self) -> int:
        """The port in use, once started."""
        return self._port

    def advertised(self, transport: Transport) -> tuple[str, int]:
        return self._advertise, self._port

    async def start(self, receiver: Receiver) -> None:
        if _is_wildcard(self._advertise):
            raise SipError(500, f"{self._advertise} is no address a peer can answer to. Name one with --advertise.")
        self._receiver = receiver
        for attempt in range(10):
            try:
                await self._bind()
                return
            except OSError as error:
                await self.stop()
                self._stopped = False
                # With port 0, TCP may be given a number that UDP has lost to somebody else: ask again.
                if self._port or attempt == 9:
                    raise SipError(
                        500, f"SIP cannot listen on {self._host}:{self._port} ({error.strerror}). Choose another --sip."
                    ) from error

    async def _bind(self) -> None:
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        port = self._port
        if Transport.TCP in self._transports:
            self._server = await loop.create_server(
                lambda: _Connection(self, outgoing=None), self._host, port, family=family, reuse_address=True
            )
            port = self._server.sockets[0].getsockname()[1]
        if Transport.UDP in self._transports:
            udp = socket.socket(family, socket.SOCK_DGRAM)
            self._udp = udp
            udp.setblocking(False)
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            udp.bind((self._host, port))
            port = udp.getsockname()[1]
            loop.add_reader(udp, self._readable)
        self._port = port

    async def stop(self) -> None:
        self._stopped = True
        if self._udp is not None:
            asyncio.get_running_loop().remove_reader(self._udp)
            self._udp.close()
            self._udp = None
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self._connections.values()):
            connection.close()
        await asyncio.sleep(0)

    # UDP

    def _readable(self) -> None:
        buffer = self._buffer
        for _ in range(_DATAGRAMS_PER_TURN):
            udp = self._udp
            if udp is None:
                return
            try:
                size, address = udp.recvfrom_into(buffer)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # An ICMP error of an earlier send: the transaction's timers deal with the silence.
                self.counters.dropped["socket_error"] += 1
                continue
            data = bytes(buffer[:size])
            if not data.strip(b"\r\n\0"):
                self.counters.keepalives += 1
                continue
            self._receiver(data, Hop(transport=Transport.UDP, host=address[0], port=address[1]))

    def _send_udp(self, data: bytes, host: str, port: int, failed: Callable[[], None]) -> None:
        udp = self._udp
        if udp is None:
            self._fail(failed)
            return
        try:
            udp.sendto(data, (host, port))
        except (BlockingIOError, InterruptedError):
            self.counters.dropped["send_buffer_full"] += 1
        except OSError:
            self._fail(failed)

    # Both

    def send(self, data: bytes, hop: Hop, failed: Callable[[], None]) -> None:
        self.counters.messages_sent += 1
        if hop.transport not in self._transports or self._stopped:
            self._fail(failed)
            return
        if hop.connection is not None:
            connection = self._connections.get(hop.connection)
            if connection is not None and connection.write(data):
                return
        address = self._address(hop.host)
        if address is None:
            self._start(self._resolve_then_send(data, hop, failed))
        elif hop.transport is Transport.UDP:
            self._send_udp(data, address, hop.port, failed)
        else:
            self._send_tcp(data, address, hop.port, failed)

    def _fail(self, failed: Callable[[], None]) -> None:
        self.counters.transport_failures += 1
        try:
            asyncio.get_running_loop().call_soon(failed)
        except RuntimeError:
            log.debug("a message was sent after the loop had ended")

    def _address(self, host: str) -> str | None:
        """The address of a host where it is one, or was looked up lately."""
        known = self._names.get(host)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return None
        return host

    async def _resolve_then_send(self, data: bytes, hop: Hop, failed: Callable[[], None]) -> None:
        """Names by A or AAAA only. SRV and NAPTR (RFC 3263) come with the carriers that need them."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            found = await asyncio.get_running_loop().getaddrinfo(hop.host, hop.port, family=family)
        except (OSError, UnicodeError):
            self._fail(failed)
            return
        address = str(found[0][4][0])
        if len(self._names) > 1000:
            self._names.clear()
        self._names[hop.host] = (address, time.monotonic() + _NAMES_KEPT_S)
        if hop.transport is Transport.UDP:
            self._send_udp(data, address, hop.port, failed)
        else:
            self._send_tcp(data, address, hop.port, failed)

    def _start(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # TCP

    def _send_tcp(self, data: bytes, host: str, port: int, failed: Callable[[], None]) -> None:
        peer = (host, port)
        connection = self._by_peer.get(peer)
        if connection is not None and connection.write(data):
            return
        waiting = self._connecting.get(peer)
        if waiting is not None:
            waiting.append((data, failed))
            return
        self._connecting[peer] = [(data, failed)]
        self._start(self._connect(peer))

    async def _connect(self, peer: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        connection: _Connection | None = None
        try:
            async with asyncio.timeout(CONNECT_S):
                _, connection = await loop.create_connection(lambda: _Connection(self, outgoing=peer), *peer)
        except (OSError, TimeoutError):
            pass
        finally:
            waiting = self._connecting.pop(peer, [])
        for data, failed in waiting:
            if connection is None or not connection.write(data):
                self._fail(failed)

    def opened(self, connection: "_Connection", outgoing: tuple[str, int] | None) -> int | None:
        """A stream is up: its number, or None where there are too many."""
        if self._stopped or len(self._connections) >= MAX_CONNECTIONS:
            self.counters.dropped["too_many_connections"] += 1
            return None
        self.counters.connections += 1
        number = self._next_connection
        self._next_connection += 1
        self._connections[number] = connection
        self._by_peer[outgoing or connection.peer] = connection
        return number

    def closed(self, number: int, connection: "_Connection", outgoing: tuple[str, int] | None) -> None:
        """A stream is gone."""
        self._connections.pop(number, None)
        peer = outgoing or connection.peer
        if self._by_peer.get(peer) is connection:
            del self._by_peer[peer]

    def deliver(self, data: bytes, hop: Hop) -> None:
        """Hand a stream's message up."""
        if not self._stopped:
            self._receiver(data, hop)


def _nowhere(data: bytes, hop: Hop) -> None:
    """The receiver before start."""


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host


class _Connection(asyncio.BufferedProtocol):
    """One TCP stream."""

    def __init__(self, network: SocketNetwork, *, outgoing: tuple[str, int] | None) -> None:
        self._network = network
        self._outgoing = outgoing
        self._framer = Framer()
        self._segment = memoryview(bytearray(8192))
        self._transport: asyncio.Transport | None = None
        self._number: int | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._partial_since: float | None = None
        self.peer = ("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a TCP stream is a Transport")
        address = transport.get_extra_info("peername")
        self.peer = (address[0], address[1])
        self._number = self._network.opened(self, self._outgoing)
        if self._number is None:
            transport.abort()
            return
        self._transport = transport
        self._heard = asyncio.get_running_loop().time()
        self._look_after()

    def _look_after(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        partial = self._partial_since is not None and now - self._partial_since >= PARTIAL_S
        if partial or now - self._heard >= IDLE_S:
            self.close()
        else:
            self._watch = loop.call_later(PARTIAL_S, self._look_after)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._segment

    def buffer_updated(self, nbytes: int) -> None:
        self._heard = asyncio.get_running_loop().time()
        framer = self._framer
        pings = framer.pings
        messages = framer.feed(self._segment[:nbytes])
        if framer.pings > pings:
            self._network.counters.keepalives += framer.pings - pings
            self.write(PONG)
        if messages or not framer.waiting:
            self._partial_since = None
        if framer.waiting and self._partial_since is None:
            self._partial_since = self._heard
        source = Hop(transport=Transport.TCP, host=self.peer[0], port=self.peer[1], connection=self._number)
        for message in messages:
            self._network.deliver(message, source)
        if framer.broken:
            self._network.counters.dropped["broken_stream"] += 1
            self.close()

    def write(self, data: bytes) -> bool:
        """Queue bytes; False where the stream is closing or its peer does not read."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > MAX_UNSENT:
            self._network.counters.dropped["peer_does_not_read"] += 1
            transport.abort()
            return False
        transport.write(data)
        return True

    def close(self) -> None:
        """Send what is queued, then close."""
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._number is not None:
            self._network.closed(self._number, self, self._outgoing)
        self._transport = None
