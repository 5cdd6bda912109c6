"""The order of writing, on virtual media time: closing first, opening only behind its commit, and people keep talking."""

from tallylight.catalogue.queries import read_conversation
from tallylight.conversation.commands import PauseRecording, ResumeRecording, WithdrawConsent
from tallylight.database.engine import read_only
from tallylight.law.vocabulary import Method, Purpose, Role
from tallylight.policy.decision import Lamp
from tallylight.vault.disk import Call
from tallylight.vault.recovery import scan
from tallylight.vault.tables import read_project_keys
from tests.live.conftest import Talk


def stored(talk: Talk) -> dict[tuple[str, str], tuple[str, int]]:
    """(role, purpose) -> (state, stored ms), from the catalogue."""
    house = talk.house
    with read_only(house.store.engine) as connection:
        entry = read_conversation(
            connection,
            workspace=house.store.workspace,
            keys=house.store.keyring,
            conversation=talk.runner.conversation,
        )
    return {
        (party.role.value, track.purpose.value): (track.state, track.stored_ms)
        for party in entry.parties
        for track in party.tracks
    }


TALK = ("customer", Purpose.QUALITY_ASSURANCE.value)
PROOF = ("customer", Purpose.PROOF_OF_CONSENT.value)


def test_nothing_is_written_before_a_yes_and_everything_after_its_commit(talk: Talk) -> None:
    talk.speak(talk.customer, 2000)
    talk.ask()
    talk.speak(talk.customer, 1000)
    talk.say_yes()
    talk.house.settle()
    assert talk.runner.lamps()[talk.customer] is Lamp.RECORDING
    talk.speak(talk.customer, 3000)
    talk.end()
    assert stored(talk)[TALK] == ("sealed", 3000)
    assert stored(talk)[PROOF] == ("sealed", 3000)


def test_a_refuser_has_no_track_no_key_and_no_record(talk: Talk) -> None:
    talk.ask()
    talk.speak(talk.customer, 3000)
    talk.end()
    assert {key for key in stored(talk) if key[0] == "customer"} == set()
    tracks = {epoch.track for epoch in scan(talk.house.store.live_folder).epochs.values()}
    assert len(tracks) <= 1  # our own announcement's, if anything


def test_what_is_said_while_the_commit_is_on_its_way_is_kept(talk: Talk) -> None:
    talk.ask()
    stall = talk.house.commits.stall(talk.house.commits.next)
    talk.say_yes()
    talk.speak(talk.customer, 600)
    assert talk.runner.lamps()[talk.customer] is Lamp.OFF
    stall.release()
    talk.house.settle()
    assert talk.runner.lamps()[talk.customer] is Lamp.RECORDING
    talk.speak(talk.customer, 400)
    talk.end()
    assert stored(talk)[TALK] == ("sealed", 1000)


def test_an_opening_without_a_commit_for_a_second_is_a_gap_and_only_later_speech_is_admitted(talk: Talk) -> None:
    talk.ask()
    stall = talk.house.commits.stall(talk.house.commits.next)
    talk.say_yes()
    talk.speak(talk.customer, 1600)
    assert talk.runner.lamps()[talk.customer] is Lamp.OFF
    stall.release()
    talk.house.settle(2)
    assert talk.runner.lamps()[talk.customer] is Lamp.RECORDING
    talk.speak(talk.customer, 500)
    talk.end()
    assert stored(talk)[TALK] == ("sealed", 500)


def test_a_refused_commit_leaves_every_gate_shut_and_its_events_are_written_later(talk: Talk) -> None:
    talk.ask()
    talk.house.commits.fail(talk.house.commits.next)
    talk.say_yes()
    talk.house.settle()
    talk.speak(talk.customer, 3000)
    talk.house.drain()
    assert talk.runner.lamps()[talk.customer] is Lamp.OFF
    talk.house.clock.advance(2)
    talk.end()
    assert TALK not in stored(talk)
    with read_only(talk.house.store.engine) as connection:
        entry = read_conversation(
            connection,
            workspace=talk.house.store.workspace,
            keys=talk.house.store.keyring,
            conversation=talk.runner.conversation,
        )
    assert [party.consent for party in entry.parties if party.role is Role.CUSTOMER] == ["given"]


def test_a_withdrawal_stops_at_once_and_erases_the_talk_but_not_the_proof(talk: Talk) -> None:
    talk.ask()
    talk.say_yes()
    talk.house.settle()
    talk.speak(talk.customer, 2000)
    talk.runner.tracks.end_proof(talk.customer, talk.runner.offset_ms())
    talk.speak(talk.customer, 1000)
    stall = talk.house.commits.stall(talk.house.commits.next)
    at = talk.runner.offset_ms()
    refusal = talk.runner.command(
        WithdrawConsent(party=talk.customer, method=Method.DIGIT, evidence="digits *2", offset_ms=at)
    )
    assert refusal is None
    assert talk.runner.lamps()[talk.customer] is Lamp.OFF
    talk.speak(talk.customer, 1000)
    stall.release()
    talk.house.settle()
    talk.end()
    assert stored(talk)[TALK] == ("erased", 0)
    assert stored(talk)[PROOF] == ("sealed", 2000)


def test_a_pause_shuts_every_gate_from_its_moment_on(talk: Talk) -> None:
    talk.ask()
    talk.say_yes()
    talk.house.settle()
    agent = talk.join(Role.AGENT, "sip:agent@127.0.0.1")
    talk.speak(agent, 1000)
    moment = talk.runner.offset_ms() - 60
    assert talk.runner.command(PauseRecording(by=agent, offset_ms=moment)) is None
    talk.speak(agent, 1000)
    assert set(talk.runner.lamps().values()) == {Lamp.PAUSED}
    talk.house.settle()
    assert talk.runner.command(ResumeRecording(by=agent, offset_ms=talk.runner.offset_ms())) is None
    talk.house.settle()
    talk.speak(agent, 500)
    talk.end()
    assert stored(talk)["agent", Purpose.QUALITY_ASSURANCE.value] == ("sealed", 1000 - 60 + 500)


def test_a_disk_that_stalls_for_five_seconds_delays_no_closing(talk: Talk) -> None:
    talk.ask()
    talk.say_yes()
    talk.house.settle()
    stall = talk.house.disk.stall(Call.FSYNC)
    talk.speak(talk.customer, 5000)
    at = talk.runner.offset_ms()
    assert (
        talk.runner.command(
            WithdrawConsent(party=talk.customer, method=Method.DIGIT, evidence="digits *2", offset_ms=at)
        )
        is None
    )
    assert talk.runner.lamps()[talk.customer] is Lamp.OFF
    stall.release()
    talk.house.settle()
    talk.end()
    assert stored(talk)[TALK] == ("erased", 0)


def test_a_caller_who_leaves_in_the_prompt_leaves_events_only(talk: Talk) -> None:
    talk.runner.tracks.own_voice.accept(0, 1000, 0, b"\x20" * 8000)
    talk.house.clock.advance(3)
    talk.end("abandoned", abandoned=True)
    assert {state for state, _ in stored(talk).values()} <= {"erased"}
    assert list(talk.house.store.objects.list()) == []


def test_a_commit_that_comes_after_the_recording_failed_opens_nothing(talk: Talk) -> None:
    talk.ask()
    stall = talk.house.commits.stall(talk.house.commits.next)
    talk.say_yes()
    talk.speak(talk.customer, 1600)
    talk.runner.fail("a key is missing")
    stall.release()
    talk.house.settle(3)
    assert talk.runner.lamps()[talk.customer] is Lamp.OFF
    talk.speak(talk.customer, 500)
    talk.end()
    assert stored(talk)[TALK] == ("erased", 0)


def test_a_proof_whose_opening_was_missed_is_kept_from_its_late_commit_on(talk: Talk) -> None:
    talk.ask()
    stall = talk.house.commits.stall(talk.house.commits.next)
    talk.say_yes()
    talk.speak(talk.customer, 1600)
    stall.release()
    talk.house.settle(2)
    talk.speak(talk.customer, 500)
    talk.runner.tracks.end_proof(talk.customer, talk.runner.offset_ms())
    talk.speak(talk.customer, 500)
    talk.end()
    assert stored(talk)[PROOF] == ("sealed", 500)


def test_a_proof_that_was_over_before_its_late_commit_stays_empty(talk: Talk) -> None:
    talk.ask()
    stall = talk.house.commits.stall(talk.house.commits.next)
    talk.say_yes()
    talk.speak(talk.customer, 1600)
    talk.runner.tracks.end_proof(talk.customer, talk.runner.offset_ms())
    stall.release()
    talk.house.settle(2)
    talk.speak(talk.customer, 500)
    talk.end()
    assert stored(talk)[PROOF] == ("erased", 0)
    assert stored(talk)[TALK] == ("sealed", 500)


def test_a_withdrawal_erases_even_where_another_gate_finds_no_key(talk: Talk) -> None:
    talk.ask()
    talk.say_yes()
    talk.house.settle()
    talk.speak(talk.customer, 1000)
    talk.runner.tracks.end_proof(talk.customer, talk.runner.offset_ms())
    talk.house.store.keyring.unload_project(talk.house.settings.project)
    talk.join(Role.AGENT, "sip:agent@127.0.0.1")
    at = talk.runner.offset_ms()
    withdrawal = WithdrawConsent(party=talk.customer, method=Method.DIGIT, evidence="digits *2", offset_ms=at)
    assert talk.runner.command(withdrawal) is None
    talk.house.settle(2)
    store = talk.house.store
    with read_only(store.engine) as connection:
        for row in read_project_keys(connection, store.workspace):
            store.keyring.load_project_key(row)
    assert stored(talk)[TALK] == ("erased", 0)
    assert set(talk.runner.lamps().values()) == {Lamp.OFF}
