"""Footage that is watched again: a video file, or what the ring still holds of a camera. Knows no rules, and changes nothing of it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from extension.errors import BadInput, NotFound
from extension.model import Brief, Span
from extension.sources.camera.segments import Segment, SegmentIndex, folder_name, read_name
from extension.sources.camera.window import join
from extension.sources.motion.film import motions
from extension.sources.motion.meter import Meter
from extension.sources.motion.motion import Part
from extension.sources.probe import probe


@dataclass(frozen=True, slots=True)
class Reel:
    """A file that shows a stretch of footage.

    Attributes:
        name: Tells it from all other files of a run.
        path: The file.
        start_s: Media seconds of the footage at its first frame.
        length_s: Its own length, seconds.
        part: The part of it to be looked at, in its own seconds.
        passing: Whether it is there for this span alone.
    """

    name: str
    path: Path
    start_s: float
    length_s: float
    part: Span
    passing: bool


class Footage(Protocol):
    """Something that can be watched."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def length_s(self) -> float:
        """Media seconds from its beginning to its end."""
        ...

    @property
    def start_at(self) -> dt.datetime | None:
        """The wall clock at its beginning, where that is known."""
        ...

    @property
    def brief(self) -> Brief:
        """What is said of the place that it shows."""
        ...

    def motions(self) -> Sequence[Part]:
        """Its pieces from beginning to end, with the motion of each; measured once."""
        ...

    @contextmanager
    def shown(self, span: Span) -> Iterator[Reel | None]:
        """A file that shows a span, for as long as the block runs; None when nothing was recorded there."""
        ...


class VideoFile:
    """A file as if a camera showed it.

    Args:
        path: The file.

    Raises:
        BadSource: It holds no video that can be watched.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.length_s = probe(path).duration_s
        self.start_at: dt.datetime | None = None
        self.brief = Brief()
        self._motions: tuple[Part, ...] | None = None

    def motions(self) -> Sequence[Part]:
        """Its pieces, with the motion of each.

        Raises:
            BadSource: It cannot be read.
        """
        if self._motions is None:
            self._motions = tuple(motions(self.path))
        return self._motions

    @contextmanager
    def shown(self, span: Span) -> Iterator[Reel | None]:
        """The file itself; the part is rounded outward to whole seconds, in which the via-server counts."""
        part = Span(float(math.floor(span.start_s)), min(float(math.ceil(span.end_s)), self.length_s))
        yield Reel(str(self.path), self.path, 0.0, self.length_s, part, passing=False)


class Recorded:
    """What the ring still holds of a camera between two instants.

    Args:
        root: The ring's folder.
        camera: Its name.
        from_at: From when on; None takes the oldest segment's beginning.
        to_at: Until when; None takes the newest segment's end.
        folder: Where joined windows lie while they are looked at.
        brief: What is said of its place.

    Raises:
        NotFound: Nothing of the camera is there.
    """

    def __init__(
        self,
        root: Path,
        camera: str,
        from_at: dt.datetime | None,
        to_at: dt.datetime | None,
        folder: Path,
        brief: Brief = Brief(),  # noqa: B008 - a value that nothing changes
    ) -> None:
        held = sorted(recorded(root, camera), key=lambda segment: segment.start_at)
        wanted = [
            s for s in held if (not to_at or s.start_at < to_at) and (not from_at or s.end_at > from_at)
        ]
        if not wanted:
            raise NotFound(_absence(camera, held))
        self.name = camera
        self.segments = tuple(wanted)
        self._first_at = max(wanted[0].start_at, from_at or wanted[0].start_at)
        self.start_at: dt.datetime | None = self._first_at
        last_at = min(wanted[-1].end_at, to_at or wanted[-1].end_at)
        self.length_s = (last_at - self._first_at).total_seconds()
        self._index = SegmentIndex(wanted)
        self._folder = folder
        self.brief = brief
        self._motions: tuple[Part, ...] | None = None

    def media_s(self, at: dt.datetime) -> float:
        """Seconds from the beginning of the footage."""
        return (at - self._first_at).total_seconds()

    def covering(self, span: Span) -> tuple[Segment, ...]:
        """The segments that show a part of a span."""
        start_at, end_at = (
            self._first_at + dt.timedelta(seconds=second) for second in (span.start_s, span.end_s)
        )
        return self._index.covering(self.name, start_at, end_at)

    def motions(self) -> Sequence[Part]:
        """Its segments, with the motion of each."""
        if self._motions is None:
            meter = Meter()
            self._motions = tuple(
                Part(Span(self.media_s(s.start_at), self.media_s(s.end_at)), meter.motion(s))
                for s in self.segments
            )
        return self._motions

    @contextmanager
    def shown(self, span: Span) -> Iterator[Reel | None]:
        """The segments of a span in one file of its own, whole, as a live window has them.

        Raises:
            BadSource: They cannot be joined.
        """
        segments = self.covering(span)
        if not segments:
            yield None
            return
        name = f"{segments[0].path.stem}-{len(segments)}"
        self._folder.mkdir(parents=True, exist_ok=True)
        window = join(list(segments), self._folder / f"{name}.mp4")
        try:
            length_s = window.duration_s
            start_s = self.media_s(window.start_at)
            yield Reel(name, window.path, start_s, length_s, Span(0.0, length_s), passing=True)
        finally:
            window.path.unlink(missing_ok=True)


def recorded(root: Path, camera: str) -> Iterator[Segment]:
    """The segments of a camera below a ring's folder, in no order; a service may be writing there meanwhile."""
    for path in (root / folder_name(camera)).glob("*/*.mp4"):
        try:
            size_bytes = path.stat().st_size
        except FileNotFoundError:
            continue  # let go of meanwhile
        if size_bytes and (segment := read_name(camera, path, size_bytes)):
            yield segment


def reels_of(videos: Sequence[Path]) -> tuple[VideoFile, ...]:
    """Files to be watched, each for itself.

    Raises:
        BadInput: when one is not there, or two have one name.
        BadSource: when one holds no video.
    """
    for path in videos:
        if not path.is_file():
            raise BadInput(f"{path.name}: there is no such file")
    if len({path.name for path in videos}) < len(videos):
        raise BadInput("two of the videos have the same name")
    return tuple(map(VideoFile, videos))


def _absence(camera: str, held: Sequence[Segment]) -> str:
    if not held:
        return f"the ring holds nothing of a camera {camera!r}"
    first_at, last_at = (at.isoformat(timespec="seconds") for at in (held[0].start_at, held[-1].end_at))
    return f"the ring holds nothing of {camera!r} at that time, only {first_at} to {last_at}"
