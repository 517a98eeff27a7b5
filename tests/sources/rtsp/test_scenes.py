"""Pictures of simulated cameras, and the clock burnt into them."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path

import numpy as np
import pytest

from extension.sources.rtsp.accidents import Accident, Plan
from extension.sources.rtsp.scenes import (
    Drawn,
    DrawnScene,
    FilePictures,
    Stage,
    StagedScene,
    burn,
    clock_text,
)
from extension.sources.rtsp.streams import Picture
from tests.sources.rtsp.clips import FRAMES

SIZE = (320, 180)
AT = dt.datetime(2026, 2, 3, 4, 5, 6, 780_000, tzinfo=dt.UTC)


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = AT

    def now(self) -> dt.datetime:
        """Where it was put."""
        return self.at

    def monotonic_s(self) -> float:
        """The same in seconds."""
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.at += dt.timedelta(seconds=seconds)


def pictures(name: str = "cam0", count: int = 4, clock: Hands | None = None) -> list[Picture]:
    """The first of a scene."""
    return list(itertools.islice(DrawnScene(name, SIZE, 10.0, clock or Hands()), count))


def test_the_clocks_text() -> None:
    """UTC, to a tenth of a second, cut and not rounded."""
    assert clock_text(AT) == "2026-02-03 04:05:06.7Z"
    korea = AT.astimezone(dt.timezone(dt.timedelta(hours=9)))
    assert clock_text(korea) == clock_text(AT)


def test_a_scene_has_the_size_it_was_given() -> None:
    """Height, width and three colours of one byte."""
    for picture in pictures():
        assert picture.shape == (180, 320, 3)
        assert picture.dtype == np.uint8


def test_a_scene_moves() -> None:
    """No two neighbours are the same, even while the clock stands."""
    for one, other in itertools.pairwise(pictures(count=6)):
        assert (one != other).any()


def test_a_scene_is_the_same_each_time() -> None:
    """But for the clock."""
    for one, other in zip(pictures(), pictures(), strict=True):
        assert (one == other).all()


def test_cameras_look_different() -> None:
    """By more than their names."""
    one, other = pictures("cam0")[0], pictures("cam1")[0]
    assert (one[:150] != other[:150]).any()


def test_the_clock_is_burnt_in() -> None:
    """At the bottom left, and nowhere else."""
    clock = Hands()
    scene = iter(DrawnScene("cam0", SIZE, 10.0, clock))
    other = iter(DrawnScene("cam0", SIZE, 10.0, Hands()))
    clock.sleep(11.1)
    differs = (next(scene) != next(other)).any(axis=2)
    assert differs.any()
    rows, columns = np.nonzero(differs)
    assert rows.min() > 180 * 0.8
    assert columns.max() < 320 * 0.8


@pytest.mark.parametrize("size", [(64, 48), (640, 360), (1920, 1080)])
def test_text_can_be_read_at_every_size(size: tuple[int, int]) -> None:
    """White on black, as high as a line of it should be."""
    picture: Picture = np.full((size[1], size[0], 3), 128, np.uint8)
    burn(picture, "12:34")
    black = (picture == 0).all(axis=2)
    rows = np.nonzero(black.any(axis=1))[0]
    assert 8 <= rows.max() - rows.min() <= max(20, size[1] * 0.1)
    assert (picture > 200).all(axis=2).any()


def test_a_files_pictures(clip: Path) -> None:
    """All of them, at the wanted size, and again from the start."""
    shown = FilePictures(clip, (80, 60), None, Hands())
    first, second = list(shown), list(shown)
    assert len(first) == len(second) == FRAMES
    assert {picture.shape for picture in first} == {(60, 80, 3)}
    assert (first[0] == second[0]).all()
    assert (first[0] != first[25]).any()


def test_a_files_pictures_with_the_clock(clip: Path) -> None:
    """Burnt in where a name is given."""
    plain = next(iter(FilePictures(clip, (160, 120), None, Hands())))
    burnt = next(iter(FilePictures(clip, (160, 120), "cam3", Hands())))
    assert (plain[:90] == burnt[:90]).all()
    assert (plain[100:] != burnt[100:]).any()


def staged(plan: Plan, seconds: float, fps: float = 4.0) -> tuple[list[Picture], list[Drawn]]:
    """The pictures of a staged scene, and what it told."""
    clock, told = Hands(), list[Drawn]()
    stage = Stage(plan, "cam0", SIZE[0] / SIZE[1], AT, told.append)
    scene = iter(StagedScene("cam0", SIZE, fps, clock, stage))
    found = []
    for _ in range(round(seconds * fps)):
        found.append(next(scene))
        clock.sleep(1 / fps)
    return found, told


def test_a_staged_scene_tells_what_it_drew() -> None:
    """Twice for each accident: at the first picture of it, and at the first without it."""
    _, told = staged(Plan(seed=1, every_s=30, kinds=(Accident.FIRE,)), 120)
    assert len(told) >= 4
    for begins, ends in zip(told[::2], told[1::2], strict=False):
        assert (begins.number, begins.kind, begins.onset_at) == (ends.number, ends.kind, ends.onset_at)
        assert begins.end_at is None
        assert ends.end_at is not None
        assert 10 < (ends.end_at - ends.onset_at).total_seconds() < 20
    assert [one.number for one in told[::2]] == list(range(len(told[::2])))


def test_the_truth_is_in_the_pictures() -> None:
    """Flames from the told onset on, none before: one frame later than the picture is drawn, for then it is sent."""
    fps = 4.0
    pictures, told = staged(Plan(seed=1, every_s=30, kinds=(Accident.FIRE,)), 60, fps)

    def burning(picture: Picture) -> int:
        red, blue = picture[..., 0].astype(int), picture[..., 2].astype(int)
        return int(((red > 200) & (red - blue > 90)).sum())

    first = next(place for place, picture in enumerate(pictures) if burning(picture) > 8)
    onset_s = (told[0].onset_at - AT).total_seconds()
    assert onset_s == pytest.approx((first + 1) / fps)
    assert all(burning(picture) < 5 for picture in pictures[:first])


def test_variants_of_a_camera_share_what_happens() -> None:
    """A change of resolution changes nothing before the camera, and an accident is told once."""
    clock, told = Hands(), list[Drawn]()
    stage = Stage(Plan(seed=1, every_s=20), "cam0", SIZE[0] / SIZE[1], AT, told.append)
    scenes = [iter(StagedScene("cam0", size, 4.0, clock, stage)) for size in (SIZE, (160, 90))]
    for step in range(4 * 60):
        assert next(scenes[step // 10 % 2]).shape[0] in {180, 90}
        clock.sleep(0.25)
    assert len({one.number for one in told}) == (len(told) + 1) // 2


def test_a_stage_does_not_go_back() -> None:
    """A clock that is set back shows the latest instant again instead of what was long over."""
    stage = Stage(Plan(seed=1), "cam0", 1.8, AT, lambda _: None)
    late = stage.figures(AT + dt.timedelta(seconds=100))
    assert stage.figures(AT) == late
