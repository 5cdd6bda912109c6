"""`sip`: what a call costs in the SIP layer alone, beside another user agent, and in the whole product."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tallylight.bench.crowd import Crowd
from tallylight.bench.errors import BenchFailed
from tallylight.bench.figures import Figure, Findings, median_figure
from tallylight.bench.product import CallCost, whole_calls
from tallylight.clock import SystemClock
from tallylight.telephony.rtp.negotiated import Codec
from tallylight.telephony.sip import sdp
from tallylight.telephony.sip.admission import Admission
from tallylight.telephony.sip.agent import UserAgent
from tallylight.telephony.sip.call import Call
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.observer import EndCause
from tallylight.telephony.sip.transport import SocketNetwork

LOOPBACK = "127.0.0.1"
NO_PORT = 9
"""What the answers name as the port for sound: nobody sends any (discard, RFC 863)."""


@dataclass(frozen=True, kw_only=True)
class CallLoad:
    """`layer_*`: calls and calls a second for the SIP layer alone; `*_calls`: for the whole product."""

    layer_calls: int = 600
    layer_rate: float = 100.0
    calls: int = 200
    rate: float = 20.0
    talk_s: float = 0.2
    warm_up: int = 100
    repeats: int = 3
    folder: Path | None = None


def sip(load: CallLoad) -> Findings:
    """Both layers."""
    own = [asyncio.run(_measure(_own_agent, load)) for _ in range(load.repeats)]
    peer = [asyncio.run(_measure(_peer_agent, load)) for _ in range(load.repeats)]
    product = [whole_calls(load.calls, load.rate, load.talk_s, load.warm_up, load.folder) for _ in range(load.repeats)]
    return Findings(
        benchmark="sip",
        method=[
            f"SIP layer alone: {load.layer_calls} calls at {load.layer_rate:g} a second over loopback UDP from a process"
            " of its own (INVITE, 100, 180, 200, ACK, BYE, 200); aiosipua's own user agent answers the same calls.",
            f"Whole call: `tallylight serve` as a process, {load.calls} calls at {load.rate:g} a second: prompts of one"
            f" packet, key 1, agent rung and bridged, {load.talk_s:g} s of talk with sound both ways, hung up; ledger,"
            f" keys, live log, and every track sealed. {load.warm_up} calls before that are not counted.",
            f"CPU is the whole process's, user and system, every thread, until the last track is sealed; medians of"
            f" {load.repeats} repetitions; the calling process is not counted.",
        ],
        figures=[
            median_figure("SIP layer alone", [1000 / cost for cost in own], "calls/s and core", at_least=300),
            median_figure("aiosipua's user agent", [1000 / cost for cost in peer], "calls/s and core"),
            median_figure("CPU of a call in the SIP layer", own, "ms"),
            *_product_figures(product),
        ],
    )


def _product_figures(costs: list[CallCost]) -> list[Figure]:
    return [
        median_figure("whole call", [1000 / cost.cpu_ms for cost in costs], "calls/s and core", at_least=40),
        median_figure("CPU of a whole call", [cost.cpu_ms for cost in costs], "ms"),
        median_figure("share of a core", [100 * cost.share for cost in costs], "%"),
        median_figure("events in the ledger", [cost.events for cost in costs], "per call"),
        median_figure("tracks sealed", [cost.tracks for cost in costs], "per call"),
        median_figure("until answered, p50", [cost.answer_ms for cost in costs], "ms"),
    ]


Answering = Callable[[Callable[[int], Awaitable[None]]], Awaitable[None]]
"""Starts a user agent that takes calls, hands its port to what it is given, and stops."""


async def _measure(answering: Answering, load: CallLoad) -> float:
    """CPU of a call in ms."""
    cost_ms: list[float] = []

    async def place(port: int) -> None:
        with Crowd(rate=load.layer_rate, talk_s=0.0, bridged=False) as crowd:
            await asyncio.to_thread(crowd.call, port, max(1, load.layer_calls // 10))
            began = time.process_time()
            outcome = await asyncio.to_thread(crowd.call, port, load.layer_calls)
            cost_ms.append((time.process_time() - began) / load.layer_calls * 1000)
            if outcome.done != load.layer_calls:
                raise BenchFailed(
                    f"Only {outcome.done} of {load.layer_calls} calls came to their end: try a lower rate."
                )

    await answering(place)
    return cost_ms[0]


class _Answered:
    """A `CallObserver` of calls that are only ever hung up."""

    def ringing(self, call: Call, code: int, sdp: bytes | None) -> None: ...
    def answered(self, call: Call, sdp: bytes) -> None: ...
    def acknowledged(self, call: Call, sdp: bytes | None) -> None: ...
    def failed(self, call: Call, code: int, phrase: str) -> None: ...
    def cancelled(self, call: Call) -> None: ...
    def info(self, call: Call, content_type: str, body: bytes) -> None: ...
    def ended(self, call: Call, cause: EndCause) -> None: ...
    def reoffered(self, call: Call, sdp: bytes | None) -> bytes:
        raise SipError(488)


async def _own_agent(place: Callable[[int], Awaitable[None]]) -> None:
    network = SocketNetwork(host=LOOPBACK, port=0)
    local = sdp.LocalMedia(address=LOOPBACK, port=NO_PORT, session=1, codecs=(Codec.PCMU,))
    loop = asyncio.get_running_loop()

    def answer(call: Call) -> None:
        assert call.remote_sdp is not None
        call.ring()
        call.answer(sdp.answer(call.remote_sdp, local)[0])

    def on_call(call: Call) -> None:
        call.observer = _Answered()
        # A turn of the loop later, so that the 100 goes out first, as it does where answering takes time.
        loop.call_soon(answer, call)

    agent = UserAgent(
        clock=SystemClock(),
        network=network,
        admission=Admission((ipaddress.ip_network("127.0.0.0/8"),), None),
        on_call=on_call,
    )
    await agent.start()
    await place(network.port)
    await agent.stop()


async def _peer_agent(place: Callable[[int], Awaitable[None]]) -> None:
    from aiosipua import IncomingCall, SipUAS, UdpSipTransport, negotiate_sdp

    # Its transport asserts a class that Python 3.11's is not, where nothing depends on it.
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    transport = UdpSipTransport((LOOPBACK, port))
    agent = SipUAS(transport)

    def answer(call: IncomingCall) -> None:
        assert call.sdp_offer is not None
        call.ringing()
        call.accept(negotiate_sdp(call.sdp_offer, local_ip=LOOPBACK, rtp_port=NO_PORT)[0])

    agent.on_invite = answer
    await agent.start()
    await place(port)
    await agent.stop()
