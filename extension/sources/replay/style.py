"""How a replay looks: every choice the drawing offers, and the camera that looks straight down on the ground plane."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.timetravel.trajectory import Trajectory

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

BLACK: Final[Colour] = (0, 0, 0)
WHITE: Final[Colour] = (255, 255, 255)
PILLOW: Final = "pillow"
OPENCV: Final = "opencv"

_DARK: Final = 128.0


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
    """The burnt-in clock, HH:MM:SS.

    Attributes:
        corner: Where it stands.
        size: Height of its digits as a share of the frame's height.
        colour: Of the digits.
        box: Colour of the box behind it; None draws none.
        border: Colour of the box's edge; None draws none.
    """

    corner: Corner = Corner.BOTTOM_RIGHT
    size: float = 0.055
    colour: Colour = WHITE
    box: Colour | None = (26, 26, 26)
    border: Colour | None = (0, 230, 30)


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
        crf: H.264 constant rate factor, 0 (best) to 51.
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

    def __post_init__(self) -> None:
        if self.width % 2 or self.height % 2 or min(self.width, self.height) < 16:  # noqa: PLR2004 - a macroblock of H.264
            raise ValueError(f"frame is {self.width}x{self.height}; both must be even and at least 16")
        if not 0.1 <= self.speed <= 100:  # noqa: PLR2004 - the range stated above
            raise ValueError(f"speed is {self.speed}, must be 0.1 to 100")
        if self.fps < 1 or self.radius_cm <= 0 or not self.discs:
            raise ValueError("fps must be at least 1, radius_cm above 0, and discs must name a colour")


@dataclass(frozen=True, slots=True)
class Camera:
    """Looks straight down: x runs to the right, z downwards, at one scale for both.

    Attributes:
        px_per_cm: Scale.
        x_px: Column of world x = 0.
        y_px: Row of world z = 0.
    """

    px_per_cm: float
    x_px: float
    y_px: float

    def seen(self, places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Pixel columns and rows, shape (..., 2), float64, of places with shape (..., 3) in centimetres.

        A pixel's centre has whole coordinates.
        """
        seen: npt.NDArray[np.float64] = places[..., [0, 2]] * self.px_per_cm + np.array(
            [self.x_px, self.y_px]
        )
        return seen


def fit_camera(trajectory: Trajectory, style: Style) -> Camera:
    """A camera in whose picture every disc stays whole all the time and clear of the clock's strip."""
    places = np.concatenate([track.places for track in trajectory.tracks.values()])[:, [0, 2]]
    low_cm = places.min(axis=0) - 1.2 * style.radius_cm
    high_cm = places.max(axis=0) + 1.2 * style.radius_cm
    top_px, bottom_px = clock_strip_px(style)
    room_px = np.array([style.width, style.height - top_px - bottom_px], dtype=np.float64)
    px_per_cm = float(np.min(room_px / (high_cm - low_cm)))
    middle_cm = (low_cm + high_cm) / 2
    x_px, y_px = np.array([0.0, top_px]) + room_px / 2 - 0.5 - middle_cm * px_per_cm
    return Camera(px_per_cm=px_per_cm, x_px=float(x_px), y_px=float(y_px))


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
