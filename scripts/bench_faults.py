"""What the override makes of every fault that a VLM endpoint or the engine can show it; see scripts/bench.sh.

Faults of the endpoint are provoked on the real vLLM where that can be done, and played by a double otherwise; those of the engine are played
by doubles of our own writing (the real engine needs NVIDIA's hardware decoder for them).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

from rich.table import Table

import bench_fault_cases as cases
from bench_asking import or_leave
from bench_fault_asking import ask, line_of
from bench_fault_rows import Row, rows
from bench_report import ReportFile, console, finish, folder_of_its_own
from tests.vss_overrides.vlm_double import VlmDouble
from vllm_cpu_server import profile_flags, serving

_KEY: Final = "made-up-key"


def faults(report: ReportFile = None) -> None:
    """Every fault that a client can meet, and what the override did."""
    or_leave(lambda: _faults(report))


def _faults(report: Path | None) -> bool:
    logging.getLogger("chunk_caption").addHandler(logging.NullHandler())  # the table says it
    with folder_of_its_own() as folder:
        wanted = rows(folder)
        lines = [on_double(row) for row in wanted if not row.real]
        lines += [cases.later(), cases.not_openai(), cases.no_tls()]
        lines += [cases.no_frames(folder), cases.drop_list(folder), cases.two_at_once(folder)]
        with serving(profile_flags(), folder, console.print, api_key=_KEY) as server:
            environment = server.environment | {"VIA_VLM_API_KEY": _KEY}
            lines += [line_of(row, "real vLLM", ask(environment, row)) for row in wanted if row.real]
            lines += [cases.idle(environment), cases.interrupted(server, environment, folder)]
        with serving(profile_flags(), folder, console.print, api_key=_KEY) as server:
            lines.append(cases.killed(server, server.environment | {"VIA_VLM_API_KEY": _KEY}, folder))
    console.print(table(lines))
    figures = {
        "rows": len(lines),
        "as_expected": sum(line["holds"] for line in lines),
        "on_real_vllm": sum(line["where"] == "real vLLM" for line in lines),
        "longest_s": max(line["wall_s"] for line in lines),
        "not_as_expected": [line["fault"] for line in lines if not line["holds"]],
        "all": lines,
    }
    holds = all(line["holds"] for line in lines)
    finish("faults", figures, {"as_expected": len(lines)}, report, holds=holds)
    return holds


def on_double(row: Row) -> dict[str, Any]:
    """A row played by the double."""
    with VlmDouble(max_model_len=8192) as double:
        row.prepare(double)
        double.script = list(row.script)
        return line_of(row, "double", ask(double.environment, row))


def table(lines: list[dict[str, Any]]) -> Table:
    """For people: what was wrong, what was said, what became of the chunk."""
    shown = Table("fault", "where", "the server said", "the chunk", "sent as", "retries", "s")
    for line in lines:
        became = line["became"] if line["holds"] else f"[red]{line['became']}[/red]"
        sent = f"{line['frames']} x {line['packing']}" if line["frames"] else "nothing"
        shown.add_row(
            line["fault"],
            line["where"],
            line["server"],
            became,
            sent,
            str(line["retries"]),
            f"{line['wall_s']:.2f}",
        )
    return shown
