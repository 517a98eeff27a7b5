"""Finds times in a question: "after 30 s", "between 00:00:28 and 00:00:35", "1분 20초 이후". Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

# Bounded, so that no run of digits takes long to read.
_NUMBER = r"\d{1,9}(?:\.\d{1,6})?"
_SECONDS = r"(?:seconds?|secs?|s\b|초)"
_MINUTES = r"(?:minutes?|mins?|분)"
_HOURS = r"(?:hours?|hrs?|시간)"
# The first number of a range borrows the unit of the second: "10-20 s", "between 10 and 20 seconds", "10~20초".
_BORROWED = re.compile(
    rf"(?:(?P<word>\b(?:between|from)\s+)(?P<a>{_NUMBER})\s*(?:and|to|until|till)"
    rf"|(?P<b>{_NUMBER})\s*(?:-|\N{{EN DASH}}|~|에서|부터))\s*(?={_NUMBER}\s*(?P<unit>{_SECONDS}|{_MINUTES}))",
    re.IGNORECASE,
)
_MOMENT = re.compile(
    rf"(?P<clock>\b\d{{1,2}}:[0-5]\d:[0-5]\d(?:\.\d+)?)"
    rf"|(?P<colon>\b\d{{1,3}}:[0-5]\d)(?![:\d])"
    rf"|(?P<ko_clock>\d{{1,2}}\s*시(?!간)(?:\s*\d{{1,2}}\s*분)?(?:\s*\d{{1,2}}\s*초)?)"
    rf"|(?P<length>(?:{_NUMBER}\s*{_HOURS}\s*)?(?:{_NUMBER}\s*{_MINUTES}\s*(?:and\s+)?)?{_NUMBER}\s*{_SECONDS}"
    rf"|(?:{_NUMBER}\s*{_HOURS}\s*)?{_NUMBER}\s*{_MINUTES})"
    rf"|(?P<one>\b(?:the\s+first|the\s+last|first|last)\s+(?P<unit>minute|hour)\b)",
    re.IGNORECASE,
)
_M = r"⟦(\d+)⟧"
# Relations in order: what names two moments goes before what names one.
_RELATIONS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "between",
        re.compile(
            rf"{_M}\s*(?:부터|에서|와|과|and|to|until|till|through|-|\N{{EN DASH}}|~|,)\s*{_M}", re.IGNORECASE
        ),
    ),
    (
        "head",
        re.compile(rf"(?:\b(?:first|opening)\s+|(?:처음|첫|초반)\s*){_M}(?:\s*(?:동안|간))?", re.IGNORECASE),
    ),
    ("tail", re.compile(rf"(?:\b(?:last|final)\s+|마지막\s*){_M}(?:\s*(?:동안|간))?", re.IGNORECASE)),
    (
        "after",
        re.compile(
            rf"(?:\b(?:after|since|past|from)\s+){_M}|{_M}\s*(?:이후|후|뒤|지나|부터|onwards?)", re.IGNORECASE
        ),
    ),
    (
        "before",
        re.compile(rf"(?:\b(?:before|until|till|by|up\s+to)\s+){_M}|{_M}\s*(?:이전|전|까지)", re.IGNORECASE),
    ),
    ("at", re.compile(rf"(?:\b(?:at|around|about|near)\s+)?{_M}", re.IGNORECASE)),
)
# "At 31 s" also means what a person pressing pause would call 31 s.
AT_SLACK_S = 1.0
_MINUTE_S, _HOUR_S = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Window:
    """A span that a question names.

    Attributes:
        start_s: Seconds of media time, or of the day where `is_clock`.
        end_s: Likewise; infinity where the question names no end.
        is_clock: Whether it was named as clock text (HH:MM:SS).
        at: The question named one moment, which the window surrounds.
    """

    start_s: float
    end_s: float
    is_clock: bool = False
    at: bool = False

    def meets(self, start_s: float, end_s: float) -> bool:
        """Whether something that lasts from `start_s` to `end_s` lies in the window, in part at least."""
        return start_s < self.end_s and (end_s > self.start_s or start_s == end_s == self.start_s)


def find(text: str, media_s: float | None) -> tuple[Window | None, str]:
    """The window that a question names, if any, and the question without it.

    Args:
        text: The question.
        media_s: Length of the source in seconds, for "the last 10 seconds".
    """
    marked, moments = _marked(_BORROWED.sub(_lend, re.sub("[⟦⟧]", " ", text)))
    if not moments:
        return None, text
    for name, pattern in _RELATIONS:
        match = pattern.search(marked)
        if match:
            named = [moments[int(number)] for number in match.groups() if number is not None]
            rest = re.sub(_M, " ", marked[: match.start()] + " " + marked[match.end() :])
            return _window(name, named, media_s), rest
    return None, text


def _lend(match: re.Match[str]) -> str:
    number, unit = match["a"] or match["b"], match["unit"]
    end = match.end("a") if match["a"] else match.end("b")
    after = match.string[end : match.end()]
    return f"{match['word'] or ''}{number} {unit}{'' if after.startswith(' ') else ' '}{after}"


def _marked(text: str) -> tuple[str, list[tuple[float, bool]]]:
    """The text with each moment replaced by its number in brackets, and the moments as (seconds, is clock)."""
    moments: list[tuple[float, bool]] = []

    def mark(match: re.Match[str]) -> str:
        moments.append(_moment(match))
        word = (
            "last " if match["one"] and "last" in match["one"].lower() else "first " if match["one"] else ""
        )
        return f" {word}⟦{len(moments) - 1}⟧ "

    return re.sub(r"\s+", " ", _MOMENT.sub(mark, text)), moments


def _moment(match: re.Match[str]) -> tuple[float, bool]:
    if match["clock"] or match["colon"]:
        parts = [float(part) for part in match[0].split(":")]
        return sum(part * _MINUTE_S**power for power, part in enumerate(reversed(parts))), bool(
            match["clock"]
        )
    if match["ko_clock"]:
        numbers = [float(n) for n in re.findall(r"\d+", match[0])]
        return sum(n * unit for n, unit in zip(numbers, (_HOUR_S, _MINUTE_S, 1.0), strict=False)), True
    if match["one"]:
        return (_MINUTE_S if match["unit"].lower() == "minute" else _HOUR_S), False
    return _length_s(match["length"]), False


def _length_s(text: str) -> float:
    seconds = 0.0
    for unit, factor in ((_HOURS, _HOUR_S), (_MINUTES, _MINUTE_S), (_SECONDS, 1.0)):
        found = re.search(rf"({_NUMBER})\s*{unit}", text, re.IGNORECASE)
        seconds += float(found[1]) * factor if found else 0.0
    return seconds


def _window(relation: str, moments: list[tuple[float, bool]], media_s: float | None) -> Window:
    seconds = [second for second, _ in moments]
    is_clock = any(clock for _, clock in moments)
    first_s = seconds[0]
    if relation == "between":
        return Window(min(seconds), max(seconds), is_clock)
    if relation == "head":
        return Window(0.0, first_s)
    if relation == "tail":
        return Window(max(0.0, (media_s or math.inf) - first_s) if media_s else 0.0, math.inf)
    if relation == "after":
        return Window(first_s, math.inf, is_clock)
    if relation == "before":
        return Window(0.0, first_s, is_clock)
    return Window(first_s - AT_SLACK_S, first_s + AT_SLACK_S, is_clock, at=True)
