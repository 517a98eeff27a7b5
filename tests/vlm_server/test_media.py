"""From the parts of a request to frames: the three forms, and everything that can be wrong with them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import TypeAdapter

from tests.vlm_server.drawn_pictures import jpeg
from tests.vlm_server.scoring import film
from vlm_server.reference import pixels
from vlm_server.reference.errors import FrameUnreadable, RequestRefused
from vlm_server.reference.media import Clip, clip_of
from vlm_server.reference.wire import Part, VideoIo

PARTS: TypeAdapter[list[Part]] = TypeAdapter(list[Part])


def picture(level: int, width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """Return an even grey frame."""
    return np.full((height, width, 3), level, np.uint8)


def b64(data: bytes) -> str:
    """Return base64 text."""
    return base64.b64encode(data).decode()


def image_part(data: bytes) -> dict[str, Any]:
    """Return a picture as an image part."""
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{b64(data)}"}}


def text_part(text: str) -> dict[str, Any]:
    """Return a text part."""
    return {"type": "text", "text": text}


def list_part(frames: list[bytes]) -> dict[str, Any]:
    """Return frames as vLLM's frame list."""
    url = "data:video/jpeg;base64," + ",".join(map(b64, frames))
    return {"type": "video_url", "video_url": {"url": url}}


def clip(*parts: dict[str, Any], video: dict[str, Any] | None = None) -> Clip:
    """Return the clip of parts, which must show something."""
    found = clip_of(PARTS.validate_python(list(parts)), VideoIo.model_validate(video or {}))
    assert found is not None
    return found


def levels(shown: Clip) -> list[int]:
    """Return the grey level of every frame."""
    return [round(float(shown.frames[i].mean())) for i in range(len(shown.frames))]


def test_interleaved_pictures_take_the_time_before_them() -> None:
    """Our override sends a stamp before each picture."""
    frames = [jpeg(picture(level), 95) for level in (50, 120, 200)]
    parts = [
        part
        for at, data in zip((4.0, 4.25, 4.5), frames, strict=True)
        for part in (text_part(f"<{at} seconds>"), image_part(data))
    ]
    shown = clip(text_part("What happens?"), *parts)
    assert shown.times_s == [4.0, 4.25, 4.5]
    assert levels(shown) == [50, 120, 200]
    assert shown.tokens == 3 * 66


def test_a_frame_list_keeps_order_and_takes_listed_times() -> None:
    """The line of times may come after the frames."""
    shown = clip(
        list_part([jpeg(picture(level), 95) for level in (10, 60, 110)]),
        text_part("Frame times in seconds: 2.00, 2.07, 2.13"),
    )
    assert shown.times_s == [2.0, 2.07, 2.13]
    assert levels(shown) == [10, 60, 110]


def test_a_frame_list_takes_its_timeline_from_the_kwargs() -> None:
    """Per-request kwargs are honoured as a trusting vLLM would."""
    shown = clip(list_part([jpeg(picture(9), 90)] * 3), video={"fps": 30, "frames_indices": [60, 90, 120]})
    assert shown.times_s == [2.0, 3.0, 4.0]


def test_a_container_brings_its_own_times() -> None:
    """Times of an MP4 come from its time stamps."""
    images = [picture(level, 128, 96) for level in (40, 90, 140, 190)]
    shown = clip({"type": "video_url", "video_url": {"url": f"data:video/mp4;base64,{b64(film(images, 4))}"}})
    assert shown.times_s == pytest.approx([0, 0.25, 0.5, 0.75])
    assert levels(shown) == pytest.approx([40, 90, 140, 190], abs=3)


def test_frames_of_a_container_can_be_asked_for_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: frames that were let go are decoded again."""
    monkeypatch.setattr(pixels, "KEPT_BYTES", 1)
    shown = clip(
        {
            "type": "video_url",
            "video_url": {
                "url": "data:video/mp4;base64,"
                + b64(film([picture(v, 128, 96) for v in (40, 90, 140, 190)], 4))
            },
        }
    )
    asked = [float(shown.frames[i].mean()) for i in (2, 0, 3, 1, 1)]
    assert asked == pytest.approx([140, 40, 190, 90, 90], abs=3)


def test_text_alone_shows_nothing() -> None:
    """A request without pictures is not an error here."""
    assert clip_of(PARTS.validate_python([text_part("hello")]), VideoIo()) is None


@pytest.mark.parametrize("cut", [20, 400])
def test_a_truncated_frame_names_its_index(cut: int) -> None:
    """Twenty lost bytes are enough; nothing is read from half a picture."""
    noise = np.random.default_rng(1).integers(0, 255, (64, 96, 3)).astype(np.uint8)
    whole = jpeg(noise, 90)
    shown = clip(list_part([whole, whole, whole[:-cut]]))
    assert shown.frames[1].shape == (64, 96, 3)
    with pytest.raises(FrameUnreadable, match=r"Failed to load image: .*truncated.* \(frame 2\)"):
        shown.frames[2]


def test_indices_of_bad_frames_count_over_all_parts() -> None:
    """The third picture is frame 2 although each part holds one."""
    good = jpeg(picture(80), 90)
    with pytest.raises(FrameUnreadable, match=r"cannot identify image file \(frame 2\)"):
        clip(image_part(good), image_part(good), image_part(b"not a picture"))


@pytest.mark.parametrize(
    ("url", "status", "message"),
    [
        pytest.param("http://127.0.0.1/a.jpg", 400, "Only data: URLs", id="nothing-is-fetched"),
        pytest.param("data:image/jpeg;base64", 400, "no comma", id="no-comma"),
        pytest.param("data:image/jpeg,abc", 501, "Only base64", id="not-base64-encoded"),
        pytest.param("data:image/jpeg;base64,%%%", 400, "base64", id="not-base64-digits"),
        pytest.param("data:image/jpeg;base64,", 400, "cannot identify", id="empty"),
    ],
)
def test_a_bad_address_is_refused(url: str, status: int, message: str) -> None:
    """Each mistake has vLLM's status and a sentence."""
    with pytest.raises(RequestRefused, match=message) as refused:
        clip({"type": "image_url", "image_url": {"url": url}})
    assert refused.value.status == status


@pytest.mark.parametrize("data", [b"garbage", film([picture(9, 128, 96)] * 4, 4)[:300], b""])
def test_a_broken_container_is_refused(data: bytes) -> None:
    """Garbage and cut containers are errors, never an empty video."""
    with pytest.raises(RequestRefused, match="Could not open video stream"):
        clip({"type": "video_url", "video_url": {"url": f"data:video/mp4;base64,{b64(data)}"}})


def test_a_frame_list_labelled_as_a_container_is_refused() -> None:
    """Commas are no base64."""
    url = "data:video/mp4;base64," + ",".join([b64(jpeg(picture(9), 90))] * 2)
    with pytest.raises(RequestRefused):
        clip({"type": "video_url", "video_url": {"url": url}})


def test_frames_of_different_sizes_are_refused() -> None:
    """One chunk is one view."""
    with pytest.raises(RequestRefused, match="same shape"):
        clip(list_part([jpeg(picture(9), 90), jpeg(picture(9, 64, 64), 90)]))


def test_a_picture_too_large_to_unpack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file can claim a huge picture."""
    monkeypatch.setattr(pixels, "MAX_FRAME_PIXELS", 96 * 64 - 1)
    with pytest.raises(FrameUnreadable, match="96x64 pixels are too many"):
        clip(image_part(jpeg(picture(9), 90)))


def test_too_many_frames_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A film has an end."""
    monkeypatch.setattr(pixels, "MAX_FRAMES", 3)
    with pytest.raises(RequestRefused, match="more than 3 frames"):
        pixels.Film(film([picture(9, 128, 96)] * 5, 4))
