"""Which segments have to go."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.camera.retention import Retention, surplus
from extension.sources.camera.segments import Footage, Segment, Stamp
from tests.sources.camera.hands import at

FOOTAGE = Footage("h264", 64, 48, 1, Stamp.NTP)


def segment(camera: str, start_s: float, size_bytes: int = 10) -> Segment:
    """Two seconds of a camera."""
    return Segment(camera, at(start_s), at(start_s + 2), Path(f"{camera}-{start_s}"), size_bytes, FOOTAGE)


def gone(cameras: list[list[Segment]], now_s: float, keep: Retention) -> list[tuple[str, float]]:
    """Camera and start of what has to go."""
    size_bytes = sum(each.size_bytes for camera in cameras for each in camera)
    found = surplus(cameras, size_bytes, at(now_s), keep)
    return [(each.camera, (each.start_at - at(0)).total_seconds()) for each in found]


ONE = [segment("a", s) for s in (0, 2, 4, 6)]
OTHER = [segment("b", s) for s in (1, 3, 5, 7)]


@pytest.mark.parametrize(
    ("now_s", "keep", "wanted"),
    [
        pytest.param(8, Retention(3600, 1000), [], id="enough-room-and-young"),
        pytest.param(12, Retention(10, 1000), [("a", 0)], id="too-old-by-its-end"),
        pytest.param(11.9, Retention(10, 1000), [], id="not-yet-too-old"),
        pytest.param(14.5, Retention(10, 1000), [("a", 0), ("b", 1), ("a", 2)], id="of-every-camera"),
        pytest.param(8, Retention(3600, 60), [("a", 0), ("b", 1)], id="too-much-the-oldest-go"),
        pytest.param(8, Retention(3600, 61), [("a", 0), ("b", 1)], id="a-byte-too-little-room"),
        pytest.param(
            8,
            Retention(3600, 0),
            [("a", 0), ("b", 1), ("a", 2), ("b", 3), ("a", 4), ("b", 5), ("a", 6), ("b", 7)],
            id="no-room",
        ),
        pytest.param(
            99,
            Retention(1, 10**9),
            [("a", 0), ("b", 1), ("a", 2), ("b", 3), ("a", 4), ("b", 5), ("a", 6), ("b", 7)],
            id="all-too-old",
        ),
    ],
)
def test_what_goes(now_s: float, keep: Retention, wanted: list[tuple[str, float]]) -> None:
    """Oldest first, whichever camera it is of."""
    assert gone([ONE, OTHER], now_s, keep) == wanted


def test_nothing_has_to_go_of_nothing() -> None:
    """No cameras."""
    assert gone([], 0, Retention(0, 0)) == []


def test_segments_from_the_future_stay_until_room_is_wanted() -> None:
    """A clock that was wrong once deletes nothing."""
    assert gone([[segment("a", 10_000)]], 0, Retention(1, 100)) == []
    assert gone([[segment("a", 10_000)]], 0, Retention(1, 5)) == [("a", 10_000.0)]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 500), st.integers(1, 50)), max_size=15, unique_by=lambda s: s[0]),
        max_size=4,
    ),
    st.integers(0, 600),
    st.integers(0, 300),
    st.integers(0, 2000),
)
def test_what_stays_is_young_and_little(
    given_cameras: list[list[tuple[int, int]]], now_s: int, age_s: int, most_bytes: int
) -> None:
    """What stays keeps both rules, and nothing goes that both rules would have kept."""
    cameras = [
        [segment(str(i), s, size) for s, size in sorted(spans)] for i, spans in enumerate(given_cameras)
    ]
    everything = [each for camera in cameras for each in camera]
    size_bytes = sum(each.size_bytes for each in everything)
    found = surplus(cameras, size_bytes, at(now_s), Retention(age_s, most_bytes))
    stays = [each for each in everything if each not in found]
    assert sum(each.size_bytes for each in stays) <= most_bytes
    assert all(each.end_at > at(now_s - age_s) for each in stays)
    if found and found[-1].end_at > at(now_s - age_s):
        assert sum(each.size_bytes for each in stays) + found[-1].size_bytes > most_bytes
    assert all(old.start_at <= young.start_at for old in found for young in stays)
