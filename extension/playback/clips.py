"""Which parts of a recording the summary's video shows: each moment with what came before and after it; overlapping parts are one. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.timetravel.summary import Moment

Seconds = npt.NDArray[np.float64]

_NEAR_S: Final = 0.4
"""Slow motion lasts this long before and after objects are closest."""


@dataclass(frozen=True, slots=True)
class Roll:
    """How much is shown of each moment, in seconds of the recording: of the video, or of the log where it is drawn again.

    Attributes:
        pre_s: What came before it.
        post_s: What came after it.
        longest_s: Of a moment that lasts longer, only the beginning is shown.
    """

    pre_s: float = 2.0
    post_s: float = 1.0
    longest_s: float = 8.0

    def __post_init__(self) -> None:
        if min(self.pre_s, self.post_s) < 0 or self.longest_s <= 0:
            raise ValueError("pre_s and post_s must be at least 0, longest_s above 0")


@dataclass(frozen=True, slots=True)
class Shot:
    """A moment on the recording's own axis, in seconds; `closest_s` is when its objects were nearest, where that is known."""

    moment: Moment
    start_s: float
    end_s: float
    closest_s: float | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """A part of the recording shown without a cut: from `start_s` up to `end_s`, with the moments in it by time."""

    start_s: float
    end_s: float
    shots: tuple[Shot, ...]

    def told_at(self, at_s: float) -> tuple[Shot, ...]:
        """The moments to tell of at a second: those going on, else the next, else the last."""
        going_on = tuple(shot for shot in self.shots if shot.start_s <= at_s <= shot.end_s)
        if going_on:
            return going_on
        later = [shot for shot in self.shots if shot.start_s > at_s]
        return (min(later, key=lambda shot: shot.start_s) if later else self.shots[-1],)


def clips(shots: Iterable[Shot], roll: Roll, first_s: float, last_s: float) -> tuple[Clip, ...]:
    """The parts to show, in time order, none overlapping another.

    Args:
        shots: The moments, in any order; one beyond the recording shows the end that is nearest to it.
        roll: How much of each.
        first_s: Where the recording begins.
        last_s: Where it ends.
    """
    parts: list[Clip] = []
    for shot in sorted(shots, key=lambda shot: (shot.start_s, shot.moment.number)):
        within = _within(shot, roll, first_s, last_s)
        start_s = max(first_s, within.start_s - roll.pre_s)
        end_s = min(last_s, within.end_s + roll.post_s)
        if parts and start_s <= parts[-1].end_s:
            last = parts[-1]
            parts[-1] = replace(last, end_s=max(last.end_s, end_s), shots=(*last.shots, within))
        else:
            parts.append(Clip(start_s, end_s, (within,)))
    return tuple(parts)


def _within(shot: Shot, roll: Roll, first_s: float, last_s: float) -> Shot:
    start_s = min(max(shot.start_s, first_s), last_s)
    end_s = min(max(shot.end_s, start_s), start_s + roll.longest_s, last_s)
    return replace(shot, start_s=start_s, end_s=end_s)


def instants_s(clip: Clip, fps: int, slow: float = 1.0) -> Seconds:
    """The recording's second that each frame of a clip shows, shape (frames,), at least one.

    Args:
        clip: The part to show.
        fps: Frames per second of the summary's video.
        slow: Speed while objects are closest, 1.0 for no slow motion.
    """
    edges = {clip.start_s, clip.end_s}
    near = [(s.closest_s - _NEAR_S, s.closest_s + _NEAR_S) for s in clip.shots if s.closest_s is not None]
    edges |= {edge for span in near for edge in span if clip.start_s < edge < clip.end_s}
    at_s = np.array(sorted(edges))
    middles = (at_s[:-1] + at_s[1:]) / 2
    speeds = np.array(
        [slow if any(low <= middle <= high for low, high in near) else 1.0 for middle in middles]
    )
    # The screen's time at each edge; frames lie evenly on it.
    screen_s = np.concatenate([[0.0], np.cumsum(np.diff(at_s) / speeds)])
    count = max(1, round(float(screen_s[-1]) * fps))
    shown: Seconds = np.interp(np.arange(count) / fps, screen_s, at_s)
    return shown
