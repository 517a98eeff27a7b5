"""One child program: started on a leash, waited for until it is ready, started anew when it dies, stopped at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
import structlog

from extension.clock import Clock
from extension.errors import Unavailable

_LOG = structlog.get_logger(__name__)
_POLL_S = 0.05
_PROBE_S = 2.0
_LOG_TAIL = 12


@dataclass(frozen=True, slots=True)
class Program:
    """How to start a child and how to tell that it is ready.

    Attributes:
        name: What people call it.
        module: Python module to run; it takes `--port` and `--port-file`.
        args: Its other arguments.
        env: Its whole environment.
        port: Port to listen on; 0 takes a free one, which is kept over restarts.
        ready_path: Path that answers 200 once it is ready.
    """

    name: str
    module: str
    args: Sequence[str]
    env: Mapping[str, str]
    port: int
    ready_path: str


class Child:
    """A running program of ours."""

    def __init__(self, program: Program, folder: Path, clock: Clock) -> None:
        self._program = program
        self._clock = clock
        self._port = program.port
        self._port_file = folder / f"{program.name}.port"
        self._log_file = folder / f"{program.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    @property
    def name(self) -> str:
        """What people call it."""
        return self._program.name

    @property
    def pid(self) -> int | None:
        """Its process id, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def url(self) -> str:
        """Its address; known once it is ready."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the program; does not wait for it."""
        with self._lock:
            if self._stopped:
                return
            self._port_file.unlink(missing_ok=True)
            leash = [sys.executable, "-m", "extension.stack.leash", str(os.getpid())]
            command = [sys.executable, "-m", self._program.module, *self._program.args]
            command += ["--port", str(self._port), "--port-file", str(self._port_file)]
            with self._log_file.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 - our own program
                    [*leash, *command],
                    env=dict(self._program.env),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # Ctrl-C is for the parent, which stops its children in order.
                    start_new_session=True,
                )

    def wait_ready(self, timeout_s: float) -> None:
        """Return when the program answers.

        Raises:
            Unavailable: when it ended, or did not answer in time; says what its log says.
        """
        deadline_s = self._clock.monotonic_s() + timeout_s
        while self._clock.monotonic_s() < deadline_s:
            if self.pid is None:
                raise Unavailable(f"{self.name} ended at start:\n{self._log_tail()}")
            if self._answers():
                return
            self._clock.sleep(_POLL_S)
        raise Unavailable(f"{self.name} did not answer within {timeout_s:g} s:\n{self._log_tail()}")

    def restart_if_dead(self) -> bool:
        """Start the program anew, on the same port, when it has ended; tells whether it had."""
        if self._stopped or self.pid is not None or self._process is None:
            return False
        _LOG.warning("child_died", child=self.name, code=self._process.returncode)
        self.start()
        return True

    def stop(self, grace_s: float = 8.0) -> None:
        """Ask the program to end, and end it when it does not."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _answers(self) -> bool:
        try:
            self._port = int(self._port_file.read_text("ascii"))
            with requests.Session() as session:
                session.trust_env = False  # no proxy for our own machine
                return session.get(self.url + self._program.ready_path, timeout=_PROBE_S).ok
        except (OSError, ValueError, requests.RequestException):
            return False

    def _log_tail(self) -> str:
        lines = self._log_file.read_text("utf-8", "replace").splitlines() if self._log_file.exists() else []
        return "\n".join(lines[-_LOG_TAIL:])
