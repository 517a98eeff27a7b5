"""Judges what the store holds of a job or camera again. Reads the database, changes nothing in it, needs no running service."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from extension.clock import SystemClock
from extension.command.backtest_options import instant
from extension.command.backtest_shapes import Side, Trial, second_looks_of, windows_of
from extension.errors import BadInput, NotFound
from extension.model import Basis, Caption, Job, JobStatus
from extension.pipeline.again import judged_again
from extension.pipeline.backtest.stored import Terms, Unknown, retold, stride_s
from extension.pipeline.live.lane import job_id
from extension.pipeline.world import World
from extension.settings import Settings
from extension.sources.camera import book_file
from extension.store import Store
from extension.store.database import Database
from extension.store.migrate import standing
from extension.timetravel.trajectory import Trajectory
from extension.timetravel.trajectory_csv import read_trajectory

_ALL: Final = 1_000_000
_CAMERA_GAP_S: Final = 10.0
"""Of a camera that the cameras' file does not name any more: the file's default."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a job is wanted, as people write it; None for no end there."""

    begin: str | None = None
    end: str | None = None


def judge_stored(settings: Settings, name: str, part: Part, changes: dict[str, Any]) -> Trial:
    """A job's or camera's stored answers under the present rules, and under changed ones where there are changes.

    Args:
        settings: Say where the database is, and what holds where a job says nothing.
        name: The job's id or its beginning, or a camera's name.
        part: What of it is wanted.
        changes: Of `Terms`, by name; None stands for no change.

    Raises:
        NotFound: There is no such job or camera, or nothing of it at that time.
        BadInput: The part cannot be read, or the job's log.
        BadSettings: The database cannot be used.
    """
    with reading(settings) as store:
        job = _meant(store, name)
        captions = _within(job, store.captions(job.id), part, ZoneInfo(settings.timezone))
        told = [incident for incident in store.incidents(job.id, limit=_ALL) if _not_answers(incident.basis)]
    if not captions:
        raise NotFound(f"nothing was answered for {job.name} at that time")
    present = Terms(_gap_s(settings, job))
    given = {key: value for key, value in changes.items() if value is not None}
    terms = [("present", present)] + ([("changed", Terms(**(asdict(present) | given)))] if given else [])
    log = _log(settings, job)
    notes = _beside(len(told))
    sides = tuple(_side(settings, job, captions, log, one, called, notes) for called, one in terms)
    media_s = captions[-1].chunk.span.end_s - captions[0].chunk.span.start_s
    return Trial(job.name, job.options.start_at, media_s, sides)


@contextmanager
def reading(settings: Settings) -> Iterator[Store]:
    """The store, which cannot be written through this; a service may be running on it meanwhile.

    Raises:
        NotFound: There is none yet.
        BadSettings: It cannot be used, or was last used by an older or newer version.
    """
    address = settings.database
    path = unquote(address.removeprefix("sqlite:///"))
    if address.startswith("sqlite:///") and not path.startswith("file:"):
        if not Path(path).is_file():
            raise NotFound("nothing has been analysed yet in this data folder")
        # Quoted for SQLite's own form of an address, and once more for SQLAlchemy's around it.
        address = f"sqlite:///file:{quote(quote(path))}?mode=ro&uri=true"
    database = Database(address)
    try:
        if not standing(database):
            raise BadInput(
                "the database was last used by an older version: start the service once, which brings it up to date"
            )
        yield Store(database, SystemClock())
    finally:
        database.close()


def _meant(store: Store, name: str) -> Job:
    """The camera of that name, the job of that id, or the only one whose id begins so."""
    for known in (job_id(name), name):
        try:
            return store.job(known)
        except NotFound:
            continue
    named = [job for job in store.jobs(_ALL) if job.id.startswith(name)]
    if len(named) > 1:
        raise BadInput(f"{name!r}: {len(named)} jobs have an id that begins so; write more of it")
    if not named:
        raise NotFound(f"no job's id begins with {name!r}, no camera is called so, and there is no such file")
    return named[0]


def _within(job: Job, captions: Sequence[Caption], part: Part, tz: dt.tzinfo) -> list[Caption]:
    """The captions of chunks that lie in the part, at least with an end of theirs."""
    start_at = job.options.start_at
    begin_s = -math.inf if part.begin is None else instant(part.begin, start_at, tz)
    end_s = math.inf if part.end is None else instant(part.end, start_at, tz)
    return [c for c in captions if c.chunk.span.end_s > begin_s and c.chunk.span.start_s < end_s]


def _side(
    settings: Settings,
    job: Job,
    captions: Sequence[Caption],
    log: Trajectory | None,
    terms: Terms,
    name: str,
    notes: Sequence[str],
) -> Side:
    told, unknown = retold(captions, terms)
    world = World(job.options, log, ZoneInfo(settings.timezone), settings.contact_cm)
    step_s = stride_s(captions) if job.status is JobStatus.LIVE else None
    _, incidents = judged_again(job, told, world, terms.merge_gap_s, step_s)
    return Side(
        name=name,
        rules={key: value for key, value in asdict(terms).items() if value is not None},
        incidents=tuple(incidents),
        windows=windows_of(told),
        second_looks=second_looks_of(caption.stats for caption in told)
        if terms.second_look is not False
        else {},
        notes=(*notes, *_lacking(unknown)),
    )


def _gap_s(settings: Settings, job: Job) -> float:
    """The merge gap that the job is judged by now."""
    if job.status is not JobStatus.LIVE:
        gap_s = job.options.merge_gap_s
        return settings.merge_gap_s if gap_s is None else gap_s
    entries = book_file.load(settings.cameras_file) if settings.cameras_file else []
    return next((entry.merge_gap_s for entry in entries if entry.name == job.name), _CAMERA_GAP_S)


def _log(settings: Settings, job: Job) -> Trajectory | None:
    if job.trajectory_path is None:
        return None
    return read_trajectory(Path(job.trajectory_path), ZoneInfo(settings.timezone))


def _not_answers(basis: Basis) -> bool:
    return basis in {Basis.MOTION, Basis.CAPTURE}


def _beside(told: int) -> tuple[str, ...]:
    if not told:
        return ()
    return (
        f"{_count(told, 'stored incident')} of the recording itself or of motion alone: not judged again here",
    )


def _lacking(unknown: Unknown) -> Iterator[str]:
    if unknown.gated:
        yield f"{_count(unknown.gated, 'window')} was never asked about: what it would show is not known"
    if unknown.ungated:
        yield f"{_count(unknown.ungated, 'window')} without a word of the gate (gate: shadow records it): taken as looked at"
    if unknown.once:
        yield f"{_count(unknown.once, 'verdict')} of danger was never looked at twice: taken as it is"


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
