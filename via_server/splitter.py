"""Cuts media time into chunks and picks the frames of each. Pure arithmetic in whole nanoseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ChunkSpan:
    """Chunk number `index` of a request and its media time, in nanoseconds from the start of the file."""

    index: int
    start_ns: int
    end_ns: int

    @property
    def start_s(self) -> float:
        """Start in seconds."""
        return self.start_ns / NS_PER_S

    @property
    def end_s(self) -> float:
        """End in seconds."""
        return self.end_ns / NS_PER_S


def chunk_count(start_ns: int, end_ns: int, duration_ns: int, overlap_ns: int) -> int:
    """How many chunks `cut` makes of the same arguments."""
    length_ns = end_ns - start_ns
    if length_ns <= 0:
        return 0
    if duration_ns <= 0 or duration_ns >= length_ns:
        return 1
    step_ns = duration_ns - overlap_ns
    return 1 + -((duration_ns - length_ns) // step_ns)


def cut(start_ns: int, end_ns: int, duration_ns: int, overlap_ns: int) -> list[ChunkSpan]:
    """Chunks of `duration_ns` (0: one chunk) that each start `duration_ns - overlap_ns` after the one before.

    The last one ends at `end_ns`. `overlap_ns` must be smaller than a `duration_ns` that is not 0.
    """
    step_ns = duration_ns - overlap_ns
    count = chunk_count(start_ns, end_ns, duration_ns, overlap_ns)
    if count == 1:
        return [ChunkSpan(0, start_ns, end_ns)]
    starts = (start_ns + index * step_ns for index in range(count))
    return [
        ChunkSpan(index, chunk_start, min(chunk_start + duration_ns, end_ns))
        for index, chunk_start in enumerate(starts)
    ]


def targets(span: ChunkSpan, count: int) -> list[int]:
    """The `count` instants (ns) at which a frame of `span` is wanted: evenly spread, the start in, the end out."""
    length_ns = span.end_ns - span.start_ns
    return [span.start_ns + i * length_ns // count for i in range(count)]


class Sampler:
    """Decides, frame by frame in media time, which chunks take a frame and which chunks are complete.

    Each target takes the first frame at or after it and not after the chunk's end; no chunk takes a frame twice, so
    fewer than `count` frames come back where the video has fewer. Chunks may overlap; they complete in order.
    """

    def __init__(self, spans: Sequence[ChunkSpan], count: int) -> None:
        self._spans = spans
        self._count = count
        self._first = 0  # the first chunk that is not complete
        self._targets: dict[
            int, list[int]
        ] = {}  # of the chunks that have begun: what is still wanted, latest first

    @property
    def complete(self) -> bool:
        """Whether no chunk needs another frame."""
        return self._first == len(self._spans)

    def offer(self, pts_ns: int) -> tuple[list[int], list[int]]:
        """Show the next frame; returns the indices of the chunks that take it, and of those complete with it."""
        takers = [index for index in self._begun(pts_ns) if self._takes(index, pts_ns)]
        return takers, self._completed(pts_ns)

    def rest(self) -> list[int]:
        """The chunks still incomplete at the end of the file, in order."""
        left = list(range(self._first, len(self._spans)))
        self._first = len(self._spans)
        self._targets.clear()
        return left

    def _begun(self, pts_ns: int) -> list[int]:
        begun = []
        for index in range(self._first, len(self._spans)):
            if self._spans[index].start_ns > pts_ns:
                break
            begun.append(index)
        return begun

    def _takes(self, index: int, pts_ns: int) -> bool:
        span = self._spans[index]
        wanted = self._targets.get(index)
        if wanted is None:
            wanted = self._targets[index] = targets(span, self._count)[::-1]
        if pts_ns > span.end_ns or not wanted or wanted[-1] > pts_ns:
            return False
        while wanted and wanted[-1] <= pts_ns:
            wanted.pop()
        return True

    def _completed(self, pts_ns: int) -> list[int]:
        done = []
        while self._first < len(self._spans):
            index = self._first
            begun = index in self._targets
            if self._spans[index].end_ns >= pts_ns and (not begun or self._targets[index]):
                break
            self._targets.pop(index, None)
            self._first += 1
            done.append(index)
        return done
