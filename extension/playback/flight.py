"""The camera's way through a clip: from the whole view to the place of a moment, on to the next, and back. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from extension.playback.clips import Clip, Seconds, Shot
from extension.sources.replay.camera import Camera, between, camera_on
from extension.sources.replay.style import Style
from extension.timetravel.trajectory import Trajectory, micros

_AROUND: Final = 10.0
"""Ground around the objects of a moment, in label radii, so that one sees whom they pass."""
_LEAST_S: Final = 0.6
"""A shorter move is a jolt."""
_SETTLED: Final = 0.25
"""The camera arrives this share of the lead before the moment begins."""
_SAMPLES: Final = 24


@dataclass(frozen=True, slots=True)
class _Stay:
    """The camera holds still from `start_s` to `end_s`."""

    camera: Camera
    start_s: float
    end_s: float


def flight(
    clip: Clip, at_s: Seconds, trajectory: Trajectory, style: Style, whole: Camera
) -> Iterator[Camera]:
    """One camera per frame of a clip.

    Args:
        clip: The clip, in seconds since the log's first instant.
        at_s: Shape (frames,): the second that each frame shows.
        trajectory: Tells where the objects are.
        style: Of the pictures.
        whole: The view to begin and end with.
    """
    stays = _stays(clip, trajectory, style, whole)
    times_s = np.maximum.accumulate([edge for stay in stays for edge in (stay.start_s, stay.end_s)])
    cameras = [camera for stay in stays for camera in (stay.camera, stay.camera)]
    for now_s in at_s:
        before = int(np.clip(np.searchsorted(times_s, now_s, side="right") - 1, 0, len(cameras) - 2))
        one, other = cameras[before], cameras[before + 1]
        way_s = times_s[before + 1] - times_s[before]
        share = float(np.clip((now_s - times_s[before]) / way_s, 0.0, 1.0)) if way_s > 0 else 1.0
        yield one if one == other else between(one, other, _eased(share), style)


def _eased(share: float) -> float:
    """Starts and stops gently."""
    return share * share * (3.0 - 2.0 * share)


def _stays(clip: Clip, trajectory: Trajectory, style: Style, whole: Camera) -> list[_Stay]:
    scenes = _scenes(clip.shots)
    lead_s = max(scenes[0][0].start_s - clip.start_s, 0.0)
    stays = [_Stay(whole, clip.start_s, clip.start_s + lead_s * _SETTLED)]
    for shots in scenes:
        start_s = min(shot.start_s for shot in shots)
        arrive_s = max(start_s - lead_s * _SETTLED, stays[-1].end_s + _LEAST_S)
        leave_s = max(shot.end_s for shot in shots)
        stays.append(_Stay(_view(shots, trajectory, style, whole), arrive_s, max(arrive_s, leave_s)))
    stays.append(_Stay(whole, clip.end_s, clip.end_s))
    return stays


def _scenes(shots: Sequence[Shot]) -> list[list[Shot]]:
    """Moments that go on at the same time are seen together."""
    scenes: list[list[Shot]] = []
    for shot in sorted(shots, key=lambda shot: shot.start_s):
        if scenes and shot.start_s <= max(other.end_s for other in scenes[-1]):
            scenes[-1].append(shot)
        else:
            scenes.append([shot])
    return scenes


def _view(shots: Sequence[Shot], trajectory: Trajectory, style: Style, whole: Camera) -> Camera:
    """A camera that sees all objects of the moments all the time; the whole view where nothing is known of them."""
    ground = [place for shot in shots for place in _places(shot, trajectory)]
    if not ground:
        return whole
    low, high = np.min(ground, axis=0), np.max(ground, axis=0)
    across_cm = float((high - low).max()) + _AROUND * style.radius_cm
    camera = camera_on(tuple((low + high) / 2), across_cm, style)
    return camera if camera.px_per_cm > whole.px_per_cm else whole


def _places(shot: Shot, trajectory: Trajectory) -> Iterator[tuple[float, float]]:
    known = filter(None, (trajectory.objid_of(name) for name in shot.moment.objects))
    start_us = micros(trajectory.start_at)
    at_us = start_us + np.linspace(shot.start_s * 1e6, shot.end_s * 1e6, _SAMPLES).astype(np.int64)
    for objid in known:
        for x, _, z in trajectory.tracks[objid].places_at(at_us):
            yield float(x), float(z)
    if shot.moment.place:
        yield shot.moment.place
