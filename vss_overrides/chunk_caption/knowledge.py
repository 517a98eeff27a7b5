"""What is known of the endpoint: learned when the first chunk comes, shared by all threads, forgotten when it is gone."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDone
from typing import Any

from chunk_caption import mp4
from chunk_caption.client import Client
from chunk_caption.config import Config
from chunk_caption.endpoint import IMAGES, MP4, VIDEO_JPEG, Endpoint
from chunk_caption.failures import CaptionFailed
from chunk_caption.probe import probed
from chunk_caption.request import Surroundings

_log = logging.getLogger("chunk_caption")

_MOST_TEXTS = 512  # token counts kept; texts repeat from chunk to chunk
_PROBE_S = 60.0  # the first request to a cold server is its slowest


class Knowledge:
    """What one endpoint is, and what texts cost there. Safe to use from many threads; building it calls nobody."""

    def __init__(self, config: Config, client: Client) -> None:
        self._config = config
        self._client = client
        self._lock = threading.Lock()
        self._learning: Future[Endpoint] | None = None
        self._counts: dict[str, int] = {}

    def surroundings(self, deadline_s: float) -> Surroundings:
        """What a request is built from. Raises CaptionFailed when the endpoint cannot be asked before `deadline_s`."""
        endpoint = self._endpoint(deadline_s)

        def count(messages: list[dict[str, Any]]) -> int | None:
            return self._count(messages, deadline_s) if endpoint.max_model_len else None

        return Surroundings(self._config, endpoint, count, _encode)

    def forget(self) -> None:
        """Learn anew at the next question: the server that comes back may be another."""
        with self._lock:
            if self._learning is not None and self._learning.done():
                self._learning = None
                self._counts.clear()

    def _endpoint(self, deadline_s: float) -> Endpoint:
        """Learned by the first thread that asks; the others wait for it, and share its failure."""
        with self._lock:
            learning, mine = self._learning, self._learning is None
            if learning is None:
                learning = self._learning = Future()
        if not mine:
            try:
                return learning.result(max(0.0, deadline_s - time.monotonic()))
            except NotDone:
                raise CaptionFailed("Timeout", "no time was left to ask the VLM") from None
        lasting = False
        try:
            endpoint, lasting = self._learned(deadline_s)
            learning.set_result(endpoint)
        except CaptionFailed as failure:
            learning.set_exception(failure)
            raise
        finally:
            if not learning.done():  # a fault of ours, raised here; those who wait must not wait for ever
                learning.set_exception(CaptionFailed("ServerError", "the endpoint could not be looked up"))
            if not lasting:
                with self._lock:
                    self._learning = None
        return endpoint

    def _learned(self, deadline_s: float) -> tuple[Endpoint, bool]:
        """The endpoint, and whether to keep it: a server in trouble is asked again for the next chunk."""
        listed = self._client.endpoint(self._config.model, deadline_s)
        if listed is None:
            return Endpoint(), False
        until_s = min(deadline_s, time.monotonic() + _PROBE_S)
        endpoint = probed(self._client, listed, self._config.model, self._config.packing, until_s)
        endpoint = dataclasses.replace(endpoint, uuid=endpoint.uuid and self._config.uuid)
        _log.info(
            "endpoint of %r: token limit %s, video_jpeg %s, mp4 %s, uuid %s",
            *(endpoint.owned_by, endpoint.max_model_len, endpoint.video_jpeg, endpoint.mp4, endpoint.uuid),
        )
        if self._config.packing not in ("auto", IMAGES) and not _reads(endpoint, self._config.packing):
            _log.warning("CHUNK_CAPTION_PACKING is %s, which the server refused", self._config.packing)
        return endpoint, True

    def _count(self, messages: list[dict[str, Any]], deadline_s: float) -> int | None:
        """The tokens of `messages` as the server counts them, remembered; None when it does not count."""
        key = hashlib.sha256(json.dumps(messages).encode()).hexdigest()
        with self._lock:
            if key in self._counts:
                return self._counts[key]
        told = self._client.root("/tokenize", {"model": self._config.model, "messages": messages}, deadline_s)
        count = told.get("count") if told else None
        if not isinstance(count, int) or count <= 0:
            return None
        with self._lock:
            while len(self._counts) >= _MOST_TEXTS:
                self._counts.pop(next(iter(self._counts)))
            self._counts[key] = count
        return count


def _reads(endpoint: Endpoint, packing: str) -> bool:
    return {VIDEO_JPEG: endpoint.video_jpeg, MP4: endpoint.mp4}[packing] is not None


def _encode(jpegs: Sequence[bytes]) -> bytes:
    encode = mp4.encoder()
    if encode is None:
        raise mp4.CannotEncode("neither PyAV nor OpenCV is here")
    return encode(jpegs)
