"""The timeline of a summary: who had a moment with whom when, how bad it was, and which parts of the video nobody judged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from extension.charts.lettering import drawable, font
from extension.charts.severity import COLOURS, legend
from extension.model import Span
from extension.timetravel.summary import Moment, Summary

_DPI: Final = 110
_WIDE_IN, _FRAME_IN, _ROW_IN = 10.0, 1.9, 0.32
_MOST_ROWS: Final = 24
"""Rows for those who met most often; the rest share one."""
_MOST_NUMBERED: Final = 80
_LEAST: Final = 0.004
"""Moments shorter than this share of the video are drawn this long: a thinner line is not seen."""
_LABEL_CHARS: Final = 28
_SHORT_S, _HOUR_S, _DAY_S = 10.0, 3600.0, 86_400.0
_MOST_TICKS: Final = 9.01
_STEPS_S: Final = (0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800)
_LOOKED, _FAILED, _NOT_ASKED = "#c9d6df", "#ffffff", "#f1f5f8"


def draw_timeline(summary: Summary, path: Path) -> None:
    """Draw the timeline as a PNG file.

    Args:
        summary: The summary; the length of its video must be known.
        path: The file; written in place.

    Raises:
        ValueError: The length of the video is not known.
        OSError: The file cannot be written.
    """
    media_s = summary.coverage.media_s
    if not media_s:
        raise ValueError("the length of the video is not known")
    rows = _rows(summary.moments)
    height_in = _FRAME_IN + _ROW_IN * (len(rows) + 1)
    figure = Figure(figsize=(_WIDE_IN, height_in), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    numbered = len(summary.moments) <= _MOST_NUMBERED
    for row, (_, moments) in enumerate(rows):
        _draw_row(axes, row, moments, media_s, numbered=numbered)
    _draw_coverage(axes, len(rows), summary, media_s)
    axes.set_yticks(range(len(rows) + 1), [*(label for label, _ in rows), "judged"], fontproperties=font(9))
    axes.set_ylim(len(rows) + 0.6, -0.7)
    axes.set_xlim(0.0, media_s)
    axes.grid(visible=True, axis="x", color="#e4e9ed", linewidth=0.8)
    axes.set_axisbelow(True)
    _scale(axes, summary, media_s)
    total = len(summary.moments)
    counted = f"{total} moment{'' if total == 1 else 's'}" if total else "Nothing was found"
    axes.set_title(drawable(f"{counted}: {summary.name}"), fontproperties=font(11, bold=True), loc="left")
    _explain(axes, summary, height_in)
    figure.savefig(path, format="png")


def _rows(moments: Iterable[Moment]) -> list[tuple[str, list[Moment]]]:
    """Who is in a row, and their moments: those who met most often, by their first moment; all others in the last row."""
    groups: dict[tuple[str, ...], list[Moment]] = {}
    for moment in moments:
        groups.setdefault(moment.objects or (moment.kind.replace("_", " "),), []).append(moment)
    often = sorted(groups, key=lambda group: -len(groups[group]))
    own = often if len(often) <= _MOST_ROWS else often[: _MOST_ROWS - 1]
    kept = sorted(own, key=lambda group: groups[group][0].number)
    rows = [(_label(group), groups[group]) for group in kept]
    rest = [moment for group in often[len(own) :] for moment in groups[group]]
    return [*rows, (f"{len(often) - len(own)} others", rest)] if rest else rows


def _label(group: Sequence[str]) -> str:
    label = drawable(" + ".join(group))
    return label if len(label) <= _LABEL_CHARS else label[: _LABEL_CHARS - 1] + "…"


def _draw_row(axes: Axes, row: int, moments: Iterable[Moment], media_s: float, *, numbered: bool) -> None:
    least_s = _LEAST * media_s
    for moment in moments:
        long_s = max(moment.span.duration_s, least_s)
        start_s = max(0.0, min(moment.span.start_s, media_s - long_s))
        axes.broken_barh([(start_s, long_s)], (row - 0.36, 0.72), facecolors=COLOURS[moment.severity])
        if numbered:
            beside = start_s + long_s + least_s
            at_end = beside > media_s * 0.975
            axes.text(
                start_s - least_s if at_end else beside,
                row,
                str(moment.number),
                fontsize=8,
                va="center_baseline",
                ha="right" if at_end else "left",
                color="#334155",
            )


def _draw_coverage(axes: Axes, row: int, summary: Summary, media_s: float) -> None:
    coverage = summary.coverage
    place = (row - 0.3, 0.6)
    axes.broken_barh([(0.0, media_s)], place, facecolors=_LOOKED)
    axes.broken_barh(_bars(coverage.not_asked_spans), place, facecolors=_NOT_ASKED, edgecolor="#cbd5e1")
    failed = _bars([missed.span for missed in coverage.failed])
    axes.broken_barh(failed, place, facecolors=_FAILED, edgecolor="#475569", hatch="////", linewidth=0.8)


def _bars(spans: Iterable[Span]) -> list[tuple[float, float]]:
    return [(span.start_s, span.duration_s) for span in spans]


def _scale(axes: Axes, summary: Summary, media_s: float) -> None:
    """Video time below; above, where it is known, the recorded world's clock."""
    below_s = _ticks_s(0.0, media_s)
    axes.set_xticks(below_s, [_clock_text(second, media_s) for second in below_s])
    parts = summary.coverage.parts
    axes.set_xlabel(f"video time ({parts} parts of the log)" if parts > 1 else "video time")
    first, last = summary.coverage.shown_from_at, summary.coverage.shown_to_at
    if first is None or last is None or last <= first or parts > 1:
        return
    local = first.astimezone(summary.tz)
    begins_s = local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6
    world_s = (last - first).total_seconds()
    ticks_s = _ticks_s(begins_s, begins_s + world_s)
    above = axes.secondary_xaxis("top")
    above.set_xticks([(tick - begins_s) * media_s / world_s for tick in ticks_s])
    above.set_xticklabels([_clock_text(tick % _DAY_S, _DAY_S) for tick in ticks_s])
    above.tick_params(labelsize=8, colors="#475569")


def _ticks_s(first_s: float, last_s: float) -> list[float]:
    """Even seconds, minutes or hours between two instants, at most ten."""
    step_s = next((step for step in _STEPS_S if (last_s - first_s) / step <= _MOST_TICKS), _DAY_S)
    start = math.ceil(first_s / step_s)
    return [step_s * tick for tick in range(start, math.floor(last_s / step_s) + 1)]


def _clock_text(second: float, longest_s: float) -> str:
    """A tick as m:ss, or as h:mm:ss where the scale reaches an hour; tenths where it is shorter than ten seconds."""
    minutes, rest = divmod(round(second, 1), 60)
    if longest_s < _SHORT_S:
        return f"{rest:.1f} s"
    if longest_s < _HOUR_S:
        return f"{minutes:.0f}:{rest:02.0f}"
    return f"{minutes // 60:02.0f}:{minutes % 60:02.0f}:{rest:02.0f}"


def _explain(axes: Axes, summary: Summary, height_in: float) -> None:
    keys = legend({moment.severity for moment in summary.moments})
    keys.append(Patch(facecolor=_LOOKED, label="looked at and judged"))
    if summary.coverage.failed:
        keys.append(
            Patch(facecolor=_FAILED, edgecolor="#475569", hatch="////", label="no verdict: not known")
        )
    if summary.coverage.not_asked_spans:
        not_asked = "not shown to the VLM" if summary.coverage.ended else "still to be looked at"
        keys.append(Patch(facecolor=_NOT_ASKED, edgecolor="#cbd5e1", label=not_asked))
    below = -0.62 / (height_in - 1.2)
    axes.legend(
        handles=keys,
        loc="upper left",
        bbox_to_anchor=(0, below),
        ncols=6,
        frameon=False,
        borderaxespad=0,
        fontsize=9,
    )
