"""Builds the part that watches cameras, from the settings."""

from __future__ import annotations

from extension.captions import prompts
from extension.chunks.via_client import ViaClient
from extension.errors import BadInput, BadSettings
from extension.pipeline.judging import Announce
from extension.pipeline.live.gate import GateMode
from extension.pipeline.live.lane import Spec
from extension.pipeline.live.look import Looking
from extension.pipeline.live.places import Places
from extension.pipeline.live.service import Live
from extension.settings import Settings
from extension.sources.camera import book_file
from extension.sources.camera.capture import CaptureOptions
from extension.sources.camera.retention import Retention
from extension.sources.camera.ring import Ring
from extension.sources.camera.zones import Briefs
from extension.store import Store

# Four frames per second of a window of ten.
_WINDOW_FRAMES = 40
# A live window is not worth waiting for long: the next ones come.
_WINDOW_PATIENCE_S = 5.0
# Multiples of the golden ratio spread evenly over a stride, however many cameras there are.
_GOLDEN = 0.618034


def build(settings: Settings, store: Store, via: ViaClient, announce: Announce) -> Live | None:
    """The part that watches cameras, where some are named."""
    if settings.cameras_file is None:
        return None
    entries = book_file.load(settings.cameras_file)
    folder = settings.cameras_file.parent
    ring = Ring(settings.data_dir / "ring", Retention(settings.ring_s, settings.ring_bytes))
    # Of two cameras with one name the first is watched.
    filed = {one.name: one.brief() for one in reversed(entries)}
    return Live(
        [
            (
                one.camera(folder),
                Spec(
                    one.name,
                    one.window_s,
                    one.stride_s,
                    _prompt(one),
                    one.merge_gap_s,
                    context_answers=one.context_answers,
                    second_look=one.second_look,
                    gate=GateMode(one.gate),
                    forced_look_s=one.forced_look_s,
                    motion_notices=one.motion_notices,
                    phase_s=round(place * _GOLDEN % 1 * one.stride_s, 3),
                ),
            )
            for place, one in enumerate(entries)
        ],
        store,
        via,
        announce,
        ring,
        Looking(
            frames_per_window=settings.frames_per_chunk or _WINDOW_FRAMES,
            max_tokens=settings.max_tokens,
            patience_s=_WINDOW_PATIENCE_S,
            zero_copy=settings.via_zero_copy,
            folder=settings.data_dir / "media" / "windows",
            kept_s=settings.windows_kept_s,
            second_look=settings.second_look,
        ),
        CaptureOptions(),
        settings.requests_in_flight,
        outputs_dir=settings.data_dir / "outputs",
        places=Places(Briefs(settings.data_dir / "cameras", filed), ring),
    )


def _prompt(entry: book_file.Entry) -> str:
    """The prompt of a camera, in the language that was chosen for it."""
    try:
        return prompts.in_language(entry.prompt, entry.language)
    except BadInput as exc:
        raise BadSettings(f"EXT_CAMERAS_FILE: camera {entry.name!r}: {exc}") from exc
