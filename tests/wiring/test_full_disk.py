"""A disk that is really full: one incident for all cameras, everything else goes on, and so does capture when there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import yaml
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from extension import wiring
from extension.model import Kind, Phase, Severity
from extension.pipeline.live import recordings
from extension.pipeline.live.lane import job_id
from extension.settings import load
from extension.sources.camera.ring import Ring
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import LoopedFile
from extension.wiring import cameras as camera_wiring
from tests.sources.camera.plant import QUICK
from tests.sources.rtsp.clips import draw_clip
from tests.wiring.test_bad_cameras import Plant, Seer

NAMES = ("one", "two")


def mount(folder: Path, size: str, *options: str) -> None:
    """A disk of so many bytes, in memory."""
    command = ["mount", "-t", "tmpfs", "-o", ",".join((*options, f"size={size}")), "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[Path]:
    """The folder of the recordings, on a disk of its own that is soon full."""
    folder = tmp_path / "data" / "ring"
    folder.mkdir(parents=True)
    mount(folder, "400k")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


@pytest.fixture
def plant(tmp_path: Path, ring: Path) -> Iterator[Plant]:
    """Two cameras that are recorded there."""
    with ExitStack() as done:
        patch = done.enter_context(pytest.MonkeyPatch.context())
        logs = done.enter_context(capture_logs())
        clip = draw_clip(tmp_path / "clip.mp4")
        server = done.enter_context(RtspServer({name: LoopedFile(clip) for name in NAMES}, seed=1))
        seer = done.enter_context(Seer())
        entries = [
            {"name": name, "url": server.url(name), "window_s": 2, "stride_s": 2, "merge_gap_s": 1}
            for name in NAMES
        ]
        book = tmp_path / "cameras.yaml"
        book.write_text(yaml.safe_dump({"cameras": entries}), "utf-8")
        patch.setenv("EXT_CAMERAS_FILE", str(book))
        patch.setenv("VIA_BACKEND", seer.url)
        patch.setattr(camera_wiring, "CaptureOptions", lambda: QUICK)
        patch.setattr(camera_wiring, "Ring", partial(Ring, reserve_bytes=0))
        patch.setattr(recordings, "_HOLD_S", 0.5)
        service = wiring.build(load(None, data_dir=tmp_path / "data"), own_url="", page=False)
        done.callback(service.stop)
        service.start()
        client = done.enter_context(TestClient(service.app))
        yield Plant(client, server, seer, ring.parent, logs)


@pytest.mark.e2e
def test_a_full_disk_is_one_incident(plant: Plant, ring: Path) -> None:
    """Both cameras say so, none is called down; with room again the incident ends and windows are looked at."""
    plant.wait_for(lambda: {plant.camera(name)["trouble"] for name in NAMES} == {"DiskFull"})
    (incident,) = plant.wait_for(
        lambda: plant.client.get(f"/api/v1/jobs/{recordings.JOB_ID}/incidents").json()
    )
    assert (incident["kind"], incident["severity"], incident["phase"]) == (
        Kind.OTHER,
        Severity.DANGER,
        Phase.OPEN,
    )
    assert "full" in incident["description"]
    assert str(ring) not in repr([incident, plant.cameras(), plant.logs])
    frames = plant.camera("one")["frames"]
    plant.wait_for(lambda: plant.camera("one")["frames"] > frames + 25)
    assert not [path for path in ring.rglob("*") if path.suffix == ".part"]
    mount(ring, "64m", "remount")
    plant.wait_for(lambda: {plant.camera(name)["trouble"] for name in NAMES} == {None})
    looked = plant.looked("two")
    plant.wait_for(lambda: plant.has_looked("two", looked + 2))
    plant.wait_for(
        lambda: plant.client.get(f"/api/v1/incidents/{incident['id']}").json()["phase"] == Phase.RESOLVED
    )
    for name in NAMES:
        camera = plant.camera(name)
        assert camera["reconnects"] == 0
        assert camera["lost_s"]["DiskFull"] > 0.5
        assert plant.client.get(f"/api/v1/jobs/{job_id(name)}/incidents").json() == []
    assert not [entry for entry in plant.logs if entry["event"] == "work_broke"]
