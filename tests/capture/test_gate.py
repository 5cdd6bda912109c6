"""The gate admits by media time: whatever arrives, in whatever order, only what was spoken in an open span passes."""

from hypothesis import given
from hypothesis import strategies as st

from tallylight.capture.gate import Gate
from tallylight.ids import DecisionId

YES, LATER = DecisionId("decision-1"), DecisionId("decision-2")


def test_a_fresh_gate_admits_nothing() -> None:
    assert Gate().admit(0, 20) is None


def test_what_waits_for_a_commit_is_not_admitted() -> None:
    gate = Gate()
    gate.request(YES, 100)
    assert gate.admit(100, 120) is None
    gate.commit(YES, 100)
    assert gate.admit(100, 120) == YES
    assert gate.admit(99, 119) is None


def test_closing_refuses_what_was_spoken_since_even_if_it_arrives_later() -> None:
    gate = Gate()
    gate.commit(YES, 0)
    gate.close(1000)
    assert gate.admit(960, 980) == YES
    assert gate.admit(980, 1000) == YES
    assert gate.admit(990, 1010) is None
    assert gate.admit(1000, 1020) is None


def test_a_missed_commit_leaves_the_gate_dark() -> None:
    gate = Gate()
    gate.request(YES, 0)
    missed = gate.miss()
    assert missed is not None
    assert missed.from_ms == 0
    assert gate.is_dark
    assert gate.admit(500, 520) is None


def test_a_change_of_decision_names_the_new_one_from_its_commit_and_loses_nothing_between() -> None:
    gate = Gate()
    gate.commit(YES, 0)
    gate.commit(LATER, 500)
    assert gate.admit(480, 500) == YES
    assert gate.admit(490, 510) == YES
    assert gate.admit(500, 520) == LATER


@given(st.lists(st.tuples(st.sampled_from(["open", "close", "packet"]), st.integers(0, 400)), max_size=40))
def test_admitted_means_open_for_every_millisecond_of_the_packet(acts: list[tuple[str, int]]) -> None:
    """Against a plain model: a set of open milliseconds. Time of acts moves forward; packets may be late."""
    gate = Gate()
    open_since: int | None = None
    open_ms: set[int] = set()
    now = 0
    for act, number in acts:
        if act == "open":
            now += number
            if open_since is None:
                open_since = now
                gate.commit(YES, now)
        elif act == "close":
            now += number
            if open_since is not None:
                open_ms |= set(range(open_since, now))
                open_since = None
                gate.close(now)
        else:
            start = max(0, now - number)
            wanted = all(
                instant in open_ms or (open_since is not None and instant >= open_since)
                for instant in range(start, start + 20)
            )
            admitted = gate.admit(start, start + 20) is not None
            assert not admitted or wanted
            recent = len(acts) < 12
            assert admitted == wanted or not recent
