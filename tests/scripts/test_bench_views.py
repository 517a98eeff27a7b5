"""The views of the benchmark: varied, reproducible, and each with a truth that is not a toss of a coin."""

from __future__ import annotations

import importlib.util
import itertools
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from extension.sources.probe import probe
from extension.sources.replay.plan import encounters
from extension.sources.replay.style import Style
from extension.timetravel.trajectory_csv import read_trajectory

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bench_views.py"


@pytest.fixture(scope="module")
def bench_views() -> ModuleType:
    """The script as a module; scripts are no package."""
    spec = importlib.util.spec_from_file_location("bench_views", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_views"] = module
    spec.loader.exec_module(module)
    return module


def test_views_come_with_their_truth(bench_views: ModuleType, tmp_path: Path) -> None:
    """Videos as long as their logs at their speed, each with clear contacts only."""
    views = bench_views.draw_views(5, 3, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        f"view-{i:02d}.{kind}" for i in range(3) for kind in ("mp4", "csv")
    )
    for view in views:
        log, info = read_trajectory(view.csv), probe(view.video)
        assert f"{info.width}x{info.height}" == view.traits["resolution"]
        assert info.duration_s == pytest.approx(log.duration_s / view.speed, abs=0.2)
        assert 12 <= info.duration_s <= 20.1
        assert len(log.objids) == view.traits["objects"]
        assert len(view.truth()) == view.traits["contacts"] >= 1
        assert encounters(log, hold_s=0.4 * view.speed, again_s=3.9 * view.speed).doubtful == 0


def test_the_same_seed_draws_the_same(bench_views: ModuleType, tmp_path: Path) -> None:
    """And another seed does not."""
    one, again, other = (
        bench_views.draw_views(seed, 1, tmp_path / name)[0] for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    )
    assert one.traits == again.traits
    assert one.csv.read_bytes() == again.csv.read_bytes()
    assert one.csv.read_bytes() != other.csv.read_bytes()


def styles(bench_views: ModuleType, count: int) -> list[Style]:
    """Styles as the views would draw them."""
    sizes = itertools.cycle(bench_views.RESOLUTIONS)
    return [bench_views._style(np.random.default_rng([9, i]), next(sizes)) for i in range(count)]


def test_every_variation_comes_up(bench_views: ModuleType) -> None:
    """Clock in every corner or none, light and dark, fonts, JPEG, stale first frames, speeds."""
    drawn = styles(bench_views, 120)
    assert len({s.clock.corner if s.clock else None for s in drawn}) == 5
    assert {s.speed for s in drawn} == {1.0, 1.5, 2.0, 3.0}
    assert {s.stale_first for s in drawn} == {True, False}
    assert {s.jpeg_quality is None for s in drawn} == {True, False}
    assert {s.outline is None for s in drawn} == {True, False}
    assert {len(s.discs) > 1 for s in drawn} == {True, False}
    assert {s.font for s in drawn} >= {"pillow", "opencv"}
    grounds = set(itertools.chain(*bench_views.GROUNDS.values()))
    assert {s.background for s in drawn} == grounds


def test_everything_drawn_can_be_seen(bench_views: ModuleType) -> None:
    """Discs, outlines, numbers and clocks stand out from what is behind them."""
    for style in styles(bench_views, 120):
        assert all(bench_views._differ(disc, style.background) for disc in style.discs)
        if style.outline:
            assert bench_views._differ(style.outline, style.background)
        if style.number_colour:
            assert all(bench_views._luma_apart(style.number_colour, disc) > 110 for disc in style.discs)
        if style.clock:
            behind = style.clock.box or style.background
            assert bench_views._luma_apart(style.clock.colour, behind) > 100
            assert style.clock.size * style.height >= 12


def test_discs_are_large_enough_for_their_numbers_and_leave_room(bench_views: ModuleType) -> None:
    """At every size of frame, for every number of objects."""
    for count, style in zip(itertools.cycle(range(2, 21)), styles(bench_views, 120), strict=False):
        ids = list(range(1, count + 1))
        radius_px = bench_views._radius_px(np.random.default_rng(count), style, ids)
        assert radius_px >= (7.5 if count < 10 else 10.0)
        assert style.width * style.height / (2 * radius_px) ** 2 / count > 10


def test_the_command_draws_and_lists(
    bench_views: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A list of the views beside them."""
    bench_views.main(["--seed", "3", "--views", "1", "--out", str(tmp_path / "views")])
    listed = json.loads((tmp_path / "views" / "views.json").read_text())
    assert [(tmp_path / "views" / entry["video"]).is_file() for entry in listed] == [True]
    assert listed[0]["traits"]["objects"] == 2
    assert "drew 1 views" in capsys.readouterr().out
