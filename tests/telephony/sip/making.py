"""Phones, raw peers and messages for the tests of this room."""

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from ipaddress import ip_network

from tallylight.clock import Clock, VirtualClock
from tallylight.telephony.sip.admission import Admission
from tallylight.telephony.sip.agent import UserAgent
from tallylight.telephony.sip.board import Credentials, SipOptions
from tallylight.telephony.sip.call import Call
from tallylight.telephony.sip.codec import Request, Response, parse
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.network import Hop, SipNetwork, Transport
from tallylight.telephony.sip.observer import EndCause
from tallylight.telephony.sip.simulated import SimulatedInternet, SimulatedNetwork, Weather
from tallylight.telephony.sip.uri import SipUri

OFFER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=offer\r\nt=0 0\r\n"
ANSWER = b"v=0\r\no=- 2 1 IN IP4 192.0.2.2\r\ns=answer\r\nt=0 0\r\n"
SECOND_OFFER = b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=second\r\nt=0 0\r\n"
SECOND_ANSWER = b"v=0\r\no=- 2 2 IN IP4 192.0.2.2\r\ns=second answer\r\nt=0 0\r\n"
EVERYBODY = Admission([ip_network("0.0.0.0/0"), ip_network("::/0")], None)

Event = tuple[object, ...]


@dataclass
class Recorder:
    """An observer that writes down what it hears."""

    events: list[Event] = field(default_factory=list)
    on_reoffer: Callable[[bytes | None], bytes] = lambda sdp: SECOND_ANSWER
    on_event: Callable[[Call, str], None] = lambda call, name: None

    def _add(self, call: Call, *event: object) -> None:
        self.events.append(event)
        self.on_event(call, str(event[0]))

    def ringing(self, call: Call, code: int, sdp: bytes | None) -> None:
        self._add(call, "ringing", code, sdp)

    def answered(self, call: Call, sdp: bytes) -> None:
        self._add(call, "answered", sdp)

    def acknowledged(self, call: Call, sdp: bytes | None) -> None:
        self._add(call, "acknowledged", sdp)

    def failed(self, call: Call, code: int, phrase: str) -> None:
        self._add(call, "failed", code, phrase)

    def cancelled(self, call: Call) -> None:
        self._add(call, "cancelled")

    def reoffered(self, call: Call, sdp: bytes | None) -> bytes:
        self._add(call, "reoffered", sdp)
        return self.on_reoffer(sdp)

    def info(self, call: Call, content_type: str, body: bytes) -> None:
        self._add(call, "info", content_type, body)

    def ended(self, call: Call, cause: EndCause) -> None:
        self._add(call, "ended", cause)

    @property
    def names(self) -> list[object]:
        """The events' names, in order."""
        return [event[0] for event in self.events]


def entropy(seed: int) -> Callable[[int], bytes]:
    """Chance that repeats itself, for simulations."""
    return random.Random(seed).randbytes


def run(work: Coroutine[object, None, None]) -> None:
    """Run a coroutine that never waits: starting and stopping on the simulated network."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("this coroutine waits")


def ring_and_answer(call: Call) -> None:
    call.ring()
    call.answer(ANSWER)


class Phone:
    """A user agent with one recorder for all its calls."""

    def __init__(
        self,
        clock: Clock,
        network: SipNetwork,
        *,
        seed: int,
        admission: Admission = EVERYBODY,
        on_call: Callable[[Call], None] = ring_and_answer,
        options: SipOptions | None = None,
    ) -> None:
        self.heard = Recorder()
        self.calls: list[Call] = []
        self._answer = on_call
        self._network = network
        self.agent = UserAgent(
            clock=clock,
            network=network,
            admission=admission,
            on_call=self._on_call,
            options=options,
            entropy=entropy(seed),
        )

    def _on_call(self, call: Call) -> None:
        self.calls.append(call)
        call.observer = self.heard
        self._answer(call)

    def dial(
        self,
        target: str,
        *,
        caller: str = "sip:anna@192.0.2.1",
        credentials: Credentials | None = None,
        sdp: bytes = OFFER,
        max_forwards: int = 70,
    ) -> Call:
        call = self.agent.call(
            SipUri.parse(target),
            caller=SipUri.parse(caller),
            sdp=sdp,
            observer=self.heard,
            credentials=credentials,
            max_forwards=max_forwards,
        )
        self.calls.append(call)
        return call


class World:
    """A simulated network in virtual time."""

    def __init__(self, *, seed: int = 1, weather: Weather | None = None) -> None:
        self.clock = VirtualClock()
        self.internet = SimulatedInternet(self.clock, seed=seed, weather=weather)
        self.seed = seed
        self.phones: list[Phone] = []

    def phone(
        self,
        host: str,
        *,
        admission: Admission = EVERYBODY,
        on_call: Callable[[Call], None] = ring_and_answer,
        options: SipOptions | None = None,
        transports: frozenset[Transport] = frozenset(Transport),
    ) -> Phone:
        network = self.internet.node(host, transports=transports)
        seed = self.seed * 1000 + len(self.phones)
        phone = Phone(self.clock, network, seed=seed, admission=admission, on_call=on_call, options=options)
        self.phones.append(phone)
        run(phone.agent.start())
        return phone

    def raw(self, host: str, transports: frozenset[Transport] = frozenset(Transport)) -> "RawPeer":
        return RawPeer(self, self.internet.node(host, transports=transports))

    def pass_time(self, seconds: float = 1.0) -> None:
        self.clock.advance(seconds)

    def quiet(self) -> bool:
        """Whether nobody holds a call, a dialog or a transaction."""
        return all(not phone.agent.calls and not phone.agent.transactions_alive for phone in self.phones)


class RawPeer:
    """A peer that does only what the test writes."""

    def __init__(self, world: World, network: SimulatedNetwork) -> None:
        self.world = world
        self.network = network
        self.host = network.address[0]
        self.got: list[Request | Response] = []
        self.sources: list[Hop] = []
        run(network.start(self._receive))

    def _receive(self, data: bytes, source: Hop) -> None:
        self.got.append(parse(data))
        self.sources.append(source)

    def send(self, data: bytes, host: str, transport: Transport = Transport.UDP) -> None:
        self.network.send(data, Hop(transport=transport, host=host, port=5060), lambda: None)

    def ask(self, data: bytes, host: str, transport: Transport = Transport.UDP, seconds: float = 0.1) -> list[Response]:
        """Send, wait, return the responses that came since."""
        before = len(self.got)
        self.send(data, host, transport)
        self.world.pass_time(seconds)
        return [message for message in self.got[before:] if isinstance(message, Response)]

    @property
    def requests(self) -> list[Request]:
        return [message for message in self.got if isinstance(message, Request)]

    @property
    def responses(self) -> list[Response]:
        return [message for message in self.got if isinstance(message, Response)]

    def reply(self, request: Request, status: int, *, tag: str = "raw", extra: str = "", body: bytes = b"") -> None:
        """Answer a request that came."""
        to = request.headers.get("to")[0]
        if "tag=" not in to and status > 100:
            to += f";tag={tag}"
        vias = "".join(f"Via: {via}\r\n" for via in request.headers.get("via"))
        routes = "".join(f"Record-Route: {route}\r\n" for route in request.headers.get("record-route"))
        contact = f"Contact: <sip:raw@{self.host}:5060>\r\n" if "contact" not in extra.lower() else ""
        content = "Content-Type: application/sdp\r\n" if body else ""
        data = (
            f"SIP/2.0 {status} Whatever\r\n{vias}{routes}From: {request.headers.get('from')[0]}\r\nTo: {to}\r\n"
            f"Call-ID: {request.call_id}\r\nCSeq: {request.cseq} {request.method}\r\n{contact}{extra}{content}"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        source = self.sources[self.got.index(request)]
        self.network.send(data, source, lambda: None)


def refuse_session(sdp: bytes | None) -> bytes:
    """An answer to a re-INVITE that is none."""
    raise SipError(488)


def request(
    method: str = "INVITE",
    *,
    host: str = "192.0.2.9",
    uri: str = "sip:bob@192.0.2.2",
    call_id: str = "call-1",
    cseq: int = 1,
    cseq_method: str | None = None,
    branch: str = "z9hG4bKraw1",
    from_tag: str = "fromraw",
    to_tag: str = "",
    transport: str = "UDP",
    body: bytes = b"",
    content_type: str = "application/sdp",
    extra: str = "",
    via: str | None = None,
) -> bytes:
    """A request as a peer at `host` would send it."""
    to = f"<{uri}>" + (f";tag={to_tag}" if to_tag else "")
    top = via or f"SIP/2.0/{transport} {host}:5060;branch={branch};rport"
    content = f"Content-Type: {content_type}\r\n" if body else ""
    contact = f"Contact: <sip:raw@{host}:5060>\r\n" if "contact:" not in extra.lower() else ""
    return (
        f"{method} {uri} SIP/2.0\r\nVia: {top}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:raw@{host}>;tag={from_tag}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n"
        f"CSeq: {cseq} {cseq_method or method}\r\n{contact}{extra}{content}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
