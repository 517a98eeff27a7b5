"""Two fixes around classes of NVIDIA's engine, each put on only where the names and signatures it wraps are found.

* Frame getter: no frames and no error on a reused pipeline means that the pipeline is stale. It is rebuilt and asked once more;
  still nothing becomes a named error instead of a chunk that is dropped in silence.
* Drop list: a file is put on it once per failing chunk and taken off once per request. Here it is put on at most once.

It changes classes in memory and no file. What it relies on is also written down in `seams.toml`, for readers.
"""

from __future__ import annotations

import functools
import inspect
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

_log = logging.getLogger("chunk_caption")

NO_FRAMES = "no frames were decoded for this chunk, nor after the decoder was rebuilt"
_MARK = "_chunk_caption_fix"
_FRAMES, _ERROR, _RESULT_PARTS = 0, 3, 4  # get_frames gives (frames, times, audio frames, error)


@dataclass(frozen=True)
class Seam:
    """A class that is wrapped: `methods` gives each method's leading parameters; `*` stands for exactly one of any name."""

    name: str
    module: str
    owner: str
    methods: dict[str, tuple[str, ...]]


FRAME_GETTER = Seam(
    "frame getter",
    "vlm_pipeline.video_file_frame_getter",
    "VideoFileFrameGetter",
    {
        "get_frames": ("self", "chunk"),
        "destroy_pipeline": ("self",),
        "_clear_pipeline_elements": ("self",),
    },
)
DROP_LIST = Seam(
    "drop list",
    "vlm_pipeline.vlm_pipeline",
    "VlmPipeline",
    {"abort_chunks": ("self", "*"), "abort_chunks_done": ("self", "*")},
)
MODULES = (FRAME_GETTER.module, DROP_LIST.module)
_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def mismatch(owner: type | None, seam: Seam) -> str | None:
    """What is not as the seam says, in words; None when all is there."""
    if not isinstance(owner, type):
        return f"{seam.module} has no class {seam.owner}"
    for name, wanted in seam.methods.items():
        method = inspect.getattr_static(owner, name, None)
        if not inspect.isfunction(method):
            return f"{seam.owner}.{name} is not a method"
        parameters = list(inspect.signature(method).parameters.values())
        named = [parameter.name for parameter in parameters]
        if any(want not in ("*", *named[at : at + 1]) for at, want in enumerate(wanted)) or len(named) < len(
            wanted
        ):
            return f"{seam.owner}.{name} takes ({', '.join(named)})"
        if any(
            extra.default is extra.empty and extra.kind not in _OPEN for extra in parameters[len(wanted) :]
        ):
            return f"{seam.owner}.{name} demands more than it did: ({', '.join(named)})"
    return None


def install(modules: dict[str, ModuleType | None]) -> list[str]:
    """Put both fixes on, where their seams are found; `modules` by name, as far as they could be imported.

    Returns the names of the fixes that are on. A second call changes nothing.
    """
    on = []
    for seam, put_on in ((FRAME_GETTER, _fix_frame_getter), (DROP_LIST, _fix_drop_list)):
        owner = getattr(modules.get(seam.module), seam.owner, None)
        fault = mismatch(owner, seam)
        if owner is None or fault:
            _log.warning("the %s fix is off and the engine behaves as it comes: %s", seam.name, fault)
            continue
        if not owner.__dict__.get(_MARK):
            put_on(owner)
            setattr(owner, _MARK, True)
            _log.info("the %s fix is on", seam.name)
        on.append(seam.name)
    return on


def _fix_frame_getter(owner: Any) -> None:
    stock = owner.get_frames

    @functools.wraps(stock)
    def get_frames(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = stock(self, *args, **kwargs)
        if not _silent(result):
            return result
        _log.warning("no frames and no error from the decoder; it is rebuilt and asked again")
        self.destroy_pipeline()
        self._clear_pipeline_elements()
        result = stock(self, *args, **kwargs)
        if not _silent(result):
            return result
        _log.error("no frames and no error from a rebuilt decoder either; the chunk fails by name")
        return (*result[:_ERROR], NO_FRAMES, *result[_ERROR + 1 :])

    owner.get_frames = get_frames


def _silent(result: Any) -> bool:
    """No frames, no error, in the shape that get_frames is known to give."""
    if not isinstance(result, tuple | list) or len(result) < _RESULT_PARTS:
        return False
    frames, error = result[_FRAMES], result[_ERROR]
    return not error and (frames is None or len(frames) == 0)


def _fix_drop_list(owner: Any) -> None:
    """The ids on the list are kept per pipeline; the engine calls from several threads."""
    stock_abort, stock_done = owner.abort_chunks, owner.abort_chunks_done
    lock = threading.Lock()

    @functools.wraps(stock_abort)
    def abort_chunks(self: Any, *args: Any, **kwargs: Any) -> Any:
        with lock:
            held, key = _held(self), _key(args, kwargs)
            if key in held:
                return None
            held.add(key)
            return stock_abort(self, *args, **kwargs)

    @functools.wraps(stock_done)
    def abort_chunks_done(self: Any, *args: Any, **kwargs: Any) -> Any:
        with lock:
            held, key = _held(self), _key(args, kwargs)
            if key not in held:
                return None
            held.discard(key)
            return stock_done(self, *args, **kwargs)

    owner.abort_chunks, owner.abort_chunks_done = abort_chunks, abort_chunks_done


def _held(pipeline: Any) -> set[str]:
    held: set[str] = pipeline.__dict__.setdefault("_chunk_caption_held", set())
    return held


def _key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The one argument, the file's id, however it is passed."""
    return str(next(iter((*args, *kwargs.values())), ""))


Importer = Callable[[str], ModuleType]


def imported(names: tuple[str, ...], importer: Importer) -> dict[str, ModuleType | None]:
    """The engine's modules by name; None for one that cannot be imported."""
    found: dict[str, ModuleType | None] = {}
    for name in names:
        try:
            found[name] = importer(name)
        except (
            ImportError,
            AttributeError,
            OSError,
            RuntimeError,
            ValueError,
        ) as fault:  # GStreamer's bindings raise any of them
            _log.warning("the engine's %s cannot be imported: %s", name, fault)
            found[name] = None
    return found
