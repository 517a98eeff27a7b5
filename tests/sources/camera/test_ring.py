"""Segments on a real disk."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from extension.sources.camera.retention import Retention
from extension.sources.camera.ring import Ring, free_bytes
from extension.sources.camera.segments import Footage, Segment, Stamp, folder_name
from extension.sources.camera.trouble import CameraTrouble, Code
from tests.sources.camera.hands import at

FOOTAGE = Footage("hevc", 320, 240, 2, Stamp.ARRIVAL)


def store(
    ring: Ring, start_s: float, camera: str = "cam1", pieces: tuple[bytes, ...] = (b"head", b"body")
) -> Segment:
    """Write two seconds of a camera."""
    return ring.store(camera, at(start_s), at(start_s + 2), FOOTAGE, pieces)


def files(root: Path) -> list[Path]:
    """Everything on the disk."""
    return sorted(path for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("fsync", [False, True])
def test_a_segment_is_written_whole(tmp_path: Path, *, fsync: bool) -> None:
    """Under its name, in its camera's folder and its day's, without anything left over."""
    ring = Ring(tmp_path / "ring", fsync=fsync, reserve_bytes=0)
    segment = store(ring, 0)
    assert files(tmp_path) == [segment.path]
    assert segment.path.read_bytes() == b"headbody"
    assert segment.size_bytes == 8
    assert segment.path.relative_to(ring.root).parts[:2] == ("cam1", "20260501")
    assert ring.index.covering("cam1", at(1), at(1.5)) == (segment,)


def test_a_segment_of_very_many_pieces(tmp_path: Path) -> None:
    """More than one call of the system takes."""
    pieces = tuple(bytes([i % 256]) * 7 for i in range(3000))
    segment = store(Ring(tmp_path, reserve_bytes=0), 0, pieces=pieces)
    assert segment.path.read_bytes() == b"".join(pieces)


def test_the_index_survives_a_restart(tmp_path: Path) -> None:
    """All of it is read from the folder; every camera keeps its own."""
    before = Ring(tmp_path, reserve_bytes=0)
    written = [
        store(before, s, camera) for camera in ("cam1", "cam10", "정문/2", "..") for s in (0, 2, 86_400)
    ]
    after = Ring(tmp_path)
    assert after.index.cameras() == tuple(sorted(("cam1", "cam10", "정문/2", "..")))
    assert sorted(written, key=str) == sorted(
        (segment for camera in after.index.cameras() for segment in after.index.segments(camera)), key=str
    )
    assert after.index.size_bytes == sum(segment.size_bytes for segment in written)
    assert [segment.start_at for segment in after.index.covering("cam1", at(0), at(99))] == [at(0), at(2)]


def test_what_a_crash_left_behind_is_cleared_away(tmp_path: Path) -> None:
    """Part files and empty ones; what is not ours is left alone."""
    segment = store(Ring(tmp_path, reserve_bytes=0), 0)
    part = segment.path.with_name(segment.path.name + ".part")
    empty = segment.path.with_name(segment.path.name.replace("080000", "080010"))
    note = segment.path.with_name("note.txt")
    foreign = tmp_path / "not ours%" / "x" / segment.path.name
    part.write_bytes(b"half")
    empty.touch()
    note.write_text("hello")
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"x")
    (tmp_path / "file").write_text("beside the folders")
    ring = Ring(tmp_path)
    assert ring.index.cameras() == ("cam1",)
    assert ring.index.segments("cam1") == (segment,)
    assert not part.exists()
    assert not empty.exists()
    assert note.exists()
    assert foreign.exists()


def test_old_segments_go(tmp_path: Path) -> None:
    """From disk and index, and empty days with them."""
    ring = Ring(tmp_path, Retention(age_s=10), reserve_bytes=0)
    old, young = store(ring, 0), store(ring, 86_400)
    assert ring.trim(at(86_405)) == (old,)
    assert files(tmp_path) == [young.path]
    assert not old.path.parent.exists()
    assert ring.index.segments("cam1") == (young,)
    assert ring.trim(at(86_405)) == ()


def test_too_many_bytes_go(tmp_path: Path) -> None:
    """The oldest of all cameras."""
    ring = Ring(tmp_path, Retention(most_bytes=20), reserve_bytes=0)
    written = [store(ring, 0), store(ring, 1, "cam2"), store(ring, 2)]
    assert ring.trim(at(3)) == (written[0],)
    assert ring.index.size_bytes == 16


def test_a_segment_that_somebody_else_deleted(tmp_path: Path) -> None:
    """Is let go of without a word."""
    ring = Ring(tmp_path, Retention(age_s=1), reserve_bytes=0)
    segment = store(ring, 0)
    segment.path.unlink()
    assert ring.trim(at(100)) == (segment,)


def test_a_segment_that_cannot_be_deleted_is_tried_again(tmp_path: Path) -> None:
    """And does not keep the others."""
    ring = Ring(tmp_path, Retention(age_s=1), reserve_bytes=0)
    stuck, other = store(ring, 0), store(ring, 0, "cam2")
    stuck.path.unlink()
    stuck.path.mkdir()
    assert ring.trim(at(100)) == (other,)
    stuck.path.rmdir()
    assert ring.trim(at(100)) == (stuck,)


def test_a_disk_without_reserve_is_full(tmp_path: Path) -> None:
    """Before it really is; when there is room again, so is writing."""
    room = [1000]
    ring = Ring(tmp_path, reserve_bytes=995, room=lambda _: room[0])
    with pytest.raises(CameraTrouble) as found:
        store(ring, 0)
    assert found.value.code is Code.DISK_FULL
    assert files(tmp_path) == []
    assert ring.index.size_bytes == 0
    room[0] = 10_000
    assert store(ring, 2).path.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB, where one can be made."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be made here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    """One clear error, nothing half-written stays, what was there stays; then there is room again."""
    ring = Ring(small_disk, Retention(age_s=1), reserve_bytes=0, room=lambda _: 10**9)
    first = store(ring, 0, pieces=(b"x" * 40_000,))
    for pieces in ((b"y" * 40_000,), tuple(b"y" * 10 for _ in range(4000))):
        with pytest.raises(CameraTrouble, match="full") as found:
            store(ring, 2, pieces=pieces)
        assert found.value.code is Code.DISK_FULL
        assert files(small_disk) == [first.path]
    ring.trim(at(100))
    assert store(ring, 4, pieces=(b"z" * 40_000,)).path.stat().st_size == 40_000


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Says so, without the folder's name."""
    ring = Ring(tmp_path, reserve_bytes=0)
    (tmp_path / folder_name("cam1")).write_text("in the way")
    with pytest.raises(CameraTrouble) as found:
        store(ring, 0)
    assert found.value.code is Code.UNWRITABLE
    assert str(tmp_path) not in str(found.value)
    assert store(ring, 0, "cam2").path.exists()


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    """One clear error at the start."""
    (tmp_path / "ring").write_text("in the way")
    with pytest.raises(CameraTrouble) as found:
        Ring(tmp_path / "ring")
    assert found.value.code is Code.UNWRITABLE


def test_room_on_the_disk(tmp_path: Path) -> None:
    """As the system has it."""
    assert free_bytes(tmp_path) == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)
