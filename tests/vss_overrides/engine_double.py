"""An engine of our own writing that shows the two faults of NVIDIA's, laid out as a package `vlm_pipeline` in a folder.

Written from descriptions of its behaviour; no line of it is the engine's.
"""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

OURS = Path(__file__).resolve().parents[2] / "vss_overrides" / "vlm_pipeline" / "__init__.py"
STOCK = "from .vlm_pipeline import VlmChunkResponse, VlmModelType, VlmPipeline, VlmRequestParams\n"

FRAME_GETTER = '''
class VideoFileFrameGetter:
    """A pipeline used a second time ends at once, without a frame and without an error."""

    def __init__(self, broken=False):
        self.pipeline = self.elements = None
        self.broken = broken
        self.built = 0

    def get_frames(self, chunk, retain_pipeline=False, frame_selector=None, enable_audio=False, request_id="",
                   frame_width=None, frame_height=None, video_codec=None):
        if chunk == "unreadable":
            return [], [], [], "Decode error: unreadable"
        stale = self.pipeline is not None
        if not stale:
            assert self.elements is None, "elements of the old pipeline are still there"
            self.pipeline, self.elements, self.built = "pipeline", "elements", self.built + 1
        if stale or self.broken:
            return [], [], [], None
        return [f"frame of {chunk}"], [0.0], [], None

    def destroy_pipeline(self):
        self.pipeline = None

    def _clear_pipeline_elements(self):
        self.elements = None
'''

PIPELINE = '''
from vlm_pipeline.video_file_frame_getter import VideoFileFrameGetter


class VlmChunkResponse:
    pass


class VlmModelType:
    pass


class VlmRequestParams:
    pass


class VlmPipeline:
    """Chunks of a file on the drop list get no response."""

    def __init__(self):
        self.dropped = []

    def abort_chunks(self, asset_id):
        self.dropped.append(asset_id)

    def abort_chunks_done(self, asset_id):
        self.dropped.remove(asset_id)

    def request(self, asset_id, chunks, failing=0):
        """The number of responses; `failing` chunks fail at the same time."""
        responses = 0 if asset_id in self.dropped else chunks - failing
        for _ in range(failing):
            self.abort_chunks(asset_id)
        if failing:
            self.abort_chunks_done(asset_id)
        return responses
'''


@contextmanager
def engine(
    folder: Path, *, stock: bool = False, frame_getter: str = FRAME_GETTER, pipeline: str = PIPELINE
) -> Iterator[ModuleType]:
    """The package, imported anew from `folder`, with our file of re-exports over it or with a `stock` one."""
    package = folder / "vlm_pipeline"
    package.mkdir()
    (package / "vlm_pipeline.py").write_text(pipeline)
    (package / "video_file_frame_getter.py").write_text(frame_getter)
    if stock:
        (package / "__init__.py").write_text(STOCK)
    else:
        shutil.copy(OURS, package / "__init__.py")
    forget()
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module("vlm_pipeline")
    finally:
        sys.path.remove(str(folder))
        forget()


def forget() -> None:
    """Unload it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "vlm_pipeline"]:
        del sys.modules[name]
