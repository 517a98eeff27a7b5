"""Everything that can be wrong with a camera, in one running service: each has its own clear word, and the good ones go on."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import av
import pytest
import yaml
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from extension import wiring
from extension.model import Kind, Phase
from extension.pipeline.live.lane import job_id
from extension.settings import load
from extension.sources.camera.reader import Patience
from extension.sources.camera.segments import camera_name
from extension.sources.rtsp.faults import Faults
from extension.sources.rtsp.login import Credentials
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import AnnouncedTrack, LoopedFile, Stream
from extension.wiring import cameras as camera_wiring
from tests.pipeline.via_double import SAFE, Answer, ViaDouble, captions
from tests.sources.camera.plant import QUICK
from tests.sources.camera.test_capture_faults import Noise
from tests.sources.rtsp.clips import draw_clip

SECRET = "s3cr3t/pass"
USER = "joanna"
LONG = "제" * 64
STRANGE = "정문 #1 50% <b>&?"
FALL = json.dumps(
    {
        "status": "danger",
        "events": [
            {
                "kind": "fall",
                "start_s": 0.5,
                "end_s": 1.0,
                "severity": "danger",
                "objects": ["person"],
                "description": "A person falls.",
            }
        ],
        "summary": "",
    }
)
SOON = dataclasses.replace(QUICK, patience=Patience(open_s=2.0, stall_s=2.0), down_after_s=6.0)
"""As in a plant, a camera is down only when it had time to say what is wrong."""

GOOD = ("cam10", "changes", "past", "future", "jumps", LONG, STRANGE)
DOWN = {
    "host": ("Unreachable", "nothing answers at this address"),
    "port": ("Unreachable", "nothing answers at this address"),
    "path": ("NotFound", "knows no stream under this path"),
    "password": ("Unauthorized", "refuses the user name or password"),
    "sound": ("NotVideo", "holds no video"),
    "mjpeg": ("UnsupportedCodec", "neither H.264 nor H.265"),
    "noise": ("Undecodable", "cannot be decoded"),
    "plain": ("NotEncrypted", "no encrypted connection"),
}


class Seer(ViaDouble):
    """A via-server that knows by its notes which camera it is asked about, and sees falls with some of them."""

    def __init__(self) -> None:
        super().__init__(self._seen)
        self.falls: set[str] = set()
        self.asked: list[str] = []

    def _seen(self, query: dict[str, Any], _: int) -> Answer:
        owners = [name for name in ("cam1", *GOOD) if _mark(name) in json.dumps(query)]
        self.asked.append(owners[0] if len(owners) == 1 else "unknown")
        return 200, captions(query, lambda _s: FALL if self.falls & set(owners) else SAFE)


def _mark(name: str) -> str:
    """A word in the notes of a camera, which are told to the VLM with each of its windows and no other's."""
    return job_id(name)


@dataclasses.dataclass
class Plant:
    """A running service with good and bad cameras."""

    client: TestClient
    server: RtspServer
    seer: Seer
    data_dir: Path
    logs: Sequence[Mapping[str, Any]]

    def cameras(self) -> list[dict[str, Any]]:
        """As the API tells them."""
        found: list[dict[str, Any]] = self.client.get("/api/v1/cameras").json()
        return found

    def camera(self, name: str) -> dict[str, Any]:
        """One of them."""
        answer = self.client.get(f"/api/v1/cameras/{quote(name, safe='')}")
        assert answer.status_code == 200, name
        page: dict[str, Any] = answer.json()
        return page

    def incidents(self, name: str) -> list[dict[str, Any]]:
        """Those of a camera."""
        found: list[dict[str, Any]] = self.client.get(f"/api/v1/jobs/{job_id(name)}/incidents").json()
        return found

    def looked(self, name: str) -> int:
        """Windows of a camera that the VLM answered."""
        return int(self.camera(name)["windows"].get("looked", 0))

    def has_looked(self, name: str, windows: int) -> bool:
        """Whether so many windows of a camera were looked at."""
        return self.looked(name) >= windows

    def wait_for(self, found: Callable[[], Any], within_s: float = 60.0) -> Any:
        """What comes, as soon as it comes."""
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            if value := found():
                return value
            time.sleep(0.1)
        raise AssertionError("it did not come")


def _streams(folder: Path) -> dict[str, Stream | list[Stream]]:
    clip = draw_clip(folder / "clip.mp4")
    large = draw_clip(folder / "large.mp4", size=(320, 240))
    good: dict[str, Stream | list[Stream]] = {
        name: LoopedFile(clip) for name in ("cam1", "cam10", "past", "future", "jumps", "long", "strange")
    }
    return good | {
        "changes": [LoopedFile(clip), LoopedFile(large)],
        "sound": AnnouncedTrack(["m=audio 0 RTP/AVP 0", "a=rtpmap:0 PCMU/8000"]),
        "mjpeg": AnnouncedTrack(["m=video 0 RTP/AVP 26"]),
        "noise": Noise(LoopedFile(clip)),
    }


def _entries(server: RtspServer, gone: str) -> list[dict[str, Any]]:
    address = partial(server.url, user=USER, password=SECRET)
    urls = {name: address(name) for name in ("cam1", "cam10", "changes", "past", "future", "jumps")}
    urls |= {LONG: address("long"), STRANGE: address("strange")}
    urls |= {name: address(name) for name in ("sound", "mjpeg", "noise")}
    urls |= {
        "host": f"rtsp://{USER}:s3cr3t@nobody.invalid/live",
        "port": gone,
        "path": address("nothing"),
        "password": server.url("cam1", user=USER, password=f"wrong{SECRET}"),
        "plain": address("cam1").replace("rtsp:", "rtsps:"),
        "north/gate": address("cam1"),
        "slash": f"rtsp://{USER}:12/s3cr3t@127.0.0.1/live",
        "scheme": f"http://{USER}:s3cr3t@127.0.0.1/live",
    }
    named = [{"name": name, "url": url, "notes": _mark(name)} for name, url in urls.items()]
    twice = {"name": "cam1", "url": address("cam10"), "notes": "another"}
    return [{**one, "window_s": 2, "stride_s": 2, "merge_gap_s": 1} for one in [*named, twice]]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """All of them together, captured faster than in a plant, until each has settled."""
    folder = tmp_path_factory.mktemp("plant")
    with ExitStack() as done:
        patch = done.enter_context(pytest.MonkeyPatch.context())
        logs = done.enter_context(capture_logs())
        with RtspServer({}) as closed:
            gone = closed.url("live", user=USER, password=SECRET)
        server = done.enter_context(
            RtspServer(_streams(folder), credentials=Credentials(USER, SECRET), seed=1)
        )
        server.set_faults("past", Faults(clock_s=-400 * 86_400.0))
        server.set_faults("future", Faults(clock_s=7200.0))
        seer = done.enter_context(Seer())
        book = folder / "cameras.yaml"
        book.write_text(yaml.safe_dump({"cameras": _entries(server, gone)}, allow_unicode=True), "utf-8")
        patch.setenv("EXT_CAMERAS_FILE", str(book))
        patch.setenv("VIA_BACKEND", seer.url)
        patch.setattr(camera_wiring, "CaptureOptions", lambda: SOON)
        service = wiring.build(load(None, data_dir=folder / "data"), own_url="", page=False)
        done.callback(service.stop)
        service.start()
        client = done.enter_context(TestClient(service.app))
        made = Plant(client, server, seer, folder / "data", logs)
        made.wait_for(lambda: all(made.looked(name) >= 2 for name in ("cam1", *GOOD)))
        made.wait_for(lambda: all(made.incidents(name) for name in DOWN))
        yield made


@pytest.mark.e2e
@pytest.mark.parametrize("name", DOWN)
def test_a_camera_that_never_comes(plant: Plant, name: str) -> None:
    """Has one code, one sentence that says what to do, and one incident of its own; nothing else is made of it."""
    code, words = DOWN[name]
    camera = plant.camera(name)
    assert (camera["trouble"], camera["segments"], camera["picture"]) == (code, 0, None)
    assert words in camera["message"]
    assert "looked" not in camera["windows"]
    (incident,) = plant.incidents(name)
    assert (incident["phase"], incident["kind"]) == (Phase.OPEN, Kind.OTHER)
    assert f"Camera {name} shows no picture" in incident["description"]
    assert words in incident["description"]


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("north/gate", "a camera's name holds no slash"),
        ("slash", "%2F for /"),
        ("scheme", "must begin with rtsp:// or rtsps://"),
        ("cam1", "another camera has this name already"),
    ],
)
def test_a_camera_that_cannot_be_captured_at_all(plant: Plant, name: str, words: str) -> None:
    """Is refused by name, and says what to mend."""
    (refused,) = (one for one in plant.cameras() if one["name"] == name and one["state"] == "refused")
    assert words in refused["message"]
    assert refused["segments"] == 0
    assert [entry for entry in plant.logs if entry["event"] == "camera_refused" and entry["camera"] == name]


@pytest.mark.e2e
def test_the_first_of_two_with_one_name_goes_on(plant: Plant) -> None:
    """It is the one that answers under the name."""
    camera = plant.camera("cam1")
    assert (camera["state"], camera["trouble"]) == ("recording", None)


@pytest.mark.e2e
def test_cam1_is_not_cam10(plant: Plant) -> None:
    """A fall before cam1 is an incident of cam1 alone: windows, answers, evidence, files and metrics keep them apart."""
    plant.seer.falls = {"cam1"}
    (fall,) = plant.wait_for(lambda: [one for one in plant.incidents("cam1") if one["kind"] == Kind.FALL])
    plant.seer.falls = set()
    page = plant.wait_for(lambda: _evidence(plant, fall["id"]))
    assert page["manifest"]["source"]["name"] == "cam1"
    assert {link["name"] for link in page["links"]} >= {"clip.mp4", "snapshot.jpg"}
    ring = plant.data_dir / "ring"
    own = {path.name for path in (ring / "cam1").glob("*/*")}
    used = {file["name"] for file in page["manifest"]["source"]["files"]}
    assert used
    assert used <= own
    assert not used & {path.name for path in (ring / "cam10").glob("*/*")}
    at = {"at": fall["start_at"]}
    other = plant.client.get("/api/v1/cameras/cam10/windows", params=at).json()
    assert other
    assert all(window["status"] == "safe" for window in other)
    assert plant.incidents("cam10") == []
    metrics = plant.client.get("/metrics").text
    assert 'camera="cam1"' in metrics
    assert 'camera="cam10"' in metrics


def _evidence(plant: Plant, incident_id: str) -> dict[str, Any] | None:
    answer = plant.client.get(f"/api/v1/incidents/{incident_id}/evidence")
    page: dict[str, Any] = answer.json()
    return page if answer.status_code == 200 else None


@pytest.mark.e2e
def test_a_camera_that_changes_its_resolution(plant: Plant) -> None:
    """Is looked at before, across and after the change, without a break; nobody is told of an accident."""
    looked = plant.looked("changes")
    plant.server.set_faults("changes", Faults(variant=1))
    plant.wait_for(lambda: plant.camera("changes")["picture"] == "h264 320x240")
    plant.wait_for(lambda: plant.has_looked("changes", looked + 3))
    camera = plant.camera("changes")
    assert set(camera["windows"]) == {"looked"}
    assert camera["reconnects"] == 0
    assert plant.incidents("changes") == []


@pytest.mark.e2e
@pytest.mark.parametrize(("name", "offset_s"), [("past", -400 * 86_400.0), ("future", 7200.0)])
def test_a_clock_in_another_time(plant: Plant, name: str, offset_s: float) -> None:
    """Is shown with how far it is off; windows and times are those of arrival, and nothing is lost."""
    camera = plant.wait_for(lambda: plant.camera(name) if plant.camera(name)["clock_offset_s"] else None)
    assert camera["clock_offset_s"] == pytest.approx(offset_s, abs=3)
    assert camera["state"] == "recording"
    late_s = (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(camera["last_frame_at"])).total_seconds()
    assert abs(late_s) < 10
    assert set(camera["windows"]) == {"looked"}
    assert plant.looked(name) >= 2


@pytest.mark.e2e
def test_a_clock_that_jumps(plant: Plant) -> None:
    """An hour ahead, then a year back, then right: looked at all the while."""
    for clock_s in (3600.0, -365 * 86_400.0, 0.0):
        wanted = plant.looked("jumps") + 2
        plant.server.set_faults("jumps", Faults(clock_s=clock_s))
        plant.wait_for(partial(plant.has_looked, "jumps", wanted))
    assert plant.camera("jumps")["reconnects"] == 0
    assert plant.incidents("jumps") == []


@pytest.mark.e2e
@pytest.mark.parametrize("name", [pytest.param(LONG, id="long"), pytest.param(STRANGE, id="strange")])
def test_names_of_all_kinds(plant: Plant, name: str) -> None:
    """Long ones, Korean ones, and such as mean something in addresses and pages."""
    assert plant.looked(name) >= 2
    assert plant.client.get("/api/v1/cameras/other").status_code == 404
    folders = {camera_name(path.name) for path in (plant.data_dir / "ring").iterdir()}
    assert name in folders
    job = plant.client.get(f"/api/v1/jobs/{job_id(name)}").json()
    assert job["name"] == name


@pytest.mark.e2e
def test_the_good_ones_lose_nothing(plant: Plant) -> None:
    """Every second after their start is recorded or on its way; none went down."""
    for name in ("cam1", *GOOD):
        camera = plant.camera(name)
        assert camera["state"] == "recording", name
        assert set(camera["lost_s"]) <= {"Starting", "MissingFrames"}, name
        assert [one for one in plant.incidents(name) if one["kind"] == Kind.OTHER] == [], name


@pytest.mark.e2e
def test_passwords_are_nowhere(plant: Plant) -> None:
    """Not in the API, the metrics, the log, the store, or any name or manifest on disk."""
    pages = [
        plant.client.get(path).text
        for path in ("/api/v1/cameras", "/api/v1/incidents", "/api/v1/jobs", "/metrics", "/api/v1/about")
    ]
    pages += [repr(plant.logs), *(str(path) for path in plant.data_dir.rglob("*"))]
    pages += [path.read_text("utf-8") for path in plant.data_dir.rglob("manifest.json")]
    pages += [
        path.read_bytes().decode("latin-1")
        for path in plant.data_dir.rglob("*")
        if ".db" in path.suffixes[:1]
    ]
    for page in pages:
        assert "s3cr3t" not in page
        assert USER not in page


@pytest.mark.e2e
def test_nothing_broke(plant: Plant) -> None:
    """No work had to be started again, and windows went to the right camera."""
    assert not [entry for entry in plant.logs if entry["event"] == "work_broke"]
    assert "unknown" not in plant.seer.asked
    for path in list((plant.data_dir / "ring").glob("*/*/*.mp4"))[:5]:
        with av.open(str(path)) as container:
            assert next(container.decode(container.streams.video[0]))
