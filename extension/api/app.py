"""Puts the API together from its routes. It binds no address and starts no thread."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute

from extension.api import openapi, problems, webhooks
from extension.api.guard import Guard
from extension.api.intake import Intake
from extension.api.metrics import ShelfCollector
from extension.api.ports import Services
from extension.api.routes import cameras, deliveries, evidence, findings, jobs, service, summary, trajectories
from extension.api.uploads import sweep

_ABOUT = """Videos in, accident alerts out.

Store a job (`POST /api/v1/jobs`), follow it (`GET /api/v1/jobs/{job_id}`), read its events and incidents, ask about it.
Times that end in `_s` are seconds from the video's first frame; times that end in `_at` are UTC instants.
Every error is an RFC 9457 problem whose `detail` is one sentence for the caller.
"""
_TAGS = [
    {"name": "jobs", "description": "Videos to analyse, and how far they are"},
    {"name": "findings", "description": "Captions, events, incidents, outputs and answers"},
    {"name": "trajectories", "description": "Logs of twins that run now: rows in, places and contacts out"},
    {"name": "cameras", "description": "Cameras that are watched, and why there was an alert or none"},
    {"name": "alerts", "description": "Deliveries to receivers"},
    {"name": "service", "description": "What the service is connected to and how it is"},
]


def create_app(services: Services, version: str = "0") -> FastAPI:
    """The API over the given services; its metrics are added to `services.registry`."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await to_thread.run_sync(sweep, services.media_dir)
        yield

    app = FastAPI(
        title="Time-travel alerts",
        version=version,
        description=_ABOUT,
        openapi_tags=_TAGS,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        redoc_url=None,
    )
    app.state.services = services
    app.state.intake = Intake(services)
    services.registry.register(ShelfCollector(services.store))
    for module in (jobs, findings, evidence, summary, deliveries, trajectories, cameras):
        app.include_router(module.router, prefix="/api/v1")
    app.include_router(service.router, prefix="/api/v1")
    app.include_router(service.root)
    problems.install(app)
    webhooks.install(app)
    openapi.install(app)
    app.add_middleware(Guard)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
