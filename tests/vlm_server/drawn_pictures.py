"""Draws replay views: discs, numbers, clock, badges and grounds; the same view gives the same pixels."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tests.vlm_server.drawn_levels import draw_arrow, draw_place, draw_trails, headings
from tests.vlm_server.drawn_views import Colour, View, light, positions, times_of


@lru_cache(maxsize=8)
def _ground(view: View) -> NDArray[np.uint8]:
    base = np.empty((view.height, view.width, 3), np.float32)
    base[:] = view.ground_colour
    rng = np.random.default_rng(view.seed + 3)
    away = 1 if light(view.ground_colour) < 128 else -1
    if view.ground == "gradient":
        ramp = np.linspace(0, 1, view.height)[:, None] * 0.6 + np.linspace(0, 1, view.width)[None] * 0.4
        base += (away * 45 * ramp)[:, :, None]
    if view.ground == "texture":
        noise = cv2.GaussianBlur(rng.normal(0, 1, base.shape[:2]).astype(np.float32), (0, 0), 2.0)
        base += (noise / noise.std() * 4)[:, :, None]
    image = np.clip(base, 0, 255).astype(np.uint8)
    if view.ground == "grid":
        line = tuple(int(np.clip(c + away * 35, 0, 255)) for c in view.ground_colour)
        step = int(view.height / rng.uniform(4, 9))
        for x in range(step // 2, view.width, step):
            cv2.line(image, (x, 0), (x, view.height), line, 1)
        for y in range(step // 2, view.height, step):
            cv2.line(image, (0, y), (view.width, y), line, 1)
    if view.level != "abstract":
        draw_place(image, view)
    if view.border:
        image[: max(2, view.height // 90)] = 0
        image[-1:] = 0
        image[:, :1] = 0
    return image


@lru_cache(maxsize=4096)
def _stamp(text: str, font: str, height: int) -> NDArray[np.uint8]:
    """Return a text as an 8-bit mask, cropped to its ink, `height` pixels of capital height."""
    mask = _cv_text(text, font, height) if font.startswith(("cv", "face")) else _pil_text(text, font, height)
    ys, xs = np.nonzero(mask > 40)
    return mask[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]


def _pil_text(text: str, font: str, height: int) -> NDArray[np.uint8]:
    size = max(6, round(height / 0.72))
    face = ImageFont.load_default(size) if font == "default" else ImageFont.truetype(font, size)
    image = Image.new("L", (size * (len(text) + 2), size * 3), 0)
    ImageDraw.Draw(image).text((size, size), text, fill=255, font=face)
    return np.asarray(image)


def _cv_text(text: str, font: str, height: int) -> NDArray[np.uint8]:
    image = np.zeros((height * 4, height * (len(text) + 3) * 2, 1), np.uint8)
    if font.startswith("face:"):  # the weight is said because OpenCV keeps the last one
        cv2.putText(
            image, text, (height, height * 3), 255, cv2.FontFace(font[5:]), round(height / 0.72), weight=400
        )
        return image[:, :, 0]
    face = int(font[2:])
    scale = cv2.getFontScaleFromHeight(face, height, 1)
    cv2.putText(image, text, (height, height * 3), face, scale, 255, max(1, round(height / 9)), cv2.LINE_AA)
    return image[:, :, 0]


def _paste(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], left: float, top: float, colour: Colour
) -> None:
    shift = np.array([[1, 0, left - np.floor(left)], [0, 1, top - np.floor(top)]], np.float32)
    soft = cv2.warpAffine(mask, shift, (mask.shape[1] + 1, mask.shape[0] + 1)).astype(np.float32) / 255
    x, y = int(np.floor(left)), int(np.floor(top))
    x0, y0, x1, y1 = (
        max(0, x),
        max(0, y),
        min(image.shape[1], x + soft.shape[1]),
        min(image.shape[0], y + soft.shape[0]),
    )
    if x0 >= x1 or y0 >= y1:
        return
    alpha = soft[y0 - y : y1 - y, x0 - x : x1 - x, None]
    image[y0:y1, x0:x1] = (image[y0:y1, x0:x1] * (1 - alpha) + np.array(colour) * alpha + 0.5).astype(
        np.uint8
    )


def _disc(image: NDArray[np.uint8], view: View, index: int, centre: NDArray[np.float64]) -> None:
    fill, radius = view.fills[index], view.radius
    ink: Colour = (255, 255, 255) if light(fill) < 140 else (0, 0, 0)
    at = centre if view.smooth else np.round(centre)
    if view.smooth:
        fixed = (round(at[0] * 16), round(at[1] * 16))
        cv2.circle(image, fixed, round((radius - 0.5) * 16), fill, -1, cv2.LINE_AA, 4)
        if view.ring:
            wide = max(1, round(radius / 8))
            cv2.circle(image, fixed, round((radius - 0.5 - wide / 2) * 16), view.ring, wide, cv2.LINE_AA, 4)
    else:
        spot = (int(at[0]), int(at[1]))
        cv2.circle(image, spot, round(radius), fill, -1)
        if view.ring:
            cv2.circle(image, spot, round(radius), view.ring, 1)
    height = round(radius * view.glyph * (1.0 if len(view.numbers[index]) == 1 else 0.8))
    mask = _stamp(view.numbers[index], view.font, max(7, height))
    _paste(image, mask, at[0] - mask.shape[1] / 2 + 0.5, at[1] - mask.shape[0] / 2 + 0.5, ink)


def clock_text(view: View, at_s: float) -> str:
    """Return the clock as drawn, the date before it if the view has one."""
    now = int(view.start_clock_s + at_s * view.replay_speed + 1e-6) % 86400
    text = f"{now // 3600:02d}:{now // 60 % 60:02d}:{now % 60:02d}"
    return f"2025-01-01 {text}" if view.clock == "dated" else text


def _furniture(image: NDArray[np.uint8], view: View, at_s: float) -> None:
    tall = max(10, view.height // 22)
    if view.badge:
        cv2.rectangle(image, (15, image.shape[0] - 24), (44, image.shape[0] - 3), (40, 36, 34), -1)
        _paste(image, _stamp("cm", "default", 8), 21, image.shape[0] - 17, (190, 190, 190))
    if view.clock == "none":
        return
    mask = _stamp(clock_text(view, at_s), "default" if view.font.startswith("face") else view.font, tall)
    pad = tall // 2 + 4
    x = pad if view.corner % 2 == 0 else view.width - mask.shape[1] - pad
    y = pad if view.corner < 2 else view.height - tall - pad
    dark = light(view.ground_colour) < 128
    ink: Colour = (255, 255, 255) if dark or view.clock == "box" else (0, 0, 0)
    if view.clock == "box":
        cv2.rectangle(
            image,
            (x - pad + 1, y - pad + 1),
            (x + mask.shape[1] + pad - 2, y + tall + pad - 2),
            (30, 26, 24),
            -1,
        )
        if view.seed % 2:
            cv2.rectangle(
                image,
                (x - pad + 1, y - pad + 1),
                (x + mask.shape[1] + pad - 2, y + tall + pad - 2),
                (40, 220, 60),
                2,
            )
    _paste(image, mask, x, y, ink)


def draw(view: View, at_s: float, clock_s: float | None = None) -> NDArray[np.uint8]:
    """Draw one frame, H x W x 3 BGR."""
    image = _ground(view).copy()
    shown_s = at_s if clock_s is None else clock_s
    if not view.clock_over:
        _furniture(image, view, shown_s)
    if view.level == "full":
        draw_trails(image, view, at_s)
    ahead = headings(view, at_s) if view.level != "abstract" else np.zeros((len(view.numbers), 2))
    for index, centre in enumerate(positions(view, at_s)):
        if ahead[index].any():
            draw_arrow(image, centre, ahead[index], view.radius, view.fills[index])
        _disc(image, view, index, centre)
    if view.clock_over:
        _furniture(image, view, shown_s)
    return image


def frames(view: View) -> list[NDArray[np.uint8]]:
    """Draw all frames; the first `stale` ones show the view's last moment."""
    last_s = view.seconds - 1 / view.fps
    return [draw(view, last_s if i < view.stale else float(t)) for i, t in enumerate(times_of(view))]


def jpeg(image: NDArray[np.uint8], quality: int) -> bytes:
    """Encode one frame."""
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
