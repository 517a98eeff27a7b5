"""Decides what of the page is out of date: asks the API no more than it must, and sends only parts that changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from extension.client import ApiClient
from extension.errors import BadInput, ExtensionError, NotFound
from extension.timetravel.summary_tongues import Language
from extension.timetravel.summary_wire import SummaryOut
from extension.ui import digest, tables, views
from extension.ui.markup import Html, joined
from extension.ui.words import Words
from extension.wire import AboutOut, CaptionOut, DeliveryOut, EventOut, IncidentOut, JobOut

# Seconds between looks while a job runs or an alert is on its way, and otherwise.
BUSY_S, IDLE_S = 1.0, 4.0
# A job's id comes from the page's address too: nothing but an id may become part of a request.
_ID = re.compile(r"[\w-]{1,100}")


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything about one job, as of one state of it."""

    job: JobOut
    events: list[EventOut]
    incidents: list[IncidentOut]
    deliveries: list[DeliveryOut]
    failures: list[CaptionOut]
    outputs: list[str]
    summary: SummaryOut | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one visitor's page shows at the moment."""

    about: AboutOut | None = None
    jobs: tuple[JobOut, ...] = ()
    findings: Findings | None = None
    parts: Mapping[str, Html] = field(default_factory=dict)

    @property
    def is_busy(self) -> bool:
        """Whether something may change by itself soon."""
        found = self.findings
        return self.about is None or (
            found is not None
            and (
                found.job.status in {"queued", "running", "live"}
                or any(d.state == "pending" for d in found.deliveries)
            )
        )


def look(api: ApiClient, seen: Seen, job_id: str | None, words: Words) -> Seen:
    """The page as it should be by now, showing that job, or the newest when none is named.

    An API that does not answer leaves everything in place but the header, which says so.
    """
    try:
        # Which model answers may be learned only once its server is up.
        about = seen.about if seen.about and seen.about.vlm_model else api.about()
        # What cameras find is shown with them; whoever asks for it by its address gets it here all the same.
        jobs = tuple(job for job in api.jobs() if job.status != "live")
        language = Language(words["lang"])
        findings = _findings(api, seen.findings, _chosen(api, jobs, job_id), language)
    except ExtensionError:
        parts = {**seen.parts, "header": views.header(None, words)}
        return Seen(None, seen.jobs, seen.findings, parts)
    return Seen(about, jobs, findings, _parts(about, findings, words))


def _chosen(api: ApiClient, jobs: tuple[JobOut, ...], job_id: str | None) -> JobOut | None:
    if job_id is not None and _ID.fullmatch(job_id):
        if listed := next((job for job in jobs if job.id == job_id), None):
            return listed
        with suppress(NotFound, BadInput):
            return api.job(job_id)
    return jobs[0] if jobs else None


def _findings(
    api: ApiClient, before: Findings | None, job: JobOut | None, language: Language
) -> Findings | None:
    if job is None:
        return None
    waiting = before is not None and any(d.state == "pending" for d in before.deliveries)
    if before is not None and before.job == job and not waiting:
        return before
    return Findings(
        job=job,
        events=api.events(job.id),
        incidents=api.incidents(job.id),
        deliveries=api.deliveries(job.id),
        failures=[c for c in api.captions(job.id) if c.failure] if job.failed_chunks else [],
        outputs=api.outputs(job.id),
        summary=api.summary(job.id, language) if job.status in {"done", "failed"} else None,
    )


def _parts(about: AboutOut, found: Findings | None, words: Words) -> dict[str, Html]:
    job = found.job if found else None
    parts = {
        "header": views.header(about, words),
        "progress": views.progress(job, words),
        "player": views.player(job, words),
        "steps": digest.steps(job, words),
        "timeline": joined(
            views.timeline(job, found.events if found else (), words),
            digest.moments(found.incidents if found else ()),
        ),
        "summary": Html(""),
        "events": Html(""),
        "incidents": Html(""),
        "failures": Html(""),
        "outputs": Html(""),
    }
    if found is not None:
        parts["events"] = joined(
            tables.heading(words["events"], len(found.events)),
            tables.events_table(found.job, found.events, words),
        )
        parts["incidents"] = joined(
            tables.heading(words["incidents"], len(found.incidents)),
            tables.incidents_table(found.incidents, found.deliveries, words),
        )
        parts["summary"] = digest.summary(found.job, found.summary, found.outputs, words)
        parts["failures"] = tables.failures_list(found.failures, words)
        parts["outputs"] = views.downloads(found.job, found.outputs, words)
    return parts
