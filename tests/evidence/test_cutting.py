"""Clips and snapshots from real videos: exact to the frame, for players everywhere, whatever the source is."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from extension.evidence.cutting import CLIP, SNAPSHOT, Cut, cut
from extension.evidence.digests import Stopped
from extension.evidence.parts import Part, whole
from extension.evidence.wanted import Limits, Wanted
from extension.model import Span
from tests.evidence.films import SIZE, Look, draw, every, number_in, see

STEADY = every(12)
UNEVEN = [0.0, 0.1, 0.9, 1.0, 2.5, 3.31, 3.35, 4.0, 6.0, 6.04, 6.5, 7.7, 8.0, 9.9, 11.0]


def cut_one(
    tmp_path: Path, parts: tuple[Part, ...], span: Span, snapshot_s: float = 0.0, limits: Limits | None = None
) -> tuple[Cut, Path]:
    """What comes of one wish, and the folder where it is."""
    folder = tmp_path / "cut"
    folder.mkdir(exist_ok=True)
    wish = Wanted("one", span, snapshot_s, cut_short=False)
    return cut(parts, [wish], {"one": folder}, limits or Limits(), lambda: True)["one"], folder


def expected(times_s: list[float], span: Span) -> tuple[list[float], list[int]]:
    """When a clip shows which frames: the one on show at its beginning, and all that follow before its end."""
    first = max(number for number, at_s in enumerate(times_s) if at_s <= span.start_s + 1e-3)
    shown = [
        (at_s, number) for number, at_s in enumerate(times_s) if number >= first and at_s < span.end_s - 1e-3
    ]
    return [round(max(0.0, at_s - span.start_s), 4) for at_s, _ in shown], [number for _, number in shown]


@pytest.mark.parametrize(
    ("suffix", "times_s", "look"),
    [
        pytest.param("mp4", STEADY, Look(), id="steady"),
        pytest.param("mp4", UNEVEN, Look(), id="variable-rate"),
        pytest.param("mp4", STEADY, Look(key_frames=1000), id="one-key-frame"),
        pytest.param("mp4", STEADY, Look(key_frames=17, preset="medium"), id="frames-out-of-order"),
        pytest.param("mp4", STEADY, Look(sound=True), id="with-sound"),
        pytest.param("mkv", STEADY, Look(pixels="yuv444p", size=(161, 97)), id="odd-size-444"),
        pytest.param("mkv", STEADY, Look(pixels="yuvj420p"), id="full-range"),
        pytest.param("mp4", STEADY, Look(codec="libx265"), id="hevc"),
        pytest.param("mp4", STEADY, Look(codec="libx265", pixels="yuv420p10le"), id="hevc-10-bit"),
        pytest.param("mkv", STEADY, Look(codec="mpeg4"), id="mpeg4"),
        pytest.param("avi", STEADY, Look(codec="mjpeg", pixels="yuvj422p"), id="motion-jpeg"),
        pytest.param("ts", STEADY, Look(begin_ms=40_000), id="transport-stream-that-begins-late"),
    ],
)
@pytest.mark.parametrize(
    "span", [Span(0.0, 4.0), Span(3.33, 7.05), Span(9.5, 12.0)], ids=["start", "middle", "end"]
)
def test_a_clip_is_exact_to_the_frame(
    tmp_path: Path, suffix: str, times_s: list[float], look: Look, span: Span
) -> None:
    """It begins and ends between any two frames, keeps their times, and plays everywhere."""
    if look.codec == "mjpeg" and suffix == "avi":
        span = Span(round(span.start_s, 1), round(span.end_s, 1))
    source = draw(tmp_path / f"source.{suffix}", times_s, look)
    snapshot_s = (span.start_s + span.end_s) / 2
    made, folder = cut_one(tmp_path, whole(source, 12.0), span, snapshot_s)
    assert made.faults == {}
    clip = see(folder / CLIP)
    times, numbers = expected(times_s, span)
    assert clip.numbers == numbers
    assert clip.times_s == pytest.approx(times, abs=2e-3)
    assert (clip.codec, clip.pixels, clip.streams, clip.index_first) == ("h264", "yuv420p", 1, True)
    assert clip.size == (look.size[0] // 2 * 2, look.size[1] // 2 * 2)
    assert made.clip is not None
    assert made.clip.frames == len(clip.numbers)
    assert clip.duration_s == pytest.approx(made.clip.span.duration_s, abs=2e-3)
    assert number_in(folder / SNAPSHOT) == max(
        n for n, at_s in enumerate(times_s) if at_s <= snapshot_s + 1e-3
    )


def test_clips_that_overlap_are_each_exact(tmp_path: Path) -> None:
    """They share the work and nothing else: each begins with a key frame of its own."""
    source = draw(tmp_path / "source.mp4", STEADY)
    spans = {"a": Span(0.0, 5.0), "b": Span(0.0, 7.0), "c": Span(2.35, 6.0), "d": Span(4.5, 11.0)}
    folders = {name: tmp_path / name for name in spans}
    for folder in folders.values():
        folder.mkdir()
    wishes = [Wanted(name, span, span.start_s + 1, cut_short=False) for name, span in spans.items()]
    made = cut(whole(source, 12.0), wishes, folders, Limits(), lambda: True)
    for name, span in spans.items():
        assert made[name].faults == {}
        clip = see(folders[name] / CLIP)
        assert (clip.times_s, clip.numbers) == expected(STEADY, span)
        assert clip.duration_s == pytest.approx(span.duration_s, abs=1e-3)
        assert number_in(folders[name] / SNAPSHOT) == int(span.start_s * 10) + 10


def test_a_clip_joins_the_files_that_it_lies_in(tmp_path: Path) -> None:
    """Segments of a camera: parts of files one after another, cut in the middle of the first and of the last."""
    one, two = draw(tmp_path / "one.mp4", every(3)), draw(tmp_path / "two.mp4", every(3))
    parts = (Part(one, 0.5, 2.5, 100.0), Part(two, 1.0, 3.0, 102.0))
    made, folder = cut_one(tmp_path, parts, Span(101.0, 103.0), 102.05)
    assert made.faults == {}
    clip = see(folder / CLIP)
    assert clip.numbers == [*range(15, 25), *range(10, 20)]
    assert clip.times_s == pytest.approx([n / 10 for n in range(20)])
    assert number_in(folder / SNAPSHOT) == 10


def test_an_axis_may_begin_anywhere(tmp_path: Path) -> None:
    """Seconds since 1970, for one: clips are exact all the same."""
    source, epoch_s = draw(tmp_path / "one.mp4", every(4)), 1_793_000_000.25
    made, folder = cut_one(
        tmp_path, (Part(source, 0.0, 4.0, epoch_s),), Span(epoch_s + 1.0, epoch_s + 3.0), epoch_s + 2.0
    )
    assert made.faults == {}
    clip = see(folder / CLIP)
    assert clip.numbers == list(range(10, 30))
    assert clip.times_s == pytest.approx([n / 10 for n in range(20)], abs=1e-3)
    assert number_in(folder / SNAPSHOT) == 20


def test_over_a_gap_the_picture_stands_still(tmp_path: Path) -> None:
    """The clip keeps the clock of the source."""
    one, two = draw(tmp_path / "one.mp4", every(2)), draw(tmp_path / "two.mp4", every(2))
    parts = (Part(one, 0.0, 2.0, 0.0), Part(two, 0.0, 2.0, 5.0))
    made, folder = cut_one(tmp_path, parts, Span(1.0, 6.0))
    assert made.faults == {}
    clip = see(folder / CLIP)
    assert clip.times_s == pytest.approx([*(n / 10 for n in range(10)), *(4 + n / 10 for n in range(10))])
    assert clip.duration_s == pytest.approx(5.0, abs=1e-3)


def test_a_camera_that_changes_its_resolution_keeps_one_picture_size(tmp_path: Path) -> None:
    """That of the clip's first frame."""
    one = draw(tmp_path / "one.mp4", every(2))
    two = draw(tmp_path / "two.mp4", every(2), Look(size=(320, 192)))
    made, folder = cut_one(tmp_path, (Part(one, 0.0, 2.0, 0.0), Part(two, 0.0, 2.0, 2.0)), Span(1.0, 3.0))
    assert made.faults == {}
    clip = see(folder / CLIP)
    assert clip.size == SIZE
    assert clip.numbers == [*range(10, 20), *range(10)]


@pytest.mark.parametrize(
    ("look", "limits", "size"),
    [
        pytest.param(Look(size=(320, 192)), Limits(width=160, height=160), (160, 96), id="too-large"),
        pytest.param(Look(sar=Fraction(2, 1)), Limits(), (320, 96), id="pixels-that-are-not-square"),
        pytest.param(Look(size=(16, 400)), Limits(height=100), (4, 100), id="narrow"),
    ],
)
def test_the_picture_keeps_its_shape(
    tmp_path: Path, look: Look, limits: Limits, size: tuple[int, int]
) -> None:
    """Whatever becomes of its size."""
    source = draw(tmp_path / "source.mkv", every(2), look)
    made, folder = cut_one(tmp_path, whole(source, 2.0), Span(0.0, 2.0), limits=limits)
    assert made.faults == {}
    assert see(folder / CLIP).size == size


def test_a_clip_stays_below_its_limit_whatever_it_shows(tmp_path: Path) -> None:
    """Noise, which hardly becomes smaller: the encoder is held to the rate that the limit leaves."""
    source = draw(tmp_path / "source.mp4", every(8), Look(size=(320, 192), noise=True))
    limits = Limits(clip_bytes=300_000, snapshot_bytes=20_000)
    made, folder = cut_one(tmp_path, whole(source, 8.0), Span(0.0, 8.0), limits=limits)
    assert made.faults == {}
    assert source.stat().st_size > 10 * limits.clip_bytes
    assert (folder / CLIP).stat().st_size < limits.clip_bytes
    assert (folder / SNAPSHOT).stat().st_size <= limits.snapshot_bytes


def test_what_fits_into_no_limit_is_told(tmp_path: Path) -> None:
    """And not left lying there."""
    source = draw(tmp_path / "source.mp4", every(2))
    limits = Limits(clip_bytes=300, snapshot_bytes=20)
    made, folder = cut_one(tmp_path, whole(source, 2.0), Span(0.0, 2.0), limits=limits)
    assert made.faults == {CLIP: "it does not fit into 300 bytes", SNAPSHOT: "no picture fits into 20 bytes"}
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """For clip and snapshot alike; nothing half is left."""
    source = draw(tmp_path / "source.mp4", every(4), Look(noise=True))
    folder = tmp_path / "cut"
    folder.mkdir()
    for name in (CLIP, SNAPSHOT):
        (folder / name).symlink_to("/dev/full")
    made, _ = cut_one(tmp_path, whole(source, 4.0), Span(0.0, 4.0))
    assert made.faults == {CLIP: "No space left on device", SNAPSHOT: "No space left on device"}
    assert made.clip is None
    assert not (folder / CLIP).exists()


def test_a_source_that_ends_early_gives_what_it_has(tmp_path: Path) -> None:
    """The clip says how far it got; the last frame stands for a second at most."""
    source = draw(tmp_path / "source.mp4", every(4))
    made, folder = cut_one(tmp_path, whole(source, 10.0), Span(2.0, 10.0))
    assert made.clip is not None
    assert (made.clip.span.start_s, made.clip.span.end_s) == pytest.approx((2.0, 4.9))
    assert see(folder / CLIP).numbers == list(range(20, 40))


def test_a_frame_of_long_before_stands_for_nothing(tmp_path: Path) -> None:
    """Of what lies behind a source's end there is no clip."""
    source = draw(tmp_path / "source.mp4", every(4))
    made, folder = cut_one(tmp_path, whole(source, 60.0), Span(40.0, 50.0), 45.0)
    assert made.faults == dict.fromkeys((CLIP, SNAPSHOT), "no frame can be decoded there")
    assert list(folder.iterdir()) == []


def test_a_folder_that_went_away_is_told(tmp_path: Path) -> None:
    """Neither file can be opened there."""
    source = draw(tmp_path / "source.mp4", every(2))
    wish = Wanted("one", Span(0.0, 2.0), 1.0, cut_short=False)
    made = cut(whole(source, 2.0), [wish], {"one": tmp_path / "gone"}, Limits(), lambda: True)["one"]
    assert made.faults == dict.fromkeys((CLIP, SNAPSHOT), "No such file or directory")


def test_damage_in_the_middle_costs_only_itself(tmp_path: Path) -> None:
    """What can be decoded is shown at its own time."""
    source = draw(tmp_path / "source.ts", every(12), Look(key_frames=5))
    data = bytearray(source.read_bytes())
    middle = len(data) // 2
    hole = len(data) // 10
    data[middle : middle + hole] = bytes(hole)
    source.write_bytes(data)
    made, folder = cut_one(tmp_path, whole(source, 12.0), Span(0.0, 12.0))
    clip = see(folder / CLIP)
    assert {0, 1, 2, 3, 116, 117, 118, 119} <= set(clip.numbers)
    assert clip.times_s[-1] == pytest.approx(11.9, abs=2e-3)
    assert made.clip is not None


@pytest.mark.parametrize("content", [None, b"", b"not a video" * 100], ids=["missing", "empty", "text"])
def test_a_source_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    """By its name, without its folder."""
    source = tmp_path / "source.mp4"
    if content is not None:
        source.write_bytes(content)
    made, folder = cut_one(tmp_path, whole(source, 10.0), Span(2.0, 10.0))
    assert made.faults == dict.fromkeys((CLIP, SNAPSHOT), "no frame can be decoded there")
    assert made.notes.unreadable == ["source.mp4"]
    assert list(folder.iterdir()) == []


def test_a_file_with_sound_alone_is_named(tmp_path: Path) -> None:
    """It holds no picture."""
    source = tmp_path / "voice.mp4"
    with av.open(str(source), "w") as container:
        voice = container.add_stream("aac", rate=16000)
        container.mux(voice.encode(None))
    made, _ = cut_one(tmp_path, whole(source, 10.0), Span(2.0, 10.0))
    assert made.notes.unreadable == ["voice.mp4"]


def test_one_bad_segment_costs_only_itself(tmp_path: Path) -> None:
    """Its neighbours are shown."""
    good, bad = draw(tmp_path / "good.mp4", every(2)), tmp_path / "bad.mp4"
    bad.write_bytes(b"nothing")
    parts = (Part(bad, 0.0, 2.0, 0.0), Part(good, 0.0, 2.0, 2.0))
    made, folder = cut_one(tmp_path, parts, Span(1.0, 3.0))
    assert made.notes.unreadable == ["bad.mp4"]
    assert see(folder / CLIP).numbers[-1] == 9


def test_a_service_that_stops_does_not_wait(tmp_path: Path) -> None:
    """It asks before every frame."""
    source = draw(tmp_path / "source.mp4", every(4))
    asked = iter([True, True, False])
    folder = tmp_path / "cut"
    folder.mkdir()
    wish = Wanted("one", Span(0.0, 4.0), 1.0, cut_short=False)
    with pytest.raises(Stopped):
        cut(whole(source, 4.0), [wish], {"one": folder}, Limits(), lambda: next(asked))
    assert next(asked, None) is None
