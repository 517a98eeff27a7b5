"""A job's summary on disk: every file whole, nothing stale, and a picture that cannot be made costs nothing else."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from extension.playback.write import Made, write_summary
from extension.timetravel.summary import Summary
from extension.timetravel.summary_tongues import Language
from extension.timetravel.summary_wire import SummaryOut
from tests.playback.samples import SMALL, ramp, read, second_of
from tests.timetravel.summary_samples import anchored, contacts_of, incident, log, summary_of

WORDS = ("summary.en.json", "summary.en.md", "summary.ko.json", "summary.ko.md")
TRAJECTORY = log()


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds whose brightness tells the second."""
    return ramp(tmp_path_factory.mktemp("ramp") / "ramp.mp4")


def reasons(made: Made) -> dict[str, str]:
    """Why what is missing is missing."""
    return {missing.name: missing.reason for missing in made.missing}


def short() -> Summary:
    """A summary of the twenty seconds: moments at 5 s and 15 s."""
    return summary_of([incident(0, 5, 6), incident(1, 15, 16)], asked=10, media_s=20.0, chunk_count=10)


def test_with_a_log_everything_is_made(tmp_path: Path) -> None:
    """Words in two languages, for people and for programs; two pictures; a video that needs no source video."""
    summary = summary_of(contacts_of(TRAJECTORY), trajectory=TRAJECTORY)
    made = write_summary(tmp_path / "out", summary, tmp_path / "gone.mp4", TRAJECTORY, SMALL)
    assert made.missing == ()
    assert made.files == ("heatmap.png", *WORDS, "summary.mp4", "timeline.png")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(made.files)
    assert (tmp_path / "out" / "heatmap.png").read_bytes().startswith(b"\x89PNG")
    assert len(read(tmp_path / "out" / "summary.mp4").pictures) > 100


def test_without_a_log_the_video_is_cut_from_its_source(tmp_path: Path, video: Path) -> None:
    """There is no heat map then, and the frames are those of the moments."""
    made = write_summary(tmp_path, short(), video, film=SMALL)
    assert made.missing == ()
    assert made.files == (*WORDS, "summary.mp4", "timeline.png")
    pictures = read(tmp_path / "summary.mp4").pictures
    assert len(pictures) == 25 + 2 * (5 + 40)
    assert [second_of(p[:180]) for p in pictures[30:70:10]] == [3, 4, 5, 6]
    assert [second_of(p[:180]) for p in pictures[75:115:10]] == [13, 14, 15, 16]


def test_words_are_as_the_summary_says_them(tmp_path: Path, video: Path) -> None:
    """Markdown for people, JSON for programs, each in both languages."""
    write_summary(tmp_path, short(), video)
    assert (tmp_path / "summary.en.md").read_text("utf-8").startswith("# Summary of yard.mp4\n\n2 collisions")
    assert "충돌 2건을 찾았습니다" in (tmp_path / "summary.ko.md").read_text("utf-8")
    for language in Language:
        page = SummaryOut.model_validate_json((tmp_path / f"summary.{language}.json").read_bytes())
        assert page.language is language
        assert page.text == (tmp_path / f"summary.{language}.md").read_text("utf-8")
        assert len(page.moments) == 2


def test_a_log_whose_instants_nobody_knows_leaves_the_source_video(tmp_path: Path, video: Path) -> None:
    """A moment without a world time cannot be drawn from the log."""
    made = write_summary(tmp_path, short(), video, TRAJECTORY, SMALL)
    assert made.missing == ()
    assert len(read(tmp_path / "summary.mp4").pictures) == 25 + 2 * (5 + 40)


def test_without_a_film_no_video_is_made(tmp_path: Path, video: Path) -> None:
    """And none from an earlier run stays."""
    (tmp_path / "summary.mp4").write_bytes(b"old")
    (tmp_path / "heatmap.png").write_bytes(b"old")
    made = write_summary(tmp_path, short(), video)
    assert made.files == (*WORDS, "timeline.png")
    assert not (tmp_path / "summary.mp4").exists()
    assert not (tmp_path / "heatmap.png").exists()


@pytest.mark.parametrize("content", [None, b"", b"no video"])
def test_a_source_that_is_gone_costs_only_the_video(tmp_path: Path, content: bytes | None) -> None:
    """The result says so without naming a folder, and no old video stands for the new one."""
    source = tmp_path / "yard.mp4"
    if content is not None:
        source.write_bytes(content)
    out = tmp_path / "out"
    out.mkdir()
    (out / "summary.mp4").write_bytes(b"old")
    made = write_summary(out, short(), source, film=SMALL)
    assert made.files == (*WORDS, "timeline.png")
    assert list(reasons(made)) == ["summary.mp4"]
    assert "yard.mp4" in reasons(made)["summary.mp4"]
    assert str(tmp_path) not in reasons(made)["summary.mp4"]
    assert sorted(p.name for p in out.iterdir()) == [*WORDS, "timeline.png"]


def test_moments_that_the_source_does_not_hold_are_named(tmp_path: Path) -> None:
    """A file that lost its end since it was analysed shows what it has."""
    whole = ramp(tmp_path / "whole.ts", 20)
    half = tmp_path / "half.ts"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    made = write_summary(tmp_path / "out", short(), half, film=SMALL)
    assert "summary.mp4" in made.files
    assert reasons(made) == {"summary.mp4": "the video could not be read at moments 2"}
    pictures = read(tmp_path / "out" / "summary.mp4").pictures
    assert [second_of(p[:180]) for p in pictures[30:70:10]] == [3, 4, 5, 6]
    assert len(pictures) == 25 + 5 + 40


def test_a_video_of_unknown_length_has_no_timeline(tmp_path: Path, video: Path) -> None:
    """Everything else is there."""
    made = write_summary(tmp_path, summary_of([], asked=0, media_s=None, chunk_count=None), video, film=SMALL)
    assert reasons(made) == {"timeline.png": "the length of the video is not known"}
    assert made.files == (*WORDS, "summary.mp4")


def test_nothing_found_is_a_proof_that_it_was_looked_for(tmp_path: Path) -> None:
    """Words, a timeline with what was judged, and a short video; the source is not even opened."""
    made = write_summary(tmp_path, summary_of([], failed=[4]), tmp_path / "gone.mp4", TRAJECTORY, SMALL)
    assert made.missing == ()
    assert len(read(tmp_path / "summary.mp4").pictures) == 50
    page = json.loads((tmp_path / "summary.en.json").read_text("utf-8"))
    assert page["coverage"]["judged"] == 29
    assert page["coverage"]["failed"][0]["start_s"] == 8.0


def test_a_service_that_stops_gives_the_video_up(tmp_path: Path, video: Path) -> None:
    """The words and pictures are there already."""
    made = write_summary(tmp_path, short(), video, film=SMALL, keep_going=lambda: False)
    assert reasons(made) == {"summary.mp4": "the service stopped meanwhile"}
    assert not list(tmp_path.glob(".*"))


def test_a_summary_written_again_replaces_the_first(tmp_path: Path, video: Path) -> None:
    """A job that was done again has one summary."""
    write_summary(tmp_path, short(), video, film=SMALL)
    first = (tmp_path / "summary.en.md").read_text("utf-8")
    write_summary(tmp_path, summary_of([], media_s=20.0, chunk_count=10, asked=10), video, film=SMALL)
    assert (tmp_path / "summary.en.md").read_text("utf-8") != first
    assert len(read(tmp_path / "summary.mp4").pictures) == 50


@pytest.mark.skipif(os.geteuid() == 0, reason="an administrator may write anywhere")
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path, video: Path) -> None:
    """Words are the least there must be."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OSError, match="Permission denied"):
            write_summary(tmp_path / "out", short(), video)
    finally:
        tmp_path.chmod(0o700)


def test_a_file_in_the_folders_place_is_an_error(tmp_path: Path, video: Path) -> None:
    """It is not overwritten."""
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OSError, match="exists"):
        write_summary(tmp_path / "out", short(), video)
    assert (tmp_path / "out").read_text() == "mine"


def test_names_that_no_font_has_do_not_break_a_picture(tmp_path: Path) -> None:
    """Half a character, an emoji, a line break: files are written all the same."""
    odd = "로봇\U0001f916\n\ud800"
    found = [anchored(0, 9.5, 10.5, objects=(odd, "2"), description=odd)]
    summary = summary_of(found, trajectory=TRAJECTORY, name=f"{odd}.mp4")
    plain = dataclasses.replace(SMALL, fonts=())
    made = write_summary(tmp_path, summary, tmp_path / "x", TRAJECTORY, plain)
    assert made.missing == ()
    assert len(made.files) == 7
    assert "\\ud800" in (tmp_path / "summary.en.json").read_text("utf-8")
