"""One frame as a JPEG file that fits."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from extension.evidence.snapshot import write_snapshot
from tests.evidence.films import number_in, numbered


def frame(number: int = 5, size: tuple[int, int] = (321, 241), *, noise: bool = False) -> av.VideoFrame:
    """A frame that carries a number."""
    chance = np.random.default_rng(3) if noise else None
    return av.VideoFrame.from_ndarray(numbered(number, size, chance), format="rgb24")


@pytest.mark.parametrize("pixels", ["rgb24", "yuv420p", "yuvj420p", "yuv444p", "yuv420p10le", "gray"])
def test_any_frame_becomes_a_picture_of_its_own_size(tmp_path: Path, pixels: str) -> None:
    """Odd sides and all; what it shows can be read."""
    path = tmp_path / "snapshot.jpg"
    assert write_snapshot(path, frame(682).reformat(format=pixels), 10_000_000) == (321, 241)
    assert number_in(path) == 682
    assert path.read_bytes()[:3] == b"\xff\xd8\xff"


def test_colours_stay(tmp_path: Path) -> None:
    """Red is not blue."""
    red = np.zeros((64, 64, 3), np.uint8)
    red[:, :, 0] = 220
    write_snapshot(tmp_path / "red.jpg", av.VideoFrame.from_ndarray(red, format="rgb24"), 100_000)
    picture = cv2.imread(str(tmp_path / "red.jpg"))
    assert picture is not None
    blue, green, red_again = picture[32, 32].tolist()
    assert red_again > 200
    assert max(blue, green) < 30


@pytest.mark.parametrize("most_bytes", [200_000, 60_000, 20_000, 4_000])
def test_it_becomes_smaller_until_it_fits(tmp_path: Path, most_bytes: int) -> None:
    """First in quality, then in size; never larger than asked."""
    path = tmp_path / "snapshot.jpg"
    width, height = write_snapshot(path, frame(noise=True, size=(640, 480)), most_bytes)
    assert path.stat().st_size <= most_bytes
    assert width / height == pytest.approx(640 / 480, rel=0.05)
    assert (width == 640) == (most_bytes == 200_000)


def test_what_cannot_fit_is_refused(tmp_path: Path) -> None:
    """And not written."""
    with pytest.raises(ValueError, match="no picture fits into 100 bytes"):
        write_snapshot(tmp_path / "snapshot.jpg", frame(noise=True), 100)
    assert list(tmp_path.iterdir()) == []


def test_the_same_frame_gives_the_same_bytes(tmp_path: Path) -> None:
    """Its hash is in the manifest."""
    for name in ("a.jpg", "b.jpg"):
        write_snapshot(tmp_path / name, frame(noise=True), 10_000_000)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
