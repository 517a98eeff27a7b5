"""The program as it is started: its own process, the real override, a VLM on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import structlog

from tests.via_server.conftest import events_of, until
from tests.via_server.drawing import draw, even
from tests.vss_overrides.vlm_double import MODEL, SAFE_VERDICT, Reply, VlmDouble
from via_server.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.e2e

Program = subprocess.Popen[bytes]


@pytest.fixture
def vlm() -> Iterator[VlmDouble]:
    """A VLM that answers "safe" at once unless it is told otherwise."""
    with VlmDouble() as double:
        yield double


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts `python -m via_server`; what still runs at the end is killed."""
    started: list[Program] = []

    def run(*arguments: str, **environ: str) -> Program:
        command = [sys.executable, "-m", "via_server", "--asset-dir", str(tmp_path / "assets"), *arguments]
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("VIA_", "VLM_", "OPENAI_"))
        }
        started.append(subprocess.Popen(command, cwd=ROOT, env=own | environ, stderr=subprocess.PIPE))
        return started[-1]

    yield run
    for program in started:
        program.kill()
        program.communicate()


@pytest.fixture
def serve(
    launch: Callable[..., Program], vlm: VlmDouble, tmp_path: Path
) -> Callable[..., tuple[Program, str]]:
    """Starts the server for the double; gives the process and the server's URL."""

    def run(*arguments: str, **environ: str) -> tuple[Program, str]:
        port_file = tmp_path / "port"
        program = launch(
            "--port", "0", "--port-file", str(port_file), *arguments, **vlm.environment, **environ
        )
        until(lambda: port_file.exists() or program.poll() is not None, 60)
        assert program.poll() is None, program.stderr.read().decode() if program.stderr else ""
        return program, f"http://127.0.0.1:{int(port_file.read_text())}"

    return run


def add(url: str, path: Path) -> str:
    """Upload a video; its id."""
    with path.open("rb") as content:
        form = {"purpose": "vision", "media_type": "video"}
        response = requests.post(f"{url}/files", data=form, files={"file": (path.name, content)}, timeout=30)
    file_id: str = response.json()["id"]
    return file_id


def test_a_video_becomes_captions(
    serve: Callable[..., tuple[Program, str]], vlm: VlmDouble, clip: Path
) -> None:
    """Uploaded, cut, decoded, asked about through the override, answered in one piece and as a stream; then stopped."""
    program, url = serve()
    model = requests.get(f"{url}/models", timeout=10).json()["data"][0]["id"]
    assert model == MODEL
    file_id = add(url, clip)
    body = {
        "id": [file_id],
        "model": model,
        "prompt": "What?",
        "chunk_duration": 2,
        "num_frames_per_chunk": 4,
    }

    answer = requests.post(f"{url}/generate_vlm_captions", json=body, timeout=30).json()
    assert [chunk["content"] for chunk in answer["chunk_responses"]] == [SAFE_VERDICT] * 3
    report = json.loads(answer["chunk_responses"][0]["reasoning_description"])
    assert (report["packing"], report["frames"], report["input_tokens"]) == ("video_jpeg", 4, 100)

    told = {asked.user_parts[1]["text"] for asked in vlm.requests}
    assert "Frame times in seconds: 0.00, 0.50, 1.00, 1.50" in told
    assert "Frame times in seconds: 0.00, 0.30, 0.50, 0.80" in told  # the last second, from 4.0

    vlm.script.append(Reply(status=400, error="no"))
    streamed = body | {"stream": True, "stream_options": {"include_usage": True}}
    events = events_of(requests.post(f"{url}/generate_vlm_captions", json=streamed, timeout=30).text)
    contents = [event["chunk_responses"][0]["content"] for event in events[:3]]
    assert sorted("Refused" in content for content in contents) == [False, False, True]
    assert events[3]["usage"]["total_chunks_processed"] == 3
    assert events[4] == "[DONE]"

    assert requests.delete(f"{url}/files/{file_id}", timeout=10).json()["deleted"] is True
    program.send_signal(signal.SIGTERM)
    assert program.wait(20) == 0


def test_a_vlm_that_is_down_fails_chunks_by_name(
    serve: Callable[..., tuple[Program, str]], vlm: VlmDouble, tmp_path: Path
) -> None:
    """The request succeeds, every chunk says why it has no answer, and the next request is fine."""
    _, url = serve(CHUNK_CAPTION_RETRIES="0")
    file_id = add(url, draw(tmp_path / "a.mp4", even(40, 10)))
    body = {"id": file_id, "model": MODEL, "prompt": "What?", "chunk_duration": 1}
    vlm.default = Reply(reset=True)
    answer = requests.post(f"{url}/generate_vlm_captions", json=body, timeout=30).json()
    codes = [json.loads(chunk["content"])["error"]["code"] for chunk in answer["chunk_responses"]]
    assert codes == ["Unreachable"] * 4
    vlm.default = Reply()
    answer = requests.post(f"{url}/generate_vlm_captions", json=body, timeout=30).json()
    assert [chunk["content"] for chunk in answer["chunk_responses"]] == [SAFE_VERDICT] * 4


def test_it_stops_while_the_vlm_is_silent(
    serve: Callable[..., tuple[Program, str]], vlm: VlmDouble, clip: Path, tmp_path: Path
) -> None:
    """Within its grace, with status 0, its uploads removed."""
    program, url = serve()
    file_id = add(url, clip)
    vlm.default = Reply(hang=True)
    body = {"id": file_id, "model": MODEL, "prompt": "?", "stream": True}
    with requests.post(f"{url}/generate_vlm_captions", json=body, stream=True, timeout=30):
        until(lambda: vlm.requests)
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0
    assert list((tmp_path / "assets").iterdir()) == []


def test_a_missing_endpoint_ends_the_start_with_its_reason(launch: Callable[..., Program]) -> None:
    """Status 1 and one line that names what to mend; no traceback."""
    program = launch("--port", "0")
    _, error = program.communicate(timeout=60)
    assert program.returncode == 1
    assert "VIA_VLM_ENDPOINT is not set" in error.decode()
    assert "Traceback" not in error.decode()


def test_an_asset_folder_that_cannot_be_used_ends_the_start(
    launch: Callable[..., Program], vlm: VlmDouble, tmp_path: Path
) -> None:
    """A file stands in its place; a port left by an earlier run does not stay behind."""
    (tmp_path / "assets").write_text("in the way")
    (tmp_path / "port").write_text("1")
    program = launch("--port", "0", "--port-file", str(tmp_path / "port"), **vlm.environment)
    _, error = program.communicate(timeout=60)
    assert program.returncode == 1
    assert "assets" in error.decode()
    assert "Traceback" not in error.decode()
    assert not (tmp_path / "port").exists()


@pytest.fixture
def quiet_again() -> Iterator[None]:
    """Gives the process its own logging back after `main` has set up the program's."""
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("quiet_again")
@pytest.mark.parametrize(
    ("arguments", "environ", "reason"),
    [
        ([], {"VLM_INPUT_WIDTH": "wide"}, "VLM_INPUT_WIDTH"),
        (["--overrides-dir", "/nowhere"], {}, "no override class at"),
        (["--host", "192.0.2.1"], {}, "assign"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_its_reason(
    arguments: list[str],
    environ: dict[str, str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Status 1 and the knob's name."""
    for name, value in ({"VIA_VLM_ENDPOINT": "http://127.0.0.1:9/v1"} | environ).items():
        monkeypatch.setenv(name, value)
    assert main(["--port", "0", "--asset-dir", str(tmp_path), *arguments]) == 1
    assert reason in capsys.readouterr().err
