"""Putting requests and responses on the network: branch, Via, the choice of UDP or TCP, the hop of an answer."""

from collections.abc import Callable
from dataclasses import dataclass

from tallylight.clock import Clock
from tallylight.telephony.sip.codec import Request, request_bytes, response_bytes
from tallylight.telephony.sip.errors import SipError, phrase_of
from tallylight.telephony.sip.network import Hop, SipNetwork, Transport
from tallylight.telephony.sip.uri import SipUri

COOKIE = "z9hG4bK"
"""What a branch made by RFC 3261 begins with (section 8.1.1.7)."""
TCP_REFUSED_NS = 300_000_000_000
"""How long a peer that took no TCP connection is spared another try."""

HeaderList = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The times of RFC 3261 section 17.1.1.1, in seconds; every timer follows from them."""

    t1_s: float = 0.5
    t2_s: float = 4.0
    t4_s: float = 5.0

    @property
    def give_up_s(self) -> float:
        """64 T1: timers B, F, H, J, L and M."""
        return 64 * self.t1_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request to be sent, all but its Via and Content-Length."""

    method: str
    uri: str
    headers: HeaderList
    body: bytes = b""

    def wire(self, via: str) -> bytes:
        """The bytes with our Via on top."""
        return request_bytes(self.method, self.uri, (("Via", via), *self.headers), self.body)


class Carrier:
    """What transactions share: the network below, the clock, chance, and what was learnt about peers."""

    def __init__(
        self,
        *,
        clock: Clock,
        network: SipNetwork,
        entropy: Callable[[int], bytes],
        timing: Timing | None = None,
        udp_limit: int = 1300,
        stay_on_udp: frozenset[str] = frozenset(),
    ) -> None:
        self.clock = clock
        self.network = network
        self.entropy = entropy
        self.counters = network.counters
        self.timing = timing or Timing()
        self._udp_limit = udp_limit
        self._stay_on_udp = stay_on_udp
        self._tcp_refused: dict[tuple[str, int], int] = {}

    def new_branch(self) -> str:
        """A branch nobody else has (64 random bits)."""
        return COOKIE + self.entropy(8).hex()

    def new_tag(self) -> str:
        """A From or To tag (64 random bits; RFC 3261 section 19.3 asks for 32)."""
        return self.entropy(8).hex()

    def sent_by(self, transport: Transport) -> str:
        """Our host and port, as they stand in Via and Contact."""
        host, port = self.network.advertised(transport)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def goes_by_tcp(self, size: int, hop: Hop) -> bool:
        """Whether a request of `size` bytes meant for UDP takes TCP instead (RFC 3261 section 18.1.1)."""
        if size <= self._udp_limit or hop.transport is not Transport.UDP:
            return False
        if Transport.TCP not in self.network.transports:
            return False
        if hop.host in self._stay_on_udp or f"{hop.host}:{hop.port}" in self._stay_on_udp:
            return False
        refused_at = self._tcp_refused.get((hop.host, hop.port))
        return refused_at is None or self.clock.monotonic_ns() - refused_at > TCP_REFUSED_NS

    def note_tcp_refused(self, hop: Hop) -> None:
        """The peer took no TCP connection."""
        if len(self._tcp_refused) > 1000:
            self._tcp_refused.clear()
        self._tcp_refused[(hop.host, hop.port)] = self.clock.monotonic_ns()


class Carriage:
    """One request on its way to one hop, with one branch. A large one goes by TCP, and by UDP where TCP fails."""

    __slots__ = ("_by_udp", "_carrier", "_data", "_failed", "_hop", "_switched", "branch", "via")

    def __init__(
        self,
        carrier: Carrier,
        message: Outgoing,
        hop: Hop,
        *,
        branch: str,
        failed: Callable[[], None],
        switched: Callable[[], None],
    ) -> None:
        self._carrier = carrier
        self._failed = failed
        self._switched = switched
        self.branch = branch
        self.via = self._via(hop.transport)
        self._hop = hop
        self._data = message.wire(self.via)
        self._by_udp: tuple[Hop, str, bytes] | None = None
        if carrier.goes_by_tcp(len(self._data), hop):
            self._by_udp = (self._hop, self.via, self._data)
            self.via = self._via(Transport.TCP)
            self._hop = Hop(transport=Transport.TCP, host=hop.host, port=hop.port)
            self._data = message.wire(self.via)

    def _via(self, transport: Transport) -> str:
        return f"SIP/2.0/{transport} {self._carrier.sent_by(transport)};rport;branch={self.branch}"

    @property
    def reliable(self) -> bool:
        """Whether the transport in use repeats what is lost."""
        return self._hop.transport.reliable

    @property
    def hop(self) -> Hop:
        """Where it goes now."""
        return self._hop

    def send(self) -> None:
        """Put it on the network, again if need be."""
        self._carrier.network.send(self._data, self._hop, self._on_failed)

    def send_along(self, message: Outgoing) -> None:
        """Send another request with the same Via to the same hop: the ACK to a refusal, the CANCEL."""
        self._carrier.network.send(message.wire(self.via), self._hop, _ignore)

    def _on_failed(self) -> None:
        if self._by_udp is None:
            self._failed()
            return
        self._carrier.note_tcp_refused(self._hop)
        (self._hop, self.via, self._data), self._by_udp = self._by_udp, None
        self.send()
        self._switched()


def _ignore() -> None:
    """What is repeated when asked for again needs no failure handling."""


def next_hop(uri: SipUri, *, connection: int | None = None) -> Hop:
    """Where a request to this URI goes (RFC 3263 without name records). `connection`: a stream to prefer, for TCP."""
    wanted = (uri.parameter("transport") or "udp").upper()
    if uri.scheme != "sip" or wanted not in ("UDP", "TCP") or not uri.host:
        raise SipError(416, "Only sip: URIs over UDP or TCP can be called. Change the target.")
    transport = Transport(wanted)
    host = uri.parameter("maddr") or uri.host
    return Hop(
        transport=transport,
        host=host,
        port=uri.port or 5060,
        connection=connection if transport.reliable else None,
    )


def answer_hop(request: Request, source: Hop) -> Hop:
    """Where the response to this request goes (RFC 3261 section 18.2.2, RFC 3581 section 4)."""
    via = request.via
    if source.transport.reliable:
        return Hop(transport=source.transport, host=source.host, port=via.port or 5060, connection=source.connection)
    return Hop(transport=source.transport, host=source.host, port=source.port if via.wants_rport else via.port or 5060)


def stamp_via(request: Request, source: Hop) -> None:
    """Write received and rport into the topmost Via, where the sender needs them (RFC 3261 18.2.1, RFC 3581)."""
    via = request.via
    if not via.wants_rport and via.host == source.host:
        return
    vias = request.headers.get("via")
    kept = [part for part in vias[0].split(";") if part.partition("=")[0].strip().lower() not in ("received", "rport")]
    kept.append(f"received={source.host}")
    if via.wants_rport:
        kept.append(f"rport={source.port}")
    vias[0] = ";".join(kept)


def answer_bytes(
    request: Request,
    status: int,
    *,
    to_tag: str,
    phrase: str | None = None,
    headers: HeaderList = (),
    body: bytes = b"",
) -> bytes:
    """A response to `request` (RFC 3261 section 8.2.6.2); `to_tag` is added to To where it has none."""
    given = request.headers
    to = given.get("to")[0]
    if to_tag and not request.to_tag:
        to += f";tag={to_tag}"
    echoed: list[tuple[str, str]] = [("Via", via) for via in given.get("via")]
    echoed += [("From", given.get("from")[0]), ("To", to), ("Call-ID", request.call_id)]
    echoed.append(("CSeq", given.get("cseq")[0]))
    reason = phrase_of(status) if phrase is None else " ".join(phrase.split())[:80]
    return response_bytes(status, reason, (*echoed, *headers), body)
