"""One server, and strangers who answer its question in every way at once (sipp). Prompts are cut to 0.6 s: the question
has been heard 1.2 s after our 200 OK, is repeated after another second, and silence counts 0.6 + 1 s later.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import needs
from tests.peers.evening import ONCE, Checks, Evening, examine
from tests.peers.house import NOTHING_STORED, House, served
from tests.peers.pcap import Press, stream
from tests.peers.ports import Ports
from tests.peers.sipp import Sipp
from tests.peers.sound import compare, loudness, speech
from tests.peers.wire import Wire, keys, voice

FIGURES = logging.getLogger(__name__)
"""What was measured: shown by --log-cli-level INFO."""

pytestmark = [needs.sipp, needs.root]

FLOW = "prompt_seconds = 0.6\nrepeat_wait_s = 1\nproof_after_s = 0.5"
HEARD_MS = 1800
"""Well behind the end of the question, well before its repetition."""
TALK_MS = 9000

ACCEPTS, REFUSES, SILENT, EARLY = "+4520100001", "+4520100002", "+4520100003", "+4520100004"
HANGS_UP, CANCELS, BY_TCP, WITHDRAWS = "+4520100005", "+4520100006", "+4520100007", "+4520100008"
AGENT_VOICE = 1


@pytest.fixture(scope="module")
def evening(ports: Ports, prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    """Eight calls at once."""
    folder = tmp_path_factory.mktemp("answers")
    talk = TALK_MS / 1000

    def says(*presses: Press, voice: int) -> dict[str, list[tuple[int, bytes]]]:
        return {"call": stream(speech(talk, voice=voice), presses=presses, ssrc=0x1000 + voice)}

    def press(key: str, at_ms: int = HEARD_MS) -> Press:
        return Press(at_ms=at_ms, key=key)

    with ExitStack() as stack:
        wire = stack.enter_context(Wire(ports))
        agent = Sipp(
            folder / "agent", "agent", ports, 1, calls=6,
            sounds={"agent": stream(speech(talk, voice=AGENT_VOICE), ssrc=0xA6E)},
        )  # fmt: skip
        stack.callback(agent.stop)
        house = stack.enter_context(
            served(folder, ports, prompts=prompts, agent=f"sip:agent@127.0.0.1:{agent.port}", flow=FLOW)
        )
        withdrawal = (
            press("5", 3500),
            press("*", 4200),
            press("7", 4500),
            press("*", 5200),
            press("*", 7400),
            press("2", 7700),
        )
        plan: list[tuple[str, str, int, str, dict[str, list[tuple[int, bytes]]]]] = [
            (ACCEPTS, "caller", TALK_MS, "u1", says(press("1"), voice=0)),
            (REFUSES, "caller", 6000, "u1", says(press("2"), voice=2)),
            (SILENT, "caller", 6000, "u1", says(voice=3)),
            (EARLY, "caller", 6000, "u1", says(press("1", 100), voice=4)),
            (HANGS_UP, "caller", 700, "u1", says(voice=5)),
            (CANCELS, "cancel_late", 500, "u1", {}),
            (BY_TCP, "caller", 5000, "t1", says(press("1"), voice=6)),
            (WITHDRAWS, "caller", TALK_MS, "u1", says(press("1"), *withdrawal, voice=7)),
        ]  # fmt: skip
        callers = []
        for n, (user, scenario, stay_ms, transport, sounds) in enumerate(plan):
            caller = Sipp(
                folder / user, scenario, ports, 2 + n, target=house.address, transport=transport,
                stay_ms=stay_ms, keys={"user": user}, sounds=sounds,
            )  # fmt: skip
            stack.callback(caller.stop)
            callers.append(caller)
        logged: set[str] = set()
        house.until(lambda: look(house, callers, logged), "end of the callers", seconds=60)
        for caller in callers:
            caller.finish()
        agent.finish()
        house.until_idle()
        calls = {call.caller: call for call in house.recordings()}
        yield Evening(house=house, wire=wire, calls=calls, logged=logged)


def look(house: House, callers: list[Sipp], logged: set[str]) -> bool:
    """Note which tracks are in the log; whether every caller is done."""
    logged |= house.logged_tracks()
    return all(caller.process.poll() is not None for caller in callers)


def check_everybody_is_listed_and_the_ledger_verifies(evening: Evening) -> None:
    assert sorted(evening.calls) == sorted([ACCEPTS, REFUSES, SILENT, EARLY, HANGS_UP, CANCELS, BY_TCP, WITHDRAWS])
    assert all(call.ended is not None for call in evening.calls.values())
    assert all(call.alarms == [] for call in evening.calls.values())
    evening.house.verify_ledger()
    assert evening.house.logged_tracks() == set(), "the live log keeps what is sealed"


def check_each_answer_is_taken_as_what_it_is(evening: Evening, user: str, consent: str, outcome: str) -> None:
    call = evening.calls[user]
    customer = call.party("customer")
    assert (customer.consent, call.outcome) == (consent, outcome)
    assert (customer.stored_s > 2) == (consent == "given"), customer
    assert (customer.stored_s == 0) == (consent != "given"), customer
    assert customer.reason


def check_what_is_stored_is_what_was_said_when_it_was_said(evening: Evening, user: str) -> None:
    house, wire, call = evening.house, evening.wire, evening.calls[user]
    caller, agent = wire.caller(user), wire.agent(user)
    for leg, role in ((caller, "customer"), (agent, "agent")):
        sent = voice(wire.to_house(leg), caller.ok_ns)
        likeness = compare(sent, house.export(call.id, role), (2.2, TALK_MS / 1000 - 0.5))
        FIGURES.info(f"{user} {role}: {likeness}")
        assert likeness.correlation > 0.99, role
        assert abs(likeness.offset_ms) <= 40, role


def check_both_hear_each_other(evening: Evening) -> None:
    wire = evening.wire
    caller, agent = wire.caller(REFUSES), wire.agent(REFUSES)
    for speaks, hears in ((caller, agent), (agent, caller)):
        said = voice(wire.to_house(speaks), caller.ok_ns)
        heard = voice(wire.from_house(hears), caller.ok_ns)
        likeness = compare(said, heard, (3, 5.5))
        FIGURES.info(f"relay: {likeness}")
        assert likeness.correlation > 0.99
        assert likeness.worst_ms < 100


def check_of_somebody_who_did_not_agree_nothing_is_there(evening: Evening, user: str) -> None:
    house, call = evening.house, evening.calls[user]
    customer, agent = call.party("customer"), call.party("agent")
    done = house.command("recordings", "export", call.id, "--party", "customer", "--out", house.data.parent / "no.wav")
    assert done.returncode == NOTHING_STORED, done
    assert not (house.data.parent / "no.wav").exists()
    assert house.tracks(call.id, customer.id) == [], "a track was opened"
    assert customer.stored_s == 0
    assert customer.talked_s > 1, "the detector heard nothing of a speaking caller"
    # The others' do grow, in the log while the call goes on and in objects afterwards.
    assert {track for track, _ in house.tracks(call.id, agent.id)} <= evening.logged
    paths = [str(path) for (path,) in house.rows("SELECT path FROM track WHERE conversation = ?", call.id)]
    assert len(paths) == 2, "the system's and the agent's"
    assert set(paths) <= house.objects()
    assert agent.stored_s > 1
    assert loudness(house.export(call.id, "system")) > 100
    assert loudness(house.export(call.id, "agent")) > 100
    assert house.rows("SELECT count(*) FROM event WHERE stream LIKE ?", f"%{call.id}%")[0][0] != 0


def check_the_log_never_held_a_track_that_nobody_allowed(evening: Evening) -> None:
    """Every record belongs to a track of the database; those of the customers are of people who said yes."""
    rows = evening.house.rows(
        "SELECT t.track, p.consent FROM track t JOIN party p ON t.party = p.party AND p.role = 'customer'"
    )
    agreed = {str(track) for track, consent in rows if consent in ("given", "withdrawn")}
    others = {str(track) for (track,) in evening.house.rows(
        "SELECT t.track FROM track t JOIN party p ON t.party = p.party AND p.role != 'customer'"
    )}  # fmt: skip
    assert len(rows) == len(agreed) == 6, "talk and proof of three people"
    assert evening.logged <= agreed | others
    assert agreed <= evening.logged


def check_every_object_is_a_track_of_the_database(evening: Evening) -> None:
    paths = {str(path) for (path,) in evening.house.rows("SELECT path FROM track WHERE path IS NOT NULL")}
    assert evening.house.objects() == paths


def check_who_leaves_in_the_prompt_leaves_events_only(evening: Evening, user: str) -> None:
    house, call = evening.house, evening.calls[user]
    assert [party.role for party in call.parties] == ["customer"]
    tracks = house.rows("SELECT track, state, path FROM track WHERE conversation = ?", call.id)
    assert {(state, path) for _, state, path in tracks} == {("erased", None)}
    assert not {str(track) for track, _, _ in tracks} & house.keyed_tracks()
    for party in ("system", "customer"):
        assert (
            house.command(
                "recordings", "export", call.id, "--party", party, "--out", house.data.parent / "no.wav"
            ).returncode
            == NOTHING_STORED
        )
    assert house.rows("SELECT count(*) FROM event WHERE stream LIKE ?", f"%{call.id}%")[0][0] != 0


def check_a_withdrawal_destroys_the_talk_and_keeps_the_proof(evening: Evening) -> None:
    house, call = evening.house, evening.calls[WITHDRAWS]
    customer = call.party("customer")
    assert (
        house.command(
            "recordings", "export", call.id, "--party", "customer", "--out", house.data.parent / "no.wav"
        ).returncode
        == NOTHING_STORED
    )
    tracks = set(house.rows("SELECT purpose, state FROM track WHERE party = ?", customer.id))
    assert tracks == {("quality_assurance", "erased"), ("proof_of_consent", "sealed")}
    ((talk,),) = house.rows("SELECT track FROM track WHERE party = ? AND state = 'erased'", customer.id)
    assert talk not in house.keyed_tracks()
    assert call.party("agent").stored_s > 5, "the agent's own track goes on"


def check_the_agent_hears_keys_but_no_codes(evening: Evening) -> None:
    """5 passes, `*7` is no code and passes, a lone star passes after two seconds, `*2` does not pass."""
    agent = evening.wire.agent(WITHDRAWS)
    assert keys(evening.wire.from_house(agent)) == "5*7*"


def check_both_answers_lead_to_the_agent_as_fast(evening: Evening) -> None:
    """A yes and a no, pressed at the same instant of the call, ring the same agent within half a second of each other."""
    waits = []
    for user in (ACCEPTS, REFUSES):
        caller = evening.wire.caller(user)
        rung = evening.wire.invites(user, to_house=False)[0]
        waits.append((rung.at_ns - caller.ok_ns) / 1e9)
    FIGURES.info(f"rang after {waits}")
    assert abs(waits[0] - waits[1]) < 0.5
    assert all(HEARD_MS / 1000 <= wait < HEARD_MS / 1000 + 1 for wait in waits)


CHECKS: Checks = [
    (check_everybody_is_listed_and_the_ledger_verifies, ONCE),
    (
        check_each_answer_is_taken_as_what_it_is,
        [
            (ACCEPTS, "given", "completed"),
            (REFUSES, "refused", "completed"),
            (SILENT, "none", "completed"),
            (EARLY, "none", "completed"),
            (HANGS_UP, "none", "abandoned"),
            (CANCELS, "none", "abandoned"),
            (BY_TCP, "given", "completed"),
            (WITHDRAWS, "withdrawn", "completed"),
        ],
    ),
    (check_what_is_stored_is_what_was_said_when_it_was_said, [(ACCEPTS,), (BY_TCP,)]),
    (check_both_hear_each_other, ONCE),
    (check_of_somebody_who_did_not_agree_nothing_is_there, [(REFUSES,), (SILENT,), (EARLY,)]),
    (check_the_log_never_held_a_track_that_nobody_allowed, ONCE),
    (check_every_object_is_a_track_of_the_database, ONCE),
    (check_who_leaves_in_the_prompt_leaves_events_only, [(HANGS_UP,), (CANCELS,)]),
    (check_a_withdrawal_destroys_the_talk_and_keeps_the_proof, ONCE),
    (check_the_agent_hears_keys_but_no_codes, ONCE),
    (check_both_answers_lead_to_the_agent_as_fast, ONCE),
]


def test_answers_of_every_kind(evening: Evening, subtests: pytest.Subtests) -> None:
    examine(evening, CHECKS, subtests)
