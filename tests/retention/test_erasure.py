"""Erasing a person: everything of theirs goes, nothing of anybody else's, and only a search that finds nothing is proof."""

import errno
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from tallylight.catalogue.addresses import AddressError
from tallylight.catalogue.copies import LiveLogCopies, ObjectCopies
from tallylight.catalogue.errors import NothingStoredError
from tallylight.catalogue.explanation import explain
from tallylight.catalogue.queries import find_parties, list_conversations
from tallylight.catalogue.tables import copy as copies
from tallylight.catalogue.tables import party as parties
from tallylight.database.engine import database_files, read_only
from tallylight.database.errors import DatabaseUnavailable
from tallylight.database.events import read_after, read_head, read_stream
from tallylight.database.hygiene import checkpoint_wal, raw_search
from tallylight.errors import TallylightError
from tallylight.ids import ConversationId, PartyId, TrackId
from tallylight.law.pack import default_pack
from tallylight.law.vocabulary import Purpose
from tallylight.ledger.merkle import Frontier
from tallylight.retention.certificate import verify_certificate
from tallylight.retention.erasure import Eraser, LiveErasure, Outcome, OutcomeState, Step
from tallylight.retention.errors import CertificateError, NobodyError
from tallylight.retention.search import RawSearch
from tallylight.retention.tables import erasure as erasures
from tallylight.vault.disk import Call as DiskCall
from tallylight.vault.disk import FaultyDisk
from tallylight.vault.objects import LocalObjects, ObjectStore
from tests.catalogue.house import AGENT, CUSTOMER, WITH_GROUND, Call, House

CANARY = "+4531415926"
SPELLINGS = (b"4531415926", b"31415926")


class Obedient:
    """Running calls that do what they are told, and remember it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.parties: list[tuple[ConversationId, PartyId]] = []
        self.tracks: list[TrackId] = []

    def erase(self, parties: Sequence[tuple[ConversationId, PartyId]], tracks: Sequence[TrackId]) -> None:
        self.parties += parties
        self.tracks += tracks
        self.house.log.release(*tracks)
        assert self.house.log.sync()


def eraser(
    house: House,
    *,
    live: LiveErasure | None = None,
    on_step: Callable[[Step], None] | None = None,
    objects: ObjectStore | None = None,
    logs: Sequence[Path] = (),
    wait_s: float = 10.0,
) -> Eraser:
    return Eraser(
        workspace=house.workspace,
        engine=house.engine,
        writer=house.writer,
        keys=house.keys,
        clock=house.clock,
        holders=(LiveLogCopies(house.live_folder), ObjectCopies(objects or house.objects)),
        live=live or Obedient(house),
        evidence=RawSearch(house.engine, logs=lambda: logs, timeout_s=wait_s),
        signer=house.ledger_key,
        on_step=on_step,
    )


def erase(house: House, address: str = CANARY, **ports: object) -> Outcome:
    return eraser(house, **ports).erase_person(address, country="DK", actor="operator")  # type: ignore[arg-type]


def stored_bytes(house: House, call: Call) -> list[bytes]:
    """Exactly what was stored of the canary: wrapped keys, encrypted address, blind index, plain spellings."""
    mine = {track.track for track in call.tracks if track.party == call.customer}
    with read_only(house.engine) as connection:
        row = connection.execute(sa.select(parties).where(parties.c.party == call.customer)).one()
    wrapped = [row.wrapped for track, rows in call.key_rows().items() if track in mine for row in rows]
    assert row.blind is not None
    return [*wrapped, bytes(row.blind), bytes(row.address_enc), *SPELLINGS]


def hits(house: House, needles: list[bytes]) -> list[bytes]:
    assert checkpoint_wal(house.engine)
    return [needles[hit.needle] for hit in raw_search(database_files(house.engine), needles)]


def assert_ledger_holds(house: House) -> None:
    """Every leaf still adds up to the head."""
    with read_only(house.engine) as connection:
        rebuilt = Frontier()
        for event in read_after(connection, -1, 100_000):
            rebuilt = rebuilt.append(event.leaf_hash())
        assert rebuilt == read_head(connection)


def assert_gone(house: House, call: Call, needles: list[bytes], paths: list[str]) -> None:
    assert hits(house, needles) == []
    assert not any(house.objects.exists(path) for path in paths)
    assert all(not rows for track, rows in call.key_rows().items() if call.customer in _owner(call, track))
    customer, agent = house.entry(call.id).people
    assert (customer.address, customer.stored_ms) == (None, 0)
    assert {track.state for track in customer.tracks} == {"erased"}
    with pytest.raises(NothingStoredError):
        house.playback().play(call.id, "customer", actor="operator")
    assert agent.address == AGENT
    assert house.playback().play(call.id, "agent", actor="operator").stored_ms > 0
    with read_only(house.engine) as connection:
        row = connection.execute(sa.select(erasures)).one()
    assert (row.state, row.subject, row.draft, row.needles) == ("complete", None, None, None)
    assert_ledger_holds(house)


def _owner(call: Call, track: TrackId) -> set[PartyId]:
    return {each.party for each in call.tracks if each.track == track}


def paths_of(house: House, call: Call) -> list[str]:
    return [track.path for track in house.entry(call.id).people[0].tracks if track.path is not None]


@pytest.mark.parametrize("spelling", [CANARY, "31 41 59 26", "sip:004531415926@somewhere.example;user=phone"])
def test_a_person_is_gone_and_nobody_else(each_house: House, spelling: str) -> None:
    call = Call(each_house, customer=CANARY).accepted().speak(3000).sealed()
    other = Call(each_house).accepted().speak(3000).sealed()
    needles, paths = stored_bytes(each_house, call), paths_of(each_house, call)
    sqlite = each_house.engine.dialect.name == "sqlite"
    if sqlite:
        assert len(set(hits(each_house, needles))) == len(needles) - len(SPELLINGS), "they were there"
    assert len(paths) == 2

    outcome = erase(each_house, spelling)

    assert (outcome.state, outcome.remains) == (OutcomeState.COMPLETE, ())
    assert_gone(each_house, call, needles, paths)
    assert each_house.entry(other.id).people[0].address == CUSTOMER
    assert each_house.playback().play(other.id, "customer", actor="operator").stored_ms == 5000
    with read_only(each_house.engine) as connection:
        assert find_parties(connection, workspace=each_house.workspace, keys=each_house.keys, address=CANARY) == ()
        mine = [track.track for track in call.tracks if track.party == call.customer]
        states = connection.execute(sa.select(copies.c.location, copies.c.state).where(copies.c.track.in_(mine))).all()
    assert {tuple(row) for row in states} == {("live", "gone"), ("objects", "gone")}


def test_the_certificate_names_what_could_not_be_searched(each_house: House, tmp_path: Path) -> None:
    Call(each_house, customer=CANARY).accepted().sealed()
    log = tmp_path / "tallylight.log"
    log.write_text("ready\n")
    certificate = erase(each_house, logs=[log]).certificate
    assert certificate is not None
    method = certificate["method"]
    assert isinstance(method, Sequence)
    unsearched = "rows deleted in PostgreSQL, whose own files, archives and backups were not searched"
    if each_house.engine.dialect.name == "sqlite":
        assert unsearched not in method
        assert any(
            str(each).startswith("searched byte for byte: tallylight.db,") and str(each).endswith(", tallylight.log")
            for each in method
        )
    else:
        assert unsearched in method
        assert "searched byte for byte: tallylight.log" in method
    Call(each_house, customer=CANARY).accepted().sealed()
    again = erase(each_house).certificate
    assert again is not None
    assert ("searched byte for byte: " in str(again["method"])) is (each_house.engine.dialect.name == "sqlite")


def test_keys_that_are_open_somewhere_are_forgotten(house: House) -> None:
    call = Call(house, customer=CANARY).accepted().speak(1000).sealed()
    rows = {track: found[0] for track, found in call.key_rows().items()}
    opened = {track: house.keys.open_epoch(row) for track, row in rows.items()}
    erase(house)
    for track, epoch in opened.items():
        assert epoch.forgotten is (call.customer in _owner(call, track))


def test_the_certificate_says_what_was_done(house: House) -> None:
    call = Call(house, customer=CANARY).accepted().speak(3000).sealed()
    outcome = erase(house)
    certificate = outcome.certificate
    assert certificate is not None
    assert certificate["state"] == "complete"
    tracks = certificate["tracks"]
    assert isinstance(tracks, Sequence)
    assert {(str(each["purpose"]), each["keys_destroyed"]) for each in tracks if isinstance(each, Mapping)} == {
        ("quality_assurance", 1),
        ("proof_of_consent", 1),
    }
    assert all(each["copies"] == {"live": "gone", "objects": "gone"} for each in tracks if isinstance(each, Mapping))
    assert certificate["kept"] == []
    stays = certificate["stays"]
    assert isinstance(stays, Sequence)
    assert {(each["role"], each["party"]) for each in stays if isinstance(each, Mapping)} == {
        ("system", call.system),
        ("agent", call.agent),
    }
    ledger = certificate["ledger"]
    assert isinstance(ledger, Sequence)
    with read_only(house.engine) as connection:
        events = {event.leaf: event for event in read_after(connection, -1, 10_000)}
        kept = connection.execute(sa.select(erasures.c.certificate)).scalar_one()
    named = [events[int(str(each["leaf"]))].type for each in ledger if isinstance(each, Mapping)]
    assert named == ["ErasureRequested", "ErasureKeysDestroyed", "ErasureCopiesRemoved"]
    assert events[max(events)].type == "ErasureCompleted"
    assert CANARY[1:] not in kept
    verify_certificate(certificate, house.ledger_key.public_key)
    for name, value in (("state", "pending"), ("tracks", []), ("erasure", "another")):
        with pytest.raises(CertificateError):
            verify_certificate({**certificate, name: value}, house.ledger_key.public_key)
    with pytest.raises(CertificateError):
        verify_certificate({**certificate, "signature": "none"}, house.ledger_key.public_key)


def test_how_the_person_answered_goes_and_what_was_decided_stays(house: House) -> None:
    call = Call(house, customer=CANARY).accepted().speak(1000).sealed()
    erase(house)
    with read_only(house.engine) as connection:
        events = read_stream(connection, call.id)
        explanation = explain(connection, workspace=house.workspace, conversation=call.id, today=default_pack())
    assert {event.type for event in events if event.payload is None} == {"ConsentGiven"}
    assert all(event.salt is None for event in events if event.payload is None)
    assert [event.type for event in events][-2:] == ["TrackErased", "TrackErased"]
    assert explanation.segments
    assert b"digit 1 at" not in b"".join(path.read_bytes() for path in database_files(house.engine) if path.exists())


def test_a_proof_that_is_kept_on_a_ground_stays_and_is_listed(house: House) -> None:
    call = Call(house, customer=CANARY, settings=WITH_GROUND).accepted().speak(3000).sealed()
    proof = call.track_of(call.customer, Purpose.PROOF_OF_CONSENT)
    outcome = erase(house)
    assert outcome.certificate is not None
    kept = outcome.certificate["kept"]
    assert isinstance(kept, Sequence)
    assert [(each["track"], each["ground"]) for each in kept if isinstance(each, Mapping)] == [
        (proof.track, WITH_GROUND.proof_ground)
    ]
    customer = house.entry(call.id).people[0]
    assert (customer.address, customer.stored_ms) == (None, 0)
    assert {track.purpose: track.state for track in customer.tracks} == {
        Purpose.QUALITY_ASSURANCE: "erased",
        Purpose.PROOF_OF_CONSENT: "sealed",
    }
    played = house.playback().play(call.id, "customer", actor="operator", purpose=Purpose.PROOF_OF_CONSENT)
    assert played.stored_ms == 2000
    with read_only(house.engine) as connection:
        assert all(event.payload is not None for event in read_stream(connection, call.id))


@pytest.mark.parametrize("step", list(Step))
def test_an_erasure_stopped_after_any_step_is_finished_by_a_repeat(house: House, step: Step) -> None:
    calls = [Call(house, customer=CANARY).accepted().speak(2000).sealed() for _ in range(2)]
    needles = [needle for call in calls for needle in stored_bytes(house, call)]
    paths = [path for call in calls for path in paths_of(house, call)]

    def stop(done: Step) -> None:
        if done is step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase(house, on_step=stop)
    if step is not Step.COMPLETED:
        assert not set(hits(house, list(SPELLINGS))), "what a repeat needs is no copy of the person"
        with read_only(house.engine) as connection:
            (state,) = connection.execute(sa.select(erasures.c.state)).scalars()
        assert state == "pending"
    outcome = erase(house)
    assert outcome.state is OutcomeState.COMPLETE
    if step is Step.COMPLETED:
        assert outcome.people == 0
        assert hits(house, needles) == []
        return
    assert (outcome.people, outcome.tracks) == (2, 4)
    for call in calls:
        assert_gone(house, call, needles, paths)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_an_erasure_whose_commit_fails_is_finished_by_a_repeat(house: House, number: int) -> None:
    call = Call(house, customer=CANARY).accepted().speak(2000).sealed()
    needles, paths = stored_bytes(house, call), paths_of(house, call)
    house.faults.fail(house.faults.next + number - 1)
    with pytest.raises(DatabaseUnavailable):
        erase(house)
    assert erase(house).state is OutcomeState.COMPLETE
    assert_gone(house, call, needles, paths)


def test_an_erasure_commits_five_times(house: House) -> None:
    """What the test above counts on: claim, keys, copies, another look, certificate."""
    Call(house, customer=CANARY).accepted().sealed()
    before = house.faults.next
    erase(house)
    assert house.faults.next - before == 5


@pytest.mark.parametrize("call_name", [DiskCall.UNLINK, DiskCall.FSYNC_FOLDER])
@pytest.mark.parametrize("number", [1, 2])
def test_an_object_that_cannot_be_removed_is_named_and_a_repeat_removes_it(
    house: House, call_name: DiskCall, number: int
) -> None:
    call = Call(house, customer=CANARY).accepted().speak(2000).sealed()
    needles, paths = stored_bytes(house, call), paths_of(house, call)
    disk = FaultyDisk()
    objects = LocalObjects(house.directory / "objects", disk)
    disk.fail(call_name, errno.EIO, nth=disk.calls[call_name] + number)
    pending = erase(house, objects=objects)
    assert (pending.state, pending.certificate) == (OutcomeState.PENDING, None)
    mine = {f"objects copy of track {track.track}" for track in call.tracks if track.party == call.customer}
    assert len(pending.remains) == 1
    assert set(pending.remains) < mine
    assert pending.to_json() == {
        "erasure": pending.erasure,
        "state": "pending",
        "remains": list(pending.remains),
    }
    assert hits(house, needles) == [], "the keys went all the same"
    with pytest.raises(NothingStoredError):
        house.playback().play(call.id, "customer", actor="operator")
    done = erase(house, objects=objects)
    assert (done.state, done.erasure) == (OutcomeState.COMPLETE, pending.erasure)
    assert_gone(house, call, needles, paths)


def test_a_running_call_obeys_first(house: House) -> None:
    call = Call(house, customer=CANARY).accepted().speak(3000)
    mine = {track.track for track in call.tracks if track.party == call.customer}
    needles = stored_bytes(house, call)
    live = Obedient(house)
    outcome = erase(house, live=live)
    assert outcome.state is OutcomeState.COMPLETE
    assert live.parties == [(call.id, call.customer)]
    assert set(live.tracks) == mine
    assert all(track.epoch.forgotten for track in call.tracks if track.party == call.customer)
    assert hits(house, needles) == []
    assert outcome.certificate is not None
    tracks = outcome.certificate["tracks"]
    assert isinstance(tracks, Sequence)
    assert all(
        each["copies"] == {"live": "unreadable", "objects": "gone"} for each in tracks if isinstance(each, Mapping)
    ), "the agent's records keep the log file"
    call.tracks = [track for track in call.tracks if track.party != call.customer]
    call.speak(2000).sealed()
    customer, agent = house.entry(call.id).people
    assert (customer.address, customer.stored_ms, agent.stored_ms) == (None, 0, 5000)
    assert house.log.sync()
    assert not [path for path in house.live_folder.iterdir() if path.suffix == ".live"], "the last records went"


@pytest.mark.parametrize(
    ("error", "why"),
    [(TallylightError("The loop is closed."), "The loop is closed."), (TimeoutError(), "they did not answer in time")],
)
def test_calls_that_cannot_obey_now_leave_it_pending(house: House, error: Exception, why: str) -> None:
    call = Call(house, customer=CANARY).accepted().speak(1000)

    class Deaf:
        def erase(self, parties: Sequence[tuple[ConversationId, PartyId]], tracks: Sequence[TrackId]) -> None:
            raise error

    pending = erase(house, live=Deaf())
    assert (pending.state, pending.remains) == (
        OutcomeState.PENDING,
        (f"running calls: {why}",),
    )
    assert all(call.key_rows().values()), "no key goes while a gate may be open"
    assert erase(house).state is OutcomeState.COMPLETE


def test_a_call_that_comes_in_between_is_taken_too(house: House) -> None:
    Call(house, customer=CANARY).accepted().speak(1000).sealed()
    later: list[Call] = []

    def call_again(step: Step) -> None:
        if step is Step.KEYS_DESTROYED and not later:
            later.append(Call(house, customer=CANARY).accepted().speak(1000).sealed())

    outcome = erase(house, on_step=call_again)
    assert (outcome.state, outcome.people) == (OutcomeState.COMPLETE, 2)
    assert house.entry(later[0].id).people[0].stored_ms == 0


def test_more_calls_than_fit_one_unit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallylight.retention.scope.AT_ONCE", 2)
    calls = [Call(house, customer=CANARY).accepted().sealed() for _ in range(5)]
    needles = [needle for call in calls for needle in stored_bytes(house, call)]
    outcome = erase(house)
    assert (outcome.state, outcome.people, outcome.tracks) == (OutcomeState.COMPLETE, 5, 10)
    assert hits(house, needles) == []


def test_a_number_in_a_text_log_is_named_and_withholds_the_certificate(house: House, tmp_path: Path) -> None:
    Call(house, customer=CANARY).accepted().sealed()
    log = tmp_path / "tallylight.log"
    log.write_text("INVITE from sip:31415926@gateway.example\n")
    pending = erase(house, logs=[log])
    assert (pending.state, pending.remains) == (OutcomeState.PENDING, ("plain identifier in tallylight.log",))
    log.write_text("INVITE from a caller\n")
    assert erase(house, logs=[log]).state is OutcomeState.COMPLETE


def test_what_a_page_split_left_behind_is_found_and_rewritten(house: House) -> None:
    call = Call(house, customer=CANARY).accepted().sealed()
    needles = stored_bytes(house, call)
    with house.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA secure_delete=OFF")
        driver.execute("CREATE TABLE careless (content BLOB)")
        driver.execute("INSERT INTO careless VALUES (?), (zeroblob(10))", [needles[0]])
        driver.execute("DELETE FROM careless WHERE content = ?", [needles[0]])
        driver.execute("PRAGMA secure_delete=ON")
    outcome = erase(house)
    assert outcome.state is OutcomeState.COMPLETE
    assert outcome.certificate is not None
    assert "database rewritten (VACUUM)" in outcome.certificate["method"]  # type: ignore[operator]
    assert hits(house, needles) == []


def test_a_live_copy_elsewhere_in_the_database_withholds_the_certificate(house: House) -> None:
    Call(house, customer=CANARY).accepted().sealed()
    with house.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE careless (content TEXT)")
        connection.exec_driver_sql("INSERT INTO careless VALUES ('call 31415926 back')")
    pending = erase(house)
    assert (pending.state, pending.remains) == (OutcomeState.PENDING, ("plain identifier in tallylight.db",))


def test_a_reader_that_stays_leaves_it_pending(house: House) -> None:
    call = Call(house, customer=CANARY).accepted().speak(1000).sealed()
    needles, paths = stored_bytes(house, call), paths_of(house, call)
    with house.engine.connect() as reader:
        driver = reader.connection.driver_connection
        assert driver is not None
        driver.execute("BEGIN")
        driver.execute("SELECT count(*) FROM party").fetchone()
        pending = erase(house, wait_s=0.3)
        driver.execute("ROLLBACK")
    assert pending.state is OutcomeState.PENDING
    assert "write-ahead log" in pending.remains[0]
    assert erase(house).state is OutcomeState.COMPLETE
    assert_gone(house, call, needles, paths)


def test_readers_beside_an_erasure_neither_stop_it_nor_are_stopped(house: House) -> None:
    calls = [Call(house, customer=CANARY).accepted().speak(1000).sealed() for _ in range(3)]
    needles = [needle for call in calls for needle in stored_bytes(house, call)]
    stop, reads, errors = threading.Event(), [0], list[BaseException]()

    def read() -> None:
        while not stop.is_set():
            try:
                with read_only(house.engine) as connection:
                    list_conversations(connection, workspace=house.workspace, keys=house.keys)
                    explain(connection, workspace=house.workspace, conversation=calls[0].id, today=default_pack())
                reads[0] += 1
            except BaseException as error:
                errors.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        outcome = erase(house)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert errors == []
    assert reads[0] > 0
    assert outcome.state is OutcomeState.COMPLETE
    assert hits(house, needles) == []


def test_nothing_known_of_a_person_is_complete_and_says_so(house: House) -> None:
    Call(house).accepted().sealed()
    outcome = erase(house)
    assert (outcome.state, outcome.people, outcome.tracks) == (OutcomeState.COMPLETE, 0, 0)
    assert outcome.certificate is not None
    assert outcome.certificate["tracks"] == []


def test_an_agent_is_erased_like_anybody(house: House) -> None:
    call = Call(house, agent="sip:Anna.Larsen@pbx.example").accepted().speak(2000).sealed()
    assert erase(house, '"A" <sip:anna.larsen@PBX.example:5060>').state is OutcomeState.COMPLETE
    customer, agent = house.entry(call.id).people
    assert (agent.address, agent.stored_ms) == (None, 0)
    assert customer.stored_ms == 4000


def test_whom_an_address_names_must_be_clear(house: House) -> None:
    with pytest.raises(NobodyError, match="shared by many"):
        erase(house, "sip:anonymous@anonymous.invalid")
    with pytest.raises(AddressError, match="country code"):
        erase(house, "somebody")
    with read_only(house.engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(erasures)).scalar_one() == 0


def test_notes_of_an_unfinished_erasure_open_nothing(house: House) -> None:
    """Between the keys' end and the certificate the row holds nonces and tags alone, and those encrypted."""
    call = Call(house, customer=CANARY).accepted().sealed()
    mine = [row for track, rows in call.key_rows().items() if call.customer in _owner(call, track) for row in rows]

    def stop(done: Step) -> None:
        if done is Step.SEARCHED:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase(house, on_step=stop)
    with read_only(house.engine) as connection:
        row = connection.execute(sa.select(erasures)).one()
    opened = house.keys.decrypt_identity("support", f"{row.erasure} needles", bytes(row.needles))
    for wrapped in (each.wrapped for each in mine):
        assert wrapped[:12].hex() in opened
        assert wrapped[12:-16].hex() not in opened
        assert wrapped[:12] not in bytes(row.needles)
