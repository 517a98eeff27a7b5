"""What a job came to: its summary in words and numbers. Pictures and video of it are among the job's outputs."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import ValidationError

from extension.api.ports import Services
from extension.api.routes.needs import IdArg, ServicesArg, errors
from extension.model import Incident, Job, JobStatus
from extension.timetravel.summary_making import summarize
from extension.timetravel.summary_tongues import Language
from extension.timetravel.summary_wire import SummaryOut, json_name

router = APIRouter(tags=["findings"])

_ALL: Final = 1_000_000
_ENDED: Final = (JobStatus.DONE, JobStatus.FAILED)


@router.get("/jobs/{job_id}/summary", responses=errors(HTTPStatus.NOT_FOUND))
def get_summary(
    job_id: IdArg,
    services: ServicesArg,
    lang: Annotated[Language, Query(description="Language of title, sentences and text")] = Language.EN,
) -> SummaryOut:
    """What a job came to, with what was looked at; of a job under way, what is known so far.

    Distances are known once the job is over. The summary's video and pictures are output files: `summary.mp4`, `timeline.png` and,
    where there is a log, `heatmap.png`.
    """
    job = services.store.job(job_id)
    incidents = services.store.incidents(job.id, _ALL)
    return _written(services, job, incidents, lang) or _so_far(services, job, incidents, lang)


def _written(services: Services, job: Job, incidents: list[Incident], lang: Language) -> SummaryOut | None:
    """The summary that was written at the job's end, unless it is of an earlier run."""
    if job.status not in _ENDED:
        return None
    # The store knows this id, so it is one that we made: safe as a folder's name.
    path: Path = services.outputs_dir / job.id / json_name(lang)
    try:
        kept = SummaryOut.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    is_current = (
        {moment.incident_id for moment in kept.moments} == {incident.id for incident in incidents}
        and kept.coverage.judged + len(kept.coverage.failed) + kept.coverage.not_asked == job.chunk_count
        and len(kept.coverage.failed) == job.failed_chunks
    )
    return kept if is_current else None


def _so_far(services: Services, job: Job, incidents: list[Incident], lang: Language) -> SummaryOut:
    summary = summarize(job, incidents, services.store.captions(job.id), tz=services.timezone)
    return SummaryOut.of(summary, lang)
