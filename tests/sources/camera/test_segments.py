"""Names that carry everything, and an index that answers exactly."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.camera.segments import (
    Footage,
    Segment,
    SegmentIndex,
    Stamp,
    camera_name,
    file_name,
    folder_name,
    read_name,
)
from tests.sources.camera.hands import START_AT, at

FOOTAGE = Footage("h264", 1920, 1080, 2, Stamp.NTP)


def segment(start_s: float, end_s: float, camera: str = "cam1", size_bytes: int = 100) -> Segment:
    """A segment."""
    path = Path(folder_name(camera)) / file_name(at(start_s), at(end_s), FOOTAGE)
    return Segment(camera, at(start_s), at(end_s), path, size_bytes, FOOTAGE)


@given(
    st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001 - hypothesis wants bounds without zone
    st.integers(1, 10**10),
    st.builds(
        Footage,
        st.sampled_from(["h264", "hevc"]),
        st.integers(2, 8192),
        st.integers(2, 8192),
        st.integers(1, 99),
        st.sampled_from(list(Stamp)),
    ),
)
def test_a_name_carries_everything(start_at: dt.datetime, micros: int, footage: Footage) -> None:
    """What is written is read."""
    end_at = start_at + dt.timedelta(microseconds=micros)
    path = Path("cam1") / file_name(start_at, end_at, footage)
    assert read_name("cam1", path, 5) == Segment("cam1", start_at, end_at, path, 5, footage)


def test_names_are_in_utc() -> None:
    """Whatever zone an instant is given in."""
    korea = dt.timezone(dt.timedelta(hours=9))
    assert file_name(START_AT.astimezone(korea), at(2).astimezone(korea), FOOTAGE) == file_name(
        START_AT, at(2), FOOTAGE
    )


def test_names_sort_by_time() -> None:
    """As people list folders."""
    names = [file_name(at(s), at(s + 2), FOOTAGE) for s in (0, 2, 7, 59, 61, 3600, 86_400)]
    assert names == sorted(names)


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "20260501T080000.000000Z_2000000us_h264_1920x1080_2k_ntp.mp4.part",
        "20260501T080000.000000Z_2000000us_h264_1920x1080_2k_ntp.mkv",
        "20269901T080000.000000Z_2000000us_h264_1920x1080_2k_ntp.mp4",
        "20260501T080000.000000Z_99999999999999999999us_h264_1920x1080_2k_ntp.mp4",
        "20260501T080000.000000Z_2000000us_vp9_1920x1080_2k_ntp.mp4",
        "x20260501T080000.000000Z_2000000us_h264_1920x1080_2k_ntp.mp4",
    ],
)
def test_what_is_no_segment(name: str) -> None:
    """Other files, unfinished ones, and times that no calendar has."""
    assert read_name("cam1", Path(name), 1) is None


@given(st.text(min_size=1, max_size=64))
def test_every_camera_has_its_own_folder(name: str) -> None:
    """Whatever its name, one folder, which says whose it is and leads nowhere else."""
    try:
        folder = folder_name(name)
    except UnicodeEncodeError:
        return  # half a character: names come as UTF-8 and never hold it
    assert camera_name(folder) == name
    assert "/" not in folder
    assert folder not in {".", ".."}
    assert Path(folder).parts == (folder,)


def test_a_segments_length() -> None:
    """In seconds."""
    assert segment(1, 3.5).duration_s == 2.5


@pytest.fixture
def index() -> SegmentIndex:
    """cam1 from 0 to 10 without 4 to 6, and cam10 from 0 to 4."""
    spans = [(0, 2), (2, 4), (6, 8), (8, 10)]
    return SegmentIndex([*(segment(*span) for span in reversed(spans)), segment(0, 4, "cam10")])


@pytest.mark.parametrize(
    ("start_s", "end_s", "starts"),
    [
        pytest.param(0, 10, [0, 2, 6, 8], id="all"),
        pytest.param(2, 4, [2], id="exactly-one"),
        pytest.param(1.9, 2.1, [0, 2], id="across-a-border"),
        pytest.param(4, 6, [], id="a-gap"),
        pytest.param(3.999, 6.001, [2, 6], id="both-sides-of-a-gap"),
        pytest.param(-5, 0, [], id="before"),
        pytest.param(10, 15, [], id="after"),
        pytest.param(9.999, 99, [8], id="the-last-moment"),
        pytest.param(3, 3, [], id="no-time-at-all"),
        pytest.param(5, 3, [], id="backwards"),
        pytest.param(0.5, 0.6, [0], id="inside-one"),
    ],
)
def test_what_covers_a_span(index: SegmentIndex, start_s: float, end_s: float, starts: list[float]) -> None:
    """Half-open on both sides."""
    assert [found.start_at for found in index.covering("cam1", at(start_s), at(end_s))] == [
        at(s) for s in starts
    ]


def test_cam1_is_not_cam10(index: SegmentIndex) -> None:
    """Nor is either a prefix of anything."""
    assert [found.camera for found in index.covering("cam10", at(0), at(99))] == ["cam10"]
    assert index.covering("cam", at(0), at(99)) == ()
    assert index.cameras() == ("cam1", "cam10")


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 30)), max_size=30, unique_by=lambda span: span[0]),
    st.integers(-10, 140),
    st.integers(-10, 140),
)
def test_the_index_answers_as_a_plain_search_does(
    spans: list[tuple[int, int]], start_s: int, end_s: int
) -> None:
    """Even where segments overlap, as a clock that was wrong may have left them."""
    segments = [segment(start, start + length) for start, length in spans]
    wanted = sorted(
        (
            each
            for each in segments
            if each.start_at < at(end_s) and each.end_at > at(start_s) and start_s < end_s
        ),
        key=lambda each: each.start_at,
    )
    assert list(SegmentIndex(segments).covering("cam1", at(start_s), at(end_s))) == wanted


def test_what_is_removed_is_gone(index: SegmentIndex) -> None:
    """Once; and what is not known is no harm."""
    before = index.size_bytes
    index.remove(segment(2, 4))
    index.remove(segment(2, 4))
    index.remove(segment(2, 4, "nobody"))
    assert [each.start_at for each in index.segments("cam1")] == [at(0), at(6), at(8)]
    assert index.size_bytes == before - 100


def test_of_two_with_one_start_the_right_one_is_removed() -> None:
    """By all that they are."""
    index = SegmentIndex([segment(0, 2), segment(0, 3)])
    index.remove(segment(0, 3))
    assert index.segments("cam1") == (segment(0, 2),)


def test_the_latest(index: SegmentIndex) -> None:
    """Of each camera."""
    latest = index.latest("cam1")
    assert latest is not None
    assert latest.end_at == at(10)
    assert index.latest("nobody") is None
    assert index.segments("nobody") == ()


def test_bytes_are_counted(index: SegmentIndex) -> None:
    """Of all cameras together."""
    assert index.size_bytes == 500
    assert SegmentIndex().size_bytes == 0
    assert SegmentIndex().cameras() == ()
