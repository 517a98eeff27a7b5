"""The simulator as a program: its output, its control port and its end."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.util
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import pytest
import requests

from extension.errors import BadInput
from extension.sources.rtsp.accidents import Accident
from extension.sources.rtsp.scenes import Drawn
from tests.sources.rtsp.clips import draw_clip, until
from tests.sources.rtsp.raw_client import RawClient

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "rtsp_sim.py"


@pytest.fixture(scope="module")
def rtsp_sim() -> ModuleType:
    """The script as a module; scripts are no package."""
    spec = importlib.util.spec_from_file_location("rtsp_sim", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["rtsp_sim"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a bar that walks."""
    return draw_clip(tmp_path_factory.mktemp("clips") / "clip.mp4")


class Program:
    """The simulator, running."""

    def __init__(self, *args: str) -> None:
        command = [str(ROOT / "scripts" / "rtsp-sim"), *args, "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.urls: list[str] = []
        self.control = ""
        for line in self.process.stdout or ():
            if line.startswith("control "):
                self.control = line.split()[1]
                break
            self.urls.append(line.strip())

    def call(self, method: str, path: str = "", body: Any = None) -> tuple[int, Any]:
        """A control request; status and answer."""
        data = None if body is None else body if isinstance(body, str) else json.dumps(body)
        found = requests.request(method, self.control + path, data=data, timeout=10)
        return found.status_code, found.json()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def program(clip: Path) -> Iterator[Program]:
    """Two cameras, one of which stalls from the start."""
    running = Program(str(clip), "--cameras", "2", "--fault", "cam1:stall", "--fault", "cam1:clock_s=-60")
    yield running
    assert running.stop() == 0


def test_it_says_where_its_cameras_are(program: Program) -> None:
    """One address a line, then that of its control port."""
    assert [url.rsplit("/", 1)[1] for url in program.urls] == ["cam0", "cam1"]
    assert all(url.startswith("rtsp://127.0.0.1:") for url in program.urls)
    assert program.control.startswith("http://127.0.0.1:")


def test_its_cameras_play(program: Program) -> None:
    """Frames come."""
    with av.open(
        program.urls[0], options={"rtsp_transport": "tcp", "fpsprobesize": "3"}, timeout=(15, 10)
    ) as watched:
        frame = next(watched.decode(watched.streams.video[0]))
        assert (frame.width, frame.height) == (160, 120)


def test_faults_of_the_command_line_are_set(program: Program) -> None:
    """From the start, of their camera alone."""
    status, cameras = program.call("GET")
    assert status == 200
    assert [camera["faults"]["stall"] for camera in cameras] == [False, True]
    assert [camera["faults"]["clock_s"] for camera in cameras] == [0.0, -60.0]
    assert cameras[0]["loop_s"] == pytest.approx(2.0)


def test_faults_are_set_and_taken_back(program: Program) -> None:
    """While it runs."""
    assert program.call("POST", "/cam0/faults", {"deny": True})[1]["faults"]["deny"] is True
    with RawClient(program.urls[0]) as client:
        assert client.ask("DESCRIBE").status == 401
    assert program.call("DELETE", "/cam0/faults")[1]["faults"]["deny"] is False
    with RawClient(program.urls[0]) as client:
        assert client.ask("DESCRIBE").status == 200


@pytest.mark.parametrize(("how", "end"), [("drop", "closed"), ("reset", "reset")])
def test_connections_are_cut(program: Program, how: str, end: str) -> None:
    """In order, or with a reset."""
    with RawClient(program.urls[0]) as client:
        client.play()
        until(lambda: program.call("GET")[1][0]["viewers"] == 1)
        assert program.call("POST", f"/cam0/{how}")[0] == 200
        assert client.ended() == end


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/cam9/faults", {"stall": True}, 400, "there is no stream 'cam9'"),
        ("POST", "/cam0/faults", {"stal": True}, 400, "there is no fault 'stal'"),
        ("POST", "/cam0/faults", {"stall": "yes"}, 400, "stall takes"),
        ("POST", "/cam0/faults", "{", 400, "must be JSON"),
        ("POST", "/cam0/faults", [1], 400, "a JSON object"),
        ("POST", "/cam9/drop", None, 400, "there is no stream"),
        ("GET", "/cam0/nothing", None, 404, "GET /cameras"),
        ("DELETE", "", None, 404, "GET /cameras"),
    ],
)
def test_wrong_control_requests(
    program: Program, method: str, path: str, body: Any, status: int, words: str
) -> None:
    """Say what is wrong, and harm nothing."""
    found, answer = program.call(method, path, body)
    assert found == status
    assert words in answer["error"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("cam0:stall", ("cam0", {"stall": True})),
        ("cam1:clock_s=-3600", ("cam1", {"clock_s": -3600.0})),
        ("cam2:loss=0.25", ("cam2", {"loss": 0.25})),
        ("cam3:variant=1", ("cam3", {"variant": 1})),
    ],
)
def test_faults_of_a_command_line(
    rtsp_sim: ModuleType, text: str, wanted: tuple[str, dict[str, Any]]
) -> None:
    """Camera, fault and number."""
    assert rtsp_sim.read_fault(text) == wanted


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--size", "large"], "is no size"),
        (["--fault", "cam0:foo"], "there is no fault"),
        (["--fault", "cam0:loss=much"], "is no fault"),
        (["--fault", "cam0"], "there is no fault"),
        (["--fault", "cam9:stall"], "there is no stream"),
        (["pyproject.toml"], "not a video"),
        (["gone.mp4"], "cannot be read"),
    ],
)
def test_wrong_command_lines(
    rtsp_sim: ModuleType,
    args: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One sentence and exit code 2."""
    import typer
    from typer.testing import CliRunner

    monkeypatch.chdir(ROOT)
    app = typer.Typer()
    app.command()(rtsp_sim.main)
    rtsp_sim.console.width = 200
    found = CliRunner().invoke(app, [*args, "--port", "0"])
    assert found.exit_code == 2
    assert words in capsys.readouterr().out + found.output


def test_accidents_are_told_to_a_file_as_they_are_drawn(rtsp_sim: ModuleType, tmp_path: Path) -> None:
    """A JSON object a line: at the onset without an end, later with one."""
    path = tmp_path / "truth.jsonl"
    begins = Drawn("cam0", 3, Accident.FIRE, dt.datetime(2026, 5, 4, tzinfo=dt.UTC))
    with rtsp_sim.telling(path) as tell:
        tell(begins)
        assert json.loads(path.read_text())["end_at"] is None, "it is there at once"
        tell(dataclasses.replace(begins, end_at=dt.datetime(2026, 5, 4, 0, 0, 12, tzinfo=dt.UTC)))
    one, other = map(json.loads, path.read_text().splitlines())
    assert (one["camera"], one["number"], one["kind"]) == ("cam0", 3, "fire")
    assert other == {**one, "end_at": "2026-05-04T00:00:12+00:00"}


def test_a_truth_file_that_cannot_be_written_is_named(rtsp_sim: ModuleType, tmp_path: Path) -> None:
    """Before anything is served."""
    with pytest.raises(BadInput, match=r"truth\.jsonl"), rtsp_sim.telling(tmp_path / "no" / "truth.jsonl"):
        pass
