"""Signed checkpoints of the ledger: the key file, the signing, the rows."""

import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from sqlalchemy import Connection, Engine, func, insert, select

from tallylight.database.errors import LedgerKeyError
from tallylight.database.tables import checkpoint, ledger_head
from tallylight.ids import DEFAULT_WORKSPACE, WorkspaceId
from tallylight.ledger.checkpoint import Checkpoint, sign, verification_key
from tallylight.ledger.merkle import Frontier

KEY_PATH = Path("keys") / "ledger.key"


def origin(workspace: WorkspaceId) -> str:
    """The name of a workspace's log, and of the key that signs it."""
    return f"tallylight/{workspace}"


class LedgerKey:
    """The Ed25519 key that signs checkpoints."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.public_key = private_key.public_key().public_bytes_raw()
        """32 bytes."""

    @staticmethod
    def generate() -> "LedgerKey":
        """A new key, kept nowhere."""
        return LedgerKey(Ed25519PrivateKey.generate())

    @staticmethod
    def open(directory: Path) -> "LedgerKey":
        """The key in `directory`/keys/ledger.key (PEM, mode 0400), made there at the first start."""
        path = directory / KEY_PATH
        try:
            return LedgerKey._load(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise LedgerKeyError(
                f"The ledger key {path} cannot be read ({error.strerror}). Give this user access to it."
            ) from error
        try:
            _create(path, Ed25519PrivateKey.generate())
            return LedgerKey._load(path)
        except OSError as error:
            raise LedgerKeyError(
                f"The ledger key {path} cannot be made ({error.strerror}). Make its directory writable."
            ) from error

    @staticmethod
    def _load(path: Path) -> "LedgerKey":
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise LedgerKeyError(f"Others can read the ledger key. Run: chmod 0400 {path}")
            content = file.read()
        try:
            key = load_pem_private_key(content, password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise LedgerKeyError(f"{path} is no Ed25519 private key in PEM. Put the ledger key back from its backup.")
        return LedgerKey(key)

    def verification_key(self, workspace: WorkspaceId = DEFAULT_WORKSPACE) -> str:
        """The public key as text for the verifier's --key."""
        return verification_key(origin(workspace), self.public_key)

    def sign(self, workspace: WorkspaceId, head: Frontier) -> str:
        """The signed note for a ledger's head."""
        state = Checkpoint(origin=origin(workspace), size=head.size, root=head.root())
        return sign(state, self.public_key, self._private_key.sign)

    def sign_statement(self, statement: bytes) -> bytes:
        """Ed25519 signature (64 B) of a statement that is no checkpoint: its first line names what it is."""
        return self._private_key.sign(statement)


def verify_signature(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Ed25519 verification for `ledger.checkpoint.verify`."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def last_signed_size(connection: Connection, workspace: WorkspaceId) -> int:
    """The size of the newest checkpoint; 0 without one."""
    size = connection.execute(select(func.max(checkpoint.c.size)).where(checkpoint.c.workspace == workspace)).scalar()
    return 0 if size is None else int(size)


def unsigned_workspaces(connection: Connection) -> list[WorkspaceId]:
    """Workspaces whose head is not the newest checkpoint's."""
    newest = (
        select(func.coalesce(func.max(checkpoint.c.size), 0))
        .where(checkpoint.c.workspace == ledger_head.c.workspace)
        .scalar_subquery()
    )
    query = select(ledger_head.c.workspace).where(ledger_head.c.size > newest).order_by(ledger_head.c.workspace)
    return [WorkspaceId(row.workspace) for row in connection.execute(query)]


def store_checkpoint(
    connection: Connection, workspace: WorkspaceId, head: Frontier, key: LedgerKey, wall_ms: int
) -> None:
    """Sign the head and keep the note, unless one of this size is kept already. Under the head's lock."""
    query = select(checkpoint.c.size).where(checkpoint.c.workspace == workspace, checkpoint.c.size == head.size)
    if connection.execute(query).first() is None:
        row = {"workspace": workspace, "size": head.size, "note": key.sign(workspace, head), "signed_ms": wall_ms}
        connection.execute(insert(checkpoint), row)


def sign_head(engine: Engine, key: LedgerKey, wall_ms: int, *, workspace: WorkspaceId = DEFAULT_WORKSPACE) -> None:
    """Sign the head as it is now, so that an export is signed to its end. Works beside a running server."""
    with engine.begin() as connection:
        query = select(ledger_head.c.frontier).where(ledger_head.c.workspace == workspace).with_for_update()
        blob = connection.execute(query).scalar()
        head = Frontier() if blob is None else Frontier.parse(bytes(blob))
        if head.size:
            store_checkpoint(connection, workspace, head, key, wall_ms)


def read_checkpoints(
    connection: Connection, *, workspace: WorkspaceId = DEFAULT_WORKSPACE, after: int = 0, limit: int = 1_000
) -> list[tuple[int, str]]:
    """(size, note) of at most `limit` checkpoints larger than `after`, smallest first."""
    query = (
        select(checkpoint.c.size, checkpoint.c.note)
        .where(checkpoint.c.workspace == workspace, checkpoint.c.size > after)
        .order_by(checkpoint.c.size)
        .limit(limit)
    )
    return [(row.size, row.note) for row in connection.execute(query)]


def _create(path: Path, key: Ed25519PrivateKey) -> None:
    """Write the key beside its place, durably, then link it there: the first one wins, nobody reads half a key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
    finally:
        os.unlink(draft)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
