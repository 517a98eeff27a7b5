"""How a replay looks and how it is encoded: every choice that the drawing offers. It draws nothing."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

BLACK: Final[Colour] = (0, 0, 0)
WHITE: Final[Colour] = (255, 255, 255)
PILLOW: Final = "pillow"
OPENCV: Final = "opencv"

PALETTE: Final[tuple[Colour, ...]] = (
    (31, 119, 180), (214, 69, 65), (44, 140, 74), (142, 68, 173), (196, 104, 0), (22, 138, 150),
    (120, 74, 50), (196, 61, 133), (70, 80, 160), (110, 130, 30), (90, 100, 110), (170, 50, 50),
)  # fmt: skip
"""Colours that white numbers can be read on and that stand out from a light and from a dark ground."""

_DARK: Final = 128.0
_TRAIL_S: Final = 4.0
"""Length of trails at real time, log seconds; they grow with the root of the speed, so that fast replays are not all trails."""
_SIZES_PX: Final = (16, 7680)
_SPEEDS: Final = (0.1, 100.0)
_MOST_FPS: Final = 240
_MOST_CRF: Final = 51


class Level(enum.StrEnum):
    """How much of the place is drawn around the objects."""

    FULL = "full"
    """A floor plan underneath (or a grid, without one), the trails of the last seconds, and headings."""
    SIMPLIFIED = "simplified"
    """Walls and a light grid, and headings."""
    ABSTRACT = "abstract"
    """Labels on plain ground."""


class Encoder(enum.StrEnum):
    """Which encoder packs the frames; PyAV offers what its build and the machine allow."""

    LIBX264 = "libx264"
    NVENC = "h264_nvenc"
    LIBX265 = "libx265"
    SVTAV1 = "libsvtav1"
    MPEG4 = "mpeg4"


class Corner(enum.StrEnum):
    """Where the clock stands."""

    TOP_LEFT = "top-left"
    TOP_RIGHT = "top-right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM_RIGHT = "bottom-right"

    @property
    def is_top(self) -> bool:
        """Whether it is an upper corner."""
        return self in (Corner.TOP_LEFT, Corner.TOP_RIGHT)

    @property
    def is_left(self) -> bool:
        """Whether it is a left corner."""
        return self in (Corner.TOP_LEFT, Corner.BOTTOM_LEFT)


@dataclass(frozen=True, slots=True)
class Clock:
    """The burnt-in clock, HH:MM:SS, in the log's zone. It shows the second that the frame's instant lies in, never a rounded one.

    Attributes:
        corner: Where it stands.
        size: Height of its digits as a share of the frame's height.
        colour: Of the digits.
        box: Colour of the box behind it; None draws none.
        border: Colour of the box's edge; None draws none.
        date: Whether the date stands before the time.
        millis: Whether milliseconds follow it, cut as the seconds are.
    """

    corner: Corner = Corner.BOTTOM_RIGHT
    size: float = 0.055
    colour: Colour = WHITE
    box: Colour | None = (26, 26, 26)
    border: Colour | None = (0, 230, 30)
    date: bool = False
    millis: bool = False

    @property
    def characters(self) -> int:
        """How many it shows."""
        return len("00:00:00") + len("0000-00-00 ") * self.date + len(".000") * self.millis


@dataclass(frozen=True, slots=True)
class Extent:
    """A rectangle of the ground, centimetres, sides along x and z.

    Attributes:
        x_min: Left.
        z_min: Top.
        x_max: Right.
        z_max: Bottom.
    """

    x_min: float
    z_min: float
    x_max: float
    z_max: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.x_min, self.z_min, self.x_max, self.z_max))):
            raise ValueError("an extent is four finite numbers: x_min,z_min,x_max,z_max")
        if self.x_max <= self.x_min or self.z_max <= self.z_min:
            raise ValueError("an extent ends after it begins: x_min < x_max and z_min < z_max")


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """A picture of the place from above.

    Attributes:
        path: Of a picture file.
        extent: Ground that it covers; it is stretched to that. None stretches it to the ground that the objects use.
        strength: How far it covers the ground's colour, 0 to 1; less lets objects stand out more.
    """

    path: Path
    extent: Extent | None = None
    strength: float = 0.7


@dataclass(frozen=True, slots=True)
class Style:
    """Every choice of the drawing.

    Attributes:
        width: Of the frame, pixels, even.
        height: Of the frame, pixels, even.
        fps: Frames per media second.
        speed: Log seconds per media second, 0.1 to 100.
        radius_cm: Of a disc; two discs overlap when their centres are closer than twice this.
        background: Colour of the ground.
        discs: Colours of the discs, dealt out in turn; one colour makes all alike.
        outline: Colour of the discs' edge, drawn inside the radius; None draws none.
        numbers: Whether discs carry their number.
        number_colour: None takes black or white, whichever stands out from the disc.
        number_size: Height of the digits as a share of the disc's diameter.
        font: "pillow" (its built-in font), "opencv" (its own), or the path of a TrueType file.
        clock: None draws none.
        stale_first: Whether the first frame still shows the log's last instant, as captures that begin too early do.
        jpeg_quality: Every frame passes through JPEG of this quality first (1 to 100); None does not.
        crf: Constant rate factor, 0 (best) to 51, in H.264's terms for every encoder.
        level: How much of the place is drawn.
        floor: Lies underneath at the level `full`; None draws a grid there.
        extent: Ground that the picture shows, whatever the objects use; None fits the picture to them.
        trail_s: Log seconds that a trail reaches back; None takes the level's own.
        headings: Whether moving objects carry an arrow; None takes the level's own.
        encoder: Of the video.
        bitrate_bps: Bits per media second, in place of `crf`; None lets `crf` rule.
    """

    width: int = 532
    height: int = 280
    fps: int = 30
    speed: float = 1.0
    radius_cm: float = 50.0
    background: Colour = (229, 229, 229)
    discs: tuple[Colour, ...] = (BLACK,)
    outline: Colour | None = None
    numbers: bool = True
    number_colour: Colour | None = None
    number_size: float = 0.66
    font: str = PILLOW
    clock: Clock | None = Clock()
    stale_first: bool = False
    jpeg_quality: int | None = None
    crf: int = 20
    level: Level = Level.ABSTRACT
    floor: FloorPlan | None = None
    extent: Extent | None = None
    trail_s: float | None = None
    headings: bool | None = None
    encoder: Encoder = Encoder.LIBX264
    bitrate_bps: int | None = None

    def __post_init__(self) -> None:
        least, most = _SIZES_PX
        sides = (self.width, self.height)
        if any(side % 2 or not least <= side <= most for side in sides):
            raise ValueError(
                f"frame is {self.width}x{self.height}; both must be even and at least {least}, at most {most}"
            )
        if not _SPEEDS[0] <= self.speed <= _SPEEDS[1]:
            raise ValueError(f"speed is {self.speed}, must be 0.1 to 100")
        if not 1 <= self.fps <= _MOST_FPS or self.radius_cm <= 0 or not self.discs:
            raise ValueError(
                f"fps must be at least 1 (at most {_MOST_FPS}), radius_cm above 0, and discs must name a colour"
            )
        if not 0 <= self.crf <= _MOST_CRF or (self.bitrate_bps is not None and self.bitrate_bps <= 0):
            raise ValueError(f"crf must be 0 to {_MOST_CRF}, and bitrate_bps above 0")

    @property
    def shown_trail_s(self) -> float:
        """Log seconds that trails reach back at this level; 0 draws none."""
        if self.trail_s is not None:
            return self.trail_s
        return _TRAIL_S * max(self.speed, 1.0) ** 0.5 if self.level is Level.FULL else 0.0

    @property
    def shows_headings(self) -> bool:
        """Whether moving objects carry an arrow at this level."""
        return self.headings if self.headings is not None else self.level is not Level.ABSTRACT


def look(level: Level, *, dark: bool = False) -> Style:
    """The style that a level is drawn in unless somebody chooses otherwise; `abstract` on light ground is the plain `Style()`."""
    ground: Colour = (24, 26, 32) if dark else (229, 229, 229)
    discs = ((WHITE,) if dark else (BLACK,)) if level is Level.ABSTRACT else PALETTE
    return Style(level=level, background=ground, discs=discs)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """A colour that far from one to another, 0 to 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def clock_strip_px(style: Style) -> tuple[float, float]:
    """Height of the strips at the top and at the bottom that belong to the clock."""
    if style.clock is None:
        return 0.0, 0.0
    strip_px = clock_box_px(style.clock, style.height)
    return (strip_px, 0.0) if style.clock.corner.is_top else (0.0, strip_px)


def clock_box_px(clock: Clock, height: int) -> int:
    """Height of the clock's box in a frame of that height."""
    return round(2.4 * clock.size * height)


def contrast(colour: Colour) -> Colour:
    """Black or white, whichever stands out more from a colour (luma of BT.601)."""
    red, green, blue = colour
    return BLACK if 0.299 * red + 0.587 * green + 0.114 * blue > _DARK else WHITE


def bgr(colour: Colour) -> tuple[int, int, int]:
    """OpenCV's order of a colour."""
    red, green, blue = colour
    return blue, green, red


def dealt(colours: tuple[Colour, ...], objids: Iterable[str]) -> list[Colour]:
    """A colour for each object, in turn."""
    return [colours[place % len(colours)] for place, _ in enumerate(objids)]
