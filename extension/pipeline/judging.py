"""Judges captions strictly in chunk order and says what is to be stored for each. Touches no store, no network."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from extension.events import judge
from extension.incidents import merge
from extension.incidents.revise import Revision
from extension.model import Announcement, Caption, Change, Event, Incident, Job, Message, Phase
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

    Attributes:
        held: Incidents that time does not end for now, by id.
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
        self.held: frozenset[str] = frozenset()

    def recall(self, captions: Iterable[Caption]) -> None:
        """Learn the clock from captions that are already judged."""
        for caption in captions:
            self._world.learn(caption)

    @property
    def open(self) -> tuple[Incident, ...]:
        """The incidents that are not over."""
        return self._open

    @contextlib.contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """What is judged in this block was never judged when the block fails: what is not stored must be judged again."""
        with contextlib.ExitStack() as undo:
            undo.callback(self._go_back, self._open, dict(self._sequence), self._judged)
            yield
            undo.pop_all()

    def _go_back(self, still_open: tuple[Incident, ...], sequence: dict[str, int], judged: int) -> None:
        self._open, self._sequence, self._judged = still_open, sequence, judged

    def judge(self, caption: Caption, told: tuple[Event, ...] = ()) -> Judgement:
        """Judge the next chunk in order; `told` are events that come with it and that its answer does not hold."""
        self._world.learn(caption)
        claimed = judge.events(self._job.id, caption, self._world.at, self._world.locate)
        ruling = rule(self._job.id, caption, claimed, self._world)
        until_s = self._seen_until_s(caption) if caption.verdict else -math.inf
        self._judged = caption.chunk.index + 1
        return replace(self._step((*ruling.events, *told), until_s), refuted=ruling.refuted)

    def judge_again(self, caption: Caption) -> Judgement:
        """Judge a later answer for a chunk that was judged before; what was judged since stands."""
        claimed = judge.events(self._job.id, caption, self._world.at, self._world.locate)
        return self._step(rule(self._job.id, caption, claimed, self._world).events, -math.inf)

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

    def revise(self, incident_id: str, decide: Callable[[Incident], Revision | None]) -> Judgement | None:
        """Edit an open incident as `decide` says; None when that says None, or when the incident is over."""
        known = next((incident for incident in self._open if incident.id == incident_id), None)
        revision = decide(known) if known else None
        if known is None or revision is None:
            return None
        after = revision.incident
        others = (incident for incident in self._open if incident.id != incident_id)
        self._open = (*others, after) if after.phase is Phase.OPEN else tuple(others)
        messages = self._told(revision.change, after) if revision.change else []
        return Judgement(self._judged, (), (after,), tuple(messages))

    def _told(self, change: Change, incident: Incident) -> list[Message]:
        sequence = self._sequence.get(incident.id, 0) + 1
        self._sequence[incident.id] = sequence
        if incident.phase is Phase.RESOLVED:
            # Nothing more is said of it, and a camera is judged for years.
            del self._sequence[incident.id]
        return self._announce(Announcement(incident, change, sequence), self._job)

    def _step(self, events: tuple[Event, ...], until_s: float) -> Judgement:
        step = merge.step(self._open, events, until_s, self._merge_gap_s, self.held)
        self._open = step.open
        messages: list[Message] = []
        for change, incident in step.news:
            messages += self._told(change, incident)
        return Judgement(self._judged, events, step.changed, tuple(messages))
