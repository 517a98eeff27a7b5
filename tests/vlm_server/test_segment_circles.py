"""Ground, foreground and circles: discs are found to a fraction of a pixel, alone or overlapping."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vlm_server.reference.skills.replay_view import circles, segment

Canvas = NDArray[np.uint8]


def canvas(level: int = 220, width: int = 320, height: int = 200) -> Canvas:
    """Return an even ground."""
    return np.full((height, width, 3), level, np.uint8)


def disc(image: Canvas, x: float, y: float, radius: float, colour: tuple[int, int, int] = (0, 0, 0)) -> None:
    """Draw a disc with sub-pixel accuracy."""
    cv2.circle(image, (round(x * 16), round(y * 16)), round((radius - 0.5) * 16), colour, -1, cv2.LINE_AA, 4)


def found(image: Canvas, radius: float, ground: segment.Ground | None = None) -> list[circles.Spot]:
    """Return the spots of one picture, from left to right."""
    scene = ground or segment.ground_of([image])
    spots = circles.spots_in(segment.foreground(image, scene), scene.furniture, radius, None)
    return sorted(spots, key=lambda s: s.x)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(6, 40),
    st.floats(60, 260),
    st.floats(60, 140),
    st.sampled_from([(0, 0, 0), (40, 40, 200), (90, 160, 20)]),
)
def test_a_disc_alone_is_placed_within_a_third_of_a_pixel(
    radius: float, x: float, y: float, colour: tuple[int, int, int]
) -> None:
    """Size, place and colour do not matter."""
    image = canvas()
    disc(image, x, y, radius, colour)
    (spot,) = found(image, radius)
    assert spot.alone
    assert np.hypot(spot.x - x, spot.y - y) < 0.35


@settings(max_examples=40, deadline=None)
@given(st.floats(8, 25), st.floats(0.5, 1.9), st.floats(0, 6.28))
def test_two_overlapping_discs_of_one_colour_are_told_apart(radius: float, gap: float, angle: float) -> None:
    """Centres of a merged blob are found from its outline."""
    image = canvas()
    one = (150.0, 100.0)
    two = (one[0] + gap * radius * np.cos(angle), one[1] + gap * radius * np.sin(angle))
    disc(image, *one, radius)
    disc(image, *two, radius)
    spots = found(image, radius)
    assert len(spots) == 2
    for centre in (one, two):
        assert min(np.hypot(s.x - centre[0], s.y - centre[1]) for s in spots) < 0.06 * radius + 0.4


def test_a_chain_of_discs_is_taken_apart() -> None:
    """Three in a row, each over the next."""
    image = canvas()
    for x in (100, 116, 133):
        disc(image, x, 90, 10)
    assert [round(s.x) for s in found(image, 10)] == [100, 116, 133]


def test_a_disc_cut_by_the_border_is_still_found() -> None:
    """The picture's edge is no outline."""
    image = canvas()
    disc(image, 4, 100, 12)
    (spot,) = found(image, 12)
    assert [spot.x, spot.y] == pytest.approx([4, 100], abs=0.8)


def test_furniture_is_no_disc_and_discs_over_it_are_seen() -> None:
    """A still badge belongs to the ground; what moves over it does not."""
    samples = []
    for step in range(5):
        image = canvas()
        cv2.rectangle(image, (200, 150), (290, 190), (60, 50, 40), -1)
        disc(image, 60 + 40 * step, 100, 9, (30, 30, 220))
        samples.append(image)
    ground = segment.ground_of(samples)
    assert ground.furniture[170, 245] == 255
    assert [len(found(image, 9, ground)) for image in samples] == [1] * 5
    over = canvas()
    cv2.rectangle(over, (200, 150), (290, 190), (60, 50, 40), -1)
    disc(over, 245, 170, 9, (30, 220, 220))
    (spot,) = found(over, 9, ground)
    assert [spot.x, spot.y] == pytest.approx([245, 170], abs=0.7)


@pytest.mark.parametrize("dark", [True, False])
def test_gradients_and_grids_are_ground(dark: bool) -> None:  # noqa: FBT001 - pytest passes parameters by name
    """Light falls off and lines cross the floor; neither is drawn on it."""
    ramp = np.linspace(20, 60, 320) if dark else np.linspace(180, 235, 320)
    image = np.repeat(np.repeat(ramp[None, :, None], 200, 0), 3, 2).astype(np.uint8)
    line = (110, 110, 110) if dark else (120, 120, 120)
    for x in range(20, 320, 50):
        cv2.line(image, (x, 0), (x, 199), line, 1)
    for y in range(20, 200, 50):
        cv2.line(image, (0, y), (319, y), line, 1)
    empty = segment.ground_of([image])
    assert np.count_nonzero(segment.foreground(image, empty)) < 0.002 * image.shape[0] * image.shape[1]
    disc(image, 171, 121, 10, (240, 200, 20) if dark else (20, 20, 20))
    (spot,) = found(image, 10)
    assert np.hypot(spot.x - 171, spot.y - 121) < 0.8


def test_the_radius_is_what_most_round_things_share() -> None:
    """A few odd ones do not move it; larger discs win over many specks."""
    assert circles.likely_radii([8.0, 8.1, 7.9, 8.05, 20.0])[0] == pytest.approx(20.0)
    assert circles.likely_radii([12.0, 12.1, 11.9, 5.0, 5.1, 5.0])[0] == pytest.approx(12.0)
    assert circles.likely_radii([]) == []


def test_the_radius_of_discs_that_never_stand_alone_is_found_from_their_cluster() -> None:
    """The largest circle inside a cluster is one of its discs."""
    image = canvas()
    disc(image, 100, 100, 14)
    disc(image, 112, 106, 14)
    ground = segment.ground_of([image])
    contours = circles.outlines(segment.foreground(image, ground))
    assert circles.clustered_radius(contours, ground.furniture) == pytest.approx(14, abs=0.7)
    box = canvas()
    cv2.rectangle(box, (50, 50), (140, 90), (0, 0, 0), -1)
    assert (
        circles.clustered_radius(
            circles.outlines(segment.foreground(box, segment.ground_of([image]))), ground.furniture
        )
        is None
    )


def test_numbers_in_the_colour_of_the_ground_do_not_cut_a_disc() -> None:
    """The hull of a notched disc is round; closing joins its pieces."""
    image = canvas()
    disc(image, 100, 100, 12)
    cv2.rectangle(image, (104, 98), (114, 101), (220, 220, 220), -1)
    ground = segment.ground_of([image])
    (contour,) = circles.outlines(segment.foreground(image, ground))
    assert circles.whole_round(contour) is None
    one = circles.round_one(contour)
    assert one is not None
    assert one == pytest.approx((100, 100, 12), abs=0.6)
    cv2.rectangle(image, (86, 98), (114, 101), (220, 220, 220), -1)
    assert len(circles.outlines(segment.foreground(image, ground))) == 2
    assert len(circles.outlines(segment.foreground(image, ground, close_px=5))) == 1


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_the_ground_is_learned_from_any_number_of_samples(count: int) -> None:
    """A request may hold a single frame."""
    samples = []
    for step in range(count):
        image = canvas()
        disc(image, 50 + 45 * step, 60, 9)
        samples.append(image)
    ground = segment.ground_of(samples)
    assert np.abs(ground.picture.astype(int) - 220).max() <= 2
    assert not ground.furniture.any()


def test_discs_that_overlap_at_the_edge_of_the_picture_give_their_radius() -> None:
    """The straight cut along the edge is nobody's rim and does not count against a cluster."""
    image = canvas()
    disc(image, 296, 90, 20)
    disc(image, 311, 70, 20)
    ground = segment.ground_of([canvas()])
    blobs = circles.outlines(segment.foreground(image, ground))
    radius = circles.clustered_radius(blobs, ground.furniture)
    assert radius == pytest.approx(20, abs=1.0)


@pytest.mark.parametrize("quality", [55, 65, 85])
def test_faint_grid_lines_are_ground_at_every_coding_quality(quality: int) -> None:
    """Lines that coding weakens to near the threshold leave nothing behind for discs to grow together with."""
    image = canvas(30, 480, 270)
    for at in range(20, 480, 37):
        image[:, at] = 62
    for at in range(11, 270, 37):
        image[at] = 62
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    mask = segment.foreground(picture, segment.ground_of([picture]))
    assert np.count_nonzero(mask) < 0.002 * mask.size


@pytest.mark.parametrize(
    ("x", "y", "share"), [(100, 100, 1.0), (0, 100, 0.5), (0, 0, 0.25), (319, 199, 0.25)]
)
def test_the_share_of_a_rim_inside_the_picture_is_known(x: float, y: float, share: float) -> None:
    """Whole in the middle, half at an edge, a quarter in a corner."""
    spot = circles.Spot(x, y, 1.0, alone=True)
    assert circles.rim_inside(spot, 12.0, (320, 200)) == pytest.approx(share, abs=0.06)
