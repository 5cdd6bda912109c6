"""The master key as a port: it wraps other keys and never leaves its own room.

`KeyFile` keeps it in a file of the data directory; `MemoryKeyWrapper` is its twin for tests and simulation. An HSM or
a cloud's key service is one more class of this shape.
"""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tallylight.vault.errors import KeyCorruptError, KeyExposedError, KeyMissingError

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES
"""A wrapped 256-bit key is always 60 bytes: rows of one size, so that a deleted one is overwritten whole."""

MASTER_FILE = "master.key"
_FIRST_LINE = "tallylight master key 1"


class KeyWrapper(Protocol):
    """What a master key can do. `context` is authenticated, not stored: unwrapping needs the same one."""

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """`key` (32 bytes) encrypted, 60 bytes."""

    def unwrap(self, blob: bytes, context: bytes) -> bytes:
        """The key again. Raises KeyCorruptError."""

    def derive(self, context: bytes) -> bytes:
        """A 32-byte key that only this master key yields for `context`: always the same one."""


def context_of(*parts: str | bytes) -> bytes:
    """Parts as one unambiguous byte string: each is preceded by its length (u16)."""
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(len(part).to_bytes(2, "big") + part for part in encoded)


def derive_key(key: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt: 32 bytes."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)


def wrap_key(cipher: AESGCM, key: bytes, context: bytes) -> bytes:
    """nonce (12) | ciphertext (32) | tag (16)."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, key, context)


def unwrap_key(cipher: AESGCM, blob: bytes, context: bytes, what: str) -> bytes:
    """The key inside `blob`. `what` names it in the message of KeyCorruptError."""
    if len(blob) != WRAPPED_BYTES:
        raise KeyCorruptError(f"{what} is {len(blob)} bytes instead of {WRAPPED_BYTES}: restore the key table.")
    try:
        return cipher.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], context)
    except InvalidTag:
        raise KeyCorruptError(
            f"{what} cannot be unwrapped: put back the master key it was wrapped with, or restore the key table."
        ) from None


class MemoryKeyWrapper:
    """A master key in memory only."""

    def __init__(self, master: bytes | None = None) -> None:
        master = os.urandom(KEY_BYTES) if master is None else master
        if len(master) != KEY_BYTES:
            raise KeyCorruptError(f"A master key is {KEY_BYTES} bytes, not {len(master)}.")
        self._cipher = AESGCM(derive_key(master, b"tallylight master wrap 1"))
        self._root = derive_key(master, b"tallylight master derive 1")

    def wrap(self, key: bytes, context: bytes) -> bytes:
        return wrap_key(self._cipher, key, context)

    def unwrap(self, blob: bytes, context: bytes) -> bytes:
        return unwrap_key(self._cipher, blob, context, "A project key")

    def derive(self, context: bytes) -> bytes:
        return derive_key(self._root, context)


class KeyFile(MemoryKeyWrapper):
    """The master key in `folder`/master.key: mode 0400, three lines (format, key in hex, check)."""

    def __init__(self, folder: Path) -> None:
        """Load the key. Raises KeyMissingError, KeyExposedError, KeyCorruptError."""
        self.path = folder / MASTER_FILE
        super().__init__(_read(self.path))

    @classmethod
    def create(cls, folder: Path, entropy: Callable[[int], bytes] = os.urandom) -> "KeyFile":
        """Make the key, durably; where one exists already, load it (two first starts at once end with one key)."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / MASTER_FILE
        if not path.exists():
            _write(path, entropy(KEY_BYTES))
        return cls(folder)


def _check_of(key: bytes) -> str:
    return hashlib.sha256(b"tallylight master check" + key).hexdigest()[:16]


def _write(path: Path, key: bytes) -> None:
    """Whole or not at all: written beside, made durable, then linked to its name, which never replaces a key."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
    try:
        os.fchmod(handle, 0o400)
        content = f"{_FIRST_LINE}\n{key.hex()}\n{_check_of(key)}\n".encode()
        if os.write(handle, content) != len(content):
            raise KeyCorruptError(f"{path} could not be written whole: free space on the disk and start again.")
        os.fsync(handle)
        try:
            os.link(beside, path)
        except FileExistsError:
            pass
    finally:
        os.close(handle)
        os.unlink(beside)
    for folder in (path.parent, path.parent.parent):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _read(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise KeyMissingError(
            f"There is no master key at {path}: put it back from its backup; without it nothing stored can be read."
        ) from None
    except PermissionError:
        raise KeyMissingError(f"The master key {path} cannot be read: run as the user who owns it.") from None
    try:
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
        if mode & 0o077:
            raise KeyExposedError(f"Others on this machine can read {path} (mode {mode:04o}): run `chmod 0400 {path}`.")
        content = os.read(handle, 4096)
    finally:
        os.close(handle)
    lines = content.decode("ascii", "replace").rstrip("\n").split("\n")
    try:
        if len(lines) != 3 or lines[0] != _FIRST_LINE:
            raise ValueError
        key = bytes.fromhex(lines[1])
        if len(key) != KEY_BYTES or _check_of(key) != lines[2]:
            raise ValueError
    except ValueError:
        raise KeyCorruptError(f"{path} is not a whole master key: put it back from its backup.") from None
    return key
