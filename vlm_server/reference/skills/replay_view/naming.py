"""Which track is which number: tracks in, one path per number out.

A number shown twice at the same time belongs to the track that shows it better; a track that cannot be read takes
the number whose path it continues.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.replay_view.digits import Patch, number_of
from vlm_server.reference.skills.replay_view.reader import Reader, Reading
from vlm_server.reference.skills.replay_view.track import Track

LEGIBLE = 0.6  # confidence from which on a reading counts at all
CERTAIN = 0.995  # and from which on it counts where other discs or the clock are in the patch
DOUBTFUL = 0.9  # below it, single patches are read as well and vote
READ_FROM = 6  # clearest patches averaged for one reading
VOTERS = 3
AGREEING = 3  # patches of a track that is never clear that must say the same
BARELY_CLEAR = 1.2  # radii to the next disc below which one patch alone is not trusted
COVERED = 1.0  # as BARELY_CLEAR, below which a patch is not worth reading
LASTING = 5  # sightings from which on a track that is never clear may be read
GLIMPSE = 3  # clear sightings below which a track rather continues a known number than being a new one
CLOSE, NEAR = 1.0, 3.0  # radii a track may lie off the path it continues: against its reading, without one
LONGEST_GAP_S = 1.5  # a disc hidden for longer is not assumed to have moved straight


@dataclass(frozen=True)
class Named:
    """A track with its number; `weight` says how well it was seen, `glimpse` that it was hardly seen."""

    track: Track
    number: str
    weight: float
    glimpse: bool


@dataclass(frozen=True)
class Path:
    """Where one number was: N x 2 pixels per frame, not-a-number where it was not seen."""

    number: str
    places: NDArray[np.float64]


def paths(tracks: list[Track], reader: Reader, times_s: NDArray[np.float64], radius: float) -> list[Path]:
    """Name the tracks and join those of one number."""
    read = [(track, _read(track, reader)) for track in tracks]
    named = sorted((n for _, n in read if n is not None), key=lambda n: -n.weight)
    unread = [track for track, n in read if n is None]
    places: dict[str, NDArray[np.float64]] = {}
    for one in named:
        number = one.number
        if one.glimpse and number not in places:
            number = (
                _continued(one.track, places, times_s, radius, NEAR if one.weight < 1 else CLOSE) or number
            )
        place = places.setdefault(number, np.full((len(times_s), 2), np.nan))
        if not _put(place, one.track):
            unread.append(one.track)
    for track in sorted(unread, key=lambda t: -len(t.sightings)):
        continued = _continued(track, places, times_s, radius, NEAR)
        if continued is not None:
            _put(places[continued], track)
    return [Path(number, place) for number, place in places.items()]


def _read(track: Track, reader: Reader) -> Named | None:
    """Read a track's number from its clearest patches."""
    best = sorted(track.sightings, key=lambda s: -min(s.clearness, 2.5))[:READ_FROM]
    clear = [s.patch for s in best if s.clear]
    if not clear and (best[0].clearness < COVERED or len(track.sightings) < LASTING):
        return None
    reading = _voted(clear, reader) if clear else _agreed([s.patch for s in best], reader)
    if reading is None or reading.confidence < (LEGIBLE if clear else CERTAIN):
        return None
    if best[0].clearness < BARELY_CLEAR:
        again = number_of([best[-1].patch], reader)
        if again is None or again.text != reading.text or again.confidence < CERTAIN:
            return None
    seen = sum(s.clear for s in track.sightings)
    glimpse = reading.confidence < (CERTAIN if seen < GLIMPSE else DOUBTFUL)
    return Named(track, reading.text, reading.confidence * (seen + 0.3) * (0.1 if glimpse else 1), glimpse)


def _agreed(patches: list[Patch], reader: Reader) -> Reading | None:
    """Read the clearest of patches that are never quite clear; where it is doubtful, two others must be certain and agree."""
    first = number_of(patches[:1], reader)
    if first is not None and first.confidence >= CERTAIN:
        return first
    others = [r for patch in patches[1:] if (r := number_of([patch], reader)) is not None]
    certain = [r for r in others if r.confidence >= CERTAIN]
    return certain[0] if len(certain) >= AGREEING and len({r.text for r in certain}) == 1 else first


def _voted(patches: list[Patch], reader: Reader) -> Reading | None:
    """Read the average of patches; where that is doubtful, single patches vote with it."""
    together = number_of(patches, reader)
    if together is None or together.confidence >= DOUBTFUL or len(patches) < 2:
        return together
    votes = [r for patch in patches[:VOTERS] if (r := number_of([patch], reader)) is not None]
    weight: dict[str, float] = defaultdict(float)
    for reading in (together, together, *votes):
        weight[reading.text] += reading.confidence
    text = max(weight, key=lambda t: weight[t])
    agreed = weight[text] / sum(weight.values())
    best = max(r.confidence for r in (together, *votes) if r.text == text)
    unanimous = agreed == 1 and len(votes) > 1  # several patches cannot all be wrong in the same way by noise
    return Reading(text, max(best, DOUBTFUL) if unanimous else agreed * best)


def _put(place: NDArray[np.float64], track: Track) -> bool:
    """Enter a track into a path unless the path is taken at its frames."""
    at = [s.frame for s in track.sightings]
    if np.isfinite(place[at, 0]).any():
        return False
    place[at] = [(s.x, s.y) for s in track.sightings]
    return True


def _continued(
    track: Track,
    places: dict[str, NDArray[np.float64]],
    times_s: NDArray[np.float64],
    radius: float,
    within: float,
) -> str | None:
    """Return the number whose path the track continues best, or None when none fits."""
    fits = {number: _misfit(track, place, times_s) / radius for number, place in places.items()}
    if not fits:
        return None
    number = min(fits, key=lambda n: fits[n])
    return number if fits[number] < within else None


def _misfit(track: Track, place: NDArray[np.float64], times_s: NDArray[np.float64]) -> float:
    """Return how far a track lies from where a path would be, in pixels; infinite where both are seen."""
    at = [s.frame for s in track.sightings]
    known = np.flatnonzero(np.isfinite(place[:, 0]))
    if np.isfinite(place[at, 0]).any() or len(known) == 0:
        return np.inf
    before, after = known[known < at[0]], known[known > at[-1]]
    misfit = []
    if len(before):
        misfit.append(_jump(place, times_s, (before[-5:]), track.sightings[0].frame, track, 0))
    if len(after):
        misfit.append(_jump(place, times_s, (after[:5][::-1]), track.sightings[-1].frame, track, -1))
    return float(np.mean(misfit)) if misfit else np.inf


def _jump(
    place: NDArray[np.float64],
    times_s: NDArray[np.float64],
    run: NDArray[np.intp],
    frame: int,
    track: Track,
    end: int,
) -> float:
    """Return the distance between a track's end and a path carried on to that frame."""
    near, far = run[-1], run[0]
    gap_s = times_s[frame] - times_s[near]
    if abs(gap_s) > LONGEST_GAP_S:
        return np.inf
    span_s = times_s[near] - times_s[far]
    motion = (place[near] - place[far]) / span_s if span_s != 0 else np.zeros(2)
    there = np.array([track.sightings[end].x, track.sightings[end].y])
    return float(np.hypot(*(place[near] + motion * gap_s - there)))
