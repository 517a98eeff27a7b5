"""The server's Prometheus metrics, under the engine's names where the engine has them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_TOKENS = (16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)


class Metrics:
    """All metrics of one server, in a registry of their own. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        registry = self._registry = CollectorRegistry()
        started_s = clock()
        self._processed = Gauge(
            "video_file_queries_processed", "Caption requests that ended", registry=registry
        )
        self._pending = Gauge(
            "video_file_queries_pending", "Caption requests not ended yet", registry=registry
        )
        uptime = Gauge("system_uptime_seconds", "Seconds since the server started", registry=registry)
        uptime.set_function(lambda: clock() - started_s)
        Gauge("active_live_streams", "Live streams; this server has none", registry=registry)
        self._decode = _Latency(
            "decode_latency_seconds", "Seconds from one chunk's frames to the next's", registry
        )
        self._vlm = _Latency("vlm_latency_seconds", "Seconds that the model took for a chunk", registry)
        self._input_tokens = Histogram(
            "vlm_input_tokens_per_chunk",
            "Tokens the model read for a chunk",
            registry=registry,
            buckets=_TOKENS,
        )
        self._output_tokens = Histogram(
            "vlm_output_tokens_per_chunk",
            "Tokens the model wrote for a chunk",
            registry=registry,
            buckets=_TOKENS,
        )
        self._damaged = Counter(
            "decode_damaged_packets", "Packets that could not be decoded", registry=registry
        )
        self._empty = Counter(
            "chunks_without_frames", "Chunks in which no frame was found", registry=registry
        )

    def request_began(self) -> None:
        """A caption request was accepted."""
        self._pending.inc()

    def request_ended(self) -> None:
        """A caption request ended, whichever way."""
        self._pending.dec()
        self._processed.inc()

    def chunk_decoded(self, seconds: float, frame_count: int) -> None:
        """The frames of a chunk are there, `seconds` after those of the chunk before."""
        self._decode.observe(seconds)
        if frame_count == 0:
            self._empty.inc()

    def packets_damaged(self, count: int) -> None:
        """`count` packets of a file could not be decoded."""
        self._damaged.inc(count)

    def chunk_answered(self, seconds: float, stats: Mapping[str, Any]) -> None:
        """The model answered a chunk after `seconds`; `stats` are what it reported beside the text."""
        self._vlm.observe(seconds)
        self._input_tokens.observe(float(stats.get("input_tokens") or 0))
        self._output_tokens.observe(float(stats.get("output_tokens") or 0))

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _Latency:
    """A histogram and, beside it, the latest value, as the engine shows latencies."""

    def __init__(self, name: str, meaning: str, registry: CollectorRegistry) -> None:
        self._all = Histogram(name, meaning, registry=registry, buckets=_SECONDS)
        self._latest = Gauge(f"{name}_latest", f"{meaning}, latest", registry=registry)

    def observe(self, seconds: float) -> None:
        self._all.observe(seconds)
        self._latest.set(seconds)
