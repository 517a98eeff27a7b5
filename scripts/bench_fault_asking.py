"""Asks about one chunk under one fault and writes down what became of it; the benchmark of faults uses it."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bench_fault_rows import ANSWERED, Row
from chunk_caption.captioner import Captioner
from chunk_caption.config import read
from chunk_caption.frames import Frame, unpadded
from chunk_caption.request import Question

_STEP_S: Final = 0.25
_SERVER_LINES: Final = 160
"""Characters of what a server said that the table shows."""


class _Said(logging.Handler):
    """Keeps what the override logs: each answer of the server that was no answer."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(record.getMessage())

    def by_server(self) -> str:
        """What was wrong each time, said once, without the override's own code for it."""
        wrong = [line for line in self.lines if line.startswith(("asking again", "chunk without"))]
        spoken = dict.fromkeys(line.split(": ", 2)[-1].removeprefix("the VLM answered ") for line in wrong)
        return " / ".join(spoken)[:_SERVER_LINES]


@dataclass(frozen=True)
class Outcome:
    """What became of a chunk: `ANSWERED` or the failure's code, in how many seconds and with how many retries."""

    became: str
    report: dict[str, Any]
    server_said: str
    wall_s: float


def line_of(row: Row, where: str, outcome: Outcome) -> dict[str, Any]:
    """A line of the report."""
    holds = (
        outcome.became in row.expected
        and outcome.wall_s <= row.most_s
        and outcome.report["retries"] <= row.most_retries
    )
    return {
        "fault": row.fault,
        "where": where,
        "server": outcome.server_said,
        "became": outcome.became,
        "packing": outcome.report["packing"],
        "frames": outcome.report["frames"],
        "retries": outcome.report["retries"],
        "wall_s": round(outcome.wall_s, 2),
        "bound_s": row.most_s,
        "holds": holds,
    }


def ask(environment: dict[str, str], row: Row, captioner: Captioner | None = None) -> Outcome:
    """Ask about the row's chunk, as the adapter does after taking the engine's rows apart."""
    mine = captioner or captioner_for(environment, row)
    said = _Said()
    logger = logging.getLogger("chunk_caption")
    logger.addHandler(said)
    logger.setLevel(logging.INFO)
    began = time.monotonic()
    try:
        text, stats = mine.answer(lambda: _question(row))
    finally:
        logger.removeHandler(said)
        if captioner is None:
            mine.close()
    told = json.loads(text) if text.startswith("{") else {}
    code = told["error"]["code"] if "error" in told else ANSWERED
    return Outcome(
        code,
        json.loads(stats["reasoning_description"]),
        "not asked" if code == "NoFrames" else said.by_server() or "200",
        time.monotonic() - began,
    )


def captioner_for(environment: dict[str, str], row: Row) -> Captioner:
    """The override's captioner with the row's settings."""
    named = {f"CHUNK_CAPTION_{name}": value for name, value in row.knobs.items()}
    return Captioner(read(environment | dict(row.environment) | named))


def _question(row: Row) -> Question:
    frames = [
        Frame(unpadded(np.frombuffer(jpeg, dtype=np.uint8)), number * _STEP_S)
        for number, jpeg in enumerate(row.frames())
    ]
    sampling = {"max_new_tokens": 400} | dict(row.sampling)
    return Question(row.prompt, frames, len(frames) * _STEP_S, sampling)
