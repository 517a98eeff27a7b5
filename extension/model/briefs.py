"""What an operator says about the place that a camera looks at."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass


class Origin(enum.StrEnum):
    """Where a camera's brief comes from: the cameras' file, or the page (over the API), which wins."""

    FILE = "file"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of a camera's picture.

    Attributes:
        name: What the operator calls it.
        kind: What it is, in free words ("no entry", "walkway").
        points: Its corners in order, as shares of width and height (0..1) from the top left; at least three.
    """

    name: str
    kind: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Brief:
    """What is said of a camera's place: notes in free words, and zones of the picture."""

    notes: str = ""
    zones: tuple[Zone, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One recorded picture of a camera as a JPEG file, and the instant that it shows."""

    jpeg: bytes
    at: dt.datetime
