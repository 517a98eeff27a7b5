"""Evidence of live incidents: a picture at once, all of it at the end, made up for after a restart, and kept when the ring is not."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extension.evidence import shelf
from extension.evidence.expiry import expire, stored
from extension.evidence.manifest import Manifest
from extension.evidence.verify import verify
from extension.evidence.wanted import Limits
from extension.model import (
    Announcement,
    Basis,
    Caption,
    Check,
    Event,
    Incident,
    Job,
    Kind,
    Message,
    Phase,
    Severity,
    Span,
    Verdict,
)
from extension.pipeline.live.lane import Lane, Spec, open_lane
from extension.pipeline.live.proofs import Proofs
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Footage, Stamp
from extension.store import Store
from tests.evidence.films import SIZE, draw, every, number_in, see
from tests.sources.rtsp.clips import until

EPOCH = dt.datetime(2026, 5, 4, 10, tzinfo=dt.UTC)
LIMITS = Limits(before_s=2.0, after_s=2.0, longest_s=20.0)


class Moved:
    """A wall clock that stands still, and processing time that is moved by hand."""

    def __init__(self) -> None:
        self.s = 0.0

    def now(self) -> dt.datetime:
        """A minute after the first window."""
        return EPOCH + dt.timedelta(seconds=60)

    def monotonic_s(self) -> float:
        """Where it was moved to."""
        return self.s

    def sleep(self, seconds: float) -> None:
        """Nobody sleeps here."""


def _silent(_: Announcement, __: Job) -> list[Message]:
    return []


class Yard:
    """A camera with a store and a ring, and evidence that is made of what they hold."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Moved()
        self.store = Store.open(f"sqlite:///{folder / 'yard.db'}", self.clock)
        self.ring = Ring(folder / "ring", reserve_bytes=0)
        began = Moved()
        began.now = lambda: EPOCH  # type: ignore[method-assign]  # the job begins at the first window
        self.lane = open_lane(Spec("gate", 4.0, 2.0), self.store, _silent, began, dt.UTC)
        self.outputs = folder / "outputs"

    def record(self, until_s: float, from_s: float = 0.0) -> None:
        """Segments of two seconds whose frames carry their number, ten a second."""
        start_s = from_s
        while start_s < until_s:
            path = draw(self.folder / "segment.mp4", every(2.0))
            at = EPOCH + dt.timedelta(seconds=start_s)
            footage = Footage("h264", *SIZE, 1, Stamp.NTP)
            self.ring.store("gate", at, at + dt.timedelta(seconds=2), footage, [path.read_bytes()])
            start_s += 2.0

    def forget(self, before_s: float) -> None:
        """The ring lets go of what was recorded before."""
        for segment in self.ring.index.segments("gate"):
            if self.lane.media_s(segment.end_at) <= before_s:
                segment.path.unlink()
                self.ring.index.remove(segment)

    def incident(self, start_s: float, end_s: float, phase: Phase, **changes: Any) -> Incident:
        """An incident of one event and one answer, as the store has it now."""
        number = int(start_s // self.lane.rhythm.stride_s)
        basis = changes.get("basis", Basis.VLM)
        event = Event(
            "e-1",
            self.lane.job_id,
            -1 if basis is Basis.CAPTURE else number,
            Kind.FALL,
            Span(start_s, end_s),
            Severity.DANGER,
            ("person",),
            basis=basis,
        )
        made = Incident(
            "i-1", self.lane.job_id, Kind.FALL, ("person",), phase, Severity.DANGER, event.span, ("e-1",)
        )
        made = replace(made, **changes)
        answer = Caption(
            self.lane.chunk(number), "text", Verdict(Severity.DANGER, (), "s"), None, {"model": "m"}
        )
        self.store.save_captions(self.lane.job_id, [answer])
        self.store.commit_judgement(
            self.lane.job_id, judged_chunks=number + 1, events=[event], incidents=[made], messages=()
        )
        return made

    @property
    def place(self) -> Path:
        """Where the evidence lies."""
        return self.outputs / self.lane.job_id / "evidence" / "i-1"

    def manifest(self) -> Manifest | None:
        """What is made so far."""
        return shelf.read(self.place)

    def made(self, fits: Callable[[Manifest], bool] = lambda _: True) -> Manifest:
        """The manifest, as soon as it is there and as wanted."""
        until(lambda: (found := self.manifest()) is not None and fits(found))
        found = self.manifest()
        assert found is not None
        assert verify(self.place).ok
        return found

    @contextmanager
    def proving(self) -> Iterator[Proofs]:
        """Evidence is made, as while the service runs."""
        stop = threading.Event()
        lanes: dict[str, Lane] = {"gate": self.lane}
        proofs = Proofs(self.store, self.ring, self.outputs, LIMITS, stop, lanes=lanes, clock=self.clock)
        thread = threading.Thread(target=proofs.run)
        thread.start()
        try:
            yield proofs
        finally:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """A camera."""
    made = Yard(tmp_path)
    yield made
    made.store.close()


def test_a_picture_comes_at_once_and_all_of_it_at_the_end(yard: Yard) -> None:
    """Snapshot and clip of what is recorded when the incident opens; both anew when it is over."""
    yard.record(8.0)
    with yard.proving() as proofs:
        proofs.judged(yard.lane, (yard.incident(4.0, 6.0, Phase.OPEN),))
        first = yard.made()
        assert first.incident.phase is Phase.OPEN
        assert {file.name for file in first.files} == {"clip.mp4", "snapshot.jpg"}
        assert (first.taken.clip.start_s, first.taken.clip.end_s) == (2.0, 8.0)  # type: ignore[union-attr]  # there are pictures
        assert number_in(yard.place / "snapshot.jpg") == 0
        yard.record(16.0, 8.0)
        proofs.judged(yard.lane, (yard.incident(4.0, 10.0, Phase.RESOLVED),))
        last = yard.made(lambda found: found.incident.phase is Phase.RESOLVED)
    assert (last.taken.clip.start_s, last.taken.clip.end_s) == (2.0, 12.0)  # type: ignore[union-attr]  # there are pictures
    assert len(see(yard.place / "clip.mp4").times_s) == 100
    assert not last.missing


def test_the_end_is_waited_for_as_long_as_it_may_still_be_recorded(yard: Yard) -> None:
    """What follows the incident belongs to the clip; a camera that is gone is not waited for endlessly."""
    yard.record(8.0)
    with yard.proving() as proofs:
        proofs.judged(yard.lane, (yard.incident(4.0, 7.0, Phase.RESOLVED),))
        assert not threading.Event().wait(1.2)  # longer than a look lasts
        assert yard.manifest() is None
        yard.record(10.0, 8.0)
        assert yard.made().taken.clip.end_s == 9.0  # type: ignore[union-attr]  # there are pictures


def test_a_camera_that_is_gone_is_not_waited_for(yard: Yard) -> None:
    """The clip ends where the recording does."""
    yard.record(8.0)
    with yard.proving() as proofs:
        proofs.judged(yard.lane, (yard.incident(4.0, 7.0, Phase.RESOLVED),))
        yard.clock.s += 31.0
        assert yard.made().taken.clip.end_s == 8.0  # type: ignore[union-attr]  # there are pictures


def test_an_incident_that_outlasts_the_ring_keeps_its_pictures(yard: Yard) -> None:
    """The onset is what matters, and by the end the ring does not have it any more."""
    yard.record(30.0)
    with yard.proving() as proofs:
        proofs.judged(yard.lane, (yard.incident(4.0, 24.0, Phase.OPEN),))
        first = yard.made()
        assert (first.taken.clip.end_s, first.taken.cut_short) == (22.0, True)  # type: ignore[union-attr]  # there are pictures
        yard.forget(20.0)
        proofs.judged(yard.lane, (yard.incident(4.0, 28.0, Phase.RESOLVED),))
        last = yard.made(lambda found: found.incident.phase is Phase.RESOLVED)
    assert last.files == first.files
    assert last.incident.end_s == 28.0
    assert last.source == first.source


def test_what_a_restart_left_unmade_is_made_up_for(yard: Yard) -> None:
    """While the ring has it; nobody has to say so."""
    yard.record(16.0)
    yard.incident(4.0, 8.0, Phase.RESOLVED)
    with yard.proving():
        assert {file.name for file in yard.made().files} == {"clip.mp4", "snapshot.jpg"}


def test_what_ended_just_before_a_restart_is_told_to_its_end(yard: Yard) -> None:
    """Its evidence still calls it open, and only the ring's last part shows it."""
    yard.record(16.0)
    with yard.proving() as proofs:
        proofs.judged(yard.lane, (yard.incident(4.0, 6.0, Phase.OPEN),))
        yard.made()
    yard.incident(4.0, 8.0, Phase.RESOLVED)
    with yard.proving():
        told = yard.made(lambda found: found.incident.phase is Phase.RESOLVED)
    assert told.taken.clip.end_s == 10.0  # type: ignore[union-attr]  # there are pictures


def test_what_is_made_is_not_made_again(yard: Yard) -> None:
    """A restart costs nothing."""
    yard.record(16.0)
    yard.incident(4.0, 8.0, Phase.RESOLVED)
    with yard.proving():
        yard.made()
    inode = (yard.place / "clip.mp4").stat().st_ino
    with yard.proving() as proofs:
        proofs.judged(yard.lane, (replace(yard.store.incident("i-1"), check=Check.CONFIRMED),))
        yard.made(lambda found: found.incident.check is Check.CONFIRMED)
        yard.incident(4.0, 8.0, Phase.RESOLVED, check=Check.CONFIRMED)
    changed = (yard.place / "clip.mp4").stat().st_ino
    assert changed != inode, "another check is another story"
    with yard.proving():
        assert not threading.Event().wait(1.0)  # longer than it takes to catch up
    assert (yard.place / "clip.mp4").stat().st_ino == changed


def test_what_was_let_go_of_does_not_come_back(yard: Yard) -> None:
    """Nor is anything made of an incident of which nothing is recorded."""
    yard.record(16.0)
    yard.incident(4.0, 8.0, Phase.RESOLVED)
    with yard.proving():
        yard.made()
    (one,) = stored(yard.outputs)
    expire(one, EPOCH)
    with yard.proving():
        assert not threading.Event().wait(1.0)  # longer than it takes to catch up
    assert yard.manifest() is None
    yard.forget(100.0)
    (yard.outputs / yard.lane.job_id / "evidence" / "EXPIRED").unlink()
    with yard.proving():
        assert not threading.Event().wait(1.0)  # longer than it takes to catch up
    assert yard.manifest() is None


def test_a_camera_without_pictures_has_no_early_evidence(yard: Yard) -> None:
    """Its incident is about what is not there; when it is over, the manifest says so."""
    yard.record(4.0)
    with yard.proving() as proofs:
        proofs.judged(yard.lane, (yard.incident(4.0, 30.0, Phase.OPEN, basis=Basis.CAPTURE),))
        assert not threading.Event().wait(1.0)  # longer than a look lasts
        assert yard.manifest() is None
        proofs.judged(yard.lane, (yard.incident(4.0, 30.0, Phase.RESOLVED, basis=Basis.CAPTURE),))
        yard.clock.s += 31.0
        told = yard.made()
    assert not told.files
    assert {lack.name for lack in told.missing} == {"clip.mp4", "snapshot.jpg"}


def test_a_disk_that_was_full_is_made_up_for(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing could be written at first; five minutes later there is room."""
    yard.record(16.0)
    seal = shelf.seal
    tried = threading.Event()

    def full(*_: Any) -> dict[str, str]:
        tried.set()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shelf, "seal", full)
    with yard.proving() as proofs:
        proofs.judged(yard.lane, (yard.incident(4.0, 8.0, Phase.RESOLVED),))
        assert tried.wait(20)
        monkeypatch.setattr(shelf, "seal", seal)
        yard.clock.s += 301.0
        assert yard.made().incident.id == "i-1"
