"""The written summary: what both languages share, and the page that the sentences make. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from extension.model import Span
from extension.timetravel.summary import Moment, Summary

MOST_LINES: Final = 200
"""A written summary lists at most this many moments, the worst ones; the event list holds all."""

MOST_SPANS: Final = 5
"""At most this many spans that could not be judged are named in a sentence."""

_TENTHS_PER_MINUTE: Final = 600
_DAY: Final = dt.timedelta(days=1)
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Written:
    """A summary in words.

    Attributes:
        title: One line.
        sentences: What there is to say, paragraph by paragraph, the most important first.
        list_title: Heading of the list.
        lines: The moments, one line each, with their numbers.
    """

    title: str
    sentences: tuple[str, ...]
    list_title: str
    lines: tuple[tuple[int, str], ...]

    def markdown(self) -> str:
        """The whole page. What a VLM or a file name says stays text."""
        parts = [f"# {plain(self.title)}", *(plain(sentence) for sentence in self.sentences)]
        if self.lines:
            parts += [
                f"## {self.list_title}",
                "\n".join(f"{number}. {plain(line)}" for number, line in self.lines),
            ]
        return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def media_time(seconds: float) -> str:
    """Media seconds as m:ss.s, from an hour on as h:mm:ss.s."""
    tenths = round(max(0.0, seconds) * 10)
    minutes, rest = divmod(tenths, _TENTHS_PER_MINUTE)
    if minutes < 60:  # noqa: PLR2004 - minutes of an hour
        return f"{minutes}:{rest / 10:04.1f}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest / 10:04.1f}"


def at_text(summary: Summary, at: dt.datetime) -> str:
    """An instant in the summary's zone: its clock, with the date before it where the summary touches several days."""
    local = at.astimezone(summary.tz)
    return f"{local:%Y-%m-%d %H:%M:%S}" if many_days(summary) else f"{local:%H:%M:%S}"


def many_days(summary: Summary) -> bool:
    """Whether the recorded world's date changes within the summary."""
    coverage = summary.coverage
    instants = [moment.start_at for moment in summary.moments if moment.start_at]
    instants += [at for at in (coverage.shown_from_at, coverage.shown_to_at) if at]
    return len({at.astimezone(summary.tz).date() for at in instants}) > 1


def when(summary: Summary, moment: Moment) -> str:
    """When a moment began, by the best clock there is: the recorded world's, the one in the picture, else media time."""
    if moment.start_at:
        return at_text(summary, moment.start_at)
    return moment.clock or media_time(moment.span.start_s)


def zone_name(summary: Summary) -> str:
    """Name of the zone that times are told in."""
    return str(getattr(summary.tz, "key", None) or summary.tz)


def shown_days(summary: Summary) -> tuple[str, str] | None:
    """First and last instant that the video shows, the date only where it is new."""
    first, last = summary.coverage.shown_from_at, summary.coverage.shown_to_at
    if first is None or last is None:
        return None
    start, end = first.astimezone(summary.tz), last.astimezone(summary.tz)
    same_day = start.date() == end.date() and end - start < _DAY
    return f"{start:%Y-%m-%d %H:%M:%S}", f"{end:%H:%M:%S}" if same_day else f"{end:%Y-%m-%d %H:%M:%S}"


def place_text(place: tuple[float, float]) -> tuple[str, str]:
    """A place of the log (centimetres) in metres, x and z, to a tenth."""
    x, z = (f"{centimetres / 100:.1f}" for centimetres in place)
    return x.replace("-0.0", "0.0"), z.replace("-0.0", "0.0")


def spans_text(spans: Sequence[Span]) -> tuple[tuple[str, str], ...]:
    """The first spans, neighbours joined, as pairs of media times."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start_s):
        if joined and span.start_s <= joined[-1].end_s + 1e-6:
            joined[-1] = Span(joined[-1].start_s, max(joined[-1].end_s, span.end_s))
        else:
            joined.append(span)
    return tuple((media_time(span.start_s), media_time(span.end_s)) for span in joined)


def told(description: str) -> str:
    """What a VLM said, on one line and not too long."""
    line = " ".join(description.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def listed(summary: Summary, worst_first: Iterable[Moment]) -> tuple[Moment, ...]:
    """The moments that the list names: all, or the worst of very many, by time."""
    if len(summary.moments) <= MOST_LINES:
        return summary.moments
    kept = sorted(list(worst_first)[:MOST_LINES], key=lambda moment: moment.number)
    return tuple(kept)


def seen_in_video(moment: Moment) -> bool:
    """Whether the video shows the moment; what only the log told lies at an end of it and has no length."""
    return moment.span.duration_s > 0
