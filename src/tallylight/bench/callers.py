"""The load of calls: `python -m tallylight.bench.callers` places calls at an even pace, and can be the agent as well.

A program of its own, so that its CPU is not the CPU of what is measured. It speaks just enough SIP and RTP for that:
INVITE, ACK and BYE over UDP, a key press (RFC 4733), and silence as voice. Orders come as JSON lines on stdin, answers as
JSON lines on stdout.
"""

import functools
import heapq
import itertools
import json
import os
import re
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
EVENT = 101
PRESS_AFTER_S = 0.25
PTIME_S = 0.02
GIVE_UP_S = 20.0
_BUFFER = 4 << 20
NEEDED = frozenset(("via", "from", "to", "call-id", "cseq"))
_PORT = re.compile(rb"^m=audio (\d+)", re.MULTILINE)


@dataclass
class Message:
    """A SIP message, as far as it matters here: header values as they came."""

    first: str
    headers: dict[str, list[str]]
    body: bytes

    @property
    def status(self) -> int:
        return int(self.first[8:11]) if self.first.startswith("SIP/2.0 ") else 0

    def one(self, name: str) -> str:
        return self.headers[name][0]


def read(data: bytes) -> Message | None:
    """The message in a datagram; None for what is none."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    return Message(first, headers, body) if headers.keys() >= NEEDED else None


def describe(port: int) -> bytes:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {LOOPBACK}\r\ns=-\r\nc=IN IP4 {LOOPBACK}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 {EVENT}\r\n"
        f"a=rtpmap:0 PCMU/8000\r\na=rtpmap:{EVENT} telephone-event/8000\r\na=fmtp:{EVENT} 0-15\r\na=ptime:20\r\n"
    ).encode()


@dataclass
class Talker:
    """One side's voice: a packet of silence each 20 ms once its target is known."""

    port: socket.socket
    target: tuple[str, int]
    sequence: int = 1
    timestamp: int = 0
    source: int = field(default_factory=lambda: int.from_bytes(os.urandom(4), "big"))

    def say(self) -> None:
        self._send(0, self.timestamp, bytes([0xFF]) * 160)
        self.timestamp += 160

    def press(self, key: int) -> None:
        for end, duration in ((0, 160), (0x80, 800), (0x80, 800), (0x80, 800)):
            self._send(EVENT, self.timestamp, struct.pack(">BBH", key, end | 10, duration))
        self.timestamp += 800

    def _send(self, kind: int, timestamp: int, payload: bytes) -> None:
        head = struct.pack(">BBHII", 0x80, kind, self.sequence, timestamp & 0xFFFFFFFF, self.source)
        self.sequence = self.sequence + 1 & 0xFFFF
        self.port.sendto(head + payload, self.target)


@dataclass
class Placed:
    """One call that was placed."""

    number: int
    began: float
    talker: Talker | None = None
    agent: Talker | None = None
    acknowledge: bytes = b""
    answered: bool = False
    hung_up: bool = False
    over: bool = False
    agent_over: bool = False


class Callers:
    """Everything this program does. `bridged`: calls are to be answered 1 and reach us as the agent."""

    def __init__(self, *, rate: float, talk_s: float, bridged: bool) -> None:
        self._target = (LOOPBACK, 0)
        self._rate = rate
        self._talk_s = talk_s
        self._bridged = bridged
        self._placed = 0
        self._calls: dict[str, Placed] = {}
        self._by_user: dict[str, Placed] = {}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._tag = os.urandom(4).hex()
        self._phone, self._desk, self._voice, self._desk_voice = (_port() for _ in range(4))
        self.answer_s: list[float] = []
        self.done = 0

    @property
    def agent_port(self) -> int:
        port: int = self._desk.getsockname()[1]
        return port

    def run(self, target: int, count: int) -> None:
        """Place `count` calls, and come back when all are over or no more will happen."""
        self._target = (LOOPBACK, target)
        self.answer_s, self.done = [], 0
        began = time.monotonic()
        first, self._placed = self._placed, self._placed + count
        for number in range(first, self._placed):
            self._at(began + (number - first) / self._rate, functools.partial(self._dial, number))
        limit = began + count / self._rate + self._talk_s + GIVE_UP_S
        poller = select.poll()
        readers = {
            self._phone.fileno(): lambda: self._each(self._phone, self._phoned),
            self._desk.fileno(): lambda: self._each(self._desk, self._rang),
            self._voice.fileno(): lambda: self._each(self._voice, _forget),
            self._desk_voice.fileno(): lambda: self._each(self._desk_voice, _forget),
        }
        for number in readers:
            poller.register(number, select.POLLIN)
        while self.done < count and time.monotonic() < limit:
            patience = max(0.0, self._due[0][0] - time.monotonic()) if self._due else 0.1
            for number, _ in poller.poll(min(patience, 0.1) * 1000):
                readers[number]()
            while self._due and self._due[0][0] <= time.monotonic():
                heapq.heappop(self._due)[2]()

    def _at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._due, (when, next(self._order), what))

    def _each(self, port: socket.socket, take: Callable[[bytes, tuple[str, int]], None]) -> None:
        while True:
            try:
                data, source = port.recvfrom(65535)
            except BlockingIOError:
                return
            except OSError:
                continue
            take(data, source)

    # -- the caller ---------------------------------------------------------------------------------------------------

    def _dial(self, number: int) -> None:
        call_id = f"{number}-{self._tag}@{LOOPBACK}"
        call = self._calls[call_id] = self._by_user[f"c{number}"] = Placed(number, time.monotonic())
        self._request(call, call_id, "INVITE", 1, to="", body=describe(self._voice.getsockname()[1]))

    def _request(self, call: Placed, call_id: str, method: str, cseq: int, *, to: str, body: bytes = b"") -> None:
        port = self._phone.getsockname()[1]
        lines = [
            f"{method} sip:service@{LOOPBACK}:{self._target[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {LOOPBACK}:{port};branch=z9hG4bK{call.number}x{method}{self._tag};rport",
            "Max-Forwards: 70",
            f"From: <sip:c{call.number}@{LOOPBACK}:{port}>;tag=f{call.number}",
            f"To: {to or f'<sip:service@{LOOPBACK}:{self._target[1]}>'}",
            f"Call-ID: {call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:c{call.number}@{LOOPBACK}:{port}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        data = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        if method == "ACK":
            call.acknowledge = data
        self._phone.sendto(data, self._target)

    def _phoned(self, data: bytes, source: tuple[str, int]) -> None:
        message = read(data)
        if message is None:
            return
        call_id = message.one("call-id")
        call = self._calls.get(call_id)
        if call is None:
            return
        if not message.status:
            self._phone.sendto(_reply(message, 200, "OK"), source)
            return
        method = message.one("cseq").split()[1]
        if method == "INVITE" and message.status >= 200:
            self._answered(call, call_id, message)
        elif method == "BYE" and message.status >= 200:
            call.over = True
            self._settle(call)

    def _answered(self, call: Placed, call_id: str, message: Message) -> None:
        if call.answered:
            self._phone.sendto(call.acknowledge, self._target)
            return
        if message.status != 200:
            return
        call.answered = True
        self.answer_s.append(time.monotonic() - call.began)
        to = message.one("to")
        self._request(call, call_id, "ACK", 1, to=to)

        def hang_up() -> None:
            call.hung_up = True
            self._request(call, call_id, "BYE", 2, to=to)

        call_port = _PORT.search(message.body)
        if not self._bridged or call_port is None:
            self._at(time.monotonic() + self._talk_s, hang_up)
            return
        call.talker = Talker(self._voice, (LOOPBACK, int(call_port[1])))
        self._at(time.monotonic(), lambda: self._talk(call, hang_up))
        self._at(time.monotonic() + PRESS_AFTER_S, lambda: self._agree(call))

    def _agree(self, call: Placed) -> None:
        if call.agent is None and call.talker is not None and not call.hung_up:
            call.talker.press(1)
            self._at(time.monotonic() + PRESS_AFTER_S, lambda: self._agree(call))

    def _talk(self, call: Placed, hang_up: Callable[[], None]) -> None:
        """Both sides speak until the caller has been through for as long as ordered."""
        assert call.talker is not None
        call.talker.say()
        if call.agent is not None:
            call.agent.say()
            if call.agent.timestamp >= self._talk_s * 8000:
                hang_up()
                return
        self._at(time.monotonic() + PTIME_S, lambda: self._talk(call, hang_up))

    def _settle(self, call: Placed) -> None:
        if call.over and (call.agent_over or not self._bridged):
            self.done += 1
            call.agent_over = False

    # -- the agent ----------------------------------------------------------------------------------------------------

    def _rang(self, data: bytes, source: tuple[str, int]) -> None:
        message = read(data)
        if message is None or message.status:
            return
        method = message.first.split()[0]
        user = message.one("from").partition("sip:")[2].partition("@")[0]
        call = self._by_user.get(user)
        if call is None:
            return
        if method == "INVITE":
            found = _PORT.search(message.body)
            assert found is not None
            if call.agent is None:
                self._desk.sendto(_reply(message, 180, "Ringing", tag=f"t{user}"), source)
            contact = f"<sip:agent@{LOOPBACK}:{self.agent_port}>"
            body = describe(self._desk_voice.getsockname()[1])
            self._desk.sendto(_reply(message, 200, "OK", tag=f"t{user}", contact=contact, body=body), source)
            call.agent = call.agent or Talker(self._desk_voice, (LOOPBACK, int(found[1])))
        elif method == "BYE":
            self._desk.sendto(_reply(message, 200, "OK"), source)
            if not call.agent_over:
                call.agent_over = True
                self._settle(call)


def _reply(request: Message, status: int, phrase: str, *, tag: str = "", contact: str = "", body: bytes = b"") -> bytes:
    to = request.one("to")
    lines = [
        f"SIP/2.0 {status} {phrase}",
        *(f"Via: {via}" for via in request.headers["via"]),
        *(f"Record-Route: {route}" for route in request.headers.get("record-route", ())),
        f"From: {request.one('from')}",
        f"To: {to}" if not tag or ";tag=" in to else f"To: {to};tag={tag}",
        f"Call-ID: {request.one('call-id')}",
        f"CSeq: {request.one('cseq')}",
        *([f"Contact: {contact}"] if contact else []),
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _port() -> socket.socket:
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    port.bind((LOOPBACK, 0))
    port.setblocking(False)
    return port


def _forget(data: bytes, source: tuple[str, int]) -> None:
    """Voice nobody listens to."""


def main() -> None:
    """{"rate", "talk_s", "bridged"}; the agent's port is said; then {"target", "count"}, whose outcome is said, again
    and again."""
    order = json.loads(sys.stdin.readline())
    callers = Callers(rate=order["rate"], talk_s=order["talk_s"], bridged=order["bridged"])
    _say({"agent": callers.agent_port})
    for line in sys.stdin:
        order = json.loads(line)
        callers.run(order["target"], order["count"])
        _say({"done": callers.done, "answer_ms": [round(1000 * each, 1) for each in callers.answer_s]})


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
