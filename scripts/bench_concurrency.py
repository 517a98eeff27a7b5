"""How well one process of the engine keeps a VLM busy, measured on a double that takes its time; see scripts/bench.sh.

The double is a process of its own and keeps its own book of when it had how many requests. Chunks go through the override class,
loaded by path and called as the engine calls it.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Annotated, Any, Final

import numpy as np
import typer

from bench_asking import noisy_frames
from bench_report import ReportFile, console, finish
from chunk_caption import config
from tests.vss_overrides.vlm_double import Asked, Reply, VlmDouble
from vllm_cpu import ROOT

ANSWER_S: Final = 0.3
FEW: Final = 20
MANY: Final = 200
AT_ONCE: Final = 16
MOST_FEW_S: Final = 1.0
MOST_IDLE: Final = 0.03
_ADAPTER: Final = ROOT / "vss_overrides" / "models" / "openai_compat" / "openai_compat_model.py"
_PATIENCE_S: Final = 120.0


class SlowVlm(VlmDouble):
    """A VLM that takes `answer_s` for every answer, however many it gives at once, and notes when it began and ended each."""

    def __init__(self, answer_s: float) -> None:
        super().__init__(max_model_len=8192)
        self.changes: list[tuple[float, int]] = []
        self._answer_s = answer_s

    def take(self, asked: Asked) -> Reply:
        """Note a request, and keep it as long as a model would."""
        self.changes.append((time.monotonic(), 1))
        reply = super().take(asked)
        self.wait(self._answer_s)
        return reply

    def done(self) -> None:
        """Note that it is over."""
        self.changes.append((time.monotonic(), -1))
        super().done()


@dataclass(frozen=True)
class Busy:
    """How busy a server was from its first request to its last: shares of that time, or of that time times its places.

    `idle` is the share in which it had no request at all; `empty_places` the share of `AT_ONCE` places that stood empty while
    requests were still to come.
    """

    idle: float
    empty_places: float
    most_at_once: int


def busy(changes: list[tuple[float, int]]) -> Busy:
    """What a book of changes, (monotonic seconds, +1 or -1) per request begun or ended, says."""
    book = sorted(changes)
    first = book[0][0]
    last_begun = max(at for at, change in book if change > 0)
    last_ended = book[-1][0]
    at_once = list(itertools.accumulate(change for _, change in book))
    idle_s = empty_s = 0.0
    for (begins, _), (ends, _), count in zip(book, book[1:], at_once, strict=False):
        idle_s += (ends - begins) * (count == 0)
        empty_s += max(0.0, min(ends, last_begun) - begins) * max(0, AT_ONCE - count)
    return Busy(
        idle_s / max(last_ended - first, 1e-9),
        empty_s / max((last_begun - first) * AT_ONCE, 1e-9),
        max(at_once),
    )


def concurrency(
    runs: Annotated[int, typer.Option(min=1, help="How often; the median counts.")] = 3,
    report: ReportFile = None,
) -> None:
    """Twenty chunks against a VLM that takes 0.3 s, and how often a VLM stands idle over two hundred."""
    pages = [_run() for _ in range(runs)]
    for page in pages:
        console.print(page)
    medians: dict[str, float] = {
        key: round(statistics.median(page[key] for page in pages), 4) for key in pages[0]
    }
    figures = {"runs": runs, "answer_s": ANSWER_S, "at_once": AT_ONCE, **medians, "all": pages}
    bar = {"few_s": MOST_FEW_S, "idle": MOST_IDLE}
    holds = all(medians[name] <= most for name, most in bar.items()) and medians["answered"] == FEW + MANY
    finish("concurrency", figures, bar, report, holds=holds)
    if not holds:
        raise typer.Exit(1)


def _run() -> dict[str, float]:
    with slow_vlm() as (environment, _), adapter(environment) as model:
        few_s, few_answered = ask_all(model, FEW)
    with slow_vlm() as (environment, book), adapter(environment) as model:
        many_s, many_answered = ask_all(model, MANY)
        found = busy(book())
    return {
        "few_s": round(few_s, 3),
        "many_s": round(many_s, 3),
        "idle": round(found.idle, 4),
        "empty_places": round(found.empty_places, 4),
        "most_at_once": found.most_at_once,
        "answered": few_answered + many_answered,
    }


def ask_all(model: Any, count: int) -> tuple[float, int]:
    """Ask about `count` chunks as fast as the engine hands them over; wall seconds, and how many were answered."""
    frames = noisy_frames((480, 270), [number / 4 for number in range(8)])
    rows = np.zeros((1, len(frames), max(len(frame.jpeg) for frame in frames)), dtype=np.uint8)
    for row, frame in zip(rows[0], frames, strict=True):
        row[: len(frame.jpeg)] = np.frombuffer(frame.jpeg, dtype=np.uint8)
    began = time.monotonic()
    futures: list[Future[Any]] = []
    for number in range(count):
        start_s = 2.0 * number
        chunk = SimpleNamespace(
            start_pts=int(start_s * 1e9), end_pts=int((start_s + 2) * 1e9), chunkIdx=number
        )
        times_s = [start_s + frame.time_s for frame in frames]
        futures.append(model.generate("What happened?", [rows], [times_s], {}, [chunk]))
    texts = [future.result(_PATIENCE_S)[0][0] for future in futures]
    return time.monotonic() - began, sum("error" not in json.loads(text) for text in texts)


@contextmanager
def adapter(environment: dict[str, str]) -> Iterator[Any]:
    """The override class, made as the engine makes it, in that environment."""
    before = dict(os.environ)
    os.environ.update(environment)
    config.from_environment.cache_clear()
    spec = importlib.util.spec_from_file_location("openai_compat_model", _ADAPTER)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(_ADAPTER.name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.CompOpenAIModel()
    try:
        yield model
    finally:
        model._captioner.close()  # noqa: SLF001 -- the engine's contract has no end
        for name in environment:
            os.environ.pop(name)
        os.environ.update(before)
        config.from_environment.cache_clear()


@contextmanager
def slow_vlm() -> Iterator[tuple[dict[str, str], Any]]:
    """A slow VLM in a process of its own: the environment that points at it, and what gives its book."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs, ANSWER_S), daemon=True)
    process.start()
    try:
        environment = ours.recv()

        def book() -> list[tuple[float, int]]:
            ours.send("book")
            told: list[tuple[float, int]] = ours.recv()
            return told

        yield environment, book
    finally:
        process.terminate()
        process.join()


def _serve(ours: Connection, answer_s: float) -> None:
    with SlowVlm(answer_s) as vlm:
        ours.send(vlm.environment)
        while ours.recv() == "book":
            ours.send(vlm.changes)
