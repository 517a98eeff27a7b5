"""Round cores: discs keep their outline, trails and arrows go, holes of numbers are filled."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vlm_server.reference.skills.replay_view import circles, cores, segment

Mask = NDArray[np.uint8]


def mask_of(*centres: tuple[float, float], radius: float) -> Mask:
    """Return a mask with discs."""
    mask = np.zeros((240, 320), np.uint8)
    for x, y in centres:
        cv2.circle(mask, (round(x * 16), round(y * 16)), round((radius - 0.5) * 16), 255, -1, cv2.LINE_8, 4)
    return mask


@settings(max_examples=40, deadline=None)
@given(st.floats(6, 40), st.floats(80, 240), st.floats(80, 160))
def test_a_disc_keeps_its_outline(radius: float, x: float, y: float) -> None:
    """Small ones are opened as they are, large ones in a smaller picture."""
    mask = mask_of((x, y), radius=radius)
    core = cores.core_of(mask, radius)
    assert cv2.countNonZero(cv2.absdiff(mask, core)) < 0.06 * cv2.countNonZero(mask)


@settings(max_examples=40, deadline=None)
@given(st.floats(7, 30), st.floats(0.3, 1.7), st.floats(0, 6.28))
def test_two_overlapping_discs_keep_theirs(radius: float, gap: float, angle: float) -> None:
    """A contact is in the outline of both; opening must not round it off."""
    other = (160 + gap * radius * np.cos(angle), 120 + gap * radius * np.sin(angle))
    mask = mask_of((160.0, 120.0), other, radius=radius)
    core = cores.core_of(mask, radius)
    assert cv2.countNonZero(cv2.absdiff(mask, core)) < 0.06 * cv2.countNonZero(mask)


@pytest.mark.parametrize("radius", [7.0, 11.0, 26.0])
def test_trails_and_arrows_go(radius: float) -> None:
    """A stroke of a fifth of a radius disappears, and a triangle that hangs on the disc nearly so."""
    disc = mask_of((100, 120), radius=radius)
    mask = disc.copy()
    cv2.polylines(mask, [np.array([[100, 120], [160, 90], [230, 200]])], isClosed=False, color=255, thickness=max(1, round(0.22 * radius)))  # fmt: skip
    corners = [[100 - 1.8 * radius, 120], [100 - 0.9 * radius, 120 + 0.32 * radius], [100 - 0.9 * radius, 120 - 0.32 * radius]]  # fmt: skip
    cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 255)
    core = cores.core_of(mask, radius)
    assert cv2.countNonZero(core) == pytest.approx(cv2.countNonZero(disc), rel=0.08)
    assert core[90, 160] == 0


def test_the_hole_of_a_number_is_filled_and_the_inside_of_a_loop_is_not() -> None:
    """A trail that closes a loop encloses ground, not a disc."""
    mask = mask_of((80, 80), radius=10)
    cv2.line(mask, (80, 75), (80, 85), 0, 3)
    cv2.rectangle(mask, (150, 60), (220, 130), 255, 2)
    core = cores.core_of(mask, 10)
    assert core[80, 80] == 255
    assert core[95, 185] == 0


def test_ground_at_the_edge_of_a_small_picture_is_no_hole() -> None:
    """What is left around a stroke in its own small picture stays ground."""
    stroke = np.zeros((12, 8), np.uint8)
    stroke[2:10, 3:5] = 255
    assert cv2.countNonZero(cores.core_of(stroke, 12.0)) == 0


def test_what_holds_no_disc_has_nothing_hanging_on_one() -> None:
    """Letters and specks are thin, but say nothing of discs."""
    letter = np.zeros((60, 60), np.uint8)
    cv2.putText(letter, "7", (10, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 2)
    assert cores.thin_px(circles.outlines(letter)[0], 10.0) == 0


@pytest.mark.parametrize("at", [(4, 120), (316, 120), (160, 3)])
def test_a_disc_cut_by_the_edge_of_the_picture_stays(at: tuple[int, int]) -> None:
    """The edge cuts a disc down to less than the circle that must fit into it; it counts as going on outside."""
    mask = mask_of(at, radius=10)
    assert cv2.countNonZero(cores.core_of(mask, 10)) > 0.85 * cv2.countNonZero(mask)


@settings(max_examples=25, deadline=None)
@given(st.floats(6, 34))
def test_one_of_the_tried_radii_finds_a_disc_with_a_trail(radius: float) -> None:
    """Whatever its size, within the range that is tried."""
    mask = mask_of((100, 120), radius=radius)
    cv2.fillConvexPoly(
        mask, np.array([[100, 119], [300, 30], [300, 30 + round(0.22 * radius)], [100, 121]]), 255
    )
    tried = list(cores.radii(240))
    assert tried == sorted(tried, reverse=True)
    found = [one for tries in tried for one in cores.rounds_of(mask, tries)[0]]
    assert any(
        np.hypot(x - 100, y - 120) < 1 and r == pytest.approx(radius, rel=0.08, abs=0.6) for x, y, r in found
    )


def test_the_area_of_cores_tells_discs_that_hide_in_clusters() -> None:
    """Two discs over one another are cores, but not round."""
    mask = mask_of((60, 60), (150, 120), (160, 125), radius=12)
    found, drawn = cores.rounds_of(mask, 12)
    assert len(found) == 1
    assert drawn > 1.8 * np.pi * 12**2


def test_the_thin_part_of_an_outline_is_measured() -> None:
    """A disc alone has next to none; with a trail, about the trail's area."""
    bare, trailed = mask_of((100, 120), radius=12), mask_of((100, 120), radius=12)
    trailed[119:122, 100:212] = 255
    thin = [cores.thin_px(circles.outlines(mask)[0], 12.0) for mask in (bare, trailed)]
    assert thin[0] < 12
    assert 250 < thin[1] < 310


def test_a_number_brighter_than_its_disc_does_not_break_it() -> None:
    """A pixel counts by half of what its neighbours differ by; a cap keeps a glaring number from counting as such a neighbour."""
    image = np.full((120, 160, 3), 25, np.uint8)
    ground = segment.Ground(image.copy(), np.zeros((120, 160), np.uint8), 22)
    cv2.circle(image, (80, 60), 10, (100, 100, 90), -1)
    for x in (76, 81):
        cv2.line(image, (x, 55), (x, 65), (255, 255, 255), 2)
    broken, whole = (segment.foreground(image, ground, cap=cap) for cap in (None, 130))
    area = np.pi * 10**2
    assert cv2.countNonZero(whole) > 0.95 * area
    assert cv2.countNonZero(broken) < 0.8 * area
