"""Sealing that is overtaken by an erasure, refused by the database, or written after nobody waits for it any more."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from tallylight.app.erasing import eraser_of
from tallylight.database.engine import read_only
from tallylight.health.alarms import AlarmKind
from tallylight.ids import ConversationId, PartyId, TrackId
from tallylight.law.vocabulary import Role
from tallylight.live import sealing
from tallylight.retention.erasure import Outcome, OutcomeState
from tallylight.vault.frame import Frame
from tallylight.vault.keys import Epoch
from tallylight.vault.tables import key as keys
from tests.live.conftest import House, Talk
from tests.live.test_runner import PROOF, TALK, stored

CUSTOMER = "+4520123456"


class LogAlone:
    """Nothing runs any more: what is left of a call is in the log."""

    def __init__(self, house: House) -> None:
        self._house = house

    def erase(self, parties: Sequence[tuple[ConversationId, PartyId]], tracks: Sequence[TrackId]) -> None:
        self._house.log.release(*tracks)


def erase(house: House) -> Outcome:
    return eraser_of(house.store, LogAlone(house)).erase_person(CUSTOMER, country="DK", actor="operator")


def ended_call(house: House) -> Talk:
    """A call of two that is over and written, and of which nothing is sealed yet."""
    talk = Talk(house)
    talk.ask()
    talk.say_yes()
    house.settle()
    agent = talk.join(Role.AGENT, "sip:agent@127.0.0.1")
    talk.speak(talk.customer, 2000)
    talk.speak(agent, 2000)
    written: list[bool] = []
    talk.runner.end("completed", abandoned=False, done=lambda: written.append(True))
    house.settle()
    assert written
    assert house.log.sync()
    return talk


def seal(house: House, talk: Talk, *, erasing_at: int) -> list[Outcome]:
    """Seal the call; while the `erasing_at`-th key is read, the customer is erased."""
    outcomes: list[Outcome] = []
    read: list[Epoch] = []

    def read_and_erase(epoch: Epoch) -> Sequence[Frame]:
        read.append(epoch)
        frames = house.log.read(epoch)
        if len(read) == erasing_at:
            outcomes.append(erase(house))
        return frames

    whole = replace(house.sealer, read=read_and_erase).seal_conversation(
        talk.runner.conversation,
        house.settings.project,
        talk.runner.tracks.expected_ms(),
        talk.runner.offset_ms(),
    )
    assert whole, "what was erased is nothing that waits for the next start"
    return outcomes


def keyed(house: House) -> set[str]:
    """Every key there is."""
    with read_only(house.store.engine) as connection:
        return set(connection.execute(sa.select(keys.c.epoch)).scalars())


@pytest.mark.parametrize("erasing_at", [1, 2, 3])
def test_a_track_that_is_erased_while_it_is_sealed_leaves_no_object(house: House, erasing_at: int) -> None:
    """Sealed are, one key each, the customer's two tracks and the agent's; our own voice said nothing."""
    talk = ended_call(house)
    (outcome,) = seal(house, talk, erasing_at=erasing_at)
    assert (outcome.state, outcome.tracks) == (OutcomeState.COMPLETE, 2)
    states = stored(talk)
    assert states[TALK] == states[PROOF] == ("erased", 0)
    assert states["agent", house.settings.purpose.value] == ("sealed", 2000)
    (left,) = house.store.objects.list()
    (key,) = keyed(house)
    assert left.endswith(key), "the agent's"
    assert house.store.alarms.counts() == {}, "nothing failed: somebody was forgotten"


def test_what_was_erased_before_is_not_sealed(house: House) -> None:
    talk = ended_call(house)
    assert erase(house).state is OutcomeState.COMPLETE
    seal(house, talk, erasing_at=0)
    assert stored(talk)[TALK] == ("erased", 0)
    assert len(list(house.store.objects.list())) == 1
    assert AlarmKind.SEALING_FAILED not in house.store.alarms.counts()


def test_what_was_sealed_first_is_erased_with_its_object(house: House) -> None:
    talk = ended_call(house)
    seal(house, talk, erasing_at=0)
    assert len(list(house.store.objects.list())) == 3
    assert erase(house).state is OutcomeState.COMPLETE
    assert len(list(house.store.objects.list())) == 1


def sealed_again(house: House, talk: Talk, *, again: bool) -> bool:
    return house.sealer.seal_conversation(
        talk.runner.conversation,
        house.settings.project,
        talk.runner.tracks.expected_ms(),
        talk.runner.offset_ms(),
        again=again,
    )


def all_sealed(house: House, talk: Talk) -> bool:
    states = stored(talk)
    return states[TALK] == ("sealed", 2000) and states["agent", house.settings.purpose.value] == ("sealed", 2000)


def test_what_the_database_refused_leaves_no_object_and_is_sealed_at_the_next_try(house: House) -> None:
    talk = ended_call(house)
    house.commits.fail_all()
    assert not sealed_again(house, talk, again=False)
    assert not sealed_again(house, talk, again=True)
    assert list(house.store.objects.list()) == []
    raised = house.store.alarms.counts()[AlarmKind.SEALING_FAILED]
    assert raised == len(stored(talk)), "once for each track, not for each try"
    house.commits.recover()
    assert sealed_again(house, talk, again=True)
    assert all_sealed(house, talk)
    assert {path.rpartition("/")[2] for path in house.store.objects.list()} == keyed(house)


def test_a_commit_that_comes_after_the_wait_is_not_undone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = ended_call(house)
    tracks = list(talk.runner.tracks.expected_ms())
    stall = house.commits.stall(house.commits.next)
    monkeypatch.setattr(sealing, "COMMIT_S", 0.05)
    assert not sealed_again(house, talk, again=False)
    objects = set(house.store.objects.list())
    assert len(objects) == 3, "the unit may still be written: its objects stay"
    stall.release()
    house.store.writer.submit(lambda transaction: None).result(5)
    assert all_sealed(house, talk)
    assert set(house.store.objects.list()) == objects
    assert {path.rpartition("/")[2] for path in objects} == keyed(house)
    assert house.log.sync()
    assert [house.log.acknowledged(track) for track in tracks] == [0] * len(tracks), "the log has let go of it"
    assert sealed_again(house, talk, again=True), "and there is nothing left to do"
