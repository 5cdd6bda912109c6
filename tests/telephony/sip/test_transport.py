"""Real sockets on loopback: datagrams, streams, and whole calls between two user agents."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress

import pytest

from tallylight.clock import SystemClock
from tallylight.telephony.sip import transport as transport_module
from tallylight.telephony.sip.codec import Response, parse
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.network import Hop, Transport
from tallylight.telephony.sip.observer import EndCause
from tallylight.telephony.sip.transport import SocketNetwork
from tests.telephony.sip.making import ANSWER, OFFER, SECOND_ANSWER, SECOND_OFFER, Phone, request

LOCAL = "127.0.0.1"
BOTH = frozenset(Transport)


class Inbox:
    """What a network handed up, and the wait for it."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, Hop]] = []
        self._changed = asyncio.Event()

    def receive(self, data: bytes, source: Hop) -> None:
        self.got.append((data, source))
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def count(self, number: int) -> None:
        await self.until(lambda: len(self.got) >= number)


async def network(*, transports: frozenset[Transport] = BOTH, inbox: Inbox | None = None) -> SocketNetwork:
    made = SocketNetwork(host=LOCAL, port=0, transports=transports)
    await made.start((inbox or Inbox()).receive)
    return made


def hop(target: SocketNetwork, transport: Transport) -> Hop:
    return Hop(transport=transport, host=LOCAL, port=target.port)


def ignore() -> None:
    pass


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def go(work: Coroutine[object, object, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await work

    asyncio.run(bounded())


@pytest.mark.parametrize("transport", list(Transport))
def test_messages_arrive_whole_with_their_source(transport: Transport) -> None:
    async def work() -> None:
        inbox = Inbox()
        here, there = await network(), await network(inbox=inbox)
        for number in range(3):
            here.send(request(body=OFFER, call_id=str(number)), hop(there, transport), ignore)
        await inbox.count(3)
        assert [data for data, _ in inbox.got] == [request(body=OFFER, call_id=str(number)) for number in range(3)]
        source = inbox.got[0][1]
        assert (source.transport, source.host) == (transport, LOCAL)
        assert (source.connection is None) == (transport is Transport.UDP)
        assert there.counters.connections == (transport is Transport.TCP)
        await here.stop()
        await there.stop()

    go(work())


def test_an_answer_takes_the_connection_of_its_request() -> None:
    async def work() -> None:
        ours, theirs = Inbox(), Inbox()
        here, there = await network(inbox=ours), await network(inbox=theirs)
        here.send(request(), hop(there, Transport.TCP), ignore)
        await theirs.count(1)
        there.send(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", theirs.got[0][1], ignore)
        await ours.count(1)
        assert here.counters.connections == there.counters.connections == 1
        await here.stop()
        await there.stop()

    go(work())


def test_an_answer_to_a_connection_that_is_gone_makes_a_new_one() -> None:
    async def work() -> None:
        ours = Inbox()
        here, there = await network(inbox=ours), await network()
        back = Hop(transport=Transport.TCP, host=LOCAL, port=here.port, connection=77)
        there.send(request(), back, ignore)
        await ours.count(1)
        await here.stop()
        await there.stop()

    go(work())


def test_odd_segments_several_messages_and_keepalives() -> None:
    async def work() -> None:
        inbox = Inbox()
        there = await network(inbox=inbox)
        reader, writer = await asyncio.open_connection(LOCAL, there.port)
        stream = (
            request(body=OFFER, call_id="1") + b"\r\n\r\n" + request(call_id="2") + request(call_id="3", body=OFFER)
        )
        for start in range(0, len(stream), 97):
            writer.write(stream[start : start + 97])
            await writer.drain()
        await inbox.count(3)
        assert [data for data, _ in inbox.got] == [
            request(body=OFFER, call_id="1"),
            request(call_id="2"),
            request(call_id="3", body=OFFER),
        ]
        assert await asyncio.wait_for(reader.readexactly(2), 10) == b"\r\n"
        assert there.counters.keepalives == 1
        await close(writer)
        await there.stop()

    go(work())


def test_a_stream_that_cannot_be_framed_is_handed_up_and_closed() -> None:
    async def work() -> None:
        inbox = Inbox()
        there = await network(inbox=inbox)
        reader, writer = await asyncio.open_connection(LOCAL, there.port)
        writer.write(b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        assert len(inbox.got) == 1
        assert there.counters.dropped["broken_stream"] == 1
        await close(writer)
        await there.stop()

    go(work())


def test_datagrams_that_keep_alive_are_not_handed_up() -> None:
    async def work() -> None:
        inbox = Inbox()
        there = await network(inbox=inbox)
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for data in (b"\r\n\r\n", b"\0", b"", request()):
            sender.sendto(data, (LOCAL, there.port))
        sender.close()
        await inbox.count(1)
        assert len(inbox.got) == 1
        assert there.counters.keepalives == 3
        await there.stop()

    go(work())


def test_the_largest_datagram_is_read_whole() -> None:
    async def work() -> None:
        inbox = Inbox()
        here, there = await network(), await network(inbox=inbox)
        data = request(body=b"x" * 59_000)
        here.send(data, hop(there, Transport.UDP), ignore)
        await inbox.count(1)
        assert inbox.got[0][0] == data
        await here.stop()
        await there.stop()

    go(work())


def test_what_cannot_be_sent_is_reported() -> None:
    async def work() -> None:
        here = await network()
        gone = await network()
        await gone.stop()
        failures: list[str] = []
        done = asyncio.Event()

        def failed(name: str) -> Callable[[], None]:
            def note() -> None:
                failures.append(name)
                if len(failures) == 4:
                    done.set()

            return note

        here.send(request(), hop(gone, Transport.TCP), failed("refused"))
        here.send(request(), hop(gone, Transport.TCP), failed("refused too"))
        here.send(b"x" * 70_000, hop(gone, Transport.UDP), failed("too long"))
        here.send(request(), Hop(transport=Transport.UDP, host="no host", port=5060), failed("no name"))
        await asyncio.wait_for(done.wait(), 20)
        assert sorted(failures) == ["no name", "refused", "refused too", "too long"]
        assert here.counters.transport_failures == 4
        await here.stop()
        late = asyncio.Event()
        here.send(request(), hop(gone, Transport.UDP), late.set)
        await asyncio.wait_for(late.wait(), 10)

    go(work())


def test_a_name_is_looked_up() -> None:
    async def work() -> None:
        inbox = Inbox()
        here, there = await network(), await network(inbox=inbox)
        for transport in Transport:
            here.send(request(), Hop(transport=transport, host="localhost", port=there.port), ignore)
        await inbox.count(2)
        await here.stop()
        await there.stop()

    go(work())


def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "MAX_CONNECTIONS", 1)

    async def work() -> None:
        there = await network()
        first, first_writer = await asyncio.open_connection(LOCAL, there.port)
        second, second_writer = await asyncio.open_connection(LOCAL, there.port)
        # Aborted: the peer sees a reset or an end, as the kernel likes.
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(second.read(), 10) == b""
        assert there.counters.dropped["too_many_connections"] == 1
        assert not first.at_eof()
        await close(first_writer)
        await close(second_writer)
        await there.stop()

    go(work())


def test_a_message_left_half_sent_closes_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "PARTIAL_S", 0.05)

    async def work() -> None:
        there = await network()
        reader, writer = await asyncio.open_connection(LOCAL, there.port)
        writer.write(b"OPTIONS sip:x SIP/2.0\r\nVia:")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        await close(writer)
        await there.stop()

    go(work())


def test_an_address_nobody_can_answer_to_needs_advertise() -> None:
    with pytest.raises(SipError, match="--advertise"):
        asyncio.run(SocketNetwork(host="0.0.0.0", port=0).start(Inbox().receive))
    advertised = SocketNetwork(host="0.0.0.0", port=0, advertise="192.0.2.1")

    async def work() -> None:
        await advertised.start(Inbox().receive)
        assert advertised.advertised(Transport.UDP) == ("192.0.2.1", advertised.port)
        await advertised.stop()

    go(work())


def test_a_port_that_is_taken_is_said() -> None:
    async def work() -> None:
        there = await network()
        with pytest.raises(SipError, match="Choose another --sip"):
            await SocketNetwork(host=LOCAL, port=there.port).start(Inbox().receive)
        await there.stop()

    go(work())


# Whole calls


class Line:
    """A phone on real sockets, and the wait for what it hears."""

    def __init__(self, *, transports: frozenset[Transport] = BOTH) -> None:
        self.network = SocketNetwork(host=LOCAL, port=0, transports=transports)
        self.phone = Phone(SystemClock(), self.network, seed=id(self) % 10_000)
        self._changed = asyncio.Event()
        self.phone.heard.on_event = lambda call, name: self._changed.set()

    async def hears(self, name: str, times: int = 1) -> None:
        async with asyncio.timeout(10):
            while self.phone.heard.names.count(name) < times:
                self._changed.clear()
                await self._changed.wait()


@pytest.mark.parametrize(
    ("uri_transport", "offer", "bobs", "sent_by"),
    [
        ("udp", OFFER, BOTH, Transport.UDP),
        ("tcp", OFFER, BOTH, Transport.TCP),
        ("udp", OFFER + b"a=x:" + b"y" * 1400 + b"\r\n", BOTH, Transport.TCP),
        ("udp", OFFER + b"a=x:" + b"y" * 1400 + b"\r\n", frozenset([Transport.UDP]), Transport.UDP),
    ],
    ids=["UDP", "TCP", "large: TCP", "large, no TCP: UDP"],
)
def test_a_whole_call(uri_transport: str, offer: bytes, bobs: frozenset[Transport], sent_by: Transport) -> None:
    async def work() -> None:
        anna, bob = Line(), Line(transports=bobs)
        await anna.phone.agent.start()
        await bob.phone.agent.start()
        call = anna.phone.dial(f"sip:bob@{LOCAL}:{bob.network.port};transport={uri_transport}", sdp=offer)
        await bob.hears("acknowledged")
        assert bob.phone.calls[0].remote_sdp == offer
        assert bob.network.counters.connections == (sent_by is Transport.TCP)
        answers: list[bytes | SipError] = []
        call.reoffer(SECOND_OFFER, answers.append)
        await bob.hears("acknowledged", 2)
        assert answers == [SECOND_ANSWER]
        call.info("application/dtmf-relay", b"Signal=5\r\n")
        await bob.hears("info")
        bob.phone.calls[0].bye()
        await anna.hears("ended")
        assert anna.phone.heard.events[-1] == ("ended", EndCause.REMOTE)
        assert call.remote_sdp == SECOND_ANSWER
        await bob.phone.agent.stop()
        await anna.phone.agent.stop()
        assert not anna.phone.agent.transactions_alive
        assert not bob.phone.agent.transactions_alive

    go(work())


def test_a_stopping_agent_ends_its_calls() -> None:
    async def work() -> None:
        anna, bob = Line(), Line()
        await anna.phone.agent.start()
        await bob.phone.agent.start()
        for _ in range(5):
            anna.phone.dial(f"sip:bob@{LOCAL}:{bob.network.port}")
        await bob.hears("acknowledged", 5)
        async with asyncio.timeout(3):
            await bob.phone.agent.stop()
        assert anna.phone.heard.events.count(("ended", EndCause.REMOTE)) == 5
        assert anna.phone.heard.events.count(("answered", ANSWER)) == 5
        await anna.phone.agent.stop()

    go(work())


def test_a_callers_stream_carries_our_bye_though_its_contact_cannot_be_reached() -> None:
    async def work() -> None:
        bob = Line()
        await bob.phone.agent.start()
        reader, writer = await asyncio.open_connection(LOCAL, bob.network.port)
        extra = "Contact: <sip:raw@127.0.0.1:1;transport=tcp>\r\n"
        writer.write(request(transport="TCP", body=OFFER, extra=extra))
        answer = b""
        while ANSWER not in answer:
            answer += await asyncio.wait_for(reader.read(4096), 10)
        tag = parse(answer[answer.rindex(b"SIP/2.0 200") :], framed=True).to_tag
        writer.write(request("ACK", transport="TCP", to_tag=tag, branch="z9hG4bKack"))
        await bob.hears("acknowledged")
        bob.phone.calls[0].bye()
        bye = await asyncio.wait_for(reader.read(4096), 10)
        assert bye.startswith(b"BYE sip:raw@127.0.0.1:1;transport=tcp ")
        await close(writer)
        await bob.network.stop()

    go(work())


def test_a_stream_without_content_length_is_answered_400_and_closed() -> None:
    async def work() -> None:
        bob = Line()
        await bob.phone.agent.start()
        reader, writer = await asyncio.open_connection(LOCAL, bob.network.port)
        writer.write(request("OPTIONS", transport="TCP").replace(b"Content-Length: 0\r\n", b""))
        response = parse(await asyncio.wait_for(reader.read(), 10), framed=True)
        assert isinstance(response, Response)
        assert response.status == 400
        await close(writer)
        await bob.phone.agent.stop()

    go(work())
