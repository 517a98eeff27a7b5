"""Gathers what an evaluation needs: which answer files there are, which truth each belongs to, which group it is part of."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from extension.command.evaluation_answers import read_answers
from extension.command.evaluation_shapes import SHAPES, Origin, load, names_in
from extension.errors import BadInput
from extension.timetravel import readback
from extension.timetravel.scoring_runs import Answers, Truth
from extension.timetravel.scoring_summary import RunScore, score_run
from extension.timetravel.scoring_truth import read_truth

READ: Final = ("raw", "intermediate", "eventlist")
"""Files that one run leaves; only one of them is scored."""

GROUPINGS: Final = ("model", "video", "folder", "all")
_TAILS: Final = {"_intermediate": "intermediate", "_processed": "intermediate", "_eventlist": "eventlist"}
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to score, and how.

    Attributes:
        answers: Files or folders, each with the name of its group where one is given.
        threshold_cm: Contact distance for truths computed from a log.
        tz: Zone of timestamps and burnt-in clock.
        tolerance_s: How far apart in time a match may be.
        speed: Log seconds per media second, where no manifest says it.
        start_at: The log's first instant, for truths that do not tell it.
        grouping: One of `GROUPINGS`, for answers without a given group.
        read: Which of a run's files counts, one of `READ`.
        vlm_only: Of run reports count only what the VLM saw.
    """

    answers: tuple[tuple[str | None, Path], ...]
    threshold_cm: float
    tz: dt.tzinfo
    tolerance_s: float
    speed: float = 1.0
    start_at: dt.datetime | None = None
    grouping: str = "model"
    read: str = "raw"
    vlm_only: bool = False


@dataclass(frozen=True, slots=True)
class Assigned:
    """A truth, and how fast the video of it runs."""

    truth: Truth
    speed: float


class _Video(BaseModel):
    """One video of a manifest."""

    model_config = ConfigDict(extra="forbid")

    truth: Path
    speed: Annotated[float, Field(gt=0)] = 1.0
    start: dt.datetime | None = None


class _Manifest(BaseModel):
    """Which truth belongs to which video; paths are relative to the manifest."""

    model_config = ConfigDict(extra="forbid")

    videos: Annotated[dict[str, _Video], Field(min_length=1)]
    contact_cm: Annotated[float, Field(gt=0)] | None = None


@dataclass
class Gathered:
    """Scored runs by group, in the order met, with what could not be read."""

    groups: dict[str, list[RunScore]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    left_out: int = 0

    @property
    def runs(self) -> list[RunScore]:
        """All runs of all groups."""
        return [run for runs in self.groups.values() for run in runs]


def read_manifest(path: Path, wanted: Wanted) -> dict[str, Assigned]:
    """Truth and speed by video from a YAML manifest.

    Raises:
        BadInput: It is not a manifest; the message names file, place and reason.
    """
    try:
        manifest = _Manifest.model_validate(yaml.safe_load(readback.read_text(path)))
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise BadInput(f"{path.name}: line {line}: not YAML ({exc.problem})") from exc
    except yaml.YAMLError as exc:
        raise BadInput(f"{path.name}: not YAML") from exc
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BadInput(f"{path.name}: {where}: {first['msg']}") from exc
    truths: dict[tuple[Path, dt.datetime | None], Truth] = {}
    found = {}
    for name, video in manifest.videos.items():
        start_at = video.start and (
            video.start if video.start.tzinfo else video.start.replace(tzinfo=wanted.tz)
        )
        key = (path.parent / video.truth, start_at)
        if key not in truths:
            threshold_cm = manifest.contact_cm or wanted.threshold_cm
            truths[key] = read_truth(key[0], threshold_cm=threshold_cm, tz=wanted.tz, start_at=start_at)
        found[Path(name).stem if name.endswith(".mp4") else name] = Assigned(truths[key], video.speed)
    return found


def gather(wanted: Wanted, truths: Assigned | Mapping[str, Assigned]) -> Gathered:
    """Read and score all answers; files that cannot be read are named in `broken`.

    Raises:
        BadInput: A path does not exist, or there is no answer file at all.
    """
    gathered = Gathered()
    found: list[tuple[str | None, Path, Assigned, Answers]] = []
    for group, place in wanted.answers:
        files, left_out = answer_files(place, wanted.read)
        gathered.left_out += left_out
        for file in files:
            try:
                assigned = _assigned(file, truths)
                origin = Origin(file, assigned.truth, assigned.speed, wanted.vlm_only)
                found += [(group, file, assigned, answers) for answers in read_answers(origin)]
            except BadInput as exc:
                gathered.broken.append(str(exc))
    reported = {answers.run for _, _, _, answers in found if answers.shape == "run report"}
    for group, file, assigned, answers in found:
        if answers.shape == "raw answers" and answers.run in reported:
            gathered.left_out += 1
            continue
        name = group or _group(answers, file, wanted.grouping)
        run = score_run(answers, assigned.truth, assigned.speed, wanted.tolerance_s)
        gathered.groups.setdefault(name, []).append(run)
    return gathered


def answer_files(place: Path, read: str) -> tuple[list[Path], int]:
    """The files to read in a folder and below (one per run), or the file itself; and how many further files of those runs are left out.

    Raises:
        BadInput: There is no such path, or no answer file in it.
    """
    if place.is_file():
        return [place], 0
    if not place.is_dir():
        raise BadInput(f"{place.name}: there is no such file or folder")
    files = [
        file
        for file in sorted(place.rglob("*.json*"))
        if file.suffix in (".json", ".jsonl")
        and not file.name.startswith(".")
        and not file.name.endswith(".meta.json")
    ]
    if not files:
        raise BadInput(f"{place.name}: the folder holds no .json or .jsonl file; known are {SHAPES}")
    kept = list(_one_per_run(files, read))
    return kept, len(files) - len(kept)


def _one_per_run(files: Sequence[Path], read: str) -> Iterator[Path]:
    order = [read, *(kind for kind in READ if kind != read)]
    families: dict[tuple[Path, str], dict[str, Path]] = {}
    for file in files:
        tail = next((tail for tail in _TAILS if file.stem.endswith(tail)), "")
        family = families.setdefault((file.parent, file.stem.removesuffix(tail)), {})
        family.setdefault(_TAILS.get(tail, "raw"), file)
    for family in families.values():
        yield next(family[kind] for kind in order if kind in family)


def _assigned(file: Path, truths: Assigned | Mapping[str, Assigned]) -> Assigned:
    if isinstance(truths, Assigned):
        return truths
    video = _video_in(file)
    if video in truths:
        return truths[video]
    named = [
        name for name in truths if re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", file.stem)
    ]
    if not named:
        raise BadInput(f"{file.name}: its video is not in the manifest (known are {', '.join(truths)[:200]})")
    return truths[max(named, key=len)]


def _video_in(file: Path) -> str:
    """The video that a file speaks of, from its content where that tells, else from its name."""
    shape, page = load(file)
    told: Any = None
    if shape == "run report":
        told = page["job"].get("name") if isinstance(page["job"], dict) else None
    elif shape in ("raw answers", "summary"):
        told = page.get("video") or page.get("source_id")
    elif shape == "event index":
        told = next((record.video for record in readback.read_event_index(file)), None)
    return Path(str(told)).stem if told else names_in(file)[1] or file.stem


def _group(answers: Answers, file: Path, grouping: str) -> str:
    names = {
        "model": answers.model or "unknown model",
        "video": answers.video or "unknown video",
        "folder": file.parent.name,
        "all": "all runs",
    }
    return names[grouping]


def broken_list(broken: Sequence[str]) -> str:
    """What could not be read, for one error message."""
    more = f"; and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
    return "; ".join(broken[:_SHOWN]) + more
