"""What chunks cost in tokens, measured on the real vLLM with a tiny model; see scripts/bench.sh.

Tokens of pictures, videos and time marks are those of the real model; those of words come close (see vllm_tiny_model).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from bench_asking import ANSWER_TOKENS, PROMPT, Asker, noisy_frames, or_leave
from bench_report import ReportFile, console, finish, folder_of_its_own
from chunk_caption.endpoint import IMAGES, MP4, VIDEO_JPEG
from chunk_caption.frames import Frame
from chunk_caption.request import Question
from vllm_cpu_server import profile_flags, serving

MOST_RATIO: Final = 0.55
SIZES: Final = (
    (20, 532, 280),
    *((n, *size) for size in ((480, 270), (640, 360), (720, 480), (1280, 720)) for n in (8, 16, 40)),
)
"""Frames, width and height in pixels: the table of docs/benchmarks.md."""

PACKINGS: Final = (VIDEO_JPEG, MP4, IMAGES)
ROOMY: Final = ("--max-model-len", "40960")
"""So that even 40 separate pictures of 1280x720 fit, and every row is a real answer."""

STEP_S: Final = 0.25
"""The pace of the profile's clock: four frames a second."""


def tokens(report: ReportFile = None) -> None:
    """Prompt tokens per chunk against the engine's stock way, and against our own prediction, on the real vLLM."""
    or_leave(lambda: _tokens(report))


def _tokens(report: Path | None) -> bool:
    with folder_of_its_own() as folder, serving((*profile_flags(), *ROOMY), folder, console.print) as server:
        askers = {packing: Asker(server.environment, PACKING=packing) for packing in PACKINGS}
        rows = [size_row(askers, *size) for size in SIZES]
        for asker in askers.values():
            asker.close()
    console.print(_size_table(rows))
    figures = {
        "server": "vllm serve 0.32.0 on a CPU, flags of the profile qwen3-vl-8b",
        "rows": len(rows),
        "worst_ratio": max(row["ratio"] for row in rows),
        "worst_mp4_frames_ratio": max(row[MP4]["frames_ratio"] for row in rows),
        "worst_whole_prompt_ratio": max(row["whole_ratio"] for row in rows),
        "mean_ratio": round(sum(row["ratio"] for row in rows) / len(rows), 4),
        "mispredicted_tokens": sum(abs(row[packing]["off"]) for row in rows for packing in PACKINGS),
        "all": rows,
    }
    bar = {"worst_ratio": MOST_RATIO, "worst_mp4_frames_ratio": MOST_RATIO, "mispredicted_tokens": 0}
    holds = all(figures[name] <= most for name, most in bar.items())
    finish("tokens", figures, bar, report, holds=holds)
    return holds


def size_row(askers: dict[str, Asker], count: int, width: int, height: int) -> dict[str, Any]:
    """One size in every packing.

    `ratio` compares all that the way of sending adds to system text and prompt, words about times included;
    `frames_ratio` the frames alone, as the server counts them; `whole_ratio` the whole prompts, ours with its system text.
    """
    frames = noisy_frames((width, height), [number * STEP_S for number in range(count)])
    stock = askers[IMAGES].stock(frames)
    stock_added = stock.prompt_tokens - askers[IMAGES].bare_tokens()
    row: dict[str, Any] = {"frames": count, "size": f"{width}x{height}", "stock_tokens": stock_added}
    for packing, asker in askers.items():
        seen = asker.ask(question(frames, system_prompt="."))
        added = seen.cost.prompt_tokens - asker.bare_tokens(system=".")
        row[packing] = {
            "tokens": added,
            "ratio": round(added / stock_added, 4),
            "frames_ratio": round(seen.cost.media_tokens / stock.media_tokens, 4),
            "frames": seen.request.frames,
            "off": seen.request.predicted_tokens - seen.cost.prompt_tokens,
        }
    usual = askers[VIDEO_JPEG].ask(question(frames))
    whole = round(usual.cost.prompt_tokens / stock.prompt_tokens, 4)
    return row | {"ratio": row[VIDEO_JPEG]["ratio"], "whole_ratio": whole}


def _size_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(
        "frames",
        "size",
        "stock",
        "frame list",
        "ratio",
        "frames alone",
        "whole prompt",
        "mp4",
        "frames alone",
    )
    for row in rows:
        ours, file = row[VIDEO_JPEG], row[MP4]
        numbers = (
            row["stock_tokens"],
            *(ours[key] for key in ("tokens", "ratio", "frames_ratio")),
            row["whole_ratio"],
        )
        numbers += (file["tokens"], file["frames_ratio"])
        table.add_row(str(row["frames"]), row["size"], *map(str, numbers))
    return table


def question(frames: Sequence[Frame], **sampling: Any) -> Question:
    """A question about a chunk as long as its frames."""
    return Question(PROMPT, frames, frames[-1].time_s + STEP_S, {"max_new_tokens": ANSWER_TOKENS} | sampling)
