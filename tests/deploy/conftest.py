"""The real `docker compose`, found or unpacked, and a stand-in `docker` that plays faults."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OLDEST = (2, 24, 4)
"""The first Compose that knows `!override` and `!reset` as documented."""


def _version(command: list[str]) -> tuple[int, ...]:
    try:
        said = subprocess.run(
            [*command, "version", "--short"], capture_output=True, text=True, timeout=20, check=False
        )
    except OSError:
        return ()
    numbers = said.stdout.strip().removeprefix("v").split("-")[0].split("+")[0].split(".")
    return tuple(map(int, numbers)) if said.returncode == 0 and all(n.isdigit() for n in numbers) else ()


def _unpacked() -> list[str]:
    """Compose from Debian's package, kept below the user's cache; skips with the reason when it cannot be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "timetravel"
    folder = cache / "docker-compose-trixie"
    plugin = folder / "usr" / "libexec" / "docker" / "cli-plugins" / "docker-compose"
    if not all(map(shutil.which, ("apt-get", "dpkg-deb"))):
        pytest.skip("no docker compose here, and no apt to fetch it with")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "docker-compose.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not plugin.exists():
            unfinished = folder.with_name(folder.name + ".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            try:
                done = subprocess.run(
                    [HERE / "fetch_compose.sh", unfinished],
                    capture_output=True,
                    text=True,
                    timeout=120,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                pytest.skip("no docker compose here, and apt did not answer in time")
            if done.returncode != 0:
                pytest.skip(
                    f"no docker compose here, and apt could not fetch it: {done.stderr.strip()[-200:]}"
                )
            unfinished.rename(folder)
    return [str(plugin)]


@pytest.fixture(scope="session")
def compose_command() -> list[str]:
    """The command line of a real Docker Compose, version 2.24.4 or newer."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and _version(command) >= OLDEST:
            return command
    command = _unpacked()
    assert _version(command) >= OLDEST
    return command


@dataclass
class Project:
    """A project folder beside an unedited checkout, as docs/deployment.md lays them out."""

    folder: Path
    upstream: Path
    command: list[str]

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`docker compose` in the project's folder, with nothing in the environment but what is said."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        surroundings = {**kept, "PWD": str(self.folder), **environment}
        return subprocess.run(
            [*self.command, *words],
            cwd=self.folder,
            env={name: value for name, value in surroundings.items() if value},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def config(self, *flags: str, **environment: str) -> dict[str, Any]:
        """The merged result."""
        done = self.run(*flags, "config", "--format", "json", **environment)
        assert done.returncode == 0, done.stderr
        merged: dict[str, Any] = json.loads(done.stdout)
        return merged

    def via_server(self, **environment: str) -> dict[str, Any]:
        """The via-server of the merged result."""
        service: dict[str, Any] = self.config(**environment)["services"]["via-server"]
        return service

    def set(self, **values: str) -> None:
        """Append lines to the project's `.env`."""
        with (self.folder / ".env").open("a") as lines:
            lines.writelines(f"{name}={value}\n" for name, value in values.items())


@pytest.fixture
def project(compose_command: list[str], tmp_path: Path) -> Project:
    """A project with the repository's override over the stand-in, tied together by its `.env` alone."""
    upstream = tmp_path / "vss" / "deploy" / "docker" / "remote_vlm_deployment"
    upstream.mkdir(parents=True)
    shutil.copy(HERE / "vss_shape.yaml", upstream / "compose.yaml")
    (upstream / ".env").write_text(
        "export BACKEND_PORT=8100\nexport FRONTEND_PORT=9100\nexport VLM_MODEL_TO_USE=cosmos-reason1\n"
        "export NUM_VLM_PROCS=10\nexport DISABLE_CA_RAG=false\n"
    )
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(ROOT / "compose.override.yaml", folder)
    relative = "../vss/deploy/docker/remote_vlm_deployment/compose.yaml"
    (folder / ".env").write_text(f"COMPOSE_FILE={relative}:compose.override.yaml\n")
    return Project(folder, upstream, compose_command)


@dataclass
class StandInDocker:
    """A `docker` of our own on PATH. It knows no containers: it plays the fault it is told to."""

    folder: Path

    def plays(self, **script: Any) -> None:
        """Say what happens from now on; see stand_in_docker.py for the keys."""
        (self.folder / "script.json").write_text(json.dumps(script))

    def calls(self) -> list[list[str]]:
        """Every command it was given, oldest first."""
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def called(self, *words: str) -> list[list[str]]:
        """Those of its commands that begin with these words."""
        return [call for call in self.calls() if call[: len(words)] == list(words)]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInDocker]:
    """The stand-in, first on PATH; a server it started ends with the test."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "docker"
    program.write_text(f"#!{sys.executable} -IS\n" + (HERE / "stand_in_docker.py").read_text())
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HF_HOME", "HF_TOKEN", "XDG_CACHE_HOME", "VLLM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    stand_in = StandInDocker(folder)
    stand_in.plays()
    yield stand_in
    subprocess.run([program, "stop", "--time", "5", "any"], check=False, capture_output=True)


@pytest.fixture
def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        return int(probe.getsockname()[1])
