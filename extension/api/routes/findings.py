"""What was found in a job: captions, events, incidents, output files, answers."""

from __future__ import annotations

import mimetypes
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query
from fastapi.responses import FileResponse
from pydantic import Field

from extension.api.ports import Services
from extension.api.routes.needs import IdArg, LimitArg, ServicesArg, errors
from extension.errors import NotFound
from extension.wire import (
    AnswerOut,
    CaptionOut,
    DeliveryOut,
    EventOut,
    IncidentOut,
    QuestionIn,
    Wire,
)

router = APIRouter(tags=["findings"])

# What one job holds is never cut short: a missing alert would look like calm.
_ALL = 1_000_000
_QUESTIONS = {
    "when": {"summary": "When", "value": {"question": "When did 3 and 7 collide?"}},
    "korean": {"summary": "In Korean", "value": {"question": "어떤 사고가 있었나요?"}},
}


class OutputsOut(Wire):
    """The output files of a job that can be downloaded."""

    files: list[str] = Field(examples=[["events.jsonl", "answers.json"]])


@router.get("/jobs/{job_id}/captions", responses=errors(HTTPStatus.NOT_FOUND))
def list_captions(
    job_id: IdArg,
    services: ServicesArg,
    first: Annotated[int, Query(ge=0, le=10**9, description="Chunk to begin with")] = 0,
    limit: Annotated[int | None, Query(ge=1, le=10**9, description="At most this many")] = None,
) -> list[CaptionOut]:
    """The answers for a job's chunks in order, failures included."""
    services.store.job(job_id)
    return [CaptionOut.of(caption) for caption in services.store.captions(job_id, first, limit)]


@router.get("/jobs/{job_id}/events", responses=errors(HTTPStatus.NOT_FOUND))
def list_events(job_id: IdArg, services: ServicesArg) -> list[EventOut]:
    """A job's events by time."""
    services.store.job(job_id)
    return [EventOut.of(event) for event in services.store.events(job_id)]


@router.get("/jobs/{job_id}/incidents", responses=errors(HTTPStatus.NOT_FOUND))
def list_job_incidents(
    job_id: IdArg,
    services: ServicesArg,
    newest: Annotated[
        int | None, Query(ge=1, le=1000, description="Only so many, those that began last")
    ] = None,
) -> list[IncidentOut]:
    """A job's incidents, by start."""
    store = services.store
    store.job(job_id)
    found = store.incidents(job_id, _ALL) if newest is None else store.latest_incidents(job_id, newest)
    return [IncidentOut.of(incident) for incident in found]


@router.get("/jobs/{job_id}/deliveries", responses=errors(HTTPStatus.NOT_FOUND), tags=["alerts"])
def list_job_deliveries(job_id: IdArg, services: ServicesArg) -> list[DeliveryOut]:
    """The deliveries of a job's incidents."""
    services.store.job(job_id)
    return [DeliveryOut.of(delivery) for delivery in services.store.deliveries(job_id, _ALL)]


@router.get("/jobs/{job_id}/outputs", responses=errors(HTTPStatus.NOT_FOUND))
def list_outputs(job_id: IdArg, services: ServicesArg) -> OutputsOut:
    """Names of a job's output files."""
    return OutputsOut(files=_outputs(services, job_id))


@router.get(
    "/jobs/{job_id}/outputs/{name}",
    response_class=FileResponse,
    responses={
        200: {"description": "The file", "content": {"application/octet-stream": {}, "text/*": {}}},
        206: {
            "description": "The part that the Range header asked for",
            "content": {"application/octet-stream": {}, "text/*": {}},
        },
        **errors(HTTPStatus.NOT_FOUND),
    },
)
def get_output(job_id: IdArg, name: IdArg, services: ServicesArg) -> FileResponse:
    """One output file."""
    if name not in _outputs(services, job_id):
        raise NotFound("This job has no such output file.")
    return FileResponse(
        services.outputs_dir / job_id / name,
        media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        filename=name,
    )


def _outputs(services: Services, job_id: str) -> list[str]:
    # Asking the store first: an id that it knows is one that we made, so it is safe as a folder's name.
    folder = services.outputs_dir / services.store.job(job_id).id
    if not folder.is_dir():
        return []
    return sorted(p.name for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))


@router.post(
    "/jobs/{job_id}/questions",
    responses=errors(
        HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE
    ),
)
def ask_question(
    job_id: IdArg,
    asked: Annotated[QuestionIn, Body(openapi_examples=_QUESTIONS)],
    services: ServicesArg,
) -> AnswerOut:
    """Ask about a job's video; the answer cites what it rests on."""
    return services.ask(services.store.job(job_id), asked.question)


@router.get("/incidents")
def list_incidents(services: ServicesArg, limit: LimitArg = 200) -> list[IncidentOut]:
    """Incidents of all jobs."""
    return [IncidentOut.of(incident) for incident in services.store.incidents(None, limit)]


@router.get("/incidents/{incident_id}", responses=errors(HTTPStatus.NOT_FOUND))
def get_incident(incident_id: IdArg, services: ServicesArg) -> IncidentOut:
    """One incident."""
    return IncidentOut.of(services.store.incident(incident_id))
