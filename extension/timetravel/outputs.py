"""The three files that a run leaves beside the database, in the predecessors' formats: raw answers, intermediate and event list.

A run without any contact writes them too: they prove that the video was looked at.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from extension.model import Basis, Caption, Kind, Position, Span
from extension.timetravel.trajectory import EPOCH, Trajectory, label_order
from extension.timetravel.trajectory_csv import stamp

_NAME_BYTES: Final = 80
_SECOND: Final = dt.timedelta(seconds=1)
_SAMPLE: Final = dt.timedelta(microseconds=1)


class Happening(Protocol):
    """What events and incidents have in common; `objects` are labels as drawn in the video."""

    @property
    def kind(self) -> Kind:
        """What happened."""

    @property
    def span(self) -> Span:
        """When, in media seconds."""

    @property
    def objects(self) -> tuple[str, ...]:
        """Between whom."""

    @property
    def start_at(self) -> dt.datetime | None:
        """When it began in the log's world."""

    @property
    def end_at(self) -> dt.datetime | None:
        """When it ended in the log's world."""

    @property
    def positions(self) -> tuple[Position, ...]:
        """Where the objects were."""

    @property
    def basis(self) -> Basis:
        """What it rests on."""


@dataclass(frozen=True, slots=True)
class Contacted:
    """A contact as the twin needs it: ids, places and log instants. `positions` is empty when no log told them."""

    objids: tuple[str, ...]
    start_at: dt.datetime
    end_at: dt.datetime
    positions: tuple[Position, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One finished run over one video.

    Attributes:
        id: The job's id.
        model: Name of the VLM.
        video: File name of the video.
        finished_at: When the run ended; it dates the files.
        media_s: Length of the video.
        execution_s: How long the run took.
        captions: The answers of all chunks, failed ones included.
        tz: Zone that the files' timestamps are written in.
    """

    id: str
    model: str
    video: str
    finished_at: dt.datetime
    media_s: float
    execution_s: float
    captions: tuple[Caption, ...]
    tz: dt.tzinfo = dt.UTC


@dataclass(frozen=True, slots=True)
class Written:
    """Where the files of a run are."""

    raw: Path
    intermediate: Path
    event_list: Path


def contacted(
    happenings: Iterable[Happening], trajectory: Trajectory | None = None, origin_at: dt.datetime = EPOCH
) -> tuple[Contacted, ...]:
    """The contacts among events or incidents: collisions of two or more objects, by time.

    Args:
        happenings: Events or incidents of one run.
        trajectory: The log behind the video; gives ids, and places where the happening has none.
        origin_at: Instant of media second 0, for happenings that know no log instant (an unknown date is 1970-01-01).
    """
    found = [
        _contacted(happening, trajectory, origin_at)
        for happening in happenings
        if happening.kind is Kind.COLLISION and len(set(happening.objects)) > 1
    ]
    return tuple(sorted(found, key=lambda c: (c.start_at, [label_order(objid) for objid in c.objids])))


def write_outputs(
    folder: Path, run: Run, seen: Sequence[Contacted], merged: Sequence[Contacted] | None = None
) -> Written:
    """Write the three files of a run, each atomically.

    Args:
        folder: Where to; made when missing. Files of the same run and second are replaced, those of another run never.
        run: The run.
        seen: Contacts for the intermediate file (one per event).
        merged: Contacts for the event list (one per incident); `seen` when not given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = _free_name(folder, run)
    written = Written(
        raw=folder / f"{name}.json",
        intermediate=folder / f"{name}_intermediate.jsonl",
        event_list=folder / f"{name}_eventlist.jsonl",
    )
    _replace(written.raw, json.dumps(raw_answers(run), ensure_ascii=False, indent=2) + "\n")
    _replace(written.intermediate, _lines(intermediate(seen, run.tz)))
    _replace(written.event_list, _lines(event_list(seen if merged is None else merged, run.tz)))
    return written


def raw_answers(run: Run) -> dict[str, Any]:
    """The answers of a run in the via-server's response shape; a failed chunk keeps its text and gains a `failure`."""
    return {
        "id": run.id,
        "created": int(run.finished_at.timestamp()),
        "model": run.model,
        "media_info": {"type": "offset", "start_offset": 0, "end_offset": int(run.media_s)},
        "usage": {"query_processing_time": int(run.execution_s), "total_chunks_processed": len(run.captions)},
        "chunk_responses": [_chunk(caption) for caption in sorted(run.captions, key=lambda c: c.chunk.index)],
        "execution_time": round(run.execution_s, 3),
    }


def intermediate(seen: Iterable[Contacted], tz: dt.tzinfo = dt.UTC) -> Iterator[dict[str, list[list[str]]]]:
    """One line per log second in which there was contact, by time, with all its groups, each once."""
    groups: dict[dt.datetime, set[tuple[str, ...]]] = {}
    for contact in seen:
        second = contact.start_at.astimezone(dt.UTC).replace(microsecond=0)
        while second == contact.start_at.replace(microsecond=0) or second < contact.end_at:
            groups.setdefault(second, set()).add(contact.objids)
            second += _SECOND
    for second in sorted(groups):
        ordered = sorted(groups[second], key=lambda group: [label_order(objid) for objid in group])
        yield {stamp(second.astimezone(tz)): [list(group) for group in ordered]}


def event_list(merged: Iterable[Contacted], tz: dt.tzinfo = dt.UTC) -> Iterator[dict[str, Any]]:
    """One line per object of each contact, by time; `position` is null when no log told it."""
    for contact in sorted(merged, key=lambda c: (c.start_at, [label_order(objid) for objid in c.objids])):
        places = {place.objid: place for place in contact.positions}
        for objid in contact.objids:
            place = places.get(objid)
            yield {
                "timestamp": stamp(contact.start_at.astimezone(tz)),
                "objid": objid,
                "position": {"x": place.x, "y": place.y, "z": place.z} if place else None,
            }


def _contacted(happening: Happening, trajectory: Trajectory | None, origin_at: dt.datetime) -> Contacted:
    names = sorted(set(happening.objects), key=label_order)
    start_at = happening.start_at or origin_at + dt.timedelta(seconds=happening.span.start_s)
    end_at = happening.end_at or start_at + dt.timedelta(seconds=happening.span.duration_s)
    if happening.basis is not Basis.VLM:
        end_at += _SAMPLE  # the log's contacts end with a sample that is in them
    positions = happening.positions
    if trajectory is not None and not positions:
        positions = trajectory.positions_of(names, start_at)
    objids = tuple(_objid(name, trajectory) for name in names)
    return Contacted(objids=objids, start_at=start_at, end_at=end_at, positions=positions)


def _objid(label: str, trajectory: Trajectory | None) -> str:
    """The log's id for a label; without a log, or for a number it does not have, `obj%03d`; words stay."""
    known = trajectory.objid_of(label) if trajectory else None
    return known or (f"obj{int(label):03d}" if label.isascii() and label.isdecimal() else label)


def _chunk(caption: Caption) -> dict[str, Any]:
    chunk: dict[str, Any] = {
        "start_time": str(float(caption.chunk.span.start_s)),
        "end_time": str(float(caption.chunk.span.end_s)),
        "content": caption.text,
        "reasoning_description": json.dumps(caption.stats, ensure_ascii=False) if caption.stats else "",
    }
    if caption.failure:
        chunk["failure"] = f"{caption.failure.code}: {caption.failure.message}"
    if not caption.asked:
        chunk["not_asked"] = caption.stats.get("why", "")
    return chunk


def _free_name(folder: Path, run: Run) -> str:
    """`<model>_<video>_<YYYYmmdd_HHMMSS>`, with a number behind it where another run has taken that name."""
    name = (
        f"{_safe(run.model)}_{_safe(Path(run.video).stem)}_{run.finished_at.astimezone(run.tz):%Y%m%d_%H%M%S}"
    )
    names = itertools.chain([name], (f"{name}-{n}" for n in itertools.count(2)))
    return next(free for free in names if _owner(folder / f"{free}.json") in (None, run.id))


def _owner(raw: Path) -> str | None:
    """Id of the run that wrote a raw answers file; None when there is none."""
    try:
        return str(json.loads(raw.read_text(encoding="utf-8"))["id"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return ""


def _safe(name: str) -> str:
    """A name that is safe as part of a file name: letters and digits of any script, dots and dashes; never empty or hidden."""
    cleaned = re.sub(r"[^\w.-]+", "-", name).strip("-.")
    return cleaned.encode("utf-8", "ignore")[:_NAME_BYTES].decode("utf-8", "ignore") or "unnamed"


def _lines(entries: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)


def _replace(path: Path, text: str) -> None:
    """Put a whole file in place at once: a reader sees the old one or the new one, also after a crash."""
    part = path.with_name(f".{path.name}.part")
    # Half a character in an answer becomes its escape, which JSON reads back as it was.
    with part.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
