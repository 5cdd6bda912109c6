"""A control socket that answers as a running server would, in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tallylight.ledger.commitment import JsonValue
from tallylight.live.control import ControlServer, Handler

Heard = list[Mapping[str, JsonValue]]


@contextmanager
def answering(directory: Path, handlers: Mapping[str, Handler]) -> Iterator[Heard]:
    """Serve `handlers` on the folder's socket; what was asked is noted."""
    heard: Heard = []

    def noting(handler: Handler) -> Handler:
        async def note(request: Mapping[str, JsonValue]) -> JsonValue:
            heard.append(request)
            return await handler(request)

        return note

    loop = asyncio.new_event_loop()
    server = ControlServer(directory, {name: noting(handler) for name, handler in handlers.items()})
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    try:
        yield heard
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
