"""The service itself: what it is connected to, whether it can work, its metrics."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from extension.api.problems import Rejected
from extension.api.routes.needs import ServicesArg, errors
from extension.wire import AboutOut, Wire

router = APIRouter(tags=["service"])
root = APIRouter(tags=["service"])


class HealthOut(Wire):
    """That it is well."""

    status: str = "ok"


@router.get("/about")
def get_about(services: ServicesArg) -> AboutOut:
    """What the service is connected to."""
    return services.about()


@root.get("/health/live")
def get_live() -> HealthOut:
    """Whether the process answers at all."""
    return HealthOut()


@root.get("/health/ready", responses=errors(HTTPStatus.SERVICE_UNAVAILABLE))
def get_ready(services: ServicesArg) -> HealthOut:
    """Whether jobs can be taken and worked on."""
    services.store.jobs(limit=1)
    if faults := services.faults():
        raise Rejected(HTTPStatus.SERVICE_UNAVAILABLE, " ".join(faults))
    return HealthOut()


@root.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Prometheus text", "content": {"text/plain": {}}}},
)
def get_metrics(services: ServicesArg) -> Response:
    """Metrics for Prometheus."""
    return Response(generate_latest(services.registry), media_type=CONTENT_TYPE_LATEST)
