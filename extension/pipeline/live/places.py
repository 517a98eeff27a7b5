"""What is known of the places that cameras look at: what is said of them, and their recorded pictures."""

from __future__ import annotations

import datetime as dt
from typing import Final

import structlog

from extension.errors import BadSource, NotFound
from extension.model import Brief, Snapshot
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Segment
from extension.sources.camera.still import still
from extension.sources.camera.zones import Briefs
from extension.wire import BriefIn, BriefOut

_LOG = structlog.get_logger(__name__)
_TRIES: Final = 3
"""The newest segments that are tried for a picture, where one cannot be decoded."""


class Places:
    """The places of all cameras; any thread may ask.

    Args:
        briefs: What is said of them.
        ring: The recorded segments.
    """

    def __init__(self, briefs: Briefs, ring: Ring) -> None:
        self._briefs = briefs
        self._ring = ring

    def told(self, camera: str) -> Brief:
        """What the VLM is to be told of a camera's place.

        Raises:
            NotFound: No camera has that name.
        """
        return self._briefs.of(camera)[0]

    def brief(self, camera: str) -> BriefOut:
        """What is said of a camera's place, and where that comes from.

        Raises:
            NotFound: No camera has that name.
        """
        return BriefOut.of(*self._briefs.of(camera))

    def set_brief(self, camera: str, brief: BriefIn) -> BriefOut:
        """Say it from the next window on.

        Raises:
            NotFound: No camera has that name.
            Unavailable: It cannot be stored.
        """
        self._briefs.save(camera, brief)
        _LOG.info("brief_saved", camera=camera, zones=len(brief.zones), notes=len(brief.notes))
        return self.brief(camera)

    def drop_brief(self, camera: str) -> BriefOut:
        """Go back to what the cameras' file says.

        Raises:
            NotFound: No camera has that name.
            Unavailable: What was said over the API cannot be deleted.
        """
        self._briefs.drop(camera)
        return self.brief(camera)

    def snapshot(self, camera: str, at: dt.datetime | None = None) -> Snapshot:
        """A recorded picture: of an instant, or the newest.

        Raises:
            NotFound: No camera has that name, or nothing that can be decoded is recorded then.
        """
        self._briefs.of(camera)
        reason = "nothing is recorded" + (" of that instant" if at else " yet")
        for segment in self._segments(camera, at):
            try:
                return still(segment, at)
            except BadSource as exc:
                _LOG.warning("no_still", camera=camera, reason=str(exc))
                reason = "no picture of the recording can be decoded"
        raise NotFound(f"There is no picture of camera {camera!r}: {reason}.")

    def _segments(self, camera: str, at: dt.datetime | None) -> tuple[Segment, ...]:
        """The segments that a picture may be taken from, best first."""
        newest_first = self._ring.index.segments(camera)[::-1]
        if at is None:
            return newest_first[:_TRIES]
        return tuple(segment for segment in newest_first if segment.start_at <= at < segment.end_at)
