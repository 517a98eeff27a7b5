"""A trajectory log as a value: who was where at which instant. It reads no file (see `trajectory_csv`)."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.model import Position

Micros = npt.NDArray[np.int64]
Places = npt.NDArray[np.float64]

GAP_US: Final = 1_000_000
"""Samples further apart than this (microseconds) are not joined by a straight line: the object stays where it was."""

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_NUMBERED: Final = re.compile(r"\D*?(\d+)", re.ASCII)


def micros(at: dt.datetime) -> int:
    """Microseconds from 1970-01-01T00:00:00Z to an aware instant."""
    return (at - EPOCH) // _MICROSECOND


def instant(at_us: int) -> dt.datetime:
    """The aware UTC instant that many microseconds after 1970-01-01T00:00:00Z."""
    return EPOCH + dt.timedelta(microseconds=at_us)


def label_of(objid: str) -> str:
    """The number drawn on an object: "obj001" is "1", "obj1234" is "1234"; an id without a number at its end is its own label."""
    numbered = _NUMBERED.fullmatch(objid)
    return str(int(numbered[1])) if numbered else objid


def label_order(label: str) -> tuple[int, int, str]:
    """Sort key of labels and ids: numbers by their value, before words by their letters."""
    numbered = _NUMBERED.fullmatch(label)
    return (0, int(numbered[1]), label) if numbered else (1, 0, label)


def _labels(objids: Iterable[str]) -> dict[str, str]:
    """Label per objid; objids that would share a label ("obj1", "obj001") keep their full ids as labels."""
    plain = {objid: label_of(objid) for objid in objids}
    uses = Counter(plain.values())
    return {objid: label if uses[label] == 1 else objid for objid, label in plain.items()}


@dataclass(frozen=True, eq=False)
class Track:
    """One object's samples.

    Attributes:
        at_us: Shape (n,), int64, microseconds since 1970 UTC, strictly increasing, n >= 1.
        places: Shape (n, 3), float64, columns x, y, z in the log's unit (centimetres; y is up).
    """

    at_us: Micros
    places: Places

    def __post_init__(self) -> None:
        self.at_us.setflags(write=False)
        self.places.setflags(write=False)

    def places_at(self, when_us: Micros) -> Places:
        """Where the object was at each instant.

        Straight lines between samples up to a second apart, else the last known place; before the first sample, the first.

        Args:
            when_us: Shape (m,), int64, microseconds since 1970 UTC, in any order.

        Returns:
            Shape (m, 3), float64.
        """
        last = len(self.at_us) - 1
        before = np.clip(np.searchsorted(self.at_us, when_us, side="right") - 1, 0, last)
        after = np.minimum(before + 1, last)
        gap_us = self.at_us[after] - self.at_us[before]
        joined = (gap_us > 0) & (gap_us <= GAP_US)
        passed_us = np.clip(when_us - self.at_us[before], 0, None)
        share = np.where(joined, passed_us / np.where(joined, gap_us, 1), 0.0)[:, np.newaxis]
        places: Places = (1.0 - share) * self.places[before] + share * self.places[after]
        return places


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A whole log.

    Attributes:
        tracks: Samples by objid, in the order of the numbers in the ids; never empty.
        tz: The zone that the log's times are written in, which is also what a burnt-in clock shows.
        warnings: What was odd about the log yet could be mended, one sentence each.
    """

    tracks: Mapping[str, Track]
    tz: dt.tzinfo = dt.UTC
    warnings: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        ordered = {objid: self.tracks[objid] for objid in sorted(self.tracks, key=label_order)}
        object.__setattr__(self, "tracks", ordered)
        object.__setattr__(self, "labels", _labels(ordered))

    @property
    def objids(self) -> tuple[str, ...]:
        """Ids of all objects, in the order of their numbers."""
        return tuple(self.tracks)

    @property
    def start_at(self) -> dt.datetime:
        """Instant of the first sample of any object."""
        return instant(min(int(track.at_us[0]) for track in self.tracks.values()))

    @property
    def end_at(self) -> dt.datetime:
        """Instant of the last sample of any object."""
        return instant(max(int(track.at_us[-1]) for track in self.tracks.values()))

    @property
    def duration_s(self) -> float:
        """Log seconds from the first sample to the last."""
        return (self.end_at - self.start_at).total_seconds()

    def objid_of(self, name: str) -> str | None:
        """The objid that a label ("1", "01") or an objid ("obj001") stands for, or None when the log has no such object."""
        if name in self.tracks:
            return name
        by_label = {label: objid for objid, label in self.labels.items()}
        return by_label.get(name) or by_label.get(label_of(name))

    def positions_at(self, at: dt.datetime) -> tuple[Position, ...]:
        """Where every object was at an instant, in the order of `objids` (see `Track.places_at` for instants between samples)."""
        return tuple(self._position(objid, at) for objid in self.tracks)

    def positions_of(self, objects: Iterable[str], at: dt.datetime) -> tuple[Position, ...]:
        """Where the named objects (labels or objids) were at an instant; names that the log does not know are left out."""
        known = (self.objid_of(name) for name in objects)
        return tuple(self._position(objid, at) for objid in dict.fromkeys(known) if objid is not None)

    def _position(self, objid: str, at: dt.datetime) -> Position:
        x, y, z = self.tracks[objid].places_at(np.array([micros(at)], dtype=np.int64))[0]
        return Position(objid=objid, x=float(x), y=float(y), z=float(z))
