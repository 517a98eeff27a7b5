"""Draws one frame of a replay: ground, trails, discs with their numbers and arrows, clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from extension.sources.replay.camera import Camera, Points, world_extent
from extension.sources.replay.glyphs import Picture, even_width, stamp_evenly, stamp_text, width_per_height
from extension.sources.replay.ground import Ground
from extension.sources.replay.scene import TRAIL_POINTS, Scene
from extension.sources.replay.style import Clock, Colour, Style, bgr, clock_box_px, contrast, dealt, mixed
from extension.timetravel.trajectory import Trajectory, instant

_SHIFT: Final = 8
"""OpenCV takes positions in 1/256 pixel."""

_EDGE_PX: Final = 0.5
"""OpenCV's antialiased discs come out half a pixel too large in radius (measured by their area)."""

_WIDEST: Final = 1.5
"""A number is at most this many radii wide, so that two digits stay inside their disc."""

_CLOCK_CHARS: Final = "00:00:00"

_FADES: Final = (0.78, 0.62, 0.46, 0.3)
"""How far the parts of a trail, oldest first, have faded into the ground."""
_CUTS: Final = tuple(round(TRAIL_POINTS * part / len(_FADES)) for part in range(len(_FADES) + 1))
_TRAIL_WIDTH: Final = 0.22
_HALO: Final = 1.3
"""Radius of the clear ground around a disc that trails lead up to, in radii."""
_ARROW: Final = ((1.8, 0.0), (1.14, 0.32), (1.14, -0.32))
"""Corners of an arrow, in radii ahead of and beside the disc's middle: clear of the disc, so that discs stay round."""


@dataclass
class Tally:
    """What came of the drawing, counted while it goes on.

    Attributes:
        frames: Frames drawn.
        unseen: How often an object of a frame was outside the picture.
        absent: How often an object of the log was not there at a frame's instant.
    """

    frames: int = 0
    unseen: int = 0
    absent: int = 0


@dataclass(frozen=True, slots=True)
class _Disc:
    """How one object is drawn; the number's height is in radii."""

    label: str
    colour: Colour
    number_colour: Colour
    number_size: float
    fades: tuple[Colour, ...]


class Painter:
    """Draws frames of one log in one style.

    Args:
        trajectory: Gives labels and zone.
        style: Of the picture.
        tally: Is counted up.
    """

    def __init__(self, trajectory: Trajectory, style: Style, tally: Tally) -> None:
        self._style = style
        self._tz = trajectory.tz
        self._ground = Ground(style, world_extent(trajectory, style))
        self._tone = self._ground.tone
        self._tally = tally
        self._camera: Camera | None = None
        self._empty: Picture = np.empty((0, 0, 3), dtype=np.uint8)
        self._discs = [
            _disc(trajectory.labels[objid], colour, style, self._tone)
            for objid, colour in zip(trajectory.tracks, dealt(style.discs, trajectory.tracks), strict=True)
        ]

    def painted(self, scene: Scene, frame: int, at_us: int, camera: Camera) -> Picture:
        """A picture of its own, shape (height, width, 3).

        Args:
            scene: Who is where.
            frame: Its column of the scene.
            at_us: Its instant, for the clock.
            camera: Where it is seen from.
        """
        if camera != self._camera:
            self._camera, self._empty = camera, self._ground.drawn(camera)
        picture: Picture = self._empty.copy()
        there = np.flatnonzero(scene.present[:, frame]).tolist()
        self._tally.frames += 1
        self._tally.absent += len(self._discs) - len(there)
        seen = camera.pixels(scene.ground[:, frame])
        if scene.trails is not None:
            self._draw_trails(picture, scene.trails[:, frame], there, camera)
            for who in there:  # clear of its own trail and of others', a disc is seen as one
                _filled(
                    picture, seen[who].tolist(), _HALO * self._style.radius_cm * camera.px_per_cm, self._tone
                )
        facing = None if scene.facing is None else scene.facing[:, frame]
        self._draw_objects(picture, seen, facing, there, camera)
        if self._style.clock:
            _draw_clock(picture, self._style.clock, self._clock_text(at_us), self._style.font)
        return picture

    def _draw_trails(self, picture: Picture, trails: Points, there: list[int], camera: Camera) -> None:
        """Every trail in parts that fade with age, under all discs; shape (objects, points, 2), centimetres."""
        radius_px = self._style.radius_cm * camera.px_per_cm
        thick = max(1, round(_TRAIL_WIDTH * radius_px))
        points = _fine(camera.pixels(trails))
        for who in there:
            for part, colour in enumerate(self._discs[who].fades):
                line = points[who, _CUTS[part] : _CUTS[part + 1] + 1]
                cv2.polylines(picture, [line], False, bgr(colour), thick, cv2.LINE_AA, _SHIFT)  # noqa: FBT003 - OpenCV's own order

    def _draw_objects(
        self, picture: Picture, seen: Points, facing: Points | None, there: list[int], camera: Camera
    ) -> None:
        """Discs in the log's order, each with its arrow and number; those outside the picture are counted."""
        radius_px = self._style.radius_cm * camera.px_per_cm
        height, width = picture.shape[:2]
        arrows = None if facing is None else _fine(_arrows(seen, facing, radius_px))
        for who in there:
            column, row = seen[who].tolist()
            if not (-radius_px < column < width + radius_px and -radius_px < row < height + radius_px):
                self._tally.unseen += 1
                continue
            if arrows is not None and facing is not None and facing[who].any():
                cv2.fillConvexPoly(picture, arrows[who], bgr(self._discs[who].colour), cv2.LINE_AA, _SHIFT)
            self._draw_disc(picture, self._discs[who], (column, row), radius_px)

    def _draw_disc(
        self, picture: Picture, disc: _Disc, middle: tuple[float, float], radius_px: float
    ) -> None:
        style = self._style
        _filled(picture, middle, radius_px, style.outline or disc.colour)
        if style.outline:
            _filled(picture, middle, radius_px - max(1.0, radius_px / 8), disc.colour)
        if style.numbers:
            height_px = disc.number_size * radius_px
            stamp_text(picture, disc.label, style.font, height_px, middle, disc.number_colour)

    def _clock_text(self, at_us: int) -> str:
        at = instant(at_us).astimezone(self._tz)
        clock = self._style.clock or Clock()
        date = f"{at:%Y-%m-%d} " if clock.date else ""
        millis = f".{at.microsecond // 1000:03d}" if clock.millis else ""
        return f"{date}{at:%H:%M:%S}{millis}"


def _disc(label: str, colour: Colour, style: Style, ground: Colour) -> _Disc:
    return _Disc(
        label=label,
        colour=colour,
        number_colour=style.number_colour or contrast(colour),
        number_size=min(2 * style.number_size, _WIDEST / width_per_height(label, style.font)),
        fades=tuple(mixed(colour, ground, share) for share in _FADES),
    )


def _filled(picture: Picture, middle: tuple[float, float], radius_px: float, colour: Colour) -> None:
    fine = 1 << _SHIFT
    centre = (round(middle[0] * fine), round(middle[1] * fine))
    cv2.circle(
        picture, centre, round(max(radius_px - _EDGE_PX, 0.5) * fine), bgr(colour), -1, cv2.LINE_AA, _SHIFT
    )


def _arrows(seen: Points, facing: Points, radius_px: float) -> Points:
    """Corners of every object's arrow, shape (objects, 3, 2), pixels."""
    beside = np.stack((-facing[:, 1], facing[:, 0]), axis=1)
    corners = [seen + radius_px * (ahead * facing + aside * beside) for ahead, aside in _ARROW]
    return np.stack(corners, axis=1)


def _fine(points: Points) -> npt.NDArray[np.int32]:
    """Pixels in OpenCV's parts of one; those far outside the picture come nearer, for its arithmetic's sake."""
    return np.clip(np.rint(points * (1 << _SHIFT)), -1e7, 1e7).astype(np.int32)


def _draw_clock(picture: Picture, clock: Clock, text: str, font: str) -> None:
    height, width = picture.shape[:2]
    digit_px = clock.size * height
    box_h = clock_box_px(clock, height)
    steady = clock.date or clock.millis
    wide = even_width(clock.characters, font) if steady else width_per_height(_CLOCK_CHARS, font)
    box_w = round(wide * digit_px + 1.4 * digit_px)
    left = 0 if clock.corner.is_left else width - box_w
    top = 0 if clock.corner.is_top else height - box_h
    if clock.box is not None:
        cv2.rectangle(picture, (left, top, box_w, box_h), bgr(clock.box), -1)
        if clock.border is not None:
            cv2.rectangle(picture, (left, top, box_w, box_h), bgr(clock.border), max(1, box_h // 16))
    stamp = stamp_evenly if steady else stamp_text
    stamp(picture, text, font, digit_px, (left + box_w / 2, top + box_h / 2), clock.colour)
