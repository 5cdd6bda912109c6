"""Pairs of ports."""

import errno
import socket

import pytest

from tallylight.telephony.rtp.errors import PortsExhausted, RtpError
from tallylight.telephony.rtp.network import MemoryNetwork, MemorySocket, UdpNetwork
from tallylight.telephony.rtp.ports import PortPairs


def test_pairs_are_even_and_rest_before_they_serve_again() -> None:
    pairs, network = PortPairs(10_001, 10_009), MemoryNetwork()
    first, voice, reports = pairs.open(network, "127.0.0.1")
    assert (first, pairs.free) == (10_002, 3)
    voice.close()
    reports.close()
    pairs.give_back(first)
    assert [pairs.open(network, "127.0.0.1")[0] for _ in range(4)] == [10_004, 10_006, 10_008, 10_002]
    with pytest.raises(PortsExhausted, match="widen the range"):
        pairs.open(network, "127.0.0.1")


def test_another_start_begins_elsewhere() -> None:
    pairs = PortPairs(10_000, 10_009, skip=3)
    assert pairs.open(MemoryNetwork(), "127.0.0.1")[0] == 10_006


def test_a_pair_of_which_one_is_taken_is_passed_over_and_nothing_is_left_open() -> None:
    network = MemoryNetwork()
    network.bind(("127.0.0.1", 10_001))
    pairs = PortPairs(10_000, 10_003)
    assert pairs.open(network, "127.0.0.1")[0] == 10_002
    assert ("127.0.0.1", 10_000) not in network.sockets


@pytest.mark.parametrize(("first", "last"), [(10_000, 10_000), (10_001, 10_002), (20, 10), (0, 0), (60_000, 70_000)])
def test_a_range_without_a_pair_is_refused(first: int, last: int) -> None:
    with pytest.raises(RtpError, match="holds no pair") as caught:
        PortPairs(first, last)
    assert caught.value.code == "rtp.bad_range"


def test_an_address_that_is_not_ours_is_named() -> None:
    network = UdpNetwork()
    with pytest.raises(RtpError, match=r"Cannot open UDP port \d+ on 192.0.2.1"):
        PortPairs(42_000, 42_003).open(network, "192.0.2.1")
    network.close()


@pytest.mark.parametrize("kind", [UdpNetwork, MemoryNetwork])
def test_a_locked_port_takes_one_sender_and_an_unlocked_one_all(kind: type[UdpNetwork] | type[MemoryNetwork]) -> None:
    """The machine's sockets and those in memory behave alike."""
    network = kind()
    port, voice, reports = PortPairs(42_100, 42_199).open(network, "127.0.0.1")
    party, stranger = network.bind(("127.0.0.1", 42_201)), network.bind(("127.0.0.1", 42_203))
    address = ("127.0.0.1", port)
    with pytest.raises(OSError, match=r".+"):
        voice.send(b"nowhere")
    voice.lock(("127.0.0.1", 42_201))
    stranger.sendto(b"no", address)
    party.sendto(b"yes", address)
    assert network.poll(True) == [(voice.fileno(), 1)]
    assert voice.recv(2048) == b"yes"
    assert network.poll(True) == []
    voice.send(b"back")
    assert party.recvfrom(2048) == (b"back", address)
    voice.unlock()
    stranger.sendto(b"now", address)
    assert voice.recvfrom(2048) == (b"now", ("127.0.0.1", 42_203))
    with pytest.raises(BlockingIOError):
        voice.recv(2048)
    for opened in (voice, reports, party, stranger):
        opened.close()
    network.close()


def test_memory_sockets_say_what_the_kernel_says() -> None:
    network = MemoryNetwork()
    made = network.bind(("127.0.0.1", 1))
    assert isinstance(made, MemorySocket)
    with pytest.raises(OSError) as caught:
        network.bind(("127.0.0.1", 1))
    assert caught.value.errno == errno.EADDRINUSE
    made.sendto(b"to nobody", ("127.0.0.1", 9))


def test_a_port_taken_by_another_program_is_passed_over() -> None:
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    holder.bind(("127.0.0.1", 42_300))
    network = UdpNetwork()
    port, voice, reports = PortPairs(42_300, 42_303).open(network, "127.0.0.1")
    assert port == 42_302
    voice.close()
    reports.close()
    network.close()
    holder.close()
