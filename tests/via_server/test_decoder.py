"""Decoding real clips: which frames, what times, which pictures."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from tests.via_server.drawing import draw, even, index_of, size_of
from via_server.decoder import CannotDecode, Damage, SampledChunk, Stopped, Wanted, sampled_chunks
from via_server.probe import probe
from via_server.splitter import NS_PER_S, cut

S = NS_PER_S


def sampled(
    path: Path,
    *,
    chunk_s: int = 0,
    overlap_s: int = 0,
    frames: int = 10,
    start_s: int = 0,
    end_s: int | None = None,
    size_px: tuple[int, int] = (0, 0),
    damage: Damage | None = None,
) -> list[SampledChunk]:
    """Every chunk of the clip at `path`."""
    media = probe(path)
    end_ns = media.duration_ns if end_s is None else end_s * S
    spans = cut(start_s * S, end_ns, chunk_s * S, overlap_s * S)
    wanted = Wanted(path, media, spans, frames, size_px)
    return list(sampled_chunks(wanted, damage or Damage(), lambda: False))


def times_s(chunk: SampledChunk) -> list[float]:
    """The frame times of a chunk, to the millisecond."""
    return [round(frame.at_ns / S, 3) for frame in chunk.frames]


def indices(chunk: SampledChunk) -> list[int]:
    """The frame numbers that the pictures of a chunk show."""
    return [index_of(frame.jpeg) for frame in chunk.frames]


def test_frames_are_those_at_the_targets(tmp_path: Path) -> None:
    """Every third frame of thirty, each the picture it claims to be."""
    (chunk,) = sampled(draw(tmp_path / "a.mp4", even(27, 30)), frames=9)
    assert times_s(chunk) == pytest.approx([i / 10 for i in range(9)], abs=0.001)
    assert indices(chunk) == list(range(0, 27, 3))


def test_chunks_follow_each_other(tmp_path: Path) -> None:
    """One pass serves all of them; each starts at its own start."""
    chunks = sampled(draw(tmp_path / "a.mp4", even(150, 30)), chunk_s=2, frames=4)
    assert [times_s(chunk) for chunk in chunks] == [
        [0.0, 0.5, 1.0, 1.5],
        [2.0, 2.5, 3.0, 3.5],
        [4.0, 4.267, 4.5, 4.767],
    ]


def test_overlapping_chunks_share_frames(tmp_path: Path) -> None:
    """A frame in two chunks is encoded once."""
    first, second, *_ = sampled(draw(tmp_path / "a.mp4", even(120, 30)), chunk_s=2, overlap_s=1, frames=4)
    assert times_s(first)[2:] == times_s(second)[:2] == [1.0, 1.5]
    assert first.frames[2].jpeg is second.frames[0].jpeg


def test_uneven_frames_are_taken_as_they_are(tmp_path: Path) -> None:
    """Targets at 0, 0.5, 1 and 1.5 s; nothing lies between 0.6 and 1.4 s."""
    (chunk,) = sampled(
        draw(tmp_path / "a.mkv", [0.0, 0.1, 0.55, 0.6, 1.4, 1.45, 1.9, 2.0]), frames=4, end_s=2
    )
    assert times_s(chunk) == [0.0, 0.55, 1.4, 1.9]


def test_reordered_frames_come_in_order(tmp_path: Path) -> None:
    """B-frames are stored out of order."""
    path = draw(tmp_path / "a.mp4", even(27, 30), options={"bf": "3", "b_strategy": "0", "g": "12"})
    (chunk,) = sampled(path, frames=27)
    assert indices(chunk) == list(range(27))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize("start_s", [0.5, 100.0])
def test_time_counts_from_the_first_frame(tmp_path: Path, name: str, start_s: float) -> None:
    """Also where the file's own time line begins elsewhere."""
    path = draw(tmp_path / name, even(60, 30, start_s=start_s))
    first, _ = sampled(path, chunk_s=1, frames=4, end_s=2)
    assert times_s(first) == pytest.approx([0.0, 0.25, 0.5, 0.75], abs=0.04)
    assert indices(first)[0] == 0


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.ts", "libx264"), ("a.webm", "libvpx")]
)
def test_a_later_stretch_begins_at_its_key_frame(tmp_path: Path, name: str, codec: str) -> None:
    """Seeking loses no frame, wherever key frames are."""
    path = draw(tmp_path / name, even(28, 4), codec=codec, options={"g": "5"})
    chunks = sampled(path, chunk_s=1, frames=4, start_s=3, end_s=6)
    assert [indices(chunk) for chunk in chunks] == [[12, 13, 14, 15], [16, 17, 18, 19], [20, 21, 22, 23]]


def test_a_raw_stream_counts_its_frames(tmp_path: Path) -> None:
    """Without timestamps frames follow at the stream's rate, and a later stretch is reached by counting."""
    path = draw(tmp_path / "a.h264", even(100, 30), container="h264")
    (chunk,) = sampled(path, start_s=1, end_s=2, frames=5)
    assert times_s(chunk) == [1.0, 1.2, 1.4, 1.6, 1.8]


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [
        ("libx264", "yuv444p"),
        ("libx264", "yuv422p10le"),
        ("libx264", "gray"),
        ("libx264rgb", "rgb24"),
        ("ffv1", "bgr0"),
        ("ffv1", "yuva420p"),
        ("mjpeg", "yuvj420p"),
        ("ffv1", "gray16le"),
    ],
)
def test_any_pixel_format_becomes_a_jpeg(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    """Shades stay apart and in order whatever the format."""
    path = draw(tmp_path / "a.mkv", even(9, 4), codec=codec, pix_fmt=pix_fmt)
    shown = indices(sampled(path, frames=9)[0])
    assert len(shown) == 9
    assert shown == sorted(set(shown))


@pytest.mark.parametrize("size", [(65, 49), (33, 47), (16, 16), (1, 1)])
def test_odd_sizes_are_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    """No rounding to even numbers."""
    path = draw(tmp_path / "a.mkv", even(3, 3), codec="ffv1", pix_fmt="yuv444p", size_px=size)
    assert size_of(sampled(path)[0].frames[0].jpeg) == size


def test_frames_are_scaled_when_a_size_is_given(tmp_path: Path) -> None:
    """Both sides as asked, the proportions too."""
    path = draw(tmp_path / "a.mp4", even(3, 3))
    assert size_of(sampled(path, size_px=(128, 32))[0].frames[0].jpeg) == (128, 32)


@pytest.mark.parametrize(("turn", "size"), [(90, (48, 64)), (180, (64, 48)), (-90, (48, 64))])
def test_turned_videos_are_set_upright(tmp_path: Path, turn: int, size: tuple[int, int]) -> None:
    """Phones store a turned picture and the angle; players turn it back, and so do we."""
    flat, turned, right = (tmp_path / name for name in ("flat.mp4", "turned.mp4", "right.png"))
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    quiet = [ffmpeg, "-v", "error", "-y"]
    source = ["-f", "lavfi", "-i", "color=black:s=64x48:d=1:r=5,drawbox=x=0:y=0:w=20:h=16:c=white:t=fill"]
    subprocess.run([*quiet, *source, "-pix_fmt", "yuv420p", str(flat)], check=True)
    subprocess.run(
        [*quiet, "-display_rotation", str(turn), "-i", str(flat), "-c", "copy", str(turned)], check=True
    )
    subprocess.run([*quiet, "-i", str(turned), "-frames:v", "1", str(right)], check=True)
    shown = sampled(turned, frames=1)[0].frames[0].jpeg
    assert size_of(shown) == size
    players = cv2.imread(str(right))
    ours = cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_COLOR)
    assert ours is not None
    assert players is not None
    assert float(abs(ours.astype(int) - players.astype(int)).mean()) < 6


def test_one_frame_is_enough(tmp_path: Path) -> None:
    """A clip of one frame has one chunk of one frame."""
    (chunk,) = sampled(draw(tmp_path / "a.mp4", [0.0]))
    assert times_s(chunk) == [0.0]


def test_a_chunk_without_frames_is_handed_out_empty(tmp_path: Path) -> None:
    """A gap in the recording; the chunks around it have theirs."""
    path = draw(tmp_path / "a.mkv", [0.0, 0.5, 6.2, 6.6, 7.0])
    counts = [len(chunk.frames) for chunk in sampled(path, chunk_s=2, frames=4, end_s=8)]
    assert counts == [2, 0, 0, 3]


def test_the_last_frame_covers_the_end_of_the_file(tmp_path: Path) -> None:
    """A file of 2.25 s ends within a chunk in which no frame begins; the frame from 1.75 s is still on screen."""
    path = draw(tmp_path / "a.mp4", even(4, 2, start_s=0.25))
    media = replace(probe(path), origin_ns=0)
    assert media.duration_ns == 2 * S
    spans = cut(0, 2 * S + S // 4, S, 0)
    chunks = list(sampled_chunks(Wanted(path, media, spans, 4), Damage(), lambda: False))
    assert [indices(chunk) for chunk in chunks] == [[0, 1], [2, 3], [3]]


def test_a_file_that_ends_early_gives_what_it_has(tmp_path: Path) -> None:
    """The index says ten seconds, the data stop halfway."""
    path = draw(tmp_path / "a.mp4", even(100, 10), options={"g": "10"})
    fast = tmp_path / "fast.mp4"
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run(
        [ffmpeg, "-v", "error", "-i", path, "-c", "copy", "-movflags", "faststart", fast], check=True
    )
    data = fast.read_bytes()
    fast.write_bytes(data[: data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2])
    counts = [len(chunk.frames) for chunk in sampled(fast, chunk_s=2, frames=5)]
    assert len(counts) == 5
    assert counts[0] == 5
    assert counts[-1] == 0


def test_damage_is_counted_and_passed_over(tmp_path: Path) -> None:
    """Bytes in the middle are overwritten; chunks before and after keep their frames."""
    path = draw(tmp_path / "a.mp4", even(200, 20), options={"g": "10"})
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov")
    middle = (start + end) // 2
    data[middle : middle + (end - start) // 10] = b"\x5a" * ((end - start) // 10)
    path.write_bytes(bytes(data))
    damage = Damage()
    chunks = sampled(path, chunk_s=1, frames=4, damage=damage, end_s=10)
    assert damage.packets > 0
    assert [len(chunk.frames) for chunk in (*chunks[:3], *chunks[-2:])] == [4] * 5


def test_a_file_that_is_gone_cannot_be_decoded(tmp_path: Path) -> None:
    """It was there when it was added."""
    path = draw(tmp_path / "a.mp4", even(9, 3))
    media = probe(path)
    path.unlink()
    wanted = Wanted(path, media, cut(0, media.duration_ns, 0, 0), 3)
    with pytest.raises(CannotDecode):
        list(sampled_chunks(wanted, Damage(), lambda: False))


def test_decoding_stops_when_asked(tmp_path: Path) -> None:
    """Before the next frame."""
    path = draw(tmp_path / "a.mp4", even(90, 30))
    media = probe(path)
    chunks = sampled_chunks(
        Wanted(path, media, cut(0, 3 * S, S, 0), 3), Damage(), iter([False] * 40 + [True]).__next__
    )
    assert next(chunks).span.index == 0
    with pytest.raises(Stopped):
        list(chunks)


def test_only_what_is_needed_is_decoded(tmp_path: Path) -> None:
    """After the last frame of the last chunk nothing more is read."""
    path = draw(tmp_path / "a.mp4", even(300, 30))
    shown = 0

    def count() -> bool:
        nonlocal shown
        shown += 1
        return False

    list(sampled_chunks(Wanted(path, probe(path), cut(0, S, 0, 0), 4), Damage(), count))
    assert shown == 24  # the frames up to 0.75 s and that one, of three hundred
