"""Footage and eyes that are scripted: what is in it, and what is said of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from extension.captions.second import Looked
from extension.captions.second_asking import looks
from extension.captions.second_record import with_second_look
from extension.model import (
    Brief,
    Caption,
    Check,
    Chunk,
    Claim,
    Failure,
    Incident,
    Kind,
    Phase,
    Severity,
    Span,
    Verdict,
)
from extension.pipeline.backtest.eyes import Wording
from extension.pipeline.backtest.footage import Reel
from extension.sources.motion.motion import Motion, Part

START = dt.datetime(2026, 5, 4, 10, 0, tzinfo=dt.UTC)


def claim(
    start_s: float,
    end_s: float,
    kind: Kind = Kind.FALL,
    severity: Severity = Severity.DANGER,
    objects: tuple[str, ...] = ("person",),
) -> Claim:
    """A claim in seconds of the source."""
    return Claim(kind, Span(start_s, end_s), severity, objects, description=f"A {kind}.")


def verdict(*claims: Claim) -> Verdict:
    """A verdict that says just that."""
    worst = max((one.severity for one in claims), key=lambda s: s.rank, default=Severity.SAFE)
    return Verdict(worst, claims, "said")


def caption(
    index: int, span: Span, *claims: Claim, failure: str | None = None, stats: dict[str, Any] | None = None
) -> Caption:
    """The answer for a window."""
    if failure is not None:
        return Caption(Chunk(index, span), "", None, Failure(failure, "it failed"), stats or {})
    return Caption(Chunk(index, span), "text", verdict(*claims), None, stats or {})


def checked(first: Caption, *claims: Claim) -> Caption:
    """A caption after a second look that says just that."""
    assert first.verdict is not None
    answers = [
        Looked(look, prompt_of(), "again", verdict(*claims), None)
        for look in looks(first.verdict, first.chunk.span.end_s + 30)
    ]
    return with_second_look(first, answers)


def prompt_of() -> Any:
    """Some prompt."""
    from extension.captions.prompts import load

    return load("camera")


def incident(
    number: int,
    start_s: float,
    end_s: float,
    kind: Kind = Kind.FALL,
    severity: Severity = Severity.DANGER,
    objects: tuple[str, ...] = ("person",),
    check: Check = Check.ONCE,
) -> Incident:
    """An incident that is over."""
    return Incident(
        id=f"incident-{number}",
        job_id="job",
        kind=kind,
        objects=objects,
        phase=Phase.RESOLVED,
        severity=severity,
        span=Span(start_s, end_s),
        event_ids=(f"event-{number}",),
        description=f"A {kind}.",
        check=check,
    )


@dataclass
class ScriptedFootage:
    """Footage of some length in which things move at some times."""

    length_s: float
    moving: Sequence[tuple[float, float]] = ()
    name: str = "yard.mp4"
    start_at: dt.datetime | None = None
    holes: Sequence[tuple[float, float]] = ()
    reel_start_s: float = 0.0
    passing: bool = False
    brief: Brief = field(default_factory=Brief)
    shown_spans: list[Span] = field(default_factory=list)

    def motions(self) -> Sequence[Part]:
        """Two pieces a second."""
        pieces = [Span(n / 2, n / 2 + 0.5) for n in range(round(self.length_s * 2))]
        return [Part(piece, self._motion(piece)) for piece in pieces if not self._hole(piece)]

    @contextmanager
    def shown(self, span: Span) -> Iterator[Reel | None]:
        """One reel for all, or none in a hole."""
        self.shown_spans.append(span)
        if self._hole(span):
            yield None
            return
        part = Span(span.start_s - self.reel_start_s, span.end_s - self.reel_start_s)
        name = f"reel@{self.reel_start_s}"
        yield Reel(name, Path(self.name), self.reel_start_s, self.length_s, part, passing=self.passing)

    def _motion(self, piece: Span) -> Motion:
        moves = any(start < piece.end_s and piece.start_s < end for start, end in self.moving)
        return Motion(moving=moves, share=0.1 if moves else 0.0, moving_s=0.5 if moves else 0.0)

    def _hole(self, span: Span) -> bool:
        return any(start <= span.start_s and span.end_s <= end for start, end in self.holes)


@dataclass
class ScriptedEyes:
    """Eyes that see what happens in footage: every claim that a chunk shows, cut to it.

    `second` gives what a second look at a caption says; without it nobody looks twice.
    """

    happenings: Sequence[Claim] = ()
    fails: Callable[[Chunk], str | None] = lambda _: None
    again: Callable[[Caption], Caption] | None = None
    asked: list[tuple[Span, Wording]] = field(default_factory=list)
    checked: list[Span] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def first(self, reel: Reel, chunk: Chunk, asked: Wording) -> Caption:
        """What happens in a chunk."""
        self.asked.append((chunk.span, asked))
        if code := self.fails(chunk):
            return Caption(chunk, "", None, Failure(code, "it failed"))
        shown = Span(chunk.span.start_s + reel.start_s, chunk.span.end_s + reel.start_s)
        seen = [one for one in self.happenings if _shares(one.span, shown)]
        cut = [replace(one, span=_cut(one.span, shown, reel.start_s)) for one in seen]
        return Caption(chunk, "text", verdict(*cut), None)

    def second(self, reel: Reel, caption: Caption, asked: Wording) -> Caption:
        """What a second look makes of it."""
        del reel, asked
        self.checked.append(caption.chunk.span)
        return self.again(caption) if self.again is not None else caption

    def forget(self, reel: Reel) -> None:
        """It is gone."""
        self.forgotten.append(reel.name)


def _shares(one: Span, other: Span) -> bool:
    return one.start_s < other.end_s and other.start_s < one.end_s


def _cut(span: Span, shown: Span, by_s: float) -> Span:
    return Span(max(span.start_s, shown.start_s) - by_s, min(span.end_s, shown.end_s) - by_s)
