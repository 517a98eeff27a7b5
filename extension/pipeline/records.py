"""What a finished job leaves in its folder of outputs: files for the twin, the summary, the evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from extension.model import Job
from extension.pipeline import summing
from extension.pipeline.patience import Stopped
from extension.pipeline.proving import prove
from extension.pipeline.world import World
from extension.store import Store
from extension.timetravel import outputs
from extension.timetravel.trajectory import EPOCH

_ALL: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a job.

    Attributes:
        folder: Of all jobs' outputs, one folder each.
        summary: What summaries hold.
        evidence: Most incidents of a job that get evidence; 0 makes none.
    """

    folder: Path
    summary: summing.Wish
    evidence: int


def write(
    store: Store,
    job_id: str,
    world: World,
    kept: Kept,
    parameters: dict[str, Any],
    now_at: dt.datetime,
    keep_going: Callable[[], bool],
) -> None:
    """Write all of it; files of an earlier run are replaced.

    Args:
        store: What is known of the job.
        job_id: The job.
        world: The recorded world.
        kept: What is wanted.
        parameters: How it was looked at, for the evidence.
        now_at: When the job ended.
        keep_going: Asked for each frame that is drawn or cut; false gives up.

    Raises:
        Stopped: when it was given up; the job goes on at the next start.
    """
    job, captions = store.job(job_id), store.captions(job_id)
    incidents, events = store.incidents(job_id, limit=_ALL), store.events(job_id)
    folder, log = kept.folder / job_id, world.trajectory
    origin_at = job.options.start_at or EPOCH
    outputs.write_outputs(
        folder,
        _run(store, job, world.tz, now_at),
        outputs.contacted(events, log, origin_at),
        outputs.contacted(incidents, log, origin_at),
    )
    summing.write(folder, job, incidents, captions, world, kept.summary, keep_going)
    prove(folder, job, (incidents, events, captions), parameters, kept.evidence, keep_going)
    if not keep_going():
        raise Stopped


def _run(store: Store, job: Job, tz: dt.tzinfo, now_at: dt.datetime) -> outputs.Run:
    return outputs.Run(
        id=job.id,
        model=job.model or "",
        video=job.name,
        finished_at=now_at,
        media_s=job.media_s or 0.0,
        execution_s=(now_at - (job.started_at or now_at)).total_seconds(),
        captions=tuple(store.captions(job.id)),
        tz=tz,
    )
