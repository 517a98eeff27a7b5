"""`POST /generate_vlm_captions`: the answers for every chunk, as one JSON body or as an event stream."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sse_starlette.sse import EventSourceResponse
from starlette.types import Receive, Scope, Send

from via_server.assets import AssetStore
from via_server.captions import Captions, ChunkAnswer, Run, seconds_text
from via_server.errors import CaptionsFailed
from via_server.query import check_model, job_of
from via_server.settings import Settings
from via_server.splitter import NS_PER_S
from via_server.wire import (
    CompletionUsage,
    MediaInfoOffset,
    VlmCaptionResponse,
    VlmCaptionsCompletionResponse,
    VlmQuery,
)

_PING_S = 1  # the engine's comment line, which keeps proxies from closing a quiet stream
_LOOK_FOR_CLIENT_S = 0.5
_CLIENT_GONE = 499  # nobody reads it; it marks the line in the access log


def router(
    store: AssetStore, captions: Captions, settings: Settings, now: Callable[[], float] = time.time
) -> APIRouter:
    """The caption route. `now` gives Unix seconds."""
    routes = APIRouter(tags=["Captions"])

    @routes.post("/generate_vlm_captions", response_model=VlmCaptionsCompletionResponse)
    async def generate_vlm_captions(query: VlmQuery, request: Request) -> Response:
        """Caption every chunk of a file."""
        model, api_type, _ = captions.model.get_model_info()
        for asset_id in query.ids:
            store.get(asset_id)
        check_model(query, model, api_type)
        reply = _Reply(captions.start(job_of(query, store, settings)), model, int(now()))
        if query.stream:
            usage = query.stream_options is not None and query.stream_options.include_usage
            return _EventStream(reply, include_usage=usage)
        return await _unless_client_leaves(request, reply)

    return routes


class _Reply:
    """Writes what is known of one request in the engine's shapes."""

    def __init__(self, run: Run, model: str, created: int) -> None:
        self.run = run
        self._spans = run.job.spans
        self._head = {"id": str(run.job.id), "model": model, "created": created}
        self._began_s = time.monotonic()

    def usage(self) -> dict[str, int]:
        seconds = int(time.monotonic() - self._began_s)
        counted = CompletionUsage(query_processing_time=seconds, total_chunks_processed=len(self._spans))
        return counted.model_dump()

    def whole(self, answers: list[ChunkAnswer]) -> dict[str, Any]:
        spans = self._spans
        return self._head | {
            "media_info": _media_info(spans[0].start_ns, spans[-1].end_ns),
            "usage": self.usage(),
            "chunk_responses": [_chunk_response(answer) for answer in answers],
        }

    def chunk_event(self, answer: ChunkAnswer) -> dict[str, Any]:
        response = _chunk_response(answer)
        if not response["reasoning_description"]:
            del response["reasoning_description"]
        return self._head | {
            "media_info": _media_info(answer.span.start_ns, answer.span.end_ns),
            "chunk_responses": [response],
            "usage": None,
        }

    def usage_event(self) -> dict[str, Any]:
        return self._head | {"media_info": None, "usage": self.usage()}

    def failure_event(self) -> dict[str, Any]:
        return self._head | {"usage": None}


class _EventStream(EventSourceResponse):
    """The event stream of one run, which ends with it, however that comes about."""

    def __init__(self, reply: _Reply, *, include_usage: bool) -> None:
        super().__init__(_events(reply, include_usage=include_usage), ping=_PING_S)
        self._run = reply.run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._run.end()


async def _events(reply: _Reply, *, include_usage: bool) -> AsyncIterator[dict[str, str]]:
    try:
        async for answer in reply.run.answers():
            yield _event(reply.chunk_event(answer))
        reply.run.end()
        if include_usage:
            yield _event(reply.usage_event())
    except CaptionsFailed:
        reply.run.end()
        yield _event(reply.failure_event())
    yield {"data": "[DONE]"}


async def _whole(reply: _Reply) -> Response:
    answers = [answer async for answer in reply.run.answers()]
    return JSONResponse(reply.whole(answers))


async def _unless_client_leaves(request: Request, reply: _Reply) -> Response:
    """The whole response; the run is stopped when the client hangs up before."""
    task = asyncio.ensure_future(_whole(reply))
    try:
        while not task.done():
            await asyncio.wait([task], timeout=_LOOK_FOR_CLIENT_S)
            if not task.done() and await request.is_disconnected():
                return Response(status_code=_CLIENT_GONE)
        return task.result()
    finally:
        task.cancel()
        reply.run.end()


def _event(body: dict[str, Any]) -> dict[str, str]:
    return {"data": json.dumps(body, ensure_ascii=False)}


def _media_info(start_ns: int, end_ns: int) -> dict[str, Any]:
    start, end = start_ns // NS_PER_S, end_ns // NS_PER_S
    return MediaInfoOffset(type="offset", start_offset=start, end_offset=end).model_dump()


def _chunk_response(answer: ChunkAnswer) -> dict[str, Any]:
    return VlmCaptionResponse(
        start_time=seconds_text(answer.span.start_ns),
        end_time=seconds_text(answer.span.end_ns),
        content=answer.text,
        reasoning_description=answer.reasoning_description,
    ).model_dump()
