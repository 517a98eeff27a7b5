"""Draws a backtest for a terminal, through rich."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extension.command.backtest_shapes import Side, Trial
from extension.model import Incident, Severity
from extension.pipeline.backtest.difference import Changed, Difference, Lone

_COLOURS: Final = {
    Severity.SAFE: "green",
    Severity.WARN: "yellow",
    Severity.DANGER: "red",
    Severity.EXTREME: "bold red",
}
_MOST_ROWS: Final = 40
"""Lines of a difference in the terminal; --json and --report have all."""
_OF_WINDOWS: Final = {"windows": "all", "  asked about": "asked", "  left out": "not asked"}
_ENDS: Final = frozenset(_OF_WINDOWS.values())
_ROWS: Final = (
    "incidents", "  extreme", "  danger", "  warn", *_OF_WINDOWS, "without answer", "second looks",
)  # fmt: skip
_ALWAYS: Final = frozenset({"incidents", "windows"})


def show(console: Console, trials: Sequence[Trial]) -> None:
    """Print each source's counts, and the difference or, with a single set of rules, the incidents."""
    for trial in trials:
        for line in _heading(trial):
            console.print(line)
        console.print(_counts(trial))
        for note in notes(trial):
            console.print(Text(note, style="yellow"))
        told = trial.difference
        if told is None:
            _list(console, trial)
        elif told.nothing:
            console.print(Text(_unchanged(len(told.same))))
        else:
            _differ(console, trial, told)


def _unchanged(same: int) -> str:
    stayed = {0: "", 1: " 1 incident stays as it was."}.get(same, f" {same} incidents stay as they were.")
    return f"No difference.{stayed}\n"


def notes(trial: Trial) -> list[str]:
    """What cannot be told: of all rules, then of each."""
    shared = [note for note in trial.sides[0].notes if all(note in side.notes for side in trial.sides)]
    own = [f"{side.name}: {note}" for side in trial.sides for note in side.notes if note not in shared]
    return [*shared, *own]


def part_of(trial: Trial, incident: Incident) -> str:
    """Where an incident that has no partner belongs."""
    told = when(trial, incident)
    return f"part of {told.split(' ', 1)[1] if trial.start_at else told}"


def when(trial: Trial, incident: Incident) -> str:
    """When an incident was: seconds of the footage, and the wall clock where it is known."""
    span = incident.span
    if trial.start_at is None:
        return f"{span.start_s:.1f}-{span.end_s:.1f} s"
    start_at, end_at = (
        trial.start_at + dt.timedelta(seconds=second) for second in (span.start_s, span.end_s)
    )
    return f"{start_at:%Y-%m-%d %H:%M:%S}-{end_at:%H:%M:%S}"


def in_words(rules: Sequence[Side]) -> list[str]:
    """What distinguishes the rules of two sides: one line per rule that differs."""
    before, after = rules
    names = [*before.rules, *(name for name in after.rules if name not in before.rules)]
    return [
        f"{name}: {_word(before.rules.get(name))} → {_word(after.rules.get(name))}"
        for name in names
        if before.rules.get(name) != after.rules.get(name)
    ]


def _heading(trial: Trial) -> list[Text]:
    """What is judged, and what distinguishes the rules."""
    lines = [Text(f"{trial.source}: {trial.media_s:.0f} s", style="bold")]
    if len(trial.sides) > 1:
        lines += [Text(f"  {line}") for line in in_words(trial.sides)] or [Text("  the rules are the same")]
    return lines


def _counts(trial: Trial) -> Table:
    table = _table()
    table.add_column("")
    for side in trial.sides:
        table.add_column(side.name, justify="right")
    for name in _ROWS:
        cells = [_cell(side, name) for side in trial.sides]
        if name in _ALWAYS or any(cell.plain != "0" for cell in cells):
            table.add_row(name, *cells)
    return table


def _cell(side: Side, name: str) -> Text:
    """A figure of a side; red where windows have no answer."""
    failures = {code: count for code, count in side.windows.items() if code not in _ENDS}
    if name == "without answer":
        return Text(_listed(failures) or "0", style="red" if failures else "")
    if name == "second looks":
        return Text(_listed(side.second_looks) or "0")
    if name in _OF_WINDOWS:
        return Text(str(side.windows.get(_OF_WINDOWS[name], 0)))
    alike = [i for i in side.incidents if name == "incidents" or i.severity == name.strip()]
    return Text(str(len(alike)))


def _differ(console: Console, trial: Trial, told: Difference) -> None:
    rows = [
        *((lone.incident.span.start_s, _lone(trial, lone, "appears", "green")) for lone in told.appeared),
        *((lone.incident.span.start_s, _lone(trial, lone, "vanishes", "red")) for lone in told.vanished),
        *((one.before.span.start_s, _changed(trial, one)) for one in told.changed),
    ]
    rows.sort(key=lambda row: row[0])
    said = (
        f"Difference: {len(told.appeared)} appear, {len(told.vanished)} vanish, {len(told.changed)} change, "
        f"{len(told.same)} stay as they are"
    )
    console.print(Text(said, style="bold"))
    table = _table()
    for column in ("", "when", "what", "severity", "how"):
        table.add_column(column, no_wrap=column != "how")
    for _, row in rows[:_MOST_ROWS]:
        table.add_row(*row)
    console.print(table)
    if len(rows) > _MOST_ROWS:
        console.print(f"  and {len(rows) - _MOST_ROWS} more; --json and --report list them all")


def _lone(trial: Trial, lone: Lone, word: str, style: str) -> tuple[Text, str, str, Text, str]:
    one = lone.incident
    how = part_of(trial, lone.within) if lone.within else one.description
    return Text(word, style=style), when(trial, one), one.kind, _severity(one.severity), how


def _changed(trial: Trial, one: Changed) -> tuple[Text, str, str, Text, str]:
    before, after = one.before, one.after
    kind = before.kind if "kind" not in one.ways else f"{before.kind} → {after.kind}"
    severity = _severity(before.severity)
    if "severity" in one.ways:
        severity = Text.assemble(severity, " → ", _severity(after.severity))
    moved = [f"{way} {_moved_s(one, way):+.1f} s" for way in ("start", "end") if way in one.ways]
    checked = [f"{before.check} → {after.check}"] if "check" in one.ways else []
    return (
        Text("changes", style="yellow"),
        when(trial, before),
        kind,
        severity,
        ", ".join([*moved, *checked]),
    )


def _moved_s(one: Changed, way: str) -> float:
    before, after = one.before.span, one.after.span
    return after.start_s - before.start_s if way == "start" else after.end_s - before.end_s


def _list(console: Console, trial: Trial) -> None:
    (side,) = trial.sides
    console.print(Text(f"Incidents ({len(side.incidents)})", style="bold"))
    table = _table()
    for column in ("when", "what", "severity", "check", "description"):
        table.add_column(column, no_wrap=column != "description")
    for one in side.incidents[:_MOST_ROWS]:
        table.add_row(when(trial, one), one.kind, _severity(one.severity), one.check, one.description)
    console.print(table)
    if len(side.incidents) > _MOST_ROWS:
        console.print(f"  and {len(side.incidents) - _MOST_ROWS} more; --json and --report list them all")


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))


def _severity(severity: Severity) -> Text:
    return Text(severity, style=_COLOURS[severity])


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _word(value: object) -> str:
    if value is None:
        return "as stored"
    return {True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool) else str(value)
