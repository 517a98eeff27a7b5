"""Draws an evaluation as SVG text that takes its colours from the page: precision and recall, timelines, onsets, false alarms.

Every chart is a figure of its own; nothing is kept between them. Colours are drawn as stand-ins and replaced by CSS variables, so
that one picture reads on light and on dark ground: `--ink`, `--soft`, `--hit`, `--false`, `--miss`, `--who` and `--g0` to `--g5`.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from extension.timetravel.evaluation import Occurrence
from extension.timetravel.scoring_summary import Group, RunScore

MOST_RUNS: Final = 8
"""Runs drawn in one timeline."""

GROUP_COLOURS: Final = 6

_STAND_INS: Final = {
    "ink": "#010101",
    "soft": "#020202",
    "hit": "#030303",
    "false": "#040404",
    "miss": "#050505",
    "who": "#060606",
    **{f"g{n}": f"#0701{n:02x}" for n in range(GROUP_COLOURS)},
}
_INK, _SOFT, _HIT, _FALSE, _MISS, _WHO = (
    _STAND_INS[name] for name in ("ink", "soft", "hit", "false", "miss", "who")
)
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "evaluation",
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 9,
    "axes.edgecolor": _SOFT,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "text.parse_math": False,
}
_WIDTH_IN: Final = 7.4
_NARROWEST: Final = 1 / 250
"""A bar is at least this share of the axis, so that a moment in hours can be seen."""


def precision_recall(groups: Sequence[Group]) -> str:
    """Every run as a dot, every group's sums as a mark with its intervals, over curves of equal F1 (when and who)."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(4.6, 4.2), layout="constrained")
        axes = figure.add_subplot()
        _curves(axes)
        for number, group in enumerate(groups):
            colour = _STAND_INS[f"g{number % GROUP_COLOURS}"]
            singles = [run.att.score for run in group.runs]
            axes.scatter(
                [one.recall for one in singles],
                [one.precision for one in singles],
                s=14,
                color=colour,
                alpha=0.45,
                linewidths=0,
            )
            _sums(axes, group, colour)
        axes.set(xlim=(0, 1.03), ylim=(0, 1.03), xlabel="recall", ylabel="precision", aspect="equal")
        axes.legend(loc="lower left", fontsize=8)
        return _svg(figure, "pr")


def _curves(axes: Axes) -> None:
    for f1 in (0.2, 0.4, 0.6, 0.8):
        recalls = [f1 / 2 + (1 - f1 / 2) * n / 60 for n in range(1, 61)]
        precisions = [f1 * recall / (2 * recall - f1) for recall in recalls]
        inside = [(r, p) for r, p in zip(recalls, precisions, strict=True) if p <= 1]
        axes.plot(*zip(*inside, strict=True), color=_SOFT, linewidth=0.6, zorder=0)
        axes.annotate(
            f"F1 {f1}", (1.0, f1 / (2 - f1)), fontsize=7, ha="right", va="bottom", color=_INK, alpha=0.6
        )


def _sums(axes: Axes, group: Group, colour: str) -> None:
    figures = group.att
    recall, precision = figures.score.recall, figures.score.precision
    if (ci := figures.recall_ci) is not None:
        axes.plot([ci.low, ci.high], [precision, precision], color=colour, linewidth=1.2)
    if (ci := figures.precision_ci) is not None:
        axes.plot([recall, recall], [ci.low, ci.high], color=colour, linewidth=1.2)
    runs = "1 run" if len(group.runs) == 1 else f"{len(group.runs)} runs"
    axes.scatter(
        [recall],
        [precision],
        s=60,
        marker="D",
        color=colour,
        label=f"{_short(group.name)} ({runs})",
        zorder=3,
    )


def timeline(runs: Sequence[RunScore]) -> str:
    """The contacts of one log above, and for every run its reports below, coloured by what became of them.

    Args:
        runs: Runs over one log; the first `MOST_RUNS` are drawn.
    """
    drawn = runs[:MOST_RUNS]
    last_s = max(
        [1.0] + [run.log_s for run in drawn] + [o.end_s for run in drawn for o in run.answers.reports]
    )
    least_s = last_s * _NARROWEST
    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_IN, 0.75 + 0.62 * len(drawn)), layout="constrained")
        axes = figure.add_subplot()
        names = []
        for number, run in enumerate(drawn):
            top = -number * 2.6
            names += [(top, "truth"), (top - 1, "reports")]
            _bars(axes, [m.truth for m in run.att.matches], top, _HIT, least_s)
            _bars(axes, run.att.missed, top, _MISS, least_s)
            named = {id(match.report) for match in run.misnamed}
            _bars(axes, [m.report for m in run.att.matches], top - 1, _HIT, least_s)
            _bars(axes, [m.report for m in run.misnamed], top - 1, _WHO, least_s)
            _bars(axes, [o for o in run.att.false_alarms if id(o) not in named], top - 1, _FALSE, least_s)
            axes.text(0, top + 0.52, _short(run.answers.name, 60), fontsize=7.5, alpha=0.75, va="bottom")
        axes.set_yticks([place for place, _ in names], [name for _, name in names], fontsize=7.5)
        axes.set(xlim=(-last_s * 0.005, last_s * 1.005), xlabel="seconds of the log")
        axes.set_ylim(-(len(drawn) - 1) * 2.6 - 1.6, 1.15)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        return _svg(figure, "tl")


def _bars(axes: Axes, found: Sequence[Occurrence], place: float, colour: str, least_s: float) -> None:
    spans = [(one.start_s, max(one.end_s - one.start_s, least_s)) for one in found]
    axes.broken_barh(spans, (place - 0.4, 0.8), facecolors=colour, linewidth=0)


def onsets(groups: Sequence[Group]) -> str | None:
    """How early or late matched reports begin; None when nothing was matched."""
    errors = [[match.onset_error_s for run in group.runs for match in run.att.matches] for group in groups]
    widest = max((abs(error) for some in errors for error in some), default=None)
    if widest is None:
        return None
    reach = max(widest, 0.1)
    edges = [reach * (n / 10 - 1) for n in range(21)]
    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_IN / 2, 2.6), layout="constrained")
        axes = figure.add_subplot()
        colours = [_STAND_INS[f"g{number % GROUP_COLOURS}"] for number in range(len(groups))]
        axes.hist(
            errors, bins=edges, stacked=True, color=colours, label=[_short(group.name) for group in groups]
        )
        axes.axvline(0, color=_INK, linewidth=0.8)
        axes.set(xlabel="onset error in seconds (late is right)", ylabel="matched contacts")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        if len(groups) > 1:
            axes.legend(fontsize=7)
        return _svg(figure, "on")


def false_alarms(groups: Sequence[Group]) -> str:
    """False alarms per hour of log, each with the 95 % upper bound."""
    rated = [(number, group, group.per_log_hour) for number, group in enumerate(groups) if group.per_log_hour]
    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_IN / 2, max(1.3, 0.8 + 0.42 * len(rated))), layout="constrained")
        axes = figure.add_subplot()
        for row, (number, _, rate) in enumerate(rated):
            colour = _STAND_INS[f"g{number % GROUP_COLOURS}"]
            axes.barh(row, rate.per_hour, height=0.5, color=colour)
            axes.plot([rate.per_hour, rate.bound_per_hour], [row, row], color=_INK, linewidth=1)
            axes.plot([rate.bound_per_hour], [row], marker="|", markersize=8, color=_INK)
        axes.set_yticks(range(len(rated)), [_short(group.name) for _, group, _ in rated])
        axes.set(xlabel="per hour of log (line: 95 % bound)", ylim=(len(rated) - 0.4, -0.6))
        axes.set_xlim(left=0)
        return _svg(figure, "fa")


def _short(name: str, most: int = 18) -> str:
    """A name as long as there is room, which the plotting library hides when it begins with an underscore."""
    shown = f" {name}" if name.startswith("_") else name
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _svg(figure: Figure, prefix: str) -> str:
    """The figure as an SVG element: ids of its own, sized by the page, coloured by CSS variables."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with warnings.catch_warnings():
        # Text stays text: the reader's browser has letters that our font lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    for name, stand_in in _STAND_INS.items():
        text = text.replace(stand_in, f"var(--{name})")
    text = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{prefix}-", text)
    return re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
