"""The real service watching cameras of the RTSP simulator, with its page on a real server; the via-server alone is a double."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extension import wiring
from extension.client import ApiClient
from extension.settings import load
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import PictureStream
from extension.ui import camera_tab, page
from extension.wire import CameraOut, IncidentOut
from tests.api.harness import bound, served
from tests.pipeline.via_double import SAFE, Answer, ViaDouble, captions
from tests.ui.test_refresh import Doorman

HOSTILE = "<img src=x onerror=\"document.title='owned'\"> lies on the ground"
GATE, PRESS = "gate", "프레스 2"
SIZE = (320, 180)


def fall(description: str = "A person falls.") -> str:
    """A verdict with a fall in it."""
    event = {
        "kind": "fall",
        "start_s": 0.5,
        "end_s": 1.5,
        "severity": "danger",
        "objects": ["person"],
        "description": description,
    }
    return json.dumps({"status": "danger", "events": [event], "summary": "Somebody lies on the ground."})


def walk(shade: int) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """A bright square that walks over a floor of that shade."""
    width, height = SIZE
    made = []
    for number in range(20):
        picture = np.full((height, width, 3), shade, np.uint8)
        picture[height // 2 : height // 2 + 50, 12 * number : 12 * number + 40] = (230, 190, 90)
        picture[: height // 4, width // 2 :] = shade // 2
        made.append(picture)
    return made


@dataclasses.dataclass
class CameraSite:
    """What the tests touch of it. Falls are seen until `calm`."""

    address: str
    double: ViaDouble
    stream: RtspServer
    api: ApiClient
    asked: list[str]
    calm: bool = False
    answer: str = dataclasses.field(default_factory=lambda: fall(HOSTILE))

    def wait_for(self, found: Callable[[], Any], within_s: float = 60.0) -> Any:
        """What comes, as soon as it comes."""
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            if value := found():
                return value
            time.sleep(0.05)
        raise AssertionError("it did not come")

    def camera(self, name: str = GATE) -> CameraOut:
        """How a camera is."""
        return next(camera for camera in self.api.cameras() if camera.name == name)

    def incidents(self, name: str = GATE) -> list[IncidentOut]:
        """What was found at a camera."""
        return self.api.incidents(self.camera(name).job_id)

    def looked(self, count: int, name: str = GATE) -> None:
        """Wait until so many windows of a camera were looked at."""
        self.wait_for(lambda: self.camera(name).windows.get("looked", 0) >= count)


def _book(stream: RtspServer) -> str:
    entries = [
        f"  - name: {name}\n    url: {stream.url(path)}\n    window_s: 4\n    stride_s: 2\n    merge_gap_s: 3\n"
        for name, path in ((GATE, "gate"), (PRESS, "press"))
    ]
    silent = "  - name: attic\n    url: rtsp://127.0.0.1:9/none\n"
    twin = f"  - name: {GATE}\n    url: {stream.url('press')}\n"
    return "cameras:\n" + "".join(entries) + silent + twin


@contextlib.contextmanager
def camera_site(folder: Path) -> Iterator[CameraSite]:
    """Two cameras that show something, one that nobody answers for, and one whose name is taken."""
    sites: list[CameraSite] = []

    def script(query: dict[str, Any], _: int) -> Answer:
        seen = SAFE if not sites or sites[0].calm else sites[0].answer
        return 200, captions(query, lambda _s: seen)

    with contextlib.ExitStack() as stack:
        streams = {
            name: PictureStream(walk(shade), 10.0, SIZE) for name, shade in (("gate", 70), ("press", 120))
        }
        stream = stack.enter_context(RtspServer(streams))
        double = stack.enter_context(ViaDouble(script))
        book = folder / "cameras.yaml"
        book.write_text(_book(stream), "utf-8")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("EXT_CAMERAS_FILE", str(book))
        patch.setenv("VIA_BACKEND", double.url)
        listener = bound()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # Looks follow each other quickly, so that nobody waits for them.
        patch.setattr(camera_tab, "LOOK_S", 0.7)
        patch.setattr(page, "IDLE_S", 0.7)
        service = wiring.build(load(None, data_dir=folder / "data"), own_url=url, page=True)
        asked: list[str] = []
        service.app.add_middleware(Doorman, asked=asked)
        address = stack.enter_context(served(service.app, listener))
        sites.append(CameraSite(address, double, stream, ApiClient(address), asked))
        stack.callback(service.stop)
        service.start()
        yield sites[0]
