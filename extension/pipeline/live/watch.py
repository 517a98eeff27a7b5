"""Looks at live cameras: each complete window is joined, shown to the VLM, judged and told. Never falls behind: what is too late is shed and counted."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog

from extension.captions import prompts
from extension.chunks.via_client import ViaClient
from extension.clock import Clock
from extension.errors import BadInput, Refused, Unavailable
from extension.model import Caption, Chunk, Event, Failure, Kind, Severity, Span
from extension.pipeline.asking import Asker, Question, ViaFile, add_file
from extension.pipeline.judging import Judgement
from extension.pipeline.live.lane import Lane
from extension.pipeline.live.proofs import Proofs
from extension.pipeline.live.windows import Backlog
from extension.pipeline.patience import Patience, Stopped
from extension.sources.camera.reports import CameraDown, CameraUp, Report
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Segment
from extension.sources.camera.window import Window, join
from extension.store import Store

_LOG = structlog.get_logger(__name__)
_NAMESPACE: Final = uuid.UUID("8f0c5c8e-5a4c-5a53-9d6a-2b7f5a1f0d11")
_WAIT_S: Final = 0.5
SHED: Final = "Shed"
NOT_CAPTURED: Final = "NotCaptured"


@dataclass(frozen=True, slots=True)
class Looking:
    """How windows are looked at.

    Attributes:
        frames_per_window: Frames shown to the VLM.
        max_tokens: Longest answer, in tokens.
        patience_s: How long a window may wait for a via-server or VLM that is down.
        zero_copy: Whether the via-server sees the same paths.
        folder: Where joined windows lie while they are looked at.
        kept_s: How long captions are kept, in seconds.
        most_waiting: Windows that may wait for one camera; when one more comes, the oldest is shed.
    """

    frames_per_window: int
    max_tokens: int
    patience_s: float
    zero_copy: bool
    folder: Path
    kept_s: float
    most_waiting: int = 3


class Watch:
    """Looks at the windows of all cameras; `run` may run in several threads.

    Args:
        lanes: The cameras by name.
        store: What must survive a restart.
        via: The via-server.
        ring: The recorded segments.
        looking: How windows are looked at.
        clock: Wall clock and processing time.
        stop: Ends everything.
        news: Called whenever new messages lie in the outbox.
        proofs: Hears of incidents that changed, for their evidence.
    """

    def __init__(  # noqa: PLR0913 - one argument per neighbour
        self,
        lanes: Mapping[str, Lane],
        store: Store,
        via: ViaClient,
        ring: Ring,
        looking: Looking,
        clock: Clock,
        stop: threading.Event,
        news: Callable[[], None],
        *,
        proofs: Proofs,
    ) -> None:
        self._proofs = proofs
        self._lanes = lanes
        self._backlog = Backlog(lanes, looking.most_waiting)
        self._store = store
        self._via = via
        self._ring = ring
        self._looking = looking
        self._clock = clock
        self._stop = stop
        self._news = news

    def heard(self, segment: Segment) -> None:
        """A segment was recorded: windows that it completes wait to be looked at."""
        for number in self._lanes[segment.camera].completed(segment.start_at, segment.end_at):
            self._backlog.add(segment.camera, number)

    def told(self, report: Report) -> None:
        """A camera that goes down is an incident of its own, which ends when it is up again."""
        if isinstance(report, CameraDown):
            lane = self._lanes[report.camera]
            with lane.lock:
                self._commit(lane, lane.judge.tell((_blind(lane, report),)))
        elif isinstance(report, CameraUp):
            lane = self._lanes[report.camera]
            with lane.lock:
                self._commit(lane, lane.judge.tell((), lane.media_s(report.at)))

    def run(self) -> None:
        """Look at windows until the service stops."""
        while not self._stop.is_set():
            taken = self._backlog.take(_WAIT_S)
            if taken is None:
                continue
            name, number, shed = taken
            try:
                self._deal(self._lanes[name], number, shed)
            except Stopped:
                return
            finally:
                self._backlog.done(name)

    def _deal(self, lane: Lane, number: int, shed: list[int]) -> None:
        for missed in shed:
            why = "newer windows came before the VLM had time for it"
            self._take_in(lane, _failed(lane.chunk(missed), SHED, why))
        self._take_in(lane, self._looked(lane, number))

    def _looked(self, lane: Lane, number: int) -> Caption:
        """The answer for a window; whatever is wrong with it becomes its failure."""
        chunk = lane.chunk(number)
        segments = self._ring.index.covering(lane.camera, *lane.rhythm.span(number))
        if not segments:
            return _failed(chunk, NOT_CAPTURED, "nothing was recorded in this window")
        self._looking.folder.mkdir(parents=True, exist_ok=True)
        path = self._looking.folder / f"{lane.job_id}-{number}.mp4"
        try:
            return self._asked(lane, number, join(list(segments), path))
        except (BadInput, Refused, Unavailable) as exc:
            return _failed(chunk, type(exc).__name__, str(exc))
        finally:
            path.unlink(missing_ok=True)

    def _asked(self, lane: Lane, number: int, window: Window) -> Caption:
        patience = Patience(self._looking.patience_s, self._clock, self._stop)
        file = ViaFile(self._via, lambda: add_file(self._via, window.path, zero_copy=self._looking.zero_copy))
        whole_s = max(1, -int(-window.duration_s // 1))
        question = Question(
            model=self._via.model().id,
            prompt=prompts.load(lane.prompt),
            chunk_s=whole_s,
            frames_per_chunk=self._looking.frames_per_window,
            max_tokens=self._looking.max_tokens,
            frame_size=None,
        )
        try:
            asker = Asker(self._via, file, question, patience, None)
            (caption,) = asker.ask([Chunk(number, Span(0.0, window.duration_s))])
        finally:
            file.forget()
        return _placed(caption, number, lane.media_s(window.start_at), window)

    def _take_in(self, lane: Lane, caption: Caption) -> None:
        """Store a caption and what it comes to."""
        self._store.save_captions(lane.job_id, [caption])
        if caption.failure is not None:
            _LOG.warning("window_failed", camera=lane.camera, code=caption.failure.code)
        with lane.lock:
            self._commit(lane, lane.judge.judge(caption))
        lane.counts[caption.failure.code if caption.failure else "looked"] += 1
        kept = int(self._looking.kept_s // lane.rhythm.stride_s)
        self._store.forget_captions(lane.job_id, caption.chunk.index - kept)

    def _commit(self, lane: Lane, judgement: Judgement) -> None:
        self._store.commit_judgement(
            lane.job_id,
            judged_chunks=judgement.judged_chunks,
            events=judgement.events,
            incidents=judgement.incidents,
            messages=judgement.messages,
        )
        self._proofs.judged(lane, judgement.incidents)
        if judgement.messages:
            self._news()


def _failed(chunk: Chunk, code: str, message: str) -> Caption:
    return Caption(chunk, "", None, Failure(code, message))


def _placed(caption: Caption, number: int, start_s: float, window: Window) -> Caption:
    """A caption whose times count from the window's file, with times that count from the camera's first window."""
    span = Span(start_s, start_s + window.duration_s)
    chunk = Chunk(number, span)
    if caption.verdict is None:
        return replace(caption, chunk=chunk)
    claims = tuple(
        replace(claim, span=Span(claim.span.start_s + start_s, claim.span.end_s + start_s))
        for claim in caption.verdict.claims
    )
    return replace(caption, chunk=chunk, verdict=replace(caption.verdict, claims=claims))


def _blind(lane: Lane, report: CameraDown) -> Event:
    """A camera that shows nothing: nobody can say that all is well there."""
    since_s = lane.media_s(report.since_at)
    return Event(
        id=str(uuid.uuid5(_NAMESPACE, f"{lane.job_id}/down/{report.since_at.isoformat()}")),
        job_id=lane.job_id,
        chunk_index=-1,
        kind=Kind.OTHER,
        span=Span(since_s, lane.media_s(report.at)),
        severity=Severity.DANGER,
        objects=(lane.camera,),
        description=f"Camera {lane.camera} shows no picture: {report.message}",
        start_at=report.since_at,
        end_at=report.at,
    )
