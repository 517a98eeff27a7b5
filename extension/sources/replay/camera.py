"""The cameras that look straight down on the ground plane: fitted to a log, fixed, or on their way from one place to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.sources.replay.style import Extent, Style, clock_strip_px
from extension.timetravel.trajectory import Micros, Trajectory

Points = npt.NDArray[np.float64]
"""Shape (..., 2): x and z in centimetres on the ground, or column and row in a picture."""

_MARGIN: Final = 1.2
"""Radii that a fitted picture leaves around the outermost objects."""

_LEAST_RADII: Final = 24.0
"""Ground that a close-up shows at least, in radii of a disc: those two, and what is around them."""


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

    def seen(self, places: npt.NDArray[np.float64]) -> Points:
        """Pixel columns and rows, shape (..., 2), float64, of places with shape (..., 3) in centimetres.

        A pixel's centre has whole coordinates.
        """
        return self.pixels(places[..., [0, 2]])

    def pixels(self, ground: Points) -> Points:
        """Pixel columns and rows, shape (..., 2), of points on the ground (x and z, centimetres) of the same shape."""
        seen: Points = ground * self.px_per_cm + np.array([self.x_px, self.y_px])
        return seen


def fit_camera(trajectory: Trajectory, style: Style) -> Camera:
    """A camera in whose picture every disc stays whole all the time and clear of the clock's strip."""
    low_cm, high_cm = _bounds(trajectory)
    return _framed(low_cm - _MARGIN * style.radius_cm, high_cm + _MARGIN * style.radius_cm, style)


def extent_camera(extent: Extent, style: Style) -> Camera:
    """A camera in whose picture a fixed part of the ground is whole and clear of the clock's strip, whoever is there."""
    low, high = (extent.x_min, extent.z_min), (extent.x_max, extent.z_max)
    return _framed(np.array(low), np.array(high), style)


def chosen_camera(trajectory: Trajectory, style: Style) -> Camera:
    """The camera that a style asks for: on its extent, or fitted to the log."""
    return extent_camera(style.extent, style) if style.extent else fit_camera(trajectory, style)


def world_extent(trajectory: Trajectory, style: Style) -> Extent:
    """The ground that the objects of a log use, discs included."""
    low_cm, high_cm = _bounds(trajectory)
    (x_min, z_min), (x_max, z_max) = low_cm - style.radius_cm, high_cm + style.radius_cm
    return Extent(float(x_min), float(z_min), float(x_max), float(z_max))


def camera_on(middle_cm: tuple[float, float], across_cm: float, style: Style) -> Camera:
    """A camera above a place (x, z) that sees at least `across_cm` of ground both ways, clear of the clock's strip."""
    middle, reach = np.array(middle_cm, dtype=np.float64), across_cm / 2
    return _framed(middle - reach, middle + reach, style)


def close_up(
    trajectory: Trajectory, objids: Sequence[str], at_us: Micros, style: Style, whole: Camera
) -> Camera:
    """A camera that sees some objects at all of some instants, as near as is of use.

    Args:
        trajectory: The log.
        objids: Whom to see, at least one.
        at_us: Shape (m,), int64, microseconds since 1970 UTC.
        style: Of the picture.
        whole: Is taken where it sees them as near.
    """
    places = np.concatenate([trajectory.tracks[o].places_at(at_us)[:, [0, 2]] for o in objids])
    low, high = places.min(axis=0), places.max(axis=0)
    across_cm = max(float((high - low).max()) + 4 * style.radius_cm, _LEAST_RADII * style.radius_cm)
    x, z = ((low + high) / 2).tolist()
    near = camera_on((x, z), across_cm, style)
    return near if near.px_per_cm > whole.px_per_cm else whole


def between(one: Camera, other: Camera, share: float, style: Style) -> Camera:
    """The camera that far on the way from one to another, 0 to 1: the scale changes by equal factors in equal parts of the way.

    The place in the middle of the picture moves evenly in pixels as they look, so that neither end seems rushed.
    """
    middle = (np.array([style.width, style.height], dtype=np.float64) - 1) / 2
    scale = one.px_per_cm ** (1 - share) * other.px_per_cm**share
    ends = [(middle - (camera.x_px, camera.y_px)) / camera.px_per_cm for camera in (one, other)]
    # Ground passed is paced by the scale: slow where the picture is large, and evenly where both are alike.
    grown = other.px_per_cm / one.px_per_cm
    paced = share if abs(grown - 1) < 1e-6 else (grown ** (-share) - 1) / (1 / grown - 1)  # noqa: PLR2004 - no zoom at all
    x_px, y_px = middle - ((1 - paced) * ends[0] + paced * ends[1]) * scale
    return Camera(px_per_cm=scale, x_px=float(x_px), y_px=float(y_px))


def follow(
    trajectory: Trajectory, objids: Sequence[str], at_us: Micros, across_cm: float, style: Style
) -> Iterator[Camera]:
    """One camera per instant, above the middle of the named objects, far enough up to hold them all.

    Args:
        trajectory: The log.
        objids: Whom to follow; all must be in the log.
        at_us: Shape (m,), int64, microseconds since 1970 UTC.
        across_cm: Ground to see at least, both ways.
        style: Of the picture.
    """
    for block in np.array_split(at_us, max(1, len(at_us) // 1024)):
        places = np.stack([trajectory.tracks[o].places_at(block)[:, [0, 2]] for o in objids])
        low, high = places.min(axis=0), places.max(axis=0)
        spans = np.maximum((high - low).max(axis=1) + 4 * style.radius_cm, across_cm)
        for (x, z), across in zip(((low + high) / 2).tolist(), spans.tolist(), strict=True):
            yield camera_on((x, z), across, style)


def _bounds(trajectory: Trajectory) -> tuple[Points, Points]:
    """Smallest and largest x and z of a log, each of shape (2,)."""
    ground = [track.places[:, [0, 2]] for track in trajectory.tracks.values()]
    lows, highs = [g.min(axis=0) for g in ground], [g.max(axis=0) for g in ground]
    return np.min(lows, axis=0), np.max(highs, axis=0)


def _framed(low_cm: Points, high_cm: Points, style: Style) -> Camera:
    """The camera that sees a rectangle of ground whole, in the middle of what the clock leaves of the picture."""
    top_px, bottom_px = clock_strip_px(style)
    room_px = np.array([style.width, style.height - top_px - bottom_px], dtype=np.float64)
    px_per_cm = float(np.min(room_px / (high_cm - low_cm)))
    middle_cm = (low_cm + high_cm) / 2
    x_px, y_px = np.array([0.0, top_px]) + room_px / 2 - 0.5 - middle_cm * px_per_cm
    return Camera(px_per_cm=px_per_cm, x_px=float(x_px), y_px=float(y_px))
