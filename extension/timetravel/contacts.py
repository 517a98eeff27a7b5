"""Contacts computable from coordinates: the truth behind a replay. A contact is two label discs overlapping on the ground plane."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.timetravel.trajectory import GAP_US, Micros, Track, Trajectory, instant, label_order, micros

THRESHOLD_CM: Final = 100.0
"""Two discs of radius 50 cm overlap below this centre distance."""

_STEPS: Final = 2.5
"""A hole of more than this many usual steps (and more than a second) ends a contact: nothing was recorded there."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Contact:
    """Two objects overlapping without a pause.

    Attributes:
        objects: Labels of the two objects, in the order of their numbers.
        start_at: Instant of the first sample in contact.
        end_at: Instant of the last sample in contact (equal to `start_at` when there is only one).
        closest_cm: Smallest horizontal distance of the centres at any sample.
        closest_at: Instant of that sample.
    """

    objects: Pair
    start_at: dt.datetime
    end_at: dt.datetime
    closest_cm: float
    closest_at: dt.datetime


@dataclass(frozen=True, eq=False)
class _Distances:
    """Horizontal distances of one pair, at the samples of either object while both are recorded; shapes (n,)."""

    pair: Pair
    at_us: Micros
    distance_cm: npt.NDArray[np.float64]


def contacts(trajectory: Trajectory, threshold_cm: float = THRESHOLD_CM) -> tuple[Contact, ...]:
    """All contacts of a log, by time.

    A contact is a maximal run of samples whose horizontal (x-z) distance is below the threshold; runs of a pair that
    are separated by a single sample are one contact.
    """
    found = [
        _contact(distances, first, last)
        for distances in _all_distances(trajectory)
        for first, last in _runs(distances, threshold_cm)
    ]
    return tuple(sorted(found, key=lambda c: (c.start_at, [label_order(o) for o in c.objects])))


def contact_seconds(trajectory: Trajectory, threshold_cm: float = THRESHOLD_CM) -> set[tuple[int, Pair]]:
    """Every second and pair with a sample below the threshold.

    A second is numbered from the whole clock second in which the log begins, so that it is what the clock shows when the
    log begins at midnight.
    """
    first_us = micros(trajectory.start_at) // 1_000_000
    return {
        (int(at_us // 1_000_000 - first_us), distances.pair)
        for distances in _all_distances(trajectory)
        for at_us in distances.at_us[distances.distance_cm < threshold_cm]
    }


def _all_distances(trajectory: Trajectory) -> Iterator[_Distances]:
    for (one, a), (other, b) in itertools.combinations(trajectory.tracks.items(), 2):
        yield _distances((trajectory.labels[one], trajectory.labels[other]), a, b)


def _distances(pair: Pair, a: Track, b: Track) -> _Distances:
    if np.array_equal(a.at_us, b.at_us):
        at_us, apart = a.at_us, a.places - b.places
    else:
        both = np.union1d(a.at_us, b.at_us)
        start_us, end_us = max(a.at_us[0], b.at_us[0]), min(a.at_us[-1], b.at_us[-1])
        at_us = both[(both >= start_us) & (both <= end_us)]
        apart = a.places_at(at_us) - b.places_at(at_us)
    return _Distances(pair=pair, at_us=at_us, distance_cm=np.hypot(apart[:, 0], apart[:, 2]))


def _runs(distances: _Distances, threshold_cm: float) -> Iterator[tuple[int, int]]:
    """First and last sample of each contact, both in it."""
    inside = np.flatnonzero(distances.distance_cm < threshold_cm)
    if not inside.size:
        return
    steps_us = np.diff(distances.at_us)
    hole_us = max(GAP_US, _STEPS * float(np.median(steps_us))) if steps_us.size else GAP_US
    first = previous = int(inside[0])
    for sample in map(int, inside[1:]):
        holes = steps_us[previous:sample] > hole_us
        if sample - previous > 2 or holes.any():  # noqa: PLR2004 - a distance of 2 leaves one sample between
            yield first, previous
            first = sample
        previous = sample
    yield first, previous


def _contact(distances: _Distances, first: int, last: int) -> Contact:
    closest = first + int(np.argmin(distances.distance_cm[first : last + 1]))
    return Contact(
        objects=distances.pair,
        start_at=instant(int(distances.at_us[first])),
        end_at=instant(int(distances.at_us[last])),
        closest_cm=float(distances.distance_cm[closest]),
        closest_at=instant(int(distances.at_us[closest])),
    )
