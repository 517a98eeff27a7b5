"""The one place where errors become HTTP answers (RFC 9457 problem details)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from extension.errors import (
    BadInput,
    DeliveryFailed,
    ExtensionError,
    NotFound,
    Refused,
    Unavailable,
    VlmGarbled,
)
from extension.wire import Problem

PROBLEM_TYPE = "application/problem+json"
# Seconds after which a client may try again while something we depend on is away.
_RETRY_AFTER_S = 5

_STATUS: tuple[tuple[type[ExtensionError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (BadInput, HTTPStatus.BAD_REQUEST),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (Refused, HTTPStatus.BAD_GATEWAY),
    (VlmGarbled, HTTPStatus.BAD_GATEWAY),
    (DeliveryFailed, HTTPStatus.BAD_GATEWAY),
    (ExtensionError, HTTPStatus.INTERNAL_SERVER_ERROR),
)


class Rejected(BadInput):
    """A request that the API itself turns down; `status` says how."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def status_of(error: ExtensionError) -> HTTPStatus:
    """The HTTP status that tells the caller what to do about an error."""
    if isinstance(error, Rejected):
        return error.status
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def problem(status: HTTPStatus | int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem response; `detail` is one sentence for the caller."""
    known = HTTPStatus(status)
    body = Problem(title=known.phrase, status=known.value, detail=detail)
    extra = dict(headers or {})
    if known is HTTPStatus.SERVICE_UNAVAILABLE:
        extra.setdefault("Retry-After", str(_RETRY_AFTER_S))
    return JSONResponse(body.model_dump(), known.value, headers=extra, media_type=PROBLEM_TYPE)


def faults_in_words(errors: Any) -> str:
    """Pydantic's list of errors as one line: where, and what is wrong there."""
    return "; ".join(f"{_where(error['loc'])}: {error['msg']}" for error in errors)


def _where(loc: tuple[str | int, ...]) -> str:
    # FastAPI puts first where in the request it looked; a field may have such a name too ("path").
    if len(loc) > 1 and loc[0] in {"body", "query", "path", "header"}:
        loc = loc[1:]
    return "request" if loc in {(), ("body",)} else ".".join(map(str, loc))


async def _on_own(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ExtensionError):
        raise error
    return problem(status_of(error), str(error))


async def _on_invalid(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, faults_in_words(error.errors()))


async def _on_http(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return problem(error.status_code, str(error.detail), error.headers)


async def _on_unforeseen(_request: Request, _error: Exception) -> JSONResponse:
    # What went wrong is in the log; the caller learns that it was not their doing.
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The service failed on this request; its log says why.")


def install(app: FastAPI) -> None:
    """Have every error of the app answered as a problem."""
    app.add_exception_handler(ExtensionError, _on_own)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unforeseen)
