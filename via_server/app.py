"""Puts the server together, and answers errors in the engine's shapes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from via_server import routes_captions, routes_files, routes_other
from via_server.assets import AssetStore
from via_server.captions import Captions
from via_server.errors import ViaError
from via_server.host import Model
from via_server.metrics import Metrics
from via_server.settings import Settings

_log = structlog.get_logger(__name__)

_WITH_INPUT = frozenset({"value_error", "uuid_parsing", "string_pattern_mismatch"})
_LONGEST_INPUT = 200  # characters of a refused value worth repeating


def create(settings: Settings, model: Model) -> FastAPI:
    """The application, hosting `model`. Its folder of uploads is emptied now and at its end. Raises OSError."""
    metrics = Metrics()
    store = AssetStore(settings.asset_dir, settings.max_asset_bytes, settings.allowed_media_dirs)
    store.open()
    captions = Captions(model, metrics, settings.max_parallel_chunks)

    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        captions.stop()
        store.close()

    app = FastAPI(title="Visual Insights Agent API", version="v1", lifespan=life)
    for routes in (
        routes_files.router(store),
        routes_captions.router(store, captions, settings),
        routes_other.served(model, metrics),
        routes_other.without_rag(store, model),
        routes_other.without_live_streams(),
    ):
        app.include_router(routes, prefix=settings.path_prefix)
    app.exception_handler(ViaError)(_refused)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(Exception)(_broken)
    return app


async def _refused(_: Request, error: ViaError) -> JSONResponse:
    return _error(error.status, error.code, error.message)


async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    fault = error.errors()[0]
    message = f"{tuple(fault['loc'])}: {fault['msg']}"
    if fault["type"] in _WITH_INPUT:
        message += f' (input: "{str(fault["input"])[:_LONGEST_INPUT]}")'
    return _error(422, "InvalidParameters", message)


async def _broken(_: Request, error: Exception) -> JSONResponse:
    _log.error("unhandled", error=type(error).__name__)
    return _error(500, "InternalServerError", "An internal server error occured")


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"code": code, "message": message}, status_code=status)
