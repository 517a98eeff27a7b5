"""What all discs of a chunk share: their radius, their contrast, and whether trails or arrows hang on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.replay_view import circles, cores, digits, segment
from vlm_server.reference.skills.replay_view.clock import Box
from vlm_server.reference.skills.replay_view.reader import Reader
from vlm_server.reference.skills.replay_view.segment import Ground, Mask, Picture

ALIKE = 0.08  # share by which the radii of equal discs differ at most
RADII_TRIED = 4  # sizes of round things in which a number is looked for
NUMBERED = 0.8  # confidence at which a round thing counts as numbered
RAGGED = 0.15  # share of discs with a notched outline from which on gaps are closed
GAP = 0.45  # radii; a stroke of a number is narrower
WEAK = 0.35  # share of the discs' contrast a pixel must reach, so that ringing beside them does not count
STRONGEST = 90  # grey levels; no pixel need differ by more
EXPLAINED = 0.5  # share of what is drawn that must be discs for their size to be beyond doubt
THIN = 0.035  # share of what is drawn that hangs on discs, from which on they are adorned; discs over one another stay below 0.02, arrows make 0.06
CAP = 110  # grey levels; discs of half as much are found whatever stands out more in their numbers
OUTSHONE = 1.8  # times a disc's contrast; what stands out by twice as much hides the disc beside it

Outline = NDArray[np.int32]
Circle = tuple[float, float, float]
"""Centre and radius in pixels."""


@dataclass(frozen=True)
class Discs:
    """What all discs of a chunk share, and the box of text that is no disc.

    Attributes:
        radius: In pixels.
        threshold: Grey levels a pixel must differ from the ground by to belong to a disc.
        text: The clock's box, where there is one.
        gap_px: Width of the gaps that numbers cut into the discs' outlines; 0 where they are whole.
        cap: Grey levels beyond which a difference from the ground says no more, for discs that trails or arrows hang on;
            None where nothing does.
    """

    radius: float
    threshold: int
    text: Box | None
    gap_px: int = 0
    cap: int | None = None

    def mask(self, frame: Picture, ground: Ground) -> Mask:
        """Return where discs are drawn in a frame, H x W uint8 of 0 or 255."""
        drawn = segment.foreground(frame, ground, self.threshold, self.gap_px, self.cap)
        return drawn if self.cap is None else cores.core_of(drawn, self.radius)


@dataclass(frozen=True)
class _Round:
    """Something round in one of the samples; `contrast` in grey levels against the ground."""

    radius: float
    contrast: float
    whole: bool
    patch: digits.Patch


@dataclass(frozen=True)
class _Sample:
    """One frame, what is drawn in it outside the clock's text, and the outlines of that."""

    picture: Picture
    ground: Ground
    mask: Mask
    contours: list[Outline]

    def round_at(self, one: Circle, *, whole: bool = True) -> _Round:
        """Look at a circle."""
        contrast = segment.contrast_at(self.picture, self.ground, *one)
        return _Round(one[2], contrast, whole, digits.patch_of(self.picture, *one))


def discs_of(samples: list[Picture], ground: Ground, text: Box | None, reader: Reader) -> Discs | None:
    """Return what the discs in a few frames of a chunk share, or None when there are no discs."""
    seen = [_sample(picture, ground, text) for picture in samples]
    whole = [(c, one) for s in seen for c in s.contours if (one := circles.round_one(c)) is not None]
    taken = {id(c) for c, _ in whole}
    blobs = [c for s in seen for c in s.contours if id(c) not in taken]
    alike = _alike(list(_plain(seen)), reader)
    drawn = sum(cores.drawn_px(c) for s in seen for c in s.contours)
    if _area(alike) < EXPLAINED * drawn:
        alike = _from_cores(seen, reader) or alike
    if not alike:
        clustered = circles.clustered_radius(blobs, ground.furniture)
        return Discs(clustered, ground.threshold, text) if clustered else None
    radius = float(np.median([r.radius for r in alike]))
    if sum(cores.thin_px(c, radius) for c in blobs) > THIN * drawn:
        return _adorned(seen, radius, text)
    ragged = sum(not r.whole for r in alike) > RAGGED * len(alike)
    return Discs(radius, _threshold(alike, ground), text, gap_px=round(GAP * radius) if ragged else 0)


def _adorned(seen: list[_Sample], radius: float, text: Box | None) -> Discs:
    """Measure discs of about a radius by their cores: first how weak the weakest is, then all of them for that."""
    ground = seen[0].ground
    first = [_sample(s.picture, ground, text, cap=CAP) for s in seen]
    alike = _cored(first, radius)
    weakest = min((r.contrast for r in alike), default=CAP)
    cap = round(OUTSHONE * weakest)
    settled = _cored([_sample(s.picture, ground, text, cap) for s in seen], radius)
    sized = float(np.median([r.radius for r in settled])) if settled else radius
    threshold = max(ground.threshold, min(round(WEAK * weakest), STRONGEST))
    return Discs(sized, threshold, text, cap=cap)


def _sample(picture: Picture, ground: Ground, text: Box | None, cap: int | None = None) -> _Sample:
    mask = segment.foreground(picture, ground, cap=cap)
    contours = [c for c in circles.outlines(mask) if not circles.within(c, text)]
    if text is not None:
        x0, y0, x1, y1 = text
        mask[y0:y1, x0:x1] = 0
    return _Sample(picture, ground, mask, contours)


def _plain(seen: list[_Sample]) -> Iterator[_Round]:
    """Yield what is round as it is drawn."""
    for sample in seen:
        for contour in sample.contours:
            one = circles.round_one(contour)
            if one is not None:
                yield sample.round_at(one, whole=circles.whole_round(contour) is not None)


def _from_cores(seen: list[_Sample], reader: Reader) -> list[_Round]:
    """Return the round cores of the size that numbers are seen in, the largest size that most of the cores have."""
    best: list[_Round] = []
    for radius in cores.radii(seen[0].mask.shape[0]):
        found, drawn = [], 0.0
        for sample in seen[::2]:
            circles_there, area = cores.rounds_of(sample.mask, radius)
            found += [sample.round_at(one) for one in circles_there]
            drawn += area
        alike = _alike(found, reader)
        if alike and _area(alike) > EXPLAINED * drawn:
            return alike
        best = max(best, alike, key=_area)
    return best


def _cored(seen: list[_Sample], radius: float) -> list[_Round]:
    """Return the round cores of one size in all samples."""
    found = [s.round_at(one) for s in seen for one in cores.rounds_of(s.mask, radius)[0]]
    return [r for r in found if abs(r.radius - radius) < ALIKE * radius]


def _area(rounds: list[_Round]) -> float:
    return sum(np.pi * r.radius**2 for r in rounds)


def _threshold(alike: list[_Round], ground: Ground) -> int:
    return max(ground.threshold, min(round(WEAK * min(r.contrast for r in alike)), STRONGEST))


def _alike(rounds: list[_Round], reader: Reader) -> list[_Round]:
    """Return the round things of the size at which numbers are seen; empty when there is none."""
    for radius in circles.likely_radii([r.radius for r in rounds])[:RADII_TRIED]:
        alike = [r for r in rounds if abs(r.radius - radius) < ALIKE * radius]
        if _numbered(alike, reader):
            return alike
    return []


def _numbered(rounds: list[_Round], reader: Reader) -> bool:
    """Whether at least one of a few round things shows a number."""
    for one in sorted(rounds, key=lambda r: -r.contrast)[:: max(1, len(rounds) // 3)]:
        reading = digits.number_of([one.patch], reader)
        if reading is not None and reading.confidence > NUMBERED:
            return True
    return False
