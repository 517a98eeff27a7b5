"""What is to be cut for an incident: the span of its clip, the instant of its snapshot, and which clips share one pass. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from extension.model import Event, Incident, Span


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept of an incident.

    Attributes:
        before_s: Media seconds before the onset.
        after_s: Media seconds after the end.
        longest_s: A clip that would be longer ends early; above `before_s`.
        clip_bytes: A clip is smaller; 50 MB is the most that Telegram's bots may send.
        snapshot_bytes: A snapshot is no larger; 10 MB is the most that Telegram takes as a photo.
        width: A wider picture is made smaller in the clip, pixels.
        height: A higher picture is made smaller in the clip, pixels.
        incidents: Of more incidents, only the worst get evidence.
    """

    before_s: float = 5.0
    after_s: float = 5.0
    longest_s: float = 60.0
    clip_bytes: int = 50_000_000
    snapshot_bytes: int = 10_000_000
    width: int = 1920
    height: int = 1080
    incidents: int = 200

    def __post_init__(self) -> None:
        if self.before_s < 0 or self.after_s < 0 or self.longest_s <= self.before_s:
            raise ValueError("before_s and after_s must be at least 0, longest_s above before_s")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be cut for one incident.

    Attributes:
        incident_id: Whose it is.
        span: Of the clip, media seconds of the source.
        snapshot_s: Instant of the deciding frame.
        cut_short: Whether the incident lasts longer than a clip may.
    """

    incident_id: str
    span: Span
    snapshot_s: float
    cut_short: bool


def wanted(incident: Incident, events: Iterable[Event], source: Span, limits: Limits) -> Wanted | None:
    """What to cut for an incident; None when the video shows nothing of it.

    The clip is clamped to the source. The deciding frame is the one at the start of the first event that a chunk shows.

    Args:
        incident: The incident.
        events: Its events.
        source: From where to where the source reaches.
        limits: How much is kept.
    """
    starts = [event.span.start_s for event in events if event.chunk_index >= 0]
    if not starts:
        return None
    onset_s = min(max(incident.span.start_s, source.start_s), source.end_s)
    start_s = max(source.start_s, onset_s - limits.before_s)
    end_s = min(source.end_s, max(incident.span.end_s, onset_s) + limits.after_s)
    cut_short = end_s - start_s > limits.longest_s
    end_s = start_s + limits.longest_s if cut_short else end_s
    if end_s <= start_s:
        return None
    return Wanted(
        incident.id,
        Span(round(start_s, 6), round(end_s, 6)),
        min(max(min(starts), start_s), end_s),
        cut_short,
    )


def passes(wishes: Iterable[Wanted]) -> tuple[tuple[Wanted, ...], ...]:
    """Wishes whose clips overlap are cut in one pass over the source; each pass by time."""
    groups: list[list[Wanted]] = []
    reached_s = 0.0
    for wish in sorted(wishes, key=lambda wish: (wish.span.start_s, wish.span.end_s, wish.incident_id)):
        if groups and wish.span.start_s < reached_s:
            groups[-1].append(wish)
            reached_s = max(reached_s, wish.span.end_s)
        else:
            groups.append([wish])
            reached_s = wish.span.end_s
    return tuple(map(tuple, groups))


def chosen(incidents: Sequence[Incident], limits: Limits) -> frozenset[str]:
    """Ids of the incidents that get evidence: all, or the worst, earlier ones first."""
    worst = sorted(incidents, key=lambda i: (-i.severity.rank, i.span.start_s, i.id))
    return frozenset(incident.id for incident in worst[: limits.incidents])
