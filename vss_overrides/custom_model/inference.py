# noqa: INP001 -- the engine loads the folder by path, not as a package
"""The same questions through the engine's official hook for custom models: a fallback that shadows nothing of the engine's.

The engine asks for one chunk at a time here, tells no chunk's start or length, and takes a text back and nothing else. Times count
from the chunk's first frame. It imports this file in its main and decoder processes too, which is where the two fixes go on.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_OVERRIDES = str(Path(__file__).resolve().parent.parent)
if _OVERRIDES not in sys.path:
    sys.path.append(
        _OVERRIDES
    )  # where chunk_caption lies when it is not mounted among the engine's own modules

from chunk_caption import config, engine_fixes  # noqa: E402 -- only importable from here on
from chunk_caption.captioner import Captioner  # noqa: E402 -- only importable from here on
from chunk_caption.frames import BadFrame, Frame, unpadded  # noqa: E402 -- only importable from here on
from chunk_caption.request import Question  # noqa: E402 -- only importable from here on

engine_fixes.install(engine_fixes.imported(engine_fixes.MODULES, importlib.import_module))


class Inference:
    """The model as the engine knows it. Constructing it calls nobody."""

    def __init__(self) -> None:
        self._config = config.from_environment()
        self._captioner = Captioner(self._config)

    def generate(
        self,
        prompt: str,
        input: Sequence[Any],  # noqa: A002 -- the engine's name
        configs: Mapping[str, Any] | None = None,
        video_frames_times: Sequence[float] | None = None,
    ) -> str:
        """The answer for one chunk, or a JSON text that names the failure.

        Args:
            prompt: the prompt of the request.
            input: N arrays of shape (length,), uint8, each one complete JPEG.
            configs: max_new_tokens, top_p, temperature, seed, system_prompt and others, as far as the request set them.
            video_frames_times: N times in seconds of the file. Engine 2.3.1 tells none: frames are then
                CHUNK_CAPTION_FRAME_STEP_S apart.
        """
        sampling = {key: value for key, value in (configs or {}).items() if value is not None}
        text, _ = self._captioner.answer(
            functools.partial(
                _question, prompt, input, video_frames_times, sampling, self._config.frame_step_s
            )
        )
        return text


def _question(
    prompt: str,
    rows: Sequence[Any],
    times_s: Sequence[float] | None,
    sampling: dict[str, Any],
    step_s: float | None,
) -> Question:
    jpegs = [unpadded(np.asarray(row)) for row in rows]
    if times_s is None:
        if step_s is None and len(jpegs) > 1:
            raise BadFrame("this engine tells no frame times; set CHUNK_CAPTION_FRAME_STEP_S")
        times_s = [number * (step_s or 0.0) for number in range(len(jpegs))]
    if len(times_s) != len(jpegs):
        raise BadFrame(f"{len(jpegs)} frames came with {len(times_s)} times")
    frames = [
        Frame(jpeg, max(0.0, round(time_s - times_s[0], 2)))
        for jpeg, time_s in zip(jpegs, times_s, strict=True)
    ]
    return Question(prompt, frames, None, sampling)
