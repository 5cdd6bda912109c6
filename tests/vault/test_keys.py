"""The key ring and the master key's file."""

import dataclasses
import gc
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.ids import EpochId, TrackId, WorkspaceId
from tallylight.vault.errors import KeyCorruptError, KeyExposedError, KeyForgottenError, KeyMissingError
from tallylight.vault.keys import (
    WRAPPED_BYTES,
    EpochKind,
    EpochRow,
    KeyFile,
    KeyRing,
    MemoryKeyWrapper,
    ProjectKeyRow,
)
from tallylight.vault.wrapping import context_of
from tests.vault.making import PROJECT, epoch, fresh, ring


def test_a_first_start_makes_a_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    made = KeyFile.create(tmp_path / "keys")
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o400
    assert stat.S_IMODE(made.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in made.path.parent.iterdir()] == ["master.key"]
    again = KeyFile(tmp_path / "keys")
    assert again.unwrap(made.wrap(bytes(32), b"context"), b"context") == bytes(32)
    assert KeyFile.create(tmp_path / "keys").derive(b"x") == made.derive(b"x")


def test_many_first_starts_at_once_end_with_one_key(tmp_path: Path) -> None:
    derived: list[bytes] = []
    threads = [threading.Thread(target=lambda: derived.append(KeyFile.create(tmp_path).derive(b""))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(derived) == 8
    assert len(set(derived)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["master.key"]


def test_a_missing_master_key_is_never_replaced_silently(tmp_path: Path) -> None:
    with pytest.raises(KeyMissingError, match="put it back from its backup") as caught:
        KeyFile(tmp_path)
    assert caught.value.code == "key_missing"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o620])
def test_a_key_that_others_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = KeyFile.create(tmp_path).path
    path.chmod(mode)
    with pytest.raises(KeyExposedError, match=f"chmod 0400 {path}"):
        KeyFile(tmp_path)


def test_every_changed_byte_of_the_key_file_is_noticed(tmp_path: Path) -> None:
    path = KeyFile.create(tmp_path).path
    content = path.read_bytes()
    path.chmod(0o600)
    for at in range(len(content) - 1):
        changed = bytearray(content)
        changed[at] ^= 0x01
        path.write_bytes(changed)
        with pytest.raises(KeyCorruptError, match="from its backup"):
            KeyFile(tmp_path)
    for length in range(len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(KeyCorruptError):
            KeyFile(tmp_path)


def test_a_data_key_is_wrapped_and_opened_again_by_a_restarted_ring() -> None:
    master = os.urandom(32)
    before = KeyRing(MemoryKeyWrapper(master))
    project = before.new_project_key(PROJECT, fresh())
    made = epoch(before)
    assert len(made.row.wrapped) == len(project.wrapped) == WRAPPED_BYTES == 60
    after = KeyRing(MemoryKeyWrapper(master))
    with pytest.raises(KeyMissingError, match="read it from the database"):
        after.open_epoch(made.row)
    after.load_project_key(project)
    assert after.open_epoch(made.row).key == made.key
    assert made.key not in made.row.wrapped


def test_another_master_key_opens_nothing() -> None:
    row = KeyRing(MemoryKeyWrapper()).new_project_key(PROJECT, fresh())
    with pytest.raises(KeyCorruptError, match="put back the master key"):
        KeyRing(MemoryKeyWrapper()).load_project_key(row)


_row_changes: list[dict[str, object]] = [
    {"track": TrackId(fresh())},
    {"epoch": EpochId(fresh())},
    {"kind": EpochKind.SEALED},
    {"wrapped": bytes(60)},
    {"wrapped": bytes(59)},
]


@pytest.mark.parametrize("change", _row_changes, ids=lambda change: next(iter(change)))
def test_a_row_moved_to_another_place_does_not_open(change: dict[str, object]) -> None:
    keys = ring()
    moved = dataclasses.replace(epoch(keys).row, **change)  # type: ignore[arg-type]
    with pytest.raises(KeyCorruptError):
        keys.open_epoch(moved)


@pytest.mark.parametrize(
    "change", [{"project": "other"}, {"version": 2}, {"id": fresh()}, {"wrapped": b""}], ids=lambda c: next(iter(c))
)
def test_a_project_key_moved_to_another_place_does_not_open(change: dict[str, object]) -> None:
    wrapper = MemoryKeyWrapper()
    row: ProjectKeyRow = KeyRing(wrapper).new_project_key(PROJECT, fresh())
    with pytest.raises(KeyCorruptError):
        KeyRing(wrapper).load_project_key(dataclasses.replace(row, **change))  # type: ignore[arg-type]


def test_another_workspace_opens_nothing() -> None:
    wrapper = MemoryKeyWrapper()
    row = KeyRing(wrapper).new_project_key(PROJECT, fresh())
    with pytest.raises(KeyCorruptError):
        KeyRing(wrapper, WorkspaceId(fresh())).load_project_key(row)


def test_a_project_without_a_key_records_nothing() -> None:
    keys = ring()
    assert keys.has_project(PROJECT)
    assert not keys.has_project("other")
    with pytest.raises(KeyMissingError, match="nothing can be recorded"):
        keys.new_epoch(project="other", track=TrackId(fresh()), epoch=EpochId(fresh()))
    with pytest.raises(KeyMissingError):
        keys.encrypt_identity("other", "party", "text")


def test_new_keys_are_wrapped_by_the_newest_version_and_old_ones_still_open() -> None:
    keys = ring()
    old = epoch(keys)
    second = keys.new_project_key(PROJECT, fresh(), version=2)
    new = epoch(keys)
    assert new.row.project_key == second.id != old.row.project_key
    rows: list[EpochRow] = [old.row, new.row]
    del old, new
    gc.collect()
    assert [len(keys.open_epoch(row).key) for row in rows] == [32, 32]


def test_loading_an_older_version_later_does_not_make_it_current() -> None:
    wrapper = MemoryKeyWrapper()
    made = KeyRing(wrapper)
    first = made.new_project_key(PROJECT, fresh())
    second = made.new_project_key(PROJECT, fresh(), version=2)
    keys = KeyRing(wrapper)
    keys.load_project_key(second)
    keys.load_project_key(first)
    assert epoch(keys).row.project_key == second.id


def test_forgetting_a_key_forgets_it_wherever_it_is_in_use() -> None:
    keys = ring()
    held = epoch(keys)
    assert keys.open_epoch(held.row) is held
    keys.forget(held.id)
    assert held.forgotten
    with pytest.raises(KeyForgottenError, match="sealed or erased"):
        _ = held.key
    with pytest.raises(KeyForgottenError):
        _ = held.cipher
    reopened = keys.open_epoch(held.row)
    assert not reopened.forgotten
    keys.forget(EpochId(fresh()))


def test_a_printed_key_does_not_show_its_bytes() -> None:
    made = epoch(ring())
    assert made.key.hex() not in repr(made)
    assert repr(made.key) not in repr(made)


def test_the_blind_index_is_stable_and_separate_for_each_workspace_and_kind() -> None:
    wrapper = MemoryKeyWrapper()
    value = "+4512345678"
    one = KeyRing(wrapper).blind("address", value)
    assert len(one) == 16
    assert one == KeyRing(wrapper).blind("address", value)
    others = {
        KeyRing(wrapper).blind("name", value),
        KeyRing(wrapper, WorkspaceId(fresh())).blind("address", value),
        KeyRing(MemoryKeyWrapper()).blind("address", value),
        KeyRing(wrapper).blind("address", value + "0"),
    }
    assert len(others) == 4
    assert one not in others


@given(st.text(max_size=60))
def test_an_identity_is_read_only_where_it_belongs(text: str) -> None:
    keys = _IDENTITIES
    blob = keys.encrypt_identity(PROJECT, "party 1 address", text)
    assert keys.decrypt_identity(PROJECT, "party 1 address", blob) == text
    assert blob != keys.encrypt_identity(PROJECT, "party 1 address", text)
    with pytest.raises(KeyCorruptError, match="does not belong"):
        keys.decrypt_identity(PROJECT, "party 2 address", blob)
    with pytest.raises(KeyCorruptError):
        keys.decrypt_identity("other", "party 1 address", blob)


_IDENTITIES = ring()


def test_a_changed_identity_is_refused() -> None:
    blob = _IDENTITIES.encrypt_identity(PROJECT, "c", "Anna")
    for at in range(16, len(blob)):
        changed = bytearray(blob)
        changed[at] ^= 0x80
        with pytest.raises(KeyCorruptError):
            _IDENTITIES.decrypt_identity(PROJECT, "c", bytes(changed))
    with pytest.raises(KeyMissingError):
        _IDENTITIES.decrypt_identity(PROJECT, "c", bytes(16) + blob[16:])
    with pytest.raises(KeyCorruptError, match="cut off"):
        _IDENTITIES.decrypt_identity(PROJECT, "c", blob[:43])


@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_contexts_are_unambiguous(one: list[bytes], other: list[bytes]) -> None:
    assert (context_of(*one) == context_of(*other)) == (one == other)
