"""Logs read before: found again at once, never half, never another's; columns on disk are the same as in memory."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import subprocess
import sys
import zoneinfo
from pathlib import Path

import numpy as np
import pytest

from extension.errors import BadTrajectory
from extension.timetravel import log_cache, log_gather, trajectory_csv
from extension.timetravel.contacts import contacts
from extension.timetravel.log_columns import Files, Index, Memory, mapped, read_index, write_index
from extension.timetravel.trajectory import Trajectory
from extension.timetravel.trajectory_csv import parse_trajectory, read_trajectory

HEADER = "timestamp,objid,x,y,z\n"
LINES = [
    f"2025-01-01 00:{tick // 300:02d}:{tick // 5 % 60:02d}.{tick % 5 * 200:03d},obj{n:03d},{tick % 50 * n},0,{tick % 9}\n"
    for tick in range(400)
    for n in (1, 2, 3)
]
TEXT = HEADER + "".join(LINES)


@pytest.fixture(autouse=True)
def _little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred rows are a long log."""
    made = log_gather.Gatherer
    monkeypatch.setattr(
        trajectory_csv, "Gatherer", lambda folder, unit: made(folder, unit=unit, most_rows=100)
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of 1200 rows."""
    file = tmp_path / "log.csv"
    file.write_text(TEXT)
    return file


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "deep" / "cache"


def same(one: Trajectory, other: Trajectory) -> bool:
    """Whether two logs hold the same."""
    return (one.objids, one.warnings, one.tz) == (other.objids, other.warnings, other.tz) and all(
        np.array_equal(a.at_us, b.at_us) and np.array_equal(a.places, b.places)
        for a, b in zip(one.tracks.values(), other.tracks.values(), strict=True)
    )


def test_a_log_read_before_is_not_read_again(log: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time comes from the cache, warnings included."""
    log.write_text(HEADER + LINES[0] + "".join(LINES))
    first = read_trajectory(log, cache_dir=cache)
    assert first.warnings == ("1 repeated rows were dropped (first at line 3)",)
    monkeypatch.setattr(trajectory_csv, "csv_blocks", None)
    second = read_trajectory(log, cache_dir=cache)
    assert same(first, second)
    assert same(second, parse_trajectory(log.read_text()))


def test_the_cache_holds_whole_entries_only(log: Path, cache: Path) -> None:
    """Nothing else is left of the reading."""
    read_trajectory(log, cache_dir=cache)
    (entry,) = cache.iterdir()
    assert sorted(p.name for p in entry.iterdir()) == ["at_us.bin", "guide.bin", "index.json", "places.bin"]
    assert sum(p.stat().st_size for p in entry.glob("*.bin")) == 32 * 1200 + 8 * 3


@pytest.mark.parametrize("change", ["content", "length", "zone", "time"])
def test_another_log_is_another_entry(log: Path, cache: Path, change: str) -> None:
    """Whatever about it changes."""
    read_trajectory(log, cache_dir=cache)
    about, tz = log.stat(), dt.UTC
    text = TEXT
    if change == "content":
        text = TEXT.replace("2025-01-01 00:00:00.000,obj001,0,", "2025-01-01 00:00:00.000,obj001,9,")
    elif change == "length":
        text = TEXT + LINES[-1]
    elif change == "zone":
        tz = zoneinfo.ZoneInfo("Asia/Seoul")  # type: ignore[assignment]  # any zone will do
    log.write_text(text)
    os.utime(log, ns=(about.st_atime_ns, about.st_mtime_ns + (change == "time")))
    again = read_trajectory(log, tz, cache)
    assert same(again, parse_trajectory(text, tz))
    assert len(list(cache.iterdir())) == 2


def test_a_short_log_stays_in_memory(tmp_path: Path, cache: Path) -> None:
    """And leaves nothing in the cache."""
    file = tmp_path / "short.csv"
    file.write_text(HEADER + "".join(LINES[:30]))
    assert len(read_trajectory(file, cache_dir=cache).objids) == 3
    assert not cache.exists()


def test_without_a_cache_nothing_is_left_on_disk(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The samples can be read all the same, for as long as they are used."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    read = read_trajectory(log)
    assert list(place.iterdir()) == []
    assert same(read, parse_trajectory(TEXT))


def test_one_instant_is_found_by_the_guide(tmp_path: Path, cache: Path) -> None:
    """In tracks longer than its steps: before, at, between and after all samples, the same as by looking at all of them."""
    file = tmp_path / "long.csv"
    lines = [
        f"2025-01-01 00:{second // 60:02d}:{second % 60:02d},obj{n},{second * n},0,0\n"
        for second in range(1_300)
        for n in (1, 2)
    ]
    file.write_text(HEADER + "".join(lines))
    read = read_trajectory(file, cache_dir=cache)
    for track in read.tracks.values():
        assert track.guide_us is not None
        assert track.guide_us.tolist() == track.at_us[::512].tolist()
        asked = np.concatenate((track.at_us, track.at_us + 400_000, track.at_us[:1] - 1))
        assert [track.place_at(int(t)) for t in asked] == [tuple(p) for p in track.places_at(asked).tolist()]


def test_freed_memory_is_filled_again_when_asked_for(log: Path, cache: Path) -> None:
    """`release` loses nothing."""
    read = read_trajectory(log, cache_dir=cache)
    before = contacts(read)
    read.release()
    assert contacts(read) == before == contacts(parse_trajectory(TEXT))
    parse_trajectory(TEXT).release()


def test_samples_on_disk_cannot_be_changed(log: Path, cache: Path) -> None:
    """As in memory."""
    track = read_trajectory(log, cache_dir=cache).tracks["obj001"]
    with pytest.raises(ValueError, match="read-only"):
        track.places[0, 0] = 5.0


@pytest.mark.parametrize("damage", ["index", "columns", "words", "nothing"])
def test_a_damaged_entry_is_made_anew(log: Path, cache: Path, damage: str) -> None:
    """It is read from the log again; nobody is told nonsense."""
    read_trajectory(log, cache_dir=cache)
    (entry,) = cache.iterdir()
    if damage == "index":
        (entry / "index.json").write_text("{")
    elif damage == "words":
        (entry / "index.json").write_text('{"objids": 3}')
    elif damage == "columns":
        os.truncate(entry / "places.bin", 480)
    else:
        (entry / "at_us.bin").write_bytes(b"")
    assert same(read_trajectory(log, cache_dir=cache), parse_trajectory(TEXT))


def test_a_bad_log_leaves_nothing(log: Path, cache: Path) -> None:
    """Neither an entry nor a part of one."""
    log.write_text(TEXT + "nonsense\n")
    with pytest.raises(BadTrajectory, match="line 1202: 1 fields"):
        read_trajectory(log, cache_dir=cache)
    assert list(cache.iterdir()) == []


def test_the_longest_unused_entries_go_first(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two are kept here; the one just read is among them."""
    monkeypatch.setattr(log_cache, "_KEPT", 2)
    files = []
    for n in range(3):
        files.append(tmp_path / f"log{n}.csv")
        files[-1].write_text(TEXT + "\n" * n)
        read_trajectory(files[-1], cache_dir=cache)
        for entry in cache.iterdir():
            os.utime(entry, (1_000 * n, 1_000 * n))
    assert len(list(cache.iterdir())) == 2
    assert log_cache.entry(cache, log_cache.key_of(files[2], dt.UTC)).exists()


def test_what_a_killed_program_left_is_swept(log: Path, cache: Path) -> None:
    """But not what another program is at."""
    left, busy = cache / ".part-left", cache / ".part-busy"
    for folder in (left, busy):
        folder.mkdir(parents=True)
        (folder / "lock").touch()
    with (busy / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        read_trajectory(log, cache_dir=cache)
        assert not left.exists()
        assert busy.exists()


def test_two_programs_may_read_one_log(log: Path, cache: Path) -> None:
    """The quicker one's entry stays; the other's is dropped."""
    key = log_cache.key_of(log, dt.UTC)
    with log_cache.workshop(cache) as work:
        (work / "mine").touch()
        (cache / key).mkdir()
        (cache / key / "theirs").touch()
        log_cache.publish(work, cache, key)
    assert [p.name for p in (cache / key).iterdir()] == ["theirs"]
    assert [p.name for p in cache.iterdir()] == [key]


def test_columns_come_back_as_they_went(tmp_path: Path) -> None:
    """In files and in memory alike, in several pieces."""
    pieces = [(np.arange(i, i + 3), np.full((3, 3), float(i))) for i in (0, 3, 6)]
    memory = Memory()
    with Files(tmp_path) as files:
        for sink in (files, memory):
            for name, mine in (("b", pieces), ("a", pieces[:1])):
                sink.begin(name)
                for at_us, places in mine:
                    sink.put(at_us, places)
    write_index(tmp_path, files.index())
    index = read_index(tmp_path)
    assert index == Index(("b", "a"), (9, 3))
    tracks, _ = mapped(tmp_path, index)
    for name, track in memory.tracks().items():
        assert np.array_equal(tracks[name].at_us, track.at_us)
        assert np.array_equal(tracks[name].places, track.places)
    with pytest.raises(ValueError, match="not those of the index"):
        mapped(tmp_path, Index(("b",), (4,)))


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    """A log five times as long takes hardly more, in a program of its own."""
    script = (
        "import re, sys, pathlib\n"
        "from extension.timetravel.trajectory_csv import read_trajectory\n"
        "read_trajectory(pathlib.Path(sys.argv[1]), cache_dir=pathlib.Path(sys.argv[2]))\n"
        # Of this program alone: getrusage remembers what it was forked from.
        "print(re.search(r'VmHWM:\\s*(\\d+)', pathlib.Path('/proc/self/status').read_text())[1])\n"
    )
    minute = "".join(
        f"2025-01-01 HH:MM:{second:02d}.000,obj{n:03d},{second * 100.5},0,{n * 300}\n"
        for second in range(60)
        for n in range(90)
    )
    peaks = []
    for hours in (1, 5):
        file = tmp_path / f"{hours}.csv"
        with file.open("w") as out:
            out.write(HEADER)
            for number in range(60 * hours):
                out.write(minute.replace("HH:MM", f"{number // 60:02d}:{number % 60:02d}"))
        done = subprocess.run(
            [sys.executable, "-c", script, str(file), str(tmp_path / "cache")],
            check=True,
            capture_output=True,
            text=True,
        )
        peaks.append(int(done.stdout) * 1024)
    assert peaks[1] < 1.3 * peaks[0]
    assert peaks[1] < 500_000_000
