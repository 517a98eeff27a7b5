"""What is said of a camera's place reaches the VLM with the next window, outlives a restart, and stands in the evidence."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fastapi.testclient import TestClient

from extension import wiring
from extension.captions import prompts
from extension.errors import BadSettings
from extension.evidence.verify import verify
from extension.settings import load
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import PictureStream
from tests.pipeline.via_double import Answer, ViaDouble, captions

SAFE = json.dumps({"status": "safe", "events": [], "summary": "평소와 같습니다."})
FALL = json.dumps(
    {
        "status": "danger",
        "events": [
            {
                "kind": "fall",
                "start_s": 0.5,
                "end_s": 1.5,
                "severity": "danger",
                "objects": ["사람"],
                "description": "사람이 넘어졌습니다.",
            }
        ],
        "summary": "사람이 넘어졌습니다.",
    }
)
ZONE = {"name": "3번 프레스", "kind": "출입 금지", "points": [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]}
BOOK = """
cameras:
  - name: gate
    url: {url}
    window_s: 2
    stride_s: 1
    merge_gap_s: 1
    language: ko
    context_answers: 1
    notes: 설비에서 수증기가 자주 납니다.
    zones:
      - {{name: 보행로, kind: 통로, points: [[0, 0], [0.5, 0], [0.5, 1]]}}
"""


@pytest.fixture(scope="module")
def stream() -> Iterator[RtspServer]:
    """A camera on loopback: a bright square that walks over a grey ground."""
    pictures = []
    for number in range(20):
        picture = np.full((96, 128, 3), 90, np.uint8)
        picture[30:60, 4 * number : 4 * number + 24] = 220
        pictures.append(picture)
    with RtspServer({"gate": PictureStream(pictures, 10.0, (128, 96))}) as server:
        yield server


@dataclass
class Site:
    """What the via-server was asked, and a client of the service."""

    double: ViaDouble
    client: TestClient

    def wait_for(self, found: Callable[[], Any], within_s: float = 60.0) -> Any:
        """What comes, as soon as it comes."""
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            if value := found():
                return value
            time.sleep(0.05)
        raise AssertionError("it did not come")

    def told(self, wanted: str) -> str:
        """The first question that holds these words."""
        questions: Callable[[], list[str]] = lambda: [q["prompt"] for q in self.double.queries]  # noqa: E731 - asked anew
        found: list[str] = self.wait_for(lambda: [text for text in questions() if wanted in text])
        return found[0]


@contextlib.contextmanager
def started(folder: Path, double: ViaDouble) -> Iterator[Site]:
    """The service, until it is stopped."""
    service = wiring.build(load(None, data_dir=folder / "data"), own_url="", page=False)
    service.start()
    try:
        with TestClient(service.app) as client:
            yield Site(double, client)
    finally:
        service.stop()


@pytest.mark.e2e
def test_what_is_said_of_a_place_reaches_the_vlm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: RtspServer
) -> None:
    """The file's words first, then the page's without a restart, then the page's again after one; then the file's."""
    danger: list[bool] = []

    def script(query: dict[str, Any], _: int) -> Answer:
        return 200, captions(query, lambda _s: FALL if danger and "3번 프레스" in query["prompt"] else SAFE)

    book = tmp_path / "cameras.yaml"
    book.write_text(BOOK.format(url=stream.url("gate")), "utf-8")
    with ViaDouble(script) as double:
        monkeypatch.setenv("EXT_CAMERAS_FILE", str(book))
        monkeypatch.setenv("VIA_BACKEND", double.url)
        monkeypatch.setenv("EXT_SECOND_LOOK", "false")
        with started(tmp_path, double) as site:
            _the_file_is_told(site)
            danger.append(True)
            answer = site.client.put("/api/v1/cameras/gate/brief", json={"zones": [ZONE]})
            assert answer.json() == {"notes": "", "zones": [ZONE], "origin": "page"}
            later = site.told("3번 프레스")
            assert "수증기가 자주" not in later
            _evidence_tells_what_was_said(site, tmp_path, danger)
        with started(tmp_path, double) as site:
            _the_page_is_told_again(site)


def _the_file_is_told(site: Site) -> None:
    """After the constant text; then the answer before, and a picture of the camera can be seen."""
    first, constant = site.told("수증기가 자주 납니다"), prompts.load("camera_ko")
    assert first.startswith(constant.user + "\n\n")
    assert '- "보행로" (통로): 0,0 50,0 50,100' in first
    assert site.double.queries[0]["system_prompt"] == constant.system
    site.told('초 먼저 시작한 영상: "safe: 평소와 같습니다."')
    picture = site.client.get("/api/v1/cameras/gate/snapshot")
    assert picture.status_code == 200
    with av.open(io.BytesIO(picture.content), "r") as container:
        assert next(container.decode(video=0)).to_ndarray(format="gray").max() > 180


def _the_page_is_told_again(site: Site) -> None:
    """After a restart, with the last answers; until its words are taken back."""
    asked = len(site.double.queries)
    site.wait_for(lambda: len(site.double.queries) > asked)
    after = site.double.queries[asked]["prompt"]
    assert '- "3번 프레스" (출입 금지): 10,10 50,10 50,50' in after
    assert "초 먼저 시작한 영상" in after
    assert site.client.delete("/api/v1/cameras/gate/brief").json()["origin"] == "file"
    asked = len(site.double.queries)
    site.wait_for(lambda: any("보행로" in q["prompt"] for q in site.double.queries[asked:]))


def _evidence_tells_what_was_said(site: Site, tmp_path: Path, danger: list[bool]) -> None:
    """The manifest holds the constant prompt and what was added to it for each window; together they are what was sent."""
    (incident,) = site.wait_for(lambda: site.client.get("/api/v1/incidents").json())
    assert incident["description"] == "사람이 넘어졌습니다."
    danger.clear()
    found = site.wait_for(
        lambda: (
            (answer := site.client.get(f"/api/v1/incidents/{incident['id']}/evidence")).status_code == 200
            and answer.json()["manifest"]
        )
    )
    prompt = found["asked"]["prompt"]
    assert prompt["id"] == "camera_ko.v1"
    sent = {query["prompt"] for query in site.double.queries}
    for answer in found["answers"]:
        stats = answer["stats"]
        assert f"{prompt['user']}\n\n{stats['brief_text']}" in sent
        assert hashlib.sha256(stats["brief_text"].encode()).hexdigest() == stats["brief"]
    (folder,) = (tmp_path / "data" / "outputs").glob("*/evidence/*")
    checked = verify(folder)
    assert checked.ok, checked.findings
    assert any(finding.item.startswith("brief, chunk") for finding in checked.findings)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        pytest.param("prompt: twin_view, language: ko", "'gate': the prompt 'twin_view' does not exist", id="no-korean"),
        pytest.param("prompt: cameras", "no prompt is called 'cameras'", id="no-such-prompt"),
        pytest.param("language: fr", "language", id="no-such-language"),
        pytest.param("context_answers: 6", "context_answers", id="too-many-answers"),
        pytest.param("zones: [{name: a, kind: b, points: [[0, 0], [1, 1]]}]", "zones.0.points", id="two-corners"),
        pytest.param("zones: [{name: a, kind: b, points: [[0, 0], [1, 1], [0, 3]]}]", "zones.0.points.2.1", id="outside"),
        pytest.param("notes: 3", "notes", id="notes-that-are-a-number"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_told_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, complaint: str
) -> None:
    """With the camera and the field, and no address."""
    book = tmp_path / "cameras.yaml"
    book.write_text(f"cameras: [{{name: gate, url: 'rtsp://u:geheim@10.0.0.7/', {entry}}}]", "utf-8")
    monkeypatch.setenv("EXT_CAMERAS_FILE", str(book))
    with pytest.raises(BadSettings) as caught:
        wiring.build(load(None, data_dir=tmp_path / "data"), own_url="", page=False)
    assert complaint in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_of_two_cameras_with_one_name_the_first_ones_brief_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the first that is captured."""
    book = tmp_path / "cameras.yaml"
    one = "  - {{name: gate, url: 'rtsp://127.0.0.1:9/', notes: {}}}\n"
    book.write_text("cameras:\n" + one.format("first") + one.format("second"), "utf-8")
    monkeypatch.setenv("EXT_CAMERAS_FILE", str(book))
    service = wiring.build(load(None, data_dir=tmp_path / "data"), own_url="", page=False)
    try:
        with TestClient(service.app) as client:
            assert client.get("/api/v1/cameras/gate/brief").json()["notes"] == "first"
            assert client.get("/api/v1/cameras/gate/snapshot").status_code == 404
    finally:
        service.stop()
