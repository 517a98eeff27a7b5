"""Encoding: every encoder, exact frame times, files that appear only when complete; clocks that do not drift over half a day."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.errors import BadInput
from extension.sources.replay.encode import packed, write_video
from extension.sources.replay.render import frame_instants_us, frames, render
from extension.sources.replay.style import Clock, Encoder, Extent, Style
from extension.timetravel.trajectory import Track, Trajectory, instant, micros

Picture = npt.NDArray[np.uint8]

START = dt.datetime(2025, 1, 1, 18, 0, 0, tzinfo=dt.UTC)
SMALL = Style(width=128, height=96, fps=10)


def standing(seconds: float, start: dt.datetime = START, count: int = 2) -> Trajectory:
    """Objects that stand still for so long, with a sample every half second at most."""
    steps = max(2, min(int(seconds * 2), 200) + 1)
    at_us = micros(start) + np.linspace(0, seconds * 1e6, steps).round().astype(np.int64)
    return Trajectory(
        tracks={
            f"obj{n:03d}": Track(at_us.copy(), np.tile([500.0 * n, 100.0, 300.0 * (n % 2)], (steps, 1)))
            for n in range(1, count + 1)
        }
    )


def plain(count: int, size: tuple[int, int] = (128, 96)) -> Iterator[Picture]:
    """Pictures that get brighter."""
    for number in range(count):
        yield np.full((size[1], size[0], 3), 20 + 8 * number, dtype=np.uint8)


def usable(encoder: Encoder) -> bool:
    """Whether PyAV has the encoder here (that of a graphics card needs the card)."""
    return encoder is not Encoder.NVENC and encoder.value in av.codecs_available


@pytest.mark.parametrize("encoder", [e for e in Encoder if usable(e)])
def test_every_encoder_writes_what_it_is_given(tmp_path: Path, encoder: Encoder) -> None:
    """As many frames, at their times, in their brightness."""
    path = tmp_path / "video.mp4"
    assert write_video(plain(12), replace(SMALL, encoder=encoder), path) == 12
    with av.open(path) as container:
        seen = list(container.decode(video=0))
        assert container.streams.video[0].average_rate == 10
    assert [frame.pts * frame.time_base for frame in seen if frame.pts is not None and frame.time_base] == [
        Fraction(number, 10) for number in range(12)
    ]
    for number, frame in enumerate(seen):
        assert frame.to_ndarray(format="bgr24").mean() == pytest.approx(20 + 8 * number, abs=6)


@pytest.mark.parametrize("encoder", [e for e in Encoder if usable(e)])
def test_no_encoder_makes_the_program_a_real_time_one(tmp_path: Path, encoder: Encoder) -> None:
    """Neither its own threads nor ours, and none that are started later: the machine is not ours alone."""
    policies: set[int] = set()

    def watched() -> Iterator[Picture]:
        for picture in plain(3):
            tasks = [int(task.name) for task in Path("/proc/self/task").iterdir()]
            policies.update(os.sched_getscheduler(task) for task in tasks)
            yield picture

    write_video(watched(), replace(SMALL, encoder=encoder), tmp_path / "video.mp4")
    assert policies == {os.SCHED_OTHER}
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.mark.parametrize("encoder", [e for e in Encoder if usable(e)])
def test_worse_quality_and_lower_rates_make_smaller_files(tmp_path: Path, encoder: Encoder) -> None:
    """`crf` and `bitrate_bps` reach each encoder."""
    chance = np.random.default_rng(0)
    noisy = [chance.integers(0, 256, (96, 128, 3), dtype=np.uint8) for _ in range(8)]
    sizes = []
    for change in ({"crf": 12}, {"crf": 45}, {"bitrate_bps": 20_000_000}, {"bitrate_bps": 60_000}):
        path = tmp_path / "video.mp4"
        write_video(noisy, replace(SMALL, encoder=encoder, **change), path)  # type: ignore[arg-type] # two numbers
        sizes.append(path.stat().st_size)
    assert sizes[0] > 1.4 * sizes[1]
    assert sizes[2] > 1.4 * sizes[3]


def test_an_encoder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With one that always is; nothing is left behind."""
    if Encoder.NVENC.value in av.codecs_available and Path("/dev/nvidia0").exists():
        pytest.skip("this machine may have the encoder")
    with pytest.raises(BadInput, match="h264_nvenc cannot be used on this machine; libx264 always can"):
        write_video(plain(3), replace(SMALL, encoder=Encoder.NVENC), tmp_path / "video.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["no/such/folder/video.mp4", "file.txt/video.mp4"])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, path: str) -> None:
    """By its name alone."""
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(BadInput, match=r"^video.mp4: cannot be written \(.+\)$") as caught:
        write_video(plain(3), SMALL, tmp_path / path)
    assert str(tmp_path) not in str(caught.value)


def test_a_file_from_before_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    """Also when the drawing breaks off."""
    path = tmp_path / "video.mp4"
    path.write_bytes(b"from before")

    def broken() -> Iterator[Picture]:
        yield from plain(3)
        assert path.read_bytes() == b"from before"
        raise RuntimeError("broke off")

    with pytest.raises(RuntimeError, match="broke off"):
        write_video(broken(), SMALL, path)
    assert path.read_bytes() == b"from before"
    assert [one.name for one in tmp_path.iterdir()] == ["video.mp4"]


def test_the_index_stands_in_front(tmp_path: Path) -> None:
    """So that a browser can begin before it has everything."""
    write_video(plain(10), SMALL, tmp_path / "video.mp4")
    data = (tmp_path / "video.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_there_is_a_key_frame_every_two_seconds(tmp_path: Path) -> None:
    """So that a player can seek."""
    write_video(itertools.islice(itertools.cycle(plain(20)), 70), SMALL, tmp_path / "video.mp4")
    with av.open(tmp_path / "video.mp4") as container:
        keys = [
            float(p.pts * p.time_base)
            for p in container.demux(video=0)
            if p.is_keyframe and p.pts is not None
        ]
    assert keys[0] == 0
    assert max(np.diff([*keys, 7.0])) <= 2.0 + 1e-9


@given(colour=st.tuples(*[st.integers(0, 255)] * 3))
def test_colours_survive_packing(colour: tuple[int, int, int]) -> None:
    """Back from the encoder's own form they are what they were, but for rounding."""
    picture = np.full((16, 16, 3), colour, dtype=np.uint8)
    back = packed(picture).to_ndarray(format="bgr24")
    assert np.abs(back.astype(int) - picture).max() <= 4


@pytest.mark.parametrize(
    "wrong", [{"crf": 52}, {"crf": -1}, {"bitrate_bps": 0}, {"fps": 241}, {"width": 7682}]
)
def test_an_encoding_that_cannot_be_is_refused(wrong: dict[str, int]) -> None:
    """When the style is made."""
    with pytest.raises(ValueError, match=r"crf|fps|frame"):
        replace(SMALL, **wrong)  # type: ignore[arg-type] # each is a number


HALF_A_DAY_S = 12 * 3600


@pytest.mark.parametrize("speed", [0.1, 1.0, 3.0, 7.3, 99.9, 100.0])
@pytest.mark.parametrize("fps", [30, 24, 7])
def test_no_clock_drifts_over_half_a_day(speed: float, fps: int) -> None:
    """Every frame's instant is its number times the step, to the microsecond, computed in exact fractions."""
    log, style = standing(HALF_A_DAY_S), replace(SMALL, fps=fps, speed=speed)
    at_us = frame_instants_us(log, style)
    step_us = Fraction(str(speed)) * 1_000_000 / fps
    assert len(at_us) == int(HALF_A_DAY_S * 1_000_000 / step_us)
    chance = np.random.default_rng(1)
    for number in (0, 1, len(at_us) // 2, len(at_us) - 1, *chance.integers(0, len(at_us), 50).tolist()):
        assert int(at_us[number]) == micros(START) + int(number * step_us)
    assert (np.diff(at_us) > 0).all()


def test_the_decoded_clock_of_half_a_day_at_a_hundred_times_is_right_to_the_frame(tmp_path: Path) -> None:
    """At the container's own time of a frame it shows that time's second, from the first frame to the last."""
    style = Style(width=256, height=128, fps=2, speed=100.0, numbers=False, clock=Clock(size=0.2), crf=10)
    log = standing(HALF_A_DAY_S)
    rendered = render(log, style, tmp_path / "day.mp4")
    assert rendered.frames == 864
    assert rendered.media_s == 432.0
    box = np.s_[-60:, :]
    with av.open(tmp_path / "day.mp4") as container:
        decoded = [
            (f.pts * f.time_base, f.to_ndarray(format="bgr24"))
            for f in container.decode(video=0)
            if f.pts is not None and f.time_base
        ]
    assert len(decoded) == 864
    for number in (0, 1, 2, 300, 431, 432, 862, 863):
        media_s, picture = decoded[number]
        at = START + dt.timedelta(seconds=float(media_s) * 100)
        right, wrong = (
            clock_picture(at + late, log, style)[box] for late in (dt.timedelta(), dt.timedelta(seconds=50))
        )
        assert off(picture[box], right) < 4 < off(picture[box], wrong)


def clock_picture(at: dt.datetime, log: Trajectory, style: Style) -> Picture:
    """The frame of an instant."""
    (picture,) = frames(log, style, instants=np.array([micros(at)], dtype=np.int64))
    return picture


def off(one: npt.NDArray[Any], other: Picture) -> float:
    """Mean difference of two pictures."""
    return float(np.abs(one.astype(int) - other).mean())


def test_the_first_frame_of_a_video_is_the_logs_first_instant(tmp_path: Path) -> None:
    """Nothing stale: what a capture shows before its scene is set is not here."""
    log = standing(3)
    style = Style(width=256, height=128, fps=5, clock=Clock(size=0.2), crf=10)
    render(log, style, tmp_path / "video.mp4")
    with av.open(tmp_path / "video.mp4") as container:
        first = next(container.decode(video=0)).to_ndarray(format="bgr24")
    assert off(first[-60:], clock_picture(START, log, style)[-60:]) < 3
    assert off(first[-60:], clock_picture(START + dt.timedelta(seconds=2), log, style)[-60:]) > 3


def test_half_a_day_is_drawn_frame_by_frame() -> None:
    """Nothing is drawn before it is taken: the first and the middle of 1.3 million frames are there at once."""
    log, style = standing(HALF_A_DAY_S), replace(SMALL, fps=30)
    at_us = frame_instants_us(log, style)
    assert len(at_us) == 1_296_000
    assert next(frames(log, style)).shape == (96, 128, 3)
    taken = list(itertools.islice(frames(log, style, instants=at_us[648_000:]), 3))
    assert len(taken) == 3


def test_frames_can_be_taken_at_any_instants() -> None:
    """Back and forth, with a camera of their own each; too few cameras are a mistake."""
    log = standing(20)
    style = replace(SMALL, clock=None, numbers=False, extent=Extent(0, -300, 1500, 800))
    at = [instant(micros(START)) + dt.timedelta(seconds=s) for s in (15, 3, 15)]
    at_us = np.array([micros(a) for a in at], dtype=np.int64)
    pictures = list(frames(log, style, instants=at_us))
    assert len(pictures) == 3
    assert np.array_equal(pictures[0], pictures[2])
    from extension.sources.replay.camera import camera_on

    cameras = [camera_on((500.0 * n, 0.0), 600, style) for n in (1, 2, 1)]
    moved = list(frames(log, style, instants=at_us, cameras=cameras))
    assert not np.array_equal(moved[0], moved[1])
    assert np.array_equal(moved[0], moved[2])
    with pytest.raises(ValueError, match="fewer cameras than frames"):
        list(frames(log, style, instants=at_us, cameras=cameras[:2]))


def test_what_was_drawn_is_told(tmp_path: Path) -> None:
    """Frames, seconds, and who was not to be seen."""
    log, style = standing(4, count=3), replace(SMALL, extent=Extent(0, -300, 1100, 300), crf=30)
    rendered = render(log, style, tmp_path / "video.mp4")
    assert (rendered.frames, rendered.media_s, rendered.unseen, rendered.absent) == (40, 4.0, 40, 0)
