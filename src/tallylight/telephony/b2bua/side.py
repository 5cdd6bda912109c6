"""One side of a call: a SIP dialog and the RTP leg that belongs to it."""

import logging
from collections.abc import Callable

from tallylight.capture.recorder import PartyCapture
from tallylight.telephony.b2bua.desk import Desk
from tallylight.telephony.flow.codes import Digit
from tallylight.telephony.flow.info import key_of
from tallylight.telephony.rtp.leg import DigitSource, RtpLeg
from tallylight.telephony.rtp.negotiated import Negotiated
from tallylight.telephony.rtp.outgoing import AudioSink
from tallylight.telephony.rtp.prompt import Prompt
from tallylight.telephony.sip import sdp
from tallylight.telephony.sip.call import Call
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.observer import EndCause

logger = logging.getLogger(__name__)

SAME_PRESS_MS = 300
"""A phone that sends one key press both as an RTP event and as INFO is heard once."""


class Side:
    """Observes one `Call` and owns its leg. Callbacks run on the media loop."""

    def __init__(
        self,
        desk: Desk,
        *,
        on_digit: Callable[[Digit], None],
        on_hold: Callable[["Side", bool], None],
        on_gone: Callable[["Side"], None],
    ) -> None:
        self._on_digit = on_digit
        self._on_hold = on_hold
        self._on_gone = on_gone
        self._call: Call | None = None
        self._own_voice: AudioSink | None = None
        self._last_press: tuple[str, int, bool] = ("", -SAME_PRESS_MS, False)
        """The key pressed last, when, and whether by INFO."""
        self._began = False
        self._held = False
        self._offered = False
        """Our latest description was an offer: its answer is still to come."""
        self._speaking = False
        self.connected_ms = 0
        """Media time since which the side's own media is expected."""
        self.gone = False
        self.leg: RtpLeg = desk.engine.open_leg()
        self.leg.on_digit = self._event_or_tone
        self._local = sdp.LocalMedia(
            address=self.leg.address[0], port=self.leg.address[1], session=desk.clock.wall_ms() & 0x7FFFFFFF
        )

    # -- the session ----------------------------------------------------------------------------------------------------

    def attach(self, call: Call) -> None:
        """Observe this call from now on."""
        self._call = call

    def offer(self) -> bytes:
        """Our offer for this side."""
        self._offered = True
        return sdp.offer(self._local)

    def take_offer(self, offered: bytes) -> bytes:
        """The answer to the party's offer, already in force on the leg. Raises SipError 400 or 488."""
        body, negotiated = sdp.answer(offered, self._local)
        self._offered = False
        self._apply(negotiated)
        return body

    def take_answer(self, answered: bytes) -> None:
        """The party's answer to our offer comes into force. Raises SipError 400 or 488."""
        negotiated = sdp.accept(answered, self._local)
        self._offered = False
        self._apply(negotiated)

    def _apply(self, negotiated: Negotiated) -> None:
        self.leg.configure(negotiated)
        held = not negotiated.direction.sends or negotiated.remote[0] == "0.0.0.0"
        if held is self._held:
            return
        self._held = held
        # Nobody had to send anything while one of them held: media is expected from now on.
        self.connected_ms = self.leg.media_ms
        if self._began:
            self._on_hold(self, held)

    def begin(self, anchor_ns: int, voice: PartyCapture, own_voice: AudioSink | None) -> None:
        """Media time starts at `anchor_ns`; the party's voice goes to `voice`, what we say to it to `own_voice`."""
        self.leg.anchor(anchor_ns)
        self.leg.sink = voice
        voice.pull = self.leg.hand_over
        self._own_voice = own_voice
        self.connected_ms = self.leg.media_ms
        self._began = True
        if self._held:
            self._on_hold(self, True)

    @property
    def last_media_ms(self) -> int:
        """Media time of the last packet, or of the connection where none came yet."""
        last = self.leg.stats.last_received_ms
        return self.connected_ms if last is None else max(last, self.connected_ms)

    # -- sound ----------------------------------------------------------------------------------------------------------

    @property
    def speaking(self) -> bool:
        """Whether an announcement is being spoken to the party."""
        return self._speaking

    def speak(self, prompt: Prompt, then: Callable[[], object] | None) -> None:
        """Speak in place of anything else; `then` when it has been heard to its end."""
        self._speaking = True

        def done() -> None:
            self._speaking = False
            if then is not None:
                then()

        self.leg.play(prompt, on_done=done, sent=self._own_voice)

    def hush(self) -> None:
        """Stop speaking, ringing and playing."""
        self._speaking = False
        self.leg.stop_playing()

    # -- what the call does -----------------------------------------------------------------------------------------------

    def ringing(self, call: Call, code: int, sdp: bytes | None) -> None:
        """Only our own calls ring."""

    def answered(self, call: Call, sdp: bytes) -> None:
        """Only our own calls are answered."""

    def acknowledged(self, call: Call, sdp: bytes | None) -> None:
        if not self._offered:
            return  # an answer that nobody waits for
        try:
            if sdp is None:
                raise SipError(400)
            self.take_answer(sdp)
        except SipError as error:
            # A late offer without a usable answer (RFC 3261 section 13.2.1) leaves nothing to talk over.
            logger.info("an answer in an ACK cannot be used: %s", error.code)
            call.bye()

    def failed(self, call: Call, code: int, phrase: str) -> None:
        self._leave()

    def cancelled(self, call: Call) -> None:
        self._leave()

    def reoffered(self, call: Call, sdp: bytes | None) -> bytes:
        self._local = self._local.revise()
        return self.offer() if sdp is None else self.take_offer(sdp)

    def info(self, call: Call, content_type: str, body: bytes) -> None:
        key = key_of(content_type, body)
        if key is None:
            raise SipError(415)
        now_ms = self.leg.media_ms
        if not self._is_same_press(key, now_ms, by_info=True):
            self._on_digit(Digit(key=key, start_ms=now_ms))

    def ended(self, call: Call, cause: EndCause) -> None:
        self._leave()

    def _leave(self) -> None:
        if not self.gone:
            self.gone = True
            self._on_gone(self)

    def _event_or_tone(self, key: str, start_ms: int, source: DigitSource) -> None:
        if not self._is_same_press(key, self.leg.media_ms, by_info=False):
            self._on_digit(Digit(key=key, start_ms=start_ms, passes=source is DigitSource.TONE))

    def _is_same_press(self, key: str, now_ms: int, *, by_info: bool) -> bool:
        """Whether this is the press that came the other way a moment ago. It can come so only once."""
        last_key, last_ms, last_by_info = self._last_press
        if key == last_key and by_info is not last_by_info and now_ms - last_ms <= SAME_PRESS_MS:
            self._last_press = ("", now_ms, by_info)
            return True
        self._last_press = (key, now_ms, by_info)
        return False

    def close(self) -> None:
        """Hang up where that is still to be done, and give the ports back."""
        self.leg.close()
        if not self.gone and self._call is not None:
            self.gone = True
            self._call.bye()


class CallerLeg(Side):
    """The side of somebody who called us."""

    def __init__(
        self,
        desk: Desk,
        *,
        on_digit: Callable[[Digit], None],
        on_hold: Callable[[Side, bool], None],
        on_gone: Callable[[Side], None],
        on_acknowledged: Callable[[], None],
    ) -> None:
        super().__init__(desk, on_digit=on_digit, on_hold=on_hold, on_gone=on_gone)
        self._on_acknowledged = on_acknowledged

    def acknowledged(self, call: Call, sdp: bytes | None) -> None:
        super().acknowledged(call, sdp)
        self._on_acknowledged()


class SideCodes:
    """Star codes of one side: acted on by `act`, everything else goes to the other side. A `CodeListener`."""

    def __init__(self, side: Side, act: Callable[[str, Digit], None]) -> None:
        self._side = side
        self._act = act

    def code(self, name: str, digit: Digit) -> None:
        self._act(name, digit)

    def relay(self, digit: Digit) -> None:
        self._side.leg.relay_digit(digit.key)
