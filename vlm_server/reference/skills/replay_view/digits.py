"""From patches of one disc to its number; knows nothing of where the disc was.

A patch is `SIDE` x `SIDE` x 3 uint8, scaled so that the disc's radius is `PATCH_RADIUS`, centre in the middle.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.replay_view.reader import Reader, Reading
from vlm_server.reference.skills.replay_view.segment import Picture

SIDE = 40
PATCH_RADIUS = 17.0
SURE = 0.9  # confidence above which readings are compared by length
SETTLED = 0.95  # confidence from which on no other colour of the disc is tried
MIDDLE = 0.66  # radii; inside there is fill and number and hardly any outline
LONGEST = 2  # digits in a number; what looks longer is two discs, or a disc behind the clock
TALL = 38  # pixels of 48 that a number is high when it is read
WIDER = 1.15  # stretch of numbers: a narrow 7 with a thick stroke is otherwise taken for a 1
FAINT = 25.0  # grey levels between number and fill below which nothing can be read
_MIDDLE = (SIDE - 1) / 2
_YS, _XS = np.mgrid[0:SIDE, 0:SIDE]
_OUT = np.hypot(_XS - _MIDDLE, _YS - _MIDDLE) / PATCH_RADIUS  # distance from the centre in radii
_DOWN = np.abs(_YS - _MIDDLE) / PATCH_RADIUS
_AROUND = (_OUT > 0.5) & (_OUT < 0.76)
_ABOVE = (_OUT > 0.6) & (_OUT < 0.82) & (_DOWN > 0.58)
OUTER = 0.7  # radii; numbers seldom reach beyond
MIRRORED = 1.2  # radii from the edge of the picture within which a patch is cut by it
EDGE = 0.95  # radii; the ground shines through beyond
RINGED = 0.3  # ink on nearly all sides at one radius from which on it is a ring
_BAND_AT = np.arange(0.6, 1.0, 0.05)
_BANDS = [np.abs(_OUT - at) < 0.04 for at in _BAND_AT]

Patch = NDArray[np.uint8]


def patch_of(frame: Picture, x: float, y: float, radius: float) -> Patch:
    """Cut out one disc, scaled to the patch size."""
    scale = PATCH_RADIUS / radius
    x0 = y0 = 0
    part = frame
    if scale < 1:  # warpAffine does not average; blur what it would skip over
        reach = int(radius * 1.3) + 2
        x0, y0 = max(0, round(x) - reach), max(0, round(y) - reach)
        near = frame[y0 : round(y) + reach, x0 : round(x) + reach]
        part = np.asarray(cv2.GaussianBlur(near, (0, 0), 0.45 / scale), np.uint8)
    move = np.array(
        [[scale, 0, _MIDDLE - scale * (x - x0)], [0, scale, _MIDDLE - scale * (y - y0)]], np.float32
    )
    cut = cv2.warpAffine(part, move, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    patch = np.asarray(cut, np.uint8)
    height, width = frame.shape[:2]
    if min(x, y, width - 1 - x, height - 1 - y) < MIRRORED * radius:
        _complete(patch, (x, y), radius, (width, height))
    return patch


def _complete(patch: Patch, centre: tuple[float, float], radius: float, size: tuple[int, int]) -> None:
    """Carry on the rim of a disc that the edge of the picture cuts: a disc is the same on its other side."""
    xs = centre[0] + (_XS - _MIDDLE) * radius / PATCH_RADIUS
    ys = centre[1] + (_YS - _MIDDLE) * radius / PATCH_RADIUS
    outside = (xs < 0) | (ys < 0) | (xs > size[0] - 1) | (ys > size[1] - 1)
    outside &= _OUT > OUTER
    patch[outside] = patch[::-1, ::-1][outside]


def signature(patch: Patch) -> NDArray[np.float32]:
    """Return a patch reduced to 14 x 14 x 3 numbers of 0 to 1 around the number, for comparison."""
    inner = patch[6:-6, 6:-6]
    small = cv2.resize(inner, (14, 14), interpolation=cv2.INTER_AREA)
    return (np.asarray(small, np.float32) / 255.0).ravel()


def number_of(patches: list[Patch], reader: Reader) -> Reading | None:
    """Read the number shown by patches of one disc (averaged), or None when there is none to read.

    Where the colour of the disc is in doubt, both are tried: a sure and longer reading wins. Where nothing sure
    comes of that, number and fill are told apart as the two tones of the middle, either way round.
    """
    patch = np.mean(np.stack(patches).astype(np.float32), axis=0)
    readings = _readings(patch, _fills_of(patch), reader)
    best = max(readings, key=lambda r: (r.confidence > SURE, len(r.text), r.confidence), default=None)
    if best is not None and best.confidence >= SETTLED:
        return best
    readings += _readings(patch, _tones_of(patch), reader)
    return max(readings, key=lambda r: r.confidence, default=None)


def _readings(patch: NDArray[np.float32], fills: list[NDArray[np.float32]], reader: Reader) -> list[Reading]:
    """Read a patch once per colour the disc may have; what cannot be a number is left out."""
    glyphs = [glyph_of(patch, fill) for fill in fills]
    readings = [reader.read(glyph) for glyph in glyphs if glyph is not None]
    return [r for r in readings if 0 < len(r.text) <= LONGEST and str(int(r.text)) == r.text]


def _tones_of(patch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return the two tones of the middle of a disc, told apart along the colour in which it varies most."""
    middle = patch[_OUT < MIDDLE]
    away = middle - middle.mean(axis=0)
    along = away @ np.linalg.svd(away, full_matrices=False)[2][0]
    levels = (255 * (along - along.min()) / max(float(np.ptp(along)), 1e-6)).astype(np.uint8)
    high = levels > cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)[0]
    return [np.asarray(np.median(middle[side], axis=0), np.float32) for side in (high, ~high) if side.any()]


def glyph_of(patch: NDArray[np.float32], fill: NDArray[np.float32]) -> NDArray[np.uint8] | None:
    """Return the number alone, dark on white, cropped to its ink with a margin; None when nothing stands out.

    What lies between the fill and the colour of the number counts as ink in proportion; an outline ring or a
    neighbour of another colour does not.
    """
    inner = patch[_OUT < 0.6] - fill
    apart = np.abs(inner).max(axis=1)
    contrast = float(np.percentile(apart, 96))
    if contrast < FAINT:
        return None
    tone = np.median(inner[apart >= 0.8 * contrast], axis=0)
    ink = np.clip((patch - fill) @ tone / float(tone @ tone), 0, 1).astype(np.float32)
    ink = _without_ring(ink)
    ink = _inner_parts(ink)
    ys, xs = np.nonzero(ink > 0.4)
    if len(ys) == 0 or ys.max() - ys.min() < 0.5 * PATCH_RADIUS:
        return None
    return _framed(ink[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1])


def _fills_of(patch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return what may be the colour of the disc: all around, and above and below where a wide number is not."""
    around, above = np.median(patch[_AROUND], axis=0), np.median(patch[_ABOVE], axis=0)
    strongest = float(np.percentile(np.abs(patch[_OUT < 0.6] - around).max(axis=1), 96))
    in_doubt = float(np.abs(around - above).max()) > max(FAINT, 0.35 * strongest)
    return [around, above] if in_doubt else [around]


def _without_ring(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take away an outline ring in the colour of the number, and what lies outside.

    A ring is inked on all sides at some radius; a wide number leaves gaps above and below.
    """
    clean = ink.copy()
    if max(np.percentile(ink[band], 12) for band in _BANDS[:-1]) > RINGED:
        usual = np.array([np.percentile(ink[band], 35) for band in _BANDS])
        ring = np.interp(_OUT, _BAND_AT, usual, left=0.0)
        clean = np.clip((ink - ring) / np.maximum(1 - ring, 0.3), 0, 1)
        clean[
            min((at - 0.03 for at, level in zip(_BAND_AT, usual, strict=True) if level > 0.5), default=EDGE)
            < _OUT
        ] = 0
    clean[_OUT > EDGE] = 0
    return np.asarray(clean, np.float32)


def _inner_parts(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Drop specks along the rim: a number reaches into the middle of its disc."""
    count, labels = cv2.connectedComponents((ink > 0.3).astype(np.uint8), connectivity=8)
    for label in range(1, count):
        part = labels == label
        if _OUT[part].min() > 0.66:
            ink[part] = 0
    return ink


def _framed(cut: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Scale ink to `TALL` of 48 pixels in height, put it in the middle of white."""
    width = max(4, round(cut.shape[1] * WIDER * TALL / cut.shape[0]))
    large = np.clip(cv2.resize(cut, (width, TALL), interpolation=cv2.INTER_CUBIC), 0, 1)
    paper = np.full((48, max(48, width + 20)), 255, np.uint8)
    left = (paper.shape[1] - width) // 2
    top = (48 - TALL) // 2
    paper[top : top + TALL, left : left + width] = (255 * (1 - large)).astype(np.uint8)
    return paper
