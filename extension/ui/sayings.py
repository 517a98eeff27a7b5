"""Times, places and spans in words for people. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from extension.ui.words import Words
from extension.wire import Happening, PositionOut

_TENTHS_PER_MINUTE = 600
_TENTHS_PER_HOUR = 36_000
_FEW_S, _MINUTE_S = 10.0, 60
# Key of the words, the unit, and the smaller one told beside it; seconds, largest first.
_UNITS = (("span_d", 86_400, 3_600), ("span_h", 3_600, 60), ("span_min", 60, 1))


def media_time(seconds: float) -> str:
    """Media seconds as m:ss.s, from an hour on as h:mm:ss.s."""
    tenths = round(max(0.0, seconds) * 10)
    minutes, rest = divmod(tenths, _TENTHS_PER_MINUTE)
    if tenths >= _TENTHS_PER_HOUR:
        return f"{minutes // 60}:{minutes % 60:02d}:{rest / 10:04.1f}"
    return f"{minutes}:{rest / 10:04.1f}"


def media_span(start_s: float, end_s: float) -> str:
    """Both ends of a span."""
    return f"{media_time(start_s)}\N{EN DASH}{media_time(end_s)}"


def instant(at: dt.datetime) -> str:
    """A wall-clock instant in UTC, to the second."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def time_of_day(at: dt.datetime) -> str:
    """A wall-clock instant's time in UTC, to the second."""
    return at.astimezone(dt.UTC).strftime("%H:%M:%S")


def lasting(seconds: float, words: Words) -> str:
    """How long something took, in its two largest units; below a minute to a tenth of a second where that says more."""
    whole = round(max(0.0, seconds))
    if whole < _MINUTE_S:
        return words["span_s"].format(a=f"{seconds:.1f}" if 0 < seconds < _FEW_S else whole)
    key, unit_s, part_s = next(unit for unit in _UNITS if whole >= unit[1])
    return words[key].format(a=whole // unit_s, b=whole % unit_s // part_s)


def places(positions: Iterable[PositionOut]) -> list[str]:
    """Each object with its place on the ground plane."""
    return [f"{p.objid}: ({p.x:.4g}, {p.z:.4g})" for p in positions]


def objects(names: Sequence[str]) -> str:
    """Names of objects in a row."""
    return " · ".join(names)


def any_clock(happenings: Iterable[Happening]) -> bool:
    """Whether one of them knows the clock in the picture."""
    return any(happening.clock for happening in happenings)


def any_place(happenings: Iterable[Happening]) -> bool:
    """Whether one of them knows where it was."""
    return any(happening.positions for happening in happenings)
