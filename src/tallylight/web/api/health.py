"""Is it alive, can it record, what has it counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fastapi import APIRouter, Response

from tallylight.health.metrics import CONTENT_TYPE, Metrics
from tallylight.web.api.problem import problem


@dataclass(frozen=True, kw_only=True)
class Failing:
    """One thing without which nothing can be recorded now."""

    check: str
    """A closed word: database, log, recovery ..."""
    detail: str
    """What is wrong and what to do. No identifiers of people."""


class ServerStatus(Protocol):
    """What the running server knows of itself."""

    def failing(self) -> Sequence[Failing]:
        """What keeps it from recording; empty where it is ready. Called on the event loop: never blocks."""


@dataclass(frozen=True, kw_only=True)
class FixedStatus:
    """A status that never changes."""

    checks: tuple[Failing, ...] = ()

    def failing(self) -> Sequence[Failing]:
        return self.checks


def health_routes(status: ServerStatus, metrics: Metrics) -> APIRouter:
    """`/healthz`, `/readyz` and `/metrics`. None of them shows anything of a person."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Whether the process answers")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get(
        "/readyz", summary="Whether calls can be recorded now", responses={503: {"description": "What is failing"}}
    )
    async def readyz() -> Response:
        failing = status.failing()
        if not failing:
            return Response('{"status":"ready"}', media_type="application/json")
        return problem(
            503,
            "Calls go on, but nothing can be recorded: " + " ".join(each.detail for each in failing),
            failing=[{"check": each.check, "detail": each.detail} for each in failing],
        )

    # Not async: the text is put together on a worker thread, so that the media loop never waits for it.
    @router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    def exposition() -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    return router
