"""Simulated cameras: N streams from files or drawn scenes, each with a variant of half its size, and the faults of each. No command line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from extension.clock import Clock, SystemClock
from extension.errors import BadInput
from extension.sources.probe import probe
from extension.sources.rtsp import accidents
from extension.sources.rtsp.faults import Faults
from extension.sources.rtsp.login import Credentials
from extension.sources.rtsp.scenes import Drawn, DrawnScene, FilePictures, Stage, StagedScene
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import LoopedFile, PictureStream, Stream
from extension.sources.rtsp.units import Codec


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate.

    Attributes:
        cameras: How many; they are called cam0, cam1 ...
        files: Looped, the first by cam0 and so on, and again from the first; without any, scenes are drawn.
        size: Width and height of drawn scenes, pixels; odd numbers are made even.
        fps: Of drawn scenes.
        codec: Of what is encoded here.
        burn: Burn name and wall clock into files' pictures too, which encodes them anew all the time.
        credentials: Who may watch; None lets everybody.
        host: To listen on.
        port: Of RTSP; 0 takes a free one.
        accidents: Which accidents drawn scenes show, and when; None shows boxes that cross a floor.
        tell: Hears of each accident that is drawn, in any thread.
    """

    cameras: int = 1
    files: Sequence[Path] = ()
    size: tuple[int, int] = (640, 360)
    fps: float = 10.0
    codec: Codec = Codec.H264
    burn: bool = False
    credentials: Credentials | None = None
    host: str = "127.0.0.1"
    port: int = 0
    accidents: accidents.Plan | None = None
    tell: Callable[[Drawn], None] = lambda _: None


class Simulator:
    """Cameras that are not there; a context manager. `server` is theirs."""

    def __init__(self, plan: Plan, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        streams = {f"cam{i}": self._streams(plan, i) for i in range(plan.cameras)}
        self._loops_s = {
            name: first.loop_s for name, (first, _) in streams.items() if isinstance(first, LoopedFile)
        }
        self.server = RtspServer(
            streams, plan.host, plan.port, credentials=plan.credentials, clock=self._clock
        )

    def __enter__(self) -> Self:
        """Start serving; cameras answer as soon as this returns."""
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self.server.__exit__(kind, exc, trace)

    def cameras(self) -> list[dict[str, Any]]:
        """Every camera: where it is, what it plays since when, who watches, and what is wrong with it."""
        return [self._camera(name) for name in self.server.names]

    def change(self, name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Change some of a camera's faults; the others stay as they are.

        Raises:
            BadInput: There is no such camera or fault.
        """
        present = self.server.faults(name)
        self.server.set_faults(name, dataclasses.replace(present, **checked(wanted)))
        return self._camera(name)

    def mend(self, name: str) -> dict[str, Any]:
        """Take all faults of a camera back."""
        self.server.faults(name)
        self.server.set_faults(name, Faults())
        return self._camera(name)

    def cut(self, name: str, *, reset: bool) -> dict[str, Any]:
        """Cut a camera's connections, in order or with a reset."""
        self.server.drop(name, reset=reset)
        return self._camera(name)

    def _camera(self, name: str) -> dict[str, Any]:
        playing = self.server.playing(name)
        return {
            "name": name,
            "url": self.server.url(name),
            "viewers": self.server.viewers(name),
            "variant": playing.variant if playing else None,
            "began_at": playing.began_at.isoformat() if playing else None,
            "loop_s": self._loops_s.get(name),
            "faults": dataclasses.asdict(self.server.faults(name)),
        }

    def _streams(self, plan: Plan, number: int) -> tuple[Stream, Stream]:
        """A camera's stream and its variant of half the size."""
        name = f"cam{number}"
        if not plan.files and plan.accidents is not None:
            return self._staged(plan, plan.accidents, name)
        if not plan.files:
            return self._drawn(plan, name, _even(plan.size)), self._drawn(plan, name, _half(plan.size))
        path = plan.files[number % len(plan.files)]
        info = probe(path)
        shown = name if plan.burn else None
        codec = plan.codec if plan.burn else Codec.H265 if info.codec == Codec.H265 else Codec.H264
        full, half = (
            PictureStream(FilePictures(path, size, shown, self._clock), info.fps or 25.0, size, codec=codec)
            for size in (_even((info.width, info.height)), _half((info.width, info.height)))
        )
        return full if plan.burn else LoopedFile(path), half

    def _staged(self, plan: Plan, planned: accidents.Plan, name: str) -> tuple[Stream, Stream]:
        """Both variants show the same stage."""
        width, height = _even(plan.size)
        stage = Stage(planned, name, width / height, self._clock.now(), plan.tell)
        full, half = (
            PictureStream(
                StagedScene(name, size, plan.fps, self._clock, stage), plan.fps, size, codec=plan.codec
            )
            for size in ((width, height), _half(plan.size))
        )
        return full, half

    def _drawn(self, plan: Plan, name: str, size: tuple[int, int]) -> Stream:
        return PictureStream(DrawnScene(name, size, plan.fps, self._clock), plan.fps, size, codec=plan.codec)


def _even(size: tuple[int, int]) -> tuple[int, int]:
    return size[0] // 2 * 2, size[1] // 2 * 2


def _half(size: tuple[int, int]) -> tuple[int, int]:
    return max(2, size[0] // 4 * 2), max(2, size[1] // 4 * 2)


_FAULTS: Final[Mapping[str, type]] = {
    "stall": bool,
    "refuse": bool,
    "deny": bool,
    "clockless": bool,
    "clock_s": float,
    "loss": float,
    "variant": int,
}


def checked(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Faults by name with values of their kind.

    Raises:
        BadInput: There is no such fault, or it does not take this value.
    """
    values = {}
    for name, value in wanted.items():
        kind = _FAULTS.get(name)
        if kind is None:
            raise BadInput(f"there is no fault {name!r}; there are {', '.join(_FAULTS)}")
        if isinstance(value, bool) is not (kind is bool) or not isinstance(value, bool | int | float):
            raise BadInput(f"{name} takes a value like {kind(1)}, not {value!r}")
        values[name] = kind(value)
    return values
