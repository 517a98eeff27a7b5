"""Keeps the evidence of live incidents, cut from the recorded segments: at once when one opens, and all of it when it is over."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog

from extension import VERSION
from extension.captions.prompts import load
from extension.clock import Clock
from extension.evidence import shelf
from extension.evidence.account import Case, Context
from extension.evidence.collect import PYAV, Collected, collect
from extension.evidence.digests import Stopped
from extension.evidence.expiry import expired
from extension.evidence.parts import Part, extent
from extension.evidence.renew import renew
from extension.evidence.wanted import Limits
from extension.model import Basis, Caption, Incident, Phase
from extension.pipeline.live.lane import Lane
from extension.pipeline.live.pending import Pending, Wish
from extension.sources.camera.ring import Ring
from extension.store import Store

_LOG = structlog.get_logger(__name__)
_WAIT_S: Final = 0.5
_PATIENCE_S: Final = 30.0
"""What follows an incident is waited for so long; a camera that is gone records nothing more."""

_MORE_S: Final = 1.0
_CATCH_UP_EVERY_S: Final = 300.0
_LOOK_BACK_S: Final = 7 * 86_400.0
"""Evidence of incidents that ended before this is as it is."""


class Proofs:
    """Evidence of live incidents; `run` does the work, in a thread of its own.

    Args:
        store: Events, captions and incidents.
        ring: The recorded segments.
        outputs_dir: Of all jobs, one folder each.
        limits: What evidence may hold.
        stop: Ends everything.
        lanes: The cameras by name; what is missing of their evidence is made up for.
        clock: The wall clock, and processing time.
    """

    def __init__(
        self,
        store: Store,
        ring: Ring,
        outputs_dir: Path,
        limits: Limits,
        stop: threading.Event,
        *,
        lanes: Mapping[str, Lane],
        clock: Clock,
    ) -> None:
        self._store = store
        self._ring = ring
        self._outputs_dir = outputs_dir
        self._limits = limits
        self._stop = stop
        self._lanes = lanes
        self._clock = clock
        self._pending: Pending[Lane] = Pending(limits)

    def judged(self, lane: Lane, incidents: tuple[Incident, ...]) -> None:
        """Incidents changed: those that can be shown get their evidence, as far as it is recorded."""
        for incident in incidents:
            if incident.phase is Phase.RESOLVED or incident.basis is not Basis.CAPTURE:
                self._pending.add(lane, incident, self._clock.monotonic_s())

    def run(self) -> None:
        """Make evidence until the service stops; what an earlier run left unmade first."""
        caught_up_s: float | None = None
        while not self._stop.is_set():
            now_s = self._clock.monotonic_s()
            if caught_up_s is None or now_s - caught_up_s >= _CATCH_UP_EVERY_S:
                self._catch_up(first=caught_up_s is None)
                caught_up_s = now_s
            wish = self._pending.take(self._due, _WAIT_S)
            if wish is None:
                continue
            try:
                self._prove(wish.lane, wish.incident)
            except Stopped:
                return

    def _due(self, wish: Wish[Lane]) -> bool:
        """Whether all that the evidence is to show is recorded, or will not be."""
        if wish.incident.phase is Phase.OPEN or self._clock.monotonic_s() - wish.since_s > _PATIENCE_S:
            return True
        latest = self._ring.index.latest(wish.lane.camera)
        return latest is None or wish.lane.media_s(latest.end_at) >= self._reach_s(wish.incident)

    def _reach_s(self, incident: Incident) -> float:
        """Media second up to which a clip may reach."""
        start_s = incident.span.start_s - self._limits.before_s
        return min(incident.span.end_s + self._limits.after_s, start_s + self._limits.longest_s)

    def _catch_up(self, *, first: bool) -> None:
        """Want what should be there and is not: the service or the disk failed before it was made."""
        for lane in self._lanes.values():
            recorded = self._ring.index.segments(lane.camera)
            since_at = recorded[0].start_at if recorded else self._clock.now()
            since_s = lane.media_s(since_at) - (_LOOK_BACK_S if first else 0.0)
            for incident in self._store.incidents_since(lane.job_id, since_s):
                if self._lacks(lane, incident):
                    self.judged(lane, (incident,))

    def _lacks(self, lane: Lane, incident: Incident) -> bool:
        outputs = self._outputs_dir / lane.job_id
        made = shelf.read(shelf.place(outputs, incident.id))
        if made is None:
            # Where nothing is recorded any more there is nothing to show.
            return expired(outputs, incident.id) is None and bool(self._parts(lane, incident))
        told = made.incident
        return incident.phase is Phase.RESOLVED and (
            told.phase,
            told.kind,
            told.severity,
            told.check,
            len(told.event_ids),
        ) != (incident.phase, incident.kind, incident.severity, incident.check, len(incident.event_ids))

    def _prove(self, lane: Lane, incident: Incident) -> None:
        case = Case(incident, self._store.events_by_id(incident.event_ids), self._captions(lane, incident))
        context = self._context(lane, case)
        outputs, parts = self._outputs_dir / lane.job_id, self._parts(lane, incident)
        recorded_from_s = extent(parts).start_s if parts else math.inf
        try:
            kept = renew(outputs, case, recorded_from_s, context, self._limits)
        except OSError as exc:
            _LOG.warning("evidence_stays_as_it_was", camera=lane.camera, reason=exc.strerror)
            return
        if kept is None:
            made = collect(
                outputs, [case], parts, context, self._limits, lambda: not self._stop.is_set()
            ).collected
            _complain(lane, incident, made)

    def _captions(self, lane: Lane, incident: Incident) -> list[Caption]:
        """The answers for the windows that the incident rests on."""
        events = self._store.events_by_id(incident.event_ids)
        return [
            caption
            for number in sorted({event.chunk_index for event in events if event.chunk_index >= 0})
            for caption in self._store.captions(lane.job_id, number, 1)
            if caption.chunk.index == number
        ]

    def _context(self, lane: Lane, case: Case) -> Context:
        return Context(
            job_id=lane.job_id,
            source=lane.camera,
            model=next((str(c.stats["model"]) for c in case.captions if "model" in c.stats), None),
            prompt=load(lane.prompt) if case.captions else None,
            parameters={"window_s": lane.rhythm.length_s, "stride_s": lane.rhythm.stride_s},
            version=VERSION,
            pyav=PYAV,
        )

    def _parts(self, lane: Lane, incident: Incident) -> tuple[Part, ...]:
        """The segments that show an incident, and a little more, by media seconds."""
        from_at = lane.at(incident.span.start_s - self._limits.before_s)
        # A little beyond the clip, which shows whether the incident goes on there.
        to_at = lane.at(self._reach_s(incident) + _MORE_S)
        return tuple(
            Part(segment.path, 0.0, segment.duration_s, lane.media_s(segment.start_at))
            for segment in self._ring.index.covering(lane.camera, from_at, to_at)
        )


def _complain(lane: Lane, incident: Incident, made: tuple[Collected, ...]) -> None:
    """Say what is missing; of a camera that shows no picture nothing else was to be expected."""
    for one in made if incident.basis is not Basis.CAPTURE else ():
        for lack in one.missing:
            _LOG.warning("evidence_incomplete", camera=lane.camera, file=lack.name, reason=lack.reason)
