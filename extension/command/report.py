"""What a run came to, as one JSON-ready report; scored against a trajectory log where there is one. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from extension.model import Basis, DeliveryState, Kind
from extension.timetravel.contacts import Contact, contact_seconds, contacts
from extension.timetravel.evaluation import Occurrence, evaluate, occurrences_of, predecessor_f1
from extension.timetravel.trajectory import Trajectory
from extension.wire import DeliveryOut, EventOut, IncidentOut, JobOut

_DIGITS = 4
_SAMPLE_S = 1e-6


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished job with everything that belongs to it."""

    job: JobOut
    events: Sequence[EventOut]
    incidents: Sequence[IncidentOut]
    deliveries: Sequence[DeliveryOut]

    def delivered(self, state: DeliveryState) -> int:
        """How many deliveries are in a state."""
        return sum(delivery.state is state for delivery in self.deliveries)


@dataclass(frozen=True, slots=True)
class Costs:
    """What the run took: processing time in seconds, memory of all processes together in bytes."""

    startup_s: float
    peak_rss_bytes: int


def report(outcome: Outcome, costs: Costs | None, evaluation: dict[str, Any] | None) -> dict[str, Any]:
    """The report of a run; `costs` are None where another process bears them, `evaluation` where there is no log."""
    job = outcome.job
    job_s = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else None
    return {
        "job": job.model_dump(mode="json"),
        "events": [event.model_dump(mode="json") for event in outcome.events],
        "incidents": [incident.model_dump(mode="json") for incident in outcome.incidents],
        "deliveries": {
            "sent": outcome.delivered(DeliveryState.SENT),
            "failed": outcome.delivered(DeliveryState.FAILED),
            "pending": outcome.delivered(DeliveryState.PENDING),
        },
        "evaluation": evaluation,
        "media_s": job.media_s,
        "job_s": job_s,
        "job_per_media": round(job_s / job.media_s, _DIGITS) if job_s and job.media_s else None,
        "startup_s": round(costs.startup_s, 3) if costs else None,
        "peak_rss_bytes": costs.peak_rss_bytes if costs else None,
    }


def score(
    events: Sequence[EventOut],
    incidents: Sequence[IncidentOut],
    trajectory: Trajectory,
    threshold_cm: float,
    tolerance_s: float = 1.0,
) -> dict[str, Any]:
    """Score incidents against the contacts computable from the log.

    `det_f1` and `att_f1` match one to one within the tolerance (log seconds); `predecessor_f1` is the exact-second rule
    of the system we compare ourselves with. `shown` leaves out, on both sides, what the video does not show and only the
    log told (events of no chunk). `seen` does so too and counts only what the VLM saw, with or without the log's consent.
    """
    truth = contacts(trajectory, threshold_cm)
    seen_ids = {event.id for event in events if event.chunk_index >= 0}
    seen = [incident for incident in incidents if seen_ids.intersection(incident.event_ids)]
    told = {(i.start_at, tuple(i.objects)) for i in incidents if not seen_ids.intersection(i.event_ids)}
    shown = [contact for contact in truth if (contact.start_at, contact.objects) not in told]
    by_vlm = [incident for incident in seen if incident.basis is not Basis.LOG]
    return _scores(incidents, truth, trajectory, threshold_cm, tolerance_s) | {
        "shown": _scores(seen, shown, trajectory, threshold_cm, tolerance_s),
        "seen": _scores(by_vlm, shown, trajectory, threshold_cm, tolerance_s),
    }


def _scores(
    incidents: Sequence[IncidentOut],
    truth: Sequence[Contact],
    trajectory: Trajectory,
    threshold_cm: float,
    tolerance_s: float,
) -> dict[str, Any]:
    predicted = list(_occurrences(incidents, trajectory.start_at))
    result = evaluate(predicted, occurrences_of(truth, trajectory.start_at), tolerance_s)
    seconds = {(s, o.objects) for o in predicted for s in _seconds(o)}
    true_seconds = {
        s for s in contact_seconds(trajectory, threshold_cm) if _belongs(s, truth, trajectory.start_at)
    }
    return {
        "tolerance_s": tolerance_s,
        "contacts": len(truth),
        "det_f1": round(result.det.f1, _DIGITS),
        "att_f1": round(result.att.f1, _DIGITS),
        "att_precision": round(result.att.precision, _DIGITS),
        "att_recall": round(result.att.recall, _DIGITS),
        "predecessor_f1": predecessor_f1(sorted(seconds), sorted(true_seconds)),
    }


def _belongs(second: tuple[int, tuple[str, str]], truth: Sequence[Contact], start_at: dt.datetime) -> bool:
    """Whether a second of a pair is part of one of the contacts that are asked for."""
    number, pair = second
    return any(
        contact.objects == pair
        and math.floor((contact.start_at - start_at).total_seconds())
        <= number
        <= (contact.end_at - start_at).total_seconds()
        for contact in truth
    )


def _seconds(occurrence: Occurrence) -> range:
    """The whole seconds of the log that an occurrence touches; at least the one it begins in."""
    first = math.floor(occurrence.start_s)
    return range(first, max(math.ceil(occurrence.end_s), first + 1))


def _occurrences(incidents: Sequence[IncidentOut], start_at: dt.datetime) -> Iterator[Occurrence]:
    for incident in incidents:
        if incident.kind is Kind.COLLISION and incident.start_at and incident.end_at:
            start_s = (incident.start_at - start_at).total_seconds()
            end_s = (incident.end_at - start_at).total_seconds()
            # The log's contacts end with a sample that is in them, the VLM's before the first frame that is not.
            end_s += _SAMPLE_S if incident.basis is not Basis.VLM else 0.0
            yield Occurrence(start_s, end_s, tuple(incident.objects))
