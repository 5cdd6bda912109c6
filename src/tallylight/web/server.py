"""An HTTP server inside a running event loop. Signals stay with whoever runs the loop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from tallylight.web.errors import HttpUnavailable

GRACE_S = 2
"""How long `stop` waits for answers under way."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, and with a way to wait for its start."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class HttpServer:
    """A server that listens."""

    def __init__(self, server: _Server, listener: socket.socket, task: asyncio.Task[None]) -> None:
        self._server = server
        self._listener = listener
        self._task = task
        self.port: int = listener.getsockname()[1]

    async def stop(self) -> None:
        """Take no more requests, finish those under way, at most GRACE_S seconds. Harmless the second time."""
        self._server.should_exit = True
        try:
            await asyncio.wait_for(asyncio.shield(self._task), GRACE_S + 1)
        except TimeoutError:
            self._server.force_exit = True
            await self._task
        self._listener.close()


async def serve_http(app: ASGIApp, host: str, port: int) -> HttpServer:
    """Listen on `host` and `port` (0: any free one). Raises HttpUnavailable where the port cannot be opened."""
    listener = _listen(host, port)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", server_header=False, timeout_graceful_shutdown=GRACE_S
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    started = asyncio.create_task(server.up.wait())
    await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        started.cancel()
        listener.close()
        task.result()
        raise HttpUnavailable(f"The HTTP server on {host}:{port} did not start; the log says why.")
    return HttpServer(server, listener, task)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise HttpUnavailable(
            f"Cannot open TCP port {port} on {host} for HTTP ({error.strerror}): choose another with --http."
        ) from error
    return listener
