"""Simulated cameras for benchmarks, in a process of their own: their addresses, their faults, and the truth about what they showed."""

from __future__ import annotations

import datetime as dt
import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import requests

from extension.clock import Clock
from extension.sources.rtsp.accidents import Accident
from extension.stack.settings import child_environment

_SIM: Final = Path(__file__).with_name("rtsp_sim.py")
_ROOT: Final = _SIM.parent.parent
_ASK_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Show:
    """What is simulated; `accident_s` is the usual time between accidents of a camera, `calm_after_s` when the last one may begin."""

    cameras: int
    size: str = "320x180"
    fps: float = 6.0
    accident_s: float = 60.0
    calm_after_s: float = 0.0
    kinds: tuple[Accident, ...] = tuple(Accident)
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Planned:
    """An accident that was drawn; `end_at` is None while it goes on."""

    camera: str
    number: int
    kind: str
    onset_at: dt.datetime
    end_at: dt.datetime | None


class Simulated:
    """Running cameras.

    Attributes:
        urls: By name.
        process: What runs them.
    """

    def __init__(
        self, urls: Mapping[str, str], control_url: str, truth: Path, process: psutil.Process
    ) -> None:
        self.urls = urls
        self.process = process
        self._control_url = control_url
        self._truth = truth

    def fault(self, camera: str, faults: Mapping[str, Any]) -> None:
        """Let a camera do this wrong from now on."""
        self._ask("POST", f"/{camera}/faults", faults)

    def mend(self, camera: str) -> None:
        """Let a camera do nothing wrong any more."""
        self._ask("DELETE", f"/{camera}/faults")

    def cut(self, camera: str, *, reset: bool) -> None:
        """Cut a camera's connections, in order or with a reset."""
        self._ask("POST", f"/{camera}/{'reset' if reset else 'drop'}")

    def truth(self) -> list[Planned]:
        """All accidents that were drawn so far, by camera and time."""
        return read_truth(self._truth)

    def _ask(self, method: str, path: str, page: Mapping[str, Any] | None = None) -> None:
        with requests.Session() as session:
            session.trust_env = False  # no proxy for our own machine
            answer = session.request(method, self._control_url + path, json=page, timeout=_ASK_S)
            answer.raise_for_status()


def read_truth(path: Path) -> list[Planned]:
    """Read what the simulator wrote; a later line about the same accident takes the place of the earlier one."""
    found: dict[tuple[str, int], Planned] = {}
    for line in path.read_text("utf-8").splitlines():
        page = json.loads(line)
        end_at = dt.datetime.fromisoformat(page["end_at"]) if page["end_at"] else None
        onset_at = dt.datetime.fromisoformat(page["onset_at"])
        found[page["camera"], page["number"]] = Planned(
            page["camera"], page["number"], page["kind"], onset_at, end_at
        )
    return [found[key] for key in sorted(found)]


@contextmanager
def simulated(show: Show, truth: Path) -> Iterator[Simulated]:
    """Cameras that run until the block ends; `truth` is written while they do."""
    command = [sys.executable, str(_SIM), "--cameras", str(show.cameras), "--port", "0"]
    command += ["--size", show.size, "--fps", str(show.fps), "--seed", str(show.seed)]
    command += ["--accident-s", str(show.accident_s), "--calm-after-s", str(show.calm_after_s)]
    command += ["--truth", str(truth)]
    for kind in show.kinds:
        command += ["--accident", kind.value]
    env = child_environment(PYTHONPATH=str(_ROOT), PYTHONUNBUFFERED="1")
    with subprocess.Popen(command, cwd=_ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stdout or ())
            urls = [next(lines).strip() for _ in range(show.cameras)]
            control_url = next(lines).split()[1]
            names = [f"cam{number}" for number in range(show.cameras)]
            yield Simulated(
                dict(zip(names, urls, strict=True)), control_url, truth, psutil.Process(process.pid)
            )
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault: of which camera, when (seconds from the beginning), which, and for how long; cuts take no time."""

    camera: str
    at_s: float
    fault: str
    lasts_s: float = 0.0


FAULTS: Final = ("stall", "drop", "reset", "away", "clock", "resolution")
_LASTS_S: Final = {"stall": (2.0, 6.0), "away": (2.0, 6.0), "clock": (10.0, 20.0), "resolution": (10.0, 20.0)}
_SETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "stall": {"stall": True},
    "away": {"refuse": True},
    "clock": {"clock_s": -3600.0},
    "resolution": {"variant": 1},
}


def faults_for(cameras: Sequence[str], seconds: float, every_s: float, seed: int) -> list[Injected]:
    """Faults of all cameras by time, one about every `every_s` seconds for each camera; all kinds in turn, each over before the end."""
    planned = []
    for place, camera in enumerate(cameras):
        chance = random.Random(f"{seed} {camera}")  # noqa: S311 - a schedule, nothing secret
        kinds = [FAULTS[(place + step) % len(FAULTS)] for step in range(len(FAULTS))]
        now_s, number = every_s * chance.uniform(0.2, 1.0), 0
        while True:
            kind = kinds[number % len(kinds)]
            lasts_s = chance.uniform(*_LASTS_S[kind]) if kind in _LASTS_S else 0.0
            if now_s + lasts_s >= seconds:
                break
            planned.append(Injected(camera, round(now_s, 2), kind, round(lasts_s, 2)))
            now_s += lasts_s + every_s * chance.uniform(0.7, 1.3)
            number += 1
    return sorted(planned, key=lambda fault: fault.at_s)


def inject(cameras: Simulated, planned: Sequence[Injected], clock: Clock, stop: threading.Event) -> None:
    """Work through a schedule of faults, from now on; returns when it is done, or `stop` is set."""
    began_s = clock.monotonic_s()
    steps = [(fault.at_s, fault, True) for fault in planned]
    steps += [(fault.at_s + fault.lasts_s, fault, False) for fault in planned if fault.lasts_s]
    for at_s, fault, begins in sorted(steps, key=lambda step: step[0]):
        if stop.wait(max(0.0, began_s + at_s - clock.monotonic_s())):
            return
        if not begins:
            cameras.mend(fault.camera)
            continue
        if fault.fault in _SETS:
            cameras.fault(fault.camera, _SETS[fault.fault])
        if fault.fault in {"drop", "reset", "away"}:
            cameras.cut(fault.camera, reset=fault.fault != "drop")
