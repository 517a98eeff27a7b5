"""The whole service with a gate: a still camera is spared, one with motion is looked at, and whoever asks why is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from extension import wiring
from extension.settings import load
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import PictureStream
from tests.pipeline.via_double import SAFE, Answer, ViaDouble, captions


def _pictures(step_px: int) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """A bright square that walks over a grey ground, or stands there."""
    made = []
    for number in range(20):
        picture = np.full((96, 128, 3), 90, np.uint8)
        left = 4 + step_px * number
        picture[30:60, left : left + 24] = 220
        made.append(picture)
    return made


def _wait_for(found: Callable[[], Any], within_s: float = 60.0) -> Any:
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come")


def _script(query: dict[str, Any], _: int) -> Answer:
    return 200, captions(query, lambda _s: SAFE)


@pytest.mark.e2e
def test_the_vlm_is_asked_where_something_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cameras with the gate on: windows of the still one are counted and recorded as left out, with the reason."""
    streams = {
        name: PictureStream(_pictures(step), 10.0, (128, 96)) for name, step in (("still", 0), ("busy", 4))
    }
    with RtspServer(streams) as server, ViaDouble(_script) as double:
        book = tmp_path / "cameras.yaml"
        lines = [
            f"  - {{name: {name}, url: '{server.url(name)}', window_s: 4, stride_s: 2, gate: on}}"
            for name in streams
        ]
        book.write_text("\n".join(["cameras:", *lines, ""]))
        monkeypatch.setenv("EXT_CAMERAS_FILE", str(book))
        monkeypatch.setenv("VIA_BACKEND", double.url)
        service = wiring.build(load(None, data_dir=tmp_path / "data"), own_url="", page=False)
        service.start()
        try:
            with TestClient(service.app) as client:

                def camera(name: str) -> dict[str, Any]:
                    page: dict[str, Any] = client.get(f"/api/v1/cameras/{name}").json()
                    return page

                _wait_for(lambda: camera("still")["windows"].get("gated", 0) >= 2)
                _wait_for(lambda: camera("busy")["windows"].get("looked", 0) >= 3)
                still, busy = camera("still"), camera("busy")
                recorded = client.get(f"/api/v1/jobs/{still['job_id']}/captions").json()
        finally:
            service.stop()
    assert still["windows"].get("looked", 0) <= 2
    assert "gated" not in busy["windows"]
    left_out = [page for page in recorded if page["stats"].get("asked") is False]
    assert left_out
    assert all(page["status"] == "safe" and "Not asked" in page["summary"] for page in left_out)
    assert {page["stats"]["gate"]["reason"] for page in left_out} <= {"still", "frozen"}
    assert {page["stats"]["motion"]["moving"] for page in left_out} == {False}
