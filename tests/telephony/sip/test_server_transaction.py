"""Server transactions: timers G, H, I, J, L and the states of RFC 3261 and 6026."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tallylight.clock import VirtualClock
from tallylight.telephony.sip.carrier import Carrier
from tallylight.telephony.sip.codec import Request, Response, parse
from tallylight.telephony.sip.network import Hop, Transport
from tallylight.telephony.sip.server_transaction import InviteServerTransaction, State, key_of
from tallylight.telephony.sip.simulated import SimulatedInternet
from tallylight.telephony.sip.transactions import Transactions
from tests.telephony.sip.making import entropy, request, run


def read(data: bytes) -> Request:
    message = parse(data)
    assert isinstance(message, Request)
    return message


@dataclass
class Ground:
    """One server transaction and what it sent."""

    method: str
    transport: Transport
    clock: VirtualClock = field(default_factory=VirtualClock)
    acks: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.internet = SimulatedInternet(self.clock, seed=1)
        network = self.internet.node("192.0.2.1")
        run(network.start(lambda data, source: None))
        peer = self.internet.node("192.0.2.9")
        run(peer.start(lambda data, source: None))
        self.transactions = Transactions(Carrier(clock=self.clock, network=network, entropy=entropy(1)))
        self.request = read(request(self.method, transport=self.transport))
        source = Hop(transport=self.transport, host="192.0.2.9", port=5060)
        self.transaction = self.transactions.accept(self.request, source, "ours")
        if isinstance(self.transaction, InviteServerTransaction):
            self.transaction.on_ack = self.acks.append

    def again(self) -> bool:
        return self.transactions.receive_again(self.request)

    def ack(self) -> bool:
        return self.transactions.receive_again(read(request("ACK", to_tag="ours", transport=self.transport)))

    @property
    def sent(self) -> list[tuple[int, int]]:
        """When (ms) which status left us."""
        found: list[tuple[int, int]] = []
        for sent in self.internet.sent:
            message = parse(sent.data)
            assert isinstance(message, Response)
            found.append((sent.at_ms, message.status))
        return found


def test_a_refusal_is_repeated_until_its_ack() -> None:
    ground = Ground("INVITE", Transport.UDP)
    ground.transaction.respond(486)
    ground.clock.advance(13)
    assert ground.sent == [(at, 486) for at in (0, 500, 1500, 3500, 7500, 11500)]
    assert ground.ack()
    ground.clock.advance(4)
    assert len(ground.sent) == 6
    assert (ground.transaction.state, ground.acks) == (State.CONFIRMED, [])
    ground.clock.advance(1.1)
    assert not ground.ack()


def test_a_refusal_nobody_acknowledges_ends_after_32_s() -> None:
    ground = Ground("INVITE", Transport.UDP)
    ground.transaction.respond(486)
    ground.clock.advance(33)
    assert ground.transaction.state is State.TERMINATED
    assert not len(ground.transactions)


def test_on_a_stream_a_refusal_is_sent_once() -> None:
    ground = Ground("INVITE", Transport.TCP)
    ground.transaction.respond(486)
    ground.clock.advance(10)
    assert ground.sent == [(0, 486)]
    ground.ack()
    assert not len(ground.transactions)


def test_a_repeated_invite_gets_the_last_answer_again() -> None:
    ground = Ground("INVITE", Transport.UDP)
    assert ground.again()
    assert ground.sent == []
    ground.transaction.respond(100)
    ground.transaction.respond(180)
    ground.again()
    assert [status for _, status in ground.sent] == [100, 180, 180]


@pytest.mark.parametrize("transport", list(Transport))
def test_after_a_2xx_copies_of_the_invite_are_absorbed_for_32_s(transport: Transport) -> None:
    ground = Ground("INVITE", transport)
    ground.transaction.respond(200)
    ground.clock.advance(31.9)
    assert ground.again()
    assert ground.ack()
    assert [status for _, status in ground.sent] == [200]
    assert len(ground.acks) == 1
    ground.clock.advance(0.2)
    assert not ground.again()


def test_timer_j_answers_copies_for_32_s_on_udp_and_not_at_all_on_a_stream() -> None:
    ground = Ground("BYE", Transport.UDP)
    ground.transaction.respond(200)
    ground.clock.advance(31.9)
    assert ground.again()
    assert [status for _, status in ground.sent] == [200, 200]
    ground.clock.advance(0.2)
    assert not ground.again()
    stream = Ground("BYE", Transport.TCP)
    stream.transaction.respond(200)
    stream.clock.advance(0.01)
    assert not stream.again()


def test_the_first_final_answer_stands() -> None:
    ground = Ground("BYE", Transport.UDP)
    ground.transaction.respond(200)
    ground.transaction.respond(481)
    assert [status for _, status in ground.sent] == [200]


def test_100_bears_no_tag_of_ours_and_the_rest_does() -> None:
    ground = Ground("INVITE", Transport.UDP)
    ground.transaction.respond(100)
    ground.transaction.respond(180)
    trying, ringing = (parse(sent.data) for sent in ground.internet.sent)
    assert (trying.to_tag, ringing.to_tag) == ("", "ours")


def test_requests_are_told_apart_by_branch_sent_by_and_method() -> None:
    key = key_of(read(request()))
    assert key_of(read(request("ACK", to_tag="x"))) == key
    assert key_of(read(request(call_id="other"))) == key
    assert key_of(read(request("CANCEL"))) != key
    assert key_of(read(request(branch="z9hG4bKother"))) != key
    assert key_of(read(request(host="192.0.2.8"))) != key


def test_without_the_magic_cookie_the_older_fields_count() -> None:
    key = key_of(read(request(branch="1")))
    assert key_of(read(request("ACK", branch="1", to_tag="x"))) == key
    assert key_of(read(request(branch="1", call_id="other"))) != key
    assert key_of(read(request(branch="1", cseq=2))) != key


RANK = [State.TRYING, State.PROCEEDING, State.ACCEPTED, State.COMPLETED, State.CONFIRMED, State.TERMINATED]


class ServerMachine(RuleBasedStateMachine):
    """Any order of copies, ACKs, answers and time: one final status, never backwards, never for ever."""

    @initialize(method=st.sampled_from(["INVITE", "BYE"]), transport=st.sampled_from(list(Transport)))
    def begin(self, method: str, transport: Transport) -> None:
        self.ground = Ground(method, transport)
        self.rank = 0

    @rule(status=st.sampled_from([100, 180, 200, 302, 404, 486, 603]))
    def respond(self, status: int) -> None:
        self.ground.transaction.respond(status)

    @rule()
    def again(self) -> None:
        self.ground.again()

    @rule()
    def ack(self) -> None:
        if self.ground.method == "INVITE":
            self.ground.ack()

    @rule(seconds=st.sampled_from([0.1, 0.6, 5.5, 33.0]))
    def wait(self, seconds: float) -> None:
        self.ground.clock.advance(seconds)

    @invariant()
    def never_backwards(self) -> None:
        rank = RANK.index(self.ground.transaction.state)
        assert rank >= self.rank
        self.rank = rank

    @invariant()
    def one_final_status_and_none_after_it(self) -> None:
        statuses = [status for _, status in self.ground.sent]
        finals = {status for status in statuses if status >= 200}
        assert len(finals) <= 1
        if finals:
            first = next(index for index, status in enumerate(statuses) if status >= 200)
            assert all(status >= 200 for status in statuses[first:])

    @invariant()
    def only_a_2xx_hands_its_ack_up(self) -> None:
        if self.ground.acks:
            assert any(200 <= status < 300 for _, status in self.ground.sent)

    def teardown(self) -> None:
        if hasattr(self, "ground") and self.ground.transaction.answered:
            self.ground.clock.advance(100)
            assert self.ground.transaction.state is State.TERMINATED
            assert not len(self.ground.transactions)


TestServerMachine = ServerMachine.TestCase
TestServerMachine.settings = settings(max_examples=60, stateful_step_count=20)
