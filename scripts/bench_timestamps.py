"""Which times the model is told, read back from the token ids of the real vLLM and held against the true ones; see scripts/bench.sh.

Frames go in as the engine passes them, and times come out of the text that the server gives the model, read as that text says. Nothing
of the override's own knowledge is used for reading.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.table import Table

from bench_asking import Asker, noisy_frames, or_leave
from bench_report import ReportFile, console, finish, folder_of_its_own
from bench_vlm import PACKINGS, question
from chunk_caption import budget
from chunk_caption.frames import Frame, frames_of
from vllm_cpu_server import USERS_FLAGS, profile_flags, serving

MOST_OFF_S: Final = 0.06
_SIZE_PX: Final = (480, 270)
_LIST: Final = re.compile(r"Frame times in seconds: ([\d., ]+)")
_MARK: Final = re.compile(r"<(\d+\.\d+) seconds>")
_LINEAR: Final = re.compile(r"the true second is (\d+\.\d+) \+ (\d+\.\d+) x T")
_NUMBERED: Final = re.compile(r"a mark T stands for frame number (\S+) x T of this list")


@dataclass(frozen=True)
class Case:
    """A chunk: where it starts in its file, and when its frames are, both in seconds of the file."""

    name: str
    start_s: float
    times_s: tuple[float, ...]


def cases() -> list[Case]:
    """Regular and irregular frames, odd numbers of them, chunks from the middle of a file, and more frames than fit."""
    chance = np.random.default_rng(7)
    uneven = sorted({round(float(at), 2) for at in chance.uniform(0.0, 8.0, 17)})
    bursts = [round(start + number / 10, 2) for start in (0.0, 3.0, 7.5) for number in range(5)]
    return [
        Case("4 a second", 0.0, _every(0.25, 16)),
        Case("10 a second", 0.0, _every(0.1, 20)),
        Case("15 a second", 0.0, _every(1 / 15, 30)),
        Case("2 a second, past 10 s", 0.0, _every(0.5, 30)),
        Case("an odd number", 0.0, _every(0.25, 7)),
        Case("two", 0.0, _every(0.4, 2)),
        Case("one every 3 s", 0.0, _every(3.0, 6)),
        Case("uneven", 0.0, tuple(uneven)),
        Case("bursts", 0.0, tuple(bursts)),
        Case("ten minutes into the file", 600.0, _every(0.25, 8, 600.0)),
        Case("first frame late", 62.0, _every(0.5, 8, 62.37)),
        Case("more than fit", 0.0, _every(0.1, 130)),
    ]


def timestamps(report: ReportFile = None) -> None:
    """The times that the model is told, read back from the real vLLM's token ids, against the frames' true times."""
    or_leave(lambda: _timestamps(report))


def _timestamps(report: Path | None) -> bool:
    servers = {
        "users' flags": USERS_FLAGS,
        "profile": profile_flags(),
        "profile, request-media-options": profile_flags(switches=("request-media-options",)),
    }
    rows: list[dict[str, Any]] = []
    for name, flags in servers.items():
        with folder_of_its_own() as folder, serving(flags, folder, console.print) as server:
            for packing in PACKINGS:
                asker = Asker(server.environment, PACKING=packing)
                rows += [{"server": name} | row(asker, packing, case) for case in cases()]
                asker.close()
    console.print(_table(rows))
    figures = {
        "server": "vllm serve 0.32.0 on a CPU",
        "rows": len(rows),
        "worst_off_s": max(row["off_s"] for row in rows),
        "thinned_rows": sum(row["frames"] < row["given"] for row in rows),
        "told_by": dict(Counter(row["told_by"] for row in rows)),
        "mispredicted_tokens": sum(abs(row["mispredicted"]) for row in rows),
        "all": rows,
    }
    bar = {"worst_off_s": MOST_OFF_S, "mispredicted_tokens": 0}
    holds = all(figures[name] <= most for name, most in bar.items())
    finish("timestamps", figures, bar, report, holds=holds)
    return holds


def row(asker: Asker, packing: str, case: Case) -> dict[str, Any]:
    """One case in one packing."""
    frames = chunk_of(case)
    seen = asker.ask(question(frames))
    kept = budget.thinned(frames, seen.request.frames)
    told_by, off_s = held_against(seen.text, [frame.time_s for frame in kept])
    return {
        "packing": packing,
        "case": case.name,
        "given": len(frames),
        "frames": len(kept),
        "told_by": told_by,
        "off_s": round(off_s, 3),
        "mispredicted": seen.request.predicted_tokens - seen.cost.prompt_tokens,
    }


def chunk_of(case: Case) -> list[Frame]:
    """The frames of a case, out of the engine's zero-padded rows, with times of the file."""
    jpegs = [frame.jpeg for frame in noisy_frames(_SIZE_PX, case.times_s)]
    rows = np.zeros((1, len(jpegs), max(map(len, jpegs)) + 9), dtype=np.uint8)
    for line, jpeg in zip(rows[0], jpegs, strict=True):
        line[: len(jpeg)] = np.frombuffer(jpeg, dtype=np.uint8)
    return frames_of(rows, case.times_s, case.start_s)


def held_against(text: str, true_s: Sequence[float]) -> tuple[str, float]:
    """How the text tells frame times, and how far the farthest told time lies from the true one.

    Args:
        text: what the model is given.
        true_s: the times of its frames, from the start of the chunk.

    Raises ValueError when the text tells another number of times than there are frames, or pairs of frames.
    """
    marks_s = [float(mark) for mark in _MARK.findall(text)]
    if len(marks_s) == len(true_s):
        return "mark per picture", _worst(marks_s, true_s)
    pairs_s = _means(true_s)
    listed = _LIST.search(text)
    if listed is None:
        return "mark per pair", _worst(marks_s, pairs_s)
    listed_s = [float(part) for part in listed[1].split(",")]
    off_s = _worst(listed_s, true_s)
    linear, numbered = _LINEAR.search(text), _NUMBERED.search(text)
    if linear:
        read_s = [float(linear[1]) + float(linear[2]) * mark for mark in marks_s]
        return "list and linear rule", max(off_s, _worst(read_s, pairs_s))
    if numbered:
        listed_pairs_s = _means(listed_s)
        read_s = [listed_pairs_s[round((float(numbered[1]) * mark - 0.5) / 2)] for mark in marks_s]
        return "list and frame numbers", max(off_s, _worst(read_s, pairs_s))
    return "list", off_s


def _means(times_s: Sequence[float]) -> list[float]:
    """Of each two; an odd last one is its own."""
    return [
        (first + second) / 2
        for first, second in zip_longest(times_s[::2], times_s[1::2], fillvalue=times_s[-1])
    ]


def _worst(told_s: Sequence[float], true_s: Sequence[float]) -> float:
    return max(abs(told - true) for told, true in zip(told_s, true_s, strict=True))


def _every(step_s: float, count: int, start_s: float = 0.0) -> tuple[float, ...]:
    """Times with two decimals, as the engine gives them."""
    return tuple(round(start_s + number * step_s, 2) for number in range(count))


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("server", "packing", "frames", "frames kept", "told by", "farthest off, s")
    for line in rows:
        kept = f"{line['frames']} of {line['given']}"
        table.add_row(
            line["server"], line["packing"], line["case"], kept, line["told_by"], f"{line['off_s']:.3f}"
        )
    return table
