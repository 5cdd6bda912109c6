"""The recogniser's own process: the only module that imports `pocketsphinx`, never imported by others.

Run with `python -m`. A request on standard input is a big-endian u32 length and that many bytes of sound (16-bit mono
PCM at 8 kHz), the answer on standard output one line of JSON: {"answer", "score"} or {"error"}. The sound is
overwritten when it has been judged; nothing is written anywhere, and what the library logs goes nowhere.
"""

import json
import math
import os
import struct
import sys
from typing import BinaryIO

from pocketsphinx import Decoder

from tallylight.speech.resample import resample

TELEPHONE_HZ = 8000
MODEL_HZ = 16_000
SHORTEST_BYTES = 16 * 100
"""A tenth of a second: less holds no word."""

YES = ("yes", "yeah", "yep")
NO = ("no", "nope")
GRAMMAR = """#JSGF V1.0; grammar answers;
public <answer> = <yes> | <no> | <other>;
<yes> = yes | yeah | yep;
<no> = no | nope;
<other> = up | down | left | right | stop | go | on | off | one | two | three | four | five | six | seven | eight | nine
    | ten | zero | bed | bird | cat | dog | happy | house | tree | wow | the | and | what | who | hello | please | maybe
    | okay | sorry | hold | wait | well | so | i'm | you | uh | um | hmm | thanks | sure | agent | call | record
    | question | yesterday | less | guess | dress | not | now | new | snow | yellow;
"""
"""With what people also say, and what sounds like an answer: a bare yes or no hears a yes in a quarter of other words."""


class Engine:
    """One decoder with one grammar. Every senone is scored at each moment, so that a path's likelihood is measured
    against the best there could be; each utterance is normalised by itself, so that nothing of one is left for the next."""

    def __init__(self) -> None:
        self._decoder = Decoder(lm=None, logfn=os.devnull, compallsen=True, cmn="batch")
        self._decoder.add_jsgf_string("answers", GRAMMAR)
        self._decoder.activate_search("answers")

    def hear(self, pcm: bytes) -> tuple[str, int]:
        """(yes, no, unclear or nothing; score from 0 to 100)."""
        if len(pcm) < SHORTEST_BYTES:
            return "nothing", 0
        decoder = self._decoder
        decoder.start_utt()
        decoder.process_raw(resample(pcm, TELEPHONE_HZ, MODEL_HZ), full_utt=True)
        decoder.end_utt()
        best = decoder.hyp()
        if best is None or not best.hypstr:
            return "nothing", 0
        word = best.hypstr
        answer = "yes" if word in YES else "no" if word in NO else "unclear"
        (spoken,) = (segment for segment in decoder.seg() if segment.word.partition("(")[0] == word)
        frames = spoken.end_frame - spoken.start_frame + 1
        return answer, max(0, round(100 + 10 * math.log(max(spoken.ascore, 1e-300)) / frames))


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests one after the other until there are no more."""
    engine = Engine()
    while len(head := requests.read(4)) == 4:
        sound = bytearray(requests.read(struct.unpack(">I", head)[0]))
        try:
            answer, score = engine.hear(bytes(sound))
            line = json.dumps({"answer": answer, "score": score})
        except RuntimeError as error:
            line = json.dumps({"error": str(error)})
        sound[:] = bytes(len(sound))
        answers.write(line.encode() + b"\n")
        answers.flush()


def main() -> None:
    """Keep standard output for answers: whatever the library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
