"""What else happens in a log besides contacts, found in its coordinates: objects that stop, paths that cross, near misses, walls."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.timetravel.contacts import THRESHOLD_CM, Pair
from extension.timetravel.trajectory import Micros, Trajectory

Points = npt.NDArray[np.float64]

STILL_CM_S: Final = 10.0
LEAST_STOP_S: Final = 1.5
NEAR_CM: Final = 1.25 * THRESHOLD_CM
CROSSED_S: Final = (1.0, 8.0)
"""Two paths cross when the second object passes the same place this many seconds after the first, no sooner and no later."""

_GRID_US: Final = 200_000
_WALL_CM: Final = 0.1


@dataclass(frozen=True, slots=True)
class Stop:
    """An object that stands still.

    Attributes:
        label: Of the object.
        start_us: First instant, microseconds since 1970 UTC.
        end_us: Last instant.
    """

    label: str
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two objects that pass the same place at different times.

    Attributes:
        labels: The one that was there first, and the other.
        first_us: When the first was there, microseconds since 1970 UTC, to a fifth of a second.
        second_us: When the second was.
        x: Of the place, centimetres.
        z: Of the place, centimetres.
    """

    labels: Pair
    first_us: int
    second_us: int
    x: float
    z: float


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Two objects that come close and do not touch.

    Attributes:
        labels: Of the two, in the log's order.
        closest_us: When they were closest, microseconds since 1970 UTC.
        closest_cm: How close, horizontally, centre to centre.
    """

    labels: Pair
    closest_us: int
    closest_cm: float


def stops(trajectory: Trajectory) -> tuple[Stop, ...]:
    """Every stretch of at least a second and a half in which an object moves less than 10 cm/s, by time."""
    found = []
    for objid, track in trajectory.tracks.items():
        steps_s = np.diff(track.at_us) / 1_000_000
        moved_cm = np.hypot(*np.diff(track.places[:, [0, 2]], axis=0).T)
        for first, end in runs(moved_cm < STILL_CM_S * steps_s):
            start_us, end_us = int(track.at_us[first]), int(track.at_us[end])
            if end_us - start_us >= LEAST_STOP_S * 1_000_000:
                found.append(Stop(trajectory.labels[objid], start_us, end_us))
    return tuple(sorted(found, key=lambda stop: stop.start_us))


def near_misses(trajectory: Trajectory, threshold_cm: float = THRESHOLD_CM) -> tuple[NearMiss, ...]:
    """Every time that two objects come within a quarter more than the threshold without reaching it, by time."""
    at_us, places = _on_grid(trajectory)
    found = []
    for (one, a), (other, b) in itertools.combinations(
        zip(trajectory.labels.values(), places, strict=True), 2
    ):
        apart_cm = np.hypot(*(a - b).T)
        for first, end in runs(apart_cm < NEAR_CM / THRESHOLD_CM * threshold_cm):
            closest = first + int(np.argmin(apart_cm[first:end]))
            if apart_cm[closest] >= threshold_cm:
                found.append(NearMiss((one, other), int(at_us[closest]), float(apart_cm[closest])))
    return tuple(sorted(found, key=lambda miss: miss.closest_us))


def crossings(trajectory: Trajectory) -> tuple[Crossing, ...]:
    """Every crossing of two paths one to eight seconds apart, by the time of the first; several in a row are one."""
    at_us, places = _on_grid(trajectory)
    lags = range(round(CROSSED_S[0] * 1_000_000 / _GRID_US), round(CROSSED_S[1] * 1_000_000 / _GRID_US) + 1)
    found: list[Crossing] = []
    for (one, a), (other, b) in itertools.permutations(
        zip(trajectory.labels.values(), places, strict=True), 2
    ):
        hits = sorted((step, lag) for lag in lags for step in _crossed(a, b, lag))
        last = -len(at_us)
        for step, lag in hits:
            if step - last > len(lags):
                x, z = a[step].tolist()
                found.append(Crossing((one, other), int(at_us[step]), int(at_us[step + lag]), x, z))
            last = step
    return tuple(sorted(found, key=lambda crossing: crossing.first_us))


def at_walls(trajectory: Trajectory, width_cm: float, depth_cm: float) -> Iterator[tuple[int, str, Points]]:
    """Every sample in which an object touches a wall of the room from (0, 0) to (width, depth): instant, objid, place (shape (3,))."""
    for objid, track in trajectory.tracks.items():
        ground = track.places[:, [0, 2]]
        touching = (ground <= _WALL_CM).any(axis=1) | (
            ground >= np.array((width_cm, depth_cm)) - _WALL_CM
        ).any(axis=1)
        for sample in np.flatnonzero(touching).tolist():
            yield int(track.at_us[sample]), objid, track.places[sample]


def runs(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First index and end (which is out) of every maximal stretch of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def _on_grid(trajectory: Trajectory) -> tuple[Micros, Points]:
    """Ground places every fifth of a second: instants of shape (m,), places of shape (objects, m, 2), NaN where an object is not there."""
    first_us, last_us = trajectory.span_us
    at_us = np.arange(first_us, last_us + 1, _GRID_US, dtype=np.int64)
    places = [
        np.where(track.present_at(at_us)[:, np.newaxis], track.places_at(at_us)[:, [0, 2]], np.nan)
        for track in trajectory.tracks.values()
    ]
    return at_us, np.stack(places)


def _crossed(a: Points, b: Points, lag: int) -> list[int]:
    """Steps of `a` that step number +lag of `b` crosses."""
    start, end = a[: -lag - 1], a[1:-lag] if lag > 0 else a[1:]
    from_, to = b[lag:-1], b[lag + 1 :]
    sides = _side(start, end, from_) * _side(start, end, to)
    ends = _side(from_, to, start) * _side(from_, to, end)
    return np.flatnonzero((sides < 0) & (ends < 0)).tolist()


def _side(start: Points, end: Points, point: Points) -> npt.NDArray[np.float64]:
    """On which side of the line through two points a third lies: positive, negative or zero."""
    (dx, dz), (px, pz) = (end - start).T, (point - start).T
    side: npt.NDArray[np.float64] = dx * pz - dz * px
    return side
