"""Plays one stream in real time to all who watch it. Knows viewers, no connections."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from extension.clock import Clock
from extension.sources.rtsp import rtp
from extension.sources.rtsp.faults import Faults
from extension.sources.rtsp.streams import Stream
from extension.sources.rtsp.units import AccessUnit
from extension.sources.rtsp.viewer import REPORT_EVERY_S, Viewer, Way

_MOST_LATE_S: Final = 1.0
"""A stream that is later than this (a slow encoder, a machine that slept) goes on from now instead of hurrying."""

_SWITCH_GAP_S: Final = 0.04
"""Between the last picture of one variant and the first of the next: a frame at 25 per second."""


@dataclass(frozen=True, slots=True)
class Playing:
    """What a stream plays.

    Attributes:
        variant: Which of its variants, from 0.
        began_at: Wall clock of that variant's time 0, by the server's own clock.
    """

    variant: int
    began_at: dt.datetime


class Pump:
    """One stream, its variants and its viewers. Its methods belong to the server's loop, `faults` to anybody."""

    def __init__(self, variants: Sequence[Stream], clock: Clock, chance: random.Random) -> None:
        self.faults = Faults()
        self.viewers: set[Viewer] = set()
        self.playing: Playing | None = None
        self._variants = variants
        self._clock = clock
        self._chance = chance
        self._ready = asyncio.Event()
        self._stream = variants[0]
        self._first: AccessUnit | None = None
        self._start_s = 0.0
        self._told_clock_s = 0.0

    async def media_lines(self) -> tuple[str, ...]:
        """Media section of what plays now; waits for the first picture."""
        await self._ready.wait()
        return self._stream.media_lines(self._first)

    def admit(self, way: Way) -> Viewer:
        """A new viewer; it is shown pictures from the next key frame on."""
        viewer = Viewer(way, self._chance)
        self.viewers.add(viewer)
        return viewer

    async def run(self) -> None:
        """Play until the pictures end; viewers are sent away then, if there ever were any pictures."""
        self._start_s = asyncio.get_running_loop().time()
        next_s: float | None = 0.0
        while next_s is not None:
            next_s = await self._play(next_s)
        self._ready.set()
        if self._first is not None:
            self.drop(reset=False)

    def drop(self, *, reset: bool) -> None:
        """Cut off everybody who watches."""
        for viewer in list(self.viewers):
            viewer.way.close(reset=reset)

    async def _play(self, from_s: float) -> float | None:
        """Play the wanted variant from stream time `from_s`; where the next one begins, or None when pictures end."""
        wanted = self._wanted()
        stream = self._variants[wanted]
        units = stream.units()
        began = False
        while True:
            unit = await asyncio.to_thread(next, units, None) if stream.slow else next(units, None)
            if unit is None:
                return None
            if not began:
                began = True
                self._stream, self._first = stream, unit
                self.playing = Playing(wanted, self._clock.now() + _seconds(from_s - self._now_s()))
                self._ready.set()
            await self._until(from_s + unit.decode_s)
            self._show(replace(unit, decode_s=from_s + unit.decode_s, show_s=from_s + unit.show_s))
            if self._wanted() != wanted:
                return from_s + unit.decode_s + _SWITCH_GAP_S

    def _wanted(self) -> int:
        return min(self.faults.variant, len(self._variants) - 1)

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time() - self._start_s

    async def _until(self, media_s: float) -> None:
        late_s = self._now_s() - media_s
        if late_s > _MOST_LATE_S:
            self._start_s += late_s
            if self.playing:
                self.playing = replace(self.playing, began_at=self.playing.began_at + _seconds(late_s))
        await asyncio.sleep(max(0.0, -late_s))

    def _show(self, unit: AccessUnit) -> None:
        faults = self.faults
        if faults.stall or not self.viewers:
            return
        payloads = rtp.payloads(unit.codec, unit.nals)
        clock_changed = faults.clock_s != self._told_clock_s
        self._told_clock_s = faults.clock_s
        now_s = self._now_s()
        for viewer in list(self.viewers):
            if not viewer.started and not unit.key:
                continue
            if not faults.clockless and (
                not viewer.started or clock_changed or now_s >= viewer.reported_s + REPORT_EVERY_S
            ):
                viewer.report(now_s, self._clock.now() + _seconds(faults.clock_s))
            viewer.started = True
            viewer.show(payloads, unit.show_s, faults.loss)


def _seconds(seconds: float) -> dt.timedelta:
    return dt.timedelta(seconds=seconds)
