"""One party's voice in both directions, on one pair of ports.

The leg knows whose packets are the party's and what may be sent; `incoming` and `outgoing` do the work on the packets.
"""

import socket
from collections.abc import Callable
from typing import Protocol, TypeVar

from tallylight.telephony.rtp import rtcp
from tallylight.telephony.rtp.errors import RtpError
from tallylight.telephony.rtp.incoming import DigitSource, Incoming, OnDigit
from tallylight.telephony.rtp.negotiated import Address, Latch, Negotiated
from tallylight.telephony.rtp.network import DatagramSocket
from tallylight.telephony.rtp.outgoing import AudioSink, Outgoing, Playout, UnderPrompt
from tallylight.telephony.rtp.prompt import EUROPEAN_RINGBACK, Cadence, Prompt
from tallylight.telephony.rtp.reports import Reporter
from tallylight.telephony.rtp.stats import LegStats

__all__ = ["AudioSink", "DigitSource", "LegHost", "OnDigit", "RtpLeg", "UnderPrompt"]

HELD = "0.0.0.0"
"""The connection address that once meant hold (RFC 2543)."""

T = TypeVar("T")


class LegHost(Protocol):
    """What a leg asks of the engine that drains its sockets."""

    datagram_size: int

    def now_ms(self) -> int:
        """Monotonic milliseconds."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC."""

    def watch(
        self, leg: "RtpLeg", port: DatagramSocket, receive: Callable[[int], T], accept: Callable[[T, int], None]
    ) -> None:
        """From now on, give `accept` what `receive` reads from the port, with the engine's time."""

    def pace(self, leg: "RtpLeg") -> None:
        """The leg has something to send, at its outgoing stream's `due_ms`."""

    def release(self, leg: "RtpLeg", *ports: DatagramSocket) -> None:
        """The leg closes these ports now: others may have them."""


class RtpLeg:
    """One party's stream in both directions. Made by `MediaEngine.open_leg`; used on the media loop only."""

    __slots__ = (
        "_closed",
        "_host",
        "_latched",
        "_locked",
        "_negotiated",
        "_peer",
        "_refused",
        "_reporter",
        "_reports_port",
        "_strangers",
        "_voice_port",
        "address",
        "incoming",
        "outgoing",
    )

    def __init__(
        self,
        *,
        host: LegHost,
        address: Address,
        voice: DatagramSocket,
        reports: DatagramSocket,
        anchor_ms: int,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        now_ms = host.now_ms()
        self.address = address
        """What our SDP names: the advertised address and the RTP port."""
        self.outgoing = Outgoing(
            ssrc=int.from_bytes(random_bytes(4), "big"),
            sequence=int.from_bytes(random_bytes(2), "big"),
            timestamp=int.from_bytes(random_bytes(4), "big"),
            now_ms=now_ms,
            on_due=lambda: host.pace(self),
        )
        self.outgoing.anchor_ms = anchor_ms
        self._reporter = Reporter(self.outgoing, random_bytes, host.wall_ms, now_ms)
        self.incoming = Incoming(reports=self._reporter, anchor_ms=anchor_ms)
        self._host = host
        self._voice_port = voice
        self._reports_port = reports
        self._negotiated: Negotiated | None = None
        self._latched: Address | None = None
        self._locked = False
        """Whether packets come from `_latched` alone."""
        self._peer: RtpLeg | None = None
        self._strangers = 0
        self._refused = 0
        self._closed = False
        host.watch(self, voice, voice.recvfrom, self._stranger)
        host.watch(self, reports, reports.recvfrom, self._report)

    @property
    def sink(self) -> AudioSink | None:
        """Takes the party's voice, and nothing but it."""
        return self.incoming.sink

    @sink.setter
    def sink(self, sink: AudioSink | None) -> None:
        self.incoming.hand_over()
        self.incoming.sink = sink

    @property
    def on_digit(self) -> OnDigit | None:
        """Called once for each key the party presses, as soon as it is recognised."""
        return self.incoming.on_digit

    @on_digit.setter
    def on_digit(self, on_digit: OnDigit | None) -> None:
        self.incoming.on_digit = on_digit

    @property
    def peer(self) -> "RtpLeg | None":
        """The leg that hears this one. One way: a conversation sets it on both."""
        return self._peer

    @peer.setter
    def peer(self, peer: "RtpLeg | None") -> None:
        self._peer = peer
        self.incoming.relay_to(peer.outgoing if peer is not None else None)
        if peer is not None:
            self._voice_port.hurry(True)

    @property
    def port(self) -> int:
        """The RTP port, as SDP names it."""
        return self.address[1]

    @property
    def media_ms(self) -> int:
        """Now, in the conversation's media time."""
        return self._host.now_ms() - self.incoming.anchor_ms

    def anchor(self, monotonic_ns: int) -> None:
        """The conversation starts at this instant (our 200 OK): media time counts from here."""
        self.outgoing.anchor_ms = monotonic_ns // 1_000_000
        self.incoming.anchor(self.outgoing.anchor_ms)

    def configure(self, negotiated: Negotiated) -> None:
        """Take what offer and answer settled, at first or anew; the party's address is learnt again, once.

        Raises `RtpError` where the remote address is not numeric IPv4."""
        try:
            socket.inet_pton(socket.AF_INET, negotiated.remote[0])
        except OSError as error:
            raise RtpError(
                f"{negotiated.remote[0]!r} is no numeric IPv4 address: resolve it before configuring the leg.",
                code="rtp.bad_address",
            ) from error
        before = self._negotiated
        self._negotiated = negotiated
        self.incoming.configure(negotiated)
        if before is not None and before.remote != negotiated.remote:
            self._latched = None
        self._arm(self._latched or negotiated.remote)
        out = self.outgoing
        out.codec = negotiated.codec
        out.kind = negotiated.codec if negotiated.send_type is None else negotiated.send_type
        out.ptime_ms = max(10, min(negotiated.ptime_ms, 60))
        out.event_type = negotiated.telephone_event
        if negotiated.direction.sends and negotiated.remote[0] != HELD and negotiated.remote[1]:
            out.allow(self._host.now_ms())
        else:
            out.forbid()

    def play(
        self,
        prompt: Prompt,
        *,
        on_done: Callable[[], None] | None = None,
        sent: AudioSink | None = None,
        under: UnderPrompt = UnderPrompt.MIX,
    ) -> None:
        """Play a prompt in place of any other.

        `on_done` is called when the sound of its last packet is over, never if it was stopped or replaced; it waits
        while the party holds us. `sent` gets each packet of it as it went out, without what was mixed into it. `under`
        says whether the peer's voice is heard meanwhile."""
        self.outgoing.play(
            Playout(prompt=prompt, on_done=on_done, sent=sent, under=under, repeats=False), self._host.now_ms()
        )

    def ringback(self, cadence: Cadence = EUROPEAN_RINGBACK) -> None:
        """Play the ringing tone until something else is played or `stop_playing`."""
        self.outgoing.play(
            Playout(prompt=cadence.prompt(), on_done=None, sent=None, under=UnderPrompt.MIX, repeats=True),
            self._host.now_ms(),
        )

    def stop_playing(self) -> None:
        """Silence, or the peer's voice, from the next packet on."""
        self.outgoing.stop()

    def send_digit(self, key: str) -> None:
        """Press a key towards this party: as an event, or as a tone where events were not negotiated."""
        self.outgoing.press(key, self._host.now_ms())

    def relay_digit(self, key: str) -> None:
        """Press a key towards the peer, if there is one."""
        if self._peer is not None:
            self._peer.send_digit(key)

    def hand_over(self) -> None:
        """Give the sink what has been received and waits to be handed on."""
        self.incoming.hand_over()

    @property
    def stats(self) -> LegStats:
        """The counts so far."""
        incoming, out = self.incoming, self.outgoing
        incoming.hand_over()
        reception = incoming.reception
        return LegStats(
            received=reception.received,
            received_ms=incoming.received_ms,
            lost=reception.lost,
            duplicates=reception.duplicates,
            reordered=reception.reordered,
            late=incoming.late,
            sources=incoming.sources,
            anchors=incoming.timeline.anchors,
            slewed_ms=incoming.timeline.slewed_ms,
            jitter_ms=incoming.jitter / 128,
            bad=incoming.malformed + incoming.malformed_events + self._reporter.bad,
            strangers=self._strangers,
            unnegotiated=incoming.unnegotiated,
            refused=self._refused,
            last_received_ms=None if incoming.last_ms is None else incoming.last_ms - incoming.anchor_ms,
            sent=out.sent,
            sent_octets=out.octets,
            send_failures=out.failed,
            remote_lost=self._reporter.remote_lost,
            round_trip_ms=self._reporter.round_trip_ms,
        )

    def close(self) -> None:
        """Say goodbye, send and receive no more, give the ports back. Closing twice does nothing."""
        if self._closed:
            return
        self.incoming.hand_over()
        self._send_reports([rtcp.Goodbye(ssrcs=(self.outgoing.ssrc,))])
        self._closed = True
        self.peer = None
        self.sink = None
        self.on_digit = None
        self.outgoing.stop()
        self.outgoing.forbid()
        self._host.release(self, self._voice_port, self._reports_port)
        self._voice_port.close()
        self._reports_port.close()

    def look_after(self, now_ms: int) -> None:
        """Hand on the voice that waits, send RTCP reports if they are due. For the engine, now and then.

        A steady voice that goes on to nobody is in no hurry from here on."""
        self.incoming.hand_over()
        patient = self._locked and self._peer is None and self.incoming.is_steady
        if not self._closed:
            self._voice_port.hurry(not patient)
        if self._reporter.due_ms <= now_ms and not self._closed:
            self._reporter.schedule(now_ms)
            self._send_reports([])

    def port_failed(self) -> None:
        """Reading from a port failed: mostly an ICMP message that nobody listens where we sent. For the engine."""
        self._refused += 1

    def _arm(self, target: Address) -> None:
        """Send to `target` and learn from the next valid packet where the party really is."""
        voice = self._voice_port
        try:
            voice.unlock()
        except OSError:
            self.outgoing.failed += 1
        self.outgoing.transmit = lambda data: voice.sendto(data, target)
        self._host.watch(self, voice, voice.recvfrom, self._stranger)
        self._locked = False
        voice.hurry(True)

    def _stranger(self, received: tuple[bytes, Address], now_ms: int) -> None:
        """A packet while nobody is known: the first valid one from the right address locks the port to its source."""
        data, source = received
        if not self._is_party(source):
            self._strangers += 1
            return
        if not self.incoming.agreed(data):
            return
        voice = self._voice_port
        try:
            voice.lock(source)
        except OSError:
            self.outgoing.failed += 1
            return
        self._latched = source
        self.outgoing.transmit = voice.send
        self._host.watch(self, voice, voice.recv, self.incoming.packet)
        self._locked = True
        # Strangers' packets from before the lock are still queued: nothing unchecked may reach `Incoming.packet`.
        waiting = [data]
        while True:
            try:
                data, other = voice.recvfrom(self._host.datagram_size)
            except OSError:
                break
            if other == source:
                waiting.append(data)
            else:
                self._strangers += 1
        for data in waiting:
            if not self._closed:
                self.incoming.packet(data, now_ms)

    def _is_party(self, source: Address) -> bool:
        negotiated = self._negotiated
        if negotiated is None:
            return False
        return negotiated.latch is Latch.ANY or source[0] == negotiated.remote[0]

    def _report(self, received: tuple[bytes, Address], now_ms: int) -> None:
        data, source = received
        host = self._latched[0] if self._latched is not None else None
        if source[0] == host or (host is None and self._is_party(source)):
            self._reporter.take(data, now_ms)
        else:
            self._strangers += 1

    def _send_reports(self, more: list[rtcp.Report]) -> None:
        negotiated = self._negotiated
        if negotiated is None or negotiated.remote[0] == HELD:
            return
        incoming = self.incoming
        incoming.hand_over()
        reports = self._reporter.build(
            incoming.reception, incoming.ssrc, incoming.jitter >> 4, self._host.now_ms(), self._host.wall_ms()
        )
        host, port = self._latched or negotiated.remote
        target = negotiated.remote_rtcp or (host, port + 1)
        try:
            self._reports_port.sendto(rtcp.serialise([*reports, *more]), target)
        except (OSError, OverflowError):
            self.outgoing.failed += 1
