"""The timeline as a picture: who, when, how bad, and which parts nobody judged."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import matplotlib.image
import numpy as np
import numpy.typing as npt
import pytest

from extension.charts.timeline import _clock_text, _rows, _ticks_s, draw_timeline
from extension.model import JobStatus, Kind, Severity
from extension.timetravel.summary import Summary
from tests.timetravel.summary_samples import SEOUL, anchored, incident, log, summary_of

Picture = npt.NDArray[np.uint8]
COLOURS = {
    Severity.SAFE: (47, 133, 90),
    Severity.WARN: (214, 158, 46),
    Severity.DANGER: (221, 91, 26),
    Severity.EXTREME: (163, 18, 58),
}
LOOKED = (201, 214, 223)


def drawn(path: Path, summary: Summary) -> Picture:
    """The timeline as pixels, shape (height, width, 3)."""
    draw_timeline(summary, path)
    picture = matplotlib.image.imread(path)
    return np.round(picture[..., :3] * 255).astype(np.uint8)


def columns_like(picture: Picture, colour: tuple[int, int, int]) -> npt.NDArray[np.int64]:
    """Columns of the upper part (no legend) that hold that colour."""
    upper = picture[: int(picture.shape[0] * 0.8)]
    alike = np.abs(upper.astype(int) - colour).max(axis=2) <= 6
    return np.flatnonzero(alike.sum(axis=0) > 5)


@pytest.mark.parametrize("severity", list(Severity))
def test_a_moment_is_a_bar_in_the_colour_of_its_severity(tmp_path: Path, severity: Severity) -> None:
    """Each severity has its own."""
    picture = drawn(tmp_path / "t.png", summary_of([incident(0, 20, 30, severity=severity)]))
    assert len(columns_like(picture, COLOURS[severity])) > 20
    others = [colour for other, colour in COLOURS.items() if other is not severity]
    assert all(len(columns_like(picture, colour)) == 0 for colour in others)


def test_bars_lie_where_moments_are(tmp_path: Path) -> None:
    """A moment of the last third is in the last third, and twice as long is twice as wide."""
    picture = drawn(
        tmp_path / "t.png",
        summary_of([incident(0, 45, 50, severity=Severity.WARN), incident(1, 10, 20, objects=("3", "4"))]),
    )
    axis = columns_like(picture, LOOKED)
    left, right = axis.min(), axis.max()
    late, early = (
        columns_like(picture, COLOURS[Severity.WARN]),
        columns_like(picture, COLOURS[Severity.DANGER]),
    )
    assert (late.min() - left) / (right - left) == pytest.approx(45 / 60, abs=0.02)
    assert (early.min() - left) / (right - left) == pytest.approx(10 / 60, abs=0.02)
    assert len(early) == pytest.approx(2 * len(late), rel=0.1)


def test_a_moment_of_an_instant_can_be_seen(tmp_path: Path) -> None:
    """In an hour of video a second would be thinner than a pixel; at the very end it stays inside."""
    found = [incident(0, 1800, 1800.2), incident(1, 3600, 3600, severity=Severity.EXTREME)]
    picture = drawn(tmp_path / "t.png", summary_of(found, media_s=3600.0, chunk_count=1800, asked=1800))
    assert len(columns_like(picture, COLOURS[Severity.DANGER])) >= 3
    assert len(columns_like(picture, COLOURS[Severity.EXTREME])) >= 3


def test_what_could_not_be_judged_is_not_drawn_as_judged(tmp_path: Path) -> None:
    """A hole in the strip at the bottom where chunks failed."""
    whole = columns_like(drawn(tmp_path / "w.png", summary_of([])), LOOKED)
    failed = columns_like(drawn(tmp_path / "f.png", summary_of([], failed=range(10, 20))), LOOKED)
    not_asked = columns_like(drawn(tmp_path / "n.png", summary_of([], asked=15)), LOOKED)
    assert len(failed) == pytest.approx(len(whole) * 2 / 3, rel=0.05)
    assert len(not_asked) == pytest.approx(len(whole) / 2, rel=0.05)


def test_a_summary_without_moments_is_drawn_too(tmp_path: Path) -> None:
    """The proof that it was looked at."""
    picture = drawn(tmp_path / "t.png", summary_of([]))
    assert len(columns_like(picture, LOOKED)) > 500
    assert picture.shape[0] < 350


def test_the_picture_grows_with_its_rows_and_then_no_more(tmp_path: Path) -> None:
    """A row per group; of very many groups the last row holds the rest."""
    few = drawn(
        tmp_path / "1.png", summary_of([incident(n, n, n + 1, objects=("1", str(n + 2))) for n in range(3)])
    )
    many = [incident(n, n / 2, n / 2 + 1, objects=("1", str(n + 2))) for n in range(90)]
    tall = drawn(tmp_path / "2.png", summary_of(many))
    assert few.shape[0] < tall.shape[0] < 1200


def test_rows_lose_no_moment() -> None:
    """Those who met most often have a row of their own, by their first moment."""
    found = [incident(n, n, n + 1, objects=("1", str(2 + n))) for n in range(40)]
    found += [incident(100 + n, 50 + n, 51 + n, objects=("8", "9")) for n in range(3)]
    moments = summary_of(found, media_s=100.0).moments
    rows = _rows(moments)
    assert len(rows) == 24
    assert sum(len(row) for _, row in rows) == 43
    assert rows[-1][0] == "18 others"
    assert ("8 + 9", 3) in [(label, len(row)) for label, row in rows]


def test_moments_without_objects_go_by_their_kind() -> None:
    """A fire has no number; a very long name is cut."""
    found = [incident(0, 1, 2, objects=(), kind=Kind.NEAR_MISS), incident(1, 3, 4, objects=("x" * 90,))]
    labels = [label for label, _ in _rows(summary_of(found).moments)]
    assert labels[0] == "near miss"
    assert len(labels[1]) == 28


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (0.0, 20.0, [0, 5, 10, 15, 20]),
        (0.0, 60.0, [0, 10, 20, 30, 40, 50, 60]),
        (7.0, 67.0, [10, 20, 30, 40, 50, 60]),
        (0.0, 3600.0, [0, 600, 1200, 1800, 2400, 3000, 3600]),
        (0.0, 2.0, [0, 0.5, 1.0, 1.5, 2.0]),
        (0.0, 43_200.0, [7200.0 * n for n in range(7)]),
    ],
)
def test_ticks_are_even(first: float, last: float, expected: list[float]) -> None:
    """Whole seconds, minutes or hours, not too many."""
    assert _ticks_s(first, last) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("second", "longest", "text"),
    [
        (1.5, 5.0, "1.5 s"),
        (65.0, 120.0, "1:05"),
        (0.0, 60.0, "0:00"),
        (3665.0, 4000.0, "01:01:05"),
        (0.0, 86_400.0, "00:00:00"),
    ],
)
def test_ticks_are_labelled_by_what_the_scale_needs(second: float, longest: float, text: str) -> None:
    """Tenths for a few seconds, hours for hours."""
    assert _clock_text(second, longest) == text


@pytest.mark.parametrize("duration", [0.5, 20.0, 59.0, 3600.0, 43_200.0])
def test_every_length_of_video_can_be_drawn(tmp_path: Path, duration: float) -> None:
    """From half a second to half a day."""
    summary = summary_of([incident(0, duration / 2, duration / 2)], media_s=duration)
    assert drawn(tmp_path / "t.png", summary).shape[1] > 900


def test_the_worlds_clock_stands_above_where_it_is_known(tmp_path: Path) -> None:
    """In the job's zone, also past midnight."""
    plain = drawn(tmp_path / "1.png", summary_of([anchored(0, 10, 11)]))
    world = drawn(tmp_path / "2.png", summary_of([anchored(0, 10, 11)], trajectory=log(), tz=SEOUL))
    slate = [np.abs(picture[:60].astype(int) - (71, 85, 105)).max(axis=2) <= 10 for picture in (plain, world)]
    assert slate[1].sum() > slate[0].sum() + 20


def test_a_video_of_parts_has_no_even_clock(tmp_path: Path) -> None:
    """A scale of the world's time above it would be wrong between two parts."""
    whole = summary_of([], trajectory=log())
    parts = dataclasses.replace(whole, coverage=dataclasses.replace(whole.coverage, parts=3))
    slate = [
        np.abs(drawn(tmp_path / "t.png", summary)[:60].astype(int) - (71, 85, 105)).max(axis=2) <= 10
        for summary in (parts, whole)
    ]
    assert slate[1].sum() > slate[0].sum() + 20


def test_a_video_of_unknown_length_has_no_timeline(tmp_path: Path) -> None:
    """Said, not drawn empty."""
    summary = summary_of([], asked=0, media_s=None, chunk_count=None, status=JobStatus.FAILED)
    with pytest.raises(ValueError, match="length of the video is not known"):
        draw_timeline(summary, tmp_path / "t.png")
    assert not (tmp_path / "t.png").exists()


def test_names_in_any_script_are_drawn(tmp_path: Path) -> None:
    """Without a warning about glyphs that a font has not, which would be an error here."""
    found = [incident(0, 1, 2, objects=("지게차", "작업자")), incident(1, 3, 4, objects=("\U0010fffd", "ع"))]
    draw_timeline(summary_of(found, name="공장 \U0001f916.mp4"), tmp_path / "t.png")
    assert (tmp_path / "t.png").stat().st_size > 5000
