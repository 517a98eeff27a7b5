"""`timetravel generate`: folders of logs that come again from their seed, with truth and videos."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from extension.cli import app
from extension.command.generate import Recipe, draw
from extension.errors import BadInput
from extension.sources.replay.difficulty import Difficulty
from extension.sources.replay.style import Level, look
from extension.timetravel.contacts import contacts
from extension.timetravel.trajectory_csv import read_trajectory


def command(*words: str) -> Any:
    """Run `timetravel generate` in this process."""
    return CliRunner().invoke(app, ["generate", *words])


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def truth_of(path: Path) -> dict[str, Any]:
    """A truth file's page."""
    page = json.loads(path.read_text("utf-8"))
    assert isinstance(page, dict)
    return page


def test_logs_and_truths_are_written_and_counted(tmp_path: Path) -> None:
    """As many as asked for, each readable, each with contacts that are in it."""
    result = command(
        "--out", str(tmp_path / "logs"), "--count", "3", "--minutes", "0.5", "--difficulty", "easy"
    )
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert names == sorted(
        f"log-{number:03d}.{kind}" for number in range(3) for kind in ("csv", "truth.json", "collisions.csv")
    )
    total = 0
    for number in range(3):
        log = read_trajectory(tmp_path / "logs" / f"log-{number:03d}.csv")
        page = truth_of(tmp_path / "logs" / f"log-{number:03d}.truth.json")
        assert log.duration_s == page["duration_s"] == 30.0
        assert len(page["contacts"]) == len(contacts(log)) >= 1
        total += len(page["contacts"])
    assert f"3 logs (0 spoiled) with {total} contacts" in result.output.replace("\n", " ")


def test_a_seed_gives_the_same_folder(tmp_path: Path) -> None:
    """Byte by byte; another seed another one."""
    for folder, seed in (("one", "4"), ("again", "4"), ("other", "5")):
        options = ["--seed", seed, "--count", "2", "--minutes", "0.4", "--noise-cm", "10"]
        assert command("--out", str(tmp_path / folder), *options).exit_code == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "again")
    assert contents(tmp_path / "one")["log-000.csv"] != contents(tmp_path / "other")["log-000.csv"]
    assert contents(tmp_path / "one")["log-000.csv"] != contents(tmp_path / "one")["log-001.csv"]


def test_more_logs_do_not_change_the_first_ones(tmp_path: Path) -> None:
    """Each has its own chance."""
    few, more = (draw(Recipe(9, duration_s=20.0), 1, tmp_path / name) for name in ("few", "more"))
    draw(Recipe(9, duration_s=20.0), 0, tmp_path / "more")
    assert few.log.read_bytes() == more.log.read_bytes()


def test_noise_is_what_was_asked_for(tmp_path: Path) -> None:
    """In the spoiled log only, and alone where nothing else is wanted."""
    recipe = Recipe(2, objects=4, duration_s=30.0, noise_cm=25.0, occlusions=0, swaps=0)
    case = draw(recipe, 0, tmp_path)
    clean, noisy = read_trajectory(case.log), read_trajectory(case.shown)
    off = np.concatenate([noisy.tracks[o].places - clean.tracks[o].places for o in clean.objids])
    assert off.std() == pytest.approx(25.0, rel=0.05)
    assert truth_of(case.truth)["spoils"]["occlusions"] == []


def test_noise_changes_nothing_about_the_clean_log(tmp_path: Path) -> None:
    """So that clean and noisy runs are compared on the same log."""
    plain, noisy = (
        draw(Recipe(3, duration_s=20.0, noise_cm=cm, occlusions=0, swaps=0), 0, tmp_path / str(cm))
        for cm in (0.0, 25.0)
    )
    assert plain.log.read_bytes() == noisy.log.read_bytes()
    assert plain.spoiled is None
    assert truth_of(plain.truth)["contacts"] == truth_of(noisy.truth)["contacts"]


def test_a_rate_thins_the_spoiled_log(tmp_path: Path) -> None:
    """The clean one stays at five samples a second."""
    case = draw(Recipe(2, objects=3, duration_s=20.0, rate_hz=1.0, occlusions=0, swaps=0), 0, tmp_path)
    assert len(read_trajectory(case.log).tracks["obj001"].at_us) == 101
    assert len(read_trajectory(case.shown).tracks["obj001"].at_us) == 21


def test_occlusions_and_swaps_are_as_many_as_asked_for(tmp_path: Path) -> None:
    """Whatever the difficulty would have."""
    case = draw(
        Recipe(2, objects=6, duration_s=60.0, difficulty=Difficulty.EASY, occlusions=3, swaps=1), 0, tmp_path
    )
    told = truth_of(case.truth)["spoils"]
    assert len(told["occlusions"]) == 3
    assert len(told["swaps"]) == 1
    assert case.spoiled is not None


def test_numbers_of_objects_vary_unless_stated(tmp_path: Path) -> None:
    """Two to eight."""
    counts = {
        len(
            read_trajectory(
                draw(Recipe(1, duration_s=12.0, difficulty=Difficulty.EASY), n, tmp_path).log
            ).objids
        )
        for n in range(6)
    }
    assert len(counts) > 1
    assert counts <= set(range(2, 9))
    assert len(read_trajectory(draw(Recipe(1, objects=3, duration_s=12.0), 0, tmp_path).log).objids) == 3


def test_videos_show_the_spoiled_log(tmp_path: Path) -> None:
    """In the look asked for."""
    options = [
        "--minutes",
        "0.2",
        "--objects",
        "3",
        "--noise-cm",
        "5",
        "--video",
        "--level",
        "full",
        "--speed",
        "3",
    ]
    result = command("--out", str(tmp_path), *options, "--fps", "5", "--size", "128x96")
    assert result.exit_code == 0, result.output
    with av.open(tmp_path / "log-000.mp4") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (128, 96)
        assert sum(1 for _ in container.decode(video=0)) == 20
    page = truth_of(tmp_path / "log-000.truth.json")
    assert page["files"]["video"] == "log-000.mp4"
    assert page["video_speed"] == 3.0
    assert "1 videos" in result.output


def test_the_video_is_that_of_the_log_on_disk(tmp_path: Path) -> None:
    """Drawing the written log again gives the same frames."""
    from extension.sources.replay.render import render

    style = replace(look(Level.SIMPLIFIED), fps=5)
    case = draw(
        Recipe(4, objects=3, duration_s=12.0, noise_cm=5.0, occlusions=0, swaps=0), 0, tmp_path, style
    )
    assert case.video is not None
    render(read_trajectory(case.shown), style, tmp_path / "again.mp4")
    pictures = []
    for path in (case.video, tmp_path / "again.mp4"):
        with av.open(path) as container:
            pictures.append(
                [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)][::7]
            )
    assert len(pictures[0]) == len(pictures[1])
    assert max(np.abs(a - b).mean() for a, b in zip(*pictures, strict=True)) < 1


@pytest.mark.parametrize(
    "options",
    [
        ["--objects", "1"],
        ["--minutes", "0.01"],
        ["--count", "0"],
        ["--noise-cm", "-1"],
        ["--difficulty", "odd"],
    ],
)
def test_what_makes_no_sense_is_refused_by_name(tmp_path: Path, options: list[str]) -> None:
    """Before anything is made."""
    result = command("--out", str(tmp_path / "logs"), *options)
    assert result.exit_code == 2
    assert options[0] in result.output
    assert not (tmp_path / "logs").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """By its name, with the reason."""
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(BadInput, match=r"taken: cannot be written \(File exists\)"):
        draw(Recipe(1, duration_s=12.0), 0, tmp_path / "taken")
