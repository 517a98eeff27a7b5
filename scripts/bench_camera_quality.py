"""Measures what a VLM finds in labelled camera footage, through the whole stack; it publishes figures and sets no bar.

`scripts/bench.sh camera-quality [--footage DIR] [--labels FILE]`: each clip as if it were live (windows of 10 s, one every 5 s) with and
without gate and second look, and as a file job with chunks of 10 s. The label file is that of `timetravel eval-cameras`.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bench_report import ReportFile, analysing, console, finish, folder_of_its_own
from extension import settings
from extension.client import ApiClient
from extension.clock import SystemClock
from extension.command.backtest_shapes import second_looks_of
from extension.command.camera_columns import Clips, Column, named_rules, watched
from extension.command.camera_evaluation_json import of_clip, of_column, of_figures
from extension.command.camera_evaluation_table import show
from extension.command.camera_labels import ClipLabel, read_labels
from extension.command.camera_scoring import TOLERANCE_S, Clip, Found, Windows, figures, score
from extension.command.follow import Wanted
from extension.errors import BadInput
from extension.model import JobStatus
from extension.sources.probe import probe
from extension.wire import CaptionOut

ROOT: Final = Path(__file__).resolve().parents[1]
FOOTAGE: Final = ROOT.parent / "shared" / "footage"
LABELS: Final = ROOT / "tests" / "footage" / "labels.yaml"
CHUNK_S: Final = 10
JOB: Final = "file job"
_POLL_S: Final = 0.25
_ENDED: Final = (JobStatus.DONE, JobStatus.FAILED)


def camera_quality(
    footage: Annotated[Path, typer.Option(help="Folder with the clips.")] = FOOTAGE,
    labels: Annotated[Path, typer.Option(help="Label file of the clips.")] = LABELS,
    report: ReportFile = None,
) -> None:
    """Verdicts per clip of labelled camera footage, with and without gate and second look: precision, recall, onset, false alarms."""
    try:
        wanted = read_labels(labels)
    except BadInput as exc:
        raise typer.BadParameter(str(exc)) from exc
    present = [clip for clip in wanted.clips if (footage / clip.file).is_file()]
    absent = [clip.file for clip in wanted.clips if clip not in present]
    if not present:
        console.print(
            "[yellow]camera-quality: none of the labelled clips is in the footage folder; nothing measured[/yellow]"
        )
        finish("camera-quality", {"clips": 0, "absent": absent}, {}, report, holds=True)
        return
    sets = named_rules(())
    model, columns = watched(settings.load(), Clips(footage, present), sets, TOLERANCE_S, console)
    jobs = _as_jobs(footage, present)
    show(console, [*columns, Column(JOB, sets[0][1], jobs)], model, absent)
    finish("camera-quality", _figures(model, columns, jobs, absent), {}, report, holds=True)


def _figures(
    model: str, columns: Sequence[Column], jobs: Sequence[Clip], absent: Sequence[str]
) -> dict[str, Any]:
    """All figures: the sums by set of rules, and below `all` clip by clip."""
    told = {column.name: of_column(column) for column in columns}
    return {
        "model": model,
        "clips": len(jobs),
        "absent": list(absent),
        "tolerance_s": TOLERANCE_S,
        "live": {
            name: {key: value for key, value in page.items() if key not in {"by_clip", "rules"}}
            for name, page in told.items()
        },
        f"chunks_of_{CHUNK_S}_s": of_figures(figures(jobs)),
        "all": {name: page["by_clip"] for name, page in told.items()} | {JOB: [of_clip(c) for c in jobs]},
    }


def _as_jobs(footage: Path, clips: Sequence[ClipLabel]) -> tuple[Clip, ...]:
    """Every clip as a job of the service."""
    with folder_of_its_own() as media:
        for clip in clips:
            (media / clip.file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(footage / clip.file, media / clip.file)
        with analysing(media) as (_, api):
            return tuple(_as_job(clip, media / clip.file, api) for clip in clips)


def _as_job(label: ClipLabel, video: Path, api: ApiClient) -> Clip:
    wanted = Wanted(video, None, 1.0, "camera").job().model_copy(update={"chunk_s": CHUNK_S})
    job = api.submit_path(wanted, str(uuid.uuid4()))
    clock = SystemClock()
    while job.status not in _ENDED:
        clock.sleep(_POLL_S)
        job = api.job(job.id)
    events = [event.labelled() for event in label.events]
    found = tuple(Found(i.kind, i.start_s, i.end_s, i.severity) for i in api.incidents(job.id))
    return Clip(
        name=label.file,
        length_s=probe(video).duration_s,
        found=found,
        score=score(events, found),
        any_kind=score(events, found, kinds=False),
        windows=_windows(api.captions(job.id)),
    )


def _windows(captions: Sequence[CaptionOut]) -> Windows:
    failed = sum(caption.status is None for caption in captions)
    outcomes = second_looks_of(caption.stats for caption in captions)
    return Windows(all=len(captions), asked=len(captions), failed=failed, second_looks=outcomes)


if __name__ == "__main__":
    typer.run(camera_quality)
