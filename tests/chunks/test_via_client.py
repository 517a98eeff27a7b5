"""One contract for every via-server: the scripted double and the embedded one answer our client alike."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from extension.chunks.via_client import CaptionQuery, ViaClient
from extension.errors import BadSource, ViaServerRefused, ViaServerUnavailable
from tests.pipeline.via_double import ViaDouble
from tests.vss_overrides.vlm_double import VlmDouble

ROOT = Path(__file__).parents[2]


def _clip(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(50):
            picture = np.full((48, 64, 3), 4 * shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip of five seconds."""
    folder = tmp_path_factory.mktemp("media")
    _clip(folder / "five.mp4")
    return folder


@pytest.fixture(scope="module")
def embedded(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The embedded via-server as a program, with a VLM that always answers."""
    folder = tmp_path_factory.mktemp("via")
    with VlmDouble() as vlm:
        command = [sys.executable, "-m", "via_server", "--port", "0", "--port-file", str(folder / "port")]
        command += ["--asset-dir", str(folder / "assets"), "--allowed-media-dir", str(media)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **vlm.environment}, stdout=log, stderr=log
            )
        try:
            deadline = time.monotonic() + 30
            while not (folder / "port").exists():
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.02)
            yield f"http://127.0.0.1:{(folder / 'port').read_text().strip()}"
        finally:
            process.terminate()
            process.wait(15)


@pytest.fixture(params=["double", "embedded"])
def via(request: pytest.FixtureRequest) -> Iterator[ViaClient]:
    """A client of one or the other."""
    if request.param == "embedded":
        yield ViaClient(request.getfixturevalue("embedded"), timeout_s=30)
        return
    with ViaDouble() as double:
        yield ViaClient(double.url, timeout_s=30)


def _query(file_id: str, model: str) -> CaptionQuery:
    return CaptionQuery(file_id, model, "What happens?", "You watch.", 0, 5, 2, 4, 100)


def test_it_is_ready_and_offers_a_model(via: ViaClient) -> None:
    """Nothing works without both."""
    via.ready()
    assert via.model().id


def test_a_file_added_by_path_is_captioned_in_chunks(via: ViaClient, media: Path) -> None:
    """Zero copy: the path is enough. Chunks come in order, the last one shorter."""
    file_id = via.add_path(media / "five.mp4")
    responses = via.captions(_query(file_id, via.model().id))
    assert [(r.start_s, r.end_s) for r in responses] == [(0.0, 2.0), (2.0, 4.0), (4.0, 5.0)]
    assert all('"status"' in r.content for r in responses)
    via.delete(file_id)


def test_an_upload_with_an_odd_name_is_taken(via: ViaClient, tmp_path: Path) -> None:
    """The server's own pattern for names is not the user's concern."""
    video = _clip(tmp_path / "사고 #1 (최종) 'x'.mp4")
    file_id = via.upload(video)
    assert via.captions(replace(_query(file_id, via.model().id), end_s=2))
    via.delete(file_id)


def test_a_forgotten_file_is_refused_and_deleting_it_is_fine(via: ViaClient, media: Path) -> None:
    """The reason names the resource, so that the caller can add it anew."""
    file_id = via.add_path(media / "five.mp4")
    via.delete(file_id)
    via.delete(file_id)
    with pytest.raises(ViaServerRefused, match="No such resource") as caught:
        via.captions(_query(file_id, via.model().id))
    assert (caught.value.status, caught.value.code) == (400, "BadParameter")


def test_a_part_of_a_file_can_be_asked_for(via: ViaClient, media: Path) -> None:
    """Offsets in whole seconds, as after a restart."""
    file_id = via.add_path(media / "five.mp4")
    responses = via.captions(replace(_query(file_id, via.model().id), start_s=2, end_s=4))
    assert [(r.start_s, r.end_s) for r in responses] == [(2.0, 4.0)]
    via.delete(file_id)


def test_the_embedded_server_refuses_what_lies_outside_its_folders(embedded: str, tmp_path: Path) -> None:
    """A path is no key to the whole disk."""
    with pytest.raises(ViaServerRefused):
        ViaClient(embedded, timeout_s=5).add_path(_clip(tmp_path / "elsewhere.mp4"))


def test_a_file_that_cannot_be_read_is_the_callers_mistake(embedded: str, tmp_path: Path) -> None:
    """The name, not the path."""
    with pytest.raises(BadSource, match=r"^gone\.mp4"):
        ViaClient(embedded, timeout_s=5).upload(tmp_path / "gone.mp4")


def test_nobody_there_is_unavailable() -> None:
    """Try again later."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        via = ViaClient(f"http://127.0.0.1:{unused.getsockname()[1]}", timeout_s=1)
        with pytest.raises(ViaServerUnavailable, match="cannot be reached"):
            via.ready()


def test_a_server_that_hangs_is_unavailable(media: Path) -> None:
    """The wait for captions has an end."""
    free = threading.Event()

    def hang(*_: object) -> None:
        free.wait(20)

    with ViaDouble(hang) as double:
        via = ViaClient(double.url, timeout_s=0.3)
        file_id = via.add_path(media / "five.mp4")
        with pytest.raises(ViaServerUnavailable, match="in time"):
            via.captions(_query(file_id, "double"))
        free.set()
