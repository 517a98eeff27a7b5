"""Draws what a run came to for a terminal, through rich."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from extension.command.report import Outcome
from extension.model import Basis, Check, DeliveryState, Severity
from extension.timetravel.trajectory import label_of
from extension.wire import EventOut, IncidentOut

# What is left of eighty columns beside the others at their widest.
_PLACES_WIDTH = 27
_COLOURS = {
    Severity.SAFE: "green",
    Severity.WARN: "yellow",
    Severity.DANGER: "red",
    Severity.EXTREME: "bold red",
}


def show(console: Console, outcome: Outcome, evaluation: dict[str, Any] | None) -> None:
    """Print events, incidents, deliveries and, where there is one, the score."""
    console.print(_events(outcome.events), _incidents(outcome), sep="\n")
    console.print(_closing(outcome, evaluation))


def _events(events: Sequence[EventOut]) -> Table:
    table = _table(f"Events ({len(events)}): what was seen, chunk by chunk")
    for column in ("video", "clock", "what", "objects"):
        table.add_column(column, no_wrap=True)
    table.add_column("where (x, z)")
    for event in events:
        table.add_row(_media(event), event.clock or "-", event.kind, _objects(event), _where(event))
    return table


def _incidents(outcome: Outcome) -> Table:
    table = _table(f"Incidents ({len(outcome.incidents)}): what somebody acts on")
    for column in ("when", "video", "what", "objects", "severity", "alerts"):
        table.add_column(column, no_wrap=True)
    for incident in outcome.incidents:
        mine = [d for d in outcome.deliveries if d.incident_id == incident.id]
        sent = sum(d.state is DeliveryState.SENT for d in mine)
        when = incident.start_at.strftime("%Y-%m-%d %H:%M:%S") if incident.start_at else incident.clock or "-"
        delivered = Text(f"{sent} of {len(mine)}", style="green" if sent == len(mine) else "yellow")
        what = f"{incident.kind}{''.join(mark for mark, _ in _marks(incident))}"
        table.add_row(when, _media(incident), what, _objects(incident), _severity(incident), delivered)
    notes = dict.fromkeys(
        f"{mark} {note}" for incident in outcome.incidents for mark, note in _marks(incident)
    )
    if notes:
        table.caption, table.caption_justify = "\n".join(notes), "left"
    return table


def _marks(incident: IncidentOut) -> list[tuple[str, str]]:
    """What a reader should know before believing an incident."""
    marks = []
    if incident.basis is Basis.LOG:
        marks.append(("*", "told by the log alone; the VLM did not see it"))
    if incident.check is Check.UNVERIFIED:
        marks.append(("?", "unverified: nobody could look at it a second time"))
    if incident.check is Check.WITHDRAWN:
        marks.append(("-", "withdrawn: a later look showed that nothing happened"))
    return marks


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )


def _closing(outcome: Outcome, evaluation: dict[str, Any] | None) -> Group:
    job, lines = outcome.job, []
    if job.error:
        lines.append(Text(job.error, style="red"))
    counts = {state: outcome.delivered(state) for state in DeliveryState}
    lines.append(Text("Alerts: " + ", ".join(f"{count} {state}" for state, count in counts.items())))
    if evaluation:
        seen = evaluation["seen"]
        lines.append(_score("Against all contacts in the log", evaluation))
        if any(seen[key] != evaluation[key] for key in ("contacts", "att_f1")):
            lines.append(_score("Of what the video shows, what the VLM saw", seen))
    if job.media_s and job.started_at and job.finished_at:
        took_s = (job.finished_at - job.started_at).total_seconds()
        lines.append(
            Text(
                f"{job.media_s:.1f} s of video in {took_s:.1f} s, {job.chunk_count} chunks, model {job.model}"
            )
        )
    return Group(*lines)


def _score(against: str, scores: dict[str, Any]) -> Text:
    return Text(
        f"{against} ({scores['contacts']}): F1 {scores['att_f1']:.2f} for time and objects "
        f"(within {scores['tolerance_s']:g} s), {scores['det_f1']:.2f} for time alone; "
        f"exact-second F1 {scores['predecessor_f1']:.2f}"
    )


def _media(happening: EventOut | IncidentOut) -> str:
    return f"{happening.start_s:.2f}-{happening.end_s:.2f} s"


def _objects(happening: EventOut | IncidentOut) -> str:
    return " + ".join(happening.objects) or "-"


def _severity(happening: EventOut | IncidentOut) -> Text:
    return Text(happening.severity, style=_COLOURS[happening.severity])


def _where(event: EventOut) -> str:
    places = [f"{label_of(p.objid)} ({p.x:.0f}, {p.z:.0f})" for p in event.positions]
    one_line = "  ".join(places)
    return (one_line if len(one_line) <= _PLACES_WIDTH else "\n".join(places)) or "-"
