"""Client transactions on a network that says nothing: timers A, B, D, E, F, K, M and the states of RFC 3261 and 6026."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tallylight.clock import VirtualClock
from tallylight.telephony.sip.carrier import Carrier, Outgoing
from tallylight.telephony.sip.client_transaction import ClientTransaction, State
from tallylight.telephony.sip.codec import Request, Response, parse
from tallylight.telephony.sip.counters import Counters
from tallylight.telephony.sip.network import Hop, Transport
from tallylight.telephony.sip.simulated import SimulatedInternet, SimulatedNetwork
from tallylight.telephony.sip.transactions import Transactions
from tests.telephony.sip.making import entropy, run


@dataclass
class Ground:
    """One client transaction, what it sent, what it reported."""

    method: str
    transport: Transport
    clock: VirtualClock = field(default_factory=VirtualClock)
    responses: list[int] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.internet = SimulatedInternet(self.clock, seed=1)
        self.network = self.internet.node("192.0.2.1")
        run(self.network.start(lambda data, source: None))
        self.peer = self.internet.node("192.0.2.2")
        run(self.peer.start(lambda data, source: None))
        carrier = Carrier(clock=self.clock, network=self.network, entropy=entropy(1))
        self.transactions = Transactions(carrier)
        headers = (
            ("Max-Forwards", "70"),
            ("From", "<sip:a@192.0.2.1>;tag=f"),
            ("To", "<sip:b@192.0.2.2>"),
            ("Call-ID", "c"),
            ("CSeq", f"3 {self.method}"),
        )
        self.transaction: ClientTransaction = self.transactions.request(
            Outgoing(method=self.method, uri="sip:b@192.0.2.2", headers=headers),
            Hop(transport=self.transport, host="192.0.2.2", port=5060),
            on_response=lambda response: self.responses.append(response.status),
            on_failed=self.failures.append,
        )

    def answer(self, status: int) -> bool:
        return self.transactions.receive_response(self.response(status))

    def response(self, status: int) -> Response:
        data = (
            f"SIP/2.0 {status} X\r\nVia: {self.transaction.carriage.via}\r\nFrom: <sip:a@192.0.2.1>;tag=f\r\n"
            f"To: <sip:b@192.0.2.2>;tag=t\r\nCall-ID: c\r\nCSeq: 3 {self.method}\r\n\r\n"
        )
        message = parse(data.encode())
        assert isinstance(message, Response)
        return message

    @property
    def sent(self) -> list[tuple[int, str]]:
        """When (ms) and which method left us."""
        found: list[tuple[int, str]] = []
        for sent in self.internet.sent:
            message = parse(sent.data)
            assert isinstance(message, Request)
            found.append((sent.at_ms, message.method))
        return found

    @property
    def counters(self) -> Counters:
        return self.network.counters


def test_an_invite_nobody_answers_is_repeated_ever_more_slowly_and_given_up_after_32_s() -> None:
    ground = Ground("INVITE", Transport.UDP)
    ground.clock.advance(40)
    assert [at for at, _ in ground.sent] == [0, 500, 1500, 3500, 7500, 15500, 31500]
    assert (ground.failures, ground.transaction.state) == ([408], State.TERMINATED)
    assert not len(ground.transactions)


def test_another_request_is_repeated_every_4_s_at_most() -> None:
    ground = Ground("BYE", Transport.UDP)
    ground.clock.advance(40)
    assert [at for at, _ in ground.sent] == [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]
    assert ground.failures == [408]


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_nothing_is_repeated_on_a_stream(method: str) -> None:
    ground = Ground(method, Transport.TCP)
    ground.clock.advance(40)
    assert len(ground.sent) == 1
    assert ground.failures == [408]


def test_a_ringing_invite_is_not_repeated_and_waits_as_long_as_it_takes() -> None:
    ground = Ground("INVITE", Transport.UDP)
    ground.answer(180)
    ground.clock.advance(300)
    assert len(ground.sent) == 1
    assert (ground.responses, ground.failures, ground.transaction.state) == ([180], [], State.PROCEEDING)


def test_a_provisional_response_slows_another_request_down_and_timer_f_still_runs() -> None:
    ground = Ground("INFO", Transport.UDP)
    ground.answer(100)
    ground.clock.advance(40)
    assert [at for at, _ in ground.sent][:4] == [0, 500, 4500, 8500]
    assert ground.failures == [408]


def test_a_refused_invite_is_acknowledged_with_its_own_branch_once_for_every_copy() -> None:
    ground = Ground("INVITE", Transport.UDP)
    ground.answer(486)
    ground.answer(486)
    ground.answer(486)
    assert ground.responses == [486]
    assert [method for _, method in ground.sent] == ["INVITE", "ACK", "ACK", "ACK"]
    invite, ack = (parse(sent.data) for sent in ground.internet.sent[:2])
    assert isinstance(invite, Request)
    assert isinstance(ack, Request)
    assert (ack.via, ack.uri, ack.cseq, ack.call_id) == (invite.via, invite.uri, invite.cseq, invite.call_id)
    assert (ack.to_tag, ack.from_tag) == ("t", "f")
    ground.clock.advance(31)
    assert ground.answer(486)
    ground.clock.advance(1.1)
    assert not ground.answer(486)


def test_a_refusal_on_a_stream_ends_the_transaction_at_once() -> None:
    ground = Ground("INVITE", Transport.TCP)
    ground.answer(486)
    assert [method for _, method in ground.sent] == ["INVITE", "ACK"]
    assert not len(ground.transactions)


def test_every_copy_of_a_2xx_goes_up_for_32_s() -> None:
    ground = Ground("INVITE", Transport.TCP)
    ground.answer(200)
    ground.clock.advance(31)
    ground.answer(200)
    ground.answer(486)
    assert (ground.responses, ground.transaction.state) == ([200, 200], State.ACCEPTED)
    ground.clock.advance(1.1)
    assert not ground.answer(200)


def test_timer_k_absorbs_copies_for_5_s() -> None:
    ground = Ground("BYE", Transport.UDP)
    ground.answer(200)
    ground.clock.advance(4.9)
    assert ground.answer(200)
    assert ground.responses == [200]
    ground.clock.advance(0.2)
    assert not ground.answer(200)


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_a_stream_that_cannot_be_made_fails_the_request(method: str) -> None:
    ground = Ground(method, Transport.TCP)
    other = ground.transactions.request(
        ground.transaction.message,
        Hop(transport=Transport.TCP, host="192.0.2.77", port=5060),
        on_response=lambda response: None,
        on_failed=ground.failures.append,
    )
    ground.clock.advance(1)
    assert (ground.failures, other.state) == ([503], State.TERMINATED)


@pytest.mark.parametrize("listens", [Transport.TCP, Transport.UDP])
def test_a_large_request_takes_tcp_and_falls_back_to_udp(listens: Transport) -> None:
    clock = VirtualClock()
    internet = SimulatedInternet(clock, seed=1)
    network = internet.node("192.0.2.1")
    run(network.start(lambda data, source: None))
    got: list[Request] = []
    peer = internet.node("192.0.2.2", transports=frozenset([listens]))

    def receive(data: bytes, source: Hop) -> None:
        message = parse(data)
        assert isinstance(message, Request)
        got.append(message)

    run(peer.start(receive))
    transactions = Transactions(Carrier(clock=clock, network=network, entropy=entropy(1)))
    message = Outgoing(method="INFO", uri="sip:b@192.0.2.2", headers=HEADERS, body=b"x" * 1200)
    hop = Hop(transport=Transport.UDP, host="192.0.2.2", port=5060)
    for _ in range(2):
        transactions.request(message, hop, on_response=lambda response: None, on_failed=lambda status: None)
        clock.advance(0.1)
    assert [request.via.transport for request in got] == [listens, listens]
    tried = [sent.transport for sent in internet.sent]
    # A peer that took no TCP is not asked again for a while.
    assert tried == [Transport.TCP, *([Transport.TCP] if listens is Transport.TCP else [Transport.UDP, Transport.UDP])]


def test_a_peer_can_be_kept_on_udp() -> None:
    clock = VirtualClock()
    internet = SimulatedInternet(clock, seed=1)
    network: SimulatedNetwork = internet.node("192.0.2.1")
    run(network.start(lambda data, source: None))
    carrier = Carrier(clock=clock, network=network, entropy=entropy(1), stay_on_udp=frozenset(["192.0.2.2:5060"]))
    assert not carrier.goes_by_tcp(5000, Hop(transport=Transport.UDP, host="192.0.2.2", port=5060))
    assert carrier.goes_by_tcp(1301, Hop(transport=Transport.UDP, host="192.0.2.2", port=5061))
    assert not carrier.goes_by_tcp(1300, Hop(transport=Transport.UDP, host="192.0.2.2", port=5061))


HEADERS = (
    ("Max-Forwards", "70"),
    ("From", "<sip:a@192.0.2.1>;tag=f"),
    ("To", "<sip:b@192.0.2.2>"),
    ("Call-ID", "c"),
    ("CSeq", "3 INFO"),
)

RANK = [State.CALLING, State.TRYING, State.PROCEEDING, State.ACCEPTED, State.COMPLETED, State.TERMINATED]


class ClientMachine(RuleBasedStateMachine):
    """Any order of responses and time: one final report at most, never backwards, never for ever."""

    @initialize(method=st.sampled_from(["INVITE", "BYE"]), transport=st.sampled_from(list(Transport)))
    def begin(self, method: str, transport: Transport) -> None:
        self.ground = Ground(method, transport)
        self.rank = 0
        self.finals: list[int] = []

    @rule(status=st.sampled_from([100, 180, 183, 200, 202, 301, 404, 487, 503, 603]))
    def respond(self, status: int) -> None:
        before, alive = len(self.ground.responses), len(self.ground.transactions)
        known = self.ground.answer(status)
        assert known == bool(alive)
        self.finals += [code for code in self.ground.responses[before:] if code >= 200]

    @rule(seconds=st.sampled_from([0.1, 0.6, 5.0, 33.0]))
    def wait(self, seconds: float) -> None:
        self.ground.clock.advance(seconds)

    @invariant()
    def never_backwards(self) -> None:
        rank = RANK.index(self.ground.transaction.state)
        assert rank >= self.rank
        self.rank = rank

    @invariant()
    def one_outcome(self) -> None:
        if self.ground.method == "INVITE" and self.finals and self.finals[0] < 300:
            assert all(200 <= code < 300 for code in self.finals)
        else:
            assert len(self.finals) <= 1
        assert len(self.ground.failures) + bool(self.finals) <= 1

    @invariant()
    def only_invites_are_acknowledged_and_only_refused_ones(self) -> None:
        acks = [method for _, method in self.ground.sent].count("ACK")
        refused = self.ground.method == "INVITE" and any(code >= 300 for code in self.finals)
        assert (acks > 0) == refused

    def teardown(self) -> None:
        if not hasattr(self, "ground"):
            return
        if self.ground.transaction.state is not State.PROCEEDING or self.ground.method != "INVITE":
            self.ground.clock.advance(100)
            assert self.ground.transaction.state is State.TERMINATED


TestClientMachine = ClientMachine.TestCase
TestClientMachine.settings = settings(max_examples=60, stateful_step_count=20)
