"""The key ring: master key -> project key -> one data key per track and epoch; identities and blind indexes.

The ring does cryptography and remembers unwrapped keys. It writes no table: it gives rows to the caller, whose unit of
work inserts them (`tables`), and takes rows that the caller has read.
"""

import hmac
import os
import weakref
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tallylight.ids import DEFAULT_WORKSPACE, EpochId, TrackId, WorkspaceId, id_bytes, id_text
from tallylight.vault.errors import KeyCorruptError, KeyForgottenError, KeyMissingError
from tallylight.vault.wrapping import (
    KEY_BYTES,
    NONCE_BYTES,
    WRAPPED_BYTES,
    KeyFile,
    KeyWrapper,
    MemoryKeyWrapper,
    context_of,
    derive_key,
    unwrap_key,
    wrap_key,
)

__all__ = [
    "WRAPPED_BYTES",
    "Epoch",
    "EpochKind",
    "EpochRow",
    "KeyFile",
    "KeyRing",
    "KeyWrapper",
    "MemoryKeyWrapper",
    "ProjectKeyRow",
]

BLIND_BYTES = 16
_ID_BYTES = 16


class EpochKind(IntEnum):
    """What a data key encrypts; never both."""

    LIVE = 0
    """Records of the live log."""
    SEALED = 1
    """One sealed object."""


@dataclass(frozen=True, kw_only=True)
class ProjectKeyRow:
    """One version of a project's key, wrapped by the master key. `id` is a UUID; the highest version wraps new keys."""

    workspace: WorkspaceId
    id: str
    project: str
    version: int
    wrapped: bytes


@dataclass(frozen=True, kw_only=True)
class EpochRow:
    """One data key, wrapped by a project key (60 bytes)."""

    workspace: WorkspaceId
    epoch: EpochId
    track: TrackId
    project_key: str
    kind: EpochKind
    wrapped: bytes


class Epoch:
    """An open data key. There is one object per key and process, so that forgetting it forgets it everywhere.

    Not frozen: its key can be dropped, at once and from any thread. (Python cannot overwrite the bytes; they are
    unreachable, and gone with the process.)
    """

    __slots__ = ("__weakref__", "_cipher", "_key", "id", "kind", "row", "track")

    def __init__(self, row: EpochRow, key: bytes) -> None:
        self.row = row
        self.id = row.epoch
        self.track = row.track
        self.kind = row.kind
        self._key: bytes | None = key
        self._cipher: AESGCM | None = AESGCM(key) if row.kind is EpochKind.LIVE else None

    @property
    def key(self) -> bytes:
        """The 32 bytes. Raises KeyForgottenError."""
        key = self._key
        if key is None:
            raise KeyForgottenError(f"The key of epoch {self.id} was dropped: its track is sealed or erased.")
        return key

    @property
    def cipher(self) -> AESGCM:
        """AES-256-GCM with this key, for live records. Raises KeyForgottenError."""
        cipher = self._cipher
        return AESGCM(self.key) if cipher is None else cipher

    @property
    def forgotten(self) -> bool:
        return self._key is None

    def forget(self) -> None:
        """Drop the key from memory."""
        self._key = None
        self._cipher = None

    def __repr__(self) -> str:
        return f"Epoch({self.id}, track {self.track}, {self.kind.name.lower()})"


class _ProjectKey:
    """A project key's two uses under two derived keys, so that a wrapped key and an identity never share a nonce."""

    def __init__(self, row: ProjectKeyRow, key: bytes) -> None:
        self.row = row
        self.wrapping = AESGCM(derive_key(key, b"tallylight project wrap 1"))
        self.identities = AESGCM(derive_key(key, b"tallylight project identity 1"))


class KeyRing:
    """One workspace's keys in memory. Thread-safe: every method is one dictionary step around pure cryptography."""

    def __init__(self, wrapper: KeyWrapper, workspace: WorkspaceId = DEFAULT_WORKSPACE) -> None:
        self.workspace = workspace
        self._wrapper = wrapper
        self._keys: dict[str, _ProjectKey] = {}
        self._current: dict[str, _ProjectKey] = {}
        self._blind: dict[str, bytes] = {}
        self._epochs: weakref.WeakValueDictionary[EpochId, Epoch] = weakref.WeakValueDictionary()

    def new_project_key(self, project: str, key_id: str, version: int = 1) -> ProjectKeyRow:
        """A fresh key for `project`, loaded; `key_id` is a new UUID. The caller inserts the row before using it."""
        key = os.urandom(KEY_BYTES)
        context = self._project_context(project, key_id, version)
        row = ProjectKeyRow(
            workspace=self.workspace,
            id=key_id,
            project=project,
            version=version,
            wrapped=self._wrapper.wrap(key, context),
        )
        self._remember(_ProjectKey(row, key))
        return row

    def load_project_key(self, row: ProjectKeyRow) -> None:
        """Unwrap a stored project key. Raises KeyCorruptError."""
        key = self._wrapper.unwrap(row.wrapped, self._project_context(row.project, row.id, row.version))
        self._remember(_ProjectKey(row, key))

    def has_project(self, project: str) -> bool:
        """Whether a key of `project` is loaded."""
        return project in self._current

    def unload_project(self, project: str) -> None:
        """Drop a project's keys from memory: nothing of it is recorded or read until they are loaded again."""
        self._current.pop(project, None)
        for key in [key for key in tuple(self._keys.values()) if key.row.project == project]:
            self._keys.pop(key.row.id, None)

    def new_epoch(self, *, project: str, track: TrackId, epoch: EpochId, kind: EpochKind = EpochKind.LIVE) -> Epoch:
        """A fresh data key for `track`; its `row` must be committed before anything is stored under it.

        Raises KeyMissingError where no key of `project` is loaded.
        """
        parent = self._current.get(project)
        if parent is None:
            raise KeyMissingError(f"No key of project {project} is loaded: nothing can be recorded for it.")
        key = os.urandom(KEY_BYTES)
        context = self._epoch_context(parent.row, track, epoch, kind)
        row = EpochRow(
            workspace=self.workspace,
            epoch=epoch,
            track=track,
            project_key=parent.row.id,
            kind=kind,
            wrapped=wrap_key(parent.wrapping, key, context),
        )
        made = self._epochs[epoch] = Epoch(row, key)
        return made

    def open_epoch(self, row: EpochRow) -> Epoch:
        """The data key of a stored row. Raises KeyMissingError, KeyCorruptError."""
        known = self._epochs.get(row.epoch)
        if known is not None and not known.forgotten and known.row == row:
            return known
        parent = self._key(row.project_key)
        context = self._epoch_context(parent.row, row.track, row.epoch, row.kind)
        epoch = Epoch(row, unwrap_key(parent.wrapping, row.wrapped, context, f"The key of epoch {row.epoch}"))
        self._epochs[row.epoch] = epoch
        return epoch

    def forget(self, epoch: EpochId) -> None:
        """Drop a data key from memory, wherever in this process it is in use. Harmless where it is not."""
        known = self._epochs.pop(epoch, None)
        if known is not None:
            known.forget()

    def blind(self, kind: str, value: str) -> bytes:
        """The blind index of `value`: 16 bytes that find it again and say nothing about it.

        HMAC-SHA256, truncated, under a key of its own for this workspace and `kind` (`address`, `name` ...). The
        caller normalises `value` first.
        """
        key = self._blind.get(kind)
        if key is None:
            key = self._blind[kind] = self._wrapper.derive(context_of("blind index 1", self.workspace, kind))
        return hmac.digest(key, value.encode(), "sha256")[:BLIND_BYTES]

    def encrypt_identity(self, project: str, context: str, text: str) -> bytes:
        """`text` (a number, a name) under the project's key: key id (16) | nonce (12) | ciphertext | tag (16).

        `context` says what it belongs to (the party's id and the column) and must be given again to read it.
        """
        parent = self._current.get(project)
        if parent is None:
            raise KeyMissingError(f"No key of project {project} is loaded: identities cannot be written for it.")
        nonce = os.urandom(NONCE_BYTES)
        sealed = parent.identities.encrypt(nonce, text.encode(), self._identity_context(parent.row, context))
        return id_bytes(parent.row.id) + nonce + sealed

    def decrypt_identity(self, project: str, context: str, blob: bytes) -> str:
        """The text again. Raises KeyMissingError, KeyCorruptError."""
        if len(blob) < _ID_BYTES + NONCE_BYTES + 16:
            raise KeyCorruptError("An encrypted identity is cut off: restore it from a backup.")
        parent = self._key(id_text(blob[:_ID_BYTES]))
        nonce, sealed = blob[_ID_BYTES : _ID_BYTES + NONCE_BYTES], blob[_ID_BYTES + NONCE_BYTES :]
        try:
            if parent.row.project != project:
                raise InvalidTag
            return parent.identities.decrypt(nonce, sealed, self._identity_context(parent.row, context)).decode()
        except InvalidTag:
            raise KeyCorruptError(
                "An encrypted identity does not belong where it was found: restore it from a backup."
            ) from None

    def _remember(self, key: _ProjectKey) -> None:
        self._keys[key.row.id] = key
        current = self._current.get(key.row.project)
        if current is None or current.row.version <= key.row.version:
            self._current[key.row.project] = key

    def _key(self, key_id: str) -> _ProjectKey:
        key = self._keys.get(key_id)
        if key is None:
            raise KeyMissingError(f"Project key {key_id} is not loaded: read it from the database first.")
        return key

    def _project_context(self, project: str, key_id: str, version: int) -> bytes:
        return context_of("project key 1", self.workspace, project, key_id, str(version))

    def _identity_context(self, parent: ProjectKeyRow, context: str) -> bytes:
        return context_of("identity 1", self.workspace, parent.project, parent.id, context)

    def _epoch_context(self, parent: ProjectKeyRow, track: TrackId, epoch: EpochId, kind: EpochKind) -> bytes:
        return context_of(
            "data key 1", self.workspace, parent.project, track, epoch, parent.id, str(parent.version), kind.name
        )
