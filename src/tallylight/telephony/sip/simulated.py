"""The in-memory twin of the sockets: a seeded network on the clock's time, with loss, doubles, delay, disorder."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tallylight.clock import Clock
from tallylight.telephony.sip.counters import Counters
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.framing import Framer
from tallylight.telephony.sip.network import Hop, Receiver, Transport


@dataclass(kw_only=True)
class Weather:
    """What may happen to a datagram. Chances from 0 to 1, delays in seconds. May be changed while the network runs."""

    loss: float = 0.0
    duplication: float = 0.0
    delay_min_s: float = 0.002
    delay_max_s: float = 0.002
    """Between the two, at random: wider than the gap between messages means disorder."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One message as it left a node."""

    at_ms: int
    source: tuple[str, int]
    target: tuple[str, int]
    transport: Transport
    data: bytes


class SimulatedInternet:
    """Every node by host and port. The same seed and the same program give the same run."""

    def __init__(self, clock: Clock, *, seed: int, weather: Weather | None = None) -> None:
        self.clock = clock
        self.weather = weather or Weather()
        self.random = random.Random(seed)
        self.nodes: dict[tuple[str, int], SimulatedNetwork] = {}
        self.sent: list[Sent] = []
        """Everything that was sent, lost or not, in order."""
        self._streams = 0

    def node(
        self, host: str, port: int = 5060, transports: frozenset[Transport] = frozenset(Transport)
    ) -> "SimulatedNetwork":
        """A machine on this network; it receives once it is started."""
        return SimulatedNetwork(self, host, port, transports)

    def new_stream(self) -> int:
        """The number of a new TCP connection."""
        self._streams += 1
        return self._streams


class _Stream:
    """One direction of a TCP connection: in order, nothing lost, cut into segments of any size."""

    def __init__(self, internet: SimulatedInternet, source: Hop, deliver: Receiver) -> None:
        self._internet = internet
        self._source = source
        self._deliver = deliver
        self._framer = Framer()
        self._free_at_ns = 0

    def write(self, data: bytes) -> None:
        internet = self._internet
        weather = internet.weather
        cut = internet.random.randrange(len(data) + 1)
        for segment in (data[:cut], data[cut:]):
            if not segment:
                continue
            now = internet.clock.monotonic_ns()
            delay = internet.random.uniform(weather.delay_min_s, weather.delay_max_s)
            self._free_at_ns = max(self._free_at_ns, now + round(delay * 1e9))
            internet.clock.call_later((self._free_at_ns - now) / 1e9, lambda segment=segment: self._arrive(segment))  # type: ignore[misc]

    def _arrive(self, segment: bytes) -> None:
        for message in self._framer.feed(segment):
            self._deliver(message, self._source)


class SimulatedNetwork:
    """One machine's sockets on the simulated network."""

    def __init__(self, internet: SimulatedInternet, host: str, port: int, transports: frozenset[Transport]) -> None:
        self._internet = internet
        self.address = (host, port)
        self.counters = Counters()
        self._transports = transports
        self._receiver: Receiver | None = None
        self._streams: dict[int, _Stream] = {}
        self._by_peer: dict[tuple[str, int], int] = {}

    @property
    def transports(self) -> frozenset[Transport]:
        return self._transports

    def advertised(self, transport: Transport) -> tuple[str, int]:
        return self.address

    async def start(self, receiver: Receiver) -> None:
        if self.address in self._internet.nodes:
            raise SipError(500, "This simulated address is taken. Choose another.")
        self._receiver = receiver
        self._internet.nodes[self.address] = self

    async def stop(self) -> None:
        self.unplug()

    def unplug(self) -> None:
        """Vanish, as a machine without power does."""
        self._receiver = None
        self._streams.clear()
        self._by_peer.clear()
        self._internet.nodes.pop(self.address, None)

    def send(self, data: bytes, hop: Hop, failed: Callable[[], None]) -> None:
        internet = self._internet
        target = (hop.host, hop.port)
        internet.sent.append(
            Sent(
                at_ms=internet.clock.monotonic_ns() // 1_000_000,
                source=self.address,
                target=target,
                transport=hop.transport,
                data=data,
            )
        )
        if hop.transport not in self._transports or self._receiver is None:
            internet.clock.call_later(0, failed)
        elif hop.transport is Transport.UDP:
            self._datagram(data, target)
        else:
            stream = self._streams.get(hop.connection or self._by_peer.get(target, 0)) or self._open(target)
            if stream is None:
                internet.clock.call_later(internet.weather.delay_max_s, failed)
            else:
                stream.write(data)

    def _datagram(self, data: bytes, target: tuple[str, int]) -> None:
        internet = self._internet
        weather = internet.weather
        source = Hop(transport=Transport.UDP, host=self.address[0], port=self.address[1])
        copies = 1 + (internet.random.random() < weather.duplication)
        for _ in range(copies):
            if internet.random.random() < weather.loss:
                continue
            delay = internet.random.uniform(weather.delay_min_s, weather.delay_max_s)
            internet.clock.call_later(delay, lambda: self._arrive(target, Transport.UDP, data, source))

    def _arrive(self, target: tuple[str, int], transport: Transport, data: bytes, source: Hop) -> None:
        node = self._internet.nodes.get(target)
        if node is not None and node._receiver is not None and transport in node._transports:
            node._receiver(data, source)

    def _open(self, target: tuple[str, int]) -> _Stream | None:
        """A connection to a listening node, or None where nobody listens."""
        node = self._internet.nodes.get(target)
        if node is None or Transport.TCP not in node._transports:
            return None
        number = self._internet.new_stream()
        ephemeral = 40_000 + number % 20_000
        here = Hop(transport=Transport.TCP, host=self.address[0], port=ephemeral, connection=number)
        there = Hop(transport=Transport.TCP, host=target[0], port=target[1], connection=number)
        self._streams[number] = _Stream(self._internet, here, node._from_stream)
        node._streams[number] = _Stream(self._internet, there, self._from_stream)
        self._by_peer[target] = number
        node._by_peer[(here.host, here.port)] = number
        return self._streams[number]

    def _from_stream(self, data: bytes, source: Hop) -> None:
        if self._receiver is not None:
            self._receiver(data, source)
