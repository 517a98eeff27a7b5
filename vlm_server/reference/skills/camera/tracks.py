"""Follows silhouettes from frame to frame; knows nothing of accidents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.camera.blobs import SLENDER, SOLID, Blob

LOST_S = 0.6  # a blob that is not seen for longer is another one
REACH = 1.2  # times its size that a blob may travel between two looks
ALIKE = 2.5  # ratio of areas up to which two blobs may be the same


@dataclass(frozen=True)
class Track:
    """One silhouette over time.

    Attributes:
        blobs: In time order, at most one per frame.
        times_s: Their times.
    """

    blobs: tuple[Blob, ...]
    times_s: NDArray[np.float64]

    def each(self, name: str) -> NDArray[np.float64]:
        """Return one measure of all its blobs."""
        return np.array([getattr(blob, name) for blob in self.blobs], float)

    @property
    def noun(self) -> str:
        """Return the word for it: upright and ragged is a person, all else that moves by itself a vehicle."""
        shape = self.each("height") / np.maximum(self.each("width"), 1)
        tall = float(np.percentile(shape, 75)) >= SLENDER
        return "person" if tall and float(np.median(self.each("fill"))) < SOLID else "vehicle"


def tracks_of(frames: list[list[Blob]], times_s: NDArray[np.float64]) -> list[Track]:
    """Return the tracks of a chunk in the order of their first sight."""
    open_: list[list[Blob]] = []
    done: list[list[Blob]] = []
    for index, blobs in enumerate(frames):
        now = float(times_s[index])
        done += [run for run in open_ if now - times_s[run[-1].index] > LOST_S]
        open_ = [run for run in open_ if now - times_s[run[-1].index] <= LOST_S]
        free = list(blobs)
        for _, run, blob in sorted(_pairs(open_, blobs, times_s), key=lambda pair: pair[0]):
            if blob in free and run[-1].index != index:
                run.append(blob)
                free.remove(blob)
        open_ += [[blob] for blob in free]
    runs = sorted(done + open_, key=lambda run: run[0].index)
    return [Track(tuple(run), times_s[[blob.index for blob in run]]) for run in runs]


def _pairs(
    runs: list[list[Blob]], blobs: list[Blob], times_s: NDArray[np.float64]
) -> Iterator[tuple[float, list[Blob], Blob]]:
    """Yield the pairs that may be the same, with how far they are apart in sizes; overlap counts as near."""
    for run in runs:
        last = run[-1]
        dx, dy = _pace(run, times_s)
        for blob in blobs:
            gap_s = float(times_s[blob.index] - times_s[last.index])
            size = max(last.size, blob.size, 1.0)
            away = float(np.hypot(blob.x - last.x - dx * gap_s, blob.y - last.y - dy * gap_s)) / size
            ratio = max(last.area, blob.area) / max(1, min(last.area, blob.area))
            if away < REACH and ratio < ALIKE:
                yield away + 0.2 * (ratio - 1), run, blob


def _pace(run: list[Blob], times_s: NDArray[np.float64]) -> tuple[float, float]:
    """Return how fast a run moves, in pixels per second, by its last two looks; zero for a new one."""
    if len(run) < 2:
        return 0.0, 0.0
    before, last = run[-2], run[-1]
    gap_s = max(1e-3, float(times_s[last.index] - times_s[before.index]))
    return (last.x - before.x) / gap_s, (last.y - before.y) / gap_s
