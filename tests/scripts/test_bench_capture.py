"""The benchmark of capture: what it draws, starts, measures and says."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from extension.sources.probe import probe
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import LoopedFile
from tests.sources.rtsp.clips import draw_clip, until

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture(scope="module")
def bench_capture() -> ModuleType:
    """The script as a module; scripts are no package."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        spec = importlib.util.spec_from_file_location("bench_capture", SCRIPTS / "bench_capture.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["bench_capture"] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPTS))
    return module


def test_the_clip_is_what_a_camera_sends(bench_capture: ModuleType, tmp_path: Path) -> None:
    """25 frames a second, a key frame in each, near the bit rate."""
    clip = bench_capture.draw_clip(tmp_path / "clip.mp4", (640, 360), 4)
    info = probe(clip)
    assert (info.width, info.height, info.codec, info.fps) == (640, 360, "h264", 25.0)
    assert info.duration_s == pytest.approx(4.0)
    bits_per_s = clip.stat().st_size * 8 / 4
    wanted = bench_capture.BITRATE / 9
    assert 0.3 * wanted < bits_per_s < 3 * wanted
    keys = [unit.key for unit, _ in zip(LoopedFile(clip).units(), range(100), strict=False)]
    assert [place for place, key in enumerate(keys) if key] == [0, 25, 50, 75]


def test_what_is_measured_records(bench_capture: ModuleType, tmp_path: Path) -> None:
    """Every camera into a folder of its own, until it is told to stop."""
    clip = draw_clip(tmp_path / "clip.mp4")
    stop = threading.Event()
    with RtspServer({"a": LoopedFile(clip), "b": LoopedFile(clip)}) as server:
        urls = [server.url(name) for name in server.names]
        thread = threading.Thread(target=bench_capture.record, args=(tmp_path / "ours", urls, stop))
        thread.start()
        until(lambda: {path.parts[-3] for path in (tmp_path / "ours").glob("*/*/*.mp4")} == {"cam0", "cam1"})
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def test_figures(bench_capture: ModuleType) -> None:
    """Per camera and second, and their ratio."""
    cost = bench_capture.Cost
    before, after = (cost(1.0, 0), cost(2.0, 0)), (cost(4.0, 90_000_000), cost(4.0, 60_000_000))
    figures = bench_capture._figures(before, after, 3, 100.0)
    assert figures["cpu_percent_per_camera"] == 1.0
    assert figures["bare_cpu_percent_per_camera"] == pytest.approx(0.667)
    assert figures["cpu_ratio"] == 1.5
    assert figures["rss_mb_per_camera"] == 30.0
    assert figures["bare_rss_mb_per_camera"] == 20.0


@pytest.mark.e2e
def test_the_whole_benchmark(
    bench_capture: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both record the same bytes at once; figures, bar and verdict are written."""
    monkeypatch.setattr(bench_capture, "SIZE", (320, 180))
    monkeypatch.setattr(bench_capture, "_SETTLE_S", 0.0)
    report = tmp_path / "capture.json"
    bench_capture.capture(cameras=1, seconds=2.0, report=report)
    page = json.loads(report.read_text())
    assert page["benchmark"] == "capture"
    assert page["bar"] == {"cpu_ratio": 1.5}
    assert page["holds"] is (page["cpu_ratio"] <= 1.5)
    assert page["cpu_percent_per_camera"] > 0
    assert 0.3 < page["bytes_ratio"] < 3
