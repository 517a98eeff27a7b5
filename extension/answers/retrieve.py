"""Finds the stored facts that a question is about. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from extension.answers.question import Asked, Wish, understand, words
from extension.answers.times import Window
from extension.model import Caption, Event, Incident, Job, Kind, Position, Severity, Span

# Captions that an answer quotes at most.
MOST_CAPTIONS = 5
# Words of a language written in syllables share stems, not endings.
_STEM = 2


@dataclass(frozen=True, slots=True)
class Fact:
    """Something stored that an answer may rest on.

    Attributes:
        source: "incident", "event" or "caption".
        id: Its id; of a caption, the index of its chunk.
        span: Media time.
        text: What was written about it.
        kind: What happened; None for a caption.
        objects: Labels of those who took part.
        severity: How bad it was; None for a caption.
        clock: Burnt-in clock at its start.
        clock_s: The same span in seconds of the day by clock or wall clock, where either is known.
        positions: Where its objects were.
    """

    source: str
    id: str
    span: Span
    text: str
    kind: Kind | None = None
    objects: tuple[str, ...] = ()
    severity: Severity | None = None
    clock: str | None = None
    clock_s: Span | None = None
    positions: tuple[Position, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to say.

    Attributes:
        asked: The question, understood.
        facts: The facts that fit, by start; captions best first.
        failed: Spans within the question's window that could not be judged.
        judged_s: Media seconds up to which the source is judged, None when all of it is.
    """

    asked: Asked
    facts: tuple[Fact, ...]
    failed: tuple[Span, ...]
    judged_s: float | None


def find(
    question: str,
    job: Job,
    incidents: Sequence[Incident],
    events: Sequence[Event],
    captions: Sequence[Caption],
) -> Found:
    """The facts of one job that a question is about."""
    everything: list[Event | Incident] = [*incidents, *events]
    labels = {label for happening in everything for label in happening.objects}
    asked = understand(question, labels, job.media_s)
    of_events = asked.of_events or not incidents
    happenings = [_fact(happening, job.options.speed) for happening in (events if of_events else incidents)]
    window = _media_window(asked.window, happenings, job.options.speed)
    fitting = sorted(
        (f for f in happenings if _fits(f, asked, window)), key=lambda f: (f.span.start_s, f.objects)
    )
    seen = [c for c in captions if window is None or window.meets(c.chunk.span.start_s, c.chunk.span.end_s)]
    return Found(
        asked=asked,
        facts=tuple(_best(asked, fitting, [_caption_fact(c) for c in seen if _told(c)])),
        failed=tuple(caption.chunk.span for caption in seen if caption.failure),
        judged_s=_judged_s(job, captions),
    )


def _best(asked: Asked, happenings: Sequence[Fact], captions: Sequence[Fact]) -> Sequence[Fact]:
    """What happened, where the question asks for that; else what captions say in its words."""
    if asked.kinds or asked.objects or asked.wish is not Wish.LIST:
        return happenings
    if asked.general and happenings:
        return happenings
    if asked.window is None:
        return _sharing_words(asked, captions)
    return _sharing_words(asked, captions) or happenings or captions[:MOST_CAPTIONS]


def overview(incidents: Sequence[Incident], captions: Sequence[Caption], most: int) -> tuple[Fact, ...]:
    """Facts about the whole video, for a question that none answers directly: incidents, then captions spread over it."""
    facts = [_fact(incident, 1.0) for incident in incidents[:most]]
    told = [caption for caption in captions if caption.verdict and caption.verdict.summary]
    step = max(1, math.ceil(len(told) / max(1, most - len(facts))))
    return tuple([*facts, *(_caption_fact(caption) for caption in told[::step])][:most])


def _fact(happening: Event | Incident, speed: float) -> Fact:
    return Fact(
        source="event" if isinstance(happening, Event) else "incident",
        id=happening.id,
        span=happening.span,
        text=happening.description,
        kind=happening.kind,
        objects=happening.objects,
        severity=happening.severity,
        clock=happening.clock,
        clock_s=_clock_s(happening, speed),
        positions=happening.positions,
    )


def _clock_s(happening: Event | Incident, speed: float) -> Span | None:
    """When it happened in seconds of the day: by the clock in the picture, else by the wall clock."""
    length_s = happening.span.duration_s * speed
    if happening.clock:
        hours, minutes, seconds = (float(part) for part in happening.clock.split(":"))
        start_s = hours * 3600 + minutes * 60 + seconds
        # A burnt-in clock shows whole seconds.
        return Span(start_s, start_s + max(length_s, 1.0))
    if happening.start_at:
        midnight = happening.start_at.replace(hour=0, minute=0, second=0, microsecond=0)
        start_s = (happening.start_at - midnight) / dt.timedelta(seconds=1)
        return Span(start_s, start_s + length_s)
    return None


def _media_window(window: Window | None, facts: Iterable[Fact], speed: float) -> Window | None:
    """The window in media time. A time like 00:00:28 means the clock where one is known, else the player's time."""
    if window is None or not window.is_clock:
        return window
    known = next((fact for fact in facts if fact.clock_s), None)
    if known is None or known.clock_s is None:
        return replace(window, is_clock=False)
    zero_s, at_zero_s = known.clock_s.start_s, known.span.start_s
    return replace(
        window,
        start_s=at_zero_s + (window.start_s - zero_s) / speed,
        end_s=at_zero_s + (window.end_s - zero_s) / speed,
        is_clock=False,
    )


def _fits(fact: Fact, asked: Asked, media_window: Window | None) -> bool:
    return (
        (not asked.kinds or fact.kind in asked.kinds)
        and _has_objects(fact, asked)
        and _in_window(fact, asked.window, media_window)
    )


def _has_objects(fact: Fact, asked: Asked) -> bool:
    if not asked.objects:
        return True
    held = asked.objects & set(fact.objects)
    return bool(held) if asked.any_object else held == asked.objects


def _in_window(fact: Fact, window: Window | None, media_window: Window | None) -> bool:
    if window is None or media_window is None:
        return True
    # A clock that was read beats one that is reckoned from a neighbour's.
    if window.is_clock and fact.clock_s:
        return window.meets(fact.clock_s.start_s, fact.clock_s.end_s)
    return media_window.meets(fact.span.start_s, fact.span.end_s)


def _caption_fact(caption: Caption) -> Fact:
    return Fact("caption", str(caption.chunk.index), caption.chunk.span, _told(caption))


def _told(caption: Caption) -> str:
    """What a caption says in words."""
    if caption.verdict is None:
        return ""
    claims = (claim.description for claim in caption.verdict.claims)
    return " ".join(dict.fromkeys(part for part in (caption.verdict.summary, *claims) if part))


def _sharing_words(asked: Asked, captions: Sequence[Fact]) -> Sequence[Fact]:
    """Captions that share words with the question, those that share the rarest ones first."""
    stems = [_stems(words(fact.text)) for fact in captions]
    spread = Counter(stem for each in stems for stem in each)
    wanted = _stems(asked.words)
    scores = [sum(1.0 / spread[stem] for stem in each & wanted) for each in stems]
    ranked = sorted(zip(scores, captions, strict=True), key=lambda pair: (-pair[0], pair[1].span.start_s))
    return [fact for score, fact in ranked[:MOST_CAPTIONS] if score > 0]


def _stems(found: Iterable[str]) -> frozenset[str]:
    return frozenset(_stem(word) for word in found)


def _stem(word: str) -> str:
    if not word.isascii():
        return word[:_STEM]
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) > len(ending) + _STEM:
            return word.removesuffix(ending)
    return word


def _judged_s(job: Job, captions: Sequence[Caption]) -> float | None:
    if job.chunk_count is not None and job.judged_chunks >= job.chunk_count:
        return None
    ends = [c.chunk.span.end_s for c in captions if c.chunk.index < job.judged_chunks]
    return max(ends, default=0.0)
