"""The main job as a newcomer starts it: whole programs, a real video, a receiver that verifies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from extension.sources.replay.generate import generate
from extension.sources.replay.plan import Plan
from extension.sources.replay.render import render
from extension.sources.replay.style import Style
from extension.timetravel.trajectory_csv import write_trajectory

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
FOOTAGE = ROOT.parent / "shared" / "footage"


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A replay of twelve seconds with contacts, and its log beside it."""
    folder = tmp_path_factory.mktemp("replay")
    trajectory = generate(Plan(objects=4, duration_s=12.0, contacts=2, near_misses=1), seed=3)
    write_trajectory(trajectory, folder / "replay.csv")
    render(trajectory, Style(), folder / "replay.mp4")
    return folder


def _environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EXT_", "VIA_"))}
    return {**kept, **changes}


def _timetravel(*arguments: str, timeout_s: float = 120, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "extension", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=_environment(**changes),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def _report(path: Path) -> dict[str, Any]:
    page: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return page


def test_once_finds_tells_and_scores(replay: Path, tmp_path: Path) -> None:
    """Every contact found, every alert delivered and verified, exit code 0, the report complete."""
    report = tmp_path / "report.json"
    done = _timetravel(
        *("run", "--once", "--data-dir", str(tmp_path / "data"), "--report", str(report)),
        *("--video", str(replay / "replay.mp4"), "--trajectory", str(replay / "replay.csv")),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    page = _report(report)
    assert page["evaluation"]["att_f1"] == page["evaluation"]["det_f1"] == 1.0
    assert len(page["incidents"]) == page["evaluation"]["contacts"] >= 2
    assert page["deliveries"] == {"sent": 2 * len(page["incidents"]), "failed": 0, "pending": 0}
    assert all(len(incident["positions"]) == 2 for incident in page["incidents"])
    assert page["startup_s"] > 0
    assert page["peak_rss_bytes"] > 50e6
    assert f"verified the signatures of {page['deliveries']['sent']} alerts and refused 0" in " ".join(
        done.stdout.split()
    )
    outputs = list((tmp_path / "data" / "outputs").rglob("*eventlist.jsonl"))
    assert len(outputs) == 1
    lines = [json.loads(line) for line in outputs[0].read_text("utf-8").splitlines()]
    assert len(lines) == 2 * len(page["incidents"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "there is no such file", id="missing"),
        pytest.param(b"", "empty", id="zero-byte"),
        pytest.param(b"not a video " * 1000, "bad.mp4", id="not-a-video"),
    ],
)
def test_a_bad_video_is_one_clear_sentence(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """Exit code 1, the file's name, no trace of the program's insides."""
    video = tmp_path / "bad.mp4"
    if content is not None:
        video.write_bytes(content)
    done = _timetravel("run", "--once", "--data-dir", str(tmp_path / "data"), "--video", str(video))
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert reason in said
    assert "Traceback" not in said


def test_a_bad_log_names_its_line(replay: Path, tmp_path: Path) -> None:
    """The log is refused before anything is analysed."""
    log = tmp_path / "log.csv"
    log.write_text("timestamp,objid,x,y,z\n2025-01-01 00:00:00.000,obj001,1,2,north\n")
    done = _timetravel(
        *("run", "--once", "--data-dir", str(tmp_path / "data")),
        *("--video", str(replay / "replay.mp4"), "--trajectory", str(log)),
    )
    assert done.returncode == 1
    assert "line 2" in " ".join((done.stdout + done.stderr).split())


def test_a_wrong_setting_stops_the_start(tmp_path: Path) -> None:
    """By its name, at once."""
    done = _timetravel("run", "--once", "--data-dir", str(tmp_path), EXT_CHUNK_S="none", EXT_SPEED="3")
    assert done.returncode == 1
    assert "EXT_CHUNK_S" in done.stderr
    assert "EXT_SPEED: no such setting" in done.stderr


def test_it_serves_until_ctrl_c_which_stops_every_child(replay: Path, tmp_path: Path) -> None:
    """The page answers, a second start is told where the first is, and nothing is left behind."""
    data = tmp_path / "data"
    command = [sys.executable, "-m", "extension", "run", "--data-dir", str(data)]
    command += ["--video", str(replay / "replay.mp4"), "--trajectory", str(replay / "replay.csv")]
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(EXT_PORT="0"), stdout=out, stderr=out)
    try:
        _until(lambda: "Open http://" in (tmp_path / "out").read_text())
        url = json.loads((data / "service.json").read_text())["url"]
        assert requests.get(f"{url}/ui/", timeout=20).ok
        assert f"{url}/ui" in (tmp_path / "out").read_text()
        children = _children(process.pid)
        assert len(children) >= 3
        again = _timetravel("summarize", str(replay / "replay.mp4"), "--data-dir", str(data))
        assert again.returncode == 0, again.stdout + again.stderr
        assert f"using the service at {url}" in again.stdout
        refused = _timetravel("run", "--once", "--data-dir", str(data))
        assert refused.returncode == 1
        assert "already runs" in refused.stderr
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    _until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))


def test_a_killed_child_comes_back_and_the_job_ends(replay: Path, tmp_path: Path) -> None:
    """Kill -9 of the service amid the job: the supervisor starts it again, nothing is lost."""
    report, data = tmp_path / "report.json", tmp_path / "data"
    command = [
        sys.executable,
        "-m",
        "extension",
        "run",
        "--once",
        "--data-dir",
        str(data),
        "--report",
        str(report),
    ]
    command += ["--video", str(replay / "replay.mp4"), "--trajectory", str(replay / "replay.csv")]
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=out, stderr=out)
    try:
        _until(lambda: "analysing" in (tmp_path / "out").read_text() or (data / "service.json").exists())
        (service,) = [pid for pid in _children(process.pid) if "extension serve" in _command_of(pid)]
        os.kill(service, signal.SIGKILL)
        assert process.wait(90) == 0, (tmp_path / "out").read_text()
    finally:
        process.kill()
        process.wait()
    page = _report(report)
    assert page["evaluation"]["att_f1"] == 1.0
    assert page["deliveries"]["sent"] == 2 * len(page["incidents"])


@pytest.mark.footage
def test_the_labs_own_recording(tmp_path: Path) -> None:
    """Every contact that the recording shows, and none besides; the one it misses is told from the log."""
    video, log = FOOTAGE / "video_180.mp4", FOOTAGE / "living_trajectory_1min_0.2s.csv"
    if not video.exists():
        pytest.skip("the recordings are not beside the project")
    report = tmp_path / "report.json"
    done = _timetravel(
        *("run", "--once", "--data-dir", str(tmp_path / "data"), "--report", str(report)),
        *("--video", str(video), "--trajectory", str(log), "--speed", "3"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    scores = _report(report)["evaluation"]
    assert (scores["contacts"], scores["shown"]["contacts"]) == (9, 8)
    assert scores["att_f1"] >= 0.95
    assert scores["shown"]["att_f1"] >= 0.95


def _children(pid: int) -> list[int]:
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _parent_of(int(entry.name)) == pid
    ]


def _parent_of(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def _until(fact: Callable[[], bool], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
