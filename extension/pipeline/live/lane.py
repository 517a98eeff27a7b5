"""One camera on its way from recorded segments to judged windows: its rhythm, its judge, and how far it is."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from extension.clock import Clock
from extension.errors import NotFound
from extension.model import Beat, Chunk, Job, JobOptions, JobStatus, Span
from extension.pipeline.judging import Announce, Judge
from extension.pipeline.live.briefing import Recent, recalled
from extension.pipeline.live.gate import GateMode
from extension.pipeline.live.lag import Lag
from extension.pipeline.live.windows import Rhythm
from extension.pipeline.world import World
from extension.store import Store

_NAMESPACE: Final = uuid.UUID("8f0c5c8e-5a4c-5a53-9d6a-2b7f5a1f0d11")
_HOLE: Final = dt.timedelta(seconds=1)
_AHEAD_S: Final = 60.0
"""The next window begins before now, unless the clock was set back: they overlap, and the last one has ended."""
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Spec:
    """How a camera is to be watched.

    Attributes:
        camera: Its name.
        window_s: Length of a window, seconds.
        stride_s: A window begins every so many seconds.
        prompt: Name of the prompt.
        context_answers: The last answers that the VLM is told with the next question.
        merge_gap_s: Events of the same kind and objects closer than this are one incident, seconds.
        second_look: Whether what is danger or worse is looked at again.
        gate: Whether windows in which nothing moves are looked at.
        forced_look_s: With the gate, a window is looked at once in this time whatever moves, seconds.
        motion_notices: Whether motion alone is told of while nobody can look.
        phase_s: How much later than at a whole second its first window begins, so that not all cameras' windows end at once.
    """

    camera: str
    window_s: float = 10.0
    stride_s: float = 5.0
    prompt: str = "camera"
    merge_gap_s: float = 10.0
    context_answers: int = 2
    second_look: bool = True
    gate: GateMode = GateMode.OFF
    forced_look_s: float = 60.0
    motion_notices: bool = False
    phase_s: float = 0.0

    @property
    def measures_motion(self) -> bool:
        """Whether the motion of its windows is measured at all."""
        return self.gate is not GateMode.OFF or self.motion_notices


@dataclass
class Lane:
    """A camera that is watched.

    Attributes:
        camera: Its name.
        job_id: The job that holds what is found; it never ends.
        rhythm: When its windows begin and end.
        prompt: Name of the prompt.
        judge: Judges its windows, strictly in their order; hold `lock` while it does.
        recent: The last answers, as context for the next.
        counts: Windows by how they ended: "looked", or the code of the failure.
        second_look: Whether what is danger or worse is looked at again.
        motion_notices: Whether motion alone is told of while no VLM can be had.
        lag: How long windows take from their end to the store.
    """

    camera: str
    job_id: str
    rhythm: Rhythm
    prompt: str
    judge: Judge
    next_number: int = 0
    recorded_until_at: dt.datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    counts: Counter[str] = field(default_factory=Counter)
    recent: Recent = field(default_factory=Recent)
    second_look: bool = True
    motion_notices: bool = False
    lag: Lag = field(default_factory=Lag)

    def completed(self, start_at: dt.datetime, end_at: dt.datetime) -> Sequence[int]:
        """The windows that a new segment completes; after a hole also those that began before it and will never be whole."""
        cut: list[int] = []
        before_at, first = self.recorded_until_at, self.next_number
        if before_at is None or start_at - before_at > _HOLE:
            cut = list(range(first, self.rhythm.first_from(before_at or self.rhythm.epoch_at)))
            first = max(self.next_number, self.rhythm.complete_at(start_at), *(n + 1 for n in cut[-1:]))
        whole = range(first, self.rhythm.complete_at(end_at))
        self.next_number = max(first, whole.stop)
        self.recorded_until_at = end_at
        return [*cut, *whole]

    def awaits(self, start_at: dt.datetime, end_at: dt.datetime) -> bool:
        """Whether a window ends in a span: a segment that is cut there can be looked at without waiting for its usual length."""
        return self.rhythm.complete_at(end_at) > self.rhythm.complete_at(start_at)

    def chunk(self, number: int) -> Chunk:
        """A window as a chunk; its media seconds count from the camera's first window."""
        start_s = self.rhythm.start_s(number)
        return Chunk(number, Span(start_s, start_s + self.rhythm.length_s))

    def at(self, media_s: float) -> dt.datetime:
        """The wall clock so many seconds after the beginning of the camera's first window."""
        return self.rhythm.epoch_at + dt.timedelta(seconds=media_s)

    def media_s(self, at: dt.datetime) -> float:
        """Seconds from the beginning of the camera's first window."""
        return (at - self.rhythm.epoch_at).total_seconds()


def open_lane(spec: Spec, store: Store, announce: Announce, clock: Clock, tz: dt.tzinfo) -> Lane:
    """A camera's lane, which goes on where it was when the service stopped."""
    job = _job(spec, store, clock)
    rhythm = _rhythm(spec, job, store, clock)
    still_open = store.open_incidents(job.id)
    judge = Judge(
        job,
        World(job.options, None, tz),
        still_open,
        {incident.id: store.announced(incident.id) for incident in still_open},
        spec.merge_gap_s,
        announce,
        spec.stride_s,
    )
    return Lane(
        spec.camera,
        job.id,
        rhythm,
        spec.prompt,
        judge,
        next_number=job.judged_chunks,
        second_look=spec.second_look,
        motion_notices=spec.motion_notices,
        recent=recalled(job, store, spec.stride_s, spec.context_answers),
    )


def _rhythm(spec: Spec, job: Job, store: Store, clock: Clock) -> Rhythm:
    """How the camera's windows go on: as before, or from the next number on by another stride.

    A clock that was set back leaves the next window in the future, and the camera blind until then: it begins anew at once instead.
    """
    epoch_at = job.options.start_at or job.created_at
    known = job.options.beats or (Beat(0, 0.0, spec.stride_s),)
    next_s = Rhythm(epoch_at, spec.window_s, known).start_s(job.judged_chunks)
    now_s = (clock.now() - epoch_at).total_seconds()
    ahead = next_s > now_s + _AHEAD_S
    if ahead:
        _LOG.warning("clock_was_set_back", camera=spec.camera, by_s=round(next_s - now_s))
    if ahead or known[-1].stride_s != spec.stride_s:
        beat = Beat(job.judged_chunks, now_s if ahead else next_s, spec.stride_s)
        known = (*(one for one in known if one.number < beat.number), beat)
    if known != job.options.beats:
        store.set_media(job.id, job.media_path, replace(job.options, beats=known))
    return Rhythm(epoch_at, spec.window_s, known)


def job_id(camera: str) -> str:
    """The id of a camera's job, the same for ever."""
    return str(uuid.uuid5(_NAMESPACE, f"camera/{camera}"))


def _job(spec: Spec, store: Store, clock: Clock) -> Job:
    """The camera's job, made when it is watched for the first time."""
    known = job_id(spec.camera)
    try:
        return store.job(known)
    except NotFound:
        now_at = clock.now()
    begins_at = now_at.replace(microsecond=0) + dt.timedelta(seconds=spec.phase_s)
    options = JobOptions(prompt=spec.prompt, start_at=begins_at)
    store.add_job(Job(known, spec.camera, "", None, options, JobStatus.LIVE, now_at))
    return store.job(known)
