"""Segments are measured once each, in their order, every camera by itself; what cannot be read cannot be told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from extension.sources.motion.meter import KEPT, Meter
from extension.sources.motion.sketches import Recording
from tests.sources.motion.stage import Stage, faller, segment, walker


def test_a_camera_that_sees_nothing_and_then_a_fall(tmp_path: Path) -> None:
    """Through real files: still, moving, still."""
    meter = Meter()
    moving = []
    for one in Stage((faller(6.4),)).segments(tmp_path, 14):
        motion = meter.motion(one)
        assert motion is not None
        moving.append(motion.moving)
    assert moving[:3] == [False] * 3
    assert any(moving[3:5])
    assert moving[5:] == [False] * 2


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_fall_between_key_frames_is_not_missed(tmp_path: Path, codec: str) -> None:
    """A key frame every two seconds, the fall right after one: the segment in which it happens moves, not the next."""
    meter = Meter()
    stage = Stage((faller(8.4),))
    found = [meter.motion(one) for one in stage.segments(tmp_path, 10, key_every_s=2.0, codec=codec)]
    assert [motion is not None and motion.moving for motion in found] == [False] * 4 + [True]


def test_a_walker_far_away_is_seen_throughout(tmp_path: Path) -> None:
    """A twentieth of the picture's height, in noise."""
    meter = Meter()
    stage = Stage((walker(0.05),), size=(640, 360))
    found = [meter.motion(one) for one in stage.segments(tmp_path, 6)]
    assert all(motion is not None and motion.moving for motion in found)
    assert all(motion is not None and motion.share < 0.01 for motion in found)


def test_noise_and_flicker_are_stillness(tmp_path: Path) -> None:
    """A static place under a lamp that flickers by a twentieth."""
    meter = Meter()
    stage = Stage(noise=6.0, light=lambda at_s: 1.05 if int(at_s * 10) % 3 else 0.95)
    found = [meter.motion(one) for one in stage.segments(tmp_path, 8)]
    assert not any(motion is None or motion.moving for motion in found)


def test_a_segment_is_read_once(tmp_path: Path) -> None:
    """Windows overlap: its file may even be gone."""
    meter = Meter()
    (one,) = Stage((walker(0.3),)).segments(tmp_path, 2)
    first = meter.motion(one)
    one.path.unlink()
    assert meter.motion(one) is first
    assert first is not None


def test_what_is_remembered_is_bounded(tmp_path: Path) -> None:
    """The oldest is measured again."""
    meter = Meter()
    (one,) = Stage().segments(tmp_path, 2)
    assert meter.motion(one) is not None
    for index in range(KEPT):
        assert meter.motion(segment("gate", tmp_path / f"none-{index}.mp4", 2.0 + index)) is None
    one.path.unlink()
    assert meter.motion(one) is None


def test_cameras_are_measured_by_themselves(tmp_path: Path) -> None:
    """What the one sees is nothing to the other, whatever their names."""
    meter = Meter()
    left = Stage().segments(tmp_path, 4, camera="cam1")
    right = Stage((walker(0.3),)).segments(tmp_path, 4, camera="cam10")
    for one, other in zip(left, right, strict=True):
        still, moving = meter.motion(one), meter.motion(other)
        assert still is not None
        assert moving is not None
        assert (still.moving, moving.moving) == (False, True)


def test_a_segment_that_cannot_be_read_is_not_still(tmp_path: Path) -> None:
    """Nothing can be told of it; the next one is compared with what came before."""
    meter = Meter()
    segments = list(Stage().segments(tmp_path, 6))
    segments[1].path.write_bytes(b"nothing")
    found = [meter.motion(one) for one in segments]
    assert found[1] is None
    assert all(motion is not None and not motion.moving for motion in (found[0], found[2]))


def test_a_segment_from_before_does_not_disturb(tmp_path: Path) -> None:
    """One that is asked for late is measured by itself, and the scene goes on from the latest."""
    meter = Meter()
    stage = Stage((faller(2.4),))
    first, second, third = stage.segments(tmp_path, 6)
    meter.motion(second)
    late = meter.motion(first)
    assert late is not None
    assert not late.moving
    after = meter.motion(third)
    assert after is not None
    assert not after.moving, "compared with the second, in which he lies already"


def test_two_threads_measure_a_segment_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that measures ahead and the one that needs it now."""
    meter = Meter()
    read: list[Path] = []

    def reading(path: Path) -> Recording:
        read.append(path)
        return Recording(path)

    monkeypatch.setattr("extension.sources.motion.meter.Recording", reading)
    (one,) = Stage((walker(0.3),)).segments(tmp_path, 2)
    threads = [threading.Thread(target=meter.motion, args=(one,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert read == [one.path]
