"""What is known only at the end of a source: the settled times of what happened, and what the log tells of moments no frame shows. Pure."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from extension.model import Event, Incident, Job, Kind, Severity, Span
from extension.pipeline.world import World
from extension.timetravel.contacts import Contact, contacts
from extension.timetravel.timeline import Timeline
from extension.timetravel.trajectory import Trajectory

H = TypeVar("H", Event, Incident)
_NAMESPACE = uuid.UUID("0b7a4c0e-3f52-5b0a-8d58-1f0a3f1c77d2")
NO_CHUNK = -1
# A recorder's lateness; a video that lacks more of the log was cut on purpose.
_EDGE = dt.timedelta(seconds=5)


def settled(happening: H, world: World) -> H:
    """The event or incident, seen in the video, with world times and places by all that the clocks have taught by now."""
    start_at = world.at(happening.span.start_s)
    if start_at is None or happening.start_at == start_at:
        return happening
    return replace(
        happening,
        start_at=start_at,
        end_at=world.at(happening.span.end_s),
        positions=world.locate(happening.objects, start_at),
    )


def seen(events: Iterable[Event], incidents: Iterable[Incident]) -> tuple[list[Event], list[Incident]]:
    """Those that a chunk shows, at least in part."""
    shown = [event for event in events if event.chunk_index != NO_CHUNK]
    ids = {event.id for event in shown}
    return shown, [incident for incident in incidents if ids.intersection(incident.event_ids)]


def unseen_contacts(
    job: Job, trajectory: Trajectory, timeline: Timeline, media_s: float, contact_cm: float
) -> tuple[Event, ...]:
    """Contacts of the log just before the video's first frame or just after its last, as events of no chunk.

    A recorder may begin late or end early; what it does not show is not calm. The coordinates tell.

    Args:
        job: The job.
        trajectory: The log that the replay shows.
        timeline: How the video lies in it.
        media_s: Length of the video in seconds.
        contact_cm: Horizontal distance below which two objects are in contact.
    """
    first_at, last_at = timeline.at(0.0), timeline.at(media_s)
    return tuple(
        Event(
            id=str(uuid.uuid5(_NAMESPACE, f"{job.id}/{contact.start_at.isoformat()}/{contact.objects}")),
            job_id=job.id,
            chunk_index=NO_CHUNK,
            kind=Kind.COLLISION,
            span=_nearest(media_s, before=contact.end_at < first_at),
            severity=Severity.DANGER,
            objects=contact.objects,
            clock=_clock(contact.start_at, trajectory.tz),
            description=(
                f"Objects {' and '.join(contact.objects)} are {contact.closest_cm:.0f} cm apart in the log; "
                "the video does not show this moment."
            ),
            start_at=contact.start_at,
            end_at=contact.end_at,
            positions=trajectory.positions_of(contact.objects, contact.start_at),
        )
        for contact in contacts(trajectory, contact_cm)
        if _before(contact, first_at, trajectory) or _after(contact, last_at, trajectory)
    )


def _before(contact: Contact, first_at: dt.datetime, trajectory: Trajectory) -> bool:
    return contact.end_at < first_at <= trajectory.start_at + _EDGE


def _after(contact: Contact, last_at: dt.datetime, trajectory: Trajectory) -> bool:
    return contact.start_at > last_at >= trajectory.end_at - _EDGE


def _nearest(media_s: float, *, before: bool) -> Span:
    """The moment of the video that lies nearest: its start or its end."""
    return Span(0.0, 0.0) if before else Span(media_s, media_s)


def _clock(at: dt.datetime, tz: dt.tzinfo) -> str:
    return at.astimezone(tz).strftime("%H:%M:%S")
