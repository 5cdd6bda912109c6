"""The speech engine's own process: the only module that may import `espeakng_loader` (GPL-3.0), never imported by others.

Run with `python -m`. Requests come on standard input, answers go to standard output, until the input ends.
Both are a big-endian u32 length and that many bytes of JSON: {"text", "voice", "rate"}, then {"pcm": bytes that follow}
or {"error": message}.
"""

import ctypes
import json
import os
import struct
import sys
from typing import BinaryIO

import espeakng_loader

from tallylight.speech.level import prepare
from tallylight.speech.resample import resample

SAMPLE_RATE_HZ = 8000

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_RATE = 1
_CHARACTERS = 1
_UTF8 = 1

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Engine:
    """libespeak-ng, synchronous. One per process: the library keeps its state in globals."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self._heard = bytearray()
        # Kept for the object's life: the library calls it.
        self._callback = _Callback(self._hear)
        data = espeakng_loader.get_data_path().encode()
        self.rate_hz = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, _DO_NOT_EXIT))
        if self.rate_hz <= 0:
            raise RuntimeError("espeak-ng finds no voices; install espeakng-loader anew")
        self._library.espeak_SetSynthCallback(self._callback)

    def _hear(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._heard += ctypes.string_at(samples, 2 * count)
        return 0

    def speak(self, text: str, voice: str, rate: int) -> bytes:
        """16-bit mono at 8 kHz, cut and levelled."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise RuntimeError(f"espeak-ng has no voice {voice}")
        self._library.espeak_SetParameter(_RATE, rate, 0)
        self._heard.clear()
        data = text.encode() + b"\0"
        if self._library.espeak_Synth(data, len(data), 0, _CHARACTERS, 0, _UTF8, None, None) != 0:
            raise RuntimeError("espeak-ng did not speak")
        return prepare(resample(bytes(self._heard), self.rate_hz, SAMPLE_RATE_HZ))


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests one after the other until there are no more."""
    engine: Engine | None = None
    while len(head := requests.read(4)) == 4:
        request = json.loads(requests.read(struct.unpack(">I", head)[0]))
        pcm = b""
        try:
            engine = engine or Engine()
            pcm = engine.speak(request["text"], request["voice"], request["rate"])
            answer = json.dumps({"pcm": len(pcm)})
        except (OSError, RuntimeError) as error:
            answer = json.dumps({"error": str(error)})
        answers.write(struct.pack(">I", len(answer)) + answer.encode() + pcm)
        answers.flush()


def main() -> None:
    """Keep standard output for answers: whatever the library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
