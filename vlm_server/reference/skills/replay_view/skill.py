"""The replay view skill: frames and times in, verdict out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.replay_view import circles, clock, digits, segment
from vlm_server.reference.skills.replay_view.contacts import Contact, contacts
from vlm_server.reference.skills.replay_view.discs import Discs, discs_of
from vlm_server.reference.skills.replay_view.naming import Path, paths
from vlm_server.reference.skills.replay_view.reader import Reader
from vlm_server.reference.skills.replay_view.segment import Ground, Picture
from vlm_server.reference.skills.replay_view.track import Sighting, follow
from vlm_server.reference.verdict import SeenEvent, Verdict

SAMPLES = 5  # frames the ground is learned from
STALE_WITHIN_S = 0.7  # a clock that jumps this early was still showing another moment
STALE_JUMP_S = 60  # seconds on the clock between two readings that no replay speed explains
HALF = 0.5  # share of its rim that must be seen of a disc that lies over the clock


class Pictures(Protocol):
    """Frames by index, H x W x 3 uint8 BGR, all of one size."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def __getitem__(self, index: int) -> Picture:
        """Return one."""
        ...


class Shown(Protocol):
    """What a request shows."""

    @property
    def frames(self) -> Pictures:
        """The frames, in time order."""
        ...

    @property
    def times_s(self) -> list[float]:
        """Their times."""
        ...


@dataclass(frozen=True)
class Reading:
    """What was read from a chunk.

    Attributes:
        numbers: every number seen.
        contacts: pairs that overlap, frames counted from the start of the request.
        clocks: what the clock said at the frames where a contact begins; empty without a clock.
        clock_range: the first and last reading, where there is a clock.
    """

    numbers: list[str]
    contacts: list[Contact]
    clocks: dict[int, str | None]
    clock_range: tuple[str | None, str | None] | None


class ReplayView:
    """Reads replay views; holds the recogniser and no other state, so it may be shared between threads."""

    def __init__(self) -> None:
        self._reader = Reader()

    def look(self, shown: Shown) -> Verdict:
        """Return the verdict on a chunk; raises what the frames raise when one cannot be decoded."""
        times_s = np.array(shown.times_s, float)
        return _verdict(self.read(shown.frames, times_s), times_s)

    def read(self, frames: Pictures, times_s: NDArray[np.float64]) -> Reading:
        """Return what can be read from a chunk."""
        picks = sorted({round(i) for i in np.linspace(0, len(frames) - 1, min(SAMPLES, len(frames)))})
        samples = [frames[i] for i in picks]
        ground = segment.ground_of(samples)
        face = clock.find([samples[0], samples[-1], samples[len(samples) // 2]], self._reader)
        disc = discs_of(samples, ground, face.box if face else None, self._reader)
        seen, crops = _pass(frames, ground, disc, face)
        first = _first_fresh(crops, times_s, face)
        if disc is None:
            return Reading([], [], {}, _range(crops, first, face))
        tracks = follow([[] if i < first else s for i, s in enumerate(seen)], times_s, disc.radius)
        named: list[Path] = paths(tracks, self._reader, times_s, disc.radius)
        numbers = sorted((p.number for p in named), key=lambda n: (len(n), n))
        met = contacts(named, times_s, disc.radius)
        clocks = {c.first: face.read(crops[c.first]) for c in met} if face else {}
        return Reading(numbers, met, clocks, _range(crops, first, face))


def _sightings(index: int, frame: Picture, ground: Ground, disc: Discs) -> list[Sighting]:
    spots = circles.spots_in(disc.mask(frame, ground), ground.furniture, disc.radius, disc.text)
    places = np.array([(s.x, s.y) for s in spots]).reshape(-1, 2)
    found = []
    for i, spot in enumerate(spots):
        away = np.hypot(*(places - places[i]).T)
        away[i] = np.inf
        patch = digits.patch_of(frame, spot.x, spot.y, disc.radius)
        inside = circles.rim_inside(spot, disc.radius, (frame.shape[1], frame.shape[0]))
        clearness = min(float(away.min()) / disc.radius, 0.5 + 2 * spot.support / inside)
        if _near_text(spot, disc):
            if spot.support < HALF:
                continue  # made of letters, most likely
            clearness = min(clearness, 1.3)
        found.append(Sighting(index, spot.x, spot.y, clearness, patch, digits.signature(patch)))
    return found


def _near_text(spot: circles.Spot, disc: Discs) -> bool:
    """Whether a disc and the clock's text cover one another."""
    if disc.text is None:
        return False
    x0, y0, x1, y1 = disc.text
    away = np.hypot(max(x0 - spot.x, 0, spot.x - x1), max(y0 - spot.y, 0, spot.y - y1))
    return bool(away < disc.radius)


def _pass(
    frames: Pictures, ground: Ground, disc: Discs | None, face: clock.Clock | None
) -> tuple[list[list[Sighting]], list[NDArray[np.uint8]]]:
    """Look at every frame once, in order: discs and the clock's pixels. An unreadable frame is an error."""
    seen, crops = [], []
    for index in range(len(frames)):
        frame = frames[index]
        seen.append(_sightings(index, frame, ground, disc) if disc else [])
        if face is not None:
            crops.append(face.crop(frame))
    return seen, crops


def _first_fresh(
    crops: list[NDArray[np.uint8]], times_s: NDArray[np.float64], face: clock.Clock | None
) -> int:
    """Return the first frame that does not show another moment left over on the screen."""
    if face is None:
        return 0
    early = int(np.count_nonzero(times_s - times_s[0] <= STALE_WITHIN_S))
    for before, after in itertools.pairwise(range(early)):
        if not clock.same(crops[before], crops[after]):
            said, then = face.read(crops[before]), face.read(crops[after])
            if said is None or then is None:
                return 0
            jump = (clock.seconds(then) - clock.seconds(said)) % clock.DAY_S
            return after if jump > STALE_JUMP_S else 0
    return 0


def _range(
    crops: list[NDArray[np.uint8]], first: int, face: clock.Clock | None
) -> tuple[str | None, str | None] | None:
    return (face.read(crops[first]), face.read(crops[-1])) if face else None


def _verdict(reading: Reading, times_s: NDArray[np.float64]) -> Verdict:
    events = [_event(contact, reading, times_s.tolist()) for contact in reading.contacts]
    return Verdict(status="danger" if events else "safe", events=events, summary=_summary(reading))


def _event(contact: Contact, reading: Reading, times: list[float]) -> SeenEvent:
    """Describe a contact; it ends one frame step after the last frame that shows it."""
    after = contact.last + 1
    step = times[after] - times[contact.last] if after < len(times) else _step(times)
    one, two = contact.pair
    return SeenEvent(
        kind="collision",
        start_s=round(times[contact.first], 3),
        end_s=round(times[contact.last] + step, 3),
        severity="danger",
        objects=[one, two],
        clock=reading.clocks.get(contact.first),
        description=f"Objects {one} and {two} overlap.",
    )


def _step(times: list[float]) -> float:
    return (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0


def _summary(reading: Reading) -> str:
    if not reading.numbers:
        return "No numbered discs were found."
    said = f"Numbered discs seen: {', '.join(reading.numbers)}. Overlaps: {len(reading.contacts)}."
    if reading.clock_range is not None:
        start, end = (read or "unread" for read in reading.clock_range)
        said += f" Clock: {start} to {end}."
    return said
