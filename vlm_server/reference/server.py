"""The routes: OpenAI's chat completions over the vision skills, with vLLM's shapes of error.

Vision runs in a bounded number of threads (OpenCV, Pillow and onnxruntime release the interpreter lock).
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST

from vlm_server.reference import tokens
from vlm_server.reference.errors import FrameUnreadable, RequestRefused
from vlm_server.reference.media import Clip, clip_of
from vlm_server.reference.metrics import Metrics
from vlm_server.reference.verdict import NO_PICTURE, Verdict, check_format, to_json
from vlm_server.reference.wire import (
    Answer,
    ChatRequest,
    TextPart,
    TokenDetails,
    Usage,
    completion,
    completion_chunks,
    error_body,
)

MODEL = "replay-reference"
VERSION = "1.0.0"
MAX_MODEL_LEN = 32768  # tokens; told to clients that budget their frames, this program has no such limit
DESCRIPTION = (
    "A deterministic vision program for development and CI, not a language model. Skills: replay view "
    "(numbered discs, burnt-in clock, overlaps) and, for cameras, a motion baseline (fall, collision, fire, smoke) that "
    "measures silhouettes and flicker and understands nothing. It looks at the pixels it is sent; the system prompt may "
    "say which kind of video they are."
)


@dataclass(frozen=True)
class Service:
    """What the routes need: the eye, how many requests it may look at together, counters and clocks.

    Attributes:
        look: turns a clip and the system prompt it came with into a verdict; may raise RequestRefused.
        workers: how many requests are looked at at the same time.
        now: Unix seconds, for the `created` field.
        stopwatch: monotonic seconds, for metrics.
    """

    look: Callable[[Clip, str], Verdict]
    workers: int = 2
    metrics: Metrics = field(default_factory=Metrics)
    now: Callable[[], float] = time.time
    stopwatch: Callable[[], float] = time.perf_counter

    def answer(self, request: ChatRequest) -> Answer:
        """Answer one request, on the calling thread; raises RequestRefused."""
        _check(request)
        clip = clip_of(request.shown(), request.media_io_kwargs.video)
        text = NO_PICTURE if clip is None else to_json(self._seen(clip, request.policy()))
        words = [
            part.text
            for message in request.messages
            for part in message.parts()
            if isinstance(part, TextPart)
        ]
        limit = request.max_completion_tokens or request.max_tokens
        text, cut = tokens.clip_text(text, limit)
        pictures = clip.tokens if clip else 0
        prompt, written = pictures + sum(map(tokens.text_tokens, words)), tokens.text_tokens(text)
        usage = Usage(
            prompt_tokens=prompt,
            completion_tokens=written,
            total_tokens=prompt + written,
            prompt_tokens_details=TokenDetails(multimodal_tokens=pictures),
        )
        return Answer(text=text, finish_reason="length" if cut else "stop", usage=usage)

    def _seen(self, clip: Clip, policy: str) -> Verdict:
        started = self.stopwatch()
        verdict = self.look(clip, policy)
        self.metrics.seconds.observe(self.stopwatch() - started)
        self.metrics.frames.inc(len(clip.frames))
        for event in verdict.events:
            self.metrics.events.labels(kind=event.kind).inc()
        return verdict


def create_app(service: Service) -> FastAPI:
    """Return the application; its vision work shares one limiter."""
    app = FastAPI(title="Reference VLM", version=VERSION, description=DESCRIPTION)
    limiter = CapacityLimiter(service.workers)
    app.add_api_route("/health", _healthy, methods=["GET"])
    app.add_api_route("/version", lambda: {"version": VERSION}, methods=["GET"])
    app.add_api_route("/v1/models", lambda: _models(int(service.now())), methods=["GET"])

    @app.get("/metrics")
    def metrics() -> Response:
        """Return the counters."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.post("/v1/chat/completions")
    async def chat(request: ChatRequest) -> Response:
        """Look at the frames of the request and answer with the verdict."""
        answer = await anyio.to_thread.run_sync(
            service.answer, request, abandon_on_cancel=True, limiter=limiter
        )
        service.metrics.requests.labels(outcome=answer.finish_reason).inc()
        head = (f"chatcmpl-{uuid.uuid4().hex}", request.model or MODEL, int(service.now()))
        if not request.stream:
            return JSONResponse(completion(answer, *head))
        chunks = completion_chunks(answer, *head, include_usage=request.stream_options.include_usage)
        return StreamingResponse(_sse(chunks), media_type="text/event-stream")

    _install_errors(app, service.metrics)
    return app


def _healthy() -> Response:
    return Response()


def _install_errors(app: FastAPI, metrics: Metrics) -> None:
    @app.exception_handler(RequestRefused)
    async def refused(_: Request, exc: RequestRefused) -> JSONResponse:
        """Answer with vLLM's error body."""
        kind = "frame_unreadable" if isinstance(exc, FrameUnreadable) else HTTPStatus(exc.status).name.lower()
        metrics.errors.labels(kind=kind).inc()
        metrics.requests.labels(outcome="refused").inc()
        return JSONResponse(error_body(exc.message, exc.kind, exc.param, exc.status), exc.status)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, exc: RequestValidationError) -> JSONResponse:
        """Answer 400 with every mistake by place; the input itself may be megabytes and is left out."""
        metrics.errors.labels(kind="malformed").inc()
        metrics.requests.labels(outcome="refused").inc()
        mistakes = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors()[:8])
        return JSONResponse(error_body(mistakes, "Bad Request", None, HTTPStatus.BAD_REQUEST), 400)


def _check(request: ChatRequest) -> None:
    if request.model not in (None, MODEL):
        raise RequestRefused(
            f"The model `{request.model}` does not exist. Valid aliases: {MODEL}",
            status=404,
            kind="NotFoundError",
            param="model",
        )
    if request.n > 1:
        raise RequestRefused("n > 1 is not supported: the answer is deterministic", param="n")
    check_format(request.response_format)


def _models(created: int) -> dict[str, Any]:
    card = {
        "id": MODEL,
        "object": "model",
        "created": created,
        "owned_by": "timetravel",
        "max_model_len": MAX_MODEL_LEN,
        "description": DESCRIPTION,
    }
    return {"object": "list", "data": [card]}


async def _sse(chunks: list[dict[str, Any]]) -> AsyncIterator[str]:
    for chunk in chunks:
        yield f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"
    yield "data: [DONE]\n\n"
