"""Jobs: store one, list them, try again, watch the video."""

from __future__ import annotations

import mimetypes
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Body, Header, Query, Request, Response
from fastapi.responses import FileResponse

from extension.api import openapi
from extension.api.intake import Intake
from extension.api.ports import Services
from extension.api.problems import Rejected
from extension.api.routes.needs import IdArg, IntakeArg, LimitArg, ServicesArg, errors, job_out
from extension.api.uploads import boundary_of, linger, receive
from extension.errors import NotFound
from extension.model import Job, JobStatus
from extension.wire import JobIn, JobOut

router = APIRouter(tags=["jobs"])

KeyArg = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Sent again, it gives the same job instead of a second one",
    ),
]
_BY_PATH = {
    "replay": {
        "summary": "A replay at three times the speed, with its log",
        "value": {"path": "/media/yard.mp4", "trajectory": "/media/yard.csv", "speed": 3.0},
    },
    "log": {
        "summary": "A log alone: its replay is drawn, and only what may matter is looked at",
        "value": {"trajectory": "/media/yard.csv", "vlm": "candidates"},
    },
    "camera": {
        "summary": "A camera recording",
        "value": {"path": "/media/gate.mp4", "prompt": "camera", "start_at": "2026-05-04T10:00:00+09:00"},
    },
}


@router.post(
    "/jobs",
    status_code=HTTPStatus.ACCEPTED,
    responses=errors(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.INSUFFICIENT_STORAGE,
    ),
    openapi_extra={"requestBody": openapi.upload_form()},
)
async def upload_job(
    request: Request,
    response: Response,
    services: ServicesArg,
    intake: IntakeArg,
    idempotency_key: KeyArg = None,
) -> JobOut:
    """Upload a video, and its trajectory log where there is one, to be analysed."""
    job = await to_thread.run_sync(intake.known, idempotency_key)
    if job is not None:
        await linger(request.stream())
    else:
        job = await _uploaded(request, services, intake, idempotency_key)
    return _accepted(job, response)


async def _uploaded(request: Request, services: Services, intake: Intake, key: str | None) -> Job:
    boundary = boundary_of(request.headers.get("content-type", ""))
    declared = request.headers.get("content-length", "")
    upload = await receive(
        request.stream(),
        boundary,
        intake.incoming_folder(),
        max_bytes=services.max_upload_bytes,
        declared_bytes=int(declared) if declared.isdecimal() else 0,
    )
    return await to_thread.run_sync(intake.from_upload, upload, key)


@router.post(
    "/jobs/by-path",
    status_code=HTTPStatus.ACCEPTED,
    responses=errors(HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)
def create_job_by_path(
    asked: Annotated[JobIn, Body(openapi_examples=_BY_PATH)],
    response: Response,
    intake: IntakeArg,
    idempotency_key: KeyArg = None,
) -> JobOut:
    """Have a video analysed that the service can read itself."""
    return _accepted(intake.known(idempotency_key) or intake.from_path(asked, idempotency_key), response)


def _accepted(job: Job, response: Response) -> JobOut:
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return job_out(job)


@router.get("/jobs", responses=errors(HTTPStatus.NOT_FOUND))
def list_jobs(
    services: ServicesArg,
    limit: LimitArg = 50,
    before: Annotated[str | None, Query(max_length=200, description="Id of the last job seen")] = None,
) -> list[JobOut]:
    """Jobs, newest first."""
    return [job_out(job) for job in services.store.jobs(limit=limit, before=before)]


@router.get("/jobs/{job_id}", responses=errors(HTTPStatus.NOT_FOUND))
def get_job(job_id: IdArg, services: ServicesArg) -> JobOut:
    """One job and how far it is."""
    return job_out(services.store.job(job_id))


@router.post(
    "/jobs/{job_id}/retry",
    status_code=HTTPStatus.ACCEPTED,
    responses=errors(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def retry_job(job_id: IdArg, response: Response, services: ServicesArg) -> JobOut:
    """Have the failed chunks of a finished job done again."""
    job = services.store.job(job_id)
    if job.status is JobStatus.LIVE:
        raise Rejected(HTTPStatus.CONFLICT, "A camera's windows are gone: they cannot be tried again.")
    if job.status in {JobStatus.QUEUED, JobStatus.RUNNING}:
        raise Rejected(HTTPStatus.CONFLICT, "The job is not finished yet.")
    if job.status is JobStatus.DONE and job.failed_chunks == 0:
        raise Rejected(HTTPStatus.CONFLICT, "No chunk of this job failed: there is nothing to try again.")
    services.store.requeue_job(job_id)
    services.wake()
    return _accepted(services.store.job(job_id), response)


@router.get(
    "/jobs/{job_id}/video",
    response_class=FileResponse,
    responses={
        200: {"description": "The whole file", "content": {"video/*": {}, "application/octet-stream": {}}},
        206: {
            "description": "The part that the Range header asked for",
            "content": {"video/*": {}, "application/octet-stream": {}},
        },
        **errors(HTTPStatus.NOT_FOUND),
    },
)
def get_video(job_id: IdArg, services: ServicesArg) -> FileResponse:
    """The job's video; parts of it by Range, so that players can seek."""
    job = services.store.job(job_id)
    path = Path(job.media_path)
    if not job.media_path:
        what = "A camera has no single video." if job.status is JobStatus.LIVE else "It is not drawn yet."
        raise NotFound(f"This job has no video. {what}")
    if not path.is_file():
        raise NotFound("The video of this job is no longer there.")
    guessed = mimetypes.guess_type(job.name)[0] or ""
    return FileResponse(
        path,
        media_type=guessed if guessed.startswith("video/") else "application/octet-stream",
        filename=job.name,
        content_disposition_type="inline",
        headers={"Cache-Control": "private, max-age=3600"},
    )
