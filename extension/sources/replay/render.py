"""Draws a trajectory log as a bird's-eye replay video: numbered discs and a burnt-in clock, encoded as H.264."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import numpy.typing as npt

from extension.sources.replay.glyphs import Picture, stamp_text, width_per_height
from extension.sources.replay.style import (
    Camera,
    Clock,
    Colour,
    Style,
    bgr,
    clock_box_px,
    contrast,
    dealt,
    fit_camera,
)
from extension.timetravel.trajectory import Trajectory, instant, micros

_SHIFT: Final = 8
"""OpenCV takes positions in 1/256 pixel."""

_EDGE_PX: Final = 0.5
"""OpenCV's antialiased discs come out half a pixel too large in radius (measured by their area)."""

_KEY_S: Final = 2
_WIDEST: Final = 1.5
"""A number is at most this many radii wide, so that two digits stay inside their disc."""

_CLOCK_CHARS: Final = "00:00:00"


@dataclass(frozen=True, eq=False)
class _Disc:
    """How one object is drawn; `places` has shape (frames, 2): column and row, pixels, float64."""

    label: str
    colour: Colour
    number_colour: Colour
    number_px: float
    places: npt.NDArray[np.float64]


def render(trajectory: Trajectory, style: Style, path: Path) -> None:
    """Draw a replay of a whole log into an MP4 file, which appears only when it is complete."""
    part = path.with_name(f".{path.name}.part")
    try:
        _encode(frames(trajectory, style), style, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def frame_instants_us(trajectory: Trajectory, style: Style) -> npt.NDArray[np.int64]:
    """The log instant of every frame (microseconds since 1970 UTC), exact to the microsecond; shape (frames,), at least one."""
    start_us, end_us = micros(trajectory.start_at), micros(trajectory.end_at)
    step_us = Fraction(style.speed).limit_denominator(1000) * 1_000_000 / style.fps
    count = max(1, int((end_us - start_us) / step_us))
    at_us = np.array([start_us + int(step_us * frame) for frame in range(count)], dtype=np.int64)
    if style.stale_first:
        at_us[0] = end_us
    return at_us


def frames(trajectory: Trajectory, style: Style) -> Iterator[Picture]:
    """The frames of a replay, each a picture of its own, without the losses of video encoding."""
    at_us = frame_instants_us(trajectory, style)
    camera = fit_camera(trajectory, style)
    discs = _discs(trajectory, style, camera, at_us)
    radius_px = style.radius_cm * camera.px_per_cm
    ground = np.full((style.height, style.width, 3), bgr(style.background), dtype=np.uint8)
    for frame, when_us in enumerate(at_us):
        picture: Picture = ground.copy()
        for disc in discs:
            _draw_disc(picture, disc, frame, radius_px, style)
        if style.clock:
            _draw_clock(picture, style.clock, instant(int(when_us)).astimezone(trajectory.tz), style.font)
        yield picture if style.jpeg_quality is None else _worn(picture, style.jpeg_quality)


def _discs(trajectory: Trajectory, style: Style, camera: Camera, at_us: npt.NDArray[np.int64]) -> list[_Disc]:
    radius_px = style.radius_cm * camera.px_per_cm
    colours = dealt(style.discs, trajectory.tracks)
    return [
        _Disc(
            label=(label := trajectory.labels[objid]),
            colour=colour,
            number_colour=style.number_colour or contrast(colour),
            number_px=min(2 * style.number_size, _WIDEST / width_per_height(label, style.font)) * radius_px,
            places=camera.seen(track.places_at(at_us)),
        )
        for (objid, track), colour in zip(trajectory.tracks.items(), colours, strict=True)
    ]


def _draw_disc(picture: Picture, disc: _Disc, frame: int, radius_px: float, style: Style) -> None:
    column, row = disc.places[frame]
    _filled(picture, column, row, radius_px, style.outline or disc.colour)
    if style.outline:
        _filled(picture, column, row, radius_px - max(1.0, radius_px / 8), disc.colour)
    if style.numbers:
        stamp_text(picture, disc.label, style.font, disc.number_px, (column, row), disc.number_colour)


def _filled(picture: Picture, column: float, row: float, radius_px: float, colour: Colour) -> None:
    fine = 1 << _SHIFT
    centre = (round(column * fine), round(row * fine))
    cv2.circle(
        picture, centre, round(max(radius_px - _EDGE_PX, 0.5) * fine), bgr(colour), -1, cv2.LINE_AA, _SHIFT
    )


def _draw_clock(picture: Picture, clock: Clock, at: dt.datetime, font: str) -> None:
    height, width = picture.shape[:2]
    digit_px = clock.size * height
    box_h = clock_box_px(clock, height)
    box_w = round(width_per_height(_CLOCK_CHARS, font) * digit_px + 1.4 * digit_px)
    left = 0 if clock.corner.is_left else width - box_w
    top = 0 if clock.corner.is_top else height - box_h
    if clock.box is not None:
        cv2.rectangle(picture, (left, top, box_w, box_h), bgr(clock.box), -1)
        if clock.border is not None:
            cv2.rectangle(picture, (left, top, box_w, box_h), bgr(clock.border), max(1, box_h // 16))
    stamp_text(picture, f"{at:%H:%M:%S}", font, digit_px, (left + box_w / 2, top + box_h / 2), clock.colour)


def _worn(picture: Picture, quality: int) -> Picture:
    """The picture after a passage through JPEG."""
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), dtype=np.uint8)


def _encode(pictures: Iterator[Picture], style: Style, path: Path) -> None:
    """Encode pictures as H.264 in MP4, index first, a key frame every two seconds."""
    with av.open(path, mode="w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=style.fps)
        stream.width, stream.height, stream.pix_fmt = style.width, style.height, "yuv420p"
        stream.options = {"crf": str(style.crf), "preset": "veryfast", "g": str(_KEY_S * style.fps)}
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
