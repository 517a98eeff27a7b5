"""A VLM for benchmarks that sees fire by its colour and takes a stated time for each answer, so that no other time is blurred by it.

It is a program of its own: `python scripts/bench_live_vlm.py --port 0 --port-file FILE --answer-s 0.5`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import requests
import typer
import uvicorn
from fastapi import FastAPI, Request, Response

from bench_report import console
from extension.clock import Clock, SystemClock
from extension.stack.settings import child_environment
from vlm_server.reference.__main__ import Announcing
from vlm_server.reference.media import Clip
from vlm_server.reference.pixels import Frame
from vlm_server.reference.server import Service, create_app
from vlm_server.reference.verdict import SeenEvent, Verdict

MODEL: Final = "replay-reference"
"""The name under which the routes of the reference program, which are used here, know themselves."""

REFERENCE: Final = ("-m", "vlm_server.reference")
SCRIPTED: Final = (str(Path(__file__).resolve()),)
_ROOT: Final = Path(__file__).resolve().parents[1]
_LEAST_PX: Final = 12
_APART_S: Final = 2.0
"""Flames that are not seen for longer are another fire."""

_READY_S: Final = 60.0
_TOGETHER: Final = 16


def burns(frame: Frame) -> bool:
    """Whether a picture shows the simulator's fire; nothing else it draws has that colour.

    Args:
        frame: Shape (height, width, 3) uint8, BGR.
    """
    blue, green, red = (frame[..., channel].astype(np.int16) for channel in range(3))
    return int(np.count_nonzero((red > 190) & (red - blue > 90) & (green > 70))) >= _LEAST_PX  # noqa: PLR2004 - grey levels


def verdict(clip: Clip) -> Verdict:
    """Danger for each run of pictures with fire in them."""
    runs: list[list[float]] = []
    for index, at_s in enumerate(clip.times_s):
        if not burns(clip.frames[index]):
            continue
        if not runs or at_s - runs[-1][-1] > _APART_S:
            runs.append([])
        runs[-1].append(at_s)
    events = [
        SeenEvent(
            kind="fire",
            start_s=run[0],
            end_s=run[-1],
            severity="danger",
            objects=["fire"],
            description="Something burns.",
        )
        for run in runs
    ]
    return Verdict(status="danger" if events else "safe", events=events, summary=f"Fires: {len(events)}.")


def application(answer_s: float, clock: Clock) -> FastAPI:
    """What answers `answer_s` seconds after a request began to come in, or later where reading it takes longer."""
    came_s: ContextVar[float] = ContextVar("came_s")

    def look(clip: Clip, _: str) -> Verdict:
        seen = verdict(clip)
        clock.sleep(max(0.0, came_s.get() + answer_s - clock.monotonic_s()))
        return seen

    app = create_app(Service(look, workers=_TOGETHER))

    @app.middleware("http")
    async def stamp(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """Note when a request came, for whoever looks at it."""
        came_s.set(clock.monotonic_s())
        return await answer(request)

    return app


class Vlm:
    """A VLM in a process of its own that can be killed and started again on the same port.

    Args:
        program: Arguments of Python that start it.
        folder: Where its port is written.
        clock: Ours.
    """

    def __init__(self, program: tuple[str, ...], folder: Path, clock: Clock) -> None:
        self._program = program
        self._port_file = folder / "vlm.port"
        self._clock = clock
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            Exit: It does not within a minute.
        """
        self._port_file.unlink(missing_ok=True)
        command = [
            sys.executable,
            *self._program,
            "--port",
            str(self._port),
            "--port-file",
            str(self._port_file),
        ]
        env = child_environment(PYTHONPATH=f"{_ROOT}:{_ROOT / 'scripts'}", OMP_NUM_THREADS="1")
        self._process = subprocess.Popen(command, cwd=_ROOT, env=env, stdout=subprocess.DEVNULL)
        until_s = self._clock.monotonic_s() + _READY_S
        while self._clock.monotonic_s() < until_s:
            if self._port_file.exists():
                self._port = int(self._port_file.read_text("ascii"))
                if self._answers():
                    return
            self._clock.sleep(0.05)
        console.print("[red]the VLM does not start; nothing was measured[/red]")
        raise typer.Exit(1)

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy for our own machine
                return session.get(f"{self.endpoint}/models", timeout=2.0).ok
        except requests.RequestException:
            return False


@contextmanager
def vlm(program: tuple[str, ...], folder: Path, clock: Clock) -> Iterator[Vlm]:
    """A VLM that runs until the block ends, unless it is killed before."""
    running = Vlm(program, folder, clock)
    running.start()
    try:
        yield running
    finally:
        running.kill()


def main(
    port_file: Annotated[Path, typer.Option(help="Write the port here.")],
    port: Annotated[int, typer.Option(help="To listen on; 0 takes a free one.")] = 0,
    answer_s: Annotated[float, typer.Option(min=0.0, help="Seconds that an answer takes.")] = 0.5,
) -> None:
    """Serve until stopped."""
    config = uvicorn.Config(
        application(answer_s, SystemClock()), port=port, log_level="warning", access_log=False
    )
    listener = config.bind_socket()
    Announcing(config, port_file).run(sockets=[listener])


if __name__ == "__main__":
    typer.run(main)
