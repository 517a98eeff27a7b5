"""The heat map of a summary: how long objects were where, with the moments and the places where many happened."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from matplotlib.patheffects import withStroke

from extension.charts.lettering import drawable, font
from extension.charts.severity import COLOURS, legend
from extension.timetravel.summary import Moment, Summary
from extension.timetravel.summary_places import SPOT_CM, Presence

_DPI: Final = 110
_LONG_IN, _LEAST_IN = 9.5, 4.0
_MARGIN_IN: Final = 2.2
_METRES_FROM_CM: Final = 300.0
"""Ground wider than this is measured in metres."""
_MOST_NUMBERED: Final = 60
"""More moments than this are drawn without numbers."""
_GAMMA: Final = 0.5
"""Colour goes by the square root of time, so that short stays show beside long ones."""
_SPOT: Final = "#6b21a8"


def draw_heat_map(summary: Summary, presence: Presence, path: Path) -> None:
    """Draw the heat map as a PNG file; x runs to the right and z downwards, as in the replay.

    Args:
        summary: Its moments with a place are marked by their numbers, its hot spots are circled.
        presence: How long objects were where.
        path: The file; written in place.

    Raises:
        OSError: The file cannot be written.
    """
    x_cm, z_cm = presence.x_cm, presence.z_cm
    across_cm, down_cm = float(x_cm[-1] - x_cm[0]), float(z_cm[-1] - z_cm[0])
    unit, per_cm = ("m", 0.01) if max(across_cm, down_cm) > _METRES_FROM_CM else ("cm", 1.0)
    figure = Figure(figsize=_inches(down_cm / across_cm), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    longest_s = max(float(presence.object_s.max()), 1e-6)
    mesh = axes.pcolormesh(
        x_cm * per_cm,
        z_cm * per_cm,
        presence.object_s,
        cmap="Blues",
        norm=PowerNorm(_GAMMA, vmin=0.0, vmax=longest_s),
    )
    placed = [moment for moment in summary.moments if moment.place]
    _mark(axes, placed, per_cm)
    _circle(axes, summary, per_cm)
    axes.set_aspect("equal")
    axes.set_xlim(float(x_cm[0]) * per_cm, float(x_cm[-1]) * per_cm)
    axes.set_ylim(float(z_cm[-1]) * per_cm, float(z_cm[0]) * per_cm)
    axes.set_xlabel(f"x ({unit})")
    axes.set_ylabel(f"z ({unit})")
    axes.set_title(drawable(_title(summary, len(placed))), fontproperties=font(11, bold=True), loc="left")
    size_cm = float(x_cm[1] - x_cm[0])
    figure.colorbar(mesh, ax=axes, label=f"object-seconds in each square of {size_cm:.0f} cm")
    _explain(axes, summary, placed)
    figure.savefig(path, format="png")


def _inches(ratio: float) -> tuple[float, float]:
    """Width and height of a picture that ground of this height over width fills well, its axes and colour bar beside it."""
    if ratio <= 1:
        return _LONG_IN, max((_LONG_IN - _MARGIN_IN) * ratio + 1.4, _LEAST_IN)
    return max((_LONG_IN - 1.4) / ratio + _MARGIN_IN, _LEAST_IN), _LONG_IN


def _title(summary: Summary, placed: int) -> str:
    if placed:
        return f"Where objects were, and {placed} moment{'' if placed == 1 else 's'}: {summary.name}"
    return f"Where objects were{'' if summary.moments else '; nothing was found'}: {summary.name}"


def _mark(axes: Axes, placed: list[Moment], per_cm: float) -> None:
    """A dot in the severity's colour for each moment, mildest first, so that the worst lie on top."""
    for moment in sorted(placed, key=lambda m: m.severity.rank):
        x, z = moment.place or (0.0, 0.0)
        axes.plot(
            [x * per_cm],
            [z * per_cm],
            marker="o",
            markersize=9,
            color=COLOURS[moment.severity],
            markeredgecolor="white",
            markeredgewidth=1.2,
            clip_on=False,
        )
        if len(placed) <= _MOST_NUMBERED:
            axes.annotate(
                str(moment.number),
                (x * per_cm, z * per_cm),
                xytext=(6, 5),
                textcoords="offset points",
                fontsize=9,
                fontweight="bold",
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
                annotation_clip=False,
            )


def _circle(axes: Axes, summary: Summary, per_cm: float) -> None:
    for spot in summary.hot_spots:
        axes.add_patch(
            Circle(
                (spot.x * per_cm, spot.z * per_cm),
                SPOT_CM * per_cm,
                fill=False,
                edgecolor=_SPOT,
                linewidth=1.6,
                linestyle="--",
            )
        )


def _explain(axes: Axes, summary: Summary, placed: list[Moment]) -> None:
    keys: list[Line2D] = [
        Line2D([], [], marker="o", linestyle="none", color=patch.get_facecolor(), label=patch.get_label())
        for patch in legend({moment.severity for moment in placed})
    ]
    if summary.hot_spots:
        keys.append(Line2D([], [], color=_SPOT, linestyle="--", label="hot spot"))
    if keys:
        axes.legend(
            handles=keys, loc="upper left", bbox_to_anchor=(0, -0.09), ncols=5, frameon=False, borderaxespad=0
        )
