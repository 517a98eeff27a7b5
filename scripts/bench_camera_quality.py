"""Measures what a VLM finds in labelled camera footage, through the whole stack; it publishes figures and sets no bar.

`scripts/bench.sh camera-quality [--footage DIR] [--labels FILE]`. The label file lists clips and what happens in them:
`clips: [{file: a.mp4, events: [{kind: fall, start_s: 2.3, end_s: 3.6}]}]`; a clip without events is a negative.
"""

from __future__ import annotations

import math
import shutil
import statistics
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from rich.table import Table

from bench_report import ReportFile, analysing, console, finish, folder_of_its_own
from extension.client import ApiClient
from extension.clock import SystemClock
from extension.command.follow import Wanted
from extension.model import JobStatus, Kind, Severity
from extension.sources.probe import probe

ROOT: Final = Path(__file__).resolve().parents[1]
FOOTAGE: Final = ROOT.parent / "shared" / "footage"
LABELS: Final = ROOT / "tests" / "footage" / "labels.yaml"
CHUNKS_S: Final = (10, 2)
TOLERANCE_S: Final = 2.0
"""An incident that starts this long before an event, or this long after its end, still is that event."""
CONFIDENCE: Final = 0.95
_POLL_S: Final = 0.25
_ENDED: Final = (JobStatus.DONE, JobStatus.FAILED)


class Labelled(BaseModel):
    """An event of a label file; `end_s` is out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    start_s: float = Field(ge=0)
    end_s: float = Field(ge=0)

    @model_validator(mode="after")
    def _runs_forward(self) -> Labelled:
        if self.end_s < self.start_s:
            raise ValueError("end_s lies before start_s")
        return self


class LabelledClip(BaseModel):
    """A file of the footage folder and what happens in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(pattern=r"^[^/\\]+$")
    events: tuple[Labelled, ...]


class Labels(BaseModel):
    """A label file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clips: tuple[LabelledClip, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Found:
    """An incident: its kind, its span in seconds of the file, and how severe it is."""

    kind: Kind
    start_s: float
    end_s: float
    severity: Severity


@dataclass(frozen=True)
class Score:
    """One clip's figures.

    Attributes:
        matched: Events that an incident of their kind overlaps, in time or within the tolerance.
        missed: The other events.
        false: Incidents that match no event.
        onset_errors_s: By how much the first incident of each matched event starts late; negative is early.
    """

    matched: int
    missed: int
    false: int
    onset_errors_s: tuple[float, ...] = ()


def camera_quality(
    footage: Annotated[Path, typer.Option(help="Folder with the clips.")] = FOOTAGE,
    labels: Annotated[Path, typer.Option(help="Label file of the clips.")] = LABELS,
    report: ReportFile = None,
) -> None:
    """Verdicts per clip of labelled camera footage: event precision, recall and F1, onset error, false alarms per hour."""
    wanted = read_labels(labels)
    present = [clip for clip in wanted.clips if (footage / clip.file).is_file()]
    absent = [clip.file for clip in wanted.clips if clip not in present]
    if not present:
        console.print(
            "[yellow]camera-quality: none of the labelled clips is in the footage folder; nothing measured[/yellow]"
        )
        finish("camera-quality", {"clips": 0, "absent": absent}, {}, report, holds=True)
        return
    rows = _measured(footage, present)
    console.print(table(rows))
    figures = {
        "clips": len(present),
        "absent": absent,
        "tolerance_s": TOLERANCE_S,
        **{
            f"chunks_of_{chunk_s}_s": summed([r for r in rows if r["chunk_s"] == chunk_s])
            for chunk_s in CHUNKS_S
        },
        "all": rows,
    }
    finish("camera-quality", figures, {}, report, holds=True)


def read_labels(path: Path) -> Labels:
    """Read a label file.

    Raises:
        typer.BadParameter: when it cannot be read or is not a label file; names the mistake.
    """
    try:
        return Labels.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as exc:
        raise typer.BadParameter(f"the label file cannot be read: {type(exc).__name__}") from exc
    except (yaml.YAMLError, ValidationError) as exc:
        raise typer.BadParameter(f"the label file is not one: {exc}") from exc


def _measured(footage: Path, clips: Sequence[LabelledClip]) -> list[dict[str, Any]]:
    """Analyse all clips with chunks of each length."""
    with folder_of_its_own() as media:
        for clip in clips:
            shutil.copyfile(footage / clip.file, media / clip.file)
        with analysing(media) as (_, api):
            return [_row(chunk_s, clip, media / clip.file, api) for chunk_s in CHUNKS_S for clip in clips]


def _row(chunk_s: int, clip: LabelledClip, video: Path, api: ApiClient) -> dict[str, Any]:
    wanted = Wanted(video, None, 1.0, "camera").job().model_copy(update={"chunk_s": chunk_s})
    job = api.submit_path(wanted, str(uuid.uuid4()))
    clock = SystemClock()
    while job.status not in _ENDED:
        clock.sleep(_POLL_S)
        job = api.job(job.id)
    found = [Found(i.kind, i.start_s, i.end_s, i.severity) for i in api.incidents(job.id)]
    captions = api.captions(job.id)
    told = score(clip.events, found)
    return {
        "chunk_s": chunk_s,
        "clip": clip.file,
        "length_s": round(probe(video).duration_s, 2),
        "events": len(clip.events),
        "matched": told.matched,
        "missed": told.missed,
        "false": told.false,
        "false_danger": score(
            clip.events, [f for f in found if f.severity.rank >= Severity.DANGER.rank]
        ).false,
        "onset_errors_s": [round(error, 2) for error in told.onset_errors_s],
        "chunks": len(captions),
        "unanswered": sum(caption.status is None for caption in captions),
        "done": job.status is JobStatus.DONE,
        "verdicts": [f"{f.severity} {f.kind} {f.start_s:.1f}-{f.end_s:.1f}" for f in found],
    }


def score(events: Sequence[Labelled], found: Sequence[Found], tolerance_s: float = TOLERANCE_S) -> Score:
    """Match incidents to events of their kind that they overlap; several incidents may belong to one event."""
    errors, used = [], set()
    for event in events:
        near = [
            n
            for n, one in enumerate(found)
            if one.kind == event.kind
            and one.start_s <= event.end_s + tolerance_s
            and one.end_s >= event.start_s - tolerance_s
        ]
        used.update(near)
        if near:
            errors.append(min(found[n].start_s for n in near) - event.start_s)
    return Score(len(errors), len(events) - len(errors), len(found) - len(used), tuple(errors))


def summed(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Precision, recall and F1 over all clips, onset error, and false alarms per hour with the bound that the length allows."""
    matched, missed, false = (sum(row[name] for row in rows) for name in ("matched", "missed", "false"))
    hours = sum(row["length_s"] for row in rows) / 3600
    errors = [abs(error) for row in rows for error in row["onset_errors_s"]]
    return {
        "matched": matched,
        "missed": missed,
        "false": false,
        "false_danger": sum(row["false_danger"] for row in rows),
        "precision": _share(matched, false),
        "recall": _share(matched, missed),
        "f1": _share(2 * matched, missed + false),
        "onset_error_median_s": round(statistics.median(errors), 2) if errors else None,
        "hours": round(hours, 4),
        "false_per_hour": round(false / hours, 1),
        "false_per_hour_at_most": round(poisson_bound(false) / hours, 1),
        "unanswered_chunks": sum(row["unanswered"] for row in rows),
    }


def _share(part: int, rest: int) -> float | None:
    return round(part / (part + rest), 3) if part + rest else None


def poisson_bound(count: int, confidence: float = CONFIDENCE) -> float:
    """Return the largest mean at which seeing `count` or fewer is not yet less likely than 1 - confidence (one-sided, exact)."""
    low, high = 0.0, 10.0 + 4.0 * count
    for _ in range(80):
        middle = (low + high) / 2
        likely = sum(math.exp(-middle + k * math.log(middle) - math.lgamma(k + 1)) for k in range(count + 1))
        low, high = (middle, high) if likely > 1 - confidence else (low, middle)
    return high


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """One line per clip and length of chunk, for people."""
    drawn = Table("chunk", "clip", "events", "found", "false", "onset error", "verdicts")
    for row in rows:
        errors = ", ".join(f"{error:+.1f} s" for error in row["onset_errors_s"])
        counts = (str(row["events"]), str(row["matched"]), str(row["false"]))
        drawn.add_row(
            f"{row['chunk_s']} s", row["clip"], *counts, errors, "\n".join(row["verdicts"]) or "nothing"
        )
    return drawn


if __name__ == "__main__":
    typer.run(camera_quality)
