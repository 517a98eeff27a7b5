"""Draws a trajectory log as a bird's-eye replay: its frames one after another, or a video file of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from extension.sources.replay.camera import Camera, chosen_camera
from extension.sources.replay.encode import write_video
from extension.sources.replay.glyphs import Picture
from extension.sources.replay.paint import Painter, Tally
from extension.sources.replay.scene import scenes
from extension.sources.replay.style import Style
from extension.timetravel.trajectory import Micros, Trajectory, micros


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a drawn video holds.

    Attributes:
        frames: How many.
        media_s: Its length.
        unseen: How often an object of a frame was outside the picture.
        absent: How often an object of the log was not there at a frame's instant.
    """

    frames: int
    media_s: float
    unseen: int
    absent: int


def render(
    trajectory: Trajectory,
    style: Style,
    path: Path,
    *,
    cameras: Iterable[Camera] | None = None,
    instants: Micros | None = None,
) -> Rendered:
    """Draw a replay of a log into an MP4 file, which appears only when it is complete; see `frames`.

    Raises:
        BadInput: The floor plan cannot be read, the encoder cannot be used, or the file cannot be written.
    """
    tally = Tally()
    count = write_video(
        frames(trajectory, style, cameras=cameras, instants=instants, tally=tally), style, path
    )
    return Rendered(frames=count, media_s=count / style.fps, unseen=tally.unseen, absent=tally.absent)


def frame_instants_us(trajectory: Trajectory, style: Style) -> npt.NDArray[np.int64]:
    """The log instant of every frame (microseconds since 1970 UTC), exact to the microsecond; shape (frames,), at least one."""
    start_us, end_us = micros(trajectory.start_at), micros(trajectory.end_at)
    step_us = Fraction(style.speed).limit_denominator(1000) * 1_000_000 / style.fps
    count = max(1, int((end_us - start_us) / step_us))
    # Whole numbers throughout: half a day at 240 frames a second stays a hundred times below what int64 holds.
    at_us = start_us + np.arange(count, dtype=np.int64) * step_us.numerator // step_us.denominator
    if style.stale_first:
        at_us[0] = end_us
    return at_us


def frames(
    trajectory: Trajectory,
    style: Style,
    *,
    cameras: Iterable[Camera] | None = None,
    instants: Micros | None = None,
    tally: Tally | None = None,
) -> Iterator[Picture]:
    """The frames of a replay, each a picture of its own, without the losses of video encoding.

    Frames are drawn as they are taken, so that the length of the log does not matter for the memory used.

    Args:
        trajectory: The log.
        style: Of the pictures.
        cameras: One per frame, so that the picture may follow, zoom and jump; None keeps the style's own (fitted, or on its extent).
        instants: Shape (frames,), int64: the log instant of every frame, microseconds since 1970 UTC, in any order; None goes
            through the whole log at the style's speed.
        tally: Is counted up while frames are taken.

    Raises:
        BadInput: The floor plan cannot be read.
        ValueError: There are fewer cameras than frames.
    """
    at_us = frame_instants_us(trajectory, style) if instants is None else instants
    fixed = repeat(chosen_camera(trajectory, style)) if cameras is None else None
    seen_from = iter(fixed or cameras or ())
    painter = Painter(trajectory, style, tally or Tally())
    blocks = scenes(trajectory, at_us, headings=style.shows_headings, trail_s=style.shown_trail_s)
    for block, scene in blocks:
        for frame, when_us in enumerate(block.tolist()):
            camera = next(seen_from, None)
            if camera is None:
                raise ValueError("there are fewer cameras than frames")
            picture = painter.painted(scene, frame, when_us, camera)
            yield picture if style.jpeg_quality is None else _worn(picture, style.jpeg_quality)


def _worn(picture: Picture, quality: int) -> Picture:
    """The picture after a passage through JPEG."""
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), dtype=np.uint8)
