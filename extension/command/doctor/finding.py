"""What a check found, and how it is shown: to people at 80 columns, to programs as JSON. It checks nothing."""

from __future__ import annotations

import enum
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

_COLOURS = {"pass": "green", "warn": "yellow", "fail": "bold red"}


class State(enum.StrEnum):
    """How a check came out; only `FAIL` stops the service from doing its job."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it is, and how to mend it (empty when there is nothing to mend)."""

    name: str
    state: State
    detail: str
    fix: str = ""


def passed(name: str, detail: str) -> Finding:
    """A finding that is as it should be."""
    return Finding(name, State.PASS, detail)


def warned(name: str, detail: str, fix: str = "") -> Finding:
    """A finding that somebody should know of."""
    return Finding(name, State.WARN, detail, fix)


def failed(name: str, detail: str, fix: str) -> Finding:
    """A finding that stops the service from doing its job."""
    return Finding(name, State.FAIL, detail, fix)


def show(findings: Sequence[Finding], console: Console, *, as_json: bool) -> int:
    """Print the findings; returns the exit code: 1 when one fails."""
    if as_json:
        console.print_json(json.dumps([asdict(finding) for finding in findings]))
    else:
        console.print(_table(findings))
        console.print(_sum(findings))
    return int(any(finding.state is State.FAIL for finding in findings))


def _table(findings: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        # Text, not markup: what others said may hold brackets.
        state = Text(finding.state.value, style=_COLOURS[finding.state])
        table.add_row(state, finding.name, Text(finding.detail))
        if finding.fix:
            table.add_row("", "", Text(f"→ {finding.fix}", style="bold"))
    return table


def _sum(findings: Sequence[Finding]) -> Text:
    counts = Counter(finding.state for finding in findings)
    said = f"\n{counts[State.PASS]} passed, {counts[State.WARN]} to know of, {counts[State.FAIL]} failed"
    return Text(said, style="bold")
