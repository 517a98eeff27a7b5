"""Logs, incidents and summaries that tests of the event-based summary are fed with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from extension.model import (
    Caption,
    Chunk,
    Failure,
    Incident,
    Job,
    JobOptions,
    JobStatus,
    Kind,
    Phase,
    Severity,
    Span,
    Verdict,
)
from extension.timetravel.contacts import contacts
from extension.timetravel.summary import Summary
from extension.timetravel.summary_making import summarize
from extension.timetravel.timeline import Timeline
from extension.timetravel.trajectory import Track, Trajectory, micros

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
SEOUL = ZoneInfo("Asia/Seoul")


def at(seconds: float) -> dt.datetime:
    """That many seconds into the log."""
    return START + dt.timedelta(seconds=seconds)


def log(duration_s: float = 60.0, meetings: Iterable[float] = (10.0, 30.0)) -> Trajectory:
    """Objects 1 and 2 stand 600 cm apart at z = 0 and come to 40 cm for a second at each meeting; 3 walks far away.

    Five samples a second. A meeting takes place at x = 20 times its second, so that every one has its own place.
    """
    ticks = np.arange(round(duration_s * 5) + 1)
    second = ticks / 5
    x = np.zeros(len(ticks))
    apart = np.full(len(ticks), 600.0)
    for meeting in meetings:
        near = np.clip(np.abs(second - meeting) - 0.5, 0.0, 2.0) / 2.0
        apart = np.minimum(apart, 40.0 + 560.0 * near)
        x = np.where(np.abs(second - meeting) < 4, 20.0 * meeting, x)
    at_us = micros(START) + ticks.astype(np.int64) * 200_000

    def track(x_cm: npt.NDArray[np.float64], z_cm: npt.NDArray[np.float64]) -> Track:
        return Track(at_us=at_us.copy(), places=np.stack((x_cm, np.full(len(ticks), 100.0), z_cm), axis=1))

    return Trajectory(
        tracks={
            "obj001": track(x, -apart / 2),
            "obj002": track(x, apart / 2),
            "obj003": track(2000.0 + 10.0 * second, np.full(len(ticks), 900.0)),
        }
    )


def incident(number: int = 0, start_s: float = 10.0, end_s: float = 11.0, **changes: object) -> Incident:
    """A collision of 1 and 2 that nothing anchors in the world, unless told otherwise."""
    fields: dict[str, object] = {
        "id": f"incident-{number}",
        "job_id": "job-1",
        "kind": Kind.COLLISION,
        "objects": ("1", "2"),
        "phase": Phase.RESOLVED,
        "severity": Severity.DANGER,
        "span": Span(start_s, end_s),
        "event_ids": (f"event-{number}",),
    }
    return Incident(**{**fields, **changes})  # type: ignore[arg-type]  # tests change any field


def anchored(number: int, start_s: float, end_s: float, **changes: object) -> Incident:
    """The same, at that second of the log too."""
    return incident(number, start_s, end_s, start_at=at(start_s), end_at=at(end_s), **changes)


def captions(count: int, failed: Sequence[int] = (), chunk_s: float = 2.0) -> list[Caption]:
    """Answers of the first chunks; those named have none."""
    return [
        Caption(
            Chunk(index, Span(index * chunk_s, (index + 1) * chunk_s)),
            "",
            None if index in failed else Verdict(Severity.SAFE, (), ""),
            Failure("VlmGarbled", "The answer is not a verdict.") if index in failed else None,
        )
        for index in range(count)
    ]


def job(**changes: object) -> Job:
    """A finished job of thirty chunks of two seconds."""
    fields: dict[str, object] = {
        "id": "job-1",
        "name": "yard.mp4",
        "media_path": "/nowhere/yard.mp4",
        "trajectory_path": None,
        "options": JobOptions(),
        "status": JobStatus.DONE,
        "created_at": START,
        "model": "test-model",
        "media_s": 60.0,
        "chunk_count": 30,
    }
    return Job(**{**fields, **changes})  # type: ignore[arg-type]  # tests change any field


def contacts_of(trajectory: Trajectory) -> list[Incident]:
    """An incident for every contact of a log."""
    return [
        anchored(
            number,
            (contact.start_at - trajectory.start_at).total_seconds(),
            (contact.end_at - trajectory.start_at).total_seconds(),
            objects=contact.objects,
            positions=trajectory.positions_of(contact.objects, contact.start_at),
        )
        for number, contact in enumerate(contacts(trajectory))
    ]


def summary_of(
    incidents: Iterable[Incident] = (),
    failed: Sequence[int] = (),
    *,
    asked: int = 30,
    trajectory: Trajectory | None = None,
    tz: dt.tzinfo = dt.UTC,
    most_in_video: int = 60,
    **changes: object,
) -> Summary:
    """The summary of a job; with a log, the video shows it from its first instant at its own speed."""
    timeline = Timeline(trajectory.start_at, 1.0) if trajectory else None
    return summarize(
        job(**changes),
        incidents,
        captions(asked, failed),
        trajectory=trajectory,
        timeline=timeline,
        tz=tz,
        most_in_video=most_in_video,
    )
