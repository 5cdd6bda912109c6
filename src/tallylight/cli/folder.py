"""A data folder as a command sees it: opened beside a running server, or owned for a moment where none runs."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tallylight.errors import TallylightError

if TYPE_CHECKING:
    from tallylight.app.store import Store
    from tallylight.ledger.commitment import JsonValue

T = TypeVar("T")

NEWEST = 5
"""How many conversations are named to somebody who named one that does not exist."""
PATIENCE_S = 600.0
"""How long an order to the server may take: an erasure searches the database file."""


class NothingRecorded(TallylightError):
    """The folder is not one that a server has recorded into."""

    code = "no_folder"


class NotAnswered(TallylightError):
    """The server has the order but did not say in time that it is done."""

    code = "not_answered"


def require_folder(directory: Path) -> None:
    """Raises NothingRecorded where there is none."""
    if not directory.is_dir():
        raise NothingRecorded(f"There is no folder {directory}. Name the one that `tallylight serve --data` uses.")


def has_database(directory: Path) -> bool:
    """Whether a server has run on the folder, or its `tallylight.toml` names a database elsewhere."""
    from tallylight.config.file import load
    from tallylight.database.engine import FILE_NAME

    return load(directory).database is not None or (directory / FILE_NAME).exists()


@contextlib.contextmanager
def opened(directory: Path) -> Iterator["Store"]:
    """The folder's database, keys and objects, safe beside a running server. Makes nothing where nothing is."""
    from tallylight.app.store import open_store

    require_folder(directory)
    if not has_database(directory):
        raise NothingRecorded(
            f"Nothing was ever recorded in {directory}. Name the folder that `tallylight serve` uses."
        )
    store = open_store(directory)
    try:
        yield store
    finally:
        store.close()


def order(directory: Path, command: str, **arguments: "JsonValue") -> "JsonValue":
    """Have the running server do something. Raises NoServer, CommandRefused, NotAnswered."""
    from tallylight.live.control import request

    require_folder(directory)
    try:
        return request(directory, command, timeout_s=PATIENCE_S, **arguments)
    except TimeoutError:
        raise NotAnswered(
            f"The server did not finish within {PATIENCE_S:g} s and goes on; repeat the command to see how it ended."
        ) from None


def by_server_or_here(directory: Path, by_server: Callable[[], T], here: Callable[["Store"], T]) -> T:
    """Do it through the running server, or with the folder locked where none runs."""
    from tallylight.app.store import lock
    from tallylight.live.control import NoServer

    try:
        return by_server()
    except NoServer:
        pass
    with lock(directory), opened(directory) as store:
        return here(store)


@contextlib.contextmanager
def naming_what_exists(store: "Store") -> Iterator[None]:
    """Somebody who asks for a conversation that does not exist is told which do."""
    from tallylight.catalogue.errors import ConversationUnknownError
    from tallylight.catalogue.queries import Order, list_conversations
    from tallylight.database.engine import read_only
    from tallylight.law.iso8601 import iso_utc

    try:
        yield
    except ConversationUnknownError as error:
        with read_only(store.engine) as connection:
            page = list_conversations(
                connection, workspace=store.workspace, keys=store.keyring, limit=NEWEST, order=Order.NEWEST
            )
        if not page.conversations:
            raise ConversationUnknownError(f"{error.message} There is none yet.") from None
        newest = ", ".join(f"{entry.conversation} ({iso_utc(entry.started_ms)})" for entry in page.conversations)
        raise ConversationUnknownError(f"{error.message} The newest: {newest}.") from None
