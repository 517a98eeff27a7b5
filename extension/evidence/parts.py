"""Where the pictures of a source lie: parts of files on one axis of media seconds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from extension.model import Span

_TINY_S: Final = 0.05
"""A gap shorter than this is a rounding of two files' lengths: one frame at 20 frames per second."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of one video file, and where it lies on the source's axis.

    Attributes:
        path: The video file.
        from_s: First second of the file that belongs to the source, counted from its first frame.
        to_s: Second of the file that no longer does.
        at_s: Media second of the source that `from_s` shows.
    """

    path: Path
    from_s: float
    to_s: float
    at_s: float

    def __post_init__(self) -> None:
        if self.from_s < 0 or self.to_s <= self.from_s:
            raise ValueError("a part begins at 0 or later and ends after it begins")

    @property
    def span(self) -> Span:
        """What it covers of the source."""
        return Span(self.at_s, self.at_s + self.to_s - self.from_s)


def whole(path: Path, media_s: float) -> tuple[Part, ...]:
    """A source that is one file of so many seconds."""
    return (Part(path, 0.0, media_s, 0.0),)


def extent(parts: Sequence[Part]) -> Span:
    """From where to where a source reaches; nothing at second 0 where there are no parts."""
    spans = [part.span for part in parts] or [Span(0.0, 0.0)]
    return Span(min(span.start_s for span in spans), max(span.end_s for span in spans))


def within(parts: Sequence[Part], span: Span) -> tuple[Part, ...]:
    """The parts that share any instant with a span, by time."""
    touching = (p for p in parts if p.span.start_s < span.end_s and p.span.end_s > span.start_s)
    return tuple(sorted(touching, key=lambda part: (part.at_s, part.path.name)))


def gaps(parts: Sequence[Part], span: Span) -> tuple[Span, ...]:
    """The stretches of a span that no part covers."""
    found: list[Span] = []
    reached_s = span.start_s
    for part in within(parts, span):
        if part.span.start_s - reached_s > _TINY_S:
            found.append(Span(reached_s, part.span.start_s))
        reached_s = max(reached_s, part.span.end_s)
    if span.end_s - reached_s > _TINY_S:
        found.append(Span(reached_s, span.end_s))
    return tuple(found)
