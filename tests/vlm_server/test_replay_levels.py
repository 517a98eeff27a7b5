"""Replay views with walls, a grid, arrows and trails are read as those on plain ground are: only discs make contacts."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.vlm_server.drawn_levels import LEVELS, draw_arrow, draw_place, headings, level_view
from tests.vlm_server.drawn_pictures import draw, frames, jpeg
from tests.vlm_server.drawn_views import View, times_of
from tests.vlm_server.scoring import Chunk, answered, expected, score
from vlm_server.reference.pixels import Pictures
from vlm_server.reference.skills.replay_view import discs, segment
from vlm_server.reference.skills.replay_view.reader import Reader
from vlm_server.reference.skills.replay_view.skill import ReplayView
from vlm_server.reference.verdict import Verdict

SEEDS = (4, 5, 12)


@pytest.fixture(scope="module")
def reader() -> Reader:
    """One recogniser for all tests of this module."""
    return Reader()


def quality(views: list[View], skill: ReplayView) -> dict[int, float]:
    """Return the F1 of contacts per seed."""
    return {view.seed: score(expected(view), answered(view, skill)).f1 for view in views}


def sized(view: View, reader: Reader) -> discs.Discs | None:
    """Return what the skill takes the discs of a view to be, from five frames of its last two seconds."""
    samples = [draw(view, at_s) for at_s in np.linspace(view.seconds - 2, view.seconds - 0.1, 5)]
    return discs.discs_of(samples, segment.ground_of(samples), None, reader)


@pytest.mark.parametrize(
    ("level", "dark"),
    [
        pytest.param("simplified", False, id="simplified-light"),
        pytest.param("full", False, id="full-light"),
        pytest.param("full", True, id="full-dark"),
    ],
)
def test_contacts_are_found_at_every_level(skill: ReplayView, level: str, dark: bool) -> None:  # noqa: FBT001 - a case
    """Mean F1 over views by lot; what is measured is 1, and one slip among them is allowed."""
    scores = quality([level_view(seed, level, dark=dark) for seed in SEEDS], skill)
    assert np.mean(list(scores.values())) > 0.93, scores


@pytest.mark.parametrize("level", LEVELS)
def test_contacts_are_found_in_a_log_with_errors(skill: ReplayView, level: str) -> None:
    """Places that jump by a quarter of a radius make trails zigzag and arrows turn."""
    scores = quality([level_view(seed, level, dark=False, jitter=0.25) for seed in SEEDS[:2]], skill)
    assert np.mean(list(scores.values())) > 0.8, scores


def test_every_number_is_seen_at_the_richest_level(skill: ReplayView) -> None:
    """Trails in a disc's colour, white numbers and a dark ground hide none of them."""
    numbers = tuple(str(n + 1) for n in range(9))
    view = level_view(1, "full", dark=True, numbers=numbers, seconds=2.0)
    seen: list[Verdict] = []
    answered(view, skill, seen.append)
    assert f"Numbered discs seen: {', '.join(numbers)}." in seen[0].summary


@pytest.mark.parametrize("codec", ["jpeg", "h264"])
def test_both_codings_are_read(skill: ReplayView, codec: str) -> None:
    """Coding at usual quality blurs colours more than brightness; discs of every colour stay found."""
    view = level_view(13, "full", dark=True, codec=codec)
    assert score(expected(view), answered(view, skill)).f1 > 0.85


@pytest.mark.parametrize("gap", [2.3, 2.8])
@pytest.mark.parametrize("dark", [False, True])
def test_an_arrow_that_touches_another_disc_is_no_contact(skill: ReplayView, gap: float, dark: bool) -> None:  # noqa: FBT001 - a case
    """Two discs keep their distance while the arrow of the hinder one reaches the one ahead."""
    verdict = skill.look(_convoy(gap, dark=dark))
    assert (verdict.status, verdict.events) == ("safe", [])
    assert "Numbered discs seen: 1, 2." in verdict.summary


def test_discs_in_a_convoy_that_touch_are_a_contact(skill: ReplayView) -> None:
    """The same two, the hinder one catching up: the arrow between them hides nothing."""
    verdict = skill.look(_convoy(3.4, dark=False, closing=0.1))
    assert {tuple(event.objects) for event in verdict.events} == {("1", "2")}


def test_a_disc_on_the_trail_of_another_is_no_contact(skill: ReplayView) -> None:
    """A trail is where a disc was; crossing it is late."""
    view = level_view(0, "full", dark=False, numbers=("1", "2"), seconds=4.0)
    images = []
    for step in range(20):
        image = _place(view)
        away = 8.0 * step
        trail = np.array([[60, 120], [200 + away, 120]])
        cv2.polylines(image, [np.round(trail * 16).astype(np.int32)], isClosed=False, color=(210, 165, 110), thickness=2, lineType=cv2.LINE_AA, shift=4)  # fmt: skip
        _numbered_disc(image, (200 + away, 120), (180, 119, 31), "1")
        _numbered_disc(image, (110, 40 + away), (65, 69, 214), "2")
        images.append(jpeg(image, 90))
    verdict = skill.look(Chunk(Pictures(images), [step * 0.1 for step in range(20)]))
    assert verdict.events == []
    assert "Numbered discs seen: 1, 2." in verdict.summary


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("dark", [False, True])
def test_the_size_of_adorned_discs_is_measured(reader: Reader, level: str, dark: bool) -> None:  # noqa: FBT001 - a case
    """The radius is right to a twentieth although hardly a disc stands without its arrow, and trails are not measured with it."""
    view = level_view(5, level, dark=dark, clock="none")
    found = sized(view, reader)
    assert found is not None
    assert found.radius == pytest.approx(view.radius, rel=0.05)


def test_discs_with_trails_are_told_from_plain_ones(reader: Reader) -> None:
    """Only where something thin is drawn beside the discs are masks opened, which costs time."""
    plain, rich = (level_view(5, level, dark=False, clock="none") for level in ("abstract", "full"))
    found = [sized(view, reader) for view in (plain, rich)]
    assert [one is not None and one.cap is not None for one in found] == [False, True]


def test_trails_are_not_in_the_mask_of_discs(reader: Reader) -> None:
    """What is left of a frame is about as large as its discs."""
    view = level_view(5, "full", dark=True, clock="none", numbers=("1", "2", "3"))
    found = sized(view, reader)
    assert found is not None
    samples = [draw(view, at_s) for at_s in np.linspace(2, 3.9, 5)]
    ground = segment.ground_of(samples)
    frame = draw(view, 3.0)
    left = cv2.countNonZero(found.mask(frame, ground))
    drawn = cv2.countNonZero(segment.foreground(frame, ground))
    area = 3 * np.pi * view.radius**2
    assert left < 1.25 * area
    assert drawn > 1.35 * area


def test_headings_and_frames_of_a_level_are_drawn() -> None:
    """The drawing itself: levels differ, discs that stand have no arrow, unit vectors are of length one."""
    views = [level_view(1, level, dark=False, seconds=1.0) for level in ("abstract", *LEVELS)]
    pictures = [frames(view)[-1] for view in views]
    assert all((one != other).any() for one, other in itertools.combinations(pictures, 2))
    lengths = np.hypot(*headings(views[0], 0.5).T)
    assert all(length == pytest.approx(0) or length == pytest.approx(1) for length in lengths)
    assert len(times_of(views[0])) == len(frames(views[0]))


def _convoy(gap: float, *, dark: bool, closing: float = 0.0) -> Chunk:
    """Two discs one behind the other, `gap` radii apart and `closing` less in every frame, both heading right, for two seconds."""
    view = level_view(0, "simplified", dark=dark)
    images = []
    for step in range(20):
        image = _place(view)
        x = 60 + 12.0 * step
        for place, (number, colour) in enumerate((("1", (65, 69, 214)), ("2", (74, 140, 44)))):
            centre = np.array([x + place * (gap - closing * step) * 9, 120.0])
            draw_arrow(image, centre, np.array([1.0, 0.0]), 9.0, colour)
            _numbered_disc(image, (centre[0], centre[1]), colour, number)
        images.append(jpeg(image, 90))
    return Chunk(Pictures(images), [step * 0.1 for step in range(20)])


def _place(view: View) -> NDArray[np.uint8]:
    """Return a view's walls and grid with nobody there."""
    image = np.full((view.height, view.width, 3), view.ground_colour, np.uint8)
    draw_place(image, view)
    return image


def _numbered_disc(
    image: NDArray[np.uint8], centre: tuple[float, float], colour: tuple[int, int, int], number: str
) -> None:
    """Draw a disc of radius 9 with a white number."""
    cv2.circle(image, (round(centre[0] * 16), round(centre[1] * 16)), 136, colour, -1, cv2.LINE_AA, 4)
    (width, height), _ = cv2.getTextSize(number, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    corner = (round(centre[0] - width / 2), round(centre[1] + height / 2))
    cv2.putText(image, number, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
