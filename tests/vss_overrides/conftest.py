"""What the override's tests share: its package on the path, small JPEGs, a VLM double, captioners that are closed again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

OVERRIDES = Path(__file__).resolve().parents[2] / "vss_overrides"
if str(OVERRIDES) not in sys.path:
    sys.path.append(
        str(OVERRIDES)
    )  # as in the container, where the package is mounted beside the engine's own

from chunk_caption.captioner import Captioner  # noqa: E402 -- only importable from here on
from chunk_caption.config import read  # noqa: E402 -- only importable from here on
from tests.vss_overrides.vlm_double import VlmDouble  # noqa: E402 -- kept beside the imports above


def jpeg(shade: int = 128, width_px: int = 64, height_px: int = 48) -> bytes:
    """A complete JPEG of one grey shade."""
    picture = np.full((height_px, width_px, 3), shade, dtype=np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def padded(jpegs: list[bytes], spare: int = 7) -> npt.NDArray[np.uint8]:
    """JPEGs as the engine passes them: uint8, shape (1, N, longest + spare), zeros after each."""
    rows = np.zeros((1, len(jpegs), max(map(len, jpegs)) + spare), dtype=np.uint8)
    for row, data in zip(rows[0], jpegs, strict=True):
        row[: len(data)] = np.frombuffer(data, dtype=np.uint8)
    return rows


@pytest.fixture
def vlm() -> Iterator[VlmDouble]:
    """A VLM that answers "safe" at once unless it is told otherwise."""
    with VlmDouble() as double:
        yield double


@pytest.fixture
def naps() -> list[float]:
    """The pauses, in seconds, that a captioner from `captioner_for` took; none is really waited for."""
    return []


@pytest.fixture
def captioner_for(naps: list[float]) -> Iterator[Callable[..., Captioner]]:
    """Makes captioners for a double; keyword arguments are environment variables without their prefix."""
    made: list[Captioner] = []

    def make(double: VlmDouble, **knobs: str) -> Captioner:
        environ = double.environment | {f"CHUNK_CAPTION_{name}": value for name, value in knobs.items()}
        made.append(Captioner(read(environ), sleep=naps.append, chance=lambda: 1.0))
        return made[-1]

    yield make
    for captioner in made:
        captioner.close()
