"""Looks at live cameras: each complete window is joined, shown to the VLM, judged and told. Never falls behind: what is too late is shed and counted."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

import structlog

from extension.clock import Clock
from extension.errors import Unavailable
from extension.model import Caption
from extension.pipeline.live.gating import Gating
from extension.pipeline.live.lane import Lane
from extension.pipeline.live.look import Look, Looking, failed
from extension.pipeline.live.notices import Notices
from extension.pipeline.live.proofs import Proofs
from extension.pipeline.live.register import Register
from extension.pipeline.live.windows import SHED, Backlog
from extension.pipeline.patience import Stopped
from extension.sources.camera.segments import Segment
from extension.store import Store

_LOG = structlog.get_logger(__name__)
_WAIT_S: Final = 0.5
_STORE_WAIT_S: Final = 2.0


class Watch:
    """Looks at the windows of all cameras; `run` may run in several threads.

    Args:
        lanes: The cameras by name.
        store: What must survive a restart.
        look: Looks at one window.
        looking: How windows are looked at.
        stop: Ends everything.
        register: Where judgements go.
        proofs: Hears of incidents that changed, for their evidence.
        gating: Decides which windows are looked at.
        notices: Tells of motion while no VLM can be had.
        clock: Says how late windows are.
    """

    def __init__(  # noqa: PLR0913 - one argument per neighbour
        self,
        lanes: Mapping[str, Lane],
        store: Store,
        look: Look,
        looking: Looking,
        stop: threading.Event,
        register: Register,
        *,
        proofs: Proofs,
        gating: Gating,
        notices: Notices,
        clock: Clock,
    ) -> None:
        self._gating = gating
        self._proofs = proofs
        self._lanes = lanes
        self._backlog = Backlog(lanes, looking.most_waiting)
        self._store = store
        self._look = look
        self._looking = looking
        self._stop = stop
        self._register = register
        self._notices = notices
        self._clock = clock

    def heard(self, segment: Segment) -> None:
        """A segment was recorded: windows that it completes wait to be looked at."""
        self._gating.heard(segment)
        for number in self._lanes[segment.camera].completed(segment.start_at, segment.end_at):
            self._backlog.add(segment.camera, number)

    def waiting(self, camera: str) -> int:
        """How many windows of a camera wait to be looked at."""
        return self._backlog.waiting(camera)

    def run(self) -> None:
        """Look at windows until the service stops."""
        while not self._stop.is_set():
            try:
                if (taken := self._backlog.take(_WAIT_S)) is not None:
                    self._serve(*taken)
                # After each new window at most one that is old: what is new never waits more than half the time.
                self._notices.look_again()
            except Stopped:
                return
            except Unavailable as exc:
                _LOG.warning("not_stored", reason=str(exc))
                self._stop.wait(_STORE_WAIT_S)

    def _serve(self, name: str, number: int, shed: list[int]) -> None:
        try:
            self._deal(self._lanes[name], number, shed)
        except Unavailable:
            self._backlog.put_back(name, number, shed)
            raise
        finally:
            self._backlog.done(name)

    def _deal(self, lane: Lane, number: int, shed: list[int]) -> None:
        while shed:
            self._take_in(lane, self._shed(lane, shed[0]))
            del shed[0]
        self._take_in(lane, self._gating.look(lane, number, self._look.at))

    def _shed(self, lane: Lane, number: int) -> Caption:
        caption = failed(lane.chunk(number), SHED, "newer windows came before the VLM had time for it")
        return self._gating.look(lane, number, lambda *_: caption) if self._notices.wants(lane) else caption

    def _take_in(self, lane: Lane, caption: Caption) -> None:
        """Store a caption and what it comes to."""
        self._store.save_captions(lane.job_id, [caption])
        if caption.failure is not None:
            _LOG.warning("window_failed", camera=lane.camera, code=caption.failure.code)
        self._notices.heard(caption)
        told = self._notices.of(lane, caption)
        changed = self._register.enter(lane, lambda judge: judge.judge(caption, told))
        if told:
            self._notices.entered(lane, caption, changed)
        self._proofs.judged(lane, changed)
        lane.recent.note(caption)
        lane.counts[_outcome(caption)] += 1
        if caption.failure is None or caption.failure.code != SHED:
            lane.lag.note((self._clock.now() - lane.rhythm.span(caption.chunk.index)[1]).total_seconds())
        kept = int(self._looking.kept_s // lane.rhythm.stride_s)
        self._store.forget_captions(lane.job_id, caption.chunk.index - kept)


def _outcome(caption: Caption) -> str:
    """How a window ended, as it is counted: "looked", "gated", or the code of its failure."""
    if caption.failure is not None:
        return caption.failure.code
    return "looked" if caption.asked else "gated"
