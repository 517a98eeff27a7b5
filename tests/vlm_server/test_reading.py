"""Numbers and clock: what the recogniser is shown, what it may answer, and following discs between readings."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.vlm_server.drawn_pictures import draw, jpeg
from tests.vlm_server.drawn_views import View, random_view
from vlm_server.reference.pixels import Pictures
from vlm_server.reference.skills.replay_view import clock, digits, naming
from vlm_server.reference.skills.replay_view.reader import Reader
from vlm_server.reference.skills.replay_view.skill import ReplayView
from vlm_server.reference.skills.replay_view.track import Sighting, Track, follow


@pytest.fixture(scope="module")
def reader() -> Reader:
    """One recogniser."""
    return Reader()


def one_disc(number: str, radius: float, **fixed: object) -> tuple[View, NDArray[np.uint8]]:
    """Draw a single disc in the middle of a small view; return it decoded from JPEG."""
    view = random_view(
        3, numbers=(number,), fills=((30, 30, 30),), radius=radius, width=320, height=240, clock="none", ring=None,
        ground="flat", ground_colour=(225, 225, 225), badge=False, border=False, font="default", glyph=1.2, **fixed,
    )  # fmt: skip
    image = np.full((240, 320, 3), 225, np.uint8)
    from tests.vlm_server.drawn_pictures import _disc

    _disc(image, view, 0, np.array([160.3, 120.6]))
    return view, Pictures([jpeg(image, 75)])[0]


@pytest.mark.parametrize("radius", [7.0, 12.0, 45.0])
@pytest.mark.parametrize("number", ["0", "1", "3", "6", "7", "8", "9"])
def test_single_digits_are_read_at_every_size(reader: Reader, number: str, radius: float) -> None:
    """Digits eight pixels high are told apart."""
    _, image = one_disc(number, radius)
    reading = digits.number_of([digits.patch_of(image, 160.3, 120.6, radius)], reader)
    assert reading is not None
    assert reading.text == number


@pytest.mark.parametrize("number", ["10", "17", "38", "66", "94"])
@pytest.mark.parametrize("ring", [None, (255, 255, 255)])
def test_two_digits_are_read_with_and_without_a_ring(
    reader: Reader, number: str, ring: tuple[int, int, int] | None
) -> None:
    """An outline in the colour of the number is not part of it."""
    view, image = one_disc(number, 14.0)
    if ring:
        cv2.circle(image, (160, 121), 13, ring, 2, cv2.LINE_AA)
    reading = digits.number_of([digits.patch_of(image, 160.3, 120.6, view.radius)], reader)
    assert reading is not None
    assert reading.text == number


@pytest.mark.parametrize("number", ["3", "7", "24"])
@pytest.mark.parametrize("cut", [0.8, 0.95])
def test_a_ringed_disc_cut_by_the_edge_of_the_picture_is_read(
    reader: Reader, number: str, cut: float
) -> None:
    """What the edge cuts off a ring is carried on from its other side; the number is all there."""
    view, image = one_disc(number, 14.0)
    cv2.circle(image, (160, 121), 13, (255, 255, 255), 2, cv2.LINE_AA)
    y = cut * view.radius
    part = np.ascontiguousarray(image[120 - int(y) :])
    patch = digits.patch_of(part, 160.3, 0.6 + int(y), view.radius)
    reading = digits.number_of([patch], reader)
    assert reading is not None
    assert reading.text == number


@pytest.mark.parametrize("number", ["3", "8", "9"])
def test_a_number_that_touches_its_ring_is_read(reader: Reader, number: str) -> None:
    """Where ring and number share a colour and a disc is small, little of the fill is left to see."""
    view, image = one_disc(number, 8.0)
    cv2.circle(image, (160 * 16 + 5, 120 * 16 + 10), 7 * 16, (255, 255, 255), 1, cv2.LINE_AA, 4)
    reading = digits.number_of([digits.patch_of(image, 160.3, 120.6, view.radius)], reader)
    assert reading is not None
    assert reading.text == number


def test_a_number_of_two_digits_does_not_begin_with_nought(reader: Reader) -> None:
    """What reads so is another disc's number behind something."""
    _, image = one_disc("07", 14.0)
    reading = digits.number_of([digits.patch_of(image, 160.3, 120.6, 14.0)], reader)
    assert reading is None or str(int(reading.text)) == reading.text


def test_a_partly_covered_track_is_read_only_where_two_patches_agree(reader: Reader) -> None:
    """Two certain readings of one number count; two that differ do not."""
    patches = {n: digits.patch_of(one_disc(n, 14.0)[1], 160.3, 120.6, 14.0) for n in ("4", "8")}

    def track_of(numbers: str) -> Track:
        return Track(
            [
                Sighting(i, 50.0, 50.0, 1.1, patches[n], digits.signature(patches[n]))
                for i, n in enumerate(numbers)
            ]
        )

    times_s = np.arange(6) / 10
    assert [p.number for p in naming.paths([track_of("444444")], reader, times_s, 14.0)] == ["4"]
    assert naming.paths([track_of("444448")], reader, times_s, 14.0) == []


def test_an_empty_disc_has_no_number(reader: Reader) -> None:
    """Nothing is read into an even colour."""
    patch = np.full((digits.SIDE, digits.SIDE, 3), 90, np.uint8)
    assert digits.number_of([patch], reader) is None


@pytest.mark.parametrize("style", ["box", "plain", "dated"])
@pytest.mark.parametrize("corner", [0, 1, 2, 3])
def test_the_clock_is_found_in_any_corner(reader: Reader, style: str, corner: int) -> None:
    """With a box, without one, with a date before it."""
    view = random_view(
        4, clock=style, corner=corner, width=640, height=360, start_clock_s=45_296, font="default", seconds=2.0,
        numbers=("1", "2"), fills=((200, 60, 40),) * 2, replay_speed=1.0, badge=True,
        ground="flat", ground_colour=(225, 225, 225), radius=10.0,
    )  # fmt: skip
    image = Pictures([jpeg(draw(view, 0.0), 80)])[0]
    face = clock.find([image], reader)
    assert face is not None
    assert face.read(face.crop(image)) == "12:34:56"
    later = Pictures([jpeg(draw(view, 1.0), 80)])[0]
    assert not clock.same(face.crop(image), face.crop(later))
    assert face.read(face.crop(later)) == "12:34:57"


def test_a_view_without_a_clock_has_none(reader: Reader) -> None:
    """A badge is not a clock."""
    view = random_view(4, clock="none", badge=True, width=640, height=360, seconds=2.0)
    assert clock.find([draw(view, 0.0)], reader) is None


def test_clock_text_becomes_seconds_of_the_day() -> None:
    """Arithmetic for the stale-frame rule."""
    assert (clock.seconds("00:00:00"), clock.seconds("01:02:03"), clock.seconds("23:59:59")) == (
        0,
        3723,
        86399,
    )


def sighting(frame: int, x: float, looks: float, clearness: float = 5.0) -> Sighting:
    """Return a sighting whose looks are one number."""
    patch = np.zeros((digits.SIDE, digits.SIDE, 3), np.uint8)
    return Sighting(frame, x, 50.0, clearness, patch, np.full(588, looks, np.float32))


def test_two_discs_that_pass_keep_their_tracks() -> None:
    """Motion and looks decide, not nearness alone."""
    seen = [[sighting(f, 20 + 8.0 * f, 0.2), sighting(f, 180 - 8.0 * f, 0.8)] for f in range(20)]
    tracks = follow(seen, np.arange(20) / 15, 8.0)
    assert len(tracks) == 2
    for track in tracks:
        assert len({float(s.signature[0]) for s in track.sightings}) == 1


def test_a_track_ends_where_a_disc_could_have_been_swapped() -> None:
    """After a deep overlap the number is read again."""
    clear = [5.0, 5.0, 0.5, 0.5, 5.0, 5.0]
    tracks = follow([[sighting(f, 20.0 + f, 0.3, c)] for f, c in enumerate(clear)], np.arange(6) / 15, 8.0)
    assert [[s.frame for s in t.sightings] for t in tracks] == [[0, 1, 2, 3], [4, 5]]


def test_a_jump_starts_a_new_track() -> None:
    """A seek moves a disc further than any motion."""
    tracks = follow([[sighting(f, 20.0 if f < 3 else 250.0, 0.3)] for f in range(6)], np.arange(6) / 15, 8.0)
    assert [t.first for t in tracks] == [0, 3]


def test_an_unreadable_track_takes_the_number_it_continues(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The middle of a path may be unreadable."""
    parts = [
        Track([sighting(f, 10.0 + 2 * f, 0.3) for f in span])
        for span in (range(5), range(5, 8), range(8, 12))
    ]
    weights = {
        0: naming.Named(parts[0], "4", 5.0, glimpse=False),
        8: naming.Named(parts[2], "4", 4.0, glimpse=False),
    }
    monkeypatch.setattr(naming, "_read", lambda track, _: weights.get(track.first))
    (path,) = naming.paths(parts, reader, np.arange(12) / 15, 8.0)
    assert path.number == "4"
    assert np.isfinite(path.places).all()


def test_a_glimpse_of_another_number_does_not_make_a_new_disc(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blurred 1 in the path of a 7 is the 7."""
    parts = [Track([sighting(f, 10.0 + 2 * f, 0.3) for f in span]) for span in (range(8), range(8, 10))]
    weights = {
        0: naming.Named(parts[0], "7", 8.0, glimpse=False),
        8: naming.Named(parts[1], "1", 0.2, glimpse=True),
    }
    monkeypatch.setattr(naming, "_read", lambda track, _: weights.get(track.first))
    assert [p.number for p in naming.paths(parts, reader, np.arange(10) / 15, 8.0)] == ["7"]


def test_a_single_frame_is_a_chunk_too(skill: ReplayView) -> None:
    """Numbers are read from one picture, and an overlap in it has a span."""
    view = random_view(6, width=640, height=360, radius=12.0, numbers=("1", "2", "3"), seconds=2.0, clock="none", font="default",
                       fills=((0, 0, 0),) * 3, ground="flat", ground_colour=(228, 228, 228), ring=None)  # fmt: skip
    reading = skill.read(Pictures([jpeg(draw(view, 0.0), 85)]), np.array([3.0]))
    assert reading.numbers == ["1", "2", "3"]
