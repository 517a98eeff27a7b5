"""Which kind of answer file a file is, and what its name tells. It reads no answers (see `evaluation_answers`)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from extension.captions import schema
from extension.errors import BadInput
from extension.timetravel import readback
from extension.timetravel.scoring_runs import Answers, Truth

SHAPES: Final = (
    "a run report (timetravel run --report), raw answers (chunk_responses), an intermediate JSONL, an event list JSONL, "
    'an event index JSONL (time, ids), a summary (events), or a list of seconds ({"28": [[1, 4]]} or [{"00:00:28": [1, 4]}])'
)
STAMPED: Final = re.compile(
    r"(?P<what>.+?)_(?P<when>\d{8}_\d{6}(?:-\d+)?)(?P<tail>_(?:intermediate|processed|eventlist))?", re.ASCII
)
_TAIL: Final = re.compile(r"_(?:intermediate|processed|eventlist)$")


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known about a file before it is read.

    Attributes:
        path: The file.
        truth: What to score it against.
        speed: Log seconds per media second.
        vlm_only: Of a run report count only what the VLM saw, not what the log alone told.
    """

    path: Path
    truth: Truth
    speed: float = 1.0
    vlm_only: bool = False

    @property
    def unnamed(self) -> Answers:
        """Answers without content, named as far as the file's name tells."""
        model, video, run = names_in(self.path)
        return Answers(self.path.name, "", model, video, run, (), ())


def names_in(path: Path) -> tuple[str | None, str | None, str]:
    """Model, video and run as `<model>_<video>_<YYYYmmdd_HHMMSS>` tells them, each None where it does not."""
    parts = STAMPED.fullmatch(path.stem)
    what = parts["what"] if parts else _TAIL.sub("", path.stem)
    run = parts["when"] if parts else what
    at = what.rfind("_video_")
    if at > 0:
        return what[:at], what[at + 1 :], run
    if parts and "_" in what:
        model, video = what.split("_", 1)
        return model, video, run
    return None, what if what.startswith("video") else None, run


def load(path: Path) -> tuple[str, Any]:
    """The shape of an answer file, and its content as JSON where the shape is one JSON value.

    Raises:
        BadInput: It is of no known shape; the message names them.
    """
    text = readback.read_text(path)
    if not text.strip():
        if path.suffix == ".jsonl":
            return ("event list" if "eventlist" in path.stem else "intermediate"), None
        raise BadInput(f"{path.name}: the file is empty; known are {SHAPES}")
    try:
        page = json.loads(text)
    except RecursionError as exc:
        raise BadInput(f"{path.name}: not JSON that can be read (nested too deeply)") from exc
    except json.JSONDecodeError as exc:
        if path.suffix != ".jsonl" and exc.msg != "Extra data":
            raise BadInput(f"{path.name}: line {exc.lineno}: not JSON ({exc.msg})") from exc
        return _shape_of_line(path, text), None
    shape = _shape_of_page(page)
    if shape is None and isinstance(page, dict):
        return _shape_of_line(path, text), None
    if shape is None:
        raise BadInput(f"{path.name}: line 1: of no known shape; known are {SHAPES}")
    return shape, page


def _shape_of_page(page: Any) -> str | None:
    if isinstance(page, list):
        by_clock = all(isinstance(entry, dict) and all(map(schema.clock_text, entry)) for entry in page)
        return "list by clock" if by_clock else None
    if not isinstance(page, dict):
        return None
    if "job" in page and "incidents" in page:
        return "run report"
    if "chunk_responses" in page:
        return "raw answers"
    if isinstance(page.get("events"), list) and "total_events" in page:
        return "summary"
    return "list of seconds" if page and all(str(key).strip().isdecimal() for key in page) else None


def _shape_of_line(path: Path, text: str) -> str:
    number, line = next((n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip())
    try:
        entry = json.loads(line)
    except RecursionError as exc:
        raise BadInput(f"{path.name}: line {number}: nested too deeply") from exc
    except json.JSONDecodeError as exc:
        raise BadInput(f"{path.name}: line {number}: not JSON ({exc.msg})") from exc
    if isinstance(entry, dict) and {"timestamp", "objid"} <= set(entry):
        return "event list"
    if isinstance(entry, dict) and "ids" in entry:
        return "event index"
    if isinstance(entry, dict) and entry and all(map(schema.clock_text, entry)):
        return "intermediate"
    raise BadInput(f"{path.name}: line {number}: of no known shape; known are {SHAPES}")
