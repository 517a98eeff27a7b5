"""The written summary in English. Pure: puts a summary into sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from extension.model import Kind, Severity
from extension.timetravel.summary import Busy, Coverage, Moment, Summary, badness
from extension.timetravel.summary_text import (
    MOST_SPANS,
    Written,
    at_text,
    listed,
    media_time,
    place_text,
    seen_in_video,
    shown_days,
    spans_text,
    told,
    when,
    zone_name,
)

_NOUNS: Final = {
    Kind.COLLISION: ("collision", "collisions"),
    Kind.FALL: ("fall", "falls"),
    Kind.FIRE: ("fire", "fires"),
    Kind.SMOKE: ("case of smoke", "cases of smoke"),
    Kind.INTRUSION: ("intrusion", "intrusions"),
    Kind.ENTRAPMENT: ("entrapment", "entrapments"),
    Kind.SPILL: ("spill", "spills"),
    Kind.NEAR_MISS: ("near miss", "near misses"),
    Kind.OTHER: ("other incident", "other incidents"),
}
_DEEDS: Final = {
    Kind.COLLISION: (2, "collided"),
    Kind.NEAR_MISS: (2, "nearly collided"),
    Kind.FALL: (1, "fell"),
}
_SEVERITIES: Final = {
    Severity.SAFE: "safe",
    Severity.WARN: "warning",
    Severity.DANGER: "danger",
    Severity.EXTREME: "extreme",
}


def write(summary: Summary) -> Written:
    """The summary in words."""
    ranked = sorted(summary.moments, key=badness)
    lines = tuple((moment.number, _line(summary, moment)) for moment in listed(summary, ranked))
    cut = f" (the {len(lines)} worst of {len(summary.moments)})" if len(lines) < len(summary.moments) else ""
    return Written(
        title=f"Summary of {summary.name}",
        sentences=tuple(_sentences(summary)),
        list_title=f"Moments{cut}",
        lines=lines,
    )


def caption(summary: Summary, moment: Moment) -> str:
    """One moment in a few words, for a caption bar: "2/7 · 00:00:28 · 1 and 4 · 73 cm"."""
    parts = [f"{moment.number}/{len(summary.moments)}", when(summary, moment), together(moment.objects)]
    parts.append(
        _NOUNS[moment.kind][0] if moment.closest_cm is None else f"{moment.closest_cm:.0f} cm{_kind(moment)}"
    )
    return " · ".join(filter(None, parts))


def sentence(summary: Summary, moment: Moment) -> str:
    """One moment as a sentence."""
    at = when(summary, moment)
    number, deed = _DEEDS.get(moment.kind, (0, ""))
    if deed and len(moment.objects) >= number:
        return f"At {at}, {_called(moment.objects)} {deed}{_apart(moment)}."
    among = f" ({together(moment.objects)})" if moment.objects else ""
    return f"At {at} there was {_a(_NOUNS[moment.kind][0])}{among}{_apart(moment)}."


def together(names: Sequence[str]) -> str:
    """Names in a row: "1, 2 and 4"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def _called(names: Sequence[str]) -> str:
    """Names within a sentence: numbers are said to be objects."""
    called = ("objects " if len(names) > 1 else "object ") if all(map(str.isdecimal, names)) else ""
    return called + together(names)


def _sentence_start(text: str) -> str:
    return text[:1].upper() + text[1:]


def _kind(moment: Moment) -> str:
    """The kind, where it is not the one that distances are usually told of."""
    return "" if moment.kind is Kind.COLLISION else f" · {_NOUNS[moment.kind][0]}"


def _apart(moment: Moment) -> str:
    return "" if moment.closest_cm is None else f", {moment.closest_cm:.0f} cm between their centres"


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _sentences(summary: Summary) -> Iterator[str]:
    yield _found(summary)
    yield " ".join(_covered(summary))
    if worst := summary.worst_moment:
        if len(summary.moments) > 1:
            yield (
                f"The worst is No. {worst.number} ({_SEVERITIES[worst.severity]}). {sentence(summary, worst)}"
                " The worst has the highest severity; of equals, the smallest distance, then the longest, then the first."
            )
        else:
            yield sentence(summary, worst)
    yield from filter(None, (_involved(summary), _spots(summary), _busy(summary), _video(summary)))


def _found(summary: Summary) -> str:
    total = len(summary.moments)
    if not total:
        return _nothing(summary.coverage)
    kinds = together([_count(number, *_NOUNS[kind]) for kind, number in summary.kinds])
    severities = together([f"{number} {_SEVERITIES[severity]}" for severity, number in summary.severities])
    so_far = "" if summary.coverage.ended else " so far"
    if len(summary.kinds) == 1:
        return f"{kinds} {'was' if total == 1 else 'were'} found{so_far} ({severities})."
    return f"{total} moments were found{so_far}: {kinds} ({severities})."


def _nothing(coverage: Coverage) -> str:
    if not coverage.ended:
        return "Nothing has been found so far."
    if not coverage.judged and not (coverage.log_asked and not coverage.failed):
        return "Nothing is known about this video: no chunk of it was judged."
    if coverage.failed or (coverage.not_asked and not coverage.log_asked):
        return "Nothing was found in the chunks that were judged."
    return "Nothing was found."


def _covered(summary: Summary) -> Iterator[str]:
    coverage = summary.coverage
    if coverage.chunks is None:
        yield "The video has not been opened yet."
        return
    judged, total = coverage.judged, coverage.chunks
    which = (
        f"All {total} chunks" if judged == total > 1 else f"{judged} of {_count(total, 'chunk', 'chunks')}"
    )
    length = f" ({media_time(coverage.media_s)} of video)" if coverage.media_s is not None else ""
    yield f"{which} {'were' if total > 1 else 'was'} looked at and judged{length}."
    if shown := shown_days(summary):
        parts = f"{coverage.parts} parts of the time from " if coverage.parts > 1 else ""
        yield f"The video shows {parts}{shown[0]} to {shown[1]} ({zone_name(summary)})."
    if coverage.failed:
        codes = Counter(missed.code for missed in coverage.failed)
        why = ", ".join(f"{code} {number}" for code, number in sorted(codes.items()))
        where = _where(spans_text([missed.span for missed in coverage.failed]))
        failed = _count(len(coverage.failed), "chunk", "chunks")
        yield f"{failed} could not be judged ({why}): what happened {where} is not known."
    if coverage.not_asked:
        missing = _count(coverage.not_asked, "chunk", "chunks")
        where = _where(spans_text(coverage.not_asked_spans))
        one = coverage.not_asked == 1
        if coverage.ended:
            by_log = "; the log's coordinates were searched there" if coverage.log_asked else ""
            yield f"{missing} {'was' if one else 'were'} not shown to the VLM ({where}){by_log}."
        else:
            yield f"{missing} {'is' if one else 'are'} still to be looked at ({where})."


def _where(spans: Sequence[tuple[str, str]]) -> str:
    named = together([f"from {start} to {end}" for start, end in spans[:MOST_SPANS]])
    rest = len(spans) - MOST_SPANS
    return f"{named} and in {_count(rest, 'more span', 'more spans')}" if rest > 0 else named


def _involved(summary: Summary) -> str:
    if len(summary.moments) < 2 or not summary.objects:  # noqa: PLR2004 - of one moment everything is said
        return ""
    most = summary.objects[0][1]
    names = [name for name, number in summary.objects if number == most]
    if most < 2 or len(names) == len(summary.objects):  # noqa: PLR2004 - nobody stands out
        return ""
    each = " each" if len(names) > 1 else ""
    said = f"{_sentence_start(_called(names))} took part most often ({most} times{each})."
    together_most = summary.groups[0][1] if summary.groups else 0
    groups = [group for group, number in summary.groups if number == together_most]
    if together_most > 1 and len(groups) == 1:
        said += f" {_sentence_start(_called(groups[0]))} met most often ({together_most} times)."
    return said


def _spots(summary: Summary) -> str:
    if not summary.hot_spots:
        return ""
    spots = []
    for spot in summary.hot_spots:
        x, z = place_text((spot.x, spot.z))
        spots.append(f"around x {x} m, z {z} m ({spot.count})")
    one = len(spots) == 1
    return f"Most happened {spots[0]}." if one else f"Hot spots: {'; '.join(spots)}."


def _busy(summary: Summary) -> str:
    coverage = summary.coverage
    if not summary.busiest or len(summary.moments) == summary.busiest[0].count or not coverage.media_s:
        return ""
    minutes = [f"{_minute(summary, busy)} ({busy.count})" for busy in summary.busiest]
    return f"Busiest minute{'s' if len(minutes) > 1 else ''}: {together(minutes)}."


def _minute(summary: Summary, busy: Busy) -> str:
    if busy.start_at is None:
        return f"from {media_time(busy.start_s // 60 * 60)}"
    return at_text(summary, busy.start_at)[:-3]


def _video(summary: Summary) -> str:
    if not summary.moments or len(summary.shown) == len(summary.moments):
        return ""
    return f"The summary video shows the {len(summary.shown)} worst of {len(summary.moments)} moments."


def _line(summary: Summary, moment: Moment) -> str:
    who = f" of {together(moment.objects)}" if moment.objects else ""
    facts = [f"{when(summary, moment)}: {_NOUNS[moment.kind][0]}{who}"]
    if moment.closest_cm is not None:
        facts.append(f"{moment.closest_cm:.0f} cm apart")
    if moment.place:
        x, z = place_text(moment.place)
        facts.append(f"at x {x} m, z {z} m")
    facts.append(_SEVERITIES[moment.severity])
    facts.append(f"video {media_time(moment.span.start_s)}" if seen_in_video(moment) else "not in the video")
    said = f": {told(moment.description)}" if moment.description and moment.closest_cm is None else ""
    return f"{', '.join(facts)}{said}"
