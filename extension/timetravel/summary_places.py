"""Where things happened: how near objects came to each other, places where much happened, and where objects were. Pure arithmetic."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.timetravel.trajectory import GAP_US, Track, Trajectory, instant, micros

SPOT_CM: Final = 200.0
"""Moments within this distance of one another's middle are one hot spot: two label discs side by side."""

MOST_SPOTS: Final = 5
_MOST_TICKS: Final = 20_000
_FINEST_US: Final = 50_000
_BINOMIAL: Final = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Nearest:
    """When and where two of several objects were nearest to each other; `place` is their middle on the ground (x, z)."""

    at: dt.datetime
    apart_cm: float
    place: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where several moments happened; centre in the log's centimetres."""

    x: float
    z: float
    count: int


@dataclass(frozen=True, eq=False)
class Presence:
    """How long objects were where.

    Attributes:
        object_s: Shape (rows, columns), float64: object-seconds in each cell; rows along z, columns along x.
        x_cm: Shape (columns + 1,), float64: edges of the cells.
        z_cm: Shape (rows + 1,), float64: edges of the cells.
    """

    object_s: npt.NDArray[np.float64]
    x_cm: npt.NDArray[np.float64]
    z_cm: npt.NDArray[np.float64]


def nearest(
    trajectory: Trajectory, objects: Iterable[str], start_at: dt.datetime, end_at: dt.datetime
) -> Nearest | None:
    """How near the named objects came to each other on the ground between two instants, both included.

    Returns:
        The nearest two at their nearest; None when the log knows fewer than two of the objects.
    """
    known = dict.fromkeys(filter(None, (trajectory.objid_of(name) for name in objects)))
    tracks = [trajectory.tracks[objid] for objid in known]
    first_us, last_us = micros(start_at), micros(max(start_at, end_at))
    found = [_nearest(one, other, first_us, last_us) for one, other in itertools.combinations(tracks, 2)]
    return min(found, key=lambda pair: pair.apart_cm, default=None)


def _nearest(one: Track, other: Track, first_us: int, last_us: int) -> Nearest:
    samples = [
        track.at_us[slice(*np.searchsorted(track.at_us, (first_us, last_us)))] for track in (one, other)
    ]
    at_us = np.unique(np.concatenate([[first_us], *samples, [last_us]]))
    a, b = one.places_at(at_us)[:, [0, 2]], other.places_at(at_us)[:, [0, 2]]
    apart = np.hypot(*(a - b).T)
    tick = int(np.argmin(apart))
    x, z = (a[tick] + b[tick]) / 2
    return Nearest(at=instant(int(at_us[tick])), apart_cm=float(apart[tick]), place=(float(x), float(z)))


def hot_spots(
    places: Sequence[tuple[float, float]], radius_cm: float = SPOT_CM, most: int = MOST_SPOTS
) -> tuple[Spot, ...]:
    """Places where at least two moments happened, those with most first.

    The moment with most others around it makes the first spot with them, then the rest is looked at again; a spot is never
    wider than twice the radius, and every moment belongs to at most one.
    """
    points = np.asarray(places, dtype=np.float64).reshape(-1, 2)
    left = np.ones(len(points), dtype=bool)
    around = np.array([_near(points, place, radius_cm).sum() for place in points], dtype=np.int64)
    spots: list[Spot] = []
    while left.any() and len(spots) < most:
        best = int(np.argmax(np.where(left, around, -1)))
        members = left & _near(points, points[best], radius_cm)
        if members.sum() < 2:  # noqa: PLR2004 - one moment makes no hot spot
            break
        x, z = points[members].mean(axis=0)
        spots.append(Spot(x=float(x), z=float(z), count=int(members.sum())))
        left &= ~members
        for gone in points[members]:
            around -= _near(points, gone, radius_cm)
    return tuple(sorted(spots, key=lambda spot: -spot.count))


def _near(points: Points, place: Points, radius_cm: float) -> npt.NDArray[np.bool_]:
    return np.asarray(np.hypot(*(points - place).T) <= radius_cm)


def presence(trajectory: Trajectory, cells: int = 96) -> Presence:
    """How long objects were where, on square cells, `cells` of them along the longer side.

    Every object counts from its first sample to its last, but not in holes of more than a second between two samples. Each stay is
    spread over the cells next to its own, so that ways are seen and not squares; what would leave the picture stays at its edge.
    """
    ground = np.concatenate([track.places[:, [0, 2]] for track in trajectory.tracks.values()])
    low, high = ground.min(axis=0), ground.max(axis=0)
    size_cm = max(float((high - low).max()) / cells, 1.0)
    # Half a cell of margin, so that what moves along a wall does not fall onto an edge.
    counts = np.ceil((high - low) / size_cm).astype(int) + 1
    start = (low + high - counts * size_cm) / 2
    x_cm, z_cm = (start[axis] + size_cm * np.arange(counts[axis] + 1) for axis in (0, 1))
    object_s = np.zeros((counts[1], counts[0]))
    step_us = max(_FINEST_US, round(trajectory.duration_s * 1_000_000 / _MOST_TICKS))
    for track in trajectory.tracks.values():
        seen = _seen_at(track, step_us)
        found, _, _ = np.histogram2d(seen[:, 1], seen[:, 0], bins=(z_cm, x_cm))
        object_s += found * step_us / 1_000_000
    return Presence(object_s=_blurred(object_s), x_cm=x_cm, z_cm=z_cm)


def _blurred(cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Binomial smoothing over five cells both ways; the sum stays."""
    for axis in (0, 1):
        cells = np.moveaxis(cells, axis, 0)
        padded = np.zeros((len(cells) + 4, *cells.shape[1:]))
        for shift, weight in enumerate(_BINOMIAL):
            padded[shift : shift + len(cells)] += weight * cells
        padded[2] += padded[0] + padded[1]
        padded[-3] += padded[-1] + padded[-2]
        cells = np.moveaxis(padded[2:-2], 0, axis)
    return cells


def _seen_at(track: Track, step_us: int) -> Points:
    """Ground places of one object at even steps while it is recorded, shape (n, 2)."""
    at_us = np.arange(track.at_us[0], track.at_us[-1] + 1, step_us, dtype=np.int64)
    before = np.searchsorted(track.at_us, at_us, side="right") - 1
    after = np.minimum(before + 1, len(track.at_us) - 1)
    recorded = track.at_us[after] - track.at_us[before] <= GAP_US
    return track.places_at(at_us[recorded])[:, [0, 2]]
