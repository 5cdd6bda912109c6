"""Errors as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

CONTENT_TYPE = "application/problem+json"


def problem(status: int, detail: str, **members: object) -> JSONResponse:
    """One problem; `members` are its own fields beside title, status and detail."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **members}
    return JSONResponse(content, status_code=status, media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


async def http_problem(_request: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses: unknown paths, wrong methods."""
    assert isinstance(error, HTTPException)
    answer = problem(error.status_code, str(error.detail))
    headers: Mapping[str, str] = error.headers or {}
    answer.headers.update(headers)
    return answer
