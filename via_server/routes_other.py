"""Models, health, metrics and recommended settings; and the features this server has not, which say so."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from via_server.assets import AssetStore
from via_server.errors import ViaError, not_served
from via_server.host import Model
from via_server.metrics import Metrics
from via_server.query import check_model
from via_server.wire import (
    ListModelsResponse,
    ModelInfo,
    RecommendedConfig,
    RecommendedConfigResponse,
    SummarizationQuery,
)


def served(model: Model, metrics: Metrics, now: Callable[[], float] = time.time) -> APIRouter:
    """What tells of the server itself. `now` gives Unix seconds."""
    routes = APIRouter()
    created = int(now())

    @routes.get("/models", tags=["Models"])
    async def list_models() -> ListModelsResponse:
        """The model behind this server."""
        model_id, api_type, owned_by = model.get_model_info()
        shown = ModelInfo(id=model_id, created=created, owned_by=owned_by, api_type=api_type)
        return ListModelsResponse(data=[shown])

    @routes.get("/health/ready", tags=["Health"])
    async def ready() -> Response:
        """The server can take requests; the port is closed before it can."""
        return Response()

    @routes.get("/health/live", tags=["Health"])
    async def live() -> Response:
        """The server runs."""
        return Response()

    @routes.get("/metrics", tags=["Metrics"])
    async def show_metrics() -> Response:
        """Prometheus metrics."""
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    @routes.post("/recommended_config", tags=["Recommended Config"])
    async def recommended_config(_: RecommendedConfig) -> RecommendedConfigResponse:
        """No recommendation: there is no table of GPUs to look it up in."""
        return RecommendedConfigResponse()

    return routes


def without_rag(store: AssetStore, model: Model) -> APIRouter:
    """Routes that answer as an engine without CA-RAG does."""
    routes = APIRouter(tags=["Without CA-RAG"])

    @routes.post("/summarize")
    async def summarize(query: SummarizationQuery) -> Response:
        """Refuse: in one piece as the engine does without CA-RAG; as a stream because it is not built in."""
        for asset_id in query.ids:
            store.get(asset_id)
        model_id, api_type, _ = model.get_model_info()
        check_model(query, model_id, api_type)
        if query.stream:
            raise not_served("summarize")
        message = "Only streaming output is supported for files when CA-RAG is disabled"
        raise ViaError(HTTPStatus.BAD_REQUEST, "BadParameters", message)

    @routes.post("/chat/completions")
    async def chat() -> Response:
        """Refuse: questions and answers need CA-RAG."""
        raise ViaError(HTTPStatus.BAD_REQUEST, "BadParameters", "Chat functionality disabled")

    @routes.post("/alerts")
    async def add_alert() -> Response:
        """Refuse: alerts need CA-RAG."""
        message = "Alerts functionality is disabled"
        raise ViaError(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", message)

    @routes.get("/alerts")
    @routes.get("/alerts/recent")
    async def no_alerts() -> list[str]:
        """None: there are no alerts here."""
        return []

    @routes.delete("/alerts/{alert_id}")
    async def delete_alert(alert_id: str) -> Response:
        """Refuse: there is none."""
        raise ViaError(HTTPStatus.BAD_REQUEST, "BadParameters", f"No such alert {alert_id}")

    return routes


def without_live_streams() -> APIRouter:
    """Routes of live streams and alert review, which this server has not."""
    routes = APIRouter(tags=["Not served"])

    @routes.get("/live-stream")
    async def no_live_streams() -> list[str]:
        """None: there are no live streams here."""
        return []

    @routes.delete("/live-stream/{stream_id}")
    async def delete_live_stream(stream_id: str) -> Response:
        """Refuse: there is none."""
        raise ViaError(HTTPStatus.BAD_REQUEST, "InvalidParameter", f"No such live-stream {stream_id}")

    @routes.post("/live-stream")
    @routes.post("/reviewAlert")
    async def missing(request: Request) -> Response:
        """Refuse: not built in."""
        raise not_served(request.url.path.rpartition("/")[2])

    return routes
