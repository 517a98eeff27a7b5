"""Runs caption requests: one thread decodes a file's chunks in order while the model answers the ones already decoded.

The number of chunks with the model at once is bounded for the whole server, and decoding waits for room, so that
memory stays bounded however long the file is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import structlog

from via_server import host
from via_server.assets import Lease
from via_server.decoder import CannotDecode, Damage, SampledChunk, Stopped, Wanted, sampled_chunks
from via_server.errors import CaptionsFailed
from via_server.host import ChunkInfo, Model
from via_server.metrics import Metrics
from via_server.splitter import NS_PER_S, ChunkSpan

_log = structlog.get_logger(__name__)

_PARALLEL_REQUESTS = 4  # files decoded at once; further requests wait their turn
_LOOK_AGAIN_S = 0.1  # how soon a decoder that waits for room notices that its client is gone


@dataclass(frozen=True)
class CaptionJob:
    """Everything one request asks for. `lease` is released when the job is over."""

    id: uuid.UUID
    lease: Lease
    spans: tuple[ChunkSpan, ...]
    frames_per_chunk: int
    size_px: tuple[int, int]
    prompt: str
    sampling: Mapping[str, Any]


@dataclass(frozen=True)
class ChunkAnswer:
    """What the model (or, for a chunk without frames, this server) answered for one chunk."""

    span: ChunkSpan
    text: str
    reasoning_description: str


class Captions:
    """Answers caption jobs with one model."""

    def __init__(self, model: Model, metrics: Metrics, max_parallel_chunks: int) -> None:
        self.model = model
        self.metrics = metrics
        self.slots = threading.BoundedSemaphore(max_parallel_chunks)
        self.stopping = threading.Event()
        self._decoders = ThreadPoolExecutor(_PARALLEL_REQUESTS, thread_name_prefix="decode")

    def start(self, job: CaptionJob) -> Run:
        """Begin `job`, in the running event loop. The caller must call `end` on what it gets."""
        run = Run(self, job)
        self.metrics.request_began()
        run.begin(self._decoders)
        return run

    def stop(self) -> None:
        """Stop every job; its client is told that it failed."""
        self.stopping.set()
        self._decoders.shutdown(wait=True, cancel_futures=True)


@dataclass(eq=False)
class Run:
    """One job under way: decoding in a thread, read in the event loop; the model calls back in threads of its own."""

    captions: Captions
    job: CaptionJob
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _known: asyncio.Queue[ChunkAnswer | None] = field(default_factory=asyncio.Queue)  # None: the job failed
    _decoding: Future[None] = field(default_factory=Future)
    _ended: threading.Event = field(default_factory=threading.Event)
    _asked: set[Future[host.Batch]] = field(default_factory=set)

    def begin(self, decoders: ThreadPoolExecutor) -> None:
        """Start decoding, or wait in line for it."""
        self._decoding = decoders.submit(self._decode)
        self._decoding.add_done_callback(self._decoded)

    async def answers(self) -> AsyncIterator[ChunkAnswer]:
        """The answer for each chunk, in order, as soon as it and all before it are known. Raises CaptionsFailed."""
        early: dict[int, ChunkAnswer] = {}
        for span in self.job.spans:
            while span.index not in early:
                answer = await self._known.get()
                if answer is None:
                    await self._file_closed()
                    raise CaptionsFailed
                early[answer.span.index] = answer
            yield early.pop(span.index)
        await asyncio.wrap_future(self._decoding)  # the file is closed now

    async def _file_closed(self) -> None:
        """Until the decoder, which has said that it failed, has let go of the file: whoever hears of the failure may delete it at once."""
        (decoding,), _ = await asyncio.wait([asyncio.wrap_future(self._decoding)])
        if not decoding.cancelled():
            decoding.exception()  # told by `_decoded`

    def end(self) -> None:
        """Nobody waits for this job any more; what is under way is stopped. May be called more than once."""
        if self._ended.is_set():
            return
        self._ended.set()
        for future in list(self._asked):
            future.cancel()
        self._decoding.cancel()
        self._release_when_closed()
        self.captions.metrics.request_ended()

    def _release_when_closed(self) -> None:
        """Let the file go once nobody waits for the job and its decoder has closed the file."""
        if self._ended.is_set() and self._decoding.done():
            self.job.lease.release()

    def _decoded(self, decoding: Future[None]) -> None:
        if decoding.cancelled():
            self._deliver(None)
        elif (error := decoding.exception()) is not None:
            _log.error("decoder_broke", file=self.job.lease.asset.name, error=repr(error))
            self._deliver(None)
        self._release_when_closed()

    def _is_over(self) -> bool:
        return self._ended.is_set() or self.captions.stopping.is_set()

    def _decode(self) -> None:
        """Decode every chunk and hand it to the model, waiting for room before each."""
        asset = self.job.lease.asset
        damage = Damage()
        wanted = Wanted(asset.path, asset.media, self.job.spans, self.job.frames_per_chunk, self.job.size_px)
        began_s = time.monotonic()
        try:
            for chunk in sampled_chunks(wanted, damage, self._is_over):
                self.captions.metrics.chunk_decoded(time.monotonic() - began_s, len(chunk.frames))
                self._hand_over(chunk)
                began_s = time.monotonic()
        except Stopped:
            self._deliver(None)
        except CannotDecode as error:
            _log.warning("cannot_decode", file=asset.name, reason=str(error))
            self._deliver(None)
        finally:
            self._report_damage(damage)

    def _report_damage(self, damage: Damage) -> None:
        if damage.packets:
            self.captions.metrics.packets_damaged(damage.packets)
            _log.warning("damaged_packets", file=self.job.lease.asset.name, count=damage.packets)

    def _hand_over(self, chunk: SampledChunk) -> None:
        if not chunk.frames:
            self._deliver(no_frames(chunk.span, self.job.lease.asset.name))
            return
        while not self.captions.slots.acquire(timeout=_LOOK_AGAIN_S):
            if self._is_over():
                raise Stopped
        asked_s = time.monotonic()
        future = host.ask(
            self.captions.model, self.job.prompt, chunk, self.job.sampling, self._info(chunk.span)
        )
        self._asked.add(future)
        span = chunk.span  # the callback must not keep the chunk's frames
        future.add_done_callback(lambda done: self._answered(span, done, time.monotonic() - asked_s))

    def _info(self, span: ChunkSpan) -> ChunkInfo:
        asset = self.job.lease.asset
        return ChunkInfo(
            streamId=str(asset.id),
            chunkIdx=span.index,
            file=str(asset.path),
            start_pts=span.start_ns,
            end_pts=span.end_ns,
            is_first=span.index == 0,
            is_last=span.index == len(self.job.spans) - 1,
            asset_dir=str(asset.path.parent),
        )

    def _answered(self, span: ChunkSpan, future: Future[host.Batch], seconds: float) -> None:
        self.captions.slots.release()
        self._asked.discard(future)
        if future.cancelled():
            return
        error = future.exception()
        if error is not None:
            _log.warning("model_raised", chunk=span.index, error=type(error).__name__)
            self._deliver(None)
            return
        try:
            text, stats = host.only_answer(future.result())
        except (TypeError, ValueError) as fault:
            _log.error("model_answered_nonsense", chunk=span.index, reason=str(fault))
            self._deliver(None)
            return
        self.captions.metrics.chunk_answered(seconds, stats)
        self._deliver(ChunkAnswer(span, text, str(stats.get("reasoning_description", ""))))

    def _deliver(self, answer: ChunkAnswer | None) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(self._known.put_nowait, answer)


def no_frames(span: ChunkSpan, file_name: str) -> ChunkAnswer:
    """The answer for a chunk in which the video has no frame: the override's marker, naming the chunk."""
    message = f"chunk {span.index} [{span.start_s}, {span.end_s}) of {file_name} yielded no frame"
    text = json.dumps({"error": {"code": "NoFrames", "message": message}})
    return ChunkAnswer(span, text, "")


def seconds_text(at_ns: int) -> str:
    """A media time as the engine writes it: seconds as a float's text."""
    return str(at_ns / NS_PER_S)
