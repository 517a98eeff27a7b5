"""The server's settings: command line for the server itself, environment for what NVIDIA's engine also reads there.

The VLM endpoint, its model name and key (`VIA_VLM_*`) are read by the override itself.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DEFAULT_FRAMES_PER_CHUNK = 10  # the engine's default for OpenAI-compatible models
MOST_FRAMES_PER_CHUNK = 256
_MOST_PORT = 65_535
_LEAST_SIDE_PX, _MOST_SIDE_PX = 16, 4096
_OVERRIDES = Path(__file__).resolve().parent.parent / "vss_overrides"


class BadSettings(ValueError):
    """The environment is wrong; the message names every variable at fault."""


@dataclass(frozen=True)
class Settings:
    """Everything that can be set. Sizes of 0 px mean the video's own size."""

    host: str
    port: int
    port_file: Path | None
    asset_dir: Path
    allowed_media_dirs: tuple[Path, ...]
    max_parallel_chunks: int
    max_asset_bytes: int
    overrides_dir: Path
    default_prompt: str
    frames_per_chunk: int
    system_prompt: str
    input_width_px: int
    input_height_px: int
    path_prefix: str


def read(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in `arguments` and `environ` (default: this process').

    Raises SystemExit for a wrong argument, BadSettings for a wrong environment.
    """
    environ = os.environ if environ is None else environ
    given = _parser().parse_args(arguments)
    mistakes: list[str] = []
    frames = _whole(environ, "VLM_DEFAULT_NUM_FRAMES_PER_CHUNK", (1, MOST_FRAMES_PER_CHUNK), mistakes)
    width = _whole(environ, "VLM_INPUT_WIDTH", (_LEAST_SIDE_PX, _MOST_SIDE_PX), mistakes)
    height = _whole(environ, "VLM_INPUT_HEIGHT", (_LEAST_SIDE_PX, _MOST_SIDE_PX), mistakes)
    if mistakes:
        raise BadSettings("; ".join(mistakes))
    versioned = environ.get("VSS_API_ENABLE_VERSIONING", "").strip().lower() in ("1", "true")
    return Settings(
        host=given.host,
        port=given.port,
        port_file=given.port_file,
        asset_dir=given.asset_dir.resolve(),
        allowed_media_dirs=tuple(folder.resolve() for folder in given.allowed_media_dir),
        max_parallel_chunks=given.max_parallel_chunks,
        max_asset_bytes=given.max_asset_bytes,
        overrides_dir=given.overrides_dir.resolve(),
        default_prompt=given.summarization_query,
        frames_per_chunk=frames or DEFAULT_FRAMES_PER_CHUNK,
        system_prompt=environ.get("VLM_SYSTEM_PROMPT", ""),
        input_width_px=width,
        input_height_px=height,
        path_prefix="/v1" if versioned else "",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="via_server", description="The embedded via-server (VSS 2.4 REST).")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=_port, default=8100, help="port; 0 takes a free one")
    add("--port-file", type=Path, help="file that receives the port once the server is ready")
    add("--asset-dir", type=Path, required=True, help="folder for uploaded videos")
    add(
        "--allowed-media-dir",
        type=Path,
        action="append",
        default=[],
        help="folder whose videos may be named by path; may be repeated",
    )
    add("--max-parallel-chunks", type=_positive, default=4, help="chunks waiting for the VLM at once")
    add("--max-asset-bytes", type=_positive, default=20 * 1024**3, help="room for uploads, in bytes")
    add("--overrides-dir", type=Path, default=_OVERRIDES, help="folder of the override class")
    add("--summarization-query", default="Summarize the video", help="prompt of requests that bring none")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _MOST_PORT:
        raise argparse.ArgumentTypeError(f"must lie between 0 and {_MOST_PORT}")
    return number


def _whole(environ: Mapping[str, str], name: str, limits: tuple[int, int], mistakes: list[str]) -> int:
    """The whole number in variable `name`; 0 where it is unset, empty or 0."""
    given = environ.get(name, "").strip()
    least, most = limits
    if not given or given == "0":
        return 0
    if not given.isdecimal() or not least <= int(given) <= most:
        mistakes.append(f"{name} must be a whole number from {least} to {most}; it is {given!r}")
        return 0
    return int(given)
