"""The client of our API speaks to the real API, and says in one sentence what went wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import uvicorn

from extension.client import ApiClient
from extension.clock import SystemClock
from extension.errors import BadInput, NotFound, Unavailable
from extension.model import JobStatus
from extension.settings import Settings, load
from extension.wire import JobIn
from extension.wiring import Service, build


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A service of its own, whose via-server is nowhere."""
    monkeypatch.setenv("VIA_BACKEND", "http://127.0.0.1:9")
    monkeypatch.setenv("EXT_MEDIA_DIRS", str(tmp_path / "videos"))
    (tmp_path / "videos").mkdir()
    return load(None, data_dir=tmp_path / "data")


@pytest.fixture
def api(settings: Settings) -> Iterator[ApiClient]:
    """The real API on loopback; worker and courier stand still."""
    service: Service = build(settings, own_url="http://127.0.0.1", page=False)
    server = uvicorn.Server(uvicorn.Config(service.app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    clock = SystemClock()
    while not server.started:
        clock.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield ApiClient(f"http://127.0.0.1:{port}/")
    server.should_exit = True
    thread.join(10)
    service.stop()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A second of grey, where the service may read it."""
    path = tmp_path / "videos" / "grey.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_job_is_submitted_by_path_and_found_again(api: ApiClient, video: Path) -> None:
    """The same key gives the same job: a submission may be repeated."""
    job = api.submit_path(JobIn(path=str(video), speed=3.0), key="one")
    again = api.submit_path(JobIn(path=str(video), speed=3.0), key="one")
    other = api.submit_path(JobIn(path=str(video)))
    assert job.id == again.id != other.id
    assert {j.id for j in api.jobs()} == {job.id, other.id}
    found = api.job(job.id)
    assert (found.status, found.speed, found.name) == (JobStatus.QUEUED, 3.0, "grey.mp4")
    for found_in in (api.events, api.incidents, api.captions, api.deliveries):
        assert found_in(job.id) == []
    assert api.outputs(job.id) == []


def test_a_job_is_submitted_by_upload(api: ApiClient, video: Path, tmp_path: Path) -> None:
    """With its log, options and odd name."""
    odd = tmp_path / "사고 (1).mp4"
    odd.write_bytes(video.read_bytes())
    log = tmp_path / "log.csv"
    log.write_text("timestamp,objid,x,y,z\n2025-01-01 00:00:00.000,obj001,1,2,3\n")
    job = api.submit_upload(odd, log, {"speed": "2.0"})
    assert (job.name, job.speed, job.has_trajectory) == ("사고 (1).mp4", 2.0, True)


def test_refusals_carry_the_services_own_reason(api: ApiClient, video: Path, tmp_path: Path) -> None:
    """Bad input is the caller's, a missing thing is missing."""
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"not a video")
    with pytest.raises(BadInput, match=r"bad\.mp4"):
        api.submit_upload(bad, None, {})
    with pytest.raises(BadInput):
        api.submit_path(JobIn(path=str(tmp_path / "bad.mp4")))
    with pytest.raises(NotFound):
        api.job("no-such-job")
    with pytest.raises(NotFound):
        api.job("../../etc/passwd")
    job = api.submit_path(JobIn(path=str(video)))
    with pytest.raises(BadInput):
        api.retry(job.id)


def test_the_service_says_what_it_is_connected_to(api: ApiClient) -> None:
    """A via-server that is away is said to be away."""
    about = api.about()
    assert (about.vlm_model, about.via_backend, about.receivers) == (None, "not reachable", [])


def test_nobody_there_is_unavailable() -> None:
    """One sentence, the address in it."""
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:9"):
        ApiClient("http://127.0.0.1:9").jobs()


def test_a_proxy_is_not_asked_for_our_own_service(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine's proxies are."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert api.jobs() == []
