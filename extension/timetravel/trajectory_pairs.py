"""Which objects come near each other, and how near: every pair over a whole log, without looking at pairs that are far apart.

The log is cut into blocks of a few seconds. Only where the boxes around two objects' places come within the threshold are
their distances worked out; the result is that of working out all of them. Memory grows with the time spent near, not with the log.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.timetravel.trajectory import ABSENT_US, GAP_US, Flags, Micros, Places, Track, Trajectory

STEPS: Final = 2.5
"""A hole of more than this many usual steps (and more than a second) hides an object: nothing was recorded there."""

_BLOCK_US: Final = 4_000_000
_BLOCKS_AT_ONCE: Final = 900
"""An hour of blocks."""

_SLACK_CM: Final = 0.01
"""Boxes are this much larger, for what rounding may do to a place between two samples."""

_X, _Z = 0, 2

Distances = npt.NDArray[np.float64]
Count = npt.NDArray[np.int64]


@dataclass
class Near:
    """The instants at which a pair is below the threshold.

    Instants are those of either object's samples while both are known; they are counted from the first one looked at.

    Attributes:
        at_us: Arrays of instants, microseconds since 1970 UTC; in one, shape (n,), int64. The others go with it.
        distance_cm: Horizontal distances, float64.
        turn: The instants' numbers, int64: those that follow each other directly differ by one.
        holes: How many holes in the recording come before each instant, int64.
    """

    at_us: list[Micros] = field(default_factory=list)
    distance_cm: list[Distances] = field(default_factory=list)
    turn: list[Count] = field(default_factory=list)
    holes: list[Count] = field(default_factory=list)
    _last_us: int | None = None
    _turns: int = 0
    _holes: int = 0

    def add(self, at_us: Micros, distance_cm: Distances, threshold_cm: float, hole_us: int) -> None:
        """Take in the pair's next instants, rising."""
        if not len(at_us):
            return
        before = at_us[:1] if self._last_us is None else np.array([self._last_us], dtype=np.int64)
        holes = self._holes + np.cumsum(np.diff(at_us, prepend=before) > hole_us)
        turns = self._turns + np.arange(len(at_us), dtype=np.int64)
        inside = distance_cm < threshold_cm
        if inside.any():
            self.at_us.append(at_us[inside])
            self.distance_cm.append(distance_cm[inside])
            self.turn.append(turns[inside])
            self.holes.append(holes[inside])
        self._last_us, self._turns, self._holes = int(at_us[-1]), int(turns[-1]) + 1, int(holes[-1])


@dataclass(frozen=True, eq=False)
class _Stretch:
    """What one object does in an hour of blocks.

    Attributes:
        track: Its samples, and one more at either side.
        block: Shape (n,), int64, the block of each sample; -1 for those outside.
        low: Shape (blocks, 2), float64, smallest x and z of the places that it may have in each block; `high` the largest.
            Where it is not known at any instant of a block, no place is between them.
    """

    track: Track
    block: Count
    low: Places
    high: Places


def near_pairs(trajectory: Trajectory, threshold_cm: float) -> dict[tuple[str, str], Near]:
    """When each pair of objects is nearer to each other than the threshold, by their ids; pairs that never are, are left out.

    A place counts where the object was recorded: at its samples, and between two of them that are no hole apart. So nobody
    meets an object that has ended, or where it stood before a hole.
    """
    tracks = list(trajectory.tracks.values())
    holes_us = []
    for track in tracks:
        holes_us.append(_hole_us(track))
        trajectory.release()
    block_us = max(
        _BLOCK_US, 5 * max(holes_us) // 2
    )  # longer than two holes: a block without a look ends a contact
    found: dict[tuple[int, int], Near] = {}
    for edges_us in _hours(tracks, trajectory.span_us, block_us):
        stretches = [_stretch(track, edges_us, hole) for track, hole in zip(tracks, holes_us, strict=True)]
        for one, other, blocks in _candidates(stretches, threshold_cm + _SLACK_CM):
            at_us, distance_cm = _distances(
                stretches[one], stretches[other], blocks, holes_us[one], holes_us[other]
            )
            near = found.setdefault((one, other), Near())
            near.add(at_us, distance_cm, threshold_cm, min(holes_us[one], holes_us[other]))
        trajectory.release()
    names = list(trajectory.tracks)
    return {
        (names[one], names[other]): found[one, other]
        for one, other in sorted(found)
        if found[one, other].at_us
    }


def known_at(track: Track, when_us: Micros, hole_us: int) -> Flags:
    """Whether the object was recorded at each instant: at a sample, or between two no more than a hole apart; shapes (n,)."""
    last = len(track.at_us) - 1
    place = np.searchsorted(track.at_us, when_us, side="right") - 1
    before, after = np.clip(place, 0, last), np.clip(place + 1, 0, last)
    between = (place >= 0) & (after > before) & (track.at_us[after] - track.at_us[before] <= hole_us)
    known: Flags = (track.at_us[before] == when_us) | between
    return known


def _hole_us(track: Track) -> int:
    """The longest step, in microseconds, that is no hole in this object's recording."""
    if len(track.at_us) == 1:
        return GAP_US
    return max(GAP_US, min(int(STEPS * float(np.median(np.diff(track.at_us)))), ABSENT_US))


def _hours(tracks: Sequence[Track], span_us: tuple[int, int], block_us: int) -> Iterator[Micros]:
    """Edges of blocks, an hour of them at a time, from the first sample to the last; stretches without any are passed over."""
    start_us, end_us = span_us
    while start_us <= end_us:
        nexts = [
            int(track.at_us[place])
            for track in tracks
            if (place := int(np.searchsorted(track.at_us, start_us))) < len(track.at_us)
        ]
        if not nexts or min(nexts) > end_us:
            return
        start_us = min(nexts)
        blocks = min(_BLOCKS_AT_ONCE, (end_us - start_us) // block_us + 1)
        edges_us = start_us + block_us * np.arange(blocks + 1, dtype=np.int64)
        edges_us[-1] = min(edges_us[-1], end_us + 1)
        yield edges_us
        start_us = int(edges_us[-1])


def _stretch(track: Track, edges_us: Micros, hole_us: int) -> _Stretch:
    first, stop = (int(i) for i in np.searchsorted(track.at_us, edges_us[[0, -1]]))
    kept = slice(max(0, first - 1), stop + 1)
    part = Track(at_us=track.at_us[kept], places=track.places[kept])
    cuts = np.searchsorted(part.at_us, edges_us)
    block = np.full(len(part.at_us), -1, dtype=np.int64)
    block[cuts[0] : cuts[-1]] = np.repeat(np.arange(len(edges_us) - 1), np.diff(cuts))
    last = len(part.at_us) - 1
    before, after = np.maximum(cuts[:-1] - 1, 0), np.minimum(cuts[1:], last)
    bridged = (cuts[:-1] > 0) & (cuts[1:] <= last) & (part.at_us[after] - part.at_us[before] <= hole_us)
    unseen = (np.diff(cuts) == 0) & ~bridged
    plane = part.places[:, [_X, _Z]]
    limits = np.stack((before, after + 1), axis=1).ravel()
    low = np.minimum.reduceat(np.vstack((plane, [[np.inf, np.inf]])), limits)[::2]
    high = np.maximum.reduceat(np.vstack((plane, [[-np.inf, -np.inf]])), limits)[::2]
    low[unseen], high[unseen] = np.inf, -np.inf
    return _Stretch(track=part, block=block, low=low, high=high)


def _candidates(stretches: Sequence[_Stretch], apart_cm: float) -> Iterator[tuple[int, int, Flags]]:
    """Pairs, and the blocks in which their boxes come within the distance; shape (blocks,), bool."""
    low = np.stack([stretch.low for stretch in stretches])
    high = np.stack([stretch.high for stretch in stretches])
    for one in range(len(stretches) - 1):
        others = slice(one + 1, None)
        beside = (low[others] < high[one] + apart_cm) & (low[one] < high[others] + apart_cm)
        near = beside.all(axis=2)
        for other in np.flatnonzero(near.any(axis=1)):
            yield one, one + 1 + int(other), near[other]


def _distances(
    one: _Stretch, other: _Stretch, blocks: Flags, one_hole_us: int, other_hole_us: int
) -> tuple[Micros, Distances]:
    """Instants in these blocks at which both are known, and the horizontal distances at them; shapes (n,)."""
    wanted = np.append(blocks, [False])
    a, b = (np.flatnonzero(wanted[stretch.block]) for stretch in (one, other))
    a_us, b_us = one.track.at_us[a], other.track.at_us[b]
    if np.array_equal(a_us, b_us):
        at_us, apart = a_us, one.track.places[a] - other.track.places[b]
    else:
        both = np.union1d(a_us, b_us)
        at_us = both[known_at(one.track, both, one_hole_us) & known_at(other.track, both, other_hole_us)]
        apart = one.track.places_at(at_us) - other.track.places_at(at_us)
    return at_us, np.hypot(apart[:, _X], apart[:, _Z])


def runs(near: Near) -> Iterator[tuple[Micros, Distances]]:
    """The spans of instants that belong together: at most one other instant between two, and no hole."""
    at_us, distance_cm = np.concatenate(near.at_us), np.concatenate(near.distance_cm)
    turn, holes = np.concatenate(near.turn), np.concatenate(near.holes)
    apart = (np.diff(turn) > 2) | (np.diff(holes) > 0)  # noqa: PLR2004 - a difference of 2 leaves one instant between
    cuts = [0, *(np.flatnonzero(apart) + 1).tolist(), len(turn)]
    for first, stop in itertools.pairwise(cuts):
        yield at_us[first:stop], distance_cm[first:stop]
