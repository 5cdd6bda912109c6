"""Fuzz target: whatever datagrams arrive, a leg takes them, keeps media time in order and never raises.

The bytes are cut at lengths they name themselves, so that whole streams of valid and broken packets come up.
"""

from tallylight.clock import VirtualClock
from tallylight.telephony.rtp.engine import MediaEngine
from tallylight.telephony.rtp.negotiated import Codec, Negotiated
from tallylight.telephony.rtp.network import MemoryNetwork

PARTY = ("127.0.0.1", 4_000)


class _Sink:
    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def accept(self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes) -> None:
        assert len(payload) == 8 * duration_ms > 0
        assert payload_type in (0, 8)
        self.seen.append((start_ms, start_ms + duration_ms))


def fuzz_one(data: bytes) -> None:
    clock = VirtualClock()
    network = MemoryNetwork()
    engine = MediaEngine(clock=clock, network=network, ports=(10_000, 10_003))
    party = network.bind(PARTY)
    leg, peer = engine.open_leg(), engine.open_leg()
    leg.sink = sink = _Sink()
    leg.peer = peer
    telephone_event = 101 if len(data) % 2 else None
    leg.configure(Negotiated(remote=PARTY, codec=Codec.PCMU, telephone_event=telephone_event))
    peer.configure(Negotiated(remote=("127.0.0.1", 4_002), codec=Codec.PCMA))
    position = 0
    while position < len(data):
        size = data[position] + 1
        party.sendto(data[position + 1 : position + 1 + size], leg.address)
        if size % 3:
            clock.advance(0.01)
            engine.tick()
        position += 1 + size
    engine.tick()
    assert engine.faults == 0
    assert all(start >= 0 for start, _ in sink.seen)
    engine.stop()
