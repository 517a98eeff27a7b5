"""Clips for streams: encoded once for all tests of the server and of capture."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.rtsp.clips import draw_clip


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264, 160x120, 25 fps, 2 s, a key frame every fifth frame."""
    return draw_clip(tmp_path_factory.mktemp("clips") / "h264.mp4")


@pytest.fixture(scope="session")
def hevc_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in H.265."""
    return draw_clip(tmp_path_factory.mktemp("clips") / "h265.mp4", codec="libx265")


@pytest.fixture(scope="session")
def large_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264 like `clip`, but 320x240: what a camera sends after its resolution was changed."""
    return draw_clip(tmp_path_factory.mktemp("clips") / "large.mp4", size=(320, 240))


@pytest.fixture(scope="session")
def reordered_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264 with B-frames, a key frame every tenth frame."""
    return draw_clip(tmp_path_factory.mktemp("clips") / "b.mp4", key_every=10, b_frames=2)
