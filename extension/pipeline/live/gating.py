"""The gate before the VLM for live cameras: measures the segments of a window, decides, and has the window looked at or recorded as not asked."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from extension.model import Caption, Span
from extension.pipeline.live.gate import (
    GateMode,
    Rules,
    Sight,
    State,
    after,
    decide,
    gate_stats,
    gated,
    motion_stats,
)
from extension.pipeline.live.lane import Lane, Spec
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Segment
from extension.sources.motion.meter import Meter
from extension.sources.motion.motion import Part, together

Ask = Callable[[Lane, int], Caption]
"""Has the VLM look at a window."""

_WAITING: Final = 256
"""Segments that wait to be measured ahead; those beyond are measured when their window is due."""

_WAIT_S: Final = 0.5


@dataclass
class _Gate:
    """Of one camera; its windows are dealt with one after the other."""

    rules: Rules
    measures: bool
    state: State = field(default_factory=State)
    number: int = -1
    before: State = field(default_factory=State)

    def take_up(self, number: int) -> State:
        """What was known before a window; also when the window comes again, because its answer could not be stored."""
        if number != self.number:
            self.number, self.before = number, self.state
        return self.before


class Gating:
    """The gates of all cameras.

    Args:
        specs: How the cameras are watched.
        ring: The recorded segments.
        meter: Measures them.
        is_open: Whether the job with an id has an open incident.
    """

    def __init__(
        self, specs: Iterable[Spec], ring: Ring, meter: Meter, is_open: Callable[[str], bool]
    ) -> None:
        self._gates = {
            spec.camera: _Gate(Rules(spec.gate, spec.forced_look_s), spec.measures_motion) for spec in specs
        }
        self._ring = ring
        self._meter = meter
        self._is_open = is_open
        self._waiting: queue.Queue[Segment] = queue.Queue(_WAITING)

    @property
    def measures(self) -> bool:
        """Whether the motion of any camera is measured."""
        return any(gate.measures for gate in self._gates.values())

    def heard(self, segment: Segment) -> None:
        """A segment was recorded; it is measured ahead of the window that it completes."""
        if self._gates[segment.camera].measures:
            with contextlib.suppress(queue.Full):
                self._waiting.put_nowait(segment)

    def run(self, stop: threading.Event) -> None:
        """Measure segments as they come, until the service stops."""
        while not stop.is_set():
            try:
                self._meter.motion(self._waiting.get(timeout=_WAIT_S))
            except queue.Empty:
                continue

    def look(self, lane: Lane, number: int, ask: Ask) -> Caption:
        """The answer for a window, or the record that it was not asked about; stats say what moved and what was decided.

        The windows of a camera come in order, one at a time.

        Args:
            lane: The camera.
            number: The window's.
            ask: Called when the VLM is to look at it.

        Raises:
            Stopped: when the service stops meanwhile.
        """
        gate = self._gates[lane.camera]
        parts = self._parts(lane, number) if gate.measures else ()
        if not parts:
            return ask(lane, number)
        span = lane.chunk(number).span
        if gate.rules.mode is GateMode.OFF:
            caption = ask(lane, number)
            return replace(caption, stats=caption.stats | {"motion": motion_stats(together(parts, span))})
        sight = Sight(span, parts, self._is_open(lane.job_id))
        before = gate.take_up(number)
        decision = decide(sight, before, gate.rules)
        spared = gate.rules.mode is GateMode.ON and not decision.look
        caption = gated(lane.chunk(number), decision) if spared else ask(lane, number)
        gate.state = after(before, sight, decision, answered=caption.failure is None)
        said = {"motion": motion_stats(decision.motion), "gate": gate_stats(decision, gate.rules.mode)}
        return replace(caption, stats=caption.stats | said)

    def _parts(self, lane: Lane, number: int) -> Sequence[Part]:
        segments = self._ring.index.covering(lane.camera, *lane.rhythm.span(number))
        return [
            Part(
                Span(lane.media_s(segment.start_at), lane.media_s(segment.end_at)),
                self._meter.motion(segment),
            )
            for segment in segments
        ]
