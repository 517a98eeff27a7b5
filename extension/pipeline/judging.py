"""Judges captions strictly in chunk order and says what is to be stored for each. Touches no store, no network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from extension.events import judge
from extension.incidents import merge
from extension.model import Announcement, Caption, Event, Incident, Job, Message
from extension.pipeline.closing import settled
from extension.pipeline.ruling import rule
from extension.pipeline.world import World

Announce = Callable[[Announcement, Job], list[Message]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one transaction stores: `judged_chunks` chunks, counted from the start, are judged with it.

    `refuted` names the objects of contacts that the VLM claimed and the log excludes; they are stored nowhere but in the answer.
    """

    judged_chunks: int
    events: tuple[Event, ...]
    incidents: tuple[Incident, ...]
    messages: tuple[Message, ...]
    refuted: tuple[tuple[str, ...], ...] = ()


class Judge:
    """Follows one job from chunk to chunk.

    Args:
        job: The job, `judged_chunks` included: captions before that only teach the clock.
        world: Maps media time to the recorded world.
        open_incidents: The incidents still open from before a restart.
        announced: Highest sequence number announced so far, by incident.
        merge_gap_s: Media seconds within which events are one incident.
        announce: Makes the messages of an announcement.
        stride_s: Media seconds from the start of a chunk to that of the next where chunks overlap; None where they do not.
    """

    def __init__(
        self,
        job: Job,
        world: World,
        open_incidents: Sequence[Incident],
        announced: Mapping[str, int],
        merge_gap_s: float,
        announce: Announce,
        stride_s: float | None = None,
    ) -> None:
        self._job = job
        self._world = world
        self._open = tuple(open_incidents)
        self._sequence = dict(announced)
        self._merge_gap_s = merge_gap_s
        self._announce = announce
        self._stride_s = stride_s
        self._judged = job.judged_chunks

    def recall(self, captions: Iterable[Caption]) -> None:
        """Learn the clock from captions that are already judged."""
        for caption in captions:
            self._world.learn(caption)

    def judge(self, caption: Caption) -> Judgement:
        """Judge the next chunk in order."""
        self._world.learn(caption)
        claimed = judge.events(self._job.id, caption, self._world.at, self._world.locate)
        ruling = rule(self._job.id, caption, claimed, self._world)
        until_s = self._seen_until_s(caption) if caption.verdict else -math.inf
        self._judged = caption.chunk.index + 1
        return replace(self._step(ruling.events, until_s), refuted=ruling.refuted)

    def _seen_until_s(self, caption: Caption) -> float:
        """Media seconds up to which no later chunk shows anything."""
        span = caption.chunk.span
        return span.end_s if self._stride_s is None else min(span.end_s, span.start_s + self._stride_s)

    def tell(self, events: tuple[Event, ...], until_s: float = -math.inf) -> Judgement:
        """Take in events that no caption holds; incidents that ended well before `until_s` are over."""
        return self._step(events, until_s)

    def close(self, unseen: tuple[Event, ...]) -> Judgement:
        """The source is over: what is open is resolved, and what only the log tells is added."""
        self._open = tuple(settled(incident, self._world) for incident in self._open)
        return self._step(unseen, math.inf)

    def _step(self, events: tuple[Event, ...], until_s: float) -> Judgement:
        step = merge.step(self._open, events, until_s, self._merge_gap_s)
        self._open = step.open
        messages: list[Message] = []
        for change, incident in step.news:
            sequence = self._sequence.get(incident.id, 0) + 1
            self._sequence[incident.id] = sequence
            messages += self._announce(Announcement(incident, change, sequence), self._job)
        return Judgement(self._judged, events, step.changed, tuple(messages))
