"""What lies under the objects: plain ground, walls with a light grid, or a floor plan stretched to the ground that it covers."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from extension.errors import BadInput
from extension.sources.replay.camera import Camera
from extension.sources.replay.glyphs import Picture
from extension.sources.replay.style import (
    BLACK,
    Colour,
    Extent,
    FloorPlan,
    Level,
    Style,
    bgr,
    contrast,
    mixed,
)

_GRIDS_CM: Final = (50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 50_000.0)
_LEAST_CELL_PX: Final = 26.0
_GRID_SHARE: Final = 0.07
_WALL_SHARE: Final = 0.45
_OUTSIDE_SHARE: Final = 0.06
_LARGEST_PX: Final = 50_000_000
_SHIFT: Final = 4


class Ground:
    """Draws the ground of a style for any camera.

    Args:
        style: Says how much of the place is drawn.
        world: Ground that the objects use: where walls stand unless the style or its floor plan names another rectangle.

    Raises:
        BadInput: The floor plan cannot be read.
    """

    def __init__(self, style: Style, world: Extent) -> None:
        self._style = style
        floor = style.floor if style.level is Level.FULL else None
        self._walls = (floor.extent if floor else None) or style.extent or world
        self._plan = _loaded(floor, style) if floor else None
        self._plain: Picture = np.full((style.height, style.width, 3), bgr(style.background), dtype=np.uint8)
        self._beyond: Picture = np.full_like(self._plain, bgr(mixed(style.background, BLACK, _OUTSIDE_SHARE)))

    @property
    def tone(self) -> Colour:
        """The colour that trails fade into: the ground's, or a floor plan's on the whole."""
        if self._plan is None:
            return self._style.background
        blue, green, red = (round(float(value)) for value in self._plan.mean(axis=(0, 1)))
        return red, green, blue

    def drawn(self, camera: Camera) -> Picture:
        """The ground as a camera sees it, without anybody on it."""
        style = self._style
        picture: Picture = self._plain.copy()
        if self._plan is not None:
            return _laid(picture, self._plan, self._walls, camera)
        if style.level is not Level.ABSTRACT:
            picture = self._beyond.copy()
            _draw_place(picture, self._walls, camera, style)
        return picture


def _loaded(floor: FloorPlan, style: Style) -> Picture:
    """The floor plan, toned towards the ground's colour."""
    try:
        packed = np.frombuffer(floor.path.read_bytes(), dtype=np.uint8)
    except OSError as exc:
        raise BadInput(
            f"{floor.path.name}: the floor plan cannot be read ({exc.strerror or 'unknown reason'})"
        ) from exc
    read = cv2.imdecode(packed, cv2.IMREAD_COLOR) if packed.size else None
    if read is None:
        raise BadInput(f"{floor.path.name}: the floor plan is not a picture (PNG and JPEG are)")
    if read.shape[0] * read.shape[1] > _LARGEST_PX:
        raise BadInput(
            f"{floor.path.name}: the floor plan has more than {_LARGEST_PX // 1_000_000} million pixels"
        )
    ground = np.array(bgr(style.background), dtype=np.float32)
    toned = read.astype(np.float32) * floor.strength + ground * (1 - floor.strength)
    return np.clip(np.rint(toned), 0, 255).astype(np.uint8)


def _laid(picture: Picture, plan: Picture, extent: Extent, camera: Camera) -> Picture:
    """The floor plan over its part of the ground, without steps where it is made smaller."""
    (left, top), (right, bottom) = camera.pixels(
        np.array([[extent.x_min, extent.z_min], [extent.x_max, extent.z_max]])
    ).tolist()
    # Pictures of the sizes that cameras pass through on their way are made from the next larger half of the plan.
    while (
        plan.shape[1] > 2 * (right - left) and plan.shape[0] > 2 * (bottom - top) and min(plan.shape[:2]) > 1
    ):
        plan = cv2.resize(plan, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
    rows, columns = plan.shape[:2]
    across, down = (right - left) / columns, (bottom - top) / rows
    # A pixel's centre has whole coordinates, here and in the plan; its edge lies half a pixel before.
    matrix = np.array([[across, 0, left + across / 2], [0, down, top + down / 2]], dtype=np.float64)
    size = (picture.shape[1], picture.shape[0])
    laid = cv2.warpAffine(
        plan, matrix, size, dst=picture, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
    return laid.astype(np.uint8)


def _draw_place(picture: Picture, walls: Extent, camera: Camera, style: Style) -> None:
    """A rectangle of walls with a grid inside, over ground that is a shade off."""
    ink = contrast(style.background)
    corners = np.array([[walls.x_min, walls.z_min], [walls.x_max, walls.z_max]])
    (left, top), (right, bottom) = (tuple(corner) for corner in camera.pixels(corners).tolist())
    inside = [(left, top), (right, top), (right, bottom), (left, bottom)]
    cv2.fillConvexPoly(picture, _fine(inside), bgr(style.background), cv2.LINE_AA, _SHIFT)
    cell_cm = _cell_cm(camera)
    grid = mixed(style.background, ink, _GRID_SHARE)
    for x in np.arange(np.ceil(walls.x_min / cell_cm), walls.x_max / cell_cm) * cell_cm:
        column = float(x) * camera.px_per_cm + camera.x_px
        _line(picture, (column, top), (column, bottom), grid, 1)
    for z in np.arange(np.ceil(walls.z_min / cell_cm), walls.z_max / cell_cm) * cell_cm:
        row = float(z) * camera.px_per_cm + camera.y_px
        _line(picture, (left, row), (right, row), grid, 1)
    wall = mixed(style.background, ink, _WALL_SHARE)
    thick = max(1, round(style.height / 180))
    cv2.polylines(picture, [_fine(inside)], True, bgr(wall), thick, cv2.LINE_AA, _SHIFT)  # noqa: FBT003 - OpenCV's own order


def _cell_cm(camera: Camera) -> float:
    """The finest grid whose cells are wide enough to be looked through."""
    wide = [cell for cell in _GRIDS_CM if cell * camera.px_per_cm >= _LEAST_CELL_PX]
    return wide[0] if wide else _LEAST_CELL_PX / camera.px_per_cm


def _fine(points: list[tuple[float, float]]) -> cv2.typing.MatLike:
    """Points in OpenCV's parts of a pixel; those far outside the picture come nearer, for its arithmetic's sake."""
    fine: cv2.typing.MatLike = np.clip(np.rint(np.array(points) * (1 << _SHIFT)), -1e7, 1e7).astype(np.int32)
    return fine


def _line(
    picture: Picture, start: tuple[float, float], end: tuple[float, float], colour: Colour, thick: int
) -> None:
    one, other = _fine([start, end]).tolist()
    cv2.line(picture, one, other, bgr(colour), thick, cv2.LINE_AA, _SHIFT)
