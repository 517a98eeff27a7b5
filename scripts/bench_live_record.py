"""Watches a running product from outside while a benchmark goes on: its segments, its account of each camera, and what its processes take."""

from __future__ import annotations

import datetime as dt
import os
import statistics
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import requests

from bench_live_site import Site
from extension.clock import Clock
from extension.sources.camera.segments import Segment, camera_name, read_name

_ABOUT: Final = dt.timedelta(seconds=1)
_EVERY_S: Final = 1.0
_USE_EVERY: Final = 3
"""Processes, disk and the account are looked at every third time."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one process takes: CPU seconds since it started, resident bytes, open files, threads."""

    cpu_s: float
    rss_bytes: int
    files: int
    threads: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What all took at a moment.

    Attributes:
        at_s: Seconds since recording began.
        uses: By process.
        ring_bytes: Recorded segments.
        kept_bytes: Everything else in the data folder: database, evidence, logs.
    """

    at_s: float
    uses: Mapping[str, Use]
    ring_bytes: int
    kept_bytes: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A camera's account as the API told it: at which instant, and captured, lost and pending seconds."""

    at: dt.datetime
    captured_s: float
    lost_s: Mapping[str, float]
    pending_s: float

    @property
    def total_s(self) -> float:
        """All seconds there were."""
        return self.captured_s + sum(self.lost_s.values()) + self.pending_s


@dataclass(frozen=True, slots=True)
class Stored:
    """A segment, and when its file was written."""

    segment: Segment
    stored_at: dt.datetime


class Recorder:
    """What was seen so far; `recording` fills it."""

    def __init__(self, site: Site, beside: Mapping[str, psutil.Process], clock: Clock) -> None:
        self.samples: list[Sample] = []
        self.standings: dict[str, list[Standing]] = {}
        self.windows: list[tuple[float, dict[str, dict[str, int]]]] = []
        self.unanswered = 0
        self._stored: dict[str, Stored] = {}
        self._site = site
        self._beside = dict(beside)
        self._clock = clock
        self._began_s = clock.monotonic_s()
        self._processes: dict[int, psutil.Process] = {}

    @property
    def now_s(self) -> float:
        """Seconds since recording began."""
        return self._clock.monotonic_s() - self._began_s

    def run(self, stop: threading.Event) -> None:
        """Look, again and again, until `stop` is set."""
        looks = 0
        while not stop.wait(_EVERY_S):
            self.look_at_segments()
            if looks % _USE_EVERY == 0:
                self.look_at_uses()
                self.look_at_cameras()
            looks += 1

    def segments(self, camera: str) -> list[Stored]:
        """Every segment of a camera that was ever seen, by time."""
        found = [one for one in self._stored.values() if one.segment.camera == camera]
        return sorted(found, key=lambda one: one.segment.start_at)

    def look_at_segments(self) -> None:
        """Note segments that are new."""
        for path, stat in _files(self._site.ring):
            if path.suffix != ".mp4" or f"{camera_name(path.parts[-3])}/{path.name}" in self._stored:
                continue
            camera = camera_name(path.parts[-3])
            segment = read_name(camera, path, stat.st_size)
            if segment is not None:
                stored_at = dt.datetime.fromtimestamp(stat.st_mtime, dt.UTC)
                self._stored[f"{camera}/{path.name}"] = Stored(segment, stored_at)

    def look_at_uses(self) -> None:
        """Note what the processes and the disk take."""
        processes = {name: self._process(pid) for name, pid in self._site.pids.items()}
        uses = {
            name: use
            for name, process in {**processes, **self._beside}.items()
            if (use := _use(process)) is not None
        }
        ring_bytes = _size(self._site.ring)
        kept_bytes = _size(self._site.data) - ring_bytes
        self.samples.append(Sample(self.now_s, uses, ring_bytes, max(0, kept_bytes)))

    def look_at_cameras(self) -> None:
        """Note how each camera stands; a service that does not answer is counted."""
        before_at = self._clock.now()
        try:
            pages = self._site.cameras()
        except requests.RequestException:
            self.unanswered += 1
            return
        at = before_at + (self._clock.now() - before_at) / 2
        for page in pages:
            standing = Standing(at, page["captured_s"], page["lost_s"], page["pending_s"])
            self.standings.setdefault(page["name"], []).append(standing)
        counts = {page["name"]: dict(page["windows"]) for page in pages}
        self.windows.append((self.now_s, counts))

    def _process(self, pid: int) -> psutil.Process:
        return self._processes.setdefault(pid, psutil.Process(pid))


@contextmanager
def recording(site: Site, beside: Mapping[str, psutil.Process], clock: Clock) -> Iterator[Recorder]:
    """A recorder that looks in a thread of its own until the block ends, and once more then.

    Args:
        site: What is watched.
        beside: Other processes whose cost is told too, by name.
        clock: Ours.
    """
    recorder, stop = Recorder(site, beside, clock), threading.Event()
    recorder.look_at_uses()
    recorder.look_at_cameras()
    thread = threading.Thread(target=recorder.run, args=(stop,), name="bench-recorder", daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        stop.set()
        thread.join()
        recorder.look_at_segments()
        recorder.look_at_uses()
        recorder.look_at_cameras()


def growth(samples: Sequence[Sample], value: Callable[[Sample], float], *, warm: float = 0.3) -> float:
    """By which share the median of the second half exceeds that of the first, what came before `warm` of the time left out."""
    if not samples:
        return 0.0
    from_s = samples[0].at_s + warm * (samples[-1].at_s - samples[0].at_s)
    values = [value(sample) for sample in samples if sample.at_s >= from_s]
    half = len(values) // 2
    if not half:
        return 0.0
    early, late = statistics.median(values[:half]), statistics.median(values[half:])
    return late / early - 1 if early else 0.0


def cpu_shares(samples: Sequence[Sample]) -> dict[str, float]:
    """CPU of each process that lasted, in cores, from the first sample to the last."""
    if len(samples) < 2:  # noqa: PLR2004 - a share needs two moments
        return {}
    first, last = samples[0], samples[-1]
    spent_s = last.at_s - first.at_s
    return {
        name: round((last.uses[name].cpu_s - first.uses[name].cpu_s) / spent_s, 3)
        for name in last.uses
        if name in first.uses
    }


def cpu_growth(samples: Sequence[Sample], names: Sequence[str], *, warm: float = 0.3) -> float:
    """By which share some processes together took more CPU in the second half of the time than in the first."""
    whole = [sample for sample in samples if all(name in sample.uses for name in names)]
    if len(whole) < 3:  # noqa: PLR2004 - two halves need three moments
        return 0.0
    from_s = whole[0].at_s + warm * (whole[-1].at_s - whole[0].at_s)
    warmed = [sample for sample in whole if sample.at_s >= from_s]
    first, middle, last = warmed[0], warmed[len(warmed) // 2], warmed[-1]

    def share(begin: Sample, end: Sample) -> float:
        cpu_s = sum(end.uses[name].cpu_s - begin.uses[name].cpu_s for name in names)
        return cpu_s / max(end.at_s - begin.at_s, 1e-9)

    early = share(first, middle)
    return share(middle, last) / early - 1 if early else 0.0


def together(names: Sequence[str], value: Callable[[Use], float]) -> Callable[[Sample], float]:
    """A measure of some processes together."""
    return lambda sample: sum(value(sample.uses[name]) for name in names if name in sample.uses)


def account_error_s(standings: Sequence[Standing]) -> float:
    """By how many seconds a camera's account grew more or less than the time that passed, at worst, since the first look."""
    if not standings:
        return 0.0
    first = standings[0]
    return max(
        abs((later.total_s - first.total_s) - (later.at - first.at).total_seconds()) for later in standings
    )


def recorded_error_s(standings: Sequence[Standing], stored: Sequence[Stored]) -> float:
    """By how many seconds the captured time of a camera's account differs from its files, between the first look and the last.

    A segment that was written within a second of a look may or may not be in its account yet.
    """
    if len(standings) < 2:  # noqa: PLR2004 - a difference needs two looks
        return 0.0
    first, last = standings[0], standings[-1]
    captured_s = last.captured_s - first.captured_s
    least_s, most_s = (
        sum(one.segment.duration_s for one in stored if first.at + by < one.stored_at <= last.at - by)
        for by in (_ABOUT, -_ABOUT)
    )
    return max(0.0, captured_s - most_s, least_s - captured_s)


def _use(process: psutil.Process) -> Use | None:
    try:
        with process.oneshot():
            spent = process.cpu_times()
            return Use(
                spent.user + spent.system,
                process.memory_info().rss,
                process.num_fds(),
                process.num_threads(),
            )
    except psutil.Error:
        return None  # it ended


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """All files below a folder; what goes away meanwhile is left out."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            try:
                yield path, path.stat()
            except OSError:
                continue


def _size(folder: Path) -> int:
    return sum(stat.st_size for _, stat in _files(folder))


def page_of(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """Samples for the report."""
    return [
        {
            "at_s": round(sample.at_s, 1),
            "ring_mb": round(sample.ring_bytes / 1e6, 2),
            "kept_mb": round(sample.kept_bytes / 1e6, 2),
            **{
                name: {
                    "cpu_s": round(use.cpu_s, 2),
                    "rss_mb": round(use.rss_bytes / 1e6, 1),
                    "files": use.files,
                    "threads": use.threads,
                }
                for name, use in sample.uses.items()
            },
        }
        for sample in samples
    ]
