"""The health routes over real HTTP, on a server inside our own event loop."""

import asyncio
import http.client
import json
import signal
import socket
from collections.abc import Callable
from typing import TypeVar

import pytest

from tallylight.health.metrics import Metrics
from tallylight.web.api.application import create_app
from tallylight.web.api.health import Failing, FixedStatus, ServerStatus
from tallylight.web.errors import HttpUnavailable
from tallylight.web.server import serve_http

T = TypeVar("T")

DATABASE_GONE = Failing(check="database", detail="The database takes no commits: look at its disk.")


def with_server(talk: Callable[[int], T], *, status: ServerStatus | None = None, metrics: Metrics | None = None) -> T:
    """Run `talk(port)` on a worker thread against a server of its own."""

    async def run() -> T:
        server = await serve_http(create_app(status or FixedStatus(), metrics or Metrics()), "127.0.0.1", 0)
        try:
            return await asyncio.to_thread(talk, server.port)
        finally:
            await server.stop()

    return asyncio.run(run())


def get(port: int, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def test_alive_and_ready() -> None:
    assert with_server(lambda port: json.loads(get(port, "/healthz")[2])) == {"status": "alive"}
    status, kind, body = with_server(lambda port: get(port, "/readyz"))
    assert (status, kind, json.loads(body)) == (200, "application/json", {"status": "ready"})


def test_what_fails_is_listed() -> None:
    failing = FixedStatus(checks=(DATABASE_GONE, Failing(check="recovery", detail="Recovery is still running.")))
    status, kind, body = with_server(lambda port: get(port, "/readyz"), status=failing)
    assert (status, kind) == (503, "application/problem+json")
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "Calls go on, but nothing can be recorded: The database takes no commits: look at its disk."
        " Recovery is still running.",
        "failing": [
            {"check": "database", "detail": "The database takes no commits: look at its disk."},
            {"check": "recovery", "detail": "Recovery is still running."},
        ],
    }
    assert with_server(lambda port: get(port, "/healthz")[0], status=failing) == 200, "alive all the same"


def test_readiness_is_asked_anew_each_time() -> None:
    class Mending:
        def __init__(self) -> None:
            self.asked = 0

        def failing(self) -> tuple[Failing, ...]:
            self.asked += 1
            return (DATABASE_GONE,) if self.asked == 1 else ()

    assert with_server(lambda port: [get(port, "/readyz")[0] for _ in range(2)], status=Mending()) == [503, 200]


def test_metrics_are_prometheus_text() -> None:
    metrics = Metrics()
    metrics.call_started()
    metrics.alarm("disk_full")
    status, kind, body = with_server(lambda port: get(port, "/metrics"), metrics=metrics)
    assert status == 200
    assert kind.startswith("text/plain")
    assert b"tallylight_calls_running 1.0\n" in body
    assert b'tallylight_alarms_total{kind="disk_full"} 1.0\n' in body


@pytest.mark.parametrize(
    ("method", "path", "code", "title"),
    [
        ("GET", "/nowhere", 404, "Not Found"),
        ("POST", "/healthz", 405, "Method Not Allowed"),
        ("GET", "/docs", 404, "Not Found"),
    ],
)
def test_refusals_are_problems(method: str, path: str, code: int, title: str) -> None:
    status, kind, body = with_server(lambda port: get(port, path, method))
    assert (status, kind, json.loads(body)["title"]) == (code, "application/problem+json", title)


def test_the_description_loads_nothing_from_elsewhere() -> None:
    status, _, body = with_server(lambda port: get(port, "/openapi.json"))
    assert status == 200
    assert set(json.loads(body)["paths"]) == {"/healthz", "/readyz", "/metrics"}
    assert b"://" not in body


def test_signals_stay_with_the_house() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    async def run() -> tuple[object, object]:
        server = await serve_http(create_app(FixedStatus(), Metrics()), "127.0.0.1", 0)
        inside = signal.getsignal(signal.SIGTERM)
        await server.stop()
        await server.stop()
        return inside, signal.getsignal(signal.SIGTERM)

    # asyncio.run itself holds SIGINT while it runs.
    assert asyncio.run(run()) == (before[0], before[0])
    assert signal.getsignal(signal.SIGINT) == before[1]


def test_stop_waits_for_nobody_who_only_listens() -> None:
    async def run() -> float:
        server = await serve_http(create_app(FixedStatus(), Metrics()), "127.0.0.1", 0)
        idle = socket.create_connection(("127.0.0.1", server.port))
        loop = asyncio.get_running_loop()
        before = loop.time()
        await server.stop()
        idle.close()
        return loop.time() - before

    assert asyncio.run(run()) < 4


def test_a_port_that_is_taken() -> None:
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            await serve_http(create_app(FixedStatus(), Metrics()), "127.0.0.1", taken.getsockname()[1])

    with pytest.raises(HttpUnavailable, match="choose another with --http") as caught:
        asyncio.run(run())
    assert caught.value.code == "http_unavailable"
