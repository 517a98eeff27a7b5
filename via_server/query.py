"""Turns a valid request body into a caption job, or refuses it in the engine's words. Pure apart from the lease."""

from __future__ import annotations

import uuid
from http import HTTPStatus

from via_server.assets import AssetStore, Lease
from via_server.captions import CaptionJob
from via_server.errors import ViaError, refused_value
from via_server.probe import Media
from via_server.settings import Settings
from via_server.splitter import NS_PER_S, ChunkSpan, chunk_count, cut
from via_server.wire import MediaInfoOffset, VlmQuery, sampling_of

_LEAST_SIDE_PX = 16
_MOST_CHUNKS = 10_000  # the most that the engine's own answer can hold


def check_model(query: VlmQuery, model: str, api_type: str) -> None:
    """Refuse a request for another model, or for this model under another API type."""
    if query.model != model:
        raise _bad_parameters(f"No such model '{query.model}'")
    if query.api_type and query.api_type != api_type:
        raise _bad_parameters(f"api_type {query.api_type} not supported by model '{query.model}'")


def job_of(query: VlmQuery, store: AssetStore, settings: Settings) -> CaptionJob:
    """The job that `query` asks for; its lease is held. Raises ViaError, holding nothing."""
    _check_values(query)
    prompt = query.prompt or settings.default_prompt
    if not prompt:
        raise _bad_parameters("VLM prompt is required")
    if len(query.ids) > 1:
        for asset_id in query.ids:
            store.get(asset_id)
        raise _bad_parameters("More than one id is supported for images only")
    lease = store.lease(query.ids[0])
    try:
        return _job(query, lease, settings, prompt)
    except ViaError:
        lease.release()
        raise


def _job(query: VlmQuery, lease: Lease, settings: Settings, prompt: str) -> CaptionJob:
    system_prompt = query.system_prompt or settings.system_prompt
    sampling = sampling_of(query) | ({"system_prompt": system_prompt} if system_prompt else {})
    return CaptionJob(
        id=uuid.uuid4(),
        lease=lease,
        spans=tuple(spans_of(query, lease.asset.media)),
        frames_per_chunk=query.num_frames_per_chunk or settings.frames_per_chunk,
        size_px=_size_px(query, settings),
        prompt=prompt,
        sampling=sampling,
    )


def spans_of(query: VlmQuery, media: Media) -> list[ChunkSpan]:
    """The chunks that `query` cuts `media` into. Raises ViaError where there are none, or too many to answer."""
    if not isinstance(query.media_info, MediaInfoOffset):
        raise refused_value("media_info of type timestamp is for live streams only")
    start_ns = max(0, query.media_info.start_offset) * NS_PER_S
    end_offset = query.media_info.end_offset
    end_ns = media.duration_ns if end_offset < 0 else min(end_offset * NS_PER_S, media.duration_ns)
    if start_ns >= end_ns:
        seconds = media.duration_ns / NS_PER_S
        raise refused_value(f"media_info selects nothing of a file of {seconds} seconds")
    duration_ns, overlap_ns = query.chunk_duration * NS_PER_S, query.chunk_overlap_duration * NS_PER_S
    if duration_ns == 0:
        overlap_ns = 0
    if chunk_count(start_ns, end_ns, duration_ns, overlap_ns) > _MOST_CHUNKS:
        raise refused_value(f"the request would be cut into more than {_MOST_CHUNKS} chunks")
    return cut(start_ns, end_ns, duration_ns, overlap_ns)


def _check_values(query: VlmQuery) -> None:
    if query.chunk_duration > 0 and query.chunk_overlap_duration >= query.chunk_duration:
        raise refused_value("chunkOverlapDuration must be less than chunkDuration")
    for name, side_px in (("width", query.vlm_input_width), ("height", query.vlm_input_height)):
        if 0 < side_px < _LEAST_SIDE_PX:
            raise refused_value(f"vlm_input_{name} must be 0 or at least {_LEAST_SIDE_PX}")


def _size_px(query: VlmQuery, settings: Settings) -> tuple[int, int]:
    """Width and height that frames are scaled to; zeros unless both are known, from the request or else the environment."""
    asked = (query.vlm_input_width, query.vlm_input_height)
    configured = (settings.input_width_px, settings.input_height_px)
    chosen = asked if all(asked) else configured
    return chosen if all(chosen) else (0, 0)


def _bad_parameters(message: str) -> ViaError:
    return ViaError(HTTPStatus.BAD_REQUEST, "BadParameters", message)
