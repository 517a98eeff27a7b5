"""Who is where, heading where, coming from where, at many instants of a log at once. It draws nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.sources.replay.camera import Points
from extension.timetravel.trajectory import GAP_US, Flags, Micros, Track, Trajectory

BLOCK: Final = 256
"""Frames that are worked out at once: enough to be quick, few enough that a log of half a day needs no more memory than a minute."""

TRAIL_POINTS: Final = 16
"""Points of a trail; they stand still on the ground while the object moves on."""

_STEPS: Final = 2.5
"""A hole of more than this many usual steps, and of more than a second, is a gap: nothing was recorded there."""

_LOOK_US: Final = 250_000
_STILL_CM: Final = 5.0
"""An object that passes less than this in half a second (10 cm/s) heads nowhere."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Objects at a block of instants; rows follow the log's order of objects.

    Attributes:
        ground: Shape (objects, frames, 2), float64, x and z in centimetres.
        present: Shape (objects, frames), bool: whether the log has the object then.
        facing: Shape (objects, frames, 2), float64, unit vectors; zero for objects that stand still. None where nobody asked.
        trails: Shape (objects, frames, points, 2), float64, centimetres, oldest first, the last where the object is. A shorter trail
            repeats its oldest point. None where nobody asked.
    """

    ground: Points
    present: Flags
    facing: Points | None
    trails: Points | None


def scenes(
    trajectory: Trajectory, at_us: Micros, *, headings: bool, trail_s: float
) -> Iterator[tuple[Micros, Scene]]:
    """The scenes of many instants, block by block, each with its instants.

    Args:
        trajectory: The log.
        at_us: Shape (frames,), int64, microseconds since 1970 UTC, in any order.
        headings: Whether to work out where objects are heading.
        trail_s: Log seconds that trails reach back; 0 for none.
    """
    steps_us = {objid: usual_step_us(track) for objid, track in trajectory.tracks.items()}
    for first in range(0, len(at_us), BLOCK):
        block = at_us[first : first + BLOCK]
        yield block, _scene(trajectory.tracks, steps_us, block, headings, trail_s)


def shown(track: Track, at_us: Micros, step_us: int | None = None) -> Flags:
    """Whether a log has an object at each instant: from its first sample to a step after its last one, and not in a gap.

    Args:
        track: The object's samples.
        at_us: Shape (m,), int64, microseconds since 1970 UTC.
        step_us: Usual time between its samples; None works it out.
    """
    if step_us is None:
        step_us = usual_step_us(track)
    longest_us = max(GAP_US, round(_STEPS * step_us))
    there: Flags = track.present_at(at_us, longest_us, step_us) & (at_us >= track.at_us[0])
    return there


def usual_step_us(track: Track) -> int:
    """The usual time between two samples, microseconds; a second for a log of one sample."""
    return int(np.median(np.diff(track.at_us))) if len(track.at_us) > 1 else GAP_US


def _scene(
    tracks: Mapping[str, Track],
    steps_us: Mapping[str, int],
    at_us: Micros,
    headings: bool,  # noqa: FBT001 - handed on from a keyword
    trail_s: float,
) -> Scene:
    ground = np.stack([track.places_at(at_us)[:, [0, 2]] for track in tracks.values()])
    present = np.stack([shown(track, at_us, steps_us[objid]) for objid, track in tracks.items()])
    facing = np.stack([_facing(track, at_us) for track in tracks.values()]) if headings else None
    trails = None
    if trail_s > 0:
        reached = [
            _trail(track, at_us, here, trail_s, steps_us[objid])
            for (objid, track), here in zip(tracks.items(), ground, strict=True)
        ]
        trails = np.stack(reached)
    return Scene(ground=ground, present=present, facing=facing, trails=trails)


def _facing(track: Track, at_us: Micros) -> Points:
    """Unit vectors of shape (frames, 2) along the way from a quarter of a second before to a quarter after."""
    way = (track.places_at(at_us + _LOOK_US) - track.places_at(at_us - _LOOK_US))[:, [0, 2]]
    length = np.hypot(way[:, 0], way[:, 1])[:, np.newaxis]
    facing: Points = np.where(length < _STILL_CM, 0.0, way / np.maximum(length, _STILL_CM))
    return facing


def _trail(
    track: Track, at_us: Micros, here: npt.NDArray[np.float64], trail_s: float, usual_us: int
) -> Points:
    """Points of shape (frames, TRAIL_POINTS + 1, 2): fixed instants before each frame, then where the object is."""
    step_us = max(1, round(trail_s * 1_000_000 / TRAIL_POINTS))
    numbers = (at_us // step_us)[:, np.newaxis] - np.arange(TRAIL_POINTS)
    ticks, which = np.unique(numbers, return_inverse=True)
    places = track.places_at(ticks * step_us)[:, [0, 2]][which.reshape(numbers.shape)]
    there = shown(track, ticks * step_us, usual_us)[which.reshape(numbers.shape)]
    # Going back from the frame, a trail ends where the object was not there.
    reach = np.logical_and.accumulate(there, axis=1).sum(axis=1)
    oldest = np.minimum(np.arange(TRAIL_POINTS), np.maximum(reach - 1, 0)[:, np.newaxis])
    kept = np.take_along_axis(places, oldest[:, :, np.newaxis], axis=1)
    kept[reach == 0] = here[reach == 0, np.newaxis]
    trail: Points = np.concatenate((kept[:, ::-1], here[:, np.newaxis]), axis=1)
    return trail
