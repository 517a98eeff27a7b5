"""Judges the captions of a job anew under other options, without asking anybody and without storing anything. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from extension.model import Announcement, Caption, Event, Incident, Job, Message
from extension.pipeline import closing
from extension.pipeline.judging import Judge
from extension.pipeline.world import World


def tell_nobody(_announcement: Announcement, _job: Job) -> list[Message]:
    """No messages: what is only tried out concerns no receiver."""
    return []


def judged_again(
    job: Job, captions: Sequence[Caption], world: World, merge_gap_s: float, stride_s: float | None = None
) -> tuple[list[Event], list[Incident]]:
    """The events and incidents that a job would have come to.

    Args:
        job: The job, with the options to judge by.
        captions: The answers for all its chunks, in order; at least one.
        world: The recorded world of the job, fresh: it learns the clock from the captions.
        merge_gap_s: Media seconds within which events are one incident.
        stride_s: Media seconds from the start of a chunk to that of the next where chunks overlap; None where they do not.

    Returns:
        Both by media time.
    """
    judge = Judge(replace(job, judged_chunks=0), world, (), {}, merge_gap_s, tell_nobody, stride_s)
    events: dict[str, Event] = {}
    incidents: dict[str, Incident] = {}

    def keep(judged: Sequence[Event], merged: Sequence[Incident]) -> None:
        events.update({event.id: event for event in judged})
        incidents.update({incident.id: incident for incident in merged})

    for caption in captions:
        judgement = judge.judge(caption)
        keep(judgement.events, judgement.incidents)
    keep(
        [closing.settled(event, world) for event in events.values()],
        [closing.settled(incident, world) for incident in incidents.values()],
    )
    chunks = [caption.chunk for caption in captions]
    last = judge.close(closing.unclaimed_contacts(job.id, world, chunks, events.values()))
    keep(last.events, last.incidents)
    return (
        sorted(events.values(), key=lambda e: (e.span.start_s, e.objects)),
        sorted(incidents.values(), key=lambda i: (i.span.start_s, i.objects)),
    )
