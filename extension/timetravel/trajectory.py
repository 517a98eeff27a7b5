"""A trajectory log as a value: who was where at which instant. It reads no file (see `trajectory_csv`)."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.errors import BadInput
from extension.model import Position

Micros = npt.NDArray[np.int64]
Places = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GAP_US: Final = 1_000_000
"""Samples further apart than this (microseconds) are not joined by a straight line: the object stays where it was."""

ABSENT_US: Final = 10_000_000
"""An object without a sample for longer than this (microseconds) was not there meanwhile: playback skips such gaps."""

GRACE_US: Final = 1_000_000
"""An object is there this long (microseconds) before its first sample and after its last one."""

GUIDE_STEP: Final = 512
"""Instants between two that a guide names: 4 KiB of them, a page."""

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_NUMBERED: Final = re.compile(r"\D*?(\d+)", re.ASCII)


def _nothing() -> None:
    """Samples in memory of their own stay there."""


class Fill(StrEnum):
    """What stands between two samples; at the instant of a sample, the sample itself stands in either case."""

    INTERPOLATED = "interpolated"
    LAST_KNOWN = "last_known"


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


def _labels(objids: Iterable[str], named: Mapping[str, str]) -> dict[str, str]:
    """Label per objid; objids that would share a label ("obj1", "obj001") keep their full ids as labels."""
    plain = {objid: named.get(objid) or label_of(objid) for objid in objids}
    uses = Counter(plain.values())
    labels = {o: label if uses[label] == 1 or o in named else o for o, label in plain.items()}
    if len(set(labels.values())) < len(labels):
        doubled, _ = Counter(labels.values()).most_common(1)[0]
        owners = ", ".join(repr(objid) for objid, label in labels.items() if label == doubled)
        raise BadInput(f"the label {doubled!r} is given to more than one object: {owners}")
    return labels


def _part(track: Track, start_us: int, end_us: int) -> Track | None:
    """The samples in a part and one more at either side; None for an object that was not there."""
    first, stop = (int(i) for i in np.searchsorted(track.at_us, (start_us, end_us + 1)))
    if first == stop and not track.present_at(np.array((start_us, end_us), dtype=np.int64)).any():
        return None
    kept = slice(max(0, first - 1), stop + 1)
    return Track(at_us=track.at_us[kept], places=track.places[kept])


@dataclass(frozen=True, eq=False)
class Track:
    """One object's samples.

    Attributes:
        at_us: Shape (n,), int64, microseconds since 1970 UTC, strictly increasing, n >= 1.
        places: Shape (n, 3), float64, columns x, y, z in the log's unit (centimetres; y is up).
        guide_us: Every `GUIDE_STEP`th of `at_us` in memory, where that lies in a file: finding one instant touches one page.
    """

    at_us: Micros
    places: Places
    guide_us: Micros | None = None

    def __post_init__(self) -> None:
        self.at_us.setflags(write=False)
        self.places.setflags(write=False)

    def places_at(self, when_us: Micros, fill: Fill = Fill.INTERPOLATED) -> Places:
        """Where the object was at each instant.

        Straight lines between samples up to a second apart, else the last known place; before the first sample, the first.

        Args:
            when_us: Shape (m,), int64, microseconds since 1970 UTC, in any order.
            fill: `LAST_KNOWN` draws no lines: the place is that of the sample at or before the instant.

        Returns:
            Shape (m, 3), float64.
        """
        last = len(self.at_us) - 1
        before = np.clip(np.searchsorted(self.at_us, when_us, side="right") - 1, 0, last)
        if fill is Fill.LAST_KNOWN:
            known: Places = self.places[before]
            return known
        after = np.minimum(before + 1, last)
        gap_us = self.at_us[after] - self.at_us[before]
        joined = (gap_us > 0) & (gap_us <= GAP_US)
        passed_us = np.clip(when_us - self.at_us[before], 0, None)
        share = np.where(joined, passed_us / np.where(joined, gap_us, 1), 0.0)[:, np.newaxis]
        places: Places = (1.0 - share) * self.places[before] + share * self.places[after]
        return places

    def place_at(self, when_us: int, fill: Fill = Fill.INTERPOLATED) -> tuple[float, float, float]:
        """Where the object was at one instant: what `places_at` says, without its cost."""
        at_us, last, start = self.at_us, len(self.at_us) - 1, 0
        if self.guide_us is not None:
            start = GUIDE_STEP * max(int(self.guide_us.searchsorted(when_us, side="right")) - 1, 0)
            at_us = at_us[start : start + GUIDE_STEP]
        before = max(start + int(at_us.searchsorted(when_us, side="right")) - 1, 0)
        x, y, z = self.places[before].tolist()
        known_us = int(self.at_us[before])
        if fill is Fill.LAST_KNOWN or before == last or when_us <= known_us:
            return x, y, z
        gap_us = int(self.at_us[before + 1]) - known_us
        if gap_us > GAP_US:
            return x, y, z
        share = (when_us - known_us) / gap_us
        next_x, next_y, next_z = self.places[before + 1].tolist()
        kept = 1.0 - share
        return kept * x + share * next_x, kept * y + share * next_y, kept * z + share * next_z

    def present_at(self, when_us: Micros, absent_us: int = ABSENT_US, grace_us: int = GRACE_US) -> Flags:
        """Whether the object was there at each instant.

        It is not before its first sample and after its last one, but for the grace; nor in a gap between two samples longer
        than `absent_us`, but for the grace after the sample before the gap.

        Args:
            when_us: Shape (m,), int64, microseconds since 1970 UTC, in any order.
            absent_us: Longest gap, in microseconds, that an object may be there for without a sample.
            grace_us: Microseconds.

        Returns:
            Shape (m,), bool.
        """
        last = len(self.at_us) - 1
        place = np.searchsorted(self.at_us, when_us, side="right") - 1
        before, after = np.clip(place, 0, last), np.clip(place + 1, 0, last)
        soon = when_us - self.at_us[before] <= grace_us
        bridged = (after > before) & (self.at_us[after] - self.at_us[before] <= absent_us)
        started = when_us >= self.at_us[0] - grace_us
        present: Flags = started & (soon | bridged)
        return present


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A whole log.

    Attributes:
        tracks: Samples by objid, in the order of the numbers in the ids; never empty.
        tz: The zone that the log's times are written in, which is also what a burnt-in clock shows.
        warnings: What was odd about the log, one sentence each.
        named: Labels by objid that stand in place of the numbers in the ids; objects that it leaves out keep those.
        window_us: First and last instant (microseconds since 1970 UTC) where this is a part of a log, see `between`; its
            tracks then hold the samples in it and one more at either side, so that places in it are those of the whole log.
        release: Frees the memory that looked-at samples take where they lie in a file; they are read again when asked for.
        labels: What is drawn on each object, by objid; no two are alike.
    """

    tracks: Mapping[str, Track]
    tz: dt.tzinfo = dt.UTC
    warnings: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    window_us: tuple[int, int] | None = None
    release: Callable[[], None] = _nothing
    labels: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        ordered = {objid: self.tracks[objid] for objid in sorted(self.tracks, key=label_order)}
        object.__setattr__(self, "tracks", ordered)
        object.__setattr__(self, "labels", _labels(ordered, self.named))

    @property
    def objids(self) -> tuple[str, ...]:
        """Ids of all objects, in the order of their numbers."""
        return tuple(self.tracks)

    @property
    def start_at(self) -> dt.datetime:
        """Instant of the first sample of any object, or the start of the part."""
        return instant(self.span_us[0])

    @property
    def end_at(self) -> dt.datetime:
        """Instant of the last sample of any object, or the end of the part."""
        return instant(self.span_us[1])

    @property
    def span_us(self) -> tuple[int, int]:
        """`start_at` and `end_at` in microseconds since 1970 UTC."""
        if self.window_us is not None:
            return self.window_us
        ends = [(int(track.at_us[0]), int(track.at_us[-1])) for track in self.tracks.values()]
        return min(first for first, _ in ends), max(last for _, last in ends)

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

    def positions_at(self, at: dt.datetime, fill: Fill = Fill.INTERPOLATED) -> tuple[Position, ...]:
        """Where every object was at an instant, in the order of `objids` (see `Track.places_at` for instants between samples)."""
        return tuple(self._position(objid, at, fill) for objid in self.tracks)

    def positions_of(
        self, objects: Iterable[str], at: dt.datetime, fill: Fill = Fill.INTERPOLATED
    ) -> tuple[Position, ...]:
        """Where the named objects (labels or objids) were at an instant; names that the log does not know are left out."""
        known = (self.objid_of(name) for name in objects)
        return tuple(self._position(objid, at, fill) for objid in dict.fromkeys(known) if objid is not None)

    def present_at(self, at: dt.datetime) -> tuple[str, ...]:
        """Ids of the objects that were there at an instant (see `Track.present_at`), in the order of `objids`."""
        when_us = np.array([micros(at)], dtype=np.int64)
        return tuple(objid for objid, track in self.tracks.items() if track.present_at(when_us)[0])

    def between(self, start_at: dt.datetime, end_at: dt.datetime) -> Trajectory:
        """The part of the log from one instant to another, both in it, clamped to the log; its samples are not copied.

        Objects that were not there at any time of it are left out; the others keep their labels.

        Raises:
            BadInput: The end is not after the start, or nobody was there.
        """
        if end_at <= start_at:
            raise BadInput(
                f"the part of the log ends at {end_at} but must end after {start_at}, where it begins"
            )
        first_us, last_us = self.span_us
        start_us, end_us = max(micros(start_at), first_us), min(micros(end_at), last_us)
        if end_us <= start_us:
            raise BadInput(
                f"nothing was recorded from {start_at} to {end_at}: the log goes from {self.start_at} to {self.end_at}"
            )
        parts = {objid: _part(track, start_us, end_us) for objid, track in self.tracks.items()}
        kept = {objid: part for objid, part in parts.items() if part is not None}
        if not kept:
            raise BadInput(f"nobody was recorded from {start_at} to {end_at}")
        named = {objid: self.labels[objid] for objid in kept}
        return replace(self, tracks=kept, named=named, window_us=(start_us, end_us))

    def _position(self, objid: str, at: dt.datetime, fill: Fill) -> Position:
        x, y, z = self.tracks[objid].place_at(micros(at), fill)
        return Position(objid=objid, x=x, y=y, z=z)
