"""Hosts the override class through NVIDIA's class contract: loads it by path, passes padded JPEG rows, takes its answers.

It stands where the engine's VLM process stands; the class cannot tell the difference.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from via_server.decoder import SampledChunk, SampledFrame
from via_server.splitter import NS_PER_S

_MODULE_PATH = Path("models/openai_compat/openai_compat_model.py")
_CLASS = "CompOpenAIModel"
_MS_PER_S = 1000

Batch = tuple[list[str], list[dict[str, Any]]]


class CannotHost(Exception):
    """The override class cannot be loaded or started; the message says why."""


class Model(Protocol):
    """The engine's contract with a model class (`generate` may answer at once or with a future)."""

    def generate(
        self,
        prompt: str,
        video_embeds: Sequence[Any],
        video_frames_times: Sequence[Sequence[float]],
        generation_config: dict[str, Any] | None = None,
        chunk: Sequence[Any] | None = None,
    ) -> Future[Batch] | Batch:
        """Answer texts and stats for a batch of chunks."""
        ...

    @staticmethod
    def get_model_info() -> tuple[str, str, str]:
        """Model id, API type and owner."""
        ...


@dataclass
class ChunkInfo:
    """What the engine tells a model of a chunk, under the engine's own names. `*_pts` and `pts_offset_ns` are nanoseconds.

    The NTP strings and floats of a file count from 1970-01-01.
    """

    streamId: str  # noqa: N815 -- the engine's names
    chunkIdx: int  # noqa: N815 -- the engine's names
    file: str
    start_pts: int
    end_pts: int
    is_first: bool
    is_last: bool
    asset_dir: str
    pts_offset_ns: int = 0
    cv_metadata_json_file: str = ""
    osd_output_video_file: str = ""
    cached_frames_cv_meta: Sequence[Any] = ()

    @property
    def start_ntp_float(self) -> float:
        """Start in seconds since 1970-01-01."""
        return self.start_pts / NS_PER_S

    @property
    def end_ntp_float(self) -> float:
        """End in seconds since 1970-01-01."""
        return self.end_pts / NS_PER_S

    @property
    def start_ntp(self) -> str:
        """Start as RFC 3339."""
        return self.get_timestamp(self.start_ntp_float)

    @property
    def end_ntp(self) -> str:
        """End as RFC 3339."""
        return self.get_timestamp(self.end_ntp_float)

    def get_timestamp(self, seconds: float) -> str:
        """Media time `seconds` as RFC 3339 with milliseconds."""
        return f"{np.datetime64(round(seconds * _MS_PER_S), 'ms')}Z"


def load(overrides_dir: Path) -> Model:
    """The override class of `overrides_dir`, constructed. Its own package is found as in the container: beside it."""
    path = overrides_dir / _MODULE_PATH
    if str(overrides_dir) not in sys.path:
        sys.path.append(str(overrides_dir))
    spec = importlib.util.spec_from_file_location("hosted_openai_compat_model", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise CannotHost(f"no override class at {path}")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        model: Model = getattr(module, _CLASS)(test_api_call=False)
    except (ImportError, AttributeError, ValueError) as error:
        raise CannotHost(f"the override class does not start: {error}") from error
    return model


def ask(
    model: Model, prompt: str, chunk: SampledChunk, config: Mapping[str, Any], info: ChunkInfo
) -> Future[Batch]:
    """Ask `model` about one chunk that has frames; a model that answers at once gives a finished future."""
    times_s = [round(frame.at_ns / NS_PER_S, 2) for frame in chunk.frames]
    answer = model.generate(prompt, [padded(chunk.frames)], [times_s], dict(config), [info])
    if isinstance(answer, Future):
        return answer
    finished: Future[Batch] = Future()
    finished.set_result(answer)
    return finished


def only_answer(batch: Any) -> tuple[str, dict[str, Any]]:
    """Text and stats of a batch of one. Raises TypeError or ValueError where a model answered something else."""
    (text,), (stats,) = batch
    if not isinstance(text, str) or not isinstance(stats, dict):
        raise TypeError("a model must answer one text and one dict of stats for one chunk")
    return text, stats


def padded(frames: Sequence[SampledFrame]) -> npt.NDArray[np.uint8]:
    """The JPEGs of `frames` as the engine passes them: uint8, shape (1, N, longest), zeros after each."""
    longest = max(len(frame.jpeg) for frame in frames)
    rows = np.zeros((1, len(frames), longest), dtype=np.uint8)
    for row, frame in zip(rows[0], frames, strict=True):
        row[: len(frame.jpeg)] = np.frombuffer(frame.jpeg, dtype=np.uint8)
    return rows
