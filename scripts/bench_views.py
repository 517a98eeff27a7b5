"""Draws replays over everything a replay view may vary in: `python scripts/bench_views.py --seed N --views 30 --out FOLDER`.

It only draws. Running the programs over the views and judging the answers is the benchmark's part (scripts/bench.sh replay-views).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from extension.sources.replay.generate import generate
from extension.sources.replay.plan import Plan
from extension.sources.replay.render import render
from extension.sources.replay.style import BLACK, OPENCV, PILLOW, WHITE, Clock, Colour, Corner, Style
from extension.timetravel.contacts import Contact, contacts
from extension.timetravel.trajectory import Trajectory
from extension.timetravel.trajectory_csv import read_trajectory, write_trajectory

RESOLUTIONS: Final = ((480, 270), (532, 280), (640, 360), (854, 480), (960, 540), (1280, 720), (1920, 1080))
GROUNDS: Final[dict[str, tuple[Colour, ...]]] = {
    "light": ((255, 255, 255), (229, 229, 229), (245, 240, 225)),
    "dark": ((0, 0, 0), (20, 20, 24), (44, 48, 56)),
    "colour": ((70, 110, 160), (60, 105, 70), (200, 178, 138)),
}
ALIKE: Final[tuple[Colour, ...]] = (
    BLACK,
    WHITE,
    (20, 40, 120),
    (140, 20, 20),
    (15, 90, 40),
    (250, 215, 40),
    (90, 200, 235),
    (240, 140, 30),
)
MIXED: Final[tuple[Colour, ...]] = (
    (230, 25, 75), (0, 130, 200), (245, 130, 48), (145, 30, 180), (0, 128, 128), (240, 50, 230),
    (128, 0, 0), (60, 180, 75), (255, 225, 25), (0, 0, 128), (220, 190, 255), (154, 99, 36),
)  # fmt: skip
SYSTEM_FONTS: Final = Path("/usr/share/fonts/truetype/dejavu")
"""Debian's DejaVu, where it is installed; without it the two built-in fonts serve."""

RADIUS_CM: Final = 50.0
T = TypeVar("T")

_APART: Final = 130.0
_ROOM: Final = 12.0
"""Square diameters of ground per object: fewer, and objects cannot keep clear of one another."""


@dataclass(frozen=True)
class View:
    """A drawn replay: its video, the log it was drawn from, log seconds per media second, and what it varies in."""

    video: Path
    csv: Path
    speed: float
    traits: dict[str, Any]

    def truth(self) -> tuple[Contact, ...]:
        """The contacts computable from its log."""
        return contacts(read_trajectory(self.csv))


def draw_views(seed: int, n: int, folder: Path) -> list[View]:
    """Draw `n` views into a folder; the same seed and number give the same views on machines with the same fonts.

    Sizes of the frame and numbers of objects are dealt out evenly, everything else falls by chance.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(seed)
    sizes = chance.permutation([RESOLUTIONS[i % len(RESOLUTIONS)] for i in range(n)])
    counts = chance.permutation(np.round(np.linspace(2, 20, n)).astype(int))
    return [
        _draw_view(np.random.default_rng([seed, i]), (int(w), int(h)), int(count), folder / f"view-{i:02d}")
        for i, ((w, h), count) in enumerate(zip(sizes, counts, strict=True))
    ]


def _draw_view(chance: np.random.Generator, size: tuple[int, int], objects: int, stem: Path) -> View:
    ids = _ids(chance, objects)
    media_s = 12 if size[1] > 720 else int(chance.integers(12, 19))  # noqa: PLR2004 - large frames are short ones
    style = _style(chance, size)
    radius_px = _radius_px(chance, style, ids)
    plan = _plan(chance, style, radius_px, objects, media_s)
    trajectory = _renumbered(_log(plan, int(chance.integers(2**31))), ids)
    video, log = stem.with_suffix(".mp4"), stem.with_suffix(".csv")
    write_trajectory(trajectory, log)
    render(trajectory, style, video)
    return View(video=video, csv=log, speed=style.speed, traits=_traits(style, trajectory, ids))


def _ids(chance: np.random.Generator, objects: int) -> list[int]:
    """Numbers on the discs: counted from 1, or any up to 99."""
    if chance.random() < 0.6:  # noqa: PLR2004 - a share
        return list(range(1, objects + 1))
    return sorted(int(i) for i in chance.choice(np.arange(1, 100), objects, replace=False))


def _style(chance: np.random.Generator, size: tuple[int, int]) -> Style:
    width, height = size
    tone = str(chance.choice(["light", "light", "dark", "dark", "colour"]))
    ground = _pick(chance, GROUNDS[tone])
    discs = _discs(chance, ground)
    outline = _pick(chance, (None, None, WHITE, BLACK))
    return Style(
        width=width,
        height=height,
        fps=int(chance.choice([15, 20, 25, 30])),
        speed=float(chance.choice([1.0, 1.0, 1.0, 1.5, 2.0, 3.0])),
        radius_cm=RADIUS_CM,
        background=ground,
        discs=discs,
        outline=outline if outline and all(_differ(outline, other) for other in (ground, *discs)) else None,
        number_colour=_number_colour(chance, discs),
        number_size=float(chance.uniform(0.55, 0.72)),
        font=_pick(chance, _fonts()),
        clock=_clock(chance, height, ground),
        stale_first=bool(chance.random() < 0.25),  # noqa: PLR2004 - a share
        jpeg_quality=int(chance.integers(35, 91)) if chance.random() < 0.5 else None,  # noqa: PLR2004 - a share
        crf=int(chance.integers(18, 33)),
    )


def _discs(chance: np.random.Generator, ground: Colour) -> tuple[Colour, ...]:
    """One colour for all discs, or several, that stand out from the ground."""
    palette = MIXED if chance.random() < 0.5 else ALIKE  # noqa: PLR2004 - a share
    seen = [colour for colour in palette if _differ(colour, ground)]
    return (
        tuple(seen[i] for i in chance.permutation(len(seen))) if palette is MIXED else (_pick(chance, seen),)
    )


def _number_colour(chance: np.random.Generator, discs: Sequence[Colour]) -> Colour | None:
    colour = _pick(chance, (None, None, WHITE, BLACK, (255, 230, 60)))
    return colour if colour and all(_luma_apart(colour, disc) > 110 for disc in discs) else None  # noqa: PLR2004 - readable


def _clock(chance: np.random.Generator, height: int, ground: Colour) -> Clock | None:
    """None, or a clock in any corner with digits at least 12 pixels high."""
    corner = _pick(chance, (None, *Corner, *Corner))
    size = max(float(chance.uniform(0.035, 0.06)), 12.5 / height)
    dark, boxed = bool(chance.random() < 0.7), bool(chance.random() < 0.7)  # noqa: PLR2004 - shares
    border = _pick(chance, (None, (0, 230, 30), (200, 200, 200)))
    if corner is None:
        return None
    if not boxed:
        colour = max((BLACK, WHITE), key=lambda ink: _luma_apart(ink, ground))
        return Clock(corner=corner, size=size, colour=colour, box=None)
    box, colour = ((26, 26, 26), WHITE) if dark else ((240, 240, 240), BLACK)
    return Clock(corner=corner, size=size, colour=colour, box=box, border=border)


def _radius_px(chance: np.random.Generator, style: Style, ids: Sequence[int]) -> float:
    """Radius of the discs: readable numbers, and room for all objects."""
    least = 7.5 if max(ids) < 10 else 10.0  # noqa: PLR2004 - two digits need more room
    most = (style.width * style.height * 0.85 / (4 * _ROOM * len(ids))) ** 0.5
    return float(max(least, min(chance.uniform(0.028, 0.075) * style.height, most)))


def _plan(chance: np.random.Generator, style: Style, radius_px: float, objects: int, media_s: int) -> Plan:
    px_per_cm = radius_px / RADIUS_CM
    strip = 2.4 * style.clock.size * style.height if style.clock else 0.0
    meetings = {2: (1, 1), 3: (2, 1)}.get(objects, (media_s // 4, 2))
    late = chance.random() < 0.1  # noqa: PLR2004 - a share of the clocks passes midnight
    second = 86_400 - 5 if late else int(chance.integers(86_000))
    return Plan(
        objects=objects,
        duration_s=media_s * style.speed,
        contacts=meetings[0],
        near_misses=meetings[1],
        width_cm=(style.width - 2.4 * radius_px) / px_per_cm,
        depth_cm=(style.height - strip - 2.4 * radius_px) / px_per_cm,
        hold_s=0.45 * style.speed,
        again_s=4.0 * style.speed,
        start_at=dt.datetime(2025, 3, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=second),
    )


def _log(plan: Plan, seed: int) -> Trajectory:
    """A log of the plan, or of one with fewer meetings where those do not fit."""
    while plan.contacts + plan.near_misses > 1:
        try:
            return generate(plan, seed)
        except ValueError:
            fewer = plan.near_misses > 1 or plan.contacts == 1
            plan = (
                replace(plan, near_misses=plan.near_misses - 1)
                if fewer
                else replace(plan, contacts=plan.contacts - 1)
            )
    return generate(plan, seed)


def _renumbered(trajectory: Trajectory, ids: Sequence[int]) -> Trajectory:
    tracks = zip(ids, trajectory.tracks.values(), strict=True)
    return Trajectory(tracks={f"obj{number:03d}": track for number, track in tracks})


def _traits(style: Style, trajectory: Trajectory, ids: Sequence[int]) -> dict[str, Any]:
    tone = next(tone for tone, grounds in GROUNDS.items() if style.background in grounds)
    return {
        "objects": len(ids),
        "two_digits": max(ids) > 9,  # noqa: PLR2004 - the last one-digit number
        "resolution": f"{style.width}x{style.height}",
        "fps": style.fps,
        "background": tone,
        "discs": "mixed" if len(style.discs) > 1 else "alike",
        "outline": style.outline is not None,
        "font": Path(style.font).stem,
        "clock": style.clock.corner.value if style.clock else "none",
        "clock_box": bool(style.clock and style.clock.box is not None),
        "stale_first": style.stale_first,
        "jpeg_quality": style.jpeg_quality,
        "crf": style.crf,
        "media_s": round(trajectory.duration_s / style.speed, 1),
        "contacts": len(contacts(trajectory)),
    }


def _fonts() -> tuple[str, ...]:
    names = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf", "DejaVuSerif-Bold.ttf")
    return (
        PILLOW,
        PILLOW,
        OPENCV,
        OPENCV,
        *(str(SYSTEM_FONTS / name) for name in names if (SYSTEM_FONTS / name).is_file()),
    )


def _pick(chance: np.random.Generator, choices: Sequence[T]) -> T:
    return choices[int(chance.integers(len(choices)))]


def _differ(one: Colour, other: Colour) -> bool:
    return float(np.linalg.norm(np.subtract(one, other))) > _APART


def _luma_apart(one: Colour, other: Colour) -> float:
    return float(abs(np.dot(np.subtract(one, other), (0.299, 0.587, 0.114))))


def main(argv: Sequence[str] | None = None) -> None:
    """Draw views and write what they are to `views.json` beside them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--views", type=int, default=30)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(argv)
    views = draw_views(chosen.seed, chosen.views, chosen.out)
    listed = [{"video": v.video.name, "csv": v.csv.name, "speed": v.speed, "traits": v.traits} for v in views]
    (chosen.out / "views.json").write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
    print(f"drew {len(views)} views into {chosen.out}")


if __name__ == "__main__":
    main()
