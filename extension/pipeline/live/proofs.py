"""Keeps the evidence of live incidents, cut from the recorded segments once an incident is over."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from extension import VERSION
from extension.captions.prompts import load
from extension.evidence.account import Case, Context
from extension.evidence.collect import PYAV, collect
from extension.evidence.digests import Stopped
from extension.evidence.parts import Part
from extension.evidence.wanted import Limits
from extension.model import Incident, Phase
from extension.pipeline.live.lane import Lane
from extension.sources.camera.ring import Ring
from extension.store import Store

_LOG = structlog.get_logger(__name__)
_WAIT_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Wanted:
    lane: Lane
    incident: Incident


class Proofs:
    """Evidence of live incidents; `run` does the work, in a thread of its own.

    Args:
        store: Events and captions.
        ring: The recorded segments.
        outputs_dir: Of all jobs, one folder each.
        limits: What evidence may hold.
        stop: Ends everything.
    """

    def __init__(
        self, store: Store, ring: Ring, outputs_dir: Path, limits: Limits, stop: threading.Event
    ) -> None:
        self._store = store
        self._ring = ring
        self._outputs_dir = outputs_dir
        self._limits = limits
        self._stop = stop
        self._wanted: queue.Queue[_Wanted] = queue.Queue()

    def judged(self, lane: Lane, incidents: tuple[Incident, ...]) -> None:
        """Of incidents that changed, those that are over get their evidence."""
        for incident in incidents:
            if incident.phase is Phase.RESOLVED:
                self._wanted.put(_Wanted(lane, incident))

    def run(self) -> None:
        """Make evidence until the service stops."""
        while not self._stop.is_set():
            try:
                wanted = self._wanted.get(timeout=_WAIT_S)
            except queue.Empty:
                continue
            try:
                self._prove(wanted.lane, wanted.incident)
            except Stopped:
                return

    def _prove(self, lane: Lane, incident: Incident) -> None:
        events = self._store.events_by_id(incident.event_ids)
        numbers = [event.chunk_index for event in events if event.chunk_index >= 0]
        captions = [
            caption
            for number in sorted(set(numbers))
            for caption in self._store.captions(lane.job_id, number, 1)
            if caption.chunk.index == number
        ]
        context = Context(
            job_id=lane.job_id,
            source=lane.camera,
            model=next((str(c.stats["model"]) for c in captions if "model" in c.stats), None),
            prompt=load(lane.prompt) if captions else None,
            parameters={"window_s": lane.rhythm.length_s, "stride_s": lane.rhythm.stride_s},
            version=VERSION,
            pyav=PYAV,
        )
        kept = collect(
            self._outputs_dir / lane.job_id,
            [Case(incident, events, captions)],
            self._parts(lane, incident),
            context,
            self._limits,
            lambda: not self._stop.is_set(),
        )
        for one in kept.collected:
            for lack in one.missing:
                _LOG.warning("evidence_incomplete", camera=lane.camera, file=lack.name, reason=lack.reason)

    def _parts(self, lane: Lane, incident: Incident) -> tuple[Part, ...]:
        """The segments that show an incident, and a little more, by media seconds."""
        from_at = lane.at(incident.span.start_s - self._limits.before_s)
        to_at = lane.at(incident.span.end_s + self._limits.after_s)
        return tuple(
            Part(segment.path, 0.0, segment.duration_s, lane.media_s(segment.start_at))
            for segment in self._ring.index.covering(lane.camera, from_at, to_at)
        )
