"""Second looks are on unless the settings or a camera's entry say otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from extension import wiring
from extension.errors import BadSettings
from extension.settings import load
from extension.sources.camera.book_file import load as load_book


@pytest.mark.parametrize(("told", "on"), [(None, True), ("true", True), ("false", False), ("0", False)])
def test_the_setting_reaches_the_jobs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: str | None,
    on: bool,  # noqa: FBT001 - a table's column
) -> None:
    """`EXT_SECOND_LOOK`, on by default."""
    if told is not None:
        monkeypatch.setenv("EXT_SECOND_LOOK", told)
    assert wiring.policy(load(None, data_dir=tmp_path)).second_look is on


def test_a_wrong_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own name."""
    monkeypatch.setenv("EXT_SECOND_LOOK", "perhaps")
    with pytest.raises(BadSettings, match="EXT_SECOND_LOOK"):
        load(None, data_dir=tmp_path)


def test_a_camera_may_be_left_out(tmp_path: Path) -> None:
    """By its entry in the cameras' file."""
    book = tmp_path / "cameras.yaml"
    book.write_text(
        "cameras:\n- {name: gate, url: 'rtsp://x/'}\n- {name: yard, url: 'rtsp://y/', second_look: false}\n"
    )
    assert [entry.second_look for entry in load_book(book)] == [True, False]


def test_a_cameras_word_that_is_neither_is_refused(tmp_path: Path) -> None:
    """And named."""
    book = tmp_path / "cameras.yaml"
    book.write_text("cameras: [{name: gate, url: 'rtsp://x/', second_look: sometimes}]\n")
    with pytest.raises(BadSettings, match="second_look"):
        load_book(book)
