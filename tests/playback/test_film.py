"""The summary's video as it is written: what browsers can play, whole or not at all, and honest about what it lacks."""

from __future__ import annotations

import dataclasses
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from extension.errors import BadInput
from extension.playback.clips import Clip, Roll, Shot, clips
from extension.playback.film import Film, Stopped, fitting, write_film
from extension.sources.replay.glyphs import Picture
from extension.timetravel.summary import Summary
from extension.timetravel.summary_tongues import Language
from tests.playback.samples import SMALL, index_comes_first, read
from tests.timetravel.summary_samples import incident, summary_of


class Grey:
    """A recording of grey pictures, brighter by the second; some of it cannot be read."""

    def __init__(self, *, unreadable: tuple[float, float] = (-1.0, -1.0)) -> None:
        self._unreadable = unreadable
        self.taken = 0

    def clips(self, summary: Summary, roll: Roll) -> tuple[Clip, ...]:
        """By media time."""
        shots = [Shot(m, m.span.start_s, m.span.end_s) for m in summary.shown_moments]
        return clips(shots, roll, 0.0, 3600.0)

    def pictures(self, parts: Sequence[Clip]) -> Iterator[tuple[Clip, float, Picture]]:
        """Ten a second."""
        for clip in parts:
            for number in range(round((clip.end_s - clip.start_s) * 10)):
                second = clip.start_s + number / 10
                if not self._unreadable[0] <= second <= self._unreadable[1]:
                    self.taken += 1
                    yield clip, second, np.full((180, 320, 3), 40 + int(second) % 60 * 3, dtype=np.uint8)


def always() -> bool:
    """Nothing stops."""
    return True


def test_a_browser_can_play_it(tmp_path: Path) -> None:
    """H.264 in 4:2:0, index first, at its frame rate."""
    path = tmp_path / "summary.mp4"
    shown = write_film(path, summary_of([incident(0, 10, 11)]), Grey(), SMALL, always)
    video = read(path)
    assert (video.codec, video.pixels, video.fps) == ("h264", "yuv420p", 10.0)
    assert index_comes_first(path)
    assert len(video.pictures) == shown.frames
    assert video.duration_s == pytest.approx(shown.video_s, abs=0.11)
    assert not shown.lost
    assert list(tmp_path.iterdir()) == [path]


def test_it_holds_a_title_and_each_clip_after_a_card(tmp_path: Path) -> None:
    """2.5 s of title, then for each clip half a second of card and the clip itself."""
    path = tmp_path / "summary.mp4"
    shown = write_film(path, summary_of([incident(0, 10, 11), incident(1, 30, 31)]), Grey(), SMALL, always)
    assert shown.frames == 25 + 2 * (5 + 40)
    pictures = read(path).pictures
    grey = [int(np.median(p[40:140, 40:280])) for p in pictures]
    assert max(grey[:30]) < 40
    assert grey[30] == pytest.approx(40 + 8 * 3, abs=3)
    assert grey[69] == pytest.approx(40 + 11 * 3, abs=3)
    assert grey[72] < 40
    assert grey[75] == pytest.approx(40 + 28 * 3, abs=3)


def test_the_picture_has_a_caption_below_it(tmp_path: Path) -> None:
    """In the colour of the severity, with light letters."""
    path = tmp_path / "summary.mp4"
    write_film(path, summary_of([incident(0, 10, 11)]), Grey(), SMALL, always)
    frame = read(path).pictures[45]
    bar = frame[180:]
    assert bar.shape[0] == 28
    blue, green, red = bar[14, 4].astype(int)
    assert red > green > blue
    assert bar[:, 40:200].max() > 200


def test_without_moments_a_card_says_what_was_looked_at(tmp_path: Path) -> None:
    """Five seconds, to read it; nothing else is opened."""
    path = tmp_path / "summary.mp4"
    shown = write_film(path, summary_of([], failed=[3]), None, SMALL, always)
    assert (shown.frames, shown.lost) == (50, ())
    first = read(path).pictures[0]
    assert first.max() > 200


def test_moments_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """The others are shown."""
    found = [incident(0, 10, 11), incident(1, 30, 31), incident(2, 50, 51)]
    shown = write_film(
        tmp_path / "summary.mp4", summary_of(found), Grey(unreadable=(20.0, 40.0)), SMALL, always
    )
    assert shown.lost == (2,)
    assert shown.frames == 25 + 2 * (5 + 40)


def test_only_the_worst_of_very_many_are_shown(tmp_path: Path) -> None:
    """Four thousand moments do not make a day-long video."""
    many = [incident(n, n * 20.0, n * 20.0 + 1) for n in range(150)]
    grey = Grey()
    shown = write_film(tmp_path / "s.mp4", summary_of(many, most_in_video=3), grey, SMALL, always)
    assert grey.taken == 20 + 2 * 40  # nothing comes before the first second
    assert shown.video_s < 20


def test_it_can_be_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    """A service that stops does not wait for a video."""
    left = iter([True] * 30)
    with pytest.raises(Stopped):
        write_film(tmp_path / "s.mp4", summary_of([incident()]), Grey(), SMALL, lambda: next(left, False))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    """Named without its folder."""
    with pytest.raises(BadInput, match=r"^s\.mp4: cannot be written"):
        write_film(tmp_path / "nowhere" / "s.mp4", summary_of([]), None, SMALL, always)


def test_captions_are_english_where_the_font_has_no_hangul(tmp_path: Path) -> None:
    """Never a row of boxes or question marks."""
    english = dataclasses.replace(SMALL, fonts=())
    korean = dataclasses.replace(english, language=Language.KO)
    summary = summary_of([incident()])
    write_film(tmp_path / "en.mp4", summary, Grey(), english, always)
    write_film(tmp_path / "ko.mp4", summary, Grey(), korean, always)
    one, other = (read(tmp_path / name).pictures[40] for name in ("en.mp4", "ko.mp4"))
    assert (one == other).all()


def test_memory_does_not_grow_with_the_video(tmp_path: Path) -> None:
    """Frames are encoded as they come: eight clips need no more than two."""

    def peak_bytes(moments: int) -> int:
        summary = summary_of([incident(n, n * 20.0, n * 20.0 + 1) for n in range(moments)])
        tracemalloc.start()
        write_film(tmp_path / "s.mp4", summary, Grey(), SMALL, always)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    peak_bytes(1)
    assert peak_bytes(8) < peak_bytes(2) + 2_000_000


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1920, 1080), (718, 404)),
        ((532, 280), (532, 280)),
        ((720, 1280), (320, 404)),
        ((100, 80), (320, 180)),
    ],
)
def test_a_film_takes_the_shape_of_its_source(size: tuple[int, int], expected: tuple[int, int]) -> None:
    """Never larger than the source without need, never too small for its captions, always even."""
    film = fitting(Film(), *size)
    assert (film.width, film.height) == expected
