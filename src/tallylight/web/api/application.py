"""The HTTP application for programs."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from tallylight.health.metrics import Metrics
from tallylight.web.api.health import ServerStatus, health_routes
from tallylight.web.api.problem import http_problem


def create_app(status: ServerStatus, metrics: Metrics) -> FastAPI:
    """Every route. `/openapi.json` describes them; there are no pages that would load scripts from elsewhere."""
    app = FastAPI(title="Tallylight", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.add_exception_handler(HTTPException, http_problem)
    app.include_router(health_routes(status, metrics))
    return app
