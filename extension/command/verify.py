"""`timetravel verify`: checks evidence and says, item by item, what is as it was and what is not. Needs no service."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extension.evidence.verify import Outcome, Verified, folders, verify

_STYLES: Final = {Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.NOTE: "yellow"}


def check(
    path: Path,
    console: Console,
    *,
    source: Path | None = None,
    sha256: str | None = None,
    as_json: bool = False,
) -> int:
    """Check evidence and print what came of it; the exit code: 1 when anything does not match or is missing.

    Args:
        path: A folder of evidence, its manifest, or a folder of such folders.
        console: Where people look.
        source: The source video, to check its hash too.
        sha256: What the manifest's own hash must be.
        as_json: Whether to print JSON in place of tables.

    Raises:
        BadInput: There is no evidence there.
    """
    results = [verify(folder, source, sha256) for folder in folders(path)]
    if as_json:
        page = {
            "ok": all(result.ok for result in results),
            "evidence": [_plain(result) for result in results],
        }
        console.print_json(json.dumps(page, ensure_ascii=False))
    else:
        for result in results:
            console.print(_table(result))
        console.print(_ending(results))
    return 0 if all(result.ok for result in results) else 1


def _plain(result: Verified) -> dict[str, object]:
    return {"ok": result.ok, **asdict(result)}


def _table(result: Verified) -> Table:
    """The checks of one incident's evidence."""
    table = Table(
        title=Text(f"Evidence of incident {result.incident_id or result.folder}", style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("what", overflow="fold", max_width=30)
    table.add_column("check", no_wrap=True)
    table.add_column("why", overflow="fold")
    for finding in result.findings:
        outcome = Text(finding.outcome, style=_STYLES[finding.outcome])
        table.add_row(Text(finding.item), outcome, Text(finding.detail))
    return table


def _ending(results: Sequence[Verified]) -> Text:
    wrong = [
        finding.item if len(results) == 1 else f"{result.folder}/{finding.item}"
        for result in results
        for finding in result.findings
        if finding.outcome is Outcome.FAIL
    ]
    if not wrong:
        checked = sum(f.outcome is Outcome.PASS for result in results for f in result.findings)
        return Text(f"All {checked} checks passed: the evidence is as it was made.", style="green")
    return Text(f"The evidence is NOT as it was made: {', '.join(wrong)}.", style="bold red")
