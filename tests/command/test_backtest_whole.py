"""A backtest through the real programs: embedded via-server and reference VLM, on a drawn room in which somebody falls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.vlm_server.camera.drawn_scenes import Pose, people, ramp, room, times

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
FPS, SIZE = 5, (320, 180)
LENGTH_S, ENTERS_S, FALLS_S = 45.0, 21.0, 30.0


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty room for 20 s, noisy as a camera is; then somebody walks in and falls."""
    chance = np.random.default_rng(5)
    walk = ramp(ENTERS_S, FALLS_S - ENTERS_S, -60.0, 160.0)
    tips = ramp(FALLS_S, 0.8, 0.0, 1.0)
    scene = people(
        room(chance, SIZE),
        times(LENGTH_S, FPS),
        90.0,
        [lambda t: Pose(walk(t), 165.0, lean=88 * tips(t) ** 1.6)],
    )
    path = tmp_path_factory.mktemp("room") / "room.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = SIZE
        stream.pix_fmt, stream.options = "yuv420p", {"preset": "ultrafast", "crf": "20", "g": "10"}
        stream.codec_context.time_base = Fraction(1, FPS)
        for number, picture in enumerate(scene.frames):
            noisy = np.clip(picture + chance.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noisy, format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line, as people start it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("EXT_", "VIA_"))}
    return subprocess.run(
        [sys.executable, "-m", "extension", *words],
        env={**env, "PYTHONPATH": str(ROOT), "EXT_DATA_DIR": str(folder / "data"), "COLUMNS": "100"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def test_a_film_is_watched_with_and_without_the_gate(film: Path, tmp_path: Path) -> None:
    """The fall is found both times, once; the gate leaves the empty room out; nothing stays behind."""
    done = ran(tmp_path, "backtest", str(film), "--gate", "on", "--json", "told.json")
    assert done.returncode == 0, done.stdout + done.stderr
    (source,) = json.loads((tmp_path / "told.json").read_text())["sources"]
    present, gated = source["sides"]
    for side in (present, gated):
        (incident,) = side["incidents"]
        assert (incident["kind"], incident["severity"], incident["check"]) == ("fall", "danger", "confirmed")
        assert incident["start_s"] == pytest.approx(FALLS_S, abs=1.0)
    assert gated["windows"]["not asked"] >= 1
    assert gated["windows"]["all"] == present["windows"]["asked"] == 8
    assert source["difference"]["same"] + len(source["difference"]["changed"]) == 1
    assert "starting via-server" in done.stdout
    assert "starting service" not in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["told.json"], "no data folder was made"
