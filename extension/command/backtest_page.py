"""A backtest as one HTML page: counts, rules, and every incident that differs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from extension.command.backtest_shapes import Trial
from extension.command.backtest_table import in_words, notes, part_of, when
from extension.command.plain_page import PageTable, html
from extension.model import Incident, Severity
from extension.pipeline.backtest.difference import Changed


def page(trials: Sequence[Trial]) -> str:
    """The page."""
    tables = [table for trial in trials for table in _tables(trial)]
    return html("Backtest", ("Nobody was told of anything here, and nothing stored was changed.",), tables)


def _tables(trial: Trial) -> list[PageTable]:
    counted = PageTable(
        f"{trial.source}: {trial.media_s:.0f} s",
        ("rules", "incidents*", "extreme*", "danger*", "warn*", "windows"),
        [
            (
                side.name,
                str(len(side.incidents)),
                *(
                    str(sum(i.severity is severity for i in side.incidents))
                    for severity in (Severity.EXTREME, Severity.DANGER, Severity.WARN)
                ),
                ", ".join(f"{name} {count}" for name, count in side.windows.items()),
            )
            for side in trial.sides
        ],
        notes(trial),
        in_words(trial.sides) if len(trial.sides) > 1 else (),
    )
    return [counted, _difference(trial) or _incidents(trial)]


def _difference(trial: Trial) -> PageTable | None:
    told = trial.difference
    if told is None:
        return None
    rows = [
        *(
            (one.incident, ("appears", *_cells(trial, one.incident), _within(trial, one.within)))
            for one in told.appeared
        ),
        *(
            (one.incident, ("vanishes", *_cells(trial, one.incident), _within(trial, one.within)))
            for one in told.vanished
        ),
        *((one.before, ("changes", *_cells(trial, one.before), _now(trial, one))) for one in told.changed),
    ]
    rows.sort(key=lambda row: row[0].span.start_s)
    return PageTable(
        f"Difference ({len(told.same)} stay as they are)",
        ("", "when", "what", "severity", "check", "description", "how"),
        [cells for _, cells in rows],
        whole={"when"},
    )


def _incidents(trial: Trial) -> PageTable:
    (side,) = trial.sides
    rows = [_cells(trial, incident) for incident in side.incidents]
    return PageTable("Incidents", ("when", "what", "severity", "check", "description"), rows, whole={"when"})


def _cells(trial: Trial, incident: Incident) -> tuple[str, ...]:
    return (
        when(trial, incident),
        incident.kind.value,
        incident.severity.value,
        incident.check.value,
        incident.description,
    )


def _now(trial: Trial, one: Changed) -> str:
    """How an incident that stays is told now."""
    after = one.after
    return f"{', '.join(one.ways)}: now {when(trial, after)} {after.kind} {after.severity} {after.check}"


def _within(trial: Trial, other: Incident | None) -> str:
    return part_of(trial, other) if other else ""
