"""Files of runs that tests of the evaluation read, and readers that need no command line around them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from extension.command.evaluation_answers import read_answers
from extension.command.evaluation_shapes import Origin
from extension.timetravel.evaluation import Occurrence
from extension.timetravel.scoring_runs import BASE_AT, Answers, LogClock, Truth

CONTACTS = (
    Occurrence(10.0, 11.8, ("1", "2")),
    Occurrence(30.0, 30.8, ("1", "3")),
    Occurrence(45.0, 45.8, ("2", "3")),
)


def truth(start_at: dt.datetime = BASE_AT, **changes: Any) -> Truth:
    """A log of a minute in which three contacts happen."""
    fields: dict[str, Any] = {
        "name": "log.csv",
        "source": "by hand",
        "contacts": CONTACTS,
        "seconds": (),
        "clock": LogClock(start_at),
        "duration_s": 60.0,
    }
    return Truth(**fields | changes)


def written(path: Path, content: Any) -> Path:
    """A file of JSON, of lines of JSON where its name says so, or of plain text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        text = content
    elif path.suffix == ".jsonl":
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in content)
    else:
        text = json.dumps(content, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return path


def runs_in(path: Path, content: Any, *, speed: float = 1.0, true: Truth | None = None) -> list[Answers]:
    """The runs that a file of this content holds."""
    return read_answers(Origin(written(path, content), true or truth(), speed))


def run_in(path: Path, content: Any, *, speed: float = 1.0, true: Truth | None = None) -> Answers:
    """The one run that a file of this content holds."""
    (run,) = runs_in(path, content, speed=speed, true=true)
    return run


def spans(answers: Answers) -> list[tuple[float, float, str]]:
    """Reports as start, end and joined objects, rounded to milliseconds."""
    return [(round(one.start_s, 3), round(one.end_s, 3), "".join(one.objects)) for one in answers.reports]


def raw(*contents: str | None, **more: Any) -> dict[str, Any]:
    """Raw answers of two-second chunks that follow one another."""
    chunks = [
        {"start_time": str(n * 2.0), "end_time": str(n * 2.0 + 2), "content": content}
        for n, content in enumerate(contents)
    ]
    return {"id": "run-1", "model": "vlm", "chunk_responses": chunks} | more
