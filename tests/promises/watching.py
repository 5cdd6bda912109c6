"""What the promises are held against: sound that says whether it may be kept, and what the folder holds of it."""

import audioop
import json
from array import array
from dataclasses import dataclass

from tallylight.catalogue.queries import ConversationEntry, TrackEntry
from tallylight.catalogue.segments import Segment
from tallylight.conversation.events import LampsChanged
from tallylight.demo.phone import PhoneCall
from tallylight.ids import PartyId
from tallylight.live.runner import ConversationRunner
from tallylight.policy.decision import Lamp
from tallylight.telephony.rtp.prompt import Prompt
from tallylight.vault.frame import Frame, MediaType
from tests.crash.evidence import House

SECONDS = 60
LEVEL = 4000
SETTLE_S = 0.3
"""Longer than sound is on its way from a phone to its gate."""


def _steady(level: int) -> Prompt:
    wave = array("h", (level + 1000 * (n % 2) for n in range(8000 * SECONDS)))
    return Prompt(wave.tobytes())


MAY_BE_KEPT = _steady(LEVEL)
"""Spoken only while the lamp is lit. All its samples are above zero."""
MUST_NOT_BE_KEPT = _steady(-LEVEL)
"""Spoken only while it is dark or amber. All its samples are below zero."""


async def say(call: PhoneCall, sound: Prompt) -> None:
    """Say this from now on, and let what was said before arrive."""
    call.leg.play(sound)
    await call.for_seconds(SETTLE_S)


def samples(frames: list[Frame]) -> "array[int]":
    """The decoded samples of frames."""
    heard = array("h")
    for frame in frames:
        decoder = audioop.ulaw2lin if frame.media is MediaType.PCMU else audioop.alaw2lin
        heard.frombytes(decoder(frame.payload, 2))
    return heard


def tracks_of(entry: ConversationEntry, role: str) -> tuple[TrackEntry, ...]:
    """Every track of the only party in this role."""
    (party,) = [party for party in entry.parties if party.role == role]
    return party.tracks


def talk_of(entry: ConversationEntry, role: str) -> TrackEntry:
    """The only talk track of the only party in this role."""
    (track,) = [track for track in tracks_of(entry, role) if track.is_talk]
    return track


def check_every_frame(house: House, entry: ConversationEntry) -> int:
    """Every frame names a decision that lets this party be recorded, and at none of its instants another forbids it.

    Returns how many frames there were.
    """
    segments = house.explained(entry.conversation).segments
    ruled = _rulings(house, entry)
    checked = 0
    for party in entry.parties:
        own = [segment for segment in segments if segment.party == party.party]
        for track in party.tracks:
            for frame in house.frames(track) if track.state == "sealed" else ():
                assert frame.decision in ruled, f"{party.role} frame at {frame.start_ms} ms names no committed decision"
                decided_ms, lamps = ruled[frame.decision]
                assert lamps[party.party] == Lamp.RECORDING
                assert decided_ms <= frame.start_ms
                for segment in own:
                    if _overlaps(segment, frame):
                        assert segment.lamp is Lamp.RECORDING, (party.role, frame.start_ms, segment)
                checked += 1
    return checked


def _rulings(house: House, entry: ConversationEntry) -> dict[str, tuple[int, dict[str, str]]]:
    """Every committed decision: when, in media ms, and everybody's lamp, from the stored events alone."""
    ruled = {}
    for event in house.events(entry.conversation):
        if event.type == LampsChanged.__name__ and event.payload is not None:
            stored = json.loads(event.payload_text or "{}")
            lamps = {ruling["party"]: ruling["lamp"] for ruling in stored["decision"]["rulings"]}
            ruled[stored["decision_id"]] = (stored["offset_ms"], lamps)
    return ruled


def _overlaps(segment: Segment, frame: Frame) -> bool:
    return segment.from_ms < frame.end_ms and (segment.until_ms is None or frame.start_ms < segment.until_ms)


@dataclass(frozen=True)
class Moment:
    """What was in force in a running conversation from some instant on."""

    offset_ms: int
    decision: str | None
    lamps: dict[PartyId, Lamp]


class Witness:
    """Notes every change of a running conversation as it happens."""

    def __init__(self, runner: ConversationRunner) -> None:
        self._runner = runner
        self.moments: list[Moment] = []
        self._before = runner.on_change
        runner.on_change = self._note
        self._note()

    def _note(self) -> None:
        if self._before is not None:
            self._before()
        self.moments.append(
            Moment(
                offset_ms=self._runner.offset_ms(),
                decision=self._runner.state.decision_id,
                lamps=dict(self._runner.lamps()),
            )
        )
