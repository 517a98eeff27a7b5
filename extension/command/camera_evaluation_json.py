"""An evaluation of camera footage as one JSON-ready page: the figures of each column, and every clip. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from extension.command.camera_columns import Column
from extension.command.camera_scoring import Clip, Figures, Found, Labelled, Rate, figures, lost
from extension.timetravel.scoring_stats import CONFIDENCE

_DIGITS = 4


def as_json(
    columns: Sequence[Column], model: str, absent: Sequence[str], tolerance_s: float
) -> dict[str, Any]:
    """The whole evaluation."""
    return {
        "model": model,
        "tolerance_s": tolerance_s,
        "confidence": CONFIDENCE,
        "clips": len(columns[0].clips),
        "absent": list(absent),
        "columns": [{"name": column.name, **of_column(column)} for column in columns],
    }


def of_column(column: Column) -> dict[str, Any]:
    """One set of rules: its figures, and clip by clip what was found."""
    told = lost(column.twin, column.clips) if column.twin is not None else None
    return {
        "rules": column.rules.model_dump(mode="json"),
        **of_figures(figures(column.clips)),
        "lost_to_gate": None if told is None else [{"clip": clip, **_event(one)} for clip, one in told],
        "recall_without_gate": _round(figures(column.twin).rate.recall) if column.twin is not None else None,
        "by_clip": [of_clip(clip) for clip in column.clips],
    }


def of_figures(told: Figures) -> dict[str, Any]:
    """The sums of a column."""
    return {
        **_rate(told.rate),
        "any_kind": _rate(told.any_kind),
        "repeated": told.repeated,
        "false": told.false,
        "false_danger": told.false_danger,
        "onset_error_median_s": _round(told.onset_median_s),
        "onset_error_worst_s": _round(told.onset_worst_s),
        "hours": round(told.hours, _DIGITS),
        "false_per_hour": round(told.false_per_hour, 2),
        "false_per_hour_at_most": round(told.false_per_hour_at_most, 2),
        "windows": told.windows.all,
        "asked": told.windows.asked,
        "gated": told.windows.gated,
        "gated_share": _round(told.gated_share),
        "failed": told.windows.failed,
        "second_looks": dict(told.windows.second_looks),
    }


def of_clip(clip: Clip) -> dict[str, Any]:
    """One clip."""
    return {
        "clip": clip.name,
        "length_s": round(clip.length_s, 2),
        "found": [_found(one) for one in clip.found],
        "hits": [
            {**_event(hit.event), "onset_error_s": _round(hit.onset_error_s)} for hit in clip.score.hits
        ],
        "missed": [_event(one) for one in clip.score.missed],
        "repeated": [_found(one) for one in clip.score.repeated],
        "false": [_found(one) for one in clip.score.false],
        "windows": clip.windows.all,
        "gated": clip.windows.gated,
        "failed": clip.windows.failed,
        "second_looks": dict(clip.windows.second_looks),
    }


def _rate(rate: Rate) -> Mapping[str, Any]:
    return {
        "matched": rate.hits,
        "missed": rate.missed,
        "precision": _round(rate.precision),
        "recall": _round(rate.recall),
        "f1": _round(rate.f1),
    }


def _event(one: Labelled) -> dict[str, Any]:
    return {"kind": one.kind.value, "start_s": one.start_s, "end_s": one.end_s}


def _found(one: Found) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "severity": one.severity.value,
        "start_s": round(one.start_s, 2),
        "end_s": round(one.end_s, 2),
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
