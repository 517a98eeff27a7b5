"""What routes take as arguments, and the errors they share."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path as FilePath
from typing import Annotated, Any, cast

from fastapi import Depends, Path, Query, Request

from extension.api.intake import Intake, without_paths
from extension.api.ports import Services
from extension.model import Job
from extension.wire import JobOut


def _services(request: Request) -> Services:
    return cast("Services", request.app.state.services)


def _intake(request: Request) -> Intake:
    return cast("Intake", request.app.state.intake)


ServicesArg = Annotated[Services, Depends(_services)]
IntakeArg = Annotated[Intake, Depends(_intake)]
IdArg = Annotated[str, Path(min_length=1, max_length=200, examples=["0a6d4c4e-5b0d-4c59-8c42-9f7f7a3d2b10"])]
LimitArg = Annotated[int, Query(ge=1, le=1000, description="At most this many")]

_WORDS = {
    HTTPStatus.BAD_REQUEST: "The video, the log or the request cannot be used; the detail says why",
    HTTPStatus.FORBIDDEN: "The path lies outside the allowed folders, or another website asked",
    HTTPStatus.NOT_FOUND: "There is no such thing",
    HTTPStatus.CONFLICT: "Not in this state",
    HTTPStatus.GONE: "It was kept for as long as the settings say, and is gone",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The upload is larger than the service accepts",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Not a multipart form",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Something in the request is missing or out of range",
    HTTPStatus.INSUFFICIENT_STORAGE: "The disk is full",
    HTTPStatus.BAD_GATEWAY: "A program that the service depends on refused or answered nonsense",
    HTTPStatus.SERVICE_UNAVAILABLE: "A program that the service depends on is away; try again",
}


def errors(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The `responses` argument of a route that may answer these errors."""
    return {status.value: {"description": _WORDS[status]} for status in statuses}


def job_out(job: Job) -> JobOut:
    """A job for the wire; its error names the video, never where it lies."""
    out = JobOut.of(job)
    if job.error is None or not job.media_path:
        return out
    return out.model_copy(update={"error": without_paths(job.error, FilePath(job.media_path))})
