"""What capture costs: our cameras, all in one process, beside a bare ffmpeg per camera that copies the same streams in the same run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final

import av
import imageio_ffmpeg
import numpy as np
import psutil
import typer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from bench_report import ReportFile, console, finish
from extension.clock import SystemClock
from extension.sources.camera.camera import Camera
from extension.sources.camera.cameras import Cameras
from extension.sources.camera.ring import Ring
from extension.supervisor import Supervisor

MOST_RATIO: Final = 1.5
SIZE: Final = (1920, 1080)
FPS: Final = 25
BITRATE: Final = 4_000_000
"""What plant cameras are usually set to at this size."""

_CLIP_S: Final = 8
_SETTLE_S: Final = 5.0
_READY_S: Final = 60.0
_SIM: Final = Path(__file__).with_name("rtsp_sim.py")
_ROOT: Final = _SIM.parent.parent


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds (user and system) and resident bytes, of one process or several."""

    cpu_s: float
    rss_bytes: int


def capture(
    cameras: Annotated[int, typer.Option(min=1, help="How many at once.")] = 6,
    seconds: Annotated[float, typer.Option(min=5.0, help="How long is measured.")] = 75.0,
    report: ReportFile = None,
) -> None:
    """Capture cost per 1080p25 H.264 camera beside `ffmpeg -c copy -f segment`, both at once and from the same server."""
    with ExitStack() as done:
        folder = Path(tempfile.mkdtemp(prefix="bench-capture-"))
        done.callback(shutil.rmtree, folder, ignore_errors=True)
        clip = draw_clip(folder / "camera.mp4", SIZE, _CLIP_S)
        urls = done.enter_context(_server(clip, cameras))
        ours = done.enter_context(_started([_recorder(folder / "ours", urls)]))
        bare = done.enter_context(_started([_bare(folder / "bare", i, url) for i, url in enumerate(urls)]))
        _wait_for_segments(folder, cameras)
        SystemClock().sleep(_SETTLE_S)
        before, bytes_before = (_cost(ours), _cost(bare)), _written(folder)
        SystemClock().sleep(seconds)
        after, bytes_after = (_cost(ours), _cost(bare)), _written(folder)
    figures = _figures(before, after, cameras, seconds)
    written = [late - early for early, late in zip(bytes_before, bytes_after, strict=True)]
    figures["mbit_per_s"] = round(written[1] * 8 / 1e6 / cameras / seconds, 2)
    figures["bytes_ratio"] = round(written[0] / max(1, written[1]), 3)
    bar = {"cpu_ratio": MOST_RATIO}
    finish("capture", figures, bar, report, holds=figures["cpu_ratio"] <= MOST_RATIO)


def draw_clip(path: Path, size: tuple[int, int], seconds: float) -> Path:
    """A clip of noise that drifts, at the bit rate of a camera, with a key frame every second."""
    width, height = size
    noise = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    noise = np.repeat(np.repeat(noise[: height // 8, : width // 8], 8, axis=0), 8, axis=1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=FPS, options={"preset": "ultrafast", "tune": "zerolatency"}
        )
        if not isinstance(stream, VideoStream):  # says so to the type checker
            raise typer.Exit(1)
        stream.height, stream.width = noise.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = BITRATE * width * height // (SIZE[0] * SIZE[1])
        stream.codec_context.gop_size = FPS
        stream.codec_context.time_base = Fraction(1, FPS)
        for index in range(round(seconds * FPS)):
            picture = np.roll(noise, 2 * index, axis=1)
            container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def record(folder: Path, urls: Sequence[str], stop: threading.Event) -> None:
    """Capture cameras until told to stop: the process that is measured."""
    supervisor = Supervisor()
    cameras = [Camera(f"cam{i}", url) for i, url in enumerate(urls)]
    captured = Cameras(cameras, Ring(folder), SystemClock(), supervisor.stop)
    for name, work in captured.work().items():
        supervisor.keep_running(name, work)
    stop.wait()
    supervisor.shut_down()


def _figures(
    before: tuple[Cost, Cost], after: tuple[Cost, Cost], cameras: int, seconds: float
) -> dict[str, Any]:
    spent = [late.cpu_s - early.cpu_s for early, late in zip(before, after, strict=True)]
    return {
        "cameras": cameras,
        "seconds": seconds,
        "picture": f"{SIZE[0]}x{SIZE[1]} at {FPS} fps, H.264",
        "cpu_percent_per_camera": round(100 * spent[0] / seconds / cameras, 3),
        "bare_cpu_percent_per_camera": round(100 * spent[1] / seconds / cameras, 3),
        "cpu_ratio": round(spent[0] / max(spent[1], 1e-9), 3),
        "rss_mb_per_camera": round(after[0].rss_bytes / 1e6 / cameras, 1),
        "bare_rss_mb_per_camera": round(after[1].rss_bytes / 1e6 / cameras, 1),
    }


def _recorder(folder: Path, urls: Sequence[str]) -> list[str]:
    return [sys.executable, str(Path(__file__)), str(folder), *urls]


def _bare(folder: Path, number: int, url: str) -> list[str]:
    folder.mkdir(exist_ok=True)
    ffmpeg = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    command = [ffmpeg, "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", url, "-c", "copy"]
    command += ["-f", "segment", "-segment_time", "2", "-reset_timestamps", "1"]
    return [*command, str(folder / f"cam{number}-%05d.mp4")]


@contextmanager
def _started(commands: Sequence[list[str]]) -> Iterator[list[psutil.Process]]:
    """Programs that run until the block ends."""
    processes = [subprocess.Popen(command, cwd=_ROOT, env=_environment()) for command in commands]
    try:
        yield [psutil.Process(process.pid) for process in processes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


@contextmanager
def _server(clip: Path, cameras: int) -> Iterator[list[str]]:
    """Simulated cameras in a process of their own; their addresses."""
    command = [sys.executable, str(_SIM), str(clip), "--cameras", str(cameras), "--port", "0"]
    with subprocess.Popen(
        command, cwd=_ROOT, env=_environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = iter(process.stdout or ())
            yield [next(lines).strip() for _ in range(cameras)]
        finally:
            process.terminate()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(_ROOT)}


def _cost(processes: Sequence[psutil.Process]) -> Cost:
    times = [process.cpu_times() for process in processes]
    memory = [process.memory_info().rss for process in processes]
    return Cost(sum(spent.user + spent.system for spent in times), sum(memory))


def _segments(folder: Path) -> tuple[list[Path], list[Path]]:
    return list((folder / "ours").glob("*/*/*.mp4")), list((folder / "bare").glob("*.mp4"))


def _written(folder: Path) -> tuple[int, int]:
    ours, bare = (sum(path.stat().st_size for path in paths) for paths in _segments(folder))
    return ours, bare


def _wait_for_segments(folder: Path, cameras: int) -> None:
    """Both have connected to everything.

    Raises:
        Exit: One of them does not record.
    """
    clock = SystemClock()
    deadline_s = clock.monotonic_s() + _READY_S
    while clock.monotonic_s() < deadline_s:
        ours, bare = _segments(folder)
        if len({path.parts[-3] for path in ours}) == cameras == len({p.name.split("-")[0] for p in bare}):
            return
        clock.sleep(0.2)
    console.print("[red]not everything records; nothing was measured[/red]")
    raise typer.Exit(1)


def _main() -> None:
    """Be the recorder: folder, then addresses; ends on SIGTERM as any program does."""
    record(Path(sys.argv[1]), sys.argv[2:], threading.Event())


if __name__ == "__main__":
    _main()
