"""What the model is told about frame times: it equals the true times within 0.06 s, in each packing."""

from __future__ import annotations

import io
import re

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunk_caption import mp4, packing
from chunk_caption.budget import pair_marks_s
from chunk_caption.endpoint import VideoForm
from chunk_caption.frames import Frame
from tests.vss_overrides.conftest import jpeg

JPEG = jpeg()
STEPS = st.one_of(
    st.lists(st.floats(0.02, 4.0), min_size=1, max_size=60),
    st.builds(lambda step, count: [step] * count, st.floats(0.02, 6.0), st.integers(1, 60)),
)


def framed(steps: list[float]) -> list[Frame]:
    """Frames with those gaps, times rounded as the engine rounds them."""
    times = np.cumsum([0.0, *steps])
    return [Frame(JPEG, round(float(time), 2)) for time in times]


def told_s(note: str, marks: list[str], listed: list[float]) -> list[float]:
    """What a reader who follows the note makes of the marks."""
    if linear := re.search(r"the true second is (\S+) \+ (\S+) x T", note):
        return [float(linear[1]) + float(linear[2]) * float(mark) for mark in marks]
    if numbered := re.search(r"frame number (\S+) x T of this list", note):
        at = [float(numbered[1]) * float(mark) for mark in marks]
        return [float(np.interp(number, range(len(listed)), listed)) for number in at]
    assert note == ""
    return [float(mark) for mark in marks]


@pytest.mark.parametrize(("way", "fps"), [("video_jpeg", 1.0), ("mp4", 2.0)])
@given(steps=STEPS)
@settings(deadline=None)
def test_marks_on_another_clock_are_told_true(way: str, fps: float, steps: list[float]) -> None:
    """By a linear rule where frames are even; else by frame number, which gives a time between the two frames of the pair."""
    frames = framed(steps)
    form = VideoForm(fps=fps)
    note = packing.clock_note(way, frames, form)
    marks_s = pair_marks_s(packing.server_times_s(way, frames, form))
    listed = [frame.time_s for frame in frames]
    true = pair_marks_s(listed)
    told = told_s(note, [f"{mark:.1f}" for mark in marks_s], listed)
    if "frame number" not in note:
        assert max(abs(a - b) for a, b in zip(told, true, strict=True)) <= 0.06
    else:
        pairs = zip(told, listed[::2], [*listed[1::2], listed[-1]], strict=False)
        assert all(first - 1e-6 <= at <= second + 1e-6 for at, first, second in pairs)


@given(steps=STEPS)
def test_the_line_of_times_is_true(steps: list[float]) -> None:
    """To the hundredth."""
    frames = framed(steps)
    line = packing.times_part(frames)["text"].removeprefix("Frame times in seconds: ")
    assert [float(time) for time in line.split(", ")] == [frame.time_s for frame in frames]


@given(steps=STEPS)
def test_options_make_the_servers_own_marks_true(steps: list[float]) -> None:
    """What is asked for lies within the rounding of a mark; nothing need be said."""
    frames, form = framed(steps), VideoForm(fps=100.0, options=True)
    options = packing.media_options("video_jpeg", frames, form)["media_io_kwargs"]["video"]
    placed = [index / options["fps"] for index in options["frames_indices"]]
    assert placed == pytest.approx([frame.time_s for frame in frames], abs=1e-6)
    assert options["total_num_frames"] > options["frames_indices"][-1]
    assert packing.clock_note("video_jpeg", frames, form) == ""


def test_pictures_need_no_note() -> None:
    """Their times stand before them."""
    assert packing.clock_note("images", framed([1.0]), VideoForm()) == ""


def test_an_unknown_clock_is_not_trusted() -> None:
    """The list counts."""
    assert "alone" in packing.clock_note("video_jpeg", framed([1.0]), VideoForm())


def test_a_clock_that_is_right_is_left_alone() -> None:
    """Two frames a second are what the file says."""
    assert packing.clock_note("mp4", framed([0.5] * 7), VideoForm(fps=2.0)) == ""


@pytest.mark.parametrize(
    ("way", "form", "step_s", "lines"),
    [
        pytest.param("video_jpeg", VideoForm(fps=4.0), 0.25, 0, id="the-marks-say-the-same"),
        pytest.param("video_jpeg", VideoForm(fps=4.0), 0.3, 1, id="the-marks-are-off"),
        pytest.param("video_jpeg", VideoForm(), 0.25, 1, id="marks-unknown"),
        pytest.param("video_jpeg", VideoForm(fps=100.0, options=True), 0.3, 0, id="marks-as-told"),
        pytest.param("mp4", VideoForm(fps=2.0), 0.5, 0, id="the-file-says-the-same"),
        pytest.param("mp4", VideoForm(fps=2.0), 0.25, 1, id="the-file-says-otherwise"),
    ],
)
def test_a_line_of_times_is_sent_only_where_marks_do_not_say_the_same(
    way: str, form: VideoForm, step_s: float, lines: int
) -> None:
    """It costs seven tokens a frame."""
    frames = framed([step_s] * 5)
    sent = packing.parts(way, frames, lambda jpegs: jpegs[0], form, uuid=False)
    assert (sent[0]["type"], len(sent)) == ("video_url", 1 + lines)
    assert len(packing.times_parts(way, frames, form)) == lines


@given(steps=STEPS, fps=st.sampled_from([1.0, 2.0, 4.0, 24.0]))
def test_marks_that_stand_alone_are_true(steps: list[float], fps: float) -> None:
    """Where no line goes with them, they lie within 0.06 s of the true times."""
    for frames in (framed(steps), framed([1 / fps] * len(steps))):
        form = VideoForm(fps=fps)
        if packing.times_parts("video_jpeg", frames, form):
            continue
        marks = [
            float(f"{mark:.1f}") for mark in pair_marks_s(packing.server_times_s("video_jpeg", frames, form))
        ]
        true = pair_marks_s([frame.time_s for frame in frames])
        assert max(abs(a - b) for a, b in zip(marks, true, strict=True)) <= 0.06 + 1e-9


@pytest.mark.parametrize("encode", [mp4._with_av, mp4._with_cv2], ids=["PyAV", "OpenCV"])
@pytest.mark.parametrize("size", [(64, 48), (67, 45)], ids=["even", "odd"])
def test_an_mp4_holds_every_frame_at_two_a_second(encode: packing.Encoder, size: tuple[int, int]) -> None:
    """In order, recognisable, with even sides."""
    shades = [10, 80, 150, 220, 40]
    file = encode([jpeg(shade, *size) for shade in shades])
    with av.open(io.BytesIO(file), "r") as container:
        stream = container.streams.video[0]
        assert stream.average_rate == 2
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(stream)]
    assert [picture.shape for picture in pictures] == [(size[1] // 2 * 2, size[0] // 2 * 2)] * 5
    assert [float(picture.mean()) for picture in pictures] == pytest.approx(shades, abs=12)


@pytest.mark.parametrize("encode", [mp4._with_av, mp4._with_cv2], ids=["PyAV", "OpenCV"])
def test_frames_that_cannot_be_read_make_no_file(encode: packing.Encoder) -> None:
    """A named failure, not a library's."""
    with pytest.raises(mp4.CannotEncode):
        encode([b"\xff\xd8 no picture \xff\xd9", JPEG])


def test_without_a_library_there_is_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packing is then not offered."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert mp4.encoder() is None
