"""The live part of the service put together: cameras captured into a ring, and a watch that looks at their windows."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from extension.chunks.via_client import ViaClient
from extension.clock import Clock
from extension.errors import NotFound
from extension.evidence.wanted import Limits
from extension.model import Caption
from extension.pipeline.judging import Announce
from extension.pipeline.live import showing
from extension.pipeline.live.gating import Gating
from extension.pipeline.live.lag import LagCount
from extension.pipeline.live.lane import Lane, Spec, open_lane
from extension.pipeline.live.look import Look, Looking
from extension.pipeline.live.notices import Notices
from extension.pipeline.live.places import Places
from extension.pipeline.live.proofs import Proofs
from extension.pipeline.live.recordings import Recordings
from extension.pipeline.live.register import Register
from extension.pipeline.live.telling import Telling
from extension.pipeline.live.watch import Watch
from extension.sources.camera.camera import Camera, Refusal, admit
from extension.sources.camera.cameras import Cameras
from extension.sources.camera.capture import CaptureOptions
from extension.sources.camera.reports import CameraStatus
from extension.sources.camera.ring import Ring
from extension.sources.motion.meter import Meter
from extension.store import Store
from extension.wire import CameraOut


class Live:
    """All cameras that are watched.

    Args:
        cameras: With how each is to be watched.
        store: What must survive a restart.
        via: The via-server.
        announce: Makes the messages of an announcement.
        ring: Where segments go.
        looking: How windows are looked at.
        options: How cameras are captured.
        lookers: Windows looked at together.
        outputs_dir: Where evidence goes, one folder per camera's job.
        places: What is known of the places that cameras look at.
    """

    def __init__(  # noqa: PLR0913 - one argument per neighbour
        self,
        cameras: Sequence[tuple[Camera, Spec]],
        store: Store,
        via: ViaClient,
        announce: Announce,
        ring: Ring,
        looking: Looking,
        options: CaptureOptions,
        lookers: int,
        *,
        outputs_dir: Path,
        places: Places,
    ) -> None:
        self._cameras = cameras
        self._store = store
        self._via = via
        self._announce = announce
        self._ring = ring
        self._looking = looking
        self._options = options
        self._lookers = lookers
        self._outputs_dir = outputs_dir
        self.places = places
        self._lanes: dict[str, Lane] = {}
        self._captured: Cameras | None = None
        self._watch: Watch | None = None
        self._notices: Notices | None = None

    def work(
        self, clock: Clock, stop: threading.Event, news: Callable[[], None], tz: dt.tzinfo
    ) -> Mapping[str, Callable[[], None]]:
        """What has to run, by name, each in a thread of its own.

        Args:
            clock: Wall clock and processing time.
            stop: Ends everything.
            news: Called whenever new messages lie in the outbox.
            tz: Zone of burnt-in clocks.
        """
        specs: dict[str, Spec] = {}
        for _, spec in self._cameras:
            specs.setdefault(spec.camera, spec)
        self._lanes.update(
            (name, self._opened(spec, clock, tz)) for name, spec in specs.items() if name not in self._lanes
        )
        proofs = Proofs(
            self._store, self._ring, self._outputs_dir, Limits(), stop, lanes=self._lanes, clock=clock
        )
        look = Look(self._via, self._ring, self._looking, clock, stop, brief_of=self.places.told)
        gating = Gating(
            specs.values(),
            self._ring,
            Meter(),
            lambda job_id: bool(self._store.open_incidents(job_id)),
        )
        register = Register(self._store, news)
        notices = Notices(self._lanes, self._store, register, look.at, self._recorded, proofs.judged)
        watch = Watch(
            self._lanes,
            self._store,
            look,
            self._looking,
            stop,
            register,
            proofs=proofs,
            gating=gating,
            notices=notices,
            clock=clock,
        )
        recordings = Recordings(self._store, register, self._announce, clock)
        telling = Telling(self._lanes, recordings, register, proofs.judged, stop)
        self._captured = Cameras(
            [camera for camera, _ in self._cameras],
            self._ring,
            clock,
            stop,
            options=replace(self._options, awaited=self._awaited),
            on_segment=watch.heard,
            on_report=telling.told,
        )
        self._watch, self._notices = watch, notices
        lookers = {f"look {number}": watch.run for number in range(1, self._lookers + 1)}
        others = {"prove cameras": proofs.run, "tell cameras": telling.run}
        if gating.measures:
            others["measure motion"] = partial(gating.run, stop)
        return {**self._captured.work(), **lookers, **others}

    def _awaited(self, camera: str, start_at: dt.datetime, end_at: dt.datetime) -> bool:
        """Whether a window of a camera ends in a span."""
        return self._lanes[camera].awaits(start_at, end_at)

    def cameras(self) -> list[CameraOut]:
        """How every camera is; those that cannot be captured, and what to mend, come last."""
        statuses = self._captured.status() if self._captured else ()
        found = [self._shown(status) for status in statuses]
        for camera, refusal in zip(self._left_out(), self.refused(), strict=False):
            found.append(showing.refused(camera, refusal, self._lanes[camera.name]))
        return found

    def lags(self) -> dict[str, LagCount]:
        """How long windows take from their end to the store, by camera."""
        return {name: lane.lag.read() for name, lane in self._lanes.items()}

    def explain(self, camera: str, at: dt.datetime) -> list[Caption]:
        """The windows that covered an instant, with their answers: why there was an alert, or none.

        Raises:
            NotFound: when no camera has that name.
        """
        if camera not in self._lanes:
            raise NotFound(f"no camera is called {camera!r}")
        lane = self._lanes[camera]
        first, last = lane.rhythm.around(at)
        found = self._store.captions(lane.job_id, first, last - first + 1)
        return [caption for caption in found if caption.chunk.index <= last]

    def refused(self) -> tuple[Refusal, ...]:
        """Cameras that cannot be captured, and what to mend."""
        return self._captured.refused if self._captured else ()

    def _left_out(self) -> list[Camera]:
        """The cameras that `refused` speaks of, in its order."""
        cameras = [camera for camera, _ in self._cameras]
        kept = {id(camera) for camera in admit(cameras)[0]}
        return [camera for camera in cameras if id(camera) not in kept]

    def _shown(self, status: CameraStatus) -> CameraOut:
        name = status.camera
        waiting = self._watch.waiting(name) if self._watch else 0
        notices = self._notices.waiting(name) if self._notices else 0
        return showing.captured(status, self._lanes[name], waiting, notices)

    def _opened(self, spec: Spec, clock: Clock, tz: dt.tzinfo) -> Lane:
        """A lane that looks first at what was recorded and not looked at when the service stopped."""
        lane = open_lane(spec, self._store, self._announce, clock, tz)
        latest = self._ring.index.latest(spec.camera)
        lane.recorded_until_at = latest.end_at if latest else None
        return lane

    def _recorded(self, lane: Lane, number: int) -> bool:
        """Whether anything of a window is still on disk."""
        return bool(self._ring.index.covering(lane.camera, *lane.rhythm.span(number)))
