"""The moving pictures of a summary drawn from the log: the camera goes to each moment, and rings mark who is in it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from extension.model import Severity
from extension.playback.clips import Clip, Roll, Shot, clips, instants_s
from extension.playback.flight import flight
from extension.sources.replay.camera import Camera, chosen_camera
from extension.sources.replay.glyphs import Picture
from extension.sources.replay.render import frames
from extension.sources.replay.style import Level, Style, bgr, look
from extension.timetravel.summary import Moment, Summary
from extension.timetravel.trajectory import Micros, Trajectory, micros

_RINGS: Final = {
    Severity.SAFE: (47, 133, 90),
    Severity.WARN: (217, 119, 6),
    Severity.DANGER: (220, 60, 20),
    Severity.EXTREME: (185, 10, 50),
}
_RING: Final = 1.3
"""Radius of a ring, in radii of the disc."""
_SHIFT: Final = 4
_FAR_PX: Final = 1e6


class Redrawn:
    """A log as a recording whose seconds count from its first instant.

    Args:
        trajectory: The log.
        width: Of the pictures, pixels, even.
        height: Of the pictures, pixels, even.
        fps: Frames per second.
        slow: Speed while objects are closest.
    """

    def __init__(self, trajectory: Trajectory, width: int, height: int, fps: int, slow: float) -> None:
        self._trajectory = trajectory
        self._style: Style = replace(look(Level.FULL), width=width, height=height, fps=fps)
        self._fps = fps
        self._slow = slow
        self._start_us = micros(trajectory.start_at)

    def clips(self, summary: Summary, roll: Roll) -> tuple[Clip, ...]:
        """The parts of the log to show; moments must know when they were."""
        shots = [self._shot(moment) for moment in summary.shown_moments]
        return clips(shots, roll, 0.0, self._trajectory.duration_s)

    def pictures(self, parts: Sequence[Clip]) -> Iterator[tuple[Clip, float, Picture]]:
        """The frames of the clips one after another, each with its clip and the second it shows."""
        # Drawn in one go: what the whole log is looked through for is worked out once.
        seconds = [instants_s(part, self._fps, self._slow) for part in parts]
        whole = chosen_camera(self._trajectory, self._style)
        cameras, rings = itertools.tee(
            itertools.chain.from_iterable(
                flight(part, at_s, self._trajectory, self._style, whole)
                for part, at_s in zip(parts, seconds, strict=True)
            )
        )
        at_us: Micros = self._start_us + np.round(np.concatenate([*seconds, []]) * 1e6).astype(np.int64)
        drawn = frames(self._trajectory, self._style, cameras=cameras, instants=at_us)
        moments = (
            (part, now_s) for part, at_s in zip(parts, seconds, strict=True) for now_s in at_s.tolist()
        )
        for (part, now_s), now_us, picture, camera in zip(moments, at_us.tolist(), drawn, rings, strict=True):
            for shot in part.told_at(now_s):
                self._ring(picture, shot.moment, now_us, camera)
            yield part, now_s, picture

    def _shot(self, moment: Moment) -> Shot:
        start_at = moment.start_at or self._trajectory.start_at
        end_at = max(moment.end_at or start_at, start_at)
        closest_s = None if moment.closest_at is None else self._since_s(moment.closest_at)
        return Shot(moment, self._since_s(start_at), self._since_s(end_at), closest_s)

    def _since_s(self, at: dt.datetime) -> float:
        return (micros(at) - self._start_us) / 1e6

    def _ring(self, picture: Picture, moment: Moment, now_us: int, camera: Camera) -> None:
        radius_px = self._style.radius_cm * camera.px_per_cm
        for name in moment.objects:
            if objid := self._trajectory.objid_of(name):
                place = self._trajectory.tracks[objid].places_at(np.array([now_us], dtype=np.int64))
                column, row = np.clip(camera.seen(place)[0], -_FAR_PX, _FAR_PX)
                cv2.circle(
                    picture,
                    (round(column * (1 << _SHIFT)), round(row * (1 << _SHIFT))),
                    round(_RING * radius_px * (1 << _SHIFT)),
                    bgr(_RINGS[moment.severity]),
                    max(2, round(radius_px / 6)),
                    cv2.LINE_AA,
                    _SHIFT,
                )
