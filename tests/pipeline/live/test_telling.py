"""What capture reports becomes incidents that last as long as the failure, one for each, whatever the store and the threads do."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from extension.model import Basis, Incident, JobStatus, Kind, Phase, Severity, Span
from extension.pipeline.judging import Judge
from extension.pipeline.live import recordings
from extension.pipeline.live.recordings import Recordings
from extension.pipeline.live.telling import Telling
from extension.sources.camera.ledger import Gap
from extension.sources.camera.reports import (
    CameraClock,
    CameraDown,
    CameraUp,
    GapClosed,
    Report,
    StorageDown,
    StorageUp,
)
from extension.sources.camera.trouble import Code
from tests.pipeline.live.yard import NOW, Still, Yard, announce, calm, held, lost, open_yard, shows


def _at(seconds: float) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


def _down(since_s: float, camera: str = "gate") -> CameraDown:
    return CameraDown(camera, _at(since_s), _at(since_s + 15.0), Code.UNREACHABLE)


def _up(since_s: float, at_s: float, camera: str = "gate") -> CameraUp:
    return CameraUp(camera, _at(since_s), _at(at_s), Code.UNREACHABLE)


class Desk:
    """A running teller over a yard."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.stop = threading.Event()
        kept = Recordings(yard.store, yard.register, announce, Still())
        self.telling = Telling(yard.lanes, kept, yard.register, yard.judged, self.stop)
        self._thread = threading.Thread(target=self.telling.run)

    @contextmanager
    def running(self) -> Iterator[None]:
        """While its thread runs."""
        self._thread.start()
        try:
            yield
        finally:
            self.stop.set()
            self._thread.join(20)
            assert not self._thread.is_alive()

    def tell(self, *reports: Report) -> None:
        """Hand over reports, as capture does."""
        for report in reports:
            self.telling.told(report)

    def record(self, until_s: float, camera: str = "gate") -> None:
        """A camera is recorded up to then, as segments say."""
        self.yard.lanes[camera].recorded_until_at = _at(until_s)

    def wait_for(self, found: Callable[[list[Incident]], bool]) -> list[Incident]:
        """The incidents, as soon as they are as they should be."""
        until_s = time.monotonic() + 20
        while time.monotonic() < until_s:
            if found(incidents := self.yard.incidents()):
                return incidents
            time.sleep(0.01)
        raise AssertionError(self.yard.incidents())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Two cameras with similar names, and somebody who tells of them."""
    yard = open_yard(tmp_path, "gate", "gate2", busy_timeout_ms=50)
    desk = Desk(yard)
    with desk.running():
        yield desk
    yard.store.close()


def _any(incidents: list[Incident]) -> bool:
    return bool(incidents)


def _over(incidents: list[Incident]) -> bool:
    return bool(incidents) and all(incident.phase is Phase.RESOLVED for incident in incidents)


def _is_over(camera: str, incidents: list[Incident]) -> bool:
    return (camera, Phase.RESOLVED) in {(incident.objects[0], incident.phase) for incident in incidents}


def test_a_camera_without_pictures_is_an_incident_of_its_own(desk: Desk) -> None:
    """On that camera's job, with the reason, from the last picture on."""
    desk.tell(_down(30.0))
    (blind,) = desk.wait_for(_any)
    assert blind.job_id == desk.yard.lanes["gate"].job_id
    assert (blind.kind, blind.severity, blind.basis) == (Kind.OTHER, Severity.DANGER, Basis.CAPTURE)
    assert (blind.objects, blind.span) == (("gate",), Span(30.0, 45.0))
    assert blind.description.startswith("Camera gate shows no picture: nothing answers")
    assert desk.yard.told() == ["opened"]


def test_it_lasts_until_pictures_are_recorded_again_for_a_while(desk: Desk) -> None:
    """Its end is when the first picture came back."""
    desk.tell(_down(30.0), _up(30.0, 70.0))
    desk.wait_for(lambda incidents: [i.span for i in incidents] == [Span(30.0, 70.0)])
    desk.record(79.0)
    assert not _over(desk.yard.incidents())
    desk.record(81.0)
    (blind,) = desk.wait_for(_over)
    assert (blind.span, blind.end_at) == (Span(30.0, 70.0), _at(70.0))
    assert desk.yard.told() == ["opened", "resolved"]
    assert blind in desk.yard.changed


def test_a_camera_that_comes_and_goes_is_one_incident(desk: Desk) -> None:
    """Told once when it goes, once when it is back for good."""
    for since_s in (30.0, 50.0, 70.0):
        desk.tell(_down(since_s), _up(since_s, since_s + 17.0))
    desk.wait_for(lambda incidents: [i.span for i in incidents] == [Span(30.0, 87.0)])
    desk.record(98.0)
    desk.wait_for(_over)
    assert desk.yard.told() == ["opened", "resolved"]


def test_recordings_from_before_do_not_end_it(desk: Desk) -> None:
    """Nor does what comes late from a camera that is said to be down; another one that is back shows that all were considered."""
    desk.tell(_down(30.0), _down(30.0, "gate2"), _up(30.0, 60.0, "gate2"))
    desk.record(500.0)
    desk.record(500.0, "gate2")
    incidents = desk.wait_for(lambda found: any(incident.phase is Phase.RESOLVED for incident in found))
    assert {incident.objects: incident.phase for incident in incidents} == {
        ("gate",): Phase.OPEN,
        ("gate2",): Phase.RESOLVED,
    }


def test_a_camera_that_is_back_ends_nothing_else(desk: Desk) -> None:
    """A fall that was open before, a notice, another camera that is down: each ends by itself."""
    gate = desk.yard.lanes["gate"]
    desk.yard.register.enter(gate, lambda judge: judge.judge(shows(gate, 0, Kind.FALL)))
    desk.tell(_down(30.0), _down(30.0, "gate2"), _up(30.0, 100.0))
    desk.record(500.0)
    desk.wait_for(lambda found: any(incident.phase is Phase.RESOLVED for incident in found))
    phases = {(i.kind, i.objects): i.phase for i in desk.yard.incidents()}
    assert phases == {
        (Kind.FALL, ("person",)): Phase.OPEN,
        (Kind.OTHER, ("gate",)): Phase.RESOLVED,
        (Kind.OTHER, ("gate2",)): Phase.OPEN,
    }


def test_windows_that_are_judged_meanwhile_do_not_end_it(desk: Desk) -> None:
    """Neither calm ones nor failed ones say anything about the recording."""
    gate = desk.yard.lanes["gate"]
    desk.tell(_down(0.0))
    desk.wait_for(_any)
    for number in range(10):
        caption = calm(gate, number) if number % 2 else lost(gate, number)
        desk.yard.register.enter(gate, partial(Judge.judge, caption=caption))
    assert [incident.phase for incident in desk.yard.incidents()] == [Phase.OPEN]


def test_a_camera_that_was_down_when_the_service_was_killed_is_told_as_back(
    desk: Desk, tmp_path: Path
) -> None:
    """Nobody reports that it is up: it never went down in this life of the service. Its recordings say so."""
    desk.tell(_down(30.0))
    (blind,) = desk.wait_for(_any)
    again = Desk(open_yard(tmp_path, "gate", "gate2"))
    with again.running():
        again.record(31.0)
        again.record(300.0)
        (over,) = again.wait_for(_over)
    assert over.id == blind.id
    assert again.yard.told() == ["opened", "resolved"]
    again.yard.store.close()


def test_a_camera_that_is_still_down_after_a_restart_is_the_same_incident(desk: Desk, tmp_path: Path) -> None:
    """Told once, however often the service is started."""
    desk.tell(_down(30.0))
    (blind,) = desk.wait_for(_any)
    again = Desk(open_yard(tmp_path, "gate", "gate2"))
    with again.running():
        again.tell(_down(1000.0))
        (longer,) = again.wait_for(lambda incidents: incidents[0].span.end_s > 1000.0)
    assert longer.id == blind.id
    assert again.yard.told() == ["opened"]
    again.yard.store.close()


def test_recordings_that_cannot_be_written_are_one_incident_for_all_cameras(desk: Desk) -> None:
    """On a job of its own, which is there from then on and named for what it is."""
    assert len(desk.yard.store.jobs()) == 2
    desk.tell(StorageDown(_at(20.0), Code.DISK_FULL))
    (full,) = desk.wait_for(_any)
    job = desk.yard.store.job(full.job_id)
    assert (job.id, job.name, job.status) == (recordings.JOB_ID, "recordings", JobStatus.LIVE)
    assert (full.severity, full.basis, full.objects) == (Severity.DANGER, Basis.CAPTURE, ("recordings",))
    assert "No camera is recorded or watched: the disk of the recordings is full" in full.description
    assert full.start_at == _at(20.0)
    assert desk.yard.told() == ["opened"]
    assert len(desk.yard.store.jobs()) == 3


def test_a_full_disk_is_over_when_recordings_were_written_for_half_a_minute(desk: Desk) -> None:
    """One that takes a segment now and then and refuses the next is full all the while."""
    for at_s in (20.0, 24.0, 28.0):
        desk.tell(
            StorageDown(_at(at_s), Code.DISK_FULL), StorageUp(_at(at_s), _at(at_s + 2.0), Code.DISK_FULL)
        )
    desk.wait_for(lambda incidents: bool(incidents) and incidents[0].end_at == _at(30.0))
    desk.record(59.0, "gate2")
    assert not _over(desk.yard.incidents())
    desk.record(61.0, "gate2")
    (full,) = desk.wait_for(_over)
    assert full.end_at == _at(30.0)
    assert desk.yard.told() == ["opened", "resolved"]


def test_a_disk_that_is_still_full_is_not_over_because_a_camera_claims_so(desk: Desk) -> None:
    """A camera's clock may run ahead; what it recorded was before the disk was full."""
    desk.tell(StorageDown(_at(20.0), Code.UNWRITABLE))
    desk.record(500.0)
    for camera, since_s in (("gate", 30.0), ("gate2", 40.0)):
        # Each is told as back in a round of its own, and each round considers the disk last.
        desk.tell(_down(since_s, camera), _up(since_s, 60.0, camera))
        desk.record(500.0, camera)
        desk.wait_for(partial(_is_over, camera))
    assert [i.phase for i in desk.yard.incidents() if i.objects == ("recordings",)] == [Phase.OPEN]


def test_a_disk_that_was_full_when_the_service_was_killed_is_told_as_mended(
    desk: Desk, tmp_path: Path
) -> None:
    """By the first recordings of the new one; and one that is still full is the same incident."""
    desk.tell(StorageDown(_at(20.0), Code.DISK_FULL))
    (full,) = desk.wait_for(_any)
    second = Desk(open_yard(tmp_path, "gate", "gate2"))
    with second.running():
        second.tell(StorageDown(_at(400.0), Code.DISK_FULL))
        second.wait_for(lambda incidents: incidents[0].end_at == _at(400.0))
    second.yard.store.close()
    third = Desk(open_yard(tmp_path, "gate", "gate2"))
    with third.running():
        third.record(440.0)
        (over,) = third.wait_for(_over)
    assert over.id == full.id
    assert third.yard.told() == ["opened", "resolved"]
    third.yard.store.close()


def test_a_report_waits_for_a_store_that_is_away(desk: Desk, tmp_path: Path) -> None:
    """Who captures is not held up, and the alert is not lost."""
    with held(tmp_path):
        began_s = time.monotonic()
        desk.tell(_down(30.0))
        assert time.monotonic() - began_s < 5
        with capture_logs() as logs:
            until_s = time.monotonic() + 20
            while not any(line["event"] == "not_stored" for line in logs) and time.monotonic() < until_s:
                time.sleep(0.01)
    desk.wait_for(_any)
    assert desk.yard.told() == ["opened"]


def test_a_wrong_clock_is_logged_and_no_incident(desk: Desk) -> None:
    """Nothing is lost by it: times are those of arrival."""
    with capture_logs() as logs:
        desk.tell(CameraClock("gate", _at(1.0), wrong=True, offset_s=-3600.0))
        desk.tell(CameraClock("gate", _at(9.0), wrong=False, offset_s=0.1))
        desk.tell(_down(30.0))
        desk.wait_for(_any)
    said = [(line["event"], line["offset_s"]) for line in logs if "clock" in line["event"]]
    assert said == [("camera_clock_wrong", -3600.0), ("camera_clock_right", 0.1)]
    assert len(desk.yard.incidents()) == 1


def test_a_closed_gap_is_in_the_account_and_no_incident(desk: Desk) -> None:
    """Seconds are lost all the time; that is for the numbers."""
    desk.tell(GapClosed(Gap("gate", _at(1.0), _at(2.0), Code.MISSING_FRAMES)), _down(30.0))
    assert len(desk.wait_for(_any)) == 1
