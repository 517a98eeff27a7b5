"""What several tests of the reference VLM share: one skill, one running server, the recordings."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vlm_server.reference.skills.replay_view.skill import ReplayView

ROOT = Path(__file__).parents[2]
FOOTAGE = ROOT.parent / "shared" / "footage"


@pytest.fixture(scope="session")
def skill() -> ReplayView:
    """One skill for all tests; it holds no state between chunks."""
    return ReplayView()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real program on a free port; yields its address."""
    port_file = tmp_path_factory.mktemp("reference") / "port"
    command = [sys.executable, "-m", "vlm_server.reference", "--port", "0", "--port-file", str(port_file)]
    with subprocess.Popen(command, cwd=ROOT) as program:
        try:
            yield f"http://127.0.0.1:{announced(program, port_file)}"
        finally:
            program.terminate()
            program.wait(20)


def announced(program: subprocess.Popen[bytes], port_file: Path) -> int:
    """Wait for the port that the program announces."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if port_file.exists():
            return int(port_file.read_text())
        if program.poll() is not None:
            raise RuntimeError(f"the server ended with {program.returncode}")
        time.sleep(0.02)
    raise TimeoutError("the server did not announce its port")


@pytest.fixture(scope="session")
def footage() -> Path:
    """The folder of recordings beside the project."""
    if not (FOOTAGE / "video_180.mp4").exists():
        pytest.skip("the recordings are not beside the project")
    return FOOTAGE
