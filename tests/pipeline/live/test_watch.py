"""The watch deals with every window in its order, also when the store or the VLM is away, and what is old never comes before what is new."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from extension.chunks.via_client import ViaClient
from extension.clock import SystemClock
from extension.evidence.wanted import Limits
from extension.model import Caption, Check, Kind
from extension.pipeline.live.gating import Gating
from extension.pipeline.live.lane import Lane, Spec
from extension.pipeline.live.look import Look, Looking
from extension.pipeline.live.notices import Notices
from extension.pipeline.live.proofs import Proofs
from extension.pipeline.live.watch import Watch
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Footage, Segment, Stamp
from extension.sources.motion.meter import Meter
from tests.pipeline.live.yard import NOW, Yard, calm, held, lost, open_yard, shows

Answer = Callable[[Lane, int], Caption]


class Scripted(Look):
    """A VLM that answers as it is told to, when it may."""

    def __init__(self, ring: Ring, looking: Looking, stop: threading.Event) -> None:
        super().__init__(ViaClient("http://127.0.0.1:9", timeout_s=1), ring, looking, SystemClock(), stop)
        self.answer: Answer = calm
        self.asked: list[tuple[str, int]] = []
        self.may = threading.Event()
        self.may.set()

    def at(self, lane: Lane, number: int) -> Caption:
        """What the script says of a window."""
        self.asked.append((lane.camera, number))
        assert self.may.wait(20)
        return self.answer(lane, number)


class Post:
    """A watch over a yard, with one looker."""

    def __init__(self, folder: Path, yard: Yard) -> None:
        self.yard = yard
        self.stop = threading.Event()
        ring, clock = Ring(folder / "ring"), SystemClock()
        looking = Looking(4, 64, 1.0, zero_copy=False, folder=folder / "windows", kept_s=1000.0)
        self.look = Scripted(ring, looking, self.stop)
        proofs = Proofs(
            yard.store, ring, folder / "outputs", Limits(), self.stop, lanes=yard.lanes, clock=clock
        )
        specs = [Spec(name) for name in yard.lanes]
        gating = Gating(specs, ring, Meter(), lambda job_id: bool(yard.store.open_incidents(job_id)))
        notices = Notices(yard.lanes, yard.store, yard.register, self.look.at, lambda *_: True, yard.judged)
        self.watch = Watch(
            yard.lanes,
            yard.store,
            self.look,
            looking,
            self.stop,
            yard.register,
            proofs=proofs,
            gating=gating,
            notices=notices,
            clock=clock,
        )

    @contextmanager
    def looking(self) -> Iterator[None]:
        """While one looker is at work."""
        thread = threading.Thread(target=self.watch.run)
        thread.start()
        try:
            yield
        finally:
            self.stop.set()
            self.look.may.set()
            thread.join(20)
            assert not thread.is_alive()

    def hear(self, until_s: float, camera: str = "gate", from_s: float = 0.0) -> None:
        """Segments of 5 s are recorded up to then."""
        for start_s in range(int(from_s), int(until_s), 5):
            start_at = NOW + dt.timedelta(seconds=start_s)
            end_at = start_at + dt.timedelta(seconds=5)
            self.watch.heard(Segment(camera, start_at, end_at, Path("none.mp4"), 1, _FOOTAGE))

    def wait_for(self, found: Callable[[], object], within_s: float = 20.0) -> None:
        """Until something is so."""
        until_s = time.monotonic() + within_s
        while not found():
            assert time.monotonic() < until_s, self.look.asked
            time.sleep(0.01)

    def records(self, camera: str = "gate") -> list[tuple[int, str]]:
        """The windows that are stored, and how they ended."""
        found = self.yard.store.captions(self.yard.lanes[camera].job_id)
        return [(c.chunk.index, c.failure.code if c.failure else "looked") for c in found]


_FOOTAGE = Footage("h264", 64, 48, keyframes=1, stamp=Stamp.ARRIVAL)


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """Two cameras, one looker, three windows that may wait."""
    yard = open_yard(tmp_path, "gate", "hall", busy_timeout_ms=50)
    yield Post(tmp_path, yard)
    yard.store.close()


def test_windows_are_looked_at_in_order_and_counted(post: Post) -> None:
    """Each once, with how late it was."""
    with post.looking():
        post.hear(20)
        post.wait_for(lambda: post.yard.lanes["gate"].counts["looked"] == 3)
    assert post.look.asked == [("gate", 0), ("gate", 1), ("gate", 2)]
    assert post.records() == [(0, "looked"), (1, "looked"), (2, "looked")]
    assert sum(post.yard.lanes["gate"].lag.read().counts) == 3
    assert post.watch.waiting("gate") == 0


def test_what_is_shed_is_recorded_before_what_comes_after_it(post: Post) -> None:
    """In order, by name; its lateness is none."""
    post.look.may.clear()
    with post.looking():
        post.hear(10)
        post.wait_for(lambda: post.look.asked)
        post.hear(45, from_s=10)
        assert post.watch.waiting("gate") == 3
        post.look.may.set()
        post.wait_for(lambda: len(post.records()) == 8)
    shed = [(number, "Shed") for number in range(1, 5)]
    assert post.records() == [(0, "looked"), *shed, *((number, "looked") for number in (5, 6, 7))]
    assert [number for _, number in post.look.asked] == [0, 5, 6, 7]
    gate = post.yard.lanes["gate"]
    assert (gate.counts["Shed"], gate.counts["looked"]) == (4, 4)
    assert sum(gate.lag.read().counts) == 4
    assert post.yard.store.job(gate.job_id).judged_chunks == 8


def test_a_store_that_is_away_costs_no_window_and_no_alert(post: Post, tmp_path: Path) -> None:
    """What was taken waits again, and the looker goes on by itself."""
    post.look.answer = lambda lane, number: shows(lane, number, Kind.FALL)
    with post.looking():
        with held(tmp_path):
            post.hear(10)
            post.wait_for(lambda: post.look.asked)
            post.wait_for(lambda: post.watch.waiting("gate") == 1)
        post.hear(15, from_s=10)
        post.wait_for(lambda: post.yard.lanes["gate"].counts["looked"] == 2)
    assert post.records() == [(0, "looked"), (1, "looked")]
    assert post.yard.told() == ["opened"]
    assert [number for _, number in post.look.asked] == [0, 0, 1]


def test_old_windows_wait_for_new_ones_every_other_time(post: Post) -> None:
    """After an outage with motion, one that was lost is looked at after each new one."""
    gate = post.yard.lanes["gate"]
    post.look.answer = lost
    with post.looking():
        post.hear(20)
        post.wait_for(lambda: gate.counts["Unreachable"] == 3)
        post.look.may.clear()
        post.look.answer = calm
        post.hear(35, from_s=20)
        post.wait_for(lambda: len(post.look.asked) == 4)
        post.look.may.set()
        post.wait_for(lambda: len(post.look.asked) == 9)
        post.wait_for(lambda: [i.check for i in post.yard.incidents()] == [Check.WITHDRAWN])
    turns = [number for _, number in post.look.asked]
    assert turns[:3] == [0, 1, 2]
    assert turns[3::2] == [3, 4, 5]
    assert sorted(turns[4::2]) == [0, 1, 2]
    assert gate.counts == {"Unreachable": 3, "looked": 3}, "a window is counted once"


def test_an_outage_ends_with_the_same_incident_confirmed(post: Post) -> None:
    """Whichever window answers first."""
    post.look.answer = lost
    with post.looking():
        post.hear(20)
        post.wait_for(lambda: post.yard.lanes["gate"].counts["Unreachable"] == 3)
        (notice,) = post.yard.incidents()
        post.look.answer = lambda lane, number: (
            shows(lane, number, Kind.FALL, at_s=14.0 - 5.0 * number)
            if number in {1, 2}
            else calm(lane, number)
        )
        post.hear(25, from_s=20)
        post.wait_for(lambda: [i.check for i in post.yard.incidents()] == [Check.CONFIRMED])
        post.hear(40, from_s=25)
        post.wait_for(lambda: post.yard.told()[-1] == "resolved")
    assert [i.id for i in post.yard.incidents()] == [notice.id]
    assert post.yard.told() == ["opened", "updated", "resolved"]


def test_a_looker_stops_soon(post: Post) -> None:
    """Also with nothing to do."""
    with post.looking():
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 10
