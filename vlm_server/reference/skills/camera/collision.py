"""Tells two bodies that hit one another from two that pass, by where each would be had nothing happened.

A silhouette that moves steadily is carried on at its pace from the moment it meets another one. After a passing it is there; after
an impact it is not, although it has not left the place of the meeting. Braking is told from impact by how much is astray: at these
paces hard braking still covers half of the way. Bounds are in lengths of the moving body and in seconds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.camera.blobs import GAP, Blob
from vlm_server.reference.skills.camera.finding import Finding, score
from vlm_server.reference.skills.camera.steady import Mask, Scene
from vlm_server.reference.skills.camera.tracks import Track

LEAST_LOOKS = 4  # before the meeting; fewer show no steady pace
RUN_UP_S = 0.8  # the pace is taken from this long before the meeting
PACE = {
    "vehicle": 0.6,
    "person": 1.2,
}  # lengths per second; people who walk stop within a step, so they must run
UNSTEADY = 0.15  # lengths by which a mover may stray from its straight line before the meeting
STEADY_S = 0.55  # seconds of even movement before the meeting; a piece of a silhouette does not last
STEADY = 0.3  # standard deviation of its area over the mean; flames, smoke and reflections change faster
BRAKES = 0.8  # of its way from look to look that a mover must keep; one that was slowing down anyway was not stopped by a hit
JUMP = 1.5  # times by which an area changes from look to look when silhouettes join or part
LEAST_SIZE = 0.04  # of the picture's long side
NEAR = 0.015  # of the picture's long side: silhouettes this close touch
CLEAR = 0.4  # lengths of the smaller that two bodies must have been apart; the parts of one body never are
MERGING = 1.3  # steps within which two silhouettes become one after their last separate look; paces are not quite even
TOLD = 0.6  # share of a body's area: so much ground must lie ahead of and behind it, clear of the other, to say something
LATEST_S = 2.5  # after the meeting; later, other causes come in
ASTRAY = 0.7  # share of that ground that must contradict the pace


@dataclass(frozen=True)
class _Mover:
    """A track when it meets another one.

    Attributes:
        track: What moves.
        blob: Its last look before.
        pace: In pixels per second, x and y.
        here: H x W, its silhouette carried on to the moment they touch.
        at_s: That moment.
    """

    track: Track
    blob: Blob
    pace: NDArray[np.float64]
    here: Mask
    at_s: float

    @property
    def lengths(self) -> float:
        """Return how fast it moves, in its own lengths per second."""
        return float(np.hypot(*self.pace)) / max(1.0, self.blob.size)


def collisions(tracks: list[Track], scene: Scene, taken: list[Mask]) -> Iterator[Finding]:
    """Yield the collisions of a chunk; `taken` says for every frame where anything stands out from the ground."""
    alone = [part for track in tracks for part in _alone(track)]
    long = [track for track in alone if len(track.blobs) >= LEAST_LOOKS]
    for one, other in itertools.combinations(long, 2):
        meeting = _meeting(one, other, scene)
        if meeting is not None:
            yield from _judged(*meeting, scene, taken)


def _alone(track: Track) -> Iterator[Track]:
    """Cut a track where its area jumps: there two silhouettes became one, or one became two."""
    areas = track.each("area")
    ratios = areas[1:] / areas[:-1]
    cuts = [int(i) + 1 for i in np.flatnonzero((ratios > JUMP) | (ratios < 1 / JUMP))]
    for start, end in itertools.pairwise([0, *cuts, len(areas)]):
        yield Track(track.blobs[start:end], track.times_s[start:end])


def _meeting(one: Track, other: Track, scene: Scene) -> tuple[_Mover, _Mover] | None:
    """Return two tracks at the first time they touch after they had been apart, if they do."""
    ours, theirs = ({blob.index: blob for blob in track.blobs} for track in (one, other))
    common = sorted(ours.keys() & theirs.keys())
    reach, joined = (share * max(scene.frames.shape[1:3]) for share in (NEAR, GAP))
    apart = False
    for index in common:
        gap = _gap(ours[index], theirs[index])
        paces = (_pace(one, index, scene), _pace(other, index, scene))
        if paces[0] is not None and paces[1] is not None:
            ends_here = index == common[-1]
            closing = float(np.hypot(*(paces[0] - paces[1])))
            bridged = MERGING * closing * scene.step_s + joined if ends_here else 0.0
            if gap <= reach + bridged:
                at_s = float(scene.times_s[index]) + min(gap / max(closing, 1.0), MERGING * scene.step_s)
                movers = (
                    _mover(one, ours[index], paces[0], at_s, scene),
                    _mover(other, theirs[index], paces[1], at_s, scene),
                )
                return movers if apart else None
        apart = apart or gap > max(reach, CLEAR * min(ours[index].size, theirs[index].size))
    return None


def _mover(track: Track, blob: Blob, pace: NDArray[np.float64], at_s: float, scene: Scene) -> _Mover:
    here = _carried(blob.mask, pace * (at_s - float(scene.times_s[blob.index])))
    return _Mover(track, blob, pace, here, at_s)


def _gap(one: Blob, other: Blob) -> float:
    """Return by how many pixels two boxes are apart."""
    across = max(one.left - other.right, other.left - one.right, 0.0)
    down = max(one.top - other.bottom, other.top - one.bottom, 0.0)
    return float(np.hypot(across, down))


def _pace(track: Track, index: int, scene: Scene) -> NDArray[np.float64] | None:
    """Return the steady pace up to a frame, or None where there is none to tell."""
    until_s = scene.times_s[index]
    run = [b for b in track.blobs if b.index <= index and scene.times_s[b.index] >= until_s - RUN_UP_S - 1e-6]
    areas = np.array([b.area for b in run], float)
    if len(run) < LEAST_LOOKS or areas.std() > STEADY * areas.mean():
        return None
    if run[-1].size < LEAST_SIZE * max(scene.frames.shape[1:3]):
        return None
    times_s = scene.times_s[[b.index for b in run]]
    if times_s[-1] - times_s[0] < STEADY_S:
        return None
    places = np.array([(b.x, b.y) for b in run])
    half = len(places) // 2
    early, late = (
        float(np.hypot(*(part[-1] - part[0]))) for part in (places[: half + 1], places[-half - 1 :])
    )
    if late < BRAKES * early:
        return None
    terms = np.stack([np.ones_like(times_s), times_s - until_s], axis=1)
    fit = np.linalg.lstsq(terms, places, rcond=None)[0]
    astray = np.hypot(*(places - terms @ fit).T)
    return np.asarray(fit[1]) if astray.max() <= UNSTEADY * run[-1].size + 1.0 else None


def _judged(one: _Mover, other: _Mover, scene: Scene, taken: list[Mask]) -> Iterator[Finding]:
    hit = [
        (astray, mover, met)
        for mover, met in ((one, other), (other, one))
        if mover.lengths >= PACE[mover.track.noun] and (astray := _astray(mover, met, scene, taken)) >= ASTRAY
    ]
    if not hit:
        return
    astray, mover, met = max(hit, key=lambda h: h[0])
    noun = mover.track.noun
    yield Finding(
        kind="collision",
        severity="danger",
        start_s=mover.at_s,
        end_s=max(mover.at_s, min(float(scene.times_s[-1]), mover.at_s + LATEST_S)),
        objects=tuple(sorted((noun, met.track.noun))),
        description=(
            f"A {noun} moving at {mover.lengths:.1f} of its lengths per second met a {met.track.noun} and stopped"
            f" or turned at once: {astray:.0%} of the ground ahead of and behind it is not as its pace foretold."
        ),
        confidence=score(astray / ASTRAY, mover.lengths / PACE[noun]),
    )


def _astray(mover: _Mover, met: _Mover, scene: Scene, taken: list[Mask]) -> float:
    """Return the share of ground on which a mover is not as its pace foretells: empty ahead, still taken behind.

    The first moment counts at which enough of that ground is clear of all places that the other one may have.
    """
    here = mover.here
    for later in range(mover.blob.index + 1, len(scene.frames)):
        after_s = float(scene.times_s[later]) - mover.at_s
        if after_s > LATEST_S:
            break
        goes = _carried(here, mover.pace * after_s)
        theirs = _grown(met.here | _carried(met.here, met.pace * after_s))
        ahead, behind = goes & ~_grown(here) & ~theirs, here & ~_grown(goes) & ~theirs
        told = np.count_nonzero(ahead) + np.count_nonzero(behind)
        if told >= TOLD * mover.blob.area:
            wrong = np.count_nonzero(ahead & ~taken[later]) + np.count_nonzero(behind & taken[later])
            return wrong / told
    return 0.0


def _carried(mask: Mask, way: NDArray[np.float64]) -> Mask:
    """Return a silhouette moved by a way in pixels; what leaves the picture is lost."""
    shift = np.array([[1, 0, way[0]], [0, 1, way[1]]], np.float32)
    return np.asarray(
        cv2.warpAffine(mask.astype(np.uint8), shift, mask.shape[::-1], flags=cv2.INTER_NEAREST) > 0
    )


def _grown(mask: Mask) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
