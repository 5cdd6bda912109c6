"""`DIR/control.sock`: commands from other processes of this machine to the server that owns the folder.

One JSON object a line each way: `{"command": ..., ...}` -> `{"ok": true, "result": ...}` or `{"ok": false, "code", "message"}`.
The socket's mode is 0600: whoever may write in the folder may give orders. Only the owner of the folder can connect.
"""

import asyncio
import json
import logging
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tallylight.errors import TallylightError
from tallylight.ledger.commitment import JsonValue

logger = logging.getLogger(__name__)

Handler = Callable[[Mapping[str, JsonValue]], Awaitable[JsonValue]]

SOCKET_NAME = "control.sock"
LINE_LIMIT = 1 << 20


class NoServer(TallylightError):
    """No server is running on this folder."""

    code = "no_server"


class CommandRefused(TallylightError):
    """The running server refused a command."""

    code = "refused"


@contextmanager
def _short_path(directory: Path) -> Iterator[str]:
    """A path to the socket that fits the kernel's 108 bytes, however deep the folder lies."""
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield (
            f"/proc/self/fd/{folder}/{SOCKET_NAME}" if Path("/proc/self/fd").exists() else str(directory / SOCKET_NAME)
        )
    finally:
        os.close(folder)


class ControlServer:
    """Answers commands by name. A handler that raises a TallylightError refuses; any other error is logged and refused."""

    def __init__(self, directory: Path, handlers: Mapping[str, Handler]) -> None:
        self._directory = directory
        self._handlers = handlers
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Bind, taking the place of a socket that a dead process left. The caller holds the folder's lock."""
        path = self._directory / SOCKET_NAME
        if path.exists() and stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
        with _short_path(self._directory) as short:
            before = os.umask(0o177)
            try:
                self._server = await asyncio.start_unix_server(self._talk, short, limit=LINE_LIMIT)
            finally:
                os.umask(before)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for talk in tuple(self._talks):
                talk.cancel()
            (self._directory / SOCKET_NAME).unlink(missing_ok=True)
            self._server = None

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass
        finally:
            self._talks.discard(task)
            writer.close()

    async def _answer(self, line: bytes) -> JsonValue:
        try:
            request = json.loads(line)
            name = request["command"] if isinstance(request, dict) else None
            handler = self._handlers.get(name) if isinstance(name, str) else None
            if handler is None:
                known = ", ".join(sorted(self._handlers))
                return {"ok": False, "code": "unknown_command", "message": f"The server knows these commands: {known}."}
            return {"ok": True, "result": await handler(request)}
        except TallylightError as error:
            return {"ok": False, "code": error.code, "message": error.message}
        except (ValueError, KeyError) as error:
            return {"ok": False, "code": "bad_request", "message": f"The request is not understood: {error}."}
        except Exception:
            logger.exception("a control command failed")
            return {"ok": False, "code": "internal", "message": "The server failed at this; its log says how."}


def request(directory: Path, command: str, *, timeout_s: float = 60.0, **arguments: JsonValue) -> JsonValue:
    """Give one command to the server that runs on `directory`. Raises NoServer or CommandRefused."""
    missing = f"No server is running on {directory}. Start one with `tallylight serve --data {directory}`."
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            with _short_path(directory) as short:
                connection.connect(short)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            raise NoServer(missing) from None
        connection.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
        with connection.makefile("rb") as answers:
            line = answers.readline()
    if not line:
        raise NoServer(missing)
    answer = json.loads(line)
    if not answer["ok"]:
        raise CommandRefused(answer["message"], code=answer["code"])
    result: JsonValue = answer["result"]
    return result
