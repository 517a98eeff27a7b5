"""Taking the engine's padded rows apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunk_caption.frames import BadFrame, frames_of, size_px, unpadded
from tests.vss_overrides.conftest import jpeg, padded


@given(st.integers(0, 3000), st.integers(0, 255))
def test_padding_comes_off_exactly(spare: int, shade: int) -> None:
    """Whatever the padding, what is left is the JPEG byte for byte."""
    data = jpeg(shade)
    row = np.frombuffer(data + bytes(spare), dtype=np.uint8)
    assert unpadded(row) == data


def test_an_end_marker_inside_does_not_cut() -> None:
    """A thumbnail's own end marker comes earlier than the picture's; the last one counts."""
    data = b"\xff\xd8\xff\xe1\x00\x06\xff\xd8\xff\xd9" + jpeg()[2:]
    assert unpadded(np.frombuffer(data + bytes(9), dtype=np.uint8)) == data


@pytest.mark.parametrize("data", [b"", bytes(50), b"\xff\xd8\xff\xe0 no end", b"PNG\xff\xd9"])
def test_a_row_that_is_no_jpeg_is_refused(data: bytes) -> None:
    """Zeros, a cut JPEG and other bytes are told apart from pictures."""
    with pytest.raises(BadFrame):
        unpadded(np.frombuffer(data, dtype=np.uint8))


@pytest.mark.parametrize("size", [(64, 48), (33, 17), (1920, 1080)])
def test_the_size_is_read_from_the_header(size: tuple[int, int]) -> None:
    """Width and height come back in that order."""
    assert size_px(jpeg(90, *size)) == size


def test_a_header_without_a_size_is_refused() -> None:
    """Start and end alone hold no picture."""
    with pytest.raises(BadFrame):
        size_px(b"\xff\xd8\xff\xd9")


def test_times_count_from_the_chunk_start() -> None:
    """A chunk from 6 s sees its first frame at 0."""
    frames = frames_of(padded([jpeg(1), jpeg(2)]), [6.0, 6.07], 6.0)
    assert [frame.time_s for frame in frames] == [0.0, 0.07]
    assert [frame.jpeg for frame in frames] == [jpeg(1), jpeg(2)]


def test_a_late_first_frame_keeps_its_delay() -> None:
    """The start of the chunk is the origin, not the first frame."""
    assert frames_of(padded([jpeg()]), [7.25], 6.0)[0].time_s == 1.25


def test_rounded_times_do_not_go_below_zero() -> None:
    """The engine rounds to two decimals, which may put a frame before its chunk."""
    assert frames_of(padded([jpeg()]), [6.03], 6.033)[0].time_s == 0.0


@pytest.mark.parametrize("start_s", [None, 500.0])
def test_without_a_usable_start_the_first_frame_is_zero(start_s: float | None) -> None:
    """No chunk, or one on another time line."""
    frames = frames_of(padded([jpeg(), jpeg()]), [6.0, 6.5], start_s)
    assert [frame.time_s for frame in frames] == [0.0, 0.5]


class TorchLike:
    """Has of a torch tensor what matters: it must be detached and brought to the CPU before numpy can see it."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self._steps: list[str] = []

    def detach(self) -> TorchLike:
        """As torch."""
        self._steps.append("detach")
        return self

    def cpu(self) -> TorchLike:
        """As torch."""
        self._steps.append("cpu")
        return self

    def numpy(self) -> Any:
        """As torch; fails for a tensor that is elsewhere."""
        assert self._steps == ["detach", "cpu"]
        return self._array


def test_a_tensor_is_taken_like_an_array() -> None:
    """The engine passes torch tensors, the embedded server numpy arrays."""
    assert len(frames_of(TorchLike(padded([jpeg(), jpeg()])), [0.0, 0.1], 0.0)) == 2


def test_rows_and_times_must_pair_up() -> None:
    """A frame without a time cannot be placed."""
    with pytest.raises(BadFrame, match="2 frames came with 1 times"):
        frames_of(padded([jpeg(), jpeg()]), [0.0], 0.0)


def test_other_numbers_than_bytes_are_refused() -> None:
    """Raw floats are no JPEGs."""
    with pytest.raises(BadFrame, match="float32"):
        frames_of(np.zeros((1, 2, 8), dtype=np.float32), [0.0, 0.1], 0.0)


def test_no_rows_are_no_frames() -> None:
    """An empty chunk is the caller's to name."""
    assert frames_of(np.zeros((1, 0, 0), dtype=np.uint8), [], 0.0) == []
