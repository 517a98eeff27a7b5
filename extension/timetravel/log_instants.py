"""Many timestamps at once: the same instants as the strict reader's, by arithmetic on digits instead of text by text."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.errors import BadTrajectory
from extension.timetravel.log_rows import instant_us
from extension.timetravel.trajectory import EPOCH, Micros, micros

_MINUTE_US: Final = 60_000_000
_SECOND_US: Final = 1_000_000
_WHOLE_MINUTES_SINCE: Final = 1973
"""From this year on every zone's offset is a whole number of minutes (the last other one, Monrovia's, went in 1972)."""

_MINUTE: Final = "dddd-dd-dd?dd:dd"
_SHAPE: Final = f"{_MINUTE}:dd?dddddd"
_SHORTEST, _BARE, _LONGEST = 21, 19, 26

Bytes = npt.NDArray[np.uint8]


def instants_us(texts: Bytes, tz: dt.tzinfo) -> Micros | None:
    """Instants of timestamps of one length that state no zone.

    Args:
        texts: Shape (n, length), uint8, ASCII.
        tz: Their zone.

    Returns:
        Shape (n,), int64, microseconds since 1970 UTC; None where these are not plain timestamps, each `YYYY-MM-DD HH:MM:SS`
        with at most six decimals: the strict reader then says what they are.
    """
    length = texts.shape[1]
    if not (length == _BARE or _SHORTEST <= length <= _LONGEST) or not _shaped(texts):
        return None
    digits = texts.astype(np.int64) - ord("0")
    seconds = digits[:, 17] * 10 + digits[:, 18]
    if (seconds >= 60).any():  # noqa: PLR2004 - seconds in a minute
        return None
    minutes = _minutes_us(texts, digits, tz)
    if minutes is None:
        return None
    decimals = digits[:, 20:length] @ (10 ** np.arange(5, 25 - length, -1, dtype=np.int64))
    found: Micros = minutes + seconds * _SECOND_US + decimals
    return found


def local_us(naive_us: Micros, tz: dt.tzinfo) -> Micros:
    """Instants of clock readings in a zone, both in microseconds since 1970-01-01 00:00 (of the zone, and UTC); shapes (n,)."""
    minutes, place = np.unique(naive_us // _MINUTE_US, return_inverse=True)
    naive_epoch = EPOCH.replace(tzinfo=tz)
    starts = [micros(naive_epoch + dt.timedelta(minutes=int(minute))) for minute in minutes]
    at_us: Micros = np.array(starts, dtype=np.int64)[place] + naive_us % _MINUTE_US
    return at_us


def _shaped(texts: Bytes) -> bool:
    """Whether digits and signs stand where they must, and the years are recent."""
    shape = _SHAPE[: texts.shape[1]]
    is_digit = (texts >= ord("0")) & (texts <= ord("9"))
    if not is_digit[:, [i for i, sign in enumerate(shape) if sign == "d"]].all():
        return False
    if not all((texts[:, i] == ord(sign)).all() for i, sign in enumerate(shape) if sign in "-:"):
        return False
    joints, points = texts[:, 10], texts[:, 19:20]
    if not np.isin(joints, (ord(" "), ord("T"))).all() or not np.isin(points, (ord("."), ord(","))).all():
        return False
    years = (texts[:, :4].astype(np.int64) - ord("0")) @ np.array((1000, 100, 10, 1))
    return bool((years >= _WHOLE_MINUTES_SINCE).all())


def _minutes_us(texts: Bytes, digits: npt.NDArray[np.int64], tz: dt.tzinfo) -> Micros | None:
    """The instant at which each text's minute begins; None where there is no such minute."""
    places = [i for i, sign in enumerate(_MINUTE) if sign == "d"]
    keys = digits[:, places] @ (10 ** np.arange(len(places) - 1, -1, -1, dtype=np.int64))
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    try:
        starts = [
            instant_us(texts[i, : len(_MINUTE)].tobytes().decode("ascii") + ":00", "", tz) for i in first
        ]
    except BadTrajectory:
        return None
    minutes: Micros = np.array(starts, dtype=np.int64)[place]
    return minutes
