"""Cameras: what they hold in the picture, and how they get from one place to another."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.replay.camera import (
    Camera,
    between,
    camera_on,
    chosen_camera,
    extent_camera,
    fit_camera,
    follow,
    world_extent,
)
from extension.sources.replay.style import Clock, Corner, Extent, Style, clock_strip_px
from extension.timetravel.trajectory import Track, Trajectory, micros

START_US = micros(dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
STYLE = Style(clock=None)
SIDES = st.floats(-50_000, 50_000)
LENGTHS = st.floats(200, 50_000)


def log_of(**paths: list[tuple[float, float]]) -> Trajectory:
    """Objects that are at these (x, z) every second."""
    return Trajectory(
        tracks={
            objid: Track(
                START_US + np.arange(len(path), dtype=np.int64) * 1_000_000,
                np.array([(x, 100.0, z) for x, z in path]),
            )
            for objid, path in paths.items()
        }
    )


def corners(extent: Extent) -> np.ndarray:
    """Top left and bottom right on the ground, shape (2, 2)."""
    return np.array([[extent.x_min, extent.z_min], [extent.x_max, extent.z_max]])


@given(x=SIDES, z=SIDES, width=LENGTHS, depth=LENGTHS, corner=st.sampled_from([None, *Corner]))
def test_an_extent_is_whole_and_touches_two_sides(
    x: float, z: float, width: float, depth: float, corner: Corner | None
) -> None:
    """As large as possible, in the middle, beside the clock's strip, at one scale."""
    style = replace(STYLE, clock=Clock(corner=corner) if corner else None)
    extent = Extent(x, z, x + width, z + depth)
    (left, top), (right, bottom) = extent_camera(extent, style).pixels(corners(extent))
    strip_top, strip_bottom = clock_strip_px(style)
    room_h = style.height - strip_top - strip_bottom
    slack = 1e-3
    assert left >= -0.5 - slack
    assert right <= style.width - 0.5 + slack
    assert top >= strip_top - 0.5 - slack
    assert bottom <= style.height - strip_bottom - 0.5 + slack
    assert right - left == pytest.approx(style.width, rel=1e-3) or bottom - top == pytest.approx(
        room_h, rel=1e-3
    )
    assert left + right == pytest.approx(style.width - 1, abs=0.01)
    assert (right - left) / (bottom - top) == pytest.approx(width / depth, rel=1e-3)


def test_the_style_says_which_camera() -> None:
    """On its extent where it has one, else fitted."""
    log = log_of(obj001=[(0, 0), (100, 50)])
    extent = Extent(-500, -500, 500, 500)
    assert chosen_camera(log, STYLE) == fit_camera(log, STYLE)
    assert chosen_camera(log, replace(STYLE, extent=extent)) == extent_camera(extent, STYLE)


def test_places_and_their_ground_are_seen_alike() -> None:
    """Height does not matter to a camera that looks straight down."""
    camera = Camera(0.5, 10.0, 20.0)
    places = np.array([[[100.0, 0.0, 40.0]], [[100.0, 900.0, 40.0]]])
    assert camera.seen(places).tolist() == [[[60.0, 40.0]], [[60.0, 40.0]]]
    assert camera.pixels(places[..., [0, 2]]).tolist() == camera.seen(places).tolist()


def test_the_world_is_the_ground_that_discs_touch() -> None:
    """A radius around the outermost places."""
    log = log_of(obj001=[(0, 10), (100, 10)], obj002=[(-30, 500), (20, -70)])
    assert world_extent(log, STYLE) == Extent(-80.0, -120.0, 150.0, 550.0)


@pytest.mark.parametrize(
    "wrong", [(0, 0, 0, 1), (0, 0, 1, 0), (5, 0, 1, 1), (0, float("nan"), 1, 1), (0, 0, float("inf"), 1)]
)
def test_an_extent_that_holds_no_ground_is_refused(wrong: tuple[float, float, float, float]) -> None:
    """When it is made."""
    with pytest.raises(ValueError, match="extent"):
        Extent(*wrong)


@given(x=SIDES, z=SIDES, across=LENGTHS)
def test_a_camera_on_a_place_has_it_in_the_middle(x: float, z: float, across: float) -> None:
    """With at least the ground asked for on either side."""
    camera = camera_on((x, z), across, STYLE)
    column, row = camera.pixels(np.array([x, z]))
    assert column == pytest.approx((STYLE.width - 1) / 2, abs=0.01)
    assert row == pytest.approx((STYLE.height - 1) / 2, abs=0.01)
    assert STYLE.height / camera.px_per_cm == pytest.approx(across, rel=1e-6)


def middle_of(camera: Camera) -> np.ndarray:
    """Ground in the middle of the picture."""
    middle_px = (np.array([STYLE.width, STYLE.height]) - 1) / 2
    return np.asarray((middle_px - (camera.x_px, camera.y_px)) / camera.px_per_cm)


@pytest.mark.parametrize("across", [(2000.0, 2000.0), (8000.0, 1000.0), (1000.0, 8000.0)])
def test_a_way_begins_and_ends_at_its_ends(across: tuple[float, float]) -> None:
    """To the pixel."""
    one, other = camera_on((0, 0), across[0], STYLE), camera_on((3000, 500), across[1], STYLE)
    for share, end in ((0.0, one), (1.0, other)):
        camera = between(one, other, share, STYLE)
        assert camera.px_per_cm == pytest.approx(end.px_per_cm)
        assert (camera.x_px, camera.y_px) == pytest.approx((end.x_px, end.y_px), abs=1e-6)


@pytest.mark.parametrize("across", [(2000.0, 2000.0), (8000.0, 1000.0), (1000.0, 8000.0)])
def test_a_way_is_straight_and_never_turns_back(across: tuple[float, float]) -> None:
    """The middle of the picture only ever comes nearer to the end, on the line between."""
    one, other = camera_on((0, 0), across[0], STYLE), camera_on((3000, 1500), across[1], STYLE)
    way = np.array([middle_of(between(one, other, share, STYLE)) for share in np.linspace(0, 1, 21)])
    assert (np.diff(way[:, 0]) > 0).all()
    assert way[:, 1] == pytest.approx(way[:, 0] / 2, abs=1e-6)


def test_a_zoom_changes_the_scale_by_equal_factors() -> None:
    """So that it looks even."""
    one, other = camera_on((0, 0), 8000, STYLE), camera_on((0, 0), 1000, STYLE)
    scales = [between(one, other, share, STYLE).px_per_cm for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert np.diff(np.log(scales)) == pytest.approx(np.log(8) / 4)


def test_the_middle_moves_evenly_as_it_looks() -> None:
    """In pixels per step, also while the scale changes."""
    one, other = camera_on((0, 0), 8000, STYLE), camera_on((3000, 0), 1000, STYLE)
    path = [between(one, other, share, STYLE) for share in np.linspace(0, 1, 101)]
    moved = [
        float(np.hypot(*(middle_of(b) - middle_of(a)))) * (a.px_per_cm * b.px_per_cm) ** 0.5
        for a, b in itertools.pairwise(path)
    ]
    assert max(moved) == pytest.approx(min(moved), rel=0.02)


def test_followed_objects_stay_in_the_picture() -> None:
    """Both, whole, however far apart they are; alone or together, at least the ground asked for is seen."""
    log = log_of(
        obj001=[(0, 0), (1000, 0), (2000, 200)],
        obj002=[(100, 0), (4000, 900), (2000, 300)],
        obj003=[(0, 0)] * 3,
    )
    at_us = START_US + np.array([0, 500_000, 1_000_000, 2_000_000], dtype=np.int64)
    cameras = list(follow(log, ("obj001", "obj002"), at_us, 800, STYLE))
    assert len(cameras) == 4
    for when_us, camera in zip(at_us, cameras, strict=True):
        for objid in ("obj001", "obj002"):
            ((column, row),) = camera.seen(log.tracks[objid].places_at(np.array([when_us])))
            radius = STYLE.radius_cm * camera.px_per_cm
            assert radius <= column <= STYLE.width - radius
            assert radius <= row <= STYLE.height - radius
        assert STYLE.height / camera.px_per_cm >= 800 - 1e-6
    assert cameras[0].px_per_cm == pytest.approx(STYLE.height / 800)


def test_a_long_way_is_followed_block_by_block() -> None:
    """The same cameras as for each instant alone."""
    log = log_of(obj001=[(float(x), float(x % 7)) for x in range(200)])
    at_us = START_US + np.arange(3000, dtype=np.int64) * 60_000
    cameras = list(follow(log, ("obj001",), at_us, 500, STYLE))
    assert len(cameras) == 3000
    for which in (0, 1023, 1024, 2999):
        (alone,) = follow(log, ("obj001",), at_us[which : which + 1], 500, STYLE)
        assert cameras[which] == alone
