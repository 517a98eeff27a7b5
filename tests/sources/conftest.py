"""Small clips, encoded for the tests that need them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from hypothesis import HealthCheck, settings

MakeClip = Callable[..., Path]

# A busy machine is slow, not wrong.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

FOOTAGE = Path(__file__).resolve().parents[3] / "shared" / "footage"


@pytest.fixture
def footage() -> Path:
    """The recordings, where they are beside the project."""
    if not FOOTAGE.is_dir():
        pytest.skip("the recordings are not beside the project")
    return FOOTAGE


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """Encodes a grey clip, or one of noise that takes many bytes; returns its path."""

    def make(
        name: str = "clip.mp4",
        *,
        ticks: Sequence[int] = tuple(range(10)),
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        size: tuple[int, int] = (64, 48),
        options: dict[str, str] | None = None,
        file: Any = None,
        form: str | None = None,
        noisy: bool = False,
    ) -> Path:
        path = tmp_path / name
        with av.open(file or path, "w", format=form, options=options or {}) as container:
            stream = container.add_stream(codec, rate=10)
            assert isinstance(stream, VideoStream)
            stream.width, stream.height = size
            stream.pix_fmt = pix_fmt
            chance = np.random.default_rng(0)
            for tick in ticks:
                picture = np.full((size[1], size[0], 3), 90, dtype=np.uint8)
                if noisy:
                    picture[:] = chance.integers(0, 256, picture.shape)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = tick, Fraction(1, 10)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make
