"""Which files a caller may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from extension.api.paths import allowed_file
from extension.api.problems import Rejected
from extension.errors import NotFound


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An allowed folder with a video in a folder of it."""
    (tmp_path / "allowed" / "deep").mkdir(parents=True)
    (tmp_path / "allowed" / "deep" / "a.mp4").write_bytes(b"x")
    return tmp_path / "allowed"


def test_a_file_deep_inside_is_allowed(folder: Path) -> None:
    """Under its real name, however it is written."""
    video = folder / "deep" / "a.mp4"
    assert allowed_file(str(video), (folder,)) == video.resolve()
    assert allowed_file(f"{folder}/deep/../deep/./a.mp4", (folder,)) == video.resolve()


def test_a_link_that_stays_inside_is_followed(folder: Path) -> None:
    """The job then names the file, not the link."""
    (folder / "latest.mp4").symlink_to(folder / "deep" / "a.mp4")
    assert allowed_file(str(folder / "latest.mp4"), (folder,)) == (folder / "deep" / "a.mp4").resolve()


def test_an_allowed_folder_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    """Both sides are resolved before they are compared."""
    (tmp_path / "link").symlink_to(folder)
    for base in (tmp_path / "link", folder):
        assert allowed_file(str(base / "deep" / "a.mp4"), (tmp_path / "link",)).is_file()


def test_any_of_several_folders_will_do(folder: Path, tmp_path: Path) -> None:
    """Order does not matter."""
    assert allowed_file(str(folder / "deep" / "a.mp4"), (tmp_path / "other", folder)).is_file()


def test_without_allowed_folders_nothing_is_allowed(folder: Path) -> None:
    """Nor is the file system's root by accident."""
    with pytest.raises(Rejected) as caught:
        allowed_file(str(folder / "deep" / "a.mp4"), ())
    assert caught.value.status == 403


@pytest.mark.parametrize("tail", ["../b.mp4", "deep/../../b.mp4", "../allowed-too/b.mp4"])
def test_climbing_out_is_forbidden(folder: Path, tmp_path: Path, tail: str) -> None:
    """A neighbour whose name begins alike is outside too."""
    (tmp_path / "b.mp4").write_bytes(b"x")
    (tmp_path / "allowed-too").mkdir()
    (tmp_path / "allowed-too" / "b.mp4").write_bytes(b"x")
    with pytest.raises(Rejected):
        allowed_file(f"{folder}/{tail}", (folder,))


@pytest.mark.parametrize("tail", ["", "deep", "deep/b.mp4", "deep/a.mp4/b", "x" * 5000])
def test_what_is_no_file_inside_is_not_found(folder: Path, tail: str) -> None:
    """The message names the file, never the folder."""
    with pytest.raises((NotFound, Rejected)) as caught:
        allowed_file(f"{folder}/{tail}", (folder,))
    assert str(folder) not in str(caught.value)
