"""A certificate in the file of cameras: read from beside it, or refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from extension.errors import BadSettings
from extension.sources.camera.book_file import load


def book(folder: Path, text: str) -> Path:
    """A file with one camera."""
    path = folder / "cameras.yaml"
    path.write_text(f"cameras:\n  - {{name: gate, {text}}}\n")
    return path


def test_it_lies_beside_the_file(tmp_path: Path) -> None:
    """Wherever the service was started; without one there is none."""
    (tmp_path / "gate.pem").write_text("x")
    (entry,) = load(book(tmp_path, "url: 'rtsps://h/1', certificate: gate.pem"))
    assert entry.camera(tmp_path).certificate == tmp_path / "gate.pem"
    (plain,) = load(book(tmp_path, "url: 'rtsps://h/1'"))
    assert plain.camera(tmp_path).certificate is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("url: 'rtsps://joe:hunter2@h/1', certificate: gone.pem", "its certificate cannot be read"),
        ("url: 'rtsp://joe:hunter2@h/1', certificate: cameras.yaml", "needs an rtsps:// address"),
    ],
)
def test_one_that_is_of_no_use(tmp_path: Path, text: str, words: str) -> None:
    """Named by its camera, without the address."""
    (entry,) = load(book(tmp_path, text))
    with pytest.raises(BadSettings, match=words) as caught:
        entry.camera(tmp_path)
    assert "'gate'" in str(caught.value)
    assert "hunter2" not in str(caught.value)
