"""An evaluation of camera footage as one HTML page. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from extension.command.camera_columns import Column
from extension.command.camera_evaluation_table import in_words, rows
from extension.command.camera_scoring import Labelled
from extension.command.plain_page import PageTable, html


def page(columns: Sequence[Column], model: str, absent: Sequence[str], tolerance_s: float) -> str:
    """The page."""
    told_again = (
        "A further incident of an event that was found is told again, not false; it counts against precision."
    )
    bound = "False alarms per camera-hour stand with the exact one-sided 95 % upper bound of a Poisson rate."
    said = (
        f"Model: {model}. Incidents and labelled events are matched one to one: of one kind, at most {tolerance_s:g} s apart.",
        f"{told_again} {bound}",
    )
    names = [column.name for column in columns]
    sums = PageTable(
        "Figures", ("", *(f"{name}*" for name in names)), [(name, *cells) for name, cells in rows(columns)]
    )
    clips = [
        (clip.name, column.name, _events(column, place), *in_words(column.clips[place]))
        for place, clip in enumerate(columns[0].clips)
        for column in columns
    ]
    notes = [f"not there: {name}" for name in absent]
    heads = ("clip", "rules", "labelled", "found", "onset error", "false*")
    return html(
        "Evaluation of camera footage",
        said,
        [sums, PageTable("Clip by clip", heads, clips, notes, whole={"rules", "labelled"})],
    )


def _events(column: Column, place: int) -> str:
    """What the labels say of a clip."""
    told = column.clips[place].score
    events: list[Labelled] = sorted(
        [*(hit.event for hit in told.hits), *told.missed], key=lambda event: event.start_s
    )
    return "; ".join(f"{one.kind} {one.start_s:g}-{one.end_s:g} s" for one in events) or "nothing happens"
