"""Contacts computable from coordinates: the truth behind a replay. A contact is two label discs overlapping on the ground plane."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np

from extension.timetravel.trajectory import Micros, Trajectory, instant, label_order, micros
from extension.timetravel.trajectory_pairs import Distances, near_pairs, runs

THRESHOLD_CM: Final = 100.0
"""Two discs of radius 50 cm overlap below this centre distance."""

_SECOND_US: Final = 1_000_000

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


def contacts(trajectory: Trajectory, threshold_cm: float = THRESHOLD_CM) -> tuple[Contact, ...]:
    """All contacts of a log, by time.

    A contact is a maximal run of samples whose horizontal (x-z) distance is below the threshold; runs of a pair that
    are separated by a single sample are one contact. Where one of the two was not recorded (before it begins, after it
    has ended, in a hole) there is none, and a hole ends one.
    """
    found = [
        _contact((trajectory.labels[one], trajectory.labels[other]), at_us, distance_cm)
        for (one, other), near in near_pairs(trajectory, threshold_cm).items()
        for at_us, distance_cm in runs(near)
    ]
    return tuple(sorted(found, key=lambda c: (c.start_at, [label_order(o) for o in c.objects])))


def contact_seconds(trajectory: Trajectory, threshold_cm: float = THRESHOLD_CM) -> set[tuple[int, Pair]]:
    """Every second and pair with a sample below the threshold.

    A second is numbered from the whole clock second in which the log begins, so that it is what the clock shows when the
    log begins at midnight.
    """
    first = micros(trajectory.start_at) // _SECOND_US
    return {
        (int(second), (trajectory.labels[one], trajectory.labels[other]))
        for (one, other), near in near_pairs(trajectory, threshold_cm).items()
        for second in np.unique(np.concatenate(near.at_us) // _SECOND_US) - first
    }


def _contact(pair: Pair, at_us: Micros, distance_cm: Distances) -> Contact:
    closest = int(np.argmin(distance_cm))
    return Contact(
        objects=pair,
        start_at=instant(int(at_us[0])),
        end_at=instant(int(at_us[-1])),
        closest_cm=float(distance_cm[closest]),
        closest_at=instant(int(at_us[closest])),
    )
