"""What is known only at the end of a source: the settled times of what happened, and what the log tells of moments no frame shows. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from extension.model import Basis, Chunk, Event, Incident, Span
from extension.pipeline.ruling import UNREPORTED, covers, told_event, tolerance_s
from extension.pipeline.world import World
from extension.timetravel.contacts import Contact
from extension.timetravel.timeline import Timeline
from extension.timetravel.trajectory import Trajectory

H = TypeVar("H", Event, Incident)
NO_CHUNK = -1
_UNSHOWN = "the video does not show this moment."
# A recorder's lateness; a video that lacks more of the log was cut on purpose.
_EDGE = dt.timedelta(seconds=5)


def settled(happening: H, world: World) -> H:
    """The event or incident, seen in the video, with world times and places by all that the clocks have taught by now."""
    start_at = world.at(happening.span.start_s)
    # What the log confirmed has its times from the log already.
    if start_at is None or happening.start_at == start_at or happening.basis is not Basis.VLM:
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


def unclaimed_contacts(
    job_id: str, world: World, chunks: Sequence[Chunk], events: Iterable[Event]
) -> tuple[Event, ...]:
    """Contacts of the log that no event speaks of: the coordinates tell.

    Those just before the video's first frame or just after its last are events of no chunk: a recorder may begin late or
    end early, and what it does not show is not calm. The others lie in chunks that were judged before it was known how the
    video lies in the log.

    Args:
        job_id: The job.
        world: The recorded world; nothing is told without a log, or where the job wants the VLM alone.
        chunks: All chunks of the job, by time; they cover the video.
        events: All events of the job.
    """
    referee, timeline, log = world.referee, world.timeline, world.trajectory
    if referee is None or timeline is None or log is None:
        return ()
    known, slack_s = tuple(events), tolerance_s(timeline)
    unclaimed = (
        contact for contact in referee.told if not any(covers(event, contact, slack_s) for event in known)
    )
    placed = ((contact, _place(contact, timeline, chunks, log)) for contact in unclaimed)
    return tuple(told_event(job_id, contact, *place, world) for contact, place in placed if place is not None)


def _place(
    contact: Contact, timeline: Timeline, chunks: Sequence[Chunk], log: Trajectory
) -> tuple[int, Span, str] | None:
    """Chunk and span of a contact, and why nobody told of it; None for one that the video leaves out on purpose."""
    media_s = chunks[-1].span.end_s
    first_at, last_at = timeline.at(0.0), timeline.at(media_s)
    if contact.end_at < first_at:
        return (NO_CHUNK, Span(0.0, 0.0), _UNSHOWN) if first_at <= log.start_at + _EDGE else None
    if contact.start_at > last_at:
        return (NO_CHUNK, Span(media_s, media_s), _UNSHOWN) if last_at >= log.end_at - _EDGE else None
    start_s, end_s = (timeline.media_s(at) for at in (contact.start_at, contact.end_at))
    span = Span(round(max(start_s, 0.0), 3), round(min(end_s, media_s), 3))
    chunk = next((chunk for chunk in chunks if span.start_s < chunk.span.end_s), chunks[-1])
    return chunk.index, span, UNREPORTED
