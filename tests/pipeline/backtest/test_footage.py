"""Footage: a file as it is, or what the ring holds of a camera, whole seconds or whole segments, without touching either."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import av
import pytest

from extension.errors import BadInput, BadSource, NotFound
from extension.model import Span
from extension.pipeline.backtest.footage import Recorded, VideoFile, recorded, reels_of
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Footage, Segment, Stamp
from tests.evidence.films import SIZE, Look, draw, every
from tests.pipeline.backtest.samples import START

FORM = Footage("h264", *SIZE, 1, Stamp.ARRIVAL)


def film(folder: Path, name: str = "yard.mp4", length_s: float = 6.0) -> Path:
    """A video of some seconds."""
    return draw(folder / name, every(length_s), Look())


def ring_of(folder: Path, *starts_s: float, camera: str = "gate", length_s: float = 2.0) -> Path:
    """A ring with segments of 2 s that begin so many seconds after the start."""
    ring = Ring(folder / "ring", reserve_bytes=0)
    piece = draw(folder / "piece.mp4", every(length_s), Look()).read_bytes()
    for start_s in starts_s:
        start_at = START + dt.timedelta(seconds=start_s)
        ring.store(camera, start_at, start_at + dt.timedelta(seconds=length_s), FORM, [piece])
    return folder / "ring"


def at(seconds: float) -> dt.datetime:
    """An instant."""
    return START + dt.timedelta(seconds=seconds)


def frames_of(path: Path) -> int:
    """How many pictures a file has."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_a_file_is_shown_as_it_is(tmp_path: Path) -> None:
    """The part is rounded outward to whole seconds, and ends with the file."""
    footage = VideoFile(film(tmp_path))
    assert footage.name == "yard.mp4"
    assert footage.length_s == pytest.approx(6.0, abs=0.15)
    assert footage.start_at is None
    with footage.shown(Span(1.5, 3.5)) as reel:
        assert reel is not None
        assert (reel.path, reel.part, reel.start_s, reel.passing) == (
            footage.path,
            Span(1.0, 4.0),
            0.0,
            False,
        )
    with footage.shown(Span(4.0, footage.length_s)) as reel:
        assert reel is not None
        assert reel.part == Span(4.0, footage.length_s)
    assert footage.path.is_file()


def test_motions_of_a_file_reach_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    """Measured once."""
    footage = VideoFile(film(tmp_path))
    parts = footage.motions()
    assert parts[0].span.start_s == 0.0
    assert parts[-1].span.end_s == pytest.approx(footage.length_s, abs=0.25)
    assert footage.motions() is parts


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"no film at all" * 100, "is not a video", id="no-video"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    """By name."""
    path = tmp_path / "notes.mp4"
    path.write_bytes(content)
    with pytest.raises(BadSource, match=words):
        reels_of([path])


def test_files_that_are_not_there_are_refused_without_their_folder(tmp_path: Path) -> None:
    """Before anything is started."""
    with pytest.raises(BadInput, match=r"nowhere\.mp4: there is no such file") as caught:
        reels_of([film(tmp_path), tmp_path / "nowhere.mp4"])
    assert str(tmp_path) not in str(caught.value)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    """Nobody could tell which is meant."""
    (tmp_path / "b").mkdir()
    with pytest.raises(BadInput, match="the same name"):
        reels_of([film(tmp_path), film(tmp_path / "b")])


def test_the_ring_is_read_and_not_touched(tmp_path: Path) -> None:
    """A service may be writing there: its part files stay."""
    root = ring_of(tmp_path, 0, 2, 4)
    part = next(root.glob("*/*")) / "being-written.mp4.part"
    part.write_bytes(b"half")
    assert sorted(segment.start_at for segment in recorded(root, "gate")) == [at(0), at(2), at(4)]
    assert part.is_file()


def test_only_this_camera_is_meant(tmp_path: Path) -> None:
    """Not one whose name begins so, and no empty or foreign file."""
    root = ring_of(tmp_path, 0, camera="cam1")
    ring_of(tmp_path, 0, 2, 4, camera="cam10")
    day = next((root / "cam1").glob("*"))
    (day / "notes.mp4").write_bytes(b"x")
    (day / next(day.glob("2026*")).name.replace("h264", "hevc")).touch()
    assert len(list(recorded(root, "cam1"))) == 1


def test_footage_of_the_ring_is_what_lies_between_two_instants(tmp_path: Path) -> None:
    """On the wall clock; without them all of it."""
    root = ring_of(tmp_path, 0, 2, 4, 6)
    whole = Recorded(root, "gate", None, None, tmp_path / "windows")
    assert (whole.start_at, whole.length_s) == (at(0), 8.0)
    part = Recorded(root, "gate", at(3), at(5.5), tmp_path / "windows")
    assert (part.start_at, part.length_s) == (at(3), 2.5)
    wide = Recorded(root, "gate", at(-60), at(60), tmp_path / "windows")
    assert (wide.start_at, wide.length_s) == (at(0), 8.0)


def test_a_window_of_the_ring_is_joined_and_put_away(tmp_path: Path) -> None:
    """Whole segments, as a live window has them; its times begin with its first segment."""
    footage = Recorded(ring_of(tmp_path, 0, 2, 4, 6), "gate", at(1), None, tmp_path / "windows")
    with footage.shown(Span(2.0, 4.0)) as reel:
        assert reel is not None
        assert (reel.start_s, reel.length_s, reel.part, reel.passing) == (1.0, 4.0, Span(0.0, 4.0), True)
        assert frames_of(reel.path) == 40
    assert not reel.path.exists()


def test_a_window_is_put_away_however_it_ends(tmp_path: Path) -> None:
    """Also when the look at it goes wrong."""
    footage = Recorded(ring_of(tmp_path, 0, 2), "gate", None, None, tmp_path / "windows")

    def look() -> None:
        with footage.shown(Span(0.0, 4.0)):
            raise BadSource("no picture")

    with pytest.raises(BadSource, match="no picture"):
        look()
    assert not list((tmp_path / "windows").iterdir())


def test_a_hole_shows_nothing(tmp_path: Path) -> None:
    """Where no segment is."""
    footage = Recorded(ring_of(tmp_path, 0, 20), "gate", None, None, tmp_path / "windows")
    with footage.shown(Span(5.0, 15.0)) as reel:
        assert reel is None


def test_motions_of_the_ring_are_those_of_its_segments(tmp_path: Path) -> None:
    """On the footage's own seconds."""
    footage = Recorded(ring_of(tmp_path, 0, 2, 20), "gate", at(1), None, tmp_path / "windows")
    parts = footage.motions()
    assert [part.span for part in parts] == [Span(-1.0, 1.0), Span(1.0, 3.0), Span(19.0, 21.0)]
    assert all(part.motion is not None for part in parts)
    assert footage.motions() is parts


@pytest.mark.parametrize(
    ("camera", "from_s", "to_s", "words"),
    [
        pytest.param("door", None, None, "holds nothing of a camera 'door'", id="unknown"),
        pytest.param("gate", 100, 200, "at that time, only 2026-05-04T10:00:00", id="later"),
        pytest.param("gate", -200, -100, "at that time", id="earlier"),
        pytest.param("../gate", None, None, "holds nothing", id="no-way-out"),
    ],
)
def test_footage_that_is_not_there_is_said_so(
    tmp_path: Path, camera: str, from_s: float | None, to_s: float | None, words: str
) -> None:
    """And what there is instead."""
    root = ring_of(tmp_path, 0, 2)
    begin, end = (None if s is None else at(s) for s in (from_s, to_s))
    with pytest.raises(NotFound, match=words):
        Recorded(root, camera, begin, end, tmp_path / "windows")


def test_a_segment_that_goes_meanwhile_is_a_fault_of_its_window(tmp_path: Path) -> None:
    """The ring lets go of what is old while it is watched."""
    footage = Recorded(ring_of(tmp_path, 0, 2, 4), "gate", None, None, tmp_path / "windows")
    first: Segment = footage.segments[0]
    first.path.unlink()

    def look() -> None:
        with footage.shown(Span(0.0, 4.0)):
            pass

    with pytest.raises(BadSource, match="cannot be joined"):
        look()
    with footage.shown(Span(4.0, 6.0)) as reel:
        assert reel is not None
