"""A small softphone: places or takes one call at a time, speaks, presses keys, and keeps what it hears."""

import asyncio
import ipaddress
from array import array
from collections.abc import Awaitable, Callable
from typing import Self

from tallylight.clock import Clock
from tallylight.telephony.flow.info import key_of
from tallylight.telephony.rtp.engine import MediaEngine
from tallylight.telephony.rtp.g711 import decode
from tallylight.telephony.rtp.leg import RtpLeg
from tallylight.telephony.rtp.negotiated import Codec, Direction
from tallylight.telephony.rtp.network import MediaNetwork
from tallylight.telephony.rtp.prompt import Prompt
from tallylight.telephony.sip import sdp
from tallylight.telephony.sip.admission import Admission
from tallylight.telephony.sip.agent import UserAgent
from tallylight.telephony.sip.board import Credentials
from tallylight.telephony.sip.call import Call
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.network import SipNetwork, Transport
from tallylight.telephony.sip.observer import EndCause
from tallylight.telephony.sip.transport import SocketNetwork
from tallylight.telephony.sip.uri import SipUri

LOOPBACK = "127.0.0.1"
SAMPLES_PER_MS = 8
AUDIBLE = 400
"""Peak to peak, of 65,536: above the hiss of G.711's quietest steps."""
PIECE_MS = 20
"""What is judged at once, loud or silent."""


class CallFailed(Exception):
    """The other side did not take the call; `status` is its SIP answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"The call was answered {status}.")
        self.status = status


class Ear:
    """What a phone hears, by its own media time: an `AudioSink`."""

    def __init__(self) -> None:
        self.samples = array("h")
        self.loud_ms = 0
        """How much was heard that is no silence."""
        self.last_loud_ms: int | None = None
        """When something was last heard that is no silence."""

    def accept(self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes) -> None:
        begin = start_ms * SAMPLES_PER_MS
        if len(self.samples) < begin:
            self.samples.frombytes(bytes(2 * (begin - len(self.samples))))
        heard = array("h", decode(Codec(payload_type), payload))
        self.samples[begin : begin + len(heard)] = heard
        for at_ms in range(0, duration_ms, PIECE_MS):
            piece = heard[at_ms * SAMPLES_PER_MS : (at_ms + PIECE_MS) * SAMPLES_PER_MS]
            if max(piece) - min(piece) > AUDIBLE:
                end_ms = min(at_ms + PIECE_MS, duration_ms)
                self.loud_ms += end_ms - at_ms
                self.last_loud_ms = start_ms + end_ms

    def seconds(self) -> float:
        return len(self.samples) / 8000


class PhoneCall:
    """One call of a phone, in either direction. Observes its SIP call."""

    def __init__(self, phone: "Phone", leg: RtpLeg) -> None:
        self._phone = phone
        self._call: Call | None = None
        self._failure: int | None = None
        self.leg = leg
        self._ear = Ear()
        self.keys_heard: list[str] = []
        self.leg.sink = self._ear
        self.leg.on_digit = lambda key, start_ms, source: self.keys_heard.append(key)
        self._local = sdp.LocalMedia(
            address=leg.address[0],
            port=leg.address[1],
            session=1,
            codecs=phone.codecs,
            telephone_event=101 if phone.sends_events else None,
        )
        self.is_ringing = asyncio.Event()
        self.is_answered = asyncio.Event()
        self.is_over = asyncio.Event()

    # -- what a person does -------------------------------------------------------------------------------------------

    async def until_answered(self) -> "PhoneCall":
        """Wait until the call is taken. Raises CallFailed."""
        await self._first(self.is_answered.wait(), self.is_over.wait())
        if not self.is_answered.is_set():
            raise CallFailed(self._failure or 487)
        return self

    async def say(self, pcm: bytes) -> None:
        """Speak 16-bit PCM at 8 kHz to its end, or until the call is over."""
        said = asyncio.Event()
        self.leg.play(Prompt(pcm), on_done=said.set)
        await self._first(said.wait(), self.is_over.wait())

    def press(self, keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.leg.send_digit(key)

    def send_info(self, content_type: str, body: bytes) -> None:
        """Send a SIP INFO."""
        assert self._call is not None
        self._call.info(content_type, body)

    def hold(self) -> None:
        self._reoffer(Direction.SENDONLY)

    def unhold(self) -> None:
        self._reoffer(Direction.SENDRECV)

    async def for_seconds(self, seconds: float) -> None:
        """Wait on the phone's clock, or until the call is over."""
        passed = asyncio.Event()
        timer = self._phone.clock.call_later(seconds, passed.set)
        await self._first(passed.wait(), self.is_over.wait())
        timer.cancel()

    @property
    def ear(self) -> Ear:
        """What has been heard until now."""
        self.leg.hand_over()
        return self._ear

    @property
    def sip(self) -> Call:
        """The SIP call, once placed or taken."""
        assert self._call is not None
        return self._call

    def hang_up(self) -> None:
        assert self._call is not None
        self._call.bye()
        self._end()

    async def until_quiet(self, seconds: float) -> None:
        """Wait until something was heard and then nothing for so long, or until the call is over."""
        while not self.is_over.is_set():
            loud_ms = self.ear.last_loud_ms
            if loud_ms is not None and self.leg.media_ms - loud_ms >= seconds * 1000:
                return
            await self.for_seconds(0.05)

    async def unless_over(self, wait: Awaitable[object]) -> None:
        """Wait for something, or until the call is over."""
        await self._first(wait, self.is_over.wait())

    def give_up(self) -> None:
        """Hang up before anybody answers: CANCEL."""
        assert self._call is not None
        self._call.cancel()

    async def until_over(self) -> None:
        """Wait until the call has ended."""
        await self.is_over.wait()

    # -- what the SIP call tells ------------------------------------------------------------------------------------------

    def place(self, target: SipUri, caller: SipUri, credentials: Credentials | None) -> None:
        self._call = self._phone.agent.call(
            target,
            caller=caller,
            sdp=sdp.offer(self._local),
            observer=self,
            credentials=credentials,
            languages=self._phone.languages,
        )

    def take(self, call: Call) -> None:
        """Answer a call that came in."""
        self._call = call
        call.observer = self
        if call.remote_sdp is None:
            call.answer(sdp.offer(self._local))
            return
        body, negotiated = sdp.answer(call.remote_sdp, self._local)
        self.leg.configure(negotiated)
        call.answer(body)

    def ringing(self, call: Call, code: int, sdp: bytes | None) -> None:
        self.is_ringing.set()

    def answered(self, call: Call, answer: bytes) -> None:
        self.leg.configure(sdp.accept(answer, self._local))
        self.is_answered.set()

    def acknowledged(self, call: Call, answer: bytes | None) -> None:
        if answer is not None:
            self.leg.configure(sdp.accept(answer, self._local))
        self.is_answered.set()

    def failed(self, call: Call, code: int, phrase: str) -> None:
        self._failure = code
        self._end()

    def cancelled(self, call: Call) -> None:
        self._end()

    def reoffered(self, call: Call, offer: bytes | None) -> bytes:
        if offer is None:
            raise SipError(488)
        body, negotiated = sdp.answer(offer, self._local)
        self.leg.configure(negotiated)
        return body

    def info(self, call: Call, content_type: str, body: bytes) -> None:
        key = key_of(content_type, body)
        if key is not None:
            self.keys_heard.append(key)

    def ended(self, call: Call, cause: EndCause) -> None:
        self._end()

    def _reoffer(self, direction: Direction) -> None:
        assert self._call is not None
        self._local = self._local.revise(direction=direction)

        def done(answer: bytes | SipError) -> None:
            if isinstance(answer, bytes):
                self.leg.configure(sdp.accept(answer, self._local))

        self._call.reoffer(sdp.offer(self._local), done)

    def _end(self) -> None:
        if not self.is_over.is_set():
            self.is_over.set()
            self.leg.close()

    async def _first(self, *waits: Awaitable[object]) -> None:
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


class Phone:
    """A telephone on loopback. `on_ring` gets each call that comes in; without one, calls are refused as busy.

    `network` and `media` take the place of the machine's sockets in a simulation; the phone is then at `host`.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        user: str = "phone",
        ports: tuple[int, int],
        port: int = 0,
        codecs: tuple[Codec, ...] = (Codec.PCMU, Codec.PCMA),
        sends_events: bool = True,
        on_ring: Callable[["PhoneRing"], object] | None = None,
        host: str = LOOPBACK,
        network: SipNetwork | None = None,
        media: MediaNetwork | None = None,
    ) -> None:
        self.clock = clock
        self.user = user
        self.host = host
        self.codecs = codecs
        self.sends_events = sends_events
        self.languages: tuple[str, ...] = ()
        """What its owner understands, best first, as its calls say it."""
        self._on_ring = on_ring
        self._network = network or SocketNetwork(host=host, port=port)
        self._engine = MediaEngine(clock=clock, bind=host, ports=ports, network=media)
        self.agent = UserAgent(
            clock=clock,
            network=self._network,
            admission=Admission((ipaddress.ip_network("127.0.0.0/8"),), None),
            on_call=self._called,
        )

    async def __aenter__(self) -> Self:
        self._engine.start()
        await self.agent.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.agent.stop()
        self._engine.stop()

    @property
    def uri(self) -> SipUri:
        """Where this phone is reached."""
        return SipUri(user=self.user, host=self.host, port=self._network.advertised(Transport.UDP)[1])

    def call(self, target: SipUri, *, credentials: Credentials | None = None) -> PhoneCall:
        """Dial."""
        call = PhoneCall(self, self._engine.open_leg())
        call.place(target, self.uri, credentials)
        return call

    def _called(self, call: Call) -> None:
        if self._on_ring is None:
            call.reject(486)
        else:
            self._on_ring(PhoneRing(self, call))

    def open_call(self) -> PhoneCall:
        return PhoneCall(self, self._engine.open_leg())


class PhoneRing:
    """A call that comes in and is not answered yet."""

    def __init__(self, phone: Phone, call: Call) -> None:
        self._phone = phone
        self._call = call
        self.caller = call.remote

    @property
    def over(self) -> bool:
        """Whether the caller has given up, or the call was refused."""
        return self._call.over

    def ring(self) -> None:
        self._call.ring()

    def answer(self) -> PhoneCall:
        taken = self._phone.open_call()
        taken.take(self._call)
        return taken

    def answer_with(self, sdp: bytes) -> None:
        """Answer with a session description of any kind, and say nothing."""
        self._call.answer(sdp)

    def refuse(self, status: int) -> None:
        self._call.reject(status)
