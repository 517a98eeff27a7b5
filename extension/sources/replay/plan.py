"""What a drawn log should hold, and the check that it does: clear contacts, clear near misses, nothing in between."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.timetravel.contacts import THRESHOLD_CM
from extension.timetravel.trajectory import Trajectory, micros

CLEAR: Final = 1.06
"""Pairs that do not touch keep their discs apart by at least this many diameters, centre to centre."""

DEEP: Final = 0.90
"""Pairs that touch come closer than this many diameters."""

_NEAR: Final = 1.25
_FINE_US: Final = 20_000
_EDGE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """What a drawn log should hold. Lengths in centimetres, times in log seconds.

    Attributes:
        objects: How many, numbered from 1.
        duration_s: From the first sample to the last.
        contacts: How many contacts to bring about.
        near_misses: How many near misses to bring about.
        width_cm: Extent along x.
        depth_cm: Extent along z.
        step_s: Time between samples.
        slowest: Speed, cm/s.
        fastest: Speed, cm/s.
        hold_s: How long two objects in contact stay together, at least.
        again_s: How long before the same pair may touch again.
        start_at: Instant of the first sample.
        stops: How many times an object is to stand still, at least.
        crossings: How many times an object is to walk over the path of another some seconds later, at least.
    """

    objects: int
    duration_s: float
    contacts: int
    near_misses: int
    width_cm: float = 2600.0
    depth_cm: float = 1300.0
    step_s: float = 0.2
    slowest: float = 100.0
    fastest: float = 200.0
    hold_s: float = 0.6
    again_s: float = 6.0
    start_at: dt.datetime = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    stops: int = 0
    crossings: int = 0


@dataclass(frozen=True, slots=True)
class Encounters:
    """How the pairs of a log met, judged between samples too.

    Attributes:
        contacts: Clear contacts.
        near_misses: Times that a pair passed without touching, discs within a quarter of a diameter.
        doubtful: Meetings that are neither: grazing, too short, interrupted, cut off by an end of the log, or soon repeated.
    """

    contacts: int
    near_misses: int
    doubtful: int


def encounters(
    trajectory: Trajectory, *, hold_s: float, again_s: float, threshold_cm: float = THRESHOLD_CM
) -> Encounters:
    """Judge every meeting of a log.

    A clear contact comes closer than 0.90 thresholds for at least `hold_s`, without leaving 1.00 in between. A clear miss stays
    beyond 1.06 thresholds.
    """
    step = round(micros(trajectory.end_at) - micros(trajectory.start_at)) // _FINE_US
    at_us = micros(trajectory.start_at) + _FINE_US * np.arange(step + 1, dtype=np.int64)
    places = [track.places_at(at_us)[:, [0, 2]] for track in trajectory.tracks.values()]
    contacts = near_misses = doubtful = 0
    for one, other in itertools.combinations(places, 2):
        apart = np.hypot(*(one - other).T) / threshold_cm
        touches = [_clear(apart, run, hold_s) for run in _runs(apart < CLEAR)]
        contacts += sum(touches)
        near_misses += sum(bool(apart[run].min() >= CLEAR) for run in _runs(apart < _NEAR))
        doubtful += touches.count(False) + _repeated(apart, again_s)
    return Encounters(contacts=contacts, near_misses=near_misses, doubtful=doubtful)


def _clear(apart: npt.NDArray[np.float64], run: slice, hold_s: float) -> bool:
    """Whether a meeting is a contact that nobody could doubt."""
    edge = int(_EDGE_S * 1_000_000 / _FINE_US)
    whole = run.start > edge and run.stop < len(apart) - edge
    held_s = float(np.count_nonzero(apart[run] < DEEP)) * _FINE_US / 1_000_000
    return whole and held_s >= hold_s and len(list(_runs(apart[run] < 1.0))) == 1


def _repeated(apart: npt.NDArray[np.float64], again_s: float) -> int:
    """How many contacts of a pair come too soon after its last one."""
    runs = list(_runs(apart < 1.0))
    gaps_s = [(later.start - run.stop) * _FINE_US / 1_000_000 for run, later in itertools.pairwise(runs)]
    return sum(gap_s < again_s for gap_s in gaps_s)


def _runs(mask: npt.NDArray[np.bool_]) -> Iterator[slice]:
    """Maximal stretches of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    for start, stop in edges.reshape(-1, 2).tolist():
        yield slice(start, stop)
