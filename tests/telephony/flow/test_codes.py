"""Star codes: acted on, never relayed; anything else is relayed, a `*` alone after two seconds."""

from hypothesis import given
from hypothesis import strategies as st

from tallylight.clock import VirtualClock
from tallylight.telephony.flow.codes import Digit, StarCodes
from tallylight.telephony.flow.info import key_of


class Heard:
    def __init__(self) -> None:
        self.codes: list[str] = []
        self.relayed: list[str] = []

    def code(self, name: str, digit: Digit) -> None:
        self.codes.append(name)

    def relay(self, digit: Digit) -> None:
        self.relayed.append(digit.key)


def pressing(keys: str, *, passes: bool = False) -> tuple[Heard, VirtualClock]:
    heard, clock = Heard(), VirtualClock()
    codes = StarCodes(codes={"*2": "withdraw"}, clock=clock, wait_s=2, listener=heard)
    for key in keys:
        codes.press(Digit(key=key, start_ms=0, passes=passes))
    return heard, clock


def test_a_code_is_acted_on_and_not_relayed() -> None:
    heard, clock = pressing("*2")
    clock.advance(5)
    assert heard.codes == ["withdraw"]
    assert heard.relayed == []


def test_a_star_alone_is_relayed_after_two_seconds() -> None:
    heard, clock = pressing("*")
    clock.advance(1.9)
    assert heard.relayed == []
    clock.advance(0.2)
    assert heard.relayed == ["*"]


def test_a_star_and_another_key_are_relayed_in_order() -> None:
    heard, _ = pressing("*5")
    assert heard.relayed == ["*", "5"]


def test_tones_that_already_passed_are_not_sent_again() -> None:
    heard, clock = pressing("*52", passes=True)
    clock.advance(5)
    assert heard.relayed == []


def test_a_longer_code_is_held_key_by_key_and_given_up_in_order() -> None:
    heard, clock = Heard(), VirtualClock()
    codes = StarCodes(codes={"*123": "withdraw"}, clock=clock, wait_s=2, listener=heard)
    for key in "*12*123*1":
        codes.press(Digit(key=key, start_ms=0))
        clock.advance(1.5)
    assert heard.codes == ["withdraw"]
    assert heard.relayed == ["*", "1", "2"]
    clock.advance(1)
    assert heard.relayed == ["*", "1", "2", "*", "1"]


@given(st.text(alphabet="0123456789*#", max_size=30))
def test_every_key_is_relayed_once_in_order_or_part_of_a_code(keys: str) -> None:
    heard, clock = pressing(keys)
    clock.advance(5)
    again, position = "", 0
    while position < len(keys):
        if keys.startswith("*2", position):
            position += 2
        else:
            again += keys[position]
            position += 1
    assert "".join(heard.relayed) == again
    assert len(heard.codes) * 2 + len(heard.relayed) == len(keys)


def test_info_bodies() -> None:
    assert key_of("application/dtmf-relay", b"Signal=1\r\nDuration=160\r\n") == "1"
    assert key_of("application/dtmf-relay; charset=x", b"Signal= * \nDuration=1") == "*"
    assert key_of("application/dtmf-relay", b"Signal=10\r\n") == "*"
    assert key_of("application/dtmf", b"2") == "2"
    assert key_of("application/dtmf", b"11") == "#"
    assert key_of("application/dtmf-relay", b"Duration=1") is None
    assert key_of("text/plain", b"1") is None


@given(st.sampled_from(["application/dtmf-relay", "application/dtmf", "x"]), st.binary(max_size=300))
def test_no_info_body_breaks_it(kind: str, body: bytes) -> None:
    key = key_of(kind, body)
    assert key is None or key in "0123456789*#ABCD"
