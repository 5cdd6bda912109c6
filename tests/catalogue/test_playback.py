"""What is played is that party's alone, at its true time, and its access is recorded first."""

import array
import io
import wave

import pytest

from tallylight.catalogue.errors import NothingStoredError, PartyUnknownError
from tallylight.catalogue.playback import Playback, Recording, from_folder, to_wav
from tallylight.database.engine import read_only
from tallylight.database.errors import DatabaseUnavailable
from tallylight.database.events import StoredEvent, read_stream
from tallylight.law.vocabulary import Purpose
from tests.catalogue.house import Call, House


def samples(recording: Recording) -> "array.array[int]":
    with wave.open(io.BytesIO(recording.wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        return array.array("h", file.readframes(file.getnframes()))


def accesses(house: House, call: Call) -> list[StoredEvent]:
    with read_only(house.engine) as connection:
        return [event for event in read_stream(connection, call.id) if event.type == "RecordingAccessed"]


def test_time_is_true_and_gaps_are_silence(house: House) -> None:
    call = Call(house).accepted().speak(3000)
    joined_ms = call.now_ms - 3000
    call.sealed()
    played = house.playback().play(call.id, "agent", actor="operator")
    sound = samples(played)
    assert played.duration_ms == call.now_ms
    assert played.stored_ms == 3000
    assert not any(sound[: joined_ms * 8])
    assert all(sound[joined_ms * 8 :])


def test_a_running_call_is_played_from_the_live_log(house: House) -> None:
    call = Call(house).accepted().speak(3000)
    beside = Playback(
        workspace=house.workspace,
        engine=house.engine,
        writer=house.writer,
        keys=house.keys,
        objects=house.objects,
        read_live=from_folder(house.live_folder),
        clock=house.clock,
    )
    in_process = house.playback().play(call.id, call.customer, actor="operator")
    assert in_process.stored_ms == 5000
    assert beside.play(call.id, call.customer, actor="operator").wav == in_process.wav
    call.sealed()
    assert house.playback().play(call.id, call.customer, actor="operator").wav == in_process.wav


def test_the_announcement_is_played_as_system(house: House) -> None:
    call = Call(house).accepted().sealed()
    assert house.playback().play(call.id, "system", actor="operator").stored_ms >= 7000


def test_the_proof_is_played_only_when_asked_for(house: House) -> None:
    call = Call(house).accepted().speak(3000).withdrawn().sealed()
    with pytest.raises(NothingStoredError):
        house.playback().play(call.id, "customer", actor="operator")
    proof = house.playback().play(call.id, "customer", actor="operator", purpose=Purpose.PROOF_OF_CONSENT)
    assert proof.stored_ms == 2000


def test_nothing_stored_says_why_and_records_no_access(house: House) -> None:
    call = Call(house).refused().speak(1000).sealed()
    with pytest.raises(NothingStoredError, match="Nothing of this customer is stored") as raised:
        house.playback().play(call.id, "customer", actor="operator")
    assert raised.value.code == "nothing_stored"
    assert accesses(house, call) == []


def test_every_access_is_in_the_ledger_with_who_and_how(house: House) -> None:
    call = Call(house).accepted().speak(1000).sealed()
    house.clock.advance(60)
    house.playback().play(call.id, "agent", actor="operator", how="export")
    (access,) = accesses(house, call)
    assert access.actor == "operator"
    assert access.occurred_ms == house.clock.wall_ms()
    assert access.payload is not None
    assert (access.payload["party"], access.payload["how"]) == (call.agent, "export")
    assert access.payload["track"] == call.track_of(call.agent).track


def test_no_ledger_no_sound(house: House) -> None:
    call = Call(house).accepted().speak(1000).sealed()
    house.faults.fail_all()
    with pytest.raises(DatabaseUnavailable):
        house.playback().play(call.id, "agent", actor="operator")
    house.faults.recover()
    assert accesses(house, call) == []


def test_who_is_told_apart_by_id(house: House) -> None:
    call = Call(house).accepted().sealed()
    with pytest.raises(PartyUnknownError, match="give a party id or one of"):
        house.playback().play(call.id, "supervisor", actor="operator")


def test_a_wav_has_a_header_and_the_samples() -> None:
    with wave.open(io.BytesIO(to_wav(b"\x01\x00\x02\x00"))) as file:
        assert file.getnframes() == 2
        assert file.readframes(2) == b"\x01\x00\x02\x00"
