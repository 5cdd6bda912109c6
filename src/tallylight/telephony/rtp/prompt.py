"""Sound of our own: announcements encoded once per law, and the tones of the telephone network."""

import math
from array import array
from dataclasses import dataclass, field

from tallylight.telephony.rtp.g711 import SILENCE, encode
from tallylight.telephony.rtp.negotiated import Codec

FRAME = 160
"""Samples a prompt's length is rounded up to: 20 ms."""


class Prompt:
    """Sound to be played: 16-bit samples at 8 kHz in the machine's byte order. One object serves many calls."""

    __slots__ = ("_encoded", "_pcm", "duration_ms")

    def __init__(self, pcm: bytes) -> None:
        if len(pcm) % 2:
            raise ValueError("A prompt consists of whole 16-bit samples.")
        self._pcm = pcm
        self._encoded: dict[Codec, bytes] = {}
        self.duration_ms = -(-len(pcm) // (2 * FRAME)) * FRAME // 8
        """Length in whole packets of 20 ms."""

    def payload(self, codec: Codec) -> bytes:
        """The whole prompt in G.711, filled with silence to whole packets of 20 ms."""
        found = self._encoded.get(codec)
        if found is None:
            found = encode(codec, self._pcm)
            found += SILENCE[codec] * (self.duration_ms * 8 - len(found))
            self._encoded[codec] = found
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Cadence:
    """A tone with its rhythm: frequencies in Hz, (on, off) in ms, level of each frequency in dBm0 (ITU-T E.180)."""

    frequencies: tuple[int, ...]
    pattern: tuple[tuple[int, int], ...]
    level_dbm0: float = -13.0
    prompts: list[Prompt] = field(default_factory=list, compare=False, repr=False)

    def prompt(self) -> Prompt:
        """One round of the rhythm, made at first use."""
        if not self.prompts:
            amplitude = 22_300 * 10 ** (self.level_dbm0 / 20)
            samples = array("h")
            for on_ms, off_ms in self.pattern:
                samples.extend(
                    round(sum(amplitude * math.sin(2 * math.pi * f * n / 8000) for f in self.frequencies))
                    for n in range(on_ms * 8)
                )
                samples.extend([0] * (off_ms * 8))
            self.prompts.append(Prompt(samples.tobytes()))
        return self.prompts[0]


RINGBACK = {
    "DK": Cadence(frequencies=(425,), pattern=((1000, 4000),)),
    "GB": Cadence(frequencies=(400, 450), pattern=((400, 200), (400, 2000))),
    "US": Cadence(frequencies=(440, 480), pattern=((2000, 4000),)),
    "FR": Cadence(frequencies=(440,), pattern=((1500, 3500),)),
    "ES": Cadence(frequencies=(425,), pattern=((1500, 3000),)),
}
"""By country (ISO 3166); every other European country the design knows rings like DK."""

EUROPEAN_RINGBACK = RINGBACK["DK"]
