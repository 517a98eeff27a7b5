"""A client of our own REST API, for the command line and the page. Speaks requests; returns wire models."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import requests
from pydantic import TypeAdapter, ValidationError

from extension import multipart
from extension.errors import BadInput, NotFound, Unavailable
from extension.evidence.manifest import EvidenceOut
from extension.timetravel.summary_tongues import Language
from extension.timetravel.summary_wire import SummaryOut
from extension.wire import (
    AboutOut,
    AnswerOut,
    BriefOut,
    CameraOut,
    CaptionOut,
    DeliveryOut,
    EventOut,
    IncidentOut,
    JobIn,
    JobOut,
    QuestionIn,
)

T = TypeVar("T")
_TIMEOUT_S = 30.0
_UPLOAD_S = 3600.0
_ANSWER_S = 180.0
_SERVER_FAULT = 500


class ApiClient:
    """A client of one service.

    Every method raises Unavailable when the service does not answer, NotFound or BadInput (with the service's own reason)
    when it refuses.
    """

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/")

    @property
    def base_url(self) -> str:
        """Where the service is."""
        return self._base

    def about(self) -> AboutOut:
        """What the service is connected to."""
        return self._get("/about", AboutOut)

    def submit_path(self, job: JobIn, key: str | None = None) -> JobOut:
        """Have a video analysed that the service can read itself; with the same `key` it is the same job."""
        return self._call(
            "POST", "/jobs/by-path", JobOut, json=job.model_dump(mode="json"), headers=_key(key)
        )

    def submit_upload(
        self, video: Path, trajectory: Path | None, options: dict[str, str], key: str | None = None
    ) -> JobOut:
        """Upload a video, and its log where there is one, and have it analysed; with the same `key` it is the same job."""
        paths = {"video": video} | ({"trajectory": trajectory} if trajectory else {})
        with ExitStack() as opened:
            uploads = {
                field: multipart.Upload(path.name, opened.enter_context(path.open("rb")))
                for field, path in paths.items()
            }
            form = multipart.form(options, uploads)
            headers = {**_key(key), "content-type": form.content_type}
            return self._call("POST", "/jobs", JobOut, data=form.pieces, headers=headers, timeout=_UPLOAD_S)

    def jobs(self) -> list[JobOut]:
        """The newest jobs first."""
        return self._get("/jobs", list[JobOut])

    def job(self, job_id: str) -> JobOut:
        """One job."""
        return self._get(f"/jobs/{quote(job_id, safe='')}", JobOut)

    def retry(self, job_id: str) -> JobOut:
        """Ask for the failed chunks of a job again."""
        return self._call("POST", f"/jobs/{quote(job_id, safe='')}/retry", JobOut)

    def captions(self, job_id: str) -> list[CaptionOut]:
        """The answers for a job's chunks."""
        return self._get(f"/jobs/{quote(job_id, safe='')}/captions", list[CaptionOut])

    def events(self, job_id: str) -> list[EventOut]:
        """A job's events by time."""
        return self._get(f"/jobs/{quote(job_id, safe='')}/events", list[EventOut])

    def incidents(self, job_id: str, *, newest: int | None = None) -> list[IncidentOut]:
        """A job's incidents by time; only the `newest` of them where that is given."""
        some = "" if newest is None else f"?newest={newest}"
        return self._get(f"/jobs/{quote(job_id, safe='')}/incidents{some}", list[IncidentOut])

    def evidence(self, incident_id: str) -> EvidenceOut:
        """What is kept of an incident; NotFound where nothing is."""
        return self._get(f"/incidents/{quote(incident_id, safe='')}/evidence", EvidenceOut)

    def deliveries(self, job_id: str) -> list[DeliveryOut]:
        """The deliveries of a job's notifications."""
        return self._get(f"/jobs/{quote(job_id, safe='')}/deliveries", list[DeliveryOut])

    def outputs(self, job_id: str) -> list[str]:
        """Names of a job's output files."""
        return self._get(f"/jobs/{quote(job_id, safe='')}/outputs", dict[str, list[str]])["files"]

    def summary(self, job_id: str, language: Language = Language.EN) -> SummaryOut:
        """What a job came to, in words and numbers."""
        return self._get(f"/jobs/{quote(job_id, safe='')}/summary?lang={language}", SummaryOut)

    def ask(self, job_id: str, question: str) -> AnswerOut:
        """Ask a question about a job's video."""
        body = QuestionIn(question=question).model_dump()
        return self._call(
            "POST", f"/jobs/{quote(job_id, safe='')}/questions", AnswerOut, json=body, timeout=_ANSWER_S
        )

    def cameras(self) -> list[CameraOut]:
        """How every camera is; none where none is watched."""
        return self._get("/cameras", list[CameraOut])

    def looks(self, camera: str, at: dt.datetime) -> list[CaptionOut]:
        """The windows of a camera that showed an instant, and what became of them."""
        query = urlencode({"at": at.isoformat()})
        return self._get(f"/cameras/{quote(camera, safe='')}/windows?{query}", list[CaptionOut])

    def brief(self, camera: str) -> BriefOut:
        """What the VLM is told about a camera's place."""
        return self._get(f"/cameras/{quote(camera, safe='')}/brief", BriefOut)

    def set_brief(self, camera: str, notes: str, zones: Sequence[Mapping[str, Any]]) -> BriefOut:
        """Say something else about it from now on; the zones are as `ZoneIO` has them, and the service checks them."""
        body = {"notes": notes, "zones": list(zones)}
        return self._call("PUT", f"/cameras/{quote(camera, safe='')}/brief", BriefOut, json=body)

    def drop_brief(self, camera: str) -> BriefOut:
        """Go back to what the file of the cameras says about it."""
        return self._call("DELETE", f"/cameras/{quote(camera, safe='')}/brief", BriefOut)

    def _get(self, path: str, form: type[T]) -> T:
        return self._call("GET", path, form)

    def _call(self, method: str, path: str, form: type[T], timeout: float = _TIMEOUT_S, **options: Any) -> T:
        try:
            with requests.Session() as session:
                session.trust_env = False  # our own service is never behind a proxy
                url = f"{self._base}/api/v1{path}"
                response = session.request(method, url, timeout=timeout, **options)
        except requests.RequestException as exc:
            raise Unavailable(f"the service at {self._base} does not answer") from exc
        if not response.ok:
            raise _refusal(response)
        try:
            return TypeAdapter(form).validate_json(response.content)
        except ValidationError as exc:
            raise Unavailable(f"the service answered {path} with something unexpected") from exc


def _key(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key} if key else {}


def _refusal(response: requests.Response) -> Exception:
    try:
        detail = str(response.json().get("detail") or response.reason)
    except (ValueError, AttributeError):
        detail = f"HTTP {response.status_code}"
    if response.status_code in {requests.codes.not_found, requests.codes.gone}:
        return NotFound(detail)
    return Unavailable(detail) if response.status_code >= _SERVER_FAULT else BadInput(detail)
