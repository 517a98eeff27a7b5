"""What an operator says about a camera's place, on the wire: notes, and zones of the picture. Checked here for the API, the cameras' file and disk."""

from __future__ import annotations

import itertools
from typing import Annotated, Final, Self

from pydantic import Field, field_validator, model_validator

from extension.model import Brief, Origin, Zone
from extension.wire.form import Wire

MOST_NOTES: Final = 2000
MOST_ZONES: Final = 12
MOST_POINTS: Final = 20
MOST_NAME: Final = 40
MOST_LENGTH: Final = 3200
"""Characters that notes and zones take in a prompt, which has 5000 in all (VSS 2.4) and needs the rest for the question itself."""

_POINT_LENGTH: Final = 8
"""Characters that a corner takes in a prompt: two percentages, a comma and a blank."""
_ZONE_LENGTH: Final = 20
"""Characters around a zone's name and kind in a prompt."""
_LEAST_AREA: Final = 1e-4
"""Share of the picture that a zone covers at least: a hundredth of its width times a hundredth of its height."""

# Blanks inside, none around; no line breaks, quotes, brackets of markup, or characters that cannot be seen.
_UNFIT: Final = r'\u0000-\u001f"`<>{}\\\u007f-\u00a0\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff'
_SIMPLE: Final = rf"^[^ {_UNFIT}]([^{_UNFIT}]*[^ {_UNFIT}])?$"

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Word = Annotated[str, Field(min_length=1, max_length=MOST_NAME, pattern=_SIMPLE)]


class ZoneIO(Wire):
    """A part of a camera's picture."""

    name: Word = Field(description="Unique for the camera", examples=["Press 3"])
    kind: Word = Field(description="What it is, in free words", examples=["no entry"])
    points: list[tuple[Share, Share]] = Field(
        min_length=3,
        max_length=MOST_POINTS,
        description="Corners in order, as shares of width and height from the top left",
        examples=[[[0.1, 0.2], [0.4, 0.2], [0.4, 0.9]]],
    )

    @field_validator("points")
    @classmethod
    def _encloses(cls, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        if _area(points) < _LEAST_AREA:
            raise ValueError("the corners enclose nothing: they lie on one line, or the sides cross")
        return points

    @classmethod
    def of(cls, zone: Zone) -> ZoneIO:
        """The wire form of a zone."""
        return cls(name=zone.name, kind=zone.kind, points=list(zone.points))

    def zone(self) -> Zone:
        """The zone."""
        return Zone(self.name, self.kind, tuple(self.points))


class BriefIn(Wire):
    """What is to be said of a camera's place; it takes the place of all that was said before."""

    notes: str = Field(
        default="",
        max_length=MOST_NOTES,
        description="What the VLM should know about the place, in free words",
    )
    zones: list[ZoneIO] = Field(default=[], max_length=MOST_ZONES)

    @field_validator("notes")
    @classmethod
    def _readable(cls, notes: str) -> str:
        if any(not (letter.isprintable() or letter in "\n\r\t") for letter in notes):
            raise ValueError("holds characters that cannot be seen")
        return notes.strip()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [zone.name for zone in self.zones]
        if len(set(names)) < len(names):
            raise ValueError("two zones have one name")
        length = len(self.notes) + sum(map(_length, self.zones))
        if length > MOST_LENGTH:
            raise ValueError(
                f"notes and zones together take {length} characters of a prompt and may take {MOST_LENGTH}: "
                "shorten the notes, or draw with fewer corners"
            )
        return self

    def brief(self) -> Brief:
        """The brief."""
        return Brief(self.notes, tuple(zone.zone() for zone in self.zones))


class BriefOut(Wire):
    """What is said of a camera's place, and where that comes from."""

    notes: str
    zones: list[ZoneIO]
    origin: Origin = Field(
        description="file: the cameras' file; page: saved over the API, which wins until it is deleted"
    )

    @classmethod
    def of(cls, brief: Brief, origin: Origin) -> BriefOut:
        """The wire form of a brief."""
        return cls(notes=brief.notes, zones=[ZoneIO.of(zone) for zone in brief.zones], origin=origin)


def _length(zone: ZoneIO) -> int:
    """Characters that a zone takes in a prompt, at most."""
    return _ZONE_LENGTH + len(zone.name) + len(zone.kind) + _POINT_LENGTH * len(zone.points)


def _area(points: list[tuple[float, float]]) -> float:
    """Share of the picture inside the corners."""
    around = itertools.pairwise([*points, points[0]])
    return abs(sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in around)) / 2
