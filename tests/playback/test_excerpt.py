"""Clips cut from the source video: the right frames at the right seconds, whatever the container says."""

from __future__ import annotations

from pathlib import Path

import pytest

from extension.errors import BadSource
from extension.model import Kind, Severity, Span
from extension.playback.clips import Clip, Roll, Shot
from extension.playback.excerpt import Excerpt
from extension.timetravel.summary import Moment
from tests.playback.samples import Picture, ramp, second_of
from tests.timetravel.summary_samples import incident, summary_of


def clip(start_s: float, end_s: float) -> Clip:
    """A clip of one moment."""
    moment = Moment(1, "i", Kind.COLLISION, Severity.DANGER, (), Span(start_s, end_s))
    return Clip(start_s, end_s, (Shot(moment, start_s, end_s),))


def taken(excerpt: Excerpt, part: Clip) -> list[tuple[float, Picture]]:
    """The frames of one clip, each with its second."""
    return [(second, picture) for _, second, picture in excerpt.pictures([part])]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds, ten frames each."""
    return ramp(tmp_path_factory.mktemp("ramp") / "ramp.mp4")


@pytest.mark.parametrize(
    ("start_s", "end_s"), [(0.0, 3.0), (3.0, 5.0), (7.3, 9.9), (17.0, 20.0), (0.0, 20.0)]
)
def test_frames_show_their_second(video: Path, start_s: float, end_s: float) -> None:
    """From wherever the key frames lie."""
    with Excerpt(video, 20.0, 320, 180, 10) as excerpt:
        shown = taken(excerpt, clip(start_s, end_s))
    assert len(shown) == round((end_s - start_s) * 10)
    assert [second_of(picture) for _, picture in shown] == [int(s + 0.001) for s, _ in shown]
    assert shown[0][0] == start_s


def test_clips_may_be_taken_in_any_order(video: Path) -> None:
    """Each seeks by itself."""
    with Excerpt(video, 20.0, 320, 180, 10) as excerpt:
        firsts = [second_of(taken(excerpt, clip(s, s + 1))[0][1]) for s in (15.0, 2.0, 9.0)]
    assert firsts == [15, 2, 9]


@pytest.mark.parametrize(("fps", "frames"), [(5, 10), (10, 20), (25, 50)])
def test_another_frame_rate_keeps_the_time(video: Path, fps: int, frames: int) -> None:
    """Frames are left out or shown longer; a second stays a second."""
    with Excerpt(video, 20.0, 320, 180, fps) as excerpt:
        shown = taken(excerpt, clip(4.0, 6.0))
    assert len(shown) == frames
    assert [second_of(picture) for _, picture in shown] == [4] * (frames // 2) + [5] * (frames // 2)


def test_a_container_that_does_not_begin_at_zero_is_read_from_its_beginning(tmp_path: Path) -> None:
    """Recorders' clocks begin anywhere."""
    late = ramp(tmp_path / "late.mkv", 6, start_pts=731)
    with Excerpt(late, 6.0, 320, 180, 10) as excerpt:
        shown = taken(excerpt, clip(2.0, 4.0))
    assert [second_of(picture) for _, picture in shown] == [2] * 10 + [3] * 10


def test_the_last_frame_stands_for_what_comes_after_it(video: Path) -> None:
    """A stated length may be a little longer than the pictures."""
    with Excerpt(video, 21.0, 320, 180, 10) as excerpt:
        shown = taken(excerpt, clip(19.0, 21.0))
    assert len(shown) == 20
    assert {second_of(picture) for _, picture in shown} == {19}


@pytest.mark.parametrize(("size", "bars"), [((180, 320), "sides"), ((640, 180), "top")])
def test_another_shape_stands_in_the_middle(tmp_path: Path, size: tuple[int, int], bars: str) -> None:
    """Not stretched: black beside or above it."""
    odd = ramp(tmp_path / "odd.mp4", 2, size=size)
    with Excerpt(odd, 2.0, 320, 180, 10) as excerpt:
        _, picture = taken(excerpt, clip(0.0, 1.0))[0]
    assert picture.shape == (180, 320, 3)
    assert second_of(picture) == 0
    edge = picture[:, :20] if bars == "sides" else picture[:20]
    assert edge.max() == 0


def test_a_video_that_is_cut_off_gives_what_it_has(tmp_path: Path) -> None:
    """No frame is made up where nothing can be decoded; the last one that could stands for the rest of its clip."""
    whole = ramp(tmp_path / "whole.ts", 10)
    (tmp_path / "half.ts").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with Excerpt(tmp_path / "half.ts", 10.0, 320, 180, 10) as excerpt:
        early = taken(excerpt, clip(0.0, 2.0))
        late = taken(excerpt, clip(8.0, 10.0))
    assert [second_of(picture) for _, picture in early] == [0] * 10 + [1] * 10
    assert late == []


@pytest.mark.parametrize("content", [b"", b"not a video at all", None])
def test_what_is_no_video_is_a_clear_error(tmp_path: Path, content: bytes | None) -> None:
    """Named without its folder."""
    path = tmp_path / "broken.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadSource, match=r"^broken\.mp4: the video cannot be opened again$"):
        Excerpt(path, 10.0, 320, 180, 10)


def test_the_parts_to_show_are_those_of_the_media_time(video: Path) -> None:
    """A video at three times the speed is cut by its own seconds."""
    summary = summary_of([incident(0, 5, 6), incident(1, 15, 16)], most_in_video=1)
    with Excerpt(video, 20.0, 320, 180, 10) as excerpt:
        (part,) = excerpt.clips(summary, Roll())
    assert (part.start_s, part.end_s) == (3.0, 7.0)
