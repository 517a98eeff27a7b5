"""Tells a fall from lying down, bending and walking away, by the height of a silhouette over time.

A fall is a body that was upright, lost most of its height fast, turned from tall to wide around the same feet, and is still down
when the chunk ends. Somebody who gets up again within the chunk is not reported: the policy asks for a person who stays on the
ground. Somebody who lies there from the first frame is not reported either: how they came there was not seen, and people lie
down on purpose. All bounds are in heights of that body and in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.camera.finding import Finding, score
from vlm_server.reference.skills.camera.steady import Scene, differs
from vlm_server.reference.skills.camera.tracks import Track

UPRIGHT = 0.85  # height over width before; a body that leans forward with its thighs out is nearly square
LYING = 1.4  # width over height after; trunk bent to the level, legs upright, stays below
LONG = 0.45  # heights that a body on the ground is wide at least; lying it is as long as it was tall, less what it is foreshortened by
WHOLE = 0.4  # share of the silhouette that is left; less is not the same body
TURNED = 2.0  # times by which height over width shrinks; bending and squatting stay below
COLLAPSED = 0.55  # share of the height that is left; sitting down on a chair leaves 0.7 or more
BACK_UP = 0.75  # share of the height at which a body counts as risen again
WIDER = 1.5  # times by which a fall widens a silhouette
SUNK = 0.35  # heights by which the head comes down: hiding behind a desk lowers no head
RISEN = (
    0.3  # heights by which the lower edge may rise: the floor does not, but thin legs may be lost from sight
)
SHIFTED = 0.6  # heights by which the feet may move: who walks away is another case
FAST = 0.7  # heights per second at the fastest: 1.3 m/s, the usual bound between falls and movements on purpose, by a body of 1.75 m
STARTS = 0.3  # heights per second from which on a body counts as going down
WITHIN_S = 1.8  # from the onset to the ground; a faint that buckles at the knees takes 1.3 s
BEFORE_S = 2.0  # how long before the fall the upright height is taken from
STILL_S = 1.5  # seconds without movement on the ground that make the fall certain
STIR = 0.06  # share of a silhouette that changes between two frames when somebody moves
LEAST_PX = 12.0  # a body of fewer small pixels has no measurable shape
LEAST_LOOKS = 4
LEAST_UP = 3  # looks at which the body stood before it fell; fewer may be two silhouettes that ran into one


@dataclass(frozen=True)
class _Shape:
    """Smoothed measures of a track, one per look."""

    times_s: NDArray[np.float64]
    height: NDArray[np.float64]
    width: NDArray[np.float64]
    top: NDArray[np.float64]
    bottom: NDArray[np.float64]
    area: NDArray[np.float64]


@dataclass(frozen=True)
class _Drop:
    """A collapse: looks by number, and its measures in heights and heights per second."""

    onset: int
    low: int
    left: float
    turned: float
    fastest: float


def falls(tracks: list[Track], scene: Scene) -> Iterator[Finding]:
    """Yield the falls of a chunk."""
    for track in tracks:
        ends_s = float(scene.times_s[-1])
        if len(track.blobs) < LEAST_LOOKS or ends_s - track.times_s[-1] > 2 * scene.step_s + 1e-6:
            continue  # it is gone: nobody lies there
        drop = _drop(_shape(track), [blob.sunk for blob in track.blobs])
        if drop is not None:
            yield _finding(track, drop, scene)


def _shape(track: Track) -> _Shape:
    names = ("height", "width", "top", "bottom", "area")
    return _Shape(track.times_s, *(_smooth(track.each(name)) for name in names))


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of every three neighbours: one bad silhouette moves nothing."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    return np.asarray(np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0))


def _drop(shape: _Shape, sunk: list[bool]) -> _Drop | None:
    """Return the last fall that the body did not rise from, if there is one; a body that lies may shrink once more for other reasons."""
    times_s = shape.times_s
    for low in range(len(times_s) - 1, 1, -1):
        before = (times_s >= times_s[low] - BEFORE_S) & (np.arange(len(times_s)) < low)
        tall = float(np.percentile(shape.height[before], 80)) if before.any() else 0.0
        if (
            tall < LEAST_PX
            or shape.height[low] > COLLAPSED * tall
            or shape.height[low - 1] <= COLLAPSED * tall
        ):
            continue
        drop = _judged(shape, low, before, tall)
        if drop is not None:
            return None if _leaving(shape, sunk, drop) else drop
    return None


def _leaving(shape: _Shape, sunk: list[bool], drop: _Drop) -> bool:
    """Whether a body is walking out at the lower border of the picture: it sinks, and becomes no wider."""
    widened = float(np.median(shape.width[drop.low :])) / float(np.median(shape.width[: drop.onset + 1]))
    return bool(np.mean(sunk[drop.low :]) > 0.5 > np.mean(sunk[: drop.onset + 1])) and widened < WIDER


def _judged(shape: _Shape, low: int, before: NDArray[np.bool_], tall: float) -> _Drop | None:
    times_s, after = shape.times_s, slice(low, None)
    if (shape.height[after] > BACK_UP * tall).mean() > 0.1:
        return None
    upright = before & (shape.height >= 0.8 * tall)
    if np.count_nonzero(upright) < LEAST_UP:
        return None
    head, feet = (float(np.median(edge[upright])) for edge in (shape.top, shape.bottom))
    was = tall / float(np.median(shape.width[upright]))
    settled = float(np.median(shape.height[after]))
    wide = float(np.median(shape.width[after]))
    pace = np.diff(shape.top) / np.maximum(np.diff(times_s), 1e-3) / tall
    onset = _onset(pace, low)
    fastest = float(pace[onset:low].max(initial=0.0))
    down = float(np.median(shape.top[after])) - head
    ok = (
        was >= UPRIGHT
        and wide >= max(LYING * settled, LONG * tall)
        and float(np.median(shape.area[after])) >= WHOLE * float(np.median(shape.area[upright]))
        and was * wide / settled >= TURNED
        and down >= SUNK * tall
        and -RISEN * tall <= float(np.median(shape.bottom[after])) - feet <= SHIFTED * tall
        and fastest >= FAST
        and times_s[low] - times_s[onset] <= WITHIN_S
    )
    return _Drop(onset, low, settled / tall, was * wide / settled, fastest) if ok else None


def _onset(pace: NDArray[np.float64], low: int) -> int:
    """Return the look from which on the head comes down without a pause, up to the fastest moment before `low`."""
    first = max(0, low - len(pace))
    fastest = int(np.argmax(pace[first:low])) + first
    while fastest > 0 and pace[fastest - 1] >= STARTS:
        fastest -= 1
    return fastest


def _finding(track: Track, drop: _Drop, scene: Scene) -> Finding:
    start_s, down_s = float(track.times_s[drop.onset]), float(track.times_s[drop.low])
    end_s = float(track.times_s[-1])
    still_s = end_s - _last_stir_s(track, drop.low, scene)
    certain = still_s >= STILL_S
    said = (
        f"An upright silhouette lost {1 - drop.left:.0%} of its height in {down_s - start_s:.1f} s and lies"
        f" where it stood; still for {still_s:.1f} s."
    )
    if not certain:
        said += f" Less than {STILL_S:g} s of stillness were seen, so this is a warning."
    return Finding(
        kind="fall",
        severity="danger" if certain else "warn",
        start_s=start_s,
        end_s=end_s,
        objects=("person",),
        description=said,
        confidence=score(drop.turned / TURNED, COLLAPSED / max(drop.left, 0.05), drop.fastest / FAST)
        * (1.0 if certain else 0.6),
    )


def _last_stir_s(track: Track, low: int, scene: Scene) -> float:
    """Return when the body on the ground last moved, in seconds; its fall ends with a movement."""
    last = float(track.times_s[low])
    for blob, at_s in zip(track.blobs[low:], track.times_s[low:], strict=True):
        if blob.index == 0:
            continue
        around = cv2.dilate(blob.mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        moved = differs(scene.frames[blob.index], scene.frames[blob.index - 1], scene.threshold)
        if np.count_nonzero(moved & around) > STIR * blob.area:
            last = float(at_s)
    return last
