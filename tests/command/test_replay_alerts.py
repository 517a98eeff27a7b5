"""`timetravel replay LOG --alerts`: what is drawn, and what the analysis is then asked for."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from rich.console import Console

from extension import settings
from extension.clock import SystemClock
from extension.command.replay import Drawing
from extension.command.replay_alerts import Analysis, replay_with_alerts
from extension.command.replay_options import part_of
from extension.command.run import MainJob, RunPlan
from extension.errors import BadInput
from extension.model import VlmUse
from extension.pipeline.drawing import cut_down
from extension.sources.replay.style import Level, Style, look
from extension.timetravel.trajectory import Trajectory
from extension.timetravel.trajectory_csv import read_trajectory, write_trajectory
from tests.pipeline.replays import START, log_of

SMALL = Style(width=128, height=96, fps=5)


class Desk:
    """A log on disk, a data folder, and the plans that were run."""

    def __init__(self, folder: Path, log: Trajectory) -> None:
        self.log = folder / "walk.csv"
        write_trajectory(log, self.log)
        self.settings = settings.load(data_dir=folder / "data", port=0)
        self.said = Console(file=io.StringIO(), width=100)
        self.plans: list[RunPlan] = []

    @property
    def replays(self) -> Path:
        """Where drawn videos go."""
        return self.settings.data_dir / "media" / "replays"

    def ask(
        self,
        *,
        vlm: VlmUse = VlmUse.ALL,
        out: Path | None = None,
        style: Style = SMALL,
        shown: Trajectory | None = None,
        report: Path | None = None,
        geometry: bool = True,
    ) -> RunPlan:
        """Draw and analyse; the plan that was run."""
        code = replay_with_alerts(
            self.log,
            shown or read_trajectory(self.log),
            Drawing(style),
            out,
            Analysis(vlm, geometry, report),
            self.settings,
            self.said,
            SystemClock(),
        )
        assert code == 7, "the exit code is that of the analysis"
        return self.plans[-1]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A minute with one contact; the analysis itself, which has tests of its own, is only asked for."""
    made = Desk(tmp_path, log_of({("1", "2"): [(30.0, 31.0)]}, 60.0))

    def run(self: MainJob, plan: RunPlan) -> int:
        del self
        made.plans.append(plan)
        return 7

    monkeypatch.setattr(MainJob, "run_here_or_there", run)
    return made


def length_s(path: Path) -> float:
    """Media seconds of a video."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        return sum(1 for _ in container.decode(stream)) / float(stream.average_rate or 1)


def test_all_of_the_log_is_drawn_where_all_is_asked_about(desk: Desk) -> None:
    """Into the data folder; the log itself is what the answers are held against."""
    plan = desk.ask()
    assert plan.video == desk.replays / "walk.mp4"
    assert length_s(plan.video) == pytest.approx(60.0, abs=0.3)
    assert (plan.trajectory, plan.pieces, plan.start_at) == (desk.log, (), START)
    assert (plan.once, plan.vlm, plan.geometry) == (True, VlmUse.ALL, True)


@pytest.mark.parametrize("vlm", [VlmUse.CANDIDATES, VlmUse.OFF])
def test_only_the_candidates_are_drawn_where_only_they_count(desk: Desk, vlm: VlmUse) -> None:
    """In the pieces that the service would cut itself, and the plan names them."""
    plan = desk.ask(vlm=vlm)
    cut = cut_down(
        read_trajectory(desk.log),
        speed=1.0,
        chunk_s=desk.settings.chunk_s,
        contact_cm=desk.settings.contact_cm,
    )
    assert plan.pieces == cut.pieces
    assert plan.video is not None
    assert length_s(plan.video) == pytest.approx(cut.media_s, abs=0.3)
    assert cut.media_s < 20.0


def test_a_log_drawn_in_pieces_lies_where_a_running_service_may_read_it(desk: Desk) -> None:
    """Byte for byte the log."""
    plan = desk.ask(vlm=VlmUse.CANDIDATES)
    assert plan.trajectory == desk.replays / "walk.csv"
    assert plan.trajectory.read_bytes() == desk.log.read_bytes()


def test_a_log_that_lies_there_already_is_not_copied_onto_itself(desk: Desk) -> None:
    """Nor emptied."""
    desk.replays.mkdir(parents=True)
    there = desk.replays / "walk.csv"
    there.write_bytes(desk.log.read_bytes())
    desk.log = there
    before = there.stat().st_mtime_ns
    plan = desk.ask(vlm=VlmUse.OFF)
    assert plan.trajectory == there
    assert there.stat().st_mtime_ns == before


def test_the_video_goes_where_it_was_asked_for(desk: Desk, tmp_path: Path) -> None:
    """And the report is handed on."""
    plan = desk.ask(out=tmp_path / "mine.mp4", report=tmp_path / "r.json", geometry=False, vlm=VlmUse.OFF)
    assert plan.video == tmp_path / "mine.mp4"
    assert plan.video.is_file()
    assert (plan.report, plan.geometry) == (tmp_path / "r.json", False)


@pytest.mark.parametrize(
    ("level", "prompt"),
    [(Level.ABSTRACT, "simple_view"), (Level.SIMPLIFIED, "twin_view"), (Level.FULL, "twin_view")],
)
def test_the_question_fits_the_view(desk: Desk, level: Level, prompt: str) -> None:
    """Labels on plain ground, or the twin with its walls."""
    style = replace(look(level), width=128, height=96, fps=5, speed=10.0)
    plan = desk.ask(style=style)
    assert (plan.prompt, plan.speed) == (prompt, 10.0)


def test_a_part_of_the_log_begins_where_the_part_does(desk: Desk) -> None:
    """World times of what is found in it are right."""
    part = part_of(read_trajectory(desk.log), "00:00:25", "00:00:35")
    plan = desk.ask(shown=part)
    assert plan.start_at == part.start_at
    assert plan.start_at is not None
    assert (plan.start_at - START).total_seconds() == 25.0
    assert plan.video is not None
    assert length_s(plan.video) == pytest.approx(10.0, abs=0.3)


def test_the_pieces_of_a_part_lie_within_it(desk: Desk) -> None:
    """What is outside was not asked for."""
    part = part_of(read_trajectory(desk.log), "00:00:10", "00:00:45")
    plan = desk.ask(shown=part, vlm=VlmUse.CANDIDATES)
    assert plan.pieces[0].start_at == part.start_at
    assert all(part.start_at <= piece.start_at <= part.end_at for piece in plan.pieces)


@pytest.mark.parametrize("speed", [1.0, 3.0])
def test_frames_and_pieces_agree_at_any_speed(desk: Desk, speed: float) -> None:
    """As many frames as the pieces are long."""
    plan = desk.ask(vlm=VlmUse.OFF, style=replace(SMALL, speed=speed))
    log = read_trajectory(desk.log)
    cut = cut_down(log, speed=speed, chunk_s=desk.settings.chunk_s, contact_cm=desk.settings.contact_cm)
    wanted = cut.instants(replace(SMALL, speed=speed))
    assert plan.pieces == cut.pieces
    assert plan.video is not None
    assert length_s(plan.video) * SMALL.fps == pytest.approx(len(wanted), abs=1)
    assert np.diff(wanted).min() > 0


def test_what_cannot_be_drawn_is_not_analysed(desk: Desk) -> None:
    """The complaint comes first, and the data folder holds no half of a video."""
    with pytest.raises(BadInput):
        replay_with_alerts(
            desk.log,
            read_trajectory(desk.log),
            Drawing(SMALL, follow=("nobody",)),
            None,
            Analysis(VlmUse.ALL, geometry=True, report=None),
            desk.settings,
            desk.said,
            SystemClock(),
        )
    assert desk.plans == []
    assert list(desk.replays.rglob("*.mp4")) == []
