"""A plain file is measured in one pass as a camera's segments are, and nothing of real events is taken for stillness."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from extension.errors import BadSource
from extension.sources.motion.film import motions
from extension.sources.motion.meter import Meter
from tests.sources.motion.stage import Stage, faller, walker


def test_the_pieces_of_a_file_leave_no_gap(tmp_path: Path) -> None:
    """From its first frame to its last, about two seconds each."""
    parts = list(motions(Stage().film(tmp_path / "a.mp4", 0, 9)))
    assert parts[0].span.start_s == 0
    assert all(one.span.end_s == other.span.start_s for one, other in pairwise(parts))
    assert all(1.75 <= part.span.duration_s <= 3 for part in parts[:-1])
    assert parts[-1].span.end_s == pytest.approx(8.9)


def test_a_file_is_measured_as_segments_are(tmp_path: Path) -> None:
    """The same place cut by a camera and in one piece."""
    stage = Stage((faller(6.4),))
    whole = [part.motion for part in motions(stage.film(tmp_path / "whole.mp4", 0, 14))]
    meter = Meter()
    cut = [meter.motion(one) for one in stage.segments(tmp_path, 14)]
    assert [m and m.moving for m in whole] == [m and m.moving for m in cut]


def test_a_file_with_rare_key_frames_is_cut_all_the_same(tmp_path: Path) -> None:
    """Ten seconds at most."""
    path = Stage((walker(0.3, from_s=12.0),)).film(tmp_path / "a.mp4", 0, 24, key_every_s=100.0)
    parts = list(motions(path))
    assert [round(part.span.start_s) for part in parts] == [0, 10, 20]
    assert [part.motion is not None and part.motion.moving for part in parts] == [False, True, True]
    assert parts[1].motion is not None
    assert parts[1].motion.moving_s == pytest.approx(8.0, abs=1.0)


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    """By its name."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"nothing")
    with pytest.raises(BadSource, match=r"'a\.mp4'"):
        list(motions(path))


@pytest.mark.footage
@pytest.mark.parametrize(
    ("name", "start_s", "end_s"),
    [
        pytest.param("assist_fall_05_vertical_fall_faint.mp4", 2.35, 3.6, id="a-faint"),
        pytest.param("gmdcsa_subject_1_fall_15.mp4", 1.95, 2.6, id="a-fall-from-a-chair"),
        pytest.param("furg_house6_fire.mp4", 0.0, 30.0, id="a-fire"),
    ],
)
def test_real_events_move(footage: Path, name: str, start_s: float, end_s: float) -> None:
    """Every piece that shares any moment with them."""
    inside = [p for p in motions(footage / name) if p.span.start_s < end_s and p.span.end_s > start_s]
    assert inside
    assert all(part.motion is not None and part.motion.moving for part in inside)
