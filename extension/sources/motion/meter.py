"""Measures the motion of recorded segments, each once, for all cameras. Knows nothing of windows."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Final

import structlog

from extension.errors import BadSource
from extension.sources.camera.segments import Segment
from extension.sources.motion.motion import Motion
from extension.sources.motion.scene import Piece, Scene
from extension.sources.motion.sketches import Recording

_LOG = structlog.get_logger(__name__)

KEPT: Final = 1024
"""Segments of a camera whose motion is remembered: more than the longest window has."""


class Meter:
    """Motion of segments; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cameras: dict[str, _Camera] = {}

    def motion(self, segment: Segment) -> Motion | None:
        """What moves in a segment, measured when it is asked for the first time; None when that cannot be told.

        Segments of a camera should be asked for by time: each is compared with what came before it.
        """
        with self._lock:
            camera = self._cameras.setdefault(segment.camera, _Camera())
        with camera.lock:
            return camera.motion(segment)


class _Camera:
    """Of one camera: what is measured, and its scene as of the latest segment."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._known: OrderedDict[Path, Motion | None] = OrderedDict()
        self._scene = Scene()
        self._until_at: dt.datetime | None = None

    def motion(self, segment: Segment) -> Motion | None:
        if segment.path in self._known:
            return self._known[segment.path]
        late = self._until_at is not None and segment.start_at < self._until_at
        # A segment from before is measured by itself: the scene goes on from the latest one.
        motion = _measured(segment, Scene() if late else self._scene)
        if not late:
            self._until_at = segment.end_at
        self._known[segment.path] = motion
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return motion


def _measured(segment: Segment, scene: Scene) -> Motion | None:
    try:
        with Recording(segment.path) as recording:
            return scene.measure(Piece(segment.duration_s, recording.keys(), recording.tail))
    except BadSource as exc:
        _LOG.warning("motion_not_measured", camera=segment.camera, reason=str(exc))
        return None
