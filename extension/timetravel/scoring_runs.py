"""What an evaluation is made of: a truth, the answers of one run, and the log's clock between them. Pure; reads no file."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from extension.timetravel.evaluation import Occurrence, pairs
from extension.timetravel.trajectory import label_of, label_order

MERGE_S: Final = 0.5
"""Reports of the same objects no further apart than this (log seconds) are one contact: a chunk border lies between them."""

BASE_AT: Final = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
"""The predecessor writes this date into all its files, whatever the log says."""

_CLOCK_S: Final = 1.0 - 1e-6
"""How long a moment lasts that is named by a clock of whole seconds: that second, its end left out."""

_DAY_S: Final = 86_400
_EARLY_S: Final = 3_600
"""A clock may show up to an hour before the log's start before it is taken for the next day's."""

_CLOCK: Final = re.compile(r"(\d{1,2}):(\d\d):(\d\d)(?:[.,]\d+)?", re.ASCII)
_HOURS: Final = 24
_SIXTY: Final = 60

Second = tuple[int, tuple[str, ...]]
"""A whole second since the one in which the log begins, and who was in contact in it."""


@dataclass(frozen=True, slots=True)
class LogClock:
    """Turns what a clock shows into seconds of the log.

    Attributes:
        start_at: The log's first instant.
        tz: Zone that the clock shows.
    """

    start_at: dt.datetime
    tz: dt.tzinfo = dt.UTC

    @property
    def fraction_s(self) -> float:
        """How far into its clock second the log begins."""
        return self.start_at.microsecond / 1e6

    def second_of(self, text: str, near_s: float | None = None) -> int | None:
        """The whole second of the log at which the clock shows "HH:MM:SS"; None when the text is no time of day.

        Args:
            text: What the clock shows.
            near_s: Log second that the moment is known to be near, for logs of several days.
        """
        parts = _CLOCK.fullmatch(text.strip())
        if parts is None:
            return None
        hours, minutes, seconds = (int(part) for part in parts.groups())
        if hours >= _HOURS or minutes >= _SIXTY or seconds >= _SIXTY:
            return None
        start = self.start_at.astimezone(self.tz)
        since = hours * 3600 + minutes * 60 + seconds - (start.hour * 3600 + start.minute * 60 + start.second)
        if near_s is not None:
            return since + _DAY_S * round((near_s - since) / _DAY_S)
        return since + _DAY_S if since < -_EARLY_S else since

    def seconds_to(self, at: dt.datetime) -> float:
        """Log seconds to an instant; one without a zone is in the clock's."""
        return ((at if at.tzinfo else at.replace(tzinfo=self.tz)) - self.start_at).total_seconds()

    def during(self, second: int, objects: Iterable[str]) -> Occurrence:
        """A contact known to a whole clock second only."""
        start_s = second - self.fraction_s
        return Occurrence(start_s, start_s + _CLOCK_S, tuple(objects))


@dataclass(frozen=True, slots=True)
class Truth:
    """What truly happened in one log.

    Attributes:
        name: File name, for people.
        source: What the contacts were computed or read from, for people.
        contacts: In log seconds since the clock's start; objects by label.
        seconds: The same by whole seconds, for the predecessor's rule.
        clock: The log's clock.
        duration_s: Length of the log; None where the file does not tell.
        threshold_cm: Distance that counts as contact; None where the file does not tell.
        labels: Label by objid where the log tells; others follow the numbers in their ids.
        warnings: What was odd yet could be used, one sentence each.
    """

    name: str
    source: str
    contacts: tuple[Occurrence, ...]
    seconds: tuple[Second, ...]
    clock: LogClock
    duration_s: float | None = None
    threshold_cm: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def label(self, name: str) -> str:
        """The label of an object by whatever name an answer uses: "obj001", "01" and "1" are one."""
        return self.labels.get(name) or label_of(name.strip())


@dataclass(frozen=True, slots=True)
class Unread:
    """An answer that could not be used: where it stands, and why. It is a failure, never "nothing happened"."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What one run reported about one video.

    Attributes:
        name: File name, for people.
        shape: Which kind of file it was.
        model: Who answered; None where nothing tells.
        video: Stem of the video's name; None where nothing tells.
        run: What tells runs of one model and video apart.
        reports: Contacts in log seconds, one each.
        seconds: The same by whole seconds as the file has them, for the predecessor's rule.
        answered: Answers (chunks) asked for; None where the file keeps no such count.
        unread: Answers that could not be used.
        execution_s: How long the run took, where the file tells.
        media_s: Length of the video, where the file tells.
        latencies_s: Of the single answers, where the file tells.
        warnings: What was odd, one sentence each.
    """

    name: str
    shape: str
    model: str | None
    video: str | None
    run: str
    reports: tuple[Occurrence, ...]
    seconds: tuple[Second, ...]
    answered: int | None = None
    unread: tuple[Unread, ...] = ()
    execution_s: float | None = None
    media_s: float | None = None
    latencies_s: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()


def merged(reports: Iterable[Occurrence], gap_s: float = MERGE_S) -> tuple[Occurrence, ...]:
    """Reports of the same objects that touch, overlap or lie at most `gap_s` apart, as one; groups as their pairs; by time.

    This makes contacts out of seconds, and one report out of its echoes in neighbouring chunks.
    """
    by_objects: dict[tuple[str, ...], list[Occurrence]] = defaultdict(list)
    for report in pairs(reports):
        spans = by_objects[report.objects]
        if spans and report.start_s - spans[-1].end_s <= gap_s:
            last = spans.pop()
            report = Occurrence(last.start_s, max(last.end_s, report.end_s), report.objects)  # noqa: PLW2901 - grown
        spans.append(report)
    found = (span for spans in by_objects.values() for span in spans)
    return tuple(sorted(found, key=lambda o: (o.start_s, o.end_s, [label_order(name) for name in o.objects])))


def from_seconds(seconds: Iterable[Second], clock: LogClock) -> tuple[Occurrence, ...]:
    """Contacts out of whole seconds: neighbouring seconds of the same pair are one contact."""
    return merged(clock.during(second, objects) for second, objects in seconds)
