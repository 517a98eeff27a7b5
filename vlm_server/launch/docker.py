"""Runs the `docker` command line; the only module here that starts programs. It decides nothing."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import Final

from vlm_server.launch.faults import AFTER_START, NO_DOCKER, LaunchFailed, from_docker

QUICK_S: Final = 60.0
"""Longest wait for a docker command that neither downloads nor waits, in seconds."""


@dataclass(frozen=True)
class State:
    """A container as docker sees it."""

    status: str
    exit_code: int
    out_of_memory: bool
    restarts: int

    @property
    def runs(self) -> bool:
        """Up, and up since its first start."""
        return self.status in {"created", "running"} and self.restarts == 0


class Docker:
    """The `docker` found on PATH. Every method raises LaunchFailed with advice when docker says no."""

    def __init__(self) -> None:
        found = shutil.which("docker")
        if found is None:
            raise LaunchFailed(NO_DOCKER)
        self._docker = found

    def check(self) -> None:
        """Make sure that the daemon answers."""
        self._run("version", "--format", "{{.Server.Version}}")

    def state(self, name: str) -> State | None:
        """The container of that name, or None."""
        found = self._try("container", "inspect", "--format", "{{json .State}} {{.RestartCount}}", name)
        if found.returncode != 0:
            return None
        text, restarts = found.stdout.strip().rsplit(" ", 1)
        state = json.loads(text)
        return State(state["Status"], state["ExitCode"], bool(state.get("OOMKilled")), int(restarts))

    def has_image(self, image: str) -> bool:
        """Whether the image is here already."""
        return self._try("image", "inspect", "--format", "{{.Id}}", image).returncode == 0

    def pull(self, image: str) -> None:
        """Fetch the image; docker's own progress goes to the terminal."""
        done = subprocess.run(  # noqa: S603 -- our own words, no shell
            [self._docker, "pull", image], stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode != 0:
            raise from_docker(done.stderr)

    def start(self, command: list[str]) -> None:
        """Run a `docker run --detach` command."""
        self._run(*command[1:])

    def execute(self, name: str, words: tuple[str, ...]) -> None:
        """Run a command inside the container; its output goes to the terminal."""
        done = subprocess.run(  # noqa: S603 -- our own words, no shell
            [self._docker, "exec", name, *words], stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode != 0:
            raise LaunchFailed(AFTER_START, f"{shlex.join(words)}: {done.stderr.strip()[-300:]}")

    def log(self, name: str, lines: int) -> str:
        """The last lines of the container's log, both streams."""
        done = self._try("logs", "--tail", str(lines), name)
        return done.stdout + done.stderr

    def stop(self, name: str) -> None:
        """Stop the container, so that it does not start over and over; its log stays."""
        self._try("stop", "--time", "5", name)

    def remove(self, name: str) -> None:
        """Remove a container that does not run."""
        self._run("rm", "--force", name)

    def _run(self, *words: str) -> str:
        done = self._try(*words)
        if done.returncode != 0:
            raise from_docker(done.stderr)
        return done.stdout

    def _try(self, *words: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 -- our own words, no shell
                [self._docker, *words], capture_output=True, text=True, timeout=QUICK_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise from_docker(f"docker {words[0]}: no answer (is the docker daemon running?)") from None
