"""Frame times drawn into frames: they can be read, cost no token, leave the rest alone, and never stand in the way of an answer."""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Callable
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunk_caption import burn
from chunk_caption.captioner import Captioner
from chunk_caption.frames import Frame, size_px
from chunk_caption.request import Question
from tests.vss_overrides.conftest import jpeg
from tests.vss_overrides.vlm_double import VlmDouble
from vlm_server.reference.media import Clip
from vlm_server.reference.pixels import Pictures
from vlm_server.reference.skills.camera.skill import CameraMotion
from vlm_server.reference.skills.replay_view.reader import Reader

Picture = npt.NDArray[np.uint8]
NOON_S = 1_793_966_400.0  # 2026-11-06T12:00:00Z
LETTERS = "0123456789:.sZ "
SIZES = [(1920, 1080), (1280, 720), (640, 360)]
DRAWERS = [pytest.param(burn._with_pil, id="Pillow"), pytest.param(burn._with_cv2, id="OpenCV")]


@pytest.fixture(scope="module")
def reader() -> Reader:
    """Somebody who reads print and knows nothing of how it was drawn."""
    return Reader()


def scene(width_px: int, height_px: int, quality: int = 85) -> bytes:
    """A busy picture as a JPEG."""
    chance = np.random.default_rng(7)
    picture = chance.integers(0, 255, (height_px, width_px, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", cv2.GaussianBlur(picture, (9, 9), 3), [1, quality])[1].tobytes()


def pixels(data: bytes) -> Picture:
    """What a JPEG shows, H x W x 3 uint8."""
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def corner(picture: Picture, mark: tuple[int, ...], scale: float) -> Picture:
    """The lower right corner in grey, as large as the mark at that scale."""
    high, wide = round(mark[0] * scale), round(mark[1] * scale)
    return np.asarray(cv2.cvtColor(picture[-high:, -wide:], cv2.COLOR_BGR2GRAY), np.uint8)


@pytest.mark.parametrize("draw", DRAWERS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_stranger_reads_the_time_even_when_the_picture_is_scaled(
    draw: burn.Draw, size: tuple[int, int], reader: Reader
) -> None:
    """At 360 lines, to which a server may scale it; the second and the time of day."""
    (frame,) = burn.Burner(draw).burnt([Frame(scene(*size), 12.4)], NOON_S)
    mark = burn.fitted(12.4, NOON_S, size)
    assert mark is not None
    scale = 360 / size[1]
    small = np.asarray(
        cv2.resize(pixels(frame.jpeg), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
    )
    assert reader.read(corner(small, mark.shape, scale), LETTERS).text.replace(" ", "") == "12.40s12:00:12Z"


@settings(deadline=None, max_examples=25)
@given(st.floats(0, 9999))
def test_every_time_is_read_as_it_is(reader: Reader, time_s: float) -> None:
    """All digits, in any place."""
    (frame,) = burn.Burner(burn._with_pil).burnt([Frame(scene(320, 180), round(time_s, 2))], None)
    mark = burn.fitted(round(time_s, 2), None, (320, 180))
    assert mark is not None
    assert reader.read(corner(pixels(frame.jpeg), mark.shape, 1.0), LETTERS).text == f"{time_s:.2f}s"


@pytest.mark.parametrize("draw", DRAWERS)
@pytest.mark.parametrize("size", [*SIZES, (321, 181), (100, 60)], ids=str)
def test_the_picture_keeps_its_size_and_all_but_its_corner(draw: burn.Draw, size: tuple[int, int]) -> None:
    """Tokens are counted by size; what is not drawn on differs by less than a grey level or two."""
    before = scene(*size)
    (frame,) = burn.Burner(draw).burnt([Frame(before, 3.0)], None)
    assert size_px(frame.jpeg) == size
    assert frame.time_s == 3.0
    half = size[1] // 2
    change = np.abs(pixels(frame.jpeg)[:half].astype(int) - pixels(before)[:half].astype(int))
    assert change.mean() < 2
    assert frame.jpeg != before


@given(st.integers(1, 400), st.integers(1, 300), st.floats(0, 1e5))
def test_a_mark_never_sticks_out(width_px: int, height_px: int, time_s: float) -> None:
    """Where there is no room there is none."""
    mark = burn.fitted(time_s, NOON_S, (width_px, height_px))
    assert mark is None or (mark.shape[0] <= height_px and mark.shape[1] <= width_px)


def test_the_clock_gives_way_on_a_narrow_picture() -> None:
    """The second in the chunk is what answers are about."""
    narrow, wide = (burn.fitted(1.0, NOON_S, size) for size in ((320, 180), (640, 180)))
    assert narrow is not None
    assert wide is not None
    assert narrow.shape == burn.stamp("1.00 s", 2).shape
    assert wide.shape == burn.stamp("1.00 s 12:00:01Z", 2).shape


@pytest.mark.parametrize(
    ("stated", "taken"),
    [
        ("2026-11-06T12:00:00.000Z", NOON_S),
        ("2026-11-06T21:00:00+09:00", NOON_S),
        ("1970-01-01T00:00:12.000Z", None),
        ("2026-11-06T12:00:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (NOON_S, None),
    ],
)
def test_only_a_wall_clock_is_taken_for_one(stated: object, taken: float | None) -> None:
    """For files the engine counts from 1970; what has no zone, or is no time, is not guessed at."""
    assert burn.clock_s(stated) == taken


@pytest.mark.parametrize(
    "broken", [b"", b"\xff\xd8\xff\xd9", jpeg(128, 320, 240)[:200] + b"\xff\xd9", b"GIF89a"]
)
@pytest.mark.parametrize("draw", DRAWERS)
def test_a_frame_that_cannot_be_drawn_on_stays_as_it_is(
    draw: burn.Draw, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """One line in the log for all of them; good frames among them are drawn on."""
    good = jpeg(90, 320, 240)
    with caplog.at_level(logging.WARNING, "chunk_caption"):
        burner = burn.Burner(draw)
        shown = burner.burnt([Frame(broken, 0.0), Frame(good, 1.0), Frame(broken, 2.0)], None)
    assert [frame.jpeg == was for frame, was in zip(shown, (broken, good, broken), strict=True)] == [
        True,
        False,
        True,
    ]
    assert len(caplog.records) == 1


def test_without_a_library_frames_stay_as_they_are(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a container that has neither; said once, not per chunk."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with caplog.at_level(logging.WARNING, "chunk_caption"):
        burner = burn.Burner(burn.drawer())
        frames = [Frame(jpeg(), 0.0), Frame(jpeg(), 1.0)]
        assert burner.burnt(frames, None) == frames
        assert burner.burnt(frames, NOON_S) == frames
    assert [record.getMessage() for record in caplog.records] == [
        "frame times are not burnt in: neither Pillow nor OpenCV is here"
    ]


def test_opencv_stands_in_for_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that is there draws."""
    assert burn.drawer() is burn._with_pil
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "cv2" or None)
    assert burn.drawer() is burn._with_cv2


def sent_pictures(body: dict[str, Any]) -> list[Picture]:
    """The pictures of a request, whatever they are packed in."""
    urls = [
        (part.get("video_url") or part.get("image_url"))["url"]
        for part in body["messages"][-1]["content"]
        if part["type"] != "text"
    ]
    if urls[0].startswith("data:video/mp4"):
        return mp4_pictures(base64.b64decode(urls[0].partition(",")[2]))
    coded = [piece for url in urls for piece in url.split(",")[1:]]
    return [pixels(base64.b64decode(piece)) for piece in coded]


def mp4_pictures(file: bytes) -> list[Picture]:
    """The frames of an mp4."""
    with av.open(io.BytesIO(file), "r") as container:
        return [np.asarray(f.to_ndarray(format="bgr24"), np.uint8) for f in container.decode(video=0)]


@pytest.mark.parametrize("way", ["images", "video_jpeg", "mp4"])
def test_times_arrive_in_every_packing_at_the_same_cost(
    way: str, vlm: VlmDouble, captioner_for: Callable[..., Captioner], reader: Reader
) -> None:
    """Each frame carries its own time; the prediction of tokens and the texts are those of a request without."""
    frames = [Frame(scene(640, 360), time_s) for time_s in (0.0, 2.5, 5.0)]
    reports = []
    for wanted in ("off", "on"):
        captioner = captioner_for(vlm, BURN_TIMES=wanted, PACKING=way)
        _, stats = captioner.answer(lambda: Question("What happened?", frames, 6.0, {}))
        reports.append(re.sub(r'"latency_ms": ?\d+', "", str(stats["reasoning_description"])))
    assert reports[0] == reports[1]
    plain, burnt = (request.body for request in vlm.requests[-2:])
    texts = [[p.get("text") for p in body["messages"][-1]["content"]] for body in (plain, burnt)]
    assert texts[0] == texts[1]
    read = []
    for frame, picture in zip(frames, sent_pictures(burnt), strict=True):
        mark = burn.fitted(frame.time_s, None, (640, 360))
        assert mark is not None
        read.append(reader.read(corner(picture, mark.shape, 1.0), LETTERS).text)
    assert read == ["0.00s", "2.50s", "5.00s"]
    assert [p.shape for p in sent_pictures(plain)] == [p.shape for p in sent_pictures(burnt)]


def test_off_means_that_no_byte_changes(vlm: VlmDouble, captioner_for: Callable[..., Captioner]) -> None:
    """The default."""
    data = scene(320, 180)
    frames = [Frame(data, 0.0), Frame(data, 1.0)]
    captioner_for(vlm, PACKING="images").answer(lambda: Question("?", frames, None, {}))
    sent = str(vlm.requests[-1].body)
    assert sent.count(base64.b64encode(data).decode()) == 2


def test_changing_digits_are_no_motion() -> None:
    """The reference program calls a room safe in which nothing but the time moves."""
    chance = np.random.default_rng(3)
    width, height = 640, 360
    room = cv2.GaussianBlur(chance.integers(0, 255, (height, width, 3), dtype=np.uint8), (31, 31), 9)
    frames = []
    for number in range(40):
        noisy = np.clip(room + chance.normal(0, 3, room.shape), 0, 255).astype(np.uint8)
        frames.append(Frame(cv2.imencode(".jpg", noisy, [1, 85])[1].tobytes(), number / 4))
    shown = burn.Burner(burn.drawer()).burnt(frames, NOON_S)
    clip = Clip(Pictures([frame.jpeg for frame in shown]), [frame.time_s for frame in shown], 0)
    assert list(CameraMotion().look(clip).events) == []
