"""From the engine's sample rate to the telephone's: a polyphase windowed sinc in plain Python.

Rational ratio, Kaiser window; cut off so that nothing above 4 kHz folds back into the telephone's band. Runs in the
engine's process, where 40 ms for each second of speech hurt nobody.
"""

import math
from array import array
from functools import lru_cache
from operator import mul

HALF_WIDTH = 20
"""Zero crossings of the sinc on each side: a transition of 700 Hz, from 3,330 to 4,030, at an output of 8 kHz."""
KAISER_BETA = 6.0
"""About 63 dB in the stop band: below the noise of G.711."""
PASS = 0.92
"""The cut-off as a share of half the lower rate: 3,680 Hz at 8 kHz."""


def resample(pcm: bytes, source_hz: int, target_hz: int) -> bytes:
    """The same sound at another rate: 16-bit mono samples of this machine, clipped where the filter overshoots."""
    if source_hz == target_hz:
        return pcm
    samples = array("h", pcm)
    phases, reach = _filter(source_hz, target_hz)
    divisor = math.gcd(source_hz, target_hz)
    up, down = target_hz // divisor, source_hz // divisor
    padding = [0] * reach
    padded = padding + samples.tolist() + padding
    width = 2 * reach
    out = array("h")
    for position in range(0, len(samples) * up, down):
        whole, phase = divmod(position, up)
        value = round(sum(map(mul, phases[phase], padded[whole + 1 : whole + 1 + width])))
        out.append(-32768 if value < -32768 else 32767 if value > 32767 else value)
    return out.tobytes()


@lru_cache(maxsize=4)
def _filter(source_hz: int, target_hz: int) -> tuple[list[list[float]], int]:
    """For each phase of the output between two input samples, the weights of the `2 * reach` samples around it."""
    divisor = math.gcd(source_hz, target_hz)
    up = target_hz // divisor
    cut = PASS * min(source_hz, target_hz) / source_hz
    half = HALF_WIDTH / cut
    reach = math.ceil(half)
    phases = []
    for phase in range(up):
        offset = phase / up
        weights = [_tap(tap - reach + 1 - offset, cut, half) for tap in range(2 * reach)]
        total = sum(weights)
        phases.append([weight / total for weight in weights])
    return phases, reach


def _tap(distance: float, cut: float, half: float) -> float:
    """The windowed sinc at a distance in input samples."""
    if abs(distance) >= half:
        return 0.0
    angle = math.pi * cut * distance
    sinc = 1.0 if angle == 0 else math.sin(angle) / angle
    return sinc * _bessel(KAISER_BETA * math.sqrt(1 - (distance / half) ** 2))


def _bessel(x: float) -> float:
    """The modified Bessel function of order zero, by its series."""
    total = term = 1.0
    k = 1
    while term > 1e-12 * total:
        term *= (x / (2 * k)) ** 2
        total += term
        k += 1
    return total
