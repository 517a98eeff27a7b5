# noqa: INP001 -- the file is mounted alone into a package of NVIDIA's engine
"""Stands in for the engine's OpenAI-compatible model: the class contract outside, `chunk_caption` inside."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from chunk_caption import burn, config
from chunk_caption.captioner import Captioner
from chunk_caption.frames import frames_of
from chunk_caption.request import Question

_NS_PER_S = 1e9


class CompOpenAIModel:
    """The model as the engine knows it. `test_api_call` is the engine's; no call is made at start either way."""

    def __init__(self, test_api_call: bool = False) -> None:  # noqa: FBT001, FBT002 -- the engine's signature
        del test_api_call
        self._captioner = Captioner(config.from_environment())

    @staticmethod
    def get_model_info() -> tuple[str, str, str]:
        """The model's id, API type and owner, as `GET /models` shows them."""
        settings = config.from_environment()
        return config.public_model_id(settings), "openai", config.public_owner(settings)

    def generate(
        self,
        prompt: str,
        video_embeds: Sequence[Any],
        video_frames_times: Sequence[Sequence[float]],
        generation_config: dict[str, Any] | None = None,
        chunk: Sequence[Any] | None = None,
    ) -> Future[tuple[list[str], list[dict[str, Any]]]]:
        """Ask about each chunk of the batch; the engine awaits the future.

        Args:
            prompt: the prompt of the request.
            video_embeds: for each chunk a uint8 array or tensor of shape (1, N, length), zero-padded JPEG rows.
            video_frames_times: for each chunk N times in seconds of the file or stream.
            generation_config: those of max_new_tokens, top_p, top_k, temperature, seed, enable_reasoning and
                system_prompt that the request set. Chat completions know no top_k.
            chunk: for each chunk the engine's ChunkInfo, of which start_pts and end_pts (ns) and start_ntp are read.
        """
        sampling = {key: value for key, value in (generation_config or {}).items() if value is not None}
        chunks = list(chunk or [None] * len(video_embeds))
        return self._captioner.submit(
            [
                functools.partial(_question, prompt, embeds, times, info, sampling)
                for embeds, times, info in zip(video_embeds, video_frames_times, chunks, strict=True)
            ]
        )


def _question(
    prompt: str, embeds: Any, times_s: Sequence[float], chunk: Any, sampling: dict[str, Any]
) -> Question:
    start_ns, end_ns = getattr(chunk, "start_pts", None), getattr(chunk, "end_pts", None)
    start_s = start_ns / _NS_PER_S if isinstance(start_ns, int | float) else None
    length_s = None
    if start_s is not None and isinstance(end_ns, int | float) and end_ns / _NS_PER_S > start_s:
        length_s = end_ns / _NS_PER_S - start_s
    # The wall clock counts from the chunk's start, and so must the frames' times for it to be right.
    clock_s = None if start_s is None else burn.clock_s(getattr(chunk, "start_ntp", None))
    return Question(prompt, frames_of(embeds, times_s, start_s), length_s, sampling, clock_s)
