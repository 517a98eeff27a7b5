"""Follows spots from frame to frame by place, motion and looks; knows nothing of numbers.

A track is a stretch that is certainly one disc: it ends rather than guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.replay_view.digits import Patch

Signature = NDArray[np.float32]
CLEAR = 1.95  # distance to the next disc in radii from which on a patch shows one disc only
DEEP = 1.4  # as CLEAR, below which motion alone may mistake one disc for the other
PATIENCE = 2  # frames a disc may be missed within a track
LOOKS = 10.0  # radii of distance that a full difference in looks is worth
UNKNOWN_LOOKS = 0.02  # assumed difference while a track has no clear patch yet
OTHER_LOOKS = 0.085  # mean difference (0 to 1) between two clear patches beyond which they are two discs
REACH = 4.0  # radii a disc may move between frames beyond what its motion says


@dataclass(frozen=True)
class Sighting:
    """One disc in one frame, with its looks; `clear` says that no other disc is in the patch."""

    frame: int
    x: float
    y: float
    clearness: float
    patch: Patch
    signature: Signature

    @property
    def clear(self) -> bool:
        """Whether the patch shows this disc only."""
        return self.clearness >= CLEAR


@dataclass
class Track:
    """Sightings of one disc in time order."""

    sightings: list[Sighting] = field(default_factory=list)

    @property
    def first(self) -> int:
        """Return the first frame."""
        return self.sightings[0].frame

    @property
    def last(self) -> int:
        """Return the last frame."""
        return self.sightings[-1].frame

    def predicted(self, times_s: NDArray[np.float64], frame: int) -> tuple[float, float]:
        """Return where the disc should be at a later frame if it keeps its motion."""
        end = self.sightings[-1]
        if len(self.sightings) < 2:
            return end.x, end.y
        start = self.sightings[max(-4, -len(self.sightings))]
        span = times_s[end.frame] - times_s[start.frame]
        part = (times_s[frame] - times_s[end.frame]) / span if span > 0 else 0.0
        return end.x + (end.x - start.x) * part, end.y + (end.y - start.y) * part

    def looks(self) -> Signature | None:
        """Return the looks of the last clear sighting, or None."""
        for sighting in reversed(self.sightings):
            if sighting.clear:
                return sighting.signature
        return None


def follow(frames: list[list[Sighting]], times_s: NDArray[np.float64], radius: float) -> list[Track]:
    """Join the sightings of all frames into tracks."""
    done: list[Track] = []
    active: list[Track] = []
    for index, sightings in enumerate(frames):
        kept = [track for track in active if index - track.last <= PATIENCE + 1]
        done.extend(track for track in active if index - track.last > PATIENCE + 1)
        taken = _joined(kept, sightings, times_s, radius, index)
        active = kept + [Track([s]) for i, s in enumerate(sightings) if i not in taken]
    return [part for track in done + active for part in _split(track)]


def _split(track: Track) -> list[Track]:
    """Cut a track where it comes out of a deep overlap: two discs may have changed places there."""
    parts = [Track([])]
    deep = False
    for sighting in track.sightings:
        deep = deep or sighting.clearness < DEEP
        if deep and sighting.clear:
            deep = False
            if any(s.clear for s in parts[-1].sightings):
                parts.append(Track([]))
        parts[-1].sightings.append(sighting)
    return parts


def _joined(
    tracks: list[Track], sightings: list[Sighting], times_s: NDArray[np.float64], radius: float, index: int
) -> set[int]:
    """Extend tracks by the sightings of one frame, cheapest pairs first; return which sightings were taken."""
    if not tracks or not sightings:
        return set()
    expected = np.array([track.predicted(times_s, index) for track in tracks])
    found = np.array([(s.x, s.y) for s in sightings])
    away = np.hypot(*np.moveaxis(expected[:, None] - found[None], 2, 0)) / radius
    cost = away + LOOKS * _unlike(tracks, sightings)
    taken: set[int] = set()
    used: set[int] = set()
    for flat in np.argsort(cost, axis=None):
        i, j = divmod(int(flat), len(sightings))
        if not np.isfinite(cost[i, j]) or away[i, j] > REACH:
            continue
        if i not in used and j not in taken:
            used.add(i)
            taken.add(j)
            tracks[i].sightings.append(sightings[j])
    return taken


def _unlike(tracks: list[Track], sightings: list[Sighting]) -> NDArray[np.float64]:
    """Return the difference in looks per pair; infinite where two clear patches show different discs."""
    looks = [track.looks() for track in tracks]
    known = np.array([look is not None for look in looks])
    nothing = np.zeros_like(sightings[0].signature)
    before = np.stack([nothing if look is None else look for look in looks])
    now = np.stack([s.signature for s in sightings])
    clear = np.array([s.clear for s in sightings])
    difference = np.abs(before[:, None] - now[None]).mean(axis=2).astype(np.float64)
    unlike: NDArray[np.float64] = np.where(clear[None], difference, 0.3 * difference)
    unlike[clear[None] & (difference > OTHER_LOOKS)] = np.inf
    unlike[~known] = UNKNOWN_LOOKS
    return unlike
