"""Pictures for simulated cameras: a drawn scene, one with planned accidents, or a file's frames; with the wall clock burnt in where wanted."""

from __future__ import annotations

import datetime as dt
import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from extension.clock import Clock
from extension.sources.rtsp.accidents import Accident, Act, Plan, acts, passer_by
from extension.sources.rtsp.figures import Figure, Yard
from extension.sources.rtsp.streams import Picture

_GROUND: Final = (58, 64, 70)
_LANES: Final = 3
_BOX: Final = (0.09, 0.12)
"""Width and height of what moves, as shares of the picture's height."""

_LAP_S: Final = 8.0
"""The slowest thing crosses the picture in this time."""

_DRIFT, _DRIFT_S = 0.03, 47.0
"""The light rises and falls by this share in so many seconds, as when clouds pass."""

_CLOCK_HEIGHT: Final = 0.045
_WHITE: Final = (255, 255, 255)


class DrawnScene:
    """Boxes that cross a floor on lanes of their own, for ever, with the camera's name and the wall clock on top.

    Args:
        name: Shown, and what colours and speeds follow from.
        size: Width and height, pixels.
        fps: Pictures per second.
        clock: Ours.
    """

    def __init__(self, name: str, size: tuple[int, int], fps: float, clock: Clock) -> None:
        self._name = name
        self._size = size
        self._fps = fps
        self._clock = clock

    def __iter__(self) -> Iterator[Picture]:
        """The scene from its start; it never ends."""
        width, height = self._size
        chance = np.random.default_rng(zlib.crc32(self._name.encode()))
        colours = [tuple(int(value) for value in row) for row in chance.integers(90, 255, (_LANES, 3))]
        laps_s = _LAP_S / chance.uniform(1.0, 2.5, _LANES)
        box_width, box_height = (round(share * height) for share in _BOX)
        index = 0
        while True:
            picture = np.full((height, width, 3), _GROUND, np.uint8)
            for lane, (colour, lap_s) in enumerate(zip(colours, laps_s, strict=True)):
                left = round((index / self._fps / lap_s) % 1.0 * (width + box_width)) - box_width
                top = round(height * (lane + 1) / (_LANES + 1))
                cv2.rectangle(picture, (left, top), (left + box_width, top + box_height), colour, -1)
            burn(picture, f"{self._name} {clock_text(self._clock.now())}")
            yield picture
            index += 1


@dataclass(frozen=True, slots=True)
class Drawn:
    """An accident as it was drawn: `onset_at` is the first picture that shows it, `end_at` the first that no longer does, None before."""

    camera: str
    number: int
    kind: Accident
    onset_at: dt.datetime
    end_at: dt.datetime | None = None


class Stage:
    """What happens before one camera by the wall clock; belongs to one thread at a time, and time does not go back on it.

    Args:
        plan: When accidents happen.
        camera: Its name.
        aspect: Width of its pictures over their height.
        began_at: Second 0 of the plan.
        tell: Hears of each accident when it is first drawn, and again when it is over.
    """

    def __init__(
        self, plan: Plan, camera: str, aspect: float, began_at: dt.datetime, tell: Callable[[Drawn], None]
    ) -> None:
        self._casts = [_Cast(acts(plan, camera, aspect)), _Cast(passer_by(plan, camera, aspect))]
        self._camera = camera
        self._began_at = began_at
        self._tell = tell
        self._latest_s = 0.0
        self._number = 0
        self._under_way: tuple[Act, Drawn] | None = None

    def figures(self, shown_at: dt.datetime) -> list[tuple[Figure, float]]:
        """Who is there at an instant, the nearest last, each with the second of its act."""
        now_s = self._latest_s = max(self._latest_s, (shown_at - self._began_at).total_seconds())
        near, far = (cast.present(now_s) for cast in self._casts)
        self._note(near, now_s, shown_at)
        return [
            (figure, now_s - act.start_s)
            for act in (far, near)
            if act.start_s <= now_s
            for figure in act.figures
        ]

    def _note(self, act: Act, now_s: float, shown_at: dt.datetime) -> None:
        """Say so when an accident was drawn for the first time, or no longer."""
        if self._under_way is not None:
            before, drawn = self._under_way
            if act is not before or now_s >= before.start_s + before.over_s:
                self._under_way = None
                self._tell(Drawn(drawn.camera, drawn.number, drawn.kind, drawn.onset_at, shown_at))
        elif act.accident and act.onset_s <= now_s - act.start_s < act.over_s:
            drawn = Drawn(self._camera, self._number, act.accident, shown_at)
            self._number += 1
            self._under_way = act, drawn
            self._tell(drawn)


class _Cast:
    """A run of acts, and the one that plays."""

    def __init__(self, run: Iterator[Act]) -> None:
        self._run = run
        self._act = next(run)

    def present(self, now_s: float) -> Act:
        """The act that plays or comes next."""
        while now_s >= self._act.start_s + self._act.length_s:
            self._act = next(self._run)
        return self._act


class StagedScene:
    """A yard in which what a stage says happens, with noise, drifting light, and the camera's name and wall clock.

    A picture shows the world one frame later than it is drawn: that is when it is sent.

    Args:
        name: Shown, and what the yard's looks follow from.
        size: Width and height, pixels.
        fps: Pictures per second.
        clock: Ours.
        stage: What happens; streams of one camera share it.
    """

    def __init__(self, name: str, size: tuple[int, int], fps: float, clock: Clock, stage: Stage) -> None:
        self._name = name
        self._size = size
        self._ahead = dt.timedelta(seconds=1 / fps)
        self._clock = clock
        self._stage = stage

    def __iter__(self) -> Iterator[Picture]:
        """The scene from now on; it never ends."""
        yard = Yard(self._size, np.random.default_rng(zlib.crc32(self._name.encode())))
        index = 0
        while True:
            shown_at = self._clock.now() + self._ahead
            picture = yard.empty()
            for figure, seconds in self._stage.figures(shown_at):
                figure.paint(picture, seconds)
            gain = 1.0 + _DRIFT * math.sin(2 * math.pi * shown_at.timestamp() / _DRIFT_S)
            picture = yard.exposed(picture, gain, index)
            burn(picture, f"{clock_text(shown_at)} {self._name}")
            yield picture
            index += 1


class FilePictures:
    """A file's frames as pictures of a wanted size, once through.

    Args:
        path: Of the file.
        size: Width and height, pixels.
        name: Shown with the wall clock; None burns nothing in.
        clock: Ours.
    """

    def __init__(self, path: Path, size: tuple[int, int], name: str | None, clock: Clock) -> None:
        self._path = path
        self._size = size
        self._name = name
        self._clock = clock

    def __iter__(self) -> Iterator[Picture]:
        """From the first frame to the last."""
        width, height = self._size
        with av.open(str(self._path)) as container:
            for frame in container.decode(container.streams.video[0]):
                picture = frame.reformat(width, height, "rgb24").to_ndarray().astype(np.uint8, copy=False)
                if self._name is not None:
                    burn(picture, f"{self._name} {clock_text(self._clock.now())}")
                yield picture


def clock_text(at: dt.datetime) -> str:
    """The clock as it is burnt in: UTC, to a tenth of a second."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-5] + "Z"


def burn(picture: Picture, text: str) -> None:
    """Write a line of text on a dark strip at the bottom left of a picture, in place."""
    height = picture.shape[0]
    wanted_px = max(8, round(height * _CLOCK_HEIGHT))
    scale = cv2.getFontScaleFromHeight(cv2.FONT_HERSHEY_SIMPLEX, wanted_px)
    (text_width, text_height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    top = height - text_height - 2 * below
    picture[top:, : text_width + 2 * below] = 0
    place = (below, height - below)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, _WHITE, 1, cv2.LINE_AA)
