"""What the routes need from the rest of the service, named by what they call. Nothing is built here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry

from extension.clock import Clock
from extension.errors import NotFound
from extension.model import Caption, Delivery, DeliveryState, Event, Incident, Job, Snapshot
from extension.timetravel.live_book import LiveBook
from extension.wire import AboutOut, AnswerOut, BriefIn, BriefOut, CameraOut


class JobShelf(Protocol):
    """Jobs and what was found in them, as the store keeps them. Every method raises `NotFound` for unknown ids."""

    def add_job(self, job: Job) -> None:
        """Store a new job."""
        ...

    def job(self, job_id: str) -> Job:
        """One job, with its chunk counts."""
        ...

    def jobs(self, limit: int = 50, before: str | None = None) -> list[Job]:
        """Jobs, newest first; `before` is the id of the last job of the page before."""
        ...

    def requeue_job(self, job_id: str) -> None:
        """Have a job's failed chunks done again."""
        ...

    def captions(self, job_id: str, first: int = 0, limit: int | None = None) -> list[Caption]:
        """Captions in chunk order, from chunk `first`."""
        ...

    def events(self, job_id: str) -> list[Event]:
        """Events by media time."""
        ...


class AlertShelf(Protocol):
    """Incidents and their deliveries, as the store keeps them. Every method raises `NotFound` for unknown ids."""

    def incidents(self, job_id: str | None = None, limit: int = 200) -> list[Incident]:
        """Incidents of one job, or of all."""
        ...

    def latest_incidents(self, job_id: str, limit: int) -> list[Incident]:
        """The incidents of a job that began last, by start."""
        ...

    def incident(self, incident_id: str) -> Incident:
        """One incident."""
        ...

    def deliveries(self, job_id: str | None = None, limit: int = 200) -> list[Delivery]:
        """Deliveries of one job, or of all."""
        ...

    def delivery(self, message_id: str) -> Delivery:
        """One delivery."""
        ...

    def delivery_counts(self, job_id: str | None = None) -> Mapping[DeliveryState, int]:
        """How many deliveries are in each state."""
        ...

    def redeliver(self, message_id: str, at: dt.datetime) -> None:
        """Make a delivery due again at that instant."""
        ...


class Shelf(JobShelf, AlertShelf, Protocol):
    """All that the API asks of the store."""


class Places(Protocol):
    """What is known of the places that cameras look at. Every method raises `NotFound` for a name that no camera has."""

    def brief(self, camera: str) -> BriefOut:
        """What is said of a camera's place."""
        ...

    def set_brief(self, camera: str, brief: BriefIn) -> BriefOut:
        """Say it from now on; raises `Unavailable` when it cannot be kept."""
        ...

    def drop_brief(self, camera: str) -> BriefOut:
        """Go back to what the cameras' file says; raises `Unavailable` when that cannot be kept."""
        ...

    def snapshot(self, camera: str, at: dt.datetime | None) -> Snapshot:
        """A recorded picture, by default the newest; raises `NotFound` where none is recorded."""
        ...


class NoPlaces:
    """The places of a service that watches no camera."""

    def brief(self, camera: str) -> BriefOut:
        """Raises `NotFound`."""
        raise NotFound(f"No camera is called {camera!r}.")

    def set_brief(self, camera: str, brief: BriefIn) -> BriefOut:
        """Raises `NotFound`."""
        del brief
        return self.brief(camera)

    def drop_brief(self, camera: str) -> BriefOut:
        """Raises `NotFound`."""
        return self.brief(camera)

    def snapshot(self, camera: str, at: dt.datetime | None) -> Snapshot:
        """Raises `NotFound`."""
        del at
        raise NotFound(f"No camera is called {camera!r}.")


def no_faults() -> Sequence[str]:
    """The answer of a service that has nothing to complain about."""
    return ()


def no_cameras() -> list[CameraOut]:
    """The answer of a service that watches none."""
    return []


def unknown_camera(name: str, at: dt.datetime) -> list[Caption]:
    """The answer of a service that watches none.

    Raises:
        NotFound: always.
    """
    del at
    raise NotFound(f"No camera is called {name!r}.")


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes work with.

    Attributes:
        store: Jobs, findings, deliveries.
        clock: Source of `created_at`.
        media_dir: Folder where uploads land, one folder each.
        allowed_dirs: Folders from which videos and logs may be analysed by path.
        outputs_dir: Folder of the output files, one folder per job, named by its id.
        max_upload_bytes: Largest sum of the files of one upload.
        about: What the service is connected to.
        ask: Answers a question about a job.
        wake: Tells the worker that there is something to do; returns at once.
        probe: Raises `BadSource` for a video that cannot be analysed.
        check_trajectory: Raises `BadTrajectory` for a log that cannot be read.
        registry: Metrics served at /metrics; the API adds its own to it.
        cameras: How every camera is; none where none is watched.
        explain: The windows of a camera that showed an instant; raises `NotFound` for an unknown name.
        places: What is known of the places that cameras look at.
        timezone: Zone that the times of summaries are told in.
        live: Trajectories that grow; None where the service keeps none.
        faults: Why the service cannot work at the moment, one sentence each; empty when it can.
    """

    store: Shelf
    clock: Clock
    media_dir: Path
    allowed_dirs: tuple[Path, ...]
    outputs_dir: Path
    max_upload_bytes: int
    about: Callable[[], AboutOut]
    ask: Callable[[Job, str], AnswerOut]
    wake: Callable[[], None]
    probe: Callable[[Path], object]
    check_trajectory: Callable[[Path], object]
    registry: CollectorRegistry
    live: LiveBook | None = None
    cameras: Callable[[], list[CameraOut]] = no_cameras
    explain: Callable[[str, dt.datetime], list[Caption]] = unknown_camera
    places: Places = field(default_factory=NoPlaces)
    timezone: dt.tzinfo = dt.UTC
    faults: Callable[[], Sequence[str]] = no_faults
