"""Folders of evidence appear whole, are replaced whole, and their lists of hashes are read with care."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from extension.evidence import digests, shelf
from extension.evidence.digests import Digests, Stopped


def filled(folder: Path, text: str) -> Path:
    """A folder with one file."""
    shelf.clear(folder)
    (folder / "clip.mp4").write_text(text, "utf-8")
    return folder


def test_a_folder_takes_its_place(tmp_path: Path) -> None:
    """Where none was, and where one was: then nothing of the old one is left."""
    final = shelf.place(tmp_path, "one")
    for text in ("first", "second"):
        shelf.put(filled(shelf.workplace(final), text), final)
        assert (final / "clip.mp4").read_text("utf-8") == text
    assert [path.name for path in final.parent.iterdir()] == ["one"]


def test_when_the_move_fails_the_old_one_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence is never worse off for a try to renew it."""
    final = shelf.place(tmp_path, "one")
    shelf.put(filled(shelf.workplace(final), "first"), final)
    work = filled(shelf.workplace(final), "second")
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path == work:
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        shelf.put(work, final)
    assert (final / "clip.mp4").read_text("utf-8") == "first"


def test_tidying_leaves_evidence_alone(tmp_path: Path) -> None:
    """Only what is half done goes; where there is nothing, nothing happens."""
    shelf.tidy(tmp_path)
    for name in ("one", ".part-two", ".old-three", "four.part-"):
        filled(tmp_path / shelf.FOLDER / name, "x")
    shelf.tidy(tmp_path)
    assert sorted(path.name for path in (tmp_path / shelf.FOLDER).iterdir()) == ["four.part-", "one"]


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        ("aa  clip.mp4\nbb  manifest.json\n", {"clip.mp4": "aa", "manifest.json": "bb"}),
        ("aa *clip.mp4\r\n", {"clip.mp4": "aa"}),
        ("aa  a name with spaces.mp4\n", {"a name with spaces.mp4": "aa"}),
        ("\n\naa\n", {}),
        ("", {}),
    ],
    ids=["plain", "as-windows-writes-it", "spaces", "nonsense", "empty"],
)
def test_a_list_of_hashes_is_read_as_sha256sum_writes_it(
    tmp_path: Path, text: str, sums: dict[str, str]
) -> None:
    """Lines of another form are no lines."""
    (tmp_path / "SHA256SUMS").write_bytes(text.encode())
    assert shelf.sums_of(tmp_path) == sums


def test_a_list_that_is_not_there_names_nothing(tmp_path: Path) -> None:
    """Nor does one that is no text."""
    assert shelf.sums_of(tmp_path) == {}
    (tmp_path / "SHA256SUMS").write_bytes(b"\xff\xfe\x00")
    assert shelf.sums_of(tmp_path) == {}


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (3 << 20) + 5])
def test_a_file_is_hashed_piece_by_piece(tmp_path: Path, size: int) -> None:
    """Whatever its size."""
    data = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "file").write_bytes(data[:size])
    assert digests.of_file(tmp_path / "file") == hashlib.sha256(data[:size]).hexdigest()


def test_hashing_a_large_file_can_be_given_up(tmp_path: Path) -> None:
    """A service that stops does not read gigabytes first."""
    (tmp_path / "file").write_bytes(bytes(5 << 20))
    asked = iter([True, True, False])
    with pytest.raises(Stopped):
        digests.of_file(tmp_path / "file", lambda: next(asked))


def test_a_file_is_read_once_for_a_job(tmp_path: Path) -> None:
    """What it was at first is what it is for all incidents."""
    path = tmp_path / "file"
    path.write_bytes(b"one")
    known = Digests()
    first = known.of(path)
    assert first == (hashlib.sha256(b"one").hexdigest(), 3)
    path.write_bytes(b"another")
    assert known.of(path) == first
    with pytest.raises(FileNotFoundError):
        known.of(tmp_path / "gone")
